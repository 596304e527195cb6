//! The write-ahead log of a database.
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 4 | magic; its lowest bit says that checksums are of big-endian words |
//! | 8 | 4 | page size |
//! | 16 | 8 | salt, repeated in every frame that counts |
//! | 24 | 8 | checksum of the 24 bytes before |
//! | 32 | | frames: a header of 24 bytes and a page |
//!
//! A frame: page number, pages of the database after a commit or 0, salt, and the checksum of
//! everything so far. Frames after the last commit, or after the first checksum that does not
//! hold, are not part of the database.

use super::header::is_page_size;
use crate::error::RecordError;
use lidless_io::number;
use lidless_io::{ReadAt, read_vec};
use std::collections::HashMap;
use std::sync::Arc;

const HEADER: u64 = 32;
const FRAME: usize = 24;
/// How much of a log is looked at: SQLite folds it back into the database at 4 MB.
const LARGEST: u64 = 256 << 20;
const CHUNK: u64 = 1 << 20;

/// The pages that a log replaces.
pub(super) struct Wal {
    source: Arc<dyn ReadAt>,
    pub(super) page_bytes: u32,
    /// Where the newest committed form of a page begins.
    pages: HashMap<u32, u64>,
    /// Pages of the database after the last commit.
    pub(super) page_count: u32,
}

/// The running checksum: SQLite's own, over pairs of 32-bit words.
#[derive(Clone, Copy)]
struct Sum {
    big: bool,
    first: u32,
    second: u32,
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        for pair in bytes.chunks_exact(8) {
            let word = |at: usize| {
                let word = number::array(pair, at).unwrap_or_default();
                if self.big { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
            };
            let (one, two) = (word(0), word(4));
            self.first = self.first.wrapping_add(one).wrapping_add(self.second);
            self.second = self.second.wrapping_add(two).wrapping_add(self.first);
        }
    }

    fn is(&self, bytes: &[u8], at: usize) -> bool {
        number::u32_be(bytes, at) == Some(self.first)
            && number::u32_be(bytes, at.saturating_add(4)) == Some(self.second)
    }
}

impl Wal {
    /// Reads which pages a log replaces; none when it holds no committed frame.
    pub(super) fn open(source: Arc<dyn ReadAt>) -> Result<Option<Self>, RecordError> {
        let head = read_vec(&*source, 0, HEADER)?;
        let big = match number::u32_be(&head, 0) {
            Some(0x377f_0682) => false,
            Some(0x377f_0683) => true,
            _ => return Ok(None),
        };
        let mut sum = Sum { big, first: 0, second: 0 };
        sum.add(head.get(..24).unwrap_or(&[]));
        let page_bytes = number::u32_be(&head, 8).filter(|size| is_page_size(*size));
        let (Some(page_bytes), true) = (page_bytes, sum.is(&head, 24)) else { return Ok(None) };
        let salt: Option<[u8; 8]> = number::array(&head, 16);
        let frame = FRAME.saturating_add(number::index(page_bytes));
        let mut wal =
            Self { source: Arc::clone(&source), page_bytes, pages: HashMap::new(), page_count: 0 };
        let mut pending: Vec<(u32, u64)> = Vec::new();
        let mut offset = HEADER;
        let end = source.len().min(LARGEST);
        'log: while offset < end {
            let whole = number::wide(frame);
            let frames = CHUNK.checked_div(whole).unwrap_or(1).max(1);
            let chunk = read_vec(&*source, offset, frames.saturating_mul(whole))?;
            let mut got = 0u64;
            for bytes in chunk.chunks_exact(frame) {
                let (head, page) = bytes.split_at_checked(FRAME).unwrap_or((bytes, &[]));
                if number::array(head, 8) != salt {
                    break 'log;
                }
                sum.add(head.get(..8).unwrap_or(&[]));
                sum.add(page);
                if !sum.is(head, 16) {
                    break 'log;
                }
                let number = number::u32_be(head, 0).unwrap_or(0);
                let at = offset.saturating_add(got).saturating_add(number::wide(FRAME));
                pending.push((number, at));
                if let Some(count) = number::u32_be(head, 4).filter(|count| *count > 0) {
                    wal.pages.extend(pending.drain(..));
                    wal.page_count = count;
                }
                got = got.saturating_add(whole);
            }
            if got == 0 {
                break;
            }
            offset = offset.saturating_add(got);
        }
        Ok((wal.page_count > 0).then_some(wal))
    }

    /// A page, when the log has it.
    pub(super) fn page(&self, number: u32) -> Result<Option<Vec<u8>>, RecordError> {
        match self.pages.get(&number) {
            None => Ok(None),
            Some(at) => Ok(Some(read_vec(&*self.source, *at, u64::from(self.page_bytes))?)),
        }
    }
}
