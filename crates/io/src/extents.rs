//! Pieces of a source put together in another order: a file of a file system, a logical volume.

use crate::apart::Apart;
use crate::error::ReadError;
use crate::merged::read_merged;
use crate::number::{index, wide};
use crate::read_at::ReadAt;
use bytes::Bytes;
use std::ops::Range;
use std::sync::Arc;

/// A piece: `length` bytes that stand at `at` in what is put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Offset in the whole, in bytes.
    pub at: u64,
    /// Length in bytes.
    pub length: u64,
    /// Offset in the source, in bytes; none for a hole, which reads as zeros.
    pub source: Option<u64>,
}

/// A source made of pieces of another one. What no piece covers reads as zeros, and so does what
/// a piece takes from behind the end of its source; reading holes asks the source for nothing.
#[derive(Clone)]
pub struct Extents {
    source: Arc<dyn ReadAt>,
    /// By `at`; of two that overlap, the one that begins later wins from there on.
    pieces: Arc<[Extent]>,
    length: u64,
}

impl Extents {
    /// Puts `pieces` of `source` together to `length` bytes.
    #[must_use]
    pub fn new(source: Arc<dyn ReadAt>, mut pieces: Vec<Extent>, length: u64) -> Self {
        pieces.retain(|piece| piece.length > 0 && piece.at < length);
        pieces.sort_by_key(|piece| piece.at);
        Self { source, pieces: pieces.into(), length }
    }

    /// The pieces in order.
    #[must_use]
    pub fn pieces(&self) -> &[Extent] {
        &self.pieces
    }

    /// Where the bytes `from..to` of the whole stand in the source, in order: offset in the
    /// whole, and the half-open range in the source. Holes are left out.
    #[must_use]
    pub fn located(&self, from: u64, to: u64) -> Vec<(u64, Range<u64>)> {
        let to = to.min(self.length);
        let first = self.pieces.partition_point(|piece| piece.at <= from).saturating_sub(1);
        let mut found = Vec::new();
        let pieces = self.pieces.get(first..).unwrap_or(&[]);
        for (index, piece) in pieces.iter().enumerate() {
            if piece.at >= to {
                break;
            }
            let next = pieces.get(index.saturating_add(1)).map_or(u64::MAX, |next| next.at);
            let start = piece.at.max(from);
            let end = piece.at.saturating_add(piece.length).min(to).min(next);
            let Some(source) = piece.source else { continue };
            if start < end {
                let begin = source.saturating_add(start.saturating_sub(piece.at));
                found.push((start, begin..begin.saturating_add(end.saturating_sub(start))));
            }
        }
        found
    }

    fn read_from(
        &self,
        source: &dyn ReadAt,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<usize, ReadError> {
        let wanted = wide(buffer.len());
        let end = offset.saturating_add(wanted).min(self.length);
        if offset >= end {
            return Ok(0);
        }
        let size = usize::try_from(end.saturating_sub(offset)).unwrap_or(buffer.len());
        let Some(buffer) = buffer.get_mut(..size) else { return Ok(0) };
        buffer.fill(0);
        // Pieces that follow each other in the source as well are one read.
        let mut runs: Vec<(u64, Range<u64>)> = Vec::new();
        for (at, range) in self.located(offset, end) {
            match runs.last_mut() {
                Some((begin, last))
                    if last.end == range.start
                        && begin.saturating_add(last.end.saturating_sub(last.start)) == at =>
                {
                    last.end = range.end;
                }
                _ => runs.push((at, range)),
            }
        }
        if let [(at, range)] = runs.as_slice() {
            if let Some(part) = part_of(buffer, at.saturating_sub(offset), range) {
                source.read_at(range.start, part)?;
            }
            return Ok(size);
        }
        // Those that lie close to each other are one read as well.
        let ranges: Vec<Range<u64>> = runs.iter().map(|(_, range)| range.clone()).collect();
        for ((at, range), bytes) in runs.iter().zip(read_merged(source, &ranges)?) {
            let part = part_of(buffer, at.saturating_sub(offset), range);
            if let Some(part) = part.and_then(|part| part.get_mut(..bytes.len())) {
                part.copy_from_slice(&bytes);
            }
        }
        Ok(size)
    }
}

/// The part of a buffer that a range of the source fills, from `at` on.
fn part_of<'a>(buffer: &'a mut [u8], at: u64, range: &Range<u64>) -> Option<&'a mut [u8]> {
    let from = usize::try_from(at).ok()?;
    let length = usize::try_from(range.end.saturating_sub(range.start)).ok()?;
    buffer.get_mut(from..from.checked_add(length)?)
}

