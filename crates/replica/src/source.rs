//! The bytes of a blob: a few that are kept, the rest made on demand.

use crate::random::word;
use lidless_io::{FileBytes, ReadAt as _};
use std::sync::Arc;

/// What stands where nothing was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// Zeros, as in a page blob's holes.
    Zeros,
    /// Pseudo-random bytes that depend on the seed and the offset only.
    Random(u64),
    /// The first [`Fill::PERIOD`] of those bytes again and again, so that a checksum over
    /// gigabytes of them can be known without making them.
    Repeated(u64),
}

impl Fill {
    /// Length in bytes of the block that [`Fill::Repeated`] repeats.
    pub const PERIOD: u64 = 4096;

    fn word(self, index: u64) -> u64 {
        match self {
            Self::Zeros => 0,
            Self::Random(seed) => word(seed, index),
            Self::Repeated(seed) => word(seed, index % (Self::PERIOD / 8)),
        }
    }

    fn write(self, offset: u64, buffer: &mut [u8]) {
        if self == Self::Zeros {
            buffer.fill(0);
            return;
        }
        // The first word may be entered in its middle; all others begin at their first byte.
        let mut skip = usize::try_from(offset % 8).unwrap_or(0);
        let mut index = offset / 8;
        let mut rest = buffer;
        while !rest.is_empty() {
            let bytes = self.word(index).to_le_bytes();
            let bytes = bytes.get(skip..).unwrap_or_default();
            let taken = bytes.len().min(rest.len());
            let (now, later) = rest.split_at_mut(taken);
            now.copy_from_slice(bytes.get(..taken).unwrap_or_default());
            rest = later;
            index = index.wrapping_add(1);
            skip = 0;
        }
    }
}

/// The content of a blob: a length, a fill, and pieces laid over it.
///
/// Holds the pieces only; a read costs time in proportion to its length, wherever it begins.
/// Cloning shares the pieces.
#[derive(Debug, Clone)]
pub struct Source {
    size: u64,
    fill: Fill,
    /// A file of this machine whose bytes stand in place of the fill.
    file: Option<Arc<FileBytes>>,
    pieces: Arc<[(u64, Arc<[u8]>)]>,
}

