//! Base64 and hex to bytes, and whether they are worth it: text, a key, something compressed.

use crate::secret::key_kind;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use encoding_rs::UTF_16LE;
use flate2::read::{GzDecoder, ZlibDecoder};
use lidless_core::Text;
use std::io::Read as _;

/// How many characters are decoded to see what it is.
const PEEK: usize = 88;
/// How many bytes must be text for all to be taken for it: one random string in a million is.
const PRINTABLE: usize = 14;

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What decoded bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Wide,
    Gzip,
    Zlib,
    Key,
}

/// What the first bytes say.
pub(super) fn shape(head: &[u8]) -> Option<Shape> {
    match head {
        [0x1f, 0x8b, 8, ..] => return Some(Shape::Gzip),
        // The levels that anything writes, and a check of both bytes.
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => return Some(Shape::Zlib),
        [0xff, 0xfe, ..] => return Some(Shape::Wide),
        _ => {}
    }
    let printable = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t');
    let text = head.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(head);
    let start = text.get(..PRINTABLE.min(text.len())).unwrap_or(text);
    if start.len() >= 3 && start.iter().all(printable) {
        return Some(Shape::Text);
    }
    let pairs = head.chunks_exact(2).take(8);
    if head.len() >= 16 && pairs.clone().all(|pair| matches!(pair, [byte, 0] if printable(byte))) {
        return Some(Shape::Wide);
    }
    (head.starts_with(b"openssh-key-v1\0") || key_kind(head).is_some()).then_some(Shape::Key)
}

/// Whether [`shape`] may know bytes that begin with these: most names of programs do not.
fn may_have_shape(start: [u8; 3]) -> bool {
    let printable = |byte: u8| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t');
    let [first, second, third] = start;
    let known = match first {
        0x1f => second == 0x8b,
        0xff => second == 0xfe,
        0xef => second == 0xbb,
        // The keys that `key_kind` knows.
        0x00 | 0x30 | 0x94..=0x97 | 0xc5 | 0xce | 0xfe => true,
        0x78 => matches!(second, 0x01 | 0x5e | 0x9c | 0xda),
        _ => false,
    };
    known || (printable(first) && (second == 0 || (printable(second) && printable(third))))
}

/// The first three bytes of base64 in either alphabet.
fn first_three(run: &[u8]) -> Option<[u8; 3]> {
    let value = |byte: &u8| {
        Some(u32::from(match byte {
            b'A'..=b'Z' => byte.wrapping_sub(b'A'),
            b'a'..=b'z' => byte.wrapping_sub(b'a').wrapping_add(26),
            b'0'..=b'9' => byte.wrapping_sub(b'0').wrapping_add(52),
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        }))
    };
    let mut bits = 0u32;
    for byte in run.get(..4)? {
        bits = bits << 6 | value(byte)?;
    }
    let [_, first, second, third] = bits.to_be_bytes();
    Some([first, second, third])
}

/// How a run is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Base64,
    Hex,
}

impl Coding {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::Hex => "hex",
        }
    }

    /// What a run is in this coding, by its first characters.
    pub(super) fn peek(run: &[u8]) -> Option<Self> {
        let start = run.get(..PEEK.min(run.len())).unwrap_or(run);
        if run.len() >= 32 && run.len().is_multiple_of(2) && start.iter().all(u8::is_ascii_hexdigit)
        {
            let bytes = Self::Hex.decode(start)?;
            if shape(&bytes).is_some() {
                return Some(Self::Hex);
            }
        }
        if !may_have_shape(first_three(start)?) {
            return None;
        }
        // Both alphabets in one are paths and names.
        let standard = start.iter().any(|byte| matches!(byte, b'+' | b'/'));
        let url_safe = start.iter().any(|byte| matches!(byte, b'-' | b'_'));
        if standard && url_safe {
            return None;
        }
        shape(&Self::Base64.decode(start)?).map(|_| Self::Base64)
    }

    pub(super) fn decode(self, run: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Hex => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                let pairs = run.chunks_exact(2).map(|pair| match pair {
                    [high, low] => u8::try_from(digit(high)? << 4 | digit(low)?).ok(),
                    _ => None,
                });
                pairs.collect()
            }
            Self::Base64 => {
                let plain = |byte: &u8| match byte {
                    b'-' => b'+',
                    b'_' => b'/',
                    byte => *byte,
                };
                let mut plain: Vec<u8> = run.iter().map(plain).collect();
                if plain.len() % 4 == 1 {
                    plain.pop();
                }
                ENGINE.decode(plain).ok()
            }
        }
    }
}

/// What decoded bytes hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    Text(String),
    Key(Vec<u8>),
}

/// Text or key out of decoded bytes, through at most one compression, whose name it gives; at
/// most `budget` bytes of it.
pub(super) fn content(bytes: Vec<u8>, budget: usize) -> Option<(Option<&'static str>, Content)> {
    let (name, bytes) = match shape(&bytes)? {
        Shape::Gzip => (Some("gzip"), inflate(GzDecoder::new(&*bytes), budget)),
        Shape::Zlib => (Some("zlib"), inflate(ZlibDecoder::new(&*bytes), budget)),
        Shape::Wide => {
            let wide = bytes.strip_prefix(&[0xff, 0xfe]).unwrap_or(&bytes);
            let (text, _) = UTF_16LE.decode_without_bom_handling(wide);
            return Some((Some("utf-16"), Content::Text(text.into_owned())));
        }
        Shape::Text | Shape::Key => (None, bytes),
    };
    if bytes.is_empty() {
        return None;
    }
    if key_kind(&bytes).is_some() || bytes.starts_with(b"openssh-key-v1\0") {
        return Some((name, Content::Key(bytes)));
    }
    Text::decode(&bytes).map(|text| (name, Content::Text(text.as_str().to_owned())))
}

/// What can be read of a compressed stream, cut or not.
fn inflate(stream: impl std::io::Read, budget: usize) -> Vec<u8> {
    let limit = u64::try_from(budget).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    // An error at the end keeps what came before it.
    let _ = stream.take(limit).read_to_end(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_shape_is_missed_by_its_first_three_bytes() {
        let rests: [&[u8]; 6] = [
            b"plain text here, and more",
            b"\0p\0l\0a\0i\0n\0t\0e\0x\0t\0",
            b"\0\0\0\0\x08\0\0\0\x10abcdefghi",
            &[0xed, 0xfe, 0xed, 0, 0, 0, 2],
            &[0xce, 0xce, 0xce, 0, 0, 0, 2],
            &[0x02, 0x01, 0x03, 0x30, 0x82, 1, 2, 6, 9],
        ];
        for first in 0..=255u8 {
            for second in 0..=255u8 {
                for rest in rests {
                    let bytes = [&[first, second], rest].concat();
                    let start = [bytes[0], bytes[1], bytes[2]];
                    assert!(shape(&bytes).is_none() || may_have_shape(start), "{bytes:x?}");
                    let coded = ENGINE.encode(&bytes);
                    assert_eq!(first_three(coded.as_bytes()), Some(start));
                }
            }
        }
    }
}
