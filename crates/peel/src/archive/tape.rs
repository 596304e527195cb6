//! Archives that are walked front to back: lying in a source, or coming out of a decoder.

use super::ahead::Ahead;
use crate::error::PeelError;
use lidless_io::{
    Extent, Extents, MemoryBytes, ReadAt, Spool, SpoolError, SpooledBytes, Window, read_vec,
};
use std::io::Read;
use std::sync::Arc;

/// Members up to this size are read whole when they are handed out.
const SMALL: u64 = 256 << 10;
/// How much of the last read may be read again.
const AGAIN: usize = 4 << 10;

/// An archive that is walked front to back.
pub(crate) trait Tape {
    /// Length in bytes, when known.
    fn length(&self) -> Option<u64>;

    /// Reads at most `length` bytes at `offset`; fewer only at the end. Offsets never go back
    /// further than to the start of the last read, which may be taken up to 4 KiB again.
    ///
    /// # Errors
    /// `Read`. A decoder that breaks off or reaches its limit ends the tape.
    fn read(&mut self, offset: u64, length: u64) -> Result<Vec<u8>, PeelError>;

    /// What lies at the half-open range as a source of its own; shorter where the tape ends.
    ///
    /// # Errors
    /// As [`Tape::read`].
    fn member(&mut self, offset: u64, length: u64) -> Result<Arc<dyn ReadAt>, PeelError>;
}

/// An archive that lies in a source.
pub(crate) struct Lying {
    source: Arc<dyn ReadAt>,
    ahead: Ahead,
}

impl Lying {
    pub(crate) fn new(source: Arc<dyn ReadAt>) -> Self {
        Self { ahead: Ahead::new(Arc::clone(&source)), source }
    }
}

impl Tape for Lying {
    fn length(&self) -> Option<u64> {
        Some(self.source.len())
    }

    fn read(&mut self, offset: u64, length: u64) -> Result<Vec<u8>, PeelError> {
        Ok(read_vec(&self.ahead, offset, length)?)
    }

    fn member(&mut self, offset: u64, length: u64) -> Result<Arc<dyn ReadAt>, PeelError> {
        if length <= SMALL {
            return Ok(Arc::new(MemoryBytes::new(self.read(offset, length)?)));
        }
        Ok(Arc::new(Window::new(Arc::clone(&self.source), offset, length)))
    }
}

/// An archive that comes out of a decoder: what is passed over is never kept.
pub(crate) struct Coming<R> {
    stream: Again<R>,
    at: u64,
    /// How much more may come.
    left: u64,
    /// The start of the last read and its bytes, when they are few.
    last: (u64, Vec<u8>),
    /// How the stream ended, when it did not end well.
    pub(crate) problem: Option<SpoolError>,
}

impl<R: Read> Coming<R> {
    /// A stream of which `limit` bytes may come.
    pub(crate) fn new(stream: R, limit: u64) -> Self {
        let stream = Again { back: Vec::new(), stream };
        Self { stream, at: 0, left: limit, last: (0, Vec::new()), problem: None }
    }

    fn take(&mut self, length: u64) -> SpooledBytes {
        let most = length.min(self.left);
        let (bytes, problem) = Spool::fill(self.stream.by_ref().take(most), most);
        self.at = self.at.saturating_add(bytes.len());
        self.left = self.left.saturating_sub(bytes.len());
        if problem.is_some() {
            self.problem = problem;
        }
        self.check(length > most);
        bytes
    }

    fn check(&mut self, over: bool) {
        if over && self.left == 0 && self.problem.is_none() {
            self.problem = Some(SpoolError::TooLarge { limit: self.at });
        }
    }

    fn skip_to(&mut self, offset: u64) {
        let back = usize::try_from(offset.saturating_sub(self.last.0)).ok();
        let again = back.and_then(|skip| self.last.1.get(skip..)).unwrap_or(&[]);
        if offset < self.at && offset >= self.last.0 && !again.is_empty() {
            let count = u64::try_from(again.len()).unwrap_or(0);
            let mut bytes = again.to_vec();
            bytes.append(&mut self.stream.back);
            self.stream.back = bytes;
            self.at = self.at.saturating_sub(count);
            self.left = self.left.saturating_add(count);
        }
        self.last.1.clear();
        let distance = offset.saturating_sub(self.at);
        let most = distance.min(self.left);
        let copied = std::io::copy(&mut self.stream.by_ref().take(most), &mut std::io::sink());
        match copied {
            Ok(count) => {
                self.at = self.at.saturating_add(count);
                self.left = self.left.saturating_sub(count);
                self.check(distance > most);
            }
            Err(error) => {
                self.problem =
                    Some(SpoolError::Broken { bytes: self.at, message: error.to_string() });
                self.left = 0;
            }
        }
    }
}

impl<R: Read> Tape for Coming<R> {
    fn length(&self) -> Option<u64> {
        None
    }

    fn read(&mut self, offset: u64, length: u64) -> Result<Vec<u8>, PeelError> {
        self.skip_to(offset);
        if self.at != offset {
            return Ok(Vec::new());
        }
        let bytes = self.take(length);
        let bytes = read_vec(&bytes, 0, bytes.len())?;
        if bytes.len() <= AGAIN {
            self.last = (offset, bytes.clone());
        }
        Ok(bytes)
    }

    fn member(&mut self, offset: u64, length: u64) -> Result<Arc<dyn ReadAt>, PeelError> {
        self.skip_to(offset);
        if self.at != offset {
            return Ok(Arc::new(MemoryBytes::default()));
        }
        Ok(Arc::new(self.take(length)))
    }
}

/// A stream with bytes that were given back to it.
struct Again<R> {
    back: Vec<u8>,
    stream: R,
}

impl<R: Read> Read for Again<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.back.is_empty() {
            return self.stream.read(buffer);
        }
        let count = self.back.as_slice().read(buffer)?;
        self.back.drain(..count);
        Ok(count)
    }
}

/// A member of which only `pieces` (offset in the member, length) are stored, one after the
/// other: the rest reads as zeros.
pub(crate) fn sparse(
    stored: Arc<dyn ReadAt>,
    pieces: &[(u64, u64)],
    length: u64,
) -> Arc<dyn ReadAt> {
    let mut source = 0u64;
    let mut extents = Vec::with_capacity(pieces.len());
    for (at, size) in pieces {
        extents.push(Extent { at: *at, length: *size, source: Some(source) });
        source = source.saturating_add(*size);
    }
    Arc::new(Extents::new(stored, extents, length))
}
