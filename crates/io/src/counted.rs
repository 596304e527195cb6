//! Counting what was read.

use crate::error::ReadError;
use crate::number::wide;
use crate::read_at::ReadAt;
use bytes::Bytes;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes and requests used so far; clones share the counters.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    counters: Arc<(AtomicU64, AtomicU64)>,
}

impl Tally {
    /// Adds to the counters.
    pub fn add(&self, bytes: u64, requests: u64) {
        self.counters.0.fetch_add(bytes, Ordering::Relaxed);
        self.counters.1.fetch_add(requests, Ordering::Relaxed);
    }

    /// Bytes read so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.counters.0.load(Ordering::Relaxed)
    }

    /// Requests made so far.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.counters.1.load(Ordering::Relaxed)
    }
}

/// A source that counts each read as one request with the bytes it returned.
pub struct Counted {
    source: Arc<dyn ReadAt>,
    tally: Tally,
}

impl Counted {
    /// Wraps a source.
    #[must_use]
    pub fn new(source: Arc<dyn ReadAt>, tally: Tally) -> Self {
        Self { source, tally }
    }
}

impl ReadAt for Counted {
    fn len(&self) -> u64 {
        self.source.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let got = self.source.read_at(offset, buffer)?;
        self.tally.add(wide(got), 1);
        Ok(got)
    }

    fn read_apart(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let got = self.source.read_apart(offset, buffer)?;
        self.tally.add(wide(got), 1);
        Ok(got)
    }

    fn read_ranges(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, ReadError> {
        let parts = self.source.read_ranges(ranges)?;
        for part in &parts {
            self.tally.add(wide(part.len()), 1);
        }
        Ok(parts)
    }

    fn gap_bytes(&self) -> u64 {
        self.source.gap_bytes()
    }

    fn lanes(&self) -> usize {
        self.source.lanes()
    }
}
