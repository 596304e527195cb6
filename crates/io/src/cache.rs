//! A block cache in front of a slow source.

use crate::error::ReadError;
use crate::number::{index, wide};
use crate::read_at::{ReadAt, read_vec};
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// Keeps the most recently used aligned blocks of a source, so that the many small reads of a
/// parser become few requests. A read that spans several missing blocks is one request.
pub struct BlockCache {
    source: Arc<dyn ReadAt>,
    block_bytes: u64,
    capacity_blocks: usize,
    /// A read that goes on where the last request ended fetches up to this much; see
    /// [`BlockCache::reading_ahead`].
    ahead_bytes: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    blocks: HashMap<u64, (Bytes, u64)>,
    by_use: BTreeMap<u64, u64>,
    clock: u64,
    /// The block after the last one that was fetched, and how many blocks that request brought.
    last: (u64, u64),
}

impl BlockCache {
    /// Caches up to `capacity_bytes` of `source` in blocks of `block_bytes` (at least 512).
    #[must_use]
    pub fn new(source: Arc<dyn ReadAt>, block_bytes: u64, capacity_bytes: u64) -> Self {
        let block_bytes = block_bytes.max(512);
        let blocks = capacity_bytes.checked_div(block_bytes).unwrap_or(1).max(2);
        Self {
            source,
            block_bytes,
            capacity_blocks: index(blocks),
            ahead_bytes: 0,
            state: Mutex::new(State::default()),
        }
    }

    /// Reads ahead: each request that goes on where the last one ended brings twice as much, up
    /// to `bytes`. Structures that are walked front to back then cost few requests, and reads
    /// that jump cost no more than before.
    #[must_use]
    pub fn reading_ahead(mut self, bytes: u64) -> Self {
        self.ahead_bytes = bytes;
        self
    }

    fn cached(&self, block: u64) -> Option<Bytes> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { blocks, by_use, clock, .. } = &mut *state;
        let (bytes, used) = blocks.get_mut(&block)?;
        *clock = clock.saturating_add(1);
        by_use.remove(used);
        *used = *clock;
        by_use.insert(*clock, block);
        Some(bytes.clone())
    }

    fn keep(&self, block: u64, bytes: Bytes) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { blocks, by_use, clock, .. } = &mut *state;
        *clock = clock.saturating_add(1);
        if let Some((_, used)) = blocks.insert(block, (bytes, *clock)) {
            by_use.remove(&used);
        }
        by_use.insert(*clock, block);
        while blocks.len() > self.capacity_blocks {
            match by_use.pop_first() {
                Some((_, oldest)) => blocks.remove(&oldest),
                None => break,
            };
        }
    }

    /// Fetches the run of blocks `first..=last` in one request and returns their bytes joined.
    fn fetch(&self, first: u64, last: u64) -> Result<Vec<u8>, ReadError> {
        let start = first.saturating_mul(self.block_bytes);
        let wanted = last.saturating_sub(first).saturating_add(1);
        let mut count = wanted;
        if self.ahead_bytes > 0 {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.last.0 == first {
                let most = self.ahead_bytes.checked_div(self.block_bytes).unwrap_or(1);
                count = state.last.1.saturating_mul(2).min(most).max(wanted);
            }
            state.last = (first.saturating_add(count), count);
        }
        let last = first.saturating_add(count).saturating_sub(1);
        let mut bytes = read_vec(&*self.source, start, count.saturating_mul(self.block_bytes))?;
        let size = index(self.block_bytes);
        for (block, chunk) in (first..=last).zip(bytes.chunks(size)) {
            self.keep(block, Bytes::copy_from_slice(chunk));
        }
        let asked = index(wanted.saturating_mul(self.block_bytes));
        bytes.truncate(asked);
        Ok(bytes)
    }
}