impl Source {
    /// Exactly these bytes.
    #[must_use]
    pub fn bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Self::over(Fill::Zeros, size, vec![(0, bytes)])
    }

    /// `size` pseudo-random bytes.
    #[must_use]
    pub fn generated(seed: u64, size: u64) -> Self {
        Self::over(Fill::Random(seed), size, Vec::new())
    }

    /// `size` zeros with `pieces` (offset, bytes) in them.
    #[must_use]
    pub fn sparse(size: u64, pieces: Vec<(u64, Arc<[u8]>)>) -> Self {
        Self::over(Fill::Zeros, size, pieces)
    }

    /// `size` bytes of `fill` with `pieces` (offset, bytes) laid over it. Pieces are put in order;
    /// where two overlap, the one that begins later wins; what lies behind `size` is never read.
    #[must_use]
    pub fn over(fill: Fill, size: u64, mut pieces: Vec<(u64, Arc<[u8]>)>) -> Self {
        pieces.sort_by_key(|(offset, _)| *offset);
        Self { size, fill, file: None, pieces: pieces.into() }
    }

    /// The bytes of a file of this machine, read when they are asked for; for benchmarks over
    /// images that are too large to hold.
    #[must_use]
    pub fn file(file: FileBytes) -> Self {
        let size = file.len();
        Self { size, fill: Fill::Zeros, file: Some(Arc::new(file)), pieces: Vec::new().into() }
    }

    /// Length in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Fills `buffer` from `offset` and returns how much of it was filled: all of it, unless the
    /// blob ends before.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let left = self.size.saturating_sub(offset);
        let length = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let Some(buffer) = buffer.get_mut(..length) else {
            return 0;
        };
        match &self.file {
            // A file that breaks in a benchmark reads as zeros from there on.
            Some(file) => drop(file.read_at(offset, buffer)),
            None => self.fill.write(offset, buffer),
        }
        let end = offset.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        for (start, piece) in self.pieces.iter() {
            let piece_end = start.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
            if *start >= end {
                break;
            }
            if piece_end <= offset {
                continue;
            }
            let from = usize::try_from(offset.saturating_sub(*start)).unwrap_or(usize::MAX);
            let to = usize::try_from(start.saturating_sub(offset)).unwrap_or(usize::MAX);
            let piece = piece.get(from..).unwrap_or_default();
            let room = buffer.get_mut(to..).unwrap_or_default();
            let taken = piece.len().min(room.len());
            if let (Some(room), Some(piece)) = (room.get_mut(..taken), piece.get(..taken)) {
                room.copy_from_slice(piece);
            }
        }
        length
    }

    /// The parts that hold data, as `[start, end)` on 512-byte boundaries, in order and joined:
    /// a page blob's page ranges. A blob that is not filled with zeros is all data.
    #[must_use]
    pub fn pages(&self) -> Vec<(u64, u64)> {
        const PAGE: u64 = 512;
        if self.fill != Fill::Zeros || self.file.is_some() {
            return vec![(0, self.size)];
        }
        let mut pages: Vec<(u64, u64)> = Vec::new();
        for (start, piece) in self.pieces.iter() {
            let end =
                start.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX)).min(self.size);
            let start = (start / PAGE).saturating_mul(PAGE);
            let end = end.div_ceil(PAGE).saturating_mul(PAGE).min(self.size);
            if start >= end {
                continue;
            }
            match pages.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => pages.push((start, end)),
            }
        }
        pages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(source: &Source) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(source.size()).unwrap()];
        assert_eq!(source.read_at(0, &mut bytes), bytes.len());
        bytes
    }

    #[test]
    fn a_read_at_any_offset_is_the_same_part_of_the_whole() {
        let piece: Arc<[u8]> = vec![7; 40].into();
        for fill in [Fill::Zeros, Fill::Random(3), Fill::Repeated(3)] {
            let source = Source::over(fill, 9000, vec![(8990, piece.clone()), (13, piece.clone())]);
            let whole = all(&source);
            for (offset, length) in [(0, 1), (1, 7), (3, 60), (12, 41), (4090, 20), (8900, 100)] {
                let mut part = vec![1; length];
                assert_eq!(source.read_at(offset as u64, &mut part), length);
                assert_eq!(part, whole[offset..offset + length], "{fill:?} {offset}");
            }
            assert_eq!(source.read_at(8999, &mut [0; 8]), 1);
            assert_eq!(source.read_at(9000, &mut [0; 8]), 0);
            assert_eq!(source.read_at(u64::MAX, &mut [0; 8]), 0);
        }
    }

    #[test]
    fn a_read_of_terabytes_costs_only_its_length() {
        let source = Source::generated(1, 1 << 43);
        let mut one = [0; 16];
        let mut two = [0; 16];
        source.read_at((1 << 43) - 16, &mut one);
        source.read_at((1 << 43) - 16, &mut two);
        assert_eq!(one, two);
        assert_ne!(one, [0; 16]);
    }

    #[test]
    fn repeated_content_repeats_and_random_content_does_not() {
        let period = 4096;
        let repeated = all(&Source::over(Fill::Repeated(5), 8192, Vec::new()));
        assert_eq!(repeated[..period], repeated[period..]);
        let random = all(&Source::generated(5, 8192));
        assert_eq!(random[..period], repeated[..period]);
        assert_ne!(random[..period], random[period..]);
    }

    #[test]
    fn pages_are_the_parts_that_hold_data() {
        let piece: Arc<[u8]> = vec![1; 600].into();
        let source = Source::sparse(
            1 << 40,
            vec![(0, piece.clone()), (1024, piece.clone()), (1 << 39, piece)],
        );
        assert_eq!(source.pages(), [(0, 2048), (1 << 39, (1 << 39) + 1024)]);
    }
}
