//! Files kept in compressed blocks of one size, unpacked where they are read.

use bytes::Bytes;
use lidless_io::number::{index, wide};
use lidless_io::{ReadAt, ReadError, ReadErrorKind, read_merged};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// How many packed bytes one step of a long read takes.
const STEP: u64 = 8 << 20;

/// Where the blocks of one file lie, and how they are unpacked.
pub(super) trait Packed: Send + Sync {
    /// What holds the packed blocks.
    fn source(&self) -> &dyn ReadAt;
    /// The half-open range of a block's packed bytes; an empty one stands for zeros.
    fn range(&self, block: u64) -> Range<u64>;
    /// Unpacks a block to `length` bytes.
    ///
    /// # Errors
    /// In words, when it is not what its packing says.
    fn unpack(&self, block: u64, packed: &[u8], length: usize) -> std::io::Result<Vec<u8>>;
}

/// A file of compressed blocks.
pub(super) struct Blocks<P> {
    packed: P,
    block_bytes: u64,
    length: u64,
    /// The block that was unpacked last: readers go on in it.
    last: Mutex<Option<(u64, Bytes)>>,
}

impl<P: Packed> Blocks<P> {
    /// A file of `length` bytes in blocks of `block_bytes` (at most a few MiB).
    pub(super) fn new(packed: P, block_bytes: u64, length: u64) -> Self {
        Self { packed, block_bytes: block_bytes.max(1), length, last: Mutex::new(None) }
    }

    fn known(&self, block: u64) -> Option<Bytes> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|(own, _)| *own == block).map(|(_, bytes)| bytes.clone())
    }

    fn unpacked(&self, block: u64, packed: &[u8]) -> Result<Bytes, ReadError> {
        let start = block.saturating_mul(self.block_bytes);
        let length = self.length.saturating_sub(start).min(self.block_bytes);
        let length = usize::try_from(length).unwrap_or(0);
        let whole = if packed.is_empty() {
            vec![0; length]
        } else {
            let broken = |error: std::io::Error| {
                ReadError::new(ReadErrorKind::Malformed, format!("a packed block: {error}"))
            };
            let mut whole = self.packed.unpack(block, packed, length).map_err(broken)?;
            if whole.len() < length {
                return Err(broken(std::io::Error::other("shorter than its file says")));
            }
            whole.truncate(length);
            whole
        };
        let whole = Bytes::from(whole);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((block, whole.clone()));
        Ok(whole)
    }
}

impl<P: Packed> ReadAt for Blocks<P> {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let wanted = wide(buffer.len());
        let end = offset.saturating_add(wanted).min(self.length);
        let block_of = |at: u64| at.checked_div(self.block_bytes).unwrap_or(0);
        let mut done = 0usize;
        let mut next = block_of(offset);
        while offset < end && next <= block_of(end.saturating_sub(1)) {
            // As many blocks as one step takes, in as few requests as they need.
            let mut step: Vec<(u64, Range<u64>)> = Vec::new();
            let (mut bytes, mut known) = (0u64, None);
            while next <= block_of(end.saturating_sub(1)) && bytes < STEP && step.len() < 4_096 {
                if step.is_empty() {
                    known = self.known(next);
                }
                let is_known = step.is_empty() && known.is_some();
                let range = if is_known { 0..0 } else { self.packed.range(next) };
                bytes = bytes.saturating_add(range.end.saturating_sub(range.start));
                step.push((next, range));
                next = next.saturating_add(1);
            }
            let ranges: Vec<Range<u64>> = step.iter().map(|(_, range)| range.clone()).collect();
            let read = read_merged(self.packed.source(), &ranges)?;
            for (number, ((block, range), packed)) in step.iter().zip(read).enumerate() {
                if !range.is_empty() && packed.is_empty() {
                    return Err(ReadError::short(range.start, 1, 0));
                }
                let whole = match known.as_ref().filter(|_| number == 0) {
                    Some(known) => known.clone(),
                    None => self.unpacked(*block, &packed)?,
                };
                let start = block.saturating_mul(self.block_bytes);
                let skip = index(offset.saturating_sub(start));
                let from = whole.get(skip.min(whole.len())..).unwrap_or(&[]);
                let room = buffer.get_mut(done..).unwrap_or(&mut []);
                let count = from.len().min(room.len());
                if let (Some(to), Some(from)) = (room.get_mut(..count), from.get(..count)) {
                    to.copy_from_slice(from);
                }
                done = done.saturating_add(count);
            }
        }
        Ok(done)
    }

    fn gap_bytes(&self) -> u64 {
        0
    }
}
