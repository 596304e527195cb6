//! Text in any encoding met in practice.

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::borrow::Cow;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

/// How a text was encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// UTF-16, little-endian.
    Utf16Le,
    /// UTF-16, big-endian.
    Utf16Be,
    /// Latin-1 as the web reads it (windows-1252): what is left when nothing else fits.
    Latin1,
}

impl Encoding {
    /// How bytes are encoded, when they are text.
    ///
    /// They are when they start with a byte order mark; or look like UTF-16 (every second byte of
    /// the first 4 KiB mostly zero); or have no zero byte and few control characters there.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let marked = [Self::Utf8, Self::Utf16Le, Self::Utf16Be];
        let marked = marked.into_iter().find(|one| bytes.starts_with(one.mark()));
        marked.or_else(|| sniff(bytes))
    }

    /// The byte order mark; of Latin-1 none.
    fn mark(self) -> &'static [u8] {
        match self {
            Self::Utf8 => &[0xef, 0xbb, 0xbf],
            Self::Utf16Le => &[0xff, 0xfe],
            Self::Utf16Be => &[0xfe, 0xff],
            Self::Latin1 => &[],
        }
    }
}

/// Decoded text with the way back to lines.
#[derive(Debug)]
pub struct Text<'a> {
    content: Cow<'a, str>,
    encoding: Encoding,
    /// Counted when the first line is asked for: most texts hold nothing that has a place.
    line_starts: OnceLock<Vec<usize>>,
    /// How many lines were asked for before that.
    asked: AtomicU8,
}

/// So many lines are counted from the beginning of the text each, which is faster than to note
/// where all begin.
const COUNTED: u8 = 8;

impl<'a> Text<'a> {
    /// Decodes bytes as text, or says that they are none: without a copy where they are valid
    /// UTF-8 as they are.
    ///
    /// Bytes are text where [`Encoding::of`] knows how they are encoded. A valid UTF-8 prefix
    /// followed by a few bad bytes is still text: the bad bytes become U+FFFD.
    #[must_use]
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        Some(Self::decode_as(bytes, Encoding::of(bytes)?))
    }

    /// Decodes bytes whose encoding is known, by their beginning or otherwise; a byte order mark
    /// of it is left out.
    #[must_use]
    pub fn decode_as(bytes: &'a [u8], encoding: Encoding) -> Self {
        let rest = bytes.strip_prefix(encoding.mark()).unwrap_or(bytes);
        let content = match encoding {
            Encoding::Utf8 => utf8(rest),
            Encoding::Utf16Le => UTF_16LE.decode_without_bom_handling(rest).0,
            Encoding::Utf16Be => UTF_16BE.decode_without_bom_handling(rest).0,
            Encoding::Latin1 => WINDOWS_1252.decode_without_bom_handling(rest).0,
        };
        Self::from_string(content, encoding)
    }

    /// Wraps text that is decoded already.
    #[must_use]
    pub fn from_string(content: impl Into<Cow<'a, str>>, encoding: Encoding) -> Self {
        let content = content.into();
        Self { content, encoding, line_starts: OnceLock::new(), asked: AtomicU8::new(0) }
    }

    /// The same with a copy of its own.
    #[must_use]
    pub fn into_owned(self) -> Text<'static> {
        Text { content: Cow::Owned(self.content.into_owned()), ..self }
    }

    /// What was decoded.
    #[must_use]
    pub fn into_content(self) -> Cow<'a, str> {
        self.content
    }

    fn line_starts(&self) -> &[usize] {
        self.line_starts.get_or_init(|| {
            let ends = memchr::memchr_iter(b'\n', self.content.as_bytes());
            std::iter::once(0).chain(ends.map(|end| end.saturating_add(1))).collect()
        })
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.content
    }

    /// How it was encoded.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The line, from 1, that holds the byte `offset` of the decoded text.
    #[must_use]
    pub fn line_of(&self, offset: usize) -> u64 {
        let asked = self.asked.load(Ordering::Relaxed);
        if asked < COUNTED && self.line_starts.get().is_none() {
            self.asked.store(asked.saturating_add(1), Ordering::Relaxed);
            let before = self.content.as_bytes().get(..offset.min(self.content.len()));
            let ends = memchr::memchr_iter(b'\n', before.unwrap_or(&[])).count();
            return u64::try_from(ends.saturating_add(1)).unwrap_or(u64::MAX);
        }
        let before = self.line_starts().partition_point(|start| *start <= offset);
        u64::try_from(before.max(1)).unwrap_or(u64::MAX)
    }

    /// Line `number`, from 1, without its end; empty when there is none.
    #[must_use]
    pub fn line(&self, number: u64) -> &str {
        let index = usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
        let Some(start) = self.line_starts().get(index) else {
            return "";
        };
        let rest = self.content.get(*start..).unwrap_or("");
        rest.split(['\n', '\r']).next().unwrap_or("")
    }

    /// How many lines there are.
    #[must_use]
    pub fn line_count(&self) -> usize {
        self.line_starts().len()
    }
}

