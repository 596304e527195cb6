//! Content that is compressed in chunks, decoded on demand.

use lidless_io::number::{index, wide};
use lidless_io::{Extents, ReadAt, ReadError, ReadErrorKind};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// How many decoded bytes are kept.
const KEPT_BYTES: usize = 1 << 20;
/// How many decoded bytes one batch of chunks makes.
const BATCH_BYTES: u64 = 4 << 20;

/// A way of compressing in chunks.
pub(super) trait Chunks: Send + Sync {
    /// Length of the content in bytes.
    fn length(&self) -> u64;
    /// Bytes of content in a chunk; not 0.
    fn chunk_bytes(&self) -> u64;
    /// What the chunks are stored in.
    fn stored(&self) -> &Extents;
    /// Where some chunks stand in it, in order.
    fn places(&self, chunks: Range<u64>) -> Result<Vec<Range<u64>>, ReadError>;
    /// Decodes a chunk to `length` bytes; none when it is not well formed.
    fn decode(&self, chunk: u64, stored: &[u8], length: usize) -> Option<Vec<u8>>;
}

/// The content.
pub(super) struct Chunked<C> {
    chunks: C,
    /// Those decoded last.
    kept: Mutex<VecDeque<(u64, Arc<Vec<u8>>)>>,
}

impl<C: Chunks> Chunked<C> {
    pub(super) fn new(chunks: C) -> Self {
        Self { chunks, kept: Mutex::new(VecDeque::new()) }
    }

    fn kept(&self, chunk: u64) -> Option<Arc<Vec<u8>>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(own, _)| *own == chunk).map(|(_, bytes)| Arc::clone(bytes))
    }

    fn keep(&self, chunk: u64, bytes: &Arc<Vec<u8>>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(own, _)| *own != chunk);
        kept.push_back((chunk, Arc::clone(bytes)));
        let size = index(self.chunks.chunk_bytes()).max(1);
        let most = KEPT_BYTES.checked_div(size).unwrap_or(1).max(2);
        while kept.len() > most {
            kept.pop_front();
        }
    }

    /// Decodes some chunks, those that are not kept in one batch of reads.
    fn decoded(&self, chunks: Range<u64>) -> Result<Vec<Arc<Vec<u8>>>, ReadError> {
        let mut all: Vec<Option<Arc<Vec<u8>>>> =
            chunks.clone().map(|chunk| self.kept(chunk)).collect();
        let mut wanted = Vec::new();
        if all.iter().any(Option::is_none) {
            let places = self.chunks.places(chunks.clone())?;
            for ((chunk, place), known) in chunks.clone().zip(places).zip(&all) {
                if known.is_none() {
                    wanted.push((chunk, place));
                }
            }
        }
        let ranges: Vec<Range<u64>> = wanted.iter().map(|(_, range)| range.clone()).collect();
        let read = self.chunks.stored().read_ranges(&ranges)?;
        let (whole, size) = (self.chunks.length(), self.chunks.chunk_bytes());
        for ((chunk, _), stored) in wanted.iter().zip(read) {
            let left = whole.saturating_sub(chunk.saturating_mul(size)).min(size);
            let left = usize::try_from(left).unwrap_or(0);
            let Some(bytes) = self.chunks.decode(*chunk, &stored, left) else {
                let message = "a compressed file of NTFS that is not well formed";
                return Err(ReadError::new(ReadErrorKind::Malformed, message));
            };
            let bytes = Arc::new(bytes);
            self.keep(*chunk, &bytes);
            let index = index(chunk.saturating_sub(chunks.start));
            if let Some(slot) = all.get_mut(index) {
                *slot = Some(bytes);
            }
        }
        Ok(all.into_iter().flatten().collect())
    }
}

impl<C: Chunks> ReadAt for Chunked<C> {
    fn len(&self) -> u64 {
        self.chunks.length()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let size = self.chunks.chunk_bytes().max(1);
        let wanted = wide(buffer.len());
        let end = offset.saturating_add(wanted).min(self.len());
        let mut place = offset;
        let mut left = buffer;
        while place < end {
            let first = place.checked_div(size).unwrap_or(0);
            let most = first.saturating_add(BATCH_BYTES.checked_div(size).unwrap_or(1).max(1));
            let last = end.div_ceil(size).min(most);
            let mut skip = place.saturating_sub(first.saturating_mul(size));
            for bytes in self.decoded(first..last)? {
                let from = index(skip);
                skip = 0;
                let part = bytes.get(from..).unwrap_or(&[]);
                let count = part.len().min(left.len());
                let (to, rest) = left.split_at_mut_checked(count).unwrap_or_default();
                to.copy_from_slice(part.get(..count).unwrap_or(&[]));
                left = rest;
                place = place.saturating_add(u64::try_from(count).unwrap_or(0));
                if count == 0 {
                    return Ok(usize::try_from(place.saturating_sub(offset)).unwrap_or(0));
                }
            }
        }
        Ok(usize::try_from(place.saturating_sub(offset)).unwrap_or(0))
    }

    fn gap_bytes(&self) -> u64 {
        self.chunks.stored().gap_bytes()
    }

    fn lanes(&self) -> usize {
        self.chunks.stored().lanes()
    }
}
