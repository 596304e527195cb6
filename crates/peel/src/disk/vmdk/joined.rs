//! Files one after another, as one source.

use lidless_io::number::{index, wide};
use lidless_io::{ReadAt, ReadError};
use std::sync::Arc;

/// Each file begins on a multiple of this, so that no block of a cache holds parts of two.
const ALIGNED: u64 = 64 << 10;

/// Files one after another. What lies between them reads as zeros.
#[derive(Default)]
pub(super) struct Joined {
    /// By the offset at which each begins.
    files: Vec<(u64, Arc<dyn ReadAt>)>,
    length: u64,
}

impl Joined {
    /// Adds a file, and answers where it begins.
    pub(super) fn add(&mut self, file: Arc<dyn ReadAt>) -> u64 {
        let start = self.length.div_ceil(ALIGNED).saturating_mul(ALIGNED);
        self.length = start.saturating_add(file.len());
        self.files.push((start, file));
        start
    }
}

impl ReadAt for Joined {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let wanted = wide(buffer.len());
        let end = offset.saturating_add(wanted).min(self.length);
        let size = usize::try_from(end.saturating_sub(offset)).unwrap_or(0);
        let Some(buffer) = buffer.get_mut(..size).filter(|buffer| !buffer.is_empty()) else {
            return Ok(0);
        };
        buffer.fill(0);
        let first = self.files.partition_point(|(start, _)| *start <= offset).saturating_sub(1);
        for (start, file) in self.files.get(first..).unwrap_or(&[]) {
            if *start >= end {
                break;
            }
            let from = offset.max(*start);
            let to = end.min(start.saturating_add(file.len()));
            let index = |at: u64| index(at.saturating_sub(offset));
            if let Some(into) = buffer.get_mut(index(from)..index(to)).filter(|it| !it.is_empty()) {
                file.read_at(from.saturating_sub(*start), into)?;
            }
        }
        Ok(size)
    }

    fn gap_bytes(&self) -> u64 {
        self.files.first().map_or(64 << 10, |(_, file)| file.gap_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_io::{MemoryBytes, read_vec};

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