/// How many bytes decide whether something is text.
const SNIFF_BYTES: usize = 4096;

fn sniff(bytes: &[u8]) -> Option<Encoding> {
    let head = bytes.get(..SNIFF_BYTES).unwrap_or(bytes);
    let all = memchr::memchr_iter(0, head).count();
    if all > 0 {
        let half = head.len().checked_div(2).unwrap_or(0);
        let mostly = |count: usize| count.saturating_mul(10) >= half.saturating_mul(7);
        let rarely = |count: usize| count.saturating_mul(10) <= half;
        if half < 4 || !mostly(all) {
            // No text has a zero byte; binary formats with long names in front nearly all have.
            return None;
        }
        let even = head.iter().step_by(2).filter(|byte| **byte == 0).count();
        let odd = all.saturating_sub(even);
        return if mostly(odd) && rarely(even) {
            Some(Encoding::Utf16Le)
        } else if mostly(even) && rarely(odd) {
            Some(Encoding::Utf16Be)
        } else {
            None
        };
    }
    // Counted in bytes, a few at a time, which is several times as fast as in a word each.
    let control: usize = head.chunks(128).map(|part| usize::from(controls(part))).sum();
    // One control character in fifty still occurs in logs and terminal captures.
    if control.saturating_mul(50) > head.len() {
        return None;
    }
    match std::str::from_utf8(head) {
        Ok(_) => Some(Encoding::Utf8),
        // The head may end inside a character.
        Err(error) if error.error_len().is_none() => Some(Encoding::Utf8),
        Err(_) => Some(Encoding::Latin1),
    }
}

/// How many of at most 255 bytes are control characters that text does not have.
fn controls(part: &[u8]) -> u8 {
    let is_control = |b: u8| {
        ((1..=8).contains(&b) | (0x0e..=0x1a).contains(&b) | (0x1c..=0x1f).contains(&b))
            | (b == 0x7f)
    };
    part.iter().fold(0u8, |sum, byte| sum.wrapping_add(u8::from(is_control(*byte))))
}

/// Most text is valid, and checking that is much faster than looking for what is not.
fn utf8(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, little: bool) -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() })
            .collect()
    }

    #[test]
    fn every_encoding_gives_the_same_text() {
        let text = "first line\nsig=abc\n";
        for bytes in [
            text.as_bytes().to_vec(),
            [&[0xef, 0xbb, 0xbf][..], text.as_bytes()].concat(),
            [&[0xff, 0xfe][..], &utf16(text, true)].concat(),
            [&[0xfe, 0xff][..], &utf16(text, false)].concat(),
            utf16(text, true),
            utf16(text, false),
        ] {
            let decoded = Text::decode(&bytes).unwrap();
            assert_eq!(decoded.as_str(), text);
            assert_eq!(decoded.line_of(decoded.as_str().find("sig").unwrap()), 2);
            assert_eq!(decoded.line(2), "sig=abc");
        }
    }

    #[test]
    fn valid_utf_8_is_not_copied_and_everything_else_is_decoded() {
        let is_borrowed =
            |bytes: &[u8]| matches!(Text::decode(bytes).unwrap().into_content(), Cow::Borrowed(_));
        assert!(is_borrowed("caf\u{e9}".as_bytes()));
        assert!(is_borrowed(b"\xef\xbb\xbfmarked"));
        assert!(!is_borrowed(b"caf\xe9 sig=x"));
        assert!(!is_borrowed(&utf16("first", true)));
        let owned = Text::decode(b"a\nb").unwrap().into_owned();
        assert_eq!((owned.line_of(2), owned.as_str()), (2, "a\nb"));
    }

    #[test]
    fn latin_1_is_text_and_binary_is_not() {
        assert_eq!(Text::decode(b"caf\xe9 sig=x").unwrap().as_str(), "café sig=x");
        let binary: Vec<u8> = (0..=255u8).cycle().take(4000).collect();
        assert!(Text::decode(&binary).is_none());
        assert!(Text::decode(b"").is_some());
    }
}
