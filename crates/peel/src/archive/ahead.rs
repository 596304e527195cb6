//! Reading an archive front to back with few requests.

use bytes::Bytes;
use lidless_io::number::{index, wide};
use lidless_io::{ReadAt, ReadError, read_vec};
use std::sync::{Arc, Mutex, PoisonError};

/// What the first read, and one that jumps, brings: a header and a little more.
const FIRST: u64 = 4 << 10;
/// The most that one request brings.
const MOST: u64 = 1 << 20;

/// A source that is read mostly forwards. A read that goes on near where the last request ended,
/// closer than [`ReadAt::gap_bytes`], brings twice as much as that one; one that jumps brings
/// little. Small members then cost a request per MiB, large ones a small request each.
pub(crate) struct Ahead {
    source: Arc<dyn ReadAt>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    start: u64,
    bytes: Bytes,
    brought: u64,
}

impl Ahead {
    pub(crate) fn new(source: Arc<dyn ReadAt>) -> Self {
        Self { source, held: Mutex::new(Held::default()) }
    }
}

impl ReadAt for Ahead {
    fn len(&self) -> u64 {
        self.source.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let wanted = wide(buffer.len());
        let wanted = wanted.min(self.len().saturating_sub(offset));
        if wanted == 0 {
            return Ok(0);
        }
        if wanted > MOST {
            return self.source.read_at(offset, buffer);
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let size = |held: &Held| u64::try_from(held.bytes.len()).unwrap_or(0);
        let end = held.start.saturating_add(size(&held));
        if offset < held.start || offset.saturating_add(wanted) > end {
            let near = offset >= held.start
                && offset <= end.saturating_add(self.source.gap_bytes().max(FIRST));
            let length = if near && held.brought > 0 {
                held.brought.saturating_mul(2).min(MOST)
            } else {
                FIRST
            };
            // What is held already of the range is not asked for again.
            let kept = usize::try_from(offset.saturating_sub(held.start)).ok();
            let kept = kept.and_then(|skip| held.bytes.get(skip..)).unwrap_or(&[]);
            let mut bytes = if offset >= held.start { kept.to_vec() } else { Vec::new() };
            let have = u64::try_from(bytes.len()).unwrap_or(0);
            let from = offset.saturating_add(have);
            let length = length.max(wanted.saturating_sub(have));
            bytes.extend(read_vec(&*self.source, from, length)?);
            *held = Held { start: offset, bytes: Bytes::from(bytes), brought: length };
        }
        let skip = index(offset.saturating_sub(held.start));
        let rest = held.bytes.get(skip..).unwrap_or(&[]);
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
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
    use lidless_io::{Counted, MemoryBytes, Tally, read_vec};

    #[test]
    fn going_on_costs_few_requests_and_jumping_few_bytes() {
        let data: Vec<u8> = (0..4u32 << 20).map(|n| (n % 251) as u8).collect();
        let tally = Tally::default();
        let memory = Arc::new(MemoryBytes::new(data.clone()));
        let ahead = Ahead::new(Arc::new(Counted::new(memory, tally.clone())));
        for offset in (0..data.len()).step_by(1000) {
            let got = read_vec(&ahead, offset as u64, 777).unwrap();
            assert_eq!(got, data[offset..(offset + 777).min(data.len())]);
        }
        assert!(tally.requests() < 16, "{}", tally.requests());
        let before = tally.bytes();
        for offset in (0..data.len() as u64).step_by(400_000) {
            read_vec(&ahead, offset, 512).unwrap();
        }
        assert!(tally.bytes() - before <= 11 * FIRST, "{}", tally.bytes() - before);
    }
}
