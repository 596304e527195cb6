//! Cells by their offsets.

use super::base::{BINS, malformed};
use crate::error::RecordError;
use bytes::Bytes;
use lidless_io::number;
use lidless_io::{BlockCache, MemoryBytes, ReadAt, read_vec};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Hives up to this size are read whole.
const WHOLE: u64 = 512 << 10;
const BLOCK_BYTES: u64 = 16 << 10;
const CACHE_BYTES: u64 = 8 << 20;
/// What the first read of a cell brings: keys and lists mostly fit.
const FIRST: u64 = 256;
/// The largest cell there is.
const LARGEST: u64 = 1 << 20;
/// How much of cells is read of one hive, each counted with at least [`FIRST`] bytes: lists that
/// name the same cells over and over end there.
const READ: u64 = 1 << 30;
/// The offset that stands for nothing.
const NONE: u32 = u32::MAX;

pub(super) struct Cells {
    source: Arc<dyn ReadAt>,
    end: u64,
    read: AtomicU64,
}

impl Cells {
    pub(super) fn new(source: Arc<dyn ReadAt>, bins_bytes: u32) -> Result<Self, RecordError> {
        let length = source.len();
        let end = BINS.saturating_add(u64::from(bins_bytes)).min(length);
        let source: Arc<dyn ReadAt> = if length <= WHOLE {
            Arc::new(MemoryBytes::new(read_vec(&*source, 0, length)?))
        } else {
            Arc::new(BlockCache::new(source, BLOCK_BYTES, CACHE_BYTES))
        };
        Ok(Self { source, end, read: AtomicU64::new(0) })
    }

    /// The content of a cell, without its size; it may be longer than what lies in it.
    pub(super) fn cell(&self, offset: u32) -> Result<Bytes, RecordError> {
        let place = BINS.saturating_add(u64::from(offset));
        let bad = |found: &str| malformed(place, "a cell in use", found);
        if offset == NONE || place >= self.end {
            return Err(bad("the end of the bins"));
        }
        let limit = self.end.saturating_sub(place);
        let mut bytes = read_vec(&*self.source, place, FIRST.min(limit))?;
        let size = number::u32_le(&bytes, 0).map_or(0, u32::cast_signed);
        // Sizes of cells in use are negative.
        let size = if size < 0 { u64::from(size.unsigned_abs()) } else { 0 };
        if size < 8 || size > limit || size > LARGEST {
            return Err(bad("a free cell, or one that does not fit"));
        }
        if self.read.fetch_add(size.max(FIRST), Ordering::Relaxed) > READ {
            return Err(RecordError::Limit("a registry hive that is read past the limit"));
        }
        let have = number::wide(bytes.len());
        if have < size {
            let rest = size.saturating_sub(have);
            bytes.extend(read_vec(&*self.source, place.saturating_add(have), rest)?);
        }
        bytes.truncate(number::index(size));
        Ok(Bytes::from(bytes).slice(4..))
    }
}
