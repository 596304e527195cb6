//! The first 100 bytes of a database.

use crate::error::RecordError;
use lidless_io::number;

pub(super) const FORMAT: &str = "SQLite";
pub(super) const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Length of the header, before the first page's own.
pub(super) const HEADER: usize = 100;

/// How text is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextEncoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub(super) page_bytes: u32,
    /// Bytes of a page that hold content.
    pub(super) usable: usize,
    pub(super) encoding: TextEncoding,
}

impl Header {
    pub(super) fn read(head: &[u8]) -> Result<Self, RecordError> {
        if !head.starts_with(MAGIC) {
            return Err(not_a_database(head));
        }
        let page_bytes = match number::u16_be(head, 16) {
            Some(1) => 65_536,
            Some(size) if size >= 512 && size.is_power_of_two() => u32::from(size),
            size => return Err(malformed(16, "a page size", &format!("{size:?}"))),
        };
        let reserved = head.get(20).copied().map_or(0, u32::from);
        let usable = page_bytes.saturating_sub(reserved);
        if usable < 480 {
            return Err(malformed(20, "at least 480 usable bytes", &usable.to_string()));
        }
        let encoding = match number::u32_be(head, 56) {
            Some(0 | 1) => TextEncoding::Utf8,
            Some(2) => TextEncoding::Utf16Le,
            Some(3) => TextEncoding::Utf16Be,
            other => return Err(malformed(56, "a text encoding", &format!("{other:?}"))),
        };
        Ok(Self { page_bytes, usable: number::index(usable), encoding })
    }
}

/// A page size from 512 to 65,536, a power of two.
pub(super) fn is_page_size(size: u32) -> bool {
    (512..=65_536).contains(&size) && size.is_power_of_two()
}

pub(super) fn malformed(offset: u64, expected: &str, found: &str) -> RecordError {
    RecordError::Malformed {
        format: FORMAT,
        offset,
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
}

/// Databases that are encrypted as a whole begin with random bytes.
fn not_a_database(head: &[u8]) -> RecordError {
    let first = head.get(..1024).unwrap_or(&[]);
    let mut seen = [false; 256];
    for byte in first {
        if let Some(slot) = seen.get_mut(usize::from(*byte)) {
            *slot = true;
        }
    }
    // 1,024 random bytes hold 251 of the 256 values, give or take two; text and structures far
    // fewer.
    if seen.iter().filter(|seen| **seen).count() >= 235 {
        return RecordError::Closed("a SQLite database that is encrypted".into());
    }
    malformed(0, "SQLite format 3", "other bytes")
}
