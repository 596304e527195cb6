//! Bytes held in memory.

use crate::error::ReadError;
use crate::number::wide;
use crate::read_at::ReadAt;
use bytes::Bytes;

/// A source over bytes in memory; cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct MemoryBytes(Bytes);

impl MemoryBytes {
    /// Wraps bytes without copying them when they are already owned.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// The bytes themselves.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

fn copy(bytes: &[u8], offset: u64, buffer: &mut [u8]) -> usize {
    let rest = usize::try_from(offset).ok().and_then(|start| bytes.get(start..)).unwrap_or(&[]);
    let size = rest.len().min(buffer.len());
    if let (Some(to), Some(from)) = (buffer.get_mut(..size), rest.get(..size)) {
        to.copy_from_slice(from);
    }
    size
}

impl ReadAt for MemoryBytes {
    fn len(&self) -> u64 {
        wide(self.0.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        Ok(copy(&self.0, offset, buffer))
    }

    fn memory(&self) -> Option<&[u8]> {
        Some(&self.0)
    }

    fn gap_bytes(&self) -> u64 {
        0
    }
}

/// A source over bytes that somebody else keeps in memory.
#[derive(Debug, Clone, Copy)]
pub struct BorrowedBytes<'a>(pub &'a [u8]);

impl ReadAt for BorrowedBytes<'_> {
    fn len(&self) -> u64 {
        wide(self.0.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        Ok(copy(self.0, offset, buffer))
    }

    fn memory(&self) -> Option<&[u8]> {
        Some(self.0)
    }

    fn gap_bytes(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_at::{read_exact_vec, read_vec};

    #[test]
    fn reads_are_cut_at_the_end() {
        let source = MemoryBytes::new(&b"hello"[..]);
        assert_eq!(read_vec(&source, 3, 100).unwrap(), b"lo");
        assert_eq!(read_vec(&source, 9, u64::MAX).unwrap(), b"");
        assert!(read_exact_vec(&source, 3, 3).is_err());
        assert_eq!(source.read_ranges(&[0..1, 4..9]).unwrap(), vec!["h", "o"]);
    }
}