impl ReadAt for Extents {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        self.read_from(&*self.source, offset, buffer)
    }

    fn read_apart(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        self.read_from(&Apart(&*self.source), offset, buffer)
    }

    fn read_ranges(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, ReadError> {
        // One batch for everything, so that what lies close in the source is joined there.
        let mut wanted = Vec::new();
        let mut shares = Vec::with_capacity(ranges.len());
        for range in ranges {
            let pieces = self.located(range.start, range.end);
            shares.push((wanted.len(), pieces.iter().map(|(at, _)| *at).collect::<Vec<u64>>()));
            wanted.extend(pieces.into_iter().map(|(_, range)| range));
        }
        let read = read_merged(&*self.source, &wanted)?;
        let mut answers = Vec::with_capacity(ranges.len());
        for (range, (first, places)) in ranges.iter().zip(shares) {
            let length = range.end.min(self.length).saturating_sub(range.start);
            let mut whole = vec![0u8; usize::try_from(length).unwrap_or(0)];
            for (at, bytes) in places.iter().zip(read.get(first..).unwrap_or(&[])) {
                let from = index(at.saturating_sub(range.start));
                if let Some(part) = whole.get_mut(from..from.saturating_add(bytes.len())) {
                    part.copy_from_slice(bytes);
                }
            }
            answers.push(Bytes::from(whole));
        }
        Ok(answers)
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
    use crate::memory::MemoryBytes;
    use crate::read_at::read_vec;

    fn extent(at: u64, length: u64, source: Option<u64>) -> Extent {
        Extent { at, length, source }
    }

    #[test]
    fn pieces_are_put_together_and_holes_are_zeros() {
        let source = Arc::new(MemoryBytes::new(&b"0123456789"[..]));
        let pieces = vec![
            extent(6, 3, Some(0)),
            extent(0, 2, Some(5)),
            extent(2, 2, None),
            extent(9, 5, Some(8)),
            extent(20, 5, Some(0)),
        ];
        let whole = Extents::new(source, pieces, 15);
        let expected = b"56\0\0\0\x0001289\0\0\0\0";
        assert_eq!(read_vec(&whole, 0, 100).unwrap(), expected);
        for from in 0..16usize {
            for to in from..16 {
                let end = to.min(15);
                let start = from.min(15);
                let one = read_vec(&whole, from as u64, (to - from) as u64).unwrap();
                assert_eq!(one, expected[start..end], "{from}..{to}");
                let many = whole.read_ranges(&[from as u64..to as u64, 0..2]).unwrap();
                assert_eq!((&many[0][..], &many[1][..]), (&one[..], &b"56"[..]));
            }
        }
    }

    #[test]
    fn overlapping_pieces_cannot_write_twice() {
        let source = Arc::new(MemoryBytes::new(&b"0123456789"[..]));
        let pieces = vec![extent(0, 8, Some(0)), extent(2, 3, Some(7)), extent(2, 1, None)];
        let whole = Extents::new(source, pieces, 8);
        assert_eq!(read_vec(&whole, 0, 8).unwrap().len(), 8);
        assert_eq!(whole.read_ranges(std::slice::from_ref(&(0..8))).unwrap()[0].len(), 8);
    }
}
