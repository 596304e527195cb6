//! `std::io::Read` over a positioned source, for decoders that stream.

use crate::number::wide;
use crate::read_at::{ReadAt, read_vec};
use std::io::Read;
use std::sync::Arc;

/// Reads a source front to back in chunks that double from 64 KiB to 4 MiB: a decoder that
/// stops early has not paid for much, one that goes on pays few requests.
pub struct SequentialReader {
    source: Arc<dyn ReadAt>,
    offset: u64,
    chunk: Vec<u8>,
    used: usize,
    next_chunk: u64,
}

const FIRST_CHUNK: u64 = 64 << 10;
const LARGEST_CHUNK: u64 = 4 << 20;

impl SequentialReader {
    /// Starts at offset 0.
    #[must_use]
    pub fn new(source: Arc<dyn ReadAt>) -> Self {
        Self { source, offset: 0, chunk: Vec::new(), used: 0, next_chunk: FIRST_CHUNK }
    }

    /// Offset of the next byte that will be returned.
    #[must_use]
    pub fn position(&self) -> u64 {
        let unread = self.chunk.len().saturating_sub(self.used);
        self.offset.saturating_sub(u64::try_from(unread).unwrap_or(0))
    }
}

impl Read for SequentialReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.used >= self.chunk.len() {
            self.chunk = read_vec(&*self.source, self.offset, self.next_chunk)?;
            self.used = 0;
            let got = wide(self.chunk.len());
            self.offset = self.offset.saturating_add(got);
            self.next_chunk = self.next_chunk.saturating_mul(2).min(LARGEST_CHUNK);
        }
        let rest = self.chunk.get(self.used..).unwrap_or(&[]);
        let size = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..size), rest.get(..size)) {
            to.copy_from_slice(from);
        }
        self.used = self.used.saturating_add(size);
        Ok(size)
    }
}
