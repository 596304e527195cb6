//! Decompressed streams kept so that they can be read at an offset.

use crate::error::ReadError;
use crate::file::FileBytes;
use crate::memory::MemoryBytes;
use crate::number::{index, wide};
use crate::read_at::ReadAt;
use std::fs::File;
use std::io::{Read, Write};

/// Up to this many bytes of one stream stay in memory; more goes to a temporary file.
const MEMORY_BYTES: usize = 8 << 20;

/// How a spool ended before its stream did. What came before is kept and readable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpoolError {
    /// The stream is larger than the limit.
    #[error("expands past the limit of {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The stream broke.
    #[error("stream broke after {bytes} bytes: {message}")]
    Broken {
        /// Bytes read before it broke.
        bytes: u64,
        /// What the decoder said.
        message: String,
    },
}

/// Collects a stream.
#[derive(Debug)]
pub struct Spool;

impl Spool {
    /// Reads `stream` to its end or to `limit` bytes, whichever comes first.
    ///
    /// Returns what was read and, when the stream did not end well, why. Memory is bounded to
    /// 8 MiB; the rest lies in an unnamed temporary file that vanishes with the value.
    pub fn fill(mut stream: impl Read, limit: u64) -> (SpooledBytes, Option<SpoolError>) {
        let mut memory = Vec::new();
        let mut file: Option<File> = None;
        let mut total = 0u64;
        let mut chunk = vec![0u8; 64 << 10];
        let problem = loop {
            let count = match stream.read(&mut chunk) {
                Ok(0) => break None,
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    break Some(SpoolError::Broken { bytes: total, message: error.to_string() });
                }
            };
            let room = index(limit.saturating_sub(total));
            let kept = chunk.get(..count.min(room)).unwrap_or(&[]);
            if let Err(error) = append(&mut memory, &mut file, kept) {
                break Some(SpoolError::Broken { bytes: total, message: error.to_string() });
            }
            total = total.saturating_add(wide(kept.len()));
            if count > room {
                break Some(SpoolError::TooLarge { limit });
            }
        };
        let bytes = match file {
            Some(file) => SpooledBytes::File(FileBytes::from_file(file, total)),
            None => SpooledBytes::Memory(MemoryBytes::new(memory)),
        };
        (bytes, problem)
    }
}

fn append(memory: &mut Vec<u8>, file: &mut Option<File>, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(file) = file {
        return file.write_all(bytes);
    }
    memory.extend_from_slice(bytes);
    if memory.len() > MEMORY_BYTES {
        let mut spilled = tempfile::tempfile()?;
        spilled.write_all(memory)?;
        memory.clear();
        memory.shrink_to_fit();
        *file = Some(spilled);
    }
    Ok(())
}

/// What a [`Spool`] collected.
#[derive(Debug)]
pub enum SpooledBytes {
    /// Small: in memory.
    Memory(MemoryBytes),
    /// Large: in a temporary file.
    File(FileBytes),
}

impl ReadAt for SpooledBytes {
    fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len(),
            Self::File(bytes) => bytes.len(),
        }
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        match self {
            Self::Memory(bytes) => bytes.read_at(offset, buffer),
            Self::File(bytes) => bytes.read_at(offset, buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_at::read_vec;

    #[test]
    fn a_stream_past_the_limit_is_cut_and_said() {
        let (bytes, problem) = Spool::fill(std::io::repeat(7), 20 << 20);
        assert_eq!(bytes.len(), 20 << 20);
        assert_eq!(problem, Some(SpoolError::TooLarge { limit: 20 << 20 }));
        assert_eq!(read_vec(&bytes, (20 << 20) - 2, 9).unwrap(), [7, 7]);
    }

    #[test]
    fn a_stream_that_fits_has_no_problem() {
        let (bytes, problem) = Spool::fill(&b"abc"[..], 3);
        assert_eq!((bytes.len(), problem), (3, None));
    }
}
