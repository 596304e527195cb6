//! Tables of SquashFS: blocks of metadata one after another, each of 8 KiB when unpacked, after
//! two bytes with its length (the highest bit set: stored as it is).

use super::packing::Packing;
use lidless_io::number::{index, wide};
use std::ops::Range;

/// What one block of metadata holds.
pub(super) const BLOCK: usize = 8 << 10;

/// An unpacked table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Table {
    bytes: Vec<u8>,
    /// Where packed blocks begin in the table, and where their bytes begin in `bytes`; in order.
    starts: Vec<(u64, usize)>,
    /// Whether all of it was unpacked.
    pub(super) whole: bool,
}

impl Table {
    /// Unpacks the blocks in `packed`, up to `most` bytes.
    pub(super) fn unpack(packed: &[u8], packing: Packing, most: usize) -> Self {
        let mut table = Self { whole: true, ..Self::default() };
        let mut rest = packed;
        while let Some((header, after)) = rest.split_first_chunk::<2>() {
            let header = u16::from_le_bytes(*header);
            let length = usize::from(header & 0x7fff);
            let Some((block, after)) = after.split_at_checked(length).filter(|_| length > 0) else {
                table.whole = false;
                break;
            };
            let at = packed.len().saturating_sub(rest.len());
            table.starts.push((wide(at), table.bytes.len()));
            if header & 0x8000 != 0 {
                table.bytes.extend_from_slice(block);
            } else {
                match packing.unpack(block, BLOCK) {
                    Ok(whole) => table.bytes.extend_from_slice(&whole),
                    Err(_) => table.whole = false,
                }
            }
            rest = after;
            if table.bytes.len() > most {
                table.whole = false;
                break;
            }
        }
        table
    }

    /// The bytes from a place on: a packed block's start and an offset in what it holds.
    pub(super) fn from(&self, block: u64, offset: usize) -> Option<&[u8]> {
        let at = self.starts.binary_search_by_key(&block, |(start, _)| *start).ok()?;
        let (_, start) = self.starts.get(at)?;
        self.bytes.get(start.checked_add(offset)?..)
    }

    /// All of it.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// A range of `bytes`, which begin at `base`; nothing where it is not in them.
pub(super) fn part(bytes: &[u8], base: u64, range: Range<u64>) -> &[u8] {
    let at = |place: u64| index(place.saturating_sub(base)).min(bytes.len());
    bytes.get(at(range.start)..at(range.end)).unwrap_or(&[])
}
