//! Files one after another, as one source: those that were cut into parts, those of one disk.

use lidless_core::Artifact;
use lidless_io::number::{index, wide};
use lidless_io::{ReadAt, ReadError};
use std::sync::Arc;

/// What [`Joined::add`] begins files on multiples of, so that no block of a cache holds parts of
/// two.
const ALIGNED: u64 = 64 << 10;

/// Files one after the other. What lies between them reads as zeros.
#[derive(Default)]
pub(crate) struct Joined {
    /// By the offset at which each begins in the whole.
    parts: Vec<(u64, Arc<dyn ReadAt>)>,
    length: u64,
}

impl Joined {
    /// Parts of one file: each begins where the one before it ends.
    pub(crate) fn new(parts: Vec<Arc<dyn ReadAt>>) -> Self {
        let mut joined = Self::default();
        for part in parts {
            joined.put(joined.length, part);
        }
        joined
    }

    /// Adds a file, and answers where it begins.
    pub(crate) fn add(&mut self, file: Arc<dyn ReadAt>) -> u64 {
        let start = self.length.div_ceil(ALIGNED).saturating_mul(ALIGNED);
        self.put(start, file);
        start
    }

    fn put(&mut self, start: u64, part: Arc<dyn ReadAt>) {
        self.length = start.saturating_add(part.len());
        self.parts.push((start, part));
    }

    /// Where each part begins.
    pub(crate) fn starts(&self) -> Vec<u64> {
        self.parts.iter().map(|(start, _)| *start).collect()
    }
}

impl ReadAt for Joined {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let end = offset.saturating_add(wide(buffer.len())).min(self.length);
        let size = index(end.saturating_sub(offset));
        let Some(buffer) = buffer.get_mut(..size).filter(|buffer| !buffer.is_empty()) else {
            return Ok(0);
        };
        buffer.fill(0);
        let first = self.parts.partition_point(|(start, _)| *start <= offset).saturating_sub(1);
        for (start, part) in self.parts.get(first..).unwrap_or(&[]) {
            if *start >= end {
                break;
            }
            let from = offset.max(*start);
            let to = end.min(start.saturating_add(part.len()));
            let index = |at: u64| index(at.saturating_sub(offset));
            if let Some(into) = buffer.get_mut(index(from)..index(to)).filter(|it| !it.is_empty()) {
                part.read_at(from.saturating_sub(*start), into)?;
            }
        }
        Ok(size)
    }

    fn gap_bytes(&self) -> u64 {
        self.parts.iter().map(|(_, part)| part.gap_bytes()).max().unwrap_or(0)
    }

    fn lanes(&self) -> usize {
        self.parts.first().map_or(1, |(_, part)| part.lanes())
    }
}

/// The sibling of an artifact by file name, with bytes in it.
pub(crate) fn beside(artifact: &Artifact, name: &str) -> Option<Artifact> {
    artifact.sibling(name).filter(|one| !one.bytes.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_io::{MemoryBytes, read_vec};

    #[test]
    fn parts_read_as_one() {
        let parts = ["012", "", "34", "5678"];
        let parts = parts.map(|part| Arc::new(MemoryBytes::new(part)) as Arc<dyn ReadAt>);
        let joined = Joined::new(parts.to_vec());
        assert_eq!(joined.starts(), [0, 3, 3, 5]);
        for from in 0..11usize {
            for to in from..11 {
                let got = read_vec(&joined, from as u64, (to - from) as u64).unwrap();
                assert_eq!(got, &b"012345678"[from.min(9)..to.min(9)]);
            }
        }
    }

    #[test]
    fn files_do_not_run_into_each_other() {
        let mut joined = Joined::default();
        let file = |byte: u8, length: usize| Arc::new(MemoryBytes::new(vec![byte; length]));
        assert_eq!(joined.add(file(1, 10)), 0);
        assert_eq!(joined.add(file(2, 70_000)), 64 << 10);
        assert_eq!(joined.add(file(3, 5)), 192 << 10);
        let all = read_vec(&joined, 0, 1 << 20).unwrap();
        assert_eq!(all.len(), (192 << 10) + 5);
        assert_eq!(all.iter().filter(|byte| **byte == 1).count(), 10);
        assert_eq!(all[65_536..135_536], vec![2; 70_000]);
        assert_eq!(read_vec(&joined, 135_535, 3).unwrap(), [2, 0, 0]);
        assert_eq!(read_vec(&joined, (192 << 10) + 3, 9).unwrap(), [3, 3]);
    }
}
