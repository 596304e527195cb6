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
