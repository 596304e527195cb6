//! A place in a text that moves forward and never past the end.

use std::ops::Range;

/// Reads bytes of a text; what it gives out are ranges in that text.
#[derive(Debug, Clone)]
pub(super) struct Reader<'t> {
    text: &'t str,
    at: usize,
    end: usize,
}

impl<'t> Reader<'t> {
    /// Reads a part of a text; all ranges are of the whole text.
    pub(super) fn new(text: &'t str, part: Range<usize>) -> Self {
        Self { text, at: part.start, end: part.end.min(text.len()) }
    }

    /// The whole text, of which all ranges are.
    pub(super) fn text(&self) -> &'t str {
        self.text
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn is_done(&self) -> bool {
        self.at >= self.end
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.peek_after(0)
    }

    pub(super) fn peek_after(&self, count: usize) -> Option<u8> {
        let at = self.at.saturating_add(count);
        if at >= self.end { None } else { self.text.as_bytes().get(at).copied() }
    }

    pub(super) fn bump(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at = self.at.saturating_add(1);
        Some(byte)
    }

    pub(super) fn go(&mut self, at: usize) {
        self.at = at.max(self.at).min(self.end);
    }

    pub(super) fn eat(&mut self, word: &str) -> bool {
        if self.starts(word) {
            self.at = self.at.saturating_add(word.len());
            return true;
        }
        false
    }

    pub(super) fn starts(&self, word: &str) -> bool {
        self.text
            .as_bytes()
            .get(self.at..self.end)
            .is_some_and(|rest| rest.starts_with(word.as_bytes()))
    }

    pub(super) fn take_while(&mut self, keep: impl Fn(u8) -> bool) -> Range<usize> {
        let start = self.at;
        while self.peek().is_some_and(&keep) {
            self.at = self.at.saturating_add(1);
        }
        start..self.at
    }

    pub(super) fn skip_blanks(&mut self) {
        self.take_while(|byte| matches!(byte, b' ' | b'\t'));
    }

    pub(super) fn skip_space(&mut self) {
        self.take_while(|byte| byte.is_ascii_whitespace());
    }

    /// Moves to the next such byte, or to the end.
    pub(super) fn skip_to(&mut self, byte: u8) {
        let rest = self.text.as_bytes().get(self.at..self.end).unwrap_or(&[]);
        self.at =
            memchr::memchr(byte, rest).map_or(self.end, |found| self.at.saturating_add(found));
    }

    /// What stands between here and the closing quote, which is passed; a backslash keeps the
    /// byte after it. None when there is no closing quote on this line or before the end.
    pub(super) fn quoted(&mut self, quote: u8, lines: bool) -> Option<Range<usize>> {
        let start = self.at;
        let mut at = self.at;
        let bytes = self.text.as_bytes();
        while at < self.end {
            match bytes.get(at) {
                Some(b'\\') => at = at.saturating_add(2),
                Some(byte) if *byte == quote => {
                    self.at = at.saturating_add(1).min(self.end);
                    return Some(start..at);
                }
                Some(b'\n') if !lines => return None,
                _ => at = at.saturating_add(1),
            }
        }
        None
    }

    pub(super) fn slice(&self, range: &Range<usize>) -> &'t str {
        self.text.get(range.clone()).unwrap_or("")
    }
}

/// A range without the white space at both ends of what it holds.
pub(super) fn trim(text: &str, range: Range<usize>) -> Range<usize> {
    let Some(inner) = text.get(range.clone()) else { return range.start..range.start };
    let front = inner.len().saturating_sub(inner.trim_start().len());
    let start = range.start.saturating_add(front);
    start..start.saturating_add(inner.trim().len())
}

/// A range without the quotes around what it holds.
pub(super) fn unquote(text: &str, range: Range<usize>) -> Range<usize> {
    let inner = text.get(range.clone()).unwrap_or("").as_bytes();
    match (inner.first(), inner.last()) {
        (Some(first @ (b'"' | b'\'' | b'`')), Some(last)) if first == last && inner.len() >= 2 => {
            range.start.saturating_add(1)..range.end.saturating_sub(1)
        }
        _ => range,
    }
}
