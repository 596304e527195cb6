//! The trait every source of bytes implements.

use crate::error::ReadError;
use crate::number::wide;
use bytes::Bytes;
use std::ops::Range;
use std::sync::Arc;

/// A source of bytes of known length that can be read at any offset, by many threads at once.
pub trait ReadAt: Send + Sync {
    /// Length in bytes; fixed for the life of the value.
    fn len(&self) -> u64;

    /// True when there is nothing to read.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads into `buffer` from `offset` and returns how many bytes were read.
    ///
    /// Fewer bytes than asked for are returned only at the end of the source; at or past the end
    /// that is 0.
    ///
    /// # Errors
    /// Whatever kept the bytes from being read; see [`crate::ReadErrorKind`].
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError>;

    /// As [`ReadAt::read_at`], of a piece that nothing around it is wanted with: a cache on the
    /// way brings no more than that and does not keep it. Passed on as [`ReadAt::gap_bytes`].
    ///
    /// # Errors
    /// As [`ReadAt::read_at`].
    fn read_apart(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        self.read_at(offset, buffer)
    }

    /// Reads several half-open ranges, in the order given; a source may answer them with fewer
    /// requests than ranges. Ranges are cut at the end of the source.
    ///
    /// # Errors
    /// As [`ReadAt::read_at`]; the first failure ends the batch.
    fn read_ranges(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, ReadError> {
        ranges
            .iter()
            .map(|range| {
                let wanted = range.end.saturating_sub(range.start);
                read_vec(self, range.start, wanted).map(Bytes::from)
            })
            .collect()
    }

    /// How many unwanted bytes between two ranges are cheaper to read than another request: the
    /// delay of a request times the bandwidth. Sources that measure their own link say what they
    /// measured; what lies on top of another source passes its answer on.
    fn gap_bytes(&self) -> u64 {
        64 << 10
    }

    /// How many reads at a time are worth making: one for what lies on this machine, several
    /// where each waits for an answer. Passed on as [`ReadAt::gap_bytes`].
    fn lanes(&self) -> usize {
        1
    }

    /// All of it, when it lies in memory as one piece: what would be copied need not be.
    fn memory(&self) -> Option<&[u8]> {
        None
    }
}

/// Reads at most `length` bytes at `offset`, cut at the end of the source.
///
/// Allocates only what the source can still give, so a hostile `length` costs nothing; callers
/// bound `length` by their own budget.
///
/// # Errors
/// As [`ReadAt::read_at`].
pub fn read_vec<S: ReadAt + ?Sized>(
    source: &S,
    offset: u64,
    length: u64,
) -> Result<Vec<u8>, ReadError> {
    let available = source.len().saturating_sub(offset).min(length);
    let Ok(size) = usize::try_from(available) else {
        return Err(ReadError::short(offset, length, 0));
    };
    let mut buffer = vec![0; size];
    let got = source.read_at(offset, &mut buffer)?;
    buffer.truncate(got);
    Ok(buffer)
}

/// Reads exactly `length` bytes at `offset`.
///
/// # Errors
/// As [`ReadAt::read_at`], and `Malformed` when the source ends before.
pub fn read_exact_vec<S: ReadAt + ?Sized>(
    source: &S,
    offset: u64,
    length: u64,
) -> Result<Vec<u8>, ReadError> {
    let buffer = read_vec(source, offset, length)?;
    let got = wide(buffer.len());
    if got < length {
        return Err(ReadError::short(offset, length, got));
    }
    Ok(buffer)
}

impl<S: ReadAt + ?Sized> ReadAt for Arc<S> {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        (**self).read_at(offset, buffer)
    }

    fn read_apart(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        (**self).read_apart(offset, buffer)
    }

    fn read_ranges(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, ReadError> {
        (**self).read_ranges(ranges)
    }

    fn gap_bytes(&self) -> u64 {
        (**self).gap_bytes()
    }

    fn lanes(&self) -> usize {
        (**self).lanes()
    }

    fn memory(&self) -> Option<&[u8]> {
        (**self).memory()
    }
}
