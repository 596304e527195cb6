//! Reads forward through a source in small pieces, stepping over what is not needed.

use lidless_io::{ReadAt, read_vec};

/// Read at a time.
const PIECE: u64 = 16 << 10;

/// Reads from one offset towards another; never past the end that was given.
pub(crate) struct Forward<'a> {
    source: &'a dyn ReadAt,
    end: u64,
    base: u64,
    buffer: Vec<u8>,
    at: usize,
    read: u64,
    most: u64,
}

impl<'a> Forward<'a> {
    /// Reads `start..end` of a source, and at most `most` bytes in all.
    pub(crate) fn new(source: &'a dyn ReadAt, start: u64, end: u64, most: u64) -> Self {
        let end = end.min(source.len());
        Self { source, end, base: start, buffer: Vec::new(), at: 0, read: 0, most }
    }

    /// The offset of the next byte.
    pub(crate) fn position(&self) -> u64 {
        self.base.saturating_add(u64::try_from(self.at).unwrap_or(0))
    }

    /// How many bytes are left.
    pub(crate) fn left(&self) -> u64 {
        self.end.saturating_sub(self.position())
    }

    /// The next `length` bytes; none when there are fewer, or too many were read already.
    pub(crate) fn take(&mut self, length: u64) -> Option<&[u8]> {
        if length > self.left() {
            return None;
        }
        let wanted = usize::try_from(length).ok()?;
        if self.buffer.len().saturating_sub(self.at) < wanted {
            let position = self.position();
            let more = length.max(PIECE).min(self.left());
            self.read = self.read.saturating_add(more);
            if self.read > self.most {
                return None;
            }
            self.buffer = read_vec(self.source, position, more).ok()?;
            self.base = position;
            self.at = 0;
        }
        let piece = self.buffer.get(self.at..self.at.checked_add(wanted)?)?;
        self.at = self.at.saturating_add(wanted);
        Some(piece)
    }

    /// Steps over `length` bytes without reading them; false when there are fewer.
    pub(crate) fn skip(&mut self, length: u64) -> bool {
        if length > self.left() {
            return false;
        }
        let to = self.position().saturating_add(length);
        match usize::try_from(to.saturating_sub(self.base)) {
            Ok(at) if at <= self.buffer.len() => self.at = at,
            _ => {
                self.base = to;
                self.at = 0;
                self.buffer.clear();
            }
        }
        true
    }

    /// The next byte.
    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// A number of four bytes, lowest first.
    pub(crate) fn u32_le(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    /// A number of eight bytes, lowest first.
    pub(crate) fn u64_le(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    /// A number of four bytes, highest first.
    pub(crate) fn u32_be(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }
}

/// All of a small source, as text; none when it is larger than `most` or no UTF-8.
pub(crate) fn whole_text(source: &dyn ReadAt, most: u64) -> Option<String> {
    if source.len() > most {
        return None;
    }
    let bytes = read_vec(source, 0, most).ok()?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    Some(String::from_utf8_lossy(text).into_owned())
}
