//! A block cache on the disk of this machine, in front of a slow source.

use crate::number::{index, wide};
use crate::read_at::{ReadAt, read_vec};
use crate::{Budget, ReadError};
use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What is fetched and kept at once.
const BLOCK_BYTES: u64 = 256 << 10;
/// The most that one read of the source brings.
const LARGEST_BYTES: u64 = 8 << 20;

/// Room for blocks in one unnamed temporary file, which vanishes with the value.
#[derive(Debug)]
pub struct DiskBlocks {
    file: OnceLock<Option<File>>,
    next: Mutex<u64>,
    room: Budget,
}

impl DiskBlocks {
    /// Room for `bytes` at most. The file is made when the first block comes.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        Self { file: OnceLock::new(), next: Mutex::new(0), room: Budget::new(bytes) }
    }

    /// Keeps a block and says where; none when there is no room, or the disk says no.
    fn keep(&self, block: &[u8]) -> Option<u64> {
        self.room.take(BLOCK_BYTES).ok()?;
        let file = self.file.get_or_init(|| tempfile::tempfile().ok()).as_ref()?;
        let place = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let place = *next;
            *next = place.saturating_add(BLOCK_BYTES);
            place
        };
        file.write_all_at(block, place).ok()?;
        Some(place)
    }

    fn read(&self, place: u64, buffer: &mut [u8]) -> Option<()> {
        self.file.get()?.as_ref()?.read_exact_at(buffer, place).ok()
    }
}

/// Keeps what was read of a source, so that each byte is fetched once however often and in
/// whatever order it is read. Memory does not grow with what is kept; without room, the source is
/// read again.
pub struct DiskCache {
    source: Arc<dyn ReadAt>,
    disk: Arc<DiskBlocks>,
    /// Where each block is that is kept.
    places: Mutex<HashMap<u64, u64>>,
}

impl DiskCache {
    /// Keeps what is read of `source` in `disk`.
    #[must_use]
    pub fn new(source: Arc<dyn ReadAt>, disk: Arc<DiskBlocks>) -> Self {
        Self { source, disk, places: Mutex::default() }
    }

    fn place(&self, block: u64) -> Option<u64> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner).get(&block).copied()
    }

    /// Copies what the disk has of one block; none when it has not.
    fn kept(&self, at: u64, buffer: &mut [u8]) -> Option<usize> {
        let (block, within) = (at.checked_div(BLOCK_BYTES)?, at.checked_rem(BLOCK_BYTES)?);
        let place = self.place(block)?;
        let left = BLOCK_BYTES.saturating_sub(within).min(self.len().saturating_sub(at));
        let size = index(left).min(buffer.len());
        self.disk.read(place.saturating_add(within), buffer.get_mut(..size)?)?;
        Some(size)
    }

    /// Fetches the blocks from the one at `at` on, up to `end`, the next that is kept, or as much
    /// as one read brings; copies what of it was asked for.
    fn fetch(&self, at: u64, end: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let within = at.checked_rem(BLOCK_BYTES).unwrap_or(0);
        let start = at.saturating_sub(within);
        let mut stop = start.saturating_add(BLOCK_BYTES);
        while stop < end
            && stop.saturating_sub(start) < LARGEST_BYTES
            && stop.checked_div(BLOCK_BYTES).is_some_and(|block| self.place(block).is_none())
        {
            stop = stop.saturating_add(BLOCK_BYTES);
        }
        let bytes = read_vec(&*self.source, start, stop.saturating_sub(start))?;
        let first = start.checked_div(BLOCK_BYTES).unwrap_or(0);
        for (block, piece) in (first..).zip(bytes.chunks(index(BLOCK_BYTES))) {
            // A block that is cut short elsewhere than at the end is not kept.
            let whole = wide(piece.len()) == BLOCK_BYTES
                || start.saturating_add(wide(bytes.len())) == self.len();
            if let Some(place) = whole.then(|| self.disk.keep(piece)).flatten() {
                let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
                places.insert(block, place);
            }
        }
        let asked = bytes.get(index(within)..).unwrap_or(&[]);
        let size = asked.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..size), asked.get(..size)) {
            to.copy_from_slice(from);
        }
        Ok(size)
    }
}

impl ReadAt for DiskCache {
    fn len(&self) -> u64 {
        self.source.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let end = offset.saturating_add(wide(buffer.len())).min(self.len());
        let (mut at, mut done) = (offset, 0usize);
        while at < end {
            let wanted = index(end.saturating_sub(at));
            let to = done.saturating_add(wanted).min(buffer.len());
            let Some(rest) = buffer.get_mut(done..to) else { break };
            let got = match self.kept(at, rest) {
                Some(got) => got,
                None => self.fetch(at, end, rest)?,
            };
            if got == 0 {
                break;
            }
            done = done.saturating_add(got);
            at = at.saturating_add(wide(got));
        }
        Ok(done)
    }

    fn gap_bytes(&self) -> u64 {
        self.source.gap_bytes()
    }

    fn lanes(&self) -> usize {
        self.source.lanes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Counted, MemoryBytes, Tally, read_exact_vec};

    fn cached(length: usize, room: u64) -> (Vec<u8>, DiskCache, Tally) {
        let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        let tally = Tally::default();
        let source = Counted::new(Arc::new(MemoryBytes::new(bytes.clone())), tally.clone());
        (bytes, DiskCache::new(Arc::new(source), Arc::new(DiskBlocks::new(room))), tally)
    }

    #[test]
    fn each_byte_is_fetched_once_whatever_the_order() {
        let length = (3 << 20) + 77;
        let (bytes, cache, tally) = cached(length, u64::MAX);
        let reads = [(length - 8, 8), (5, 100), (600_000, 900_000), (0, length), (77, length - 77)];
        for (offset, size) in reads {
            let read = read_exact_vec(&cache, offset as u64, size as u64).unwrap();
            assert!(read == bytes[offset..offset + size], "{offset}");
        }
        assert_eq!(tally.bytes(), length as u64);
        let mut past = [0u8; 4];
        assert_eq!(cache.read_at(length as u64, &mut past).unwrap(), 0);
        assert_eq!(cache.read_at(u64::MAX, &mut past).unwrap(), 0);
    }

    #[test]
    fn without_room_the_source_is_read_again() {
        let length = 1 << 20;
        let (bytes, cache, tally) = cached(length, 300 << 10);
        for _ in 0..2 {
            assert!(read_exact_vec(&cache, 0, length as u64).unwrap() == bytes);
        }
        // One block is kept, three are fetched twice.
        assert_eq!(tally.bytes(), 7 * BLOCK_BYTES);
    }
}