impl ReadAt for BlockCache {
    fn len(&self) -> u64 {
        self.source.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let length = self.len();
        let wanted = wide(buffer.len());
        let end = offset.saturating_add(wanted).min(length);
        if offset >= end {
            return Ok(0);
        }
        // A read larger than a quarter of the cache would only flush it.
        let capacity = wide(self.capacity_blocks);
        if wanted > self.block_bytes.saturating_mul(capacity.div_ceil(4)) {
            return self.source.read_at(offset, buffer);
        }
        let block_of = |position: u64| position.checked_div(self.block_bytes).unwrap_or(0);
        let (first, last) = (block_of(offset), block_of(end.saturating_sub(1)));
        let mut joined = Vec::new();
        let mut block = first;
        while block <= last {
            if let Some(bytes) = self.cached(block) {
                joined.extend_from_slice(&bytes);
                block = block.saturating_add(1);
                continue;
            }
            let mut run_end = block;
            while run_end < last && self.cached(run_end.saturating_add(1)).is_none() {
                run_end = run_end.saturating_add(1);
            }
            joined.extend_from_slice(&self.fetch(block, run_end)?);
            block = run_end.saturating_add(1);
        }
        let skip = offset.saturating_sub(first.saturating_mul(self.block_bytes));
        let rest = usize::try_from(skip).ok().and_then(|skip| joined.get(skip..)).unwrap_or(&[]);
        let size = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..size), rest.get(..size)) {
            to.copy_from_slice(from);
        }
        Ok(size)
    }

    fn read_apart(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let end = offset.saturating_add(wide(buffer.len())).min(self.len());
        if offset >= end {
            return Ok(0);
        }
        let block_of = |position: u64| position.checked_div(self.block_bytes).unwrap_or(0);
        let (first, last) = (block_of(offset), block_of(end.saturating_sub(1)));
        let is_kept = {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            last.saturating_sub(first) < wide(self.capacity_blocks)
                && (first..=last).all(|block| state.blocks.contains_key(&block))
        };
        if is_kept {
            return self.read_at(offset, buffer);
        }
        self.source.read_apart(offset, buffer)
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
    use crate::counted::{Counted, Tally};
    use crate::memory::MemoryBytes;

    #[test]
    fn small_reads_become_few_requests_and_give_the_same_bytes() {
        let data: Vec<u8> = (0..100_000u32).map(|n| (n % 251) as u8).collect();
        let tally = Tally::default();
        let counted = Counted::new(Arc::new(MemoryBytes::new(data.clone())), tally.clone());
        let cache = BlockCache::new(Arc::new(counted), 4096, 1 << 20);
        for offset in (0..data.len() as u64).step_by(100) {
            let got = read_vec(&cache, offset, 77).unwrap();
            let start = offset as usize;
            assert_eq!(got, data[start..(start + 77).min(data.len())]);
        }
        assert!(tally.requests() <= 25, "{} requests", tally.requests());
    }

    #[test]
    fn reading_on_asks_for_more_each_time_and_jumping_does_not() {
        let data = vec![7u8; 4 << 20];
        let tally = Tally::default();
        let counted = Counted::new(Arc::new(MemoryBytes::new(data)), tally.clone());
        let cache = BlockCache::new(Arc::new(counted), 4096, 16 << 20).reading_ahead(1 << 20);
        for offset in (0..4 << 20).step_by(4096) {
            assert_eq!(read_vec(&cache, offset, 4096).unwrap().len(), 4096);
        }
        assert!(tally.requests() <= 12, "{} requests", tally.requests());
        let before = tally.bytes();
        let jumping = BlockCache::new(
            Arc::new(Counted::new(Arc::new(MemoryBytes::new(vec![7u8; 4 << 20])), tally.clone())),
            4096,
            16 << 20,
        )
        .reading_ahead(1 << 20);
        for offset in (1..500u64).map(|n| (n * 7919) % 1000 * 4096) {
            read_vec(&jumping, offset, 100).unwrap();
        }
        assert!(tally.bytes() - before <= 500 * 4096 * 2);
    }
}
