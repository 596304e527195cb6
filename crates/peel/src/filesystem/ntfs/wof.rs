//! Files that Windows compresses above NTFS (`compact /exe`, CompactOS): the main stream is a
//! hole of the right length, and the content stands in the stream `WofCompressedData`.
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 4 or 8 each | where each chunk but the first begins, after this table; 8 for files from 4 GiB |
//! | | | the chunks; one as long as what it decodes to is stored as it is |
//!
//! The reparse point says how (MS-FSCC 2.1.2, wof.h): version 1, provider (1 a Windows image, 2
//! this), version 1, algorithm; 32 bits each.

use super::boot::Geometry;
use super::chunked::Chunks;
use super::file::Stream;
use crate::coding::{lzx, xpress};
use crate::error::PeelError;
use lidless_io::number::{u32_le, u64_le};
use lidless_io::{Extents, ReadAt, ReadError, ReadErrorKind, read_exact_vec};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// The largest table: what a file of 16 GiB in chunks of 4 KiB has.
const TABLE_BYTES: u64 = 32 << 20;

/// How the chunks are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Xpress,
    Lzx,
}

/// The chunks of a file.
pub(super) struct Compacted {
    stored: Extents,
    length: u64,
    chunk: u64,
    algorithm: Algorithm,
    /// Bytes a place in the table takes.
    width: u64,
    /// Where each chunk but the first begins.
    table: OnceLock<Vec<u64>>,
}

impl Compacted {
    /// Opens the content of a file of `length` bytes by what its reparse point says after its
    /// header.
    ///
    /// # Errors
    /// `Closed` when it is compressed in another way, or its content lies in an image.
    pub(super) fn new(
        volume: &Arc<dyn ReadAt>,
        geometry: &Geometry,
        reparse: &[u8],
        stream: Option<&Stream>,
        length: u64,
    ) -> Result<Self, PeelError> {
        if u32_le(reparse, 4) == Some(1) {
            let why = "a file whose content lies in a Windows image beside it";
            return Err(PeelError::Closed(why.into()));
        }
        let (algorithm, chunk) = match u32_le(reparse, 12) {
            Some(0) => (Algorithm::Xpress, 4 << 10),
            Some(1) => (Algorithm::Lzx, 32 << 10),
            Some(2) => (Algorithm::Xpress, 8 << 10),
            Some(3) => (Algorithm::Xpress, 16 << 10),
            _ => {
                let why = "a file compressed by Windows in a way that is not known";
                return Err(PeelError::Closed(why.into()));
            }
        };
        let Some(stream) = stream else {
            let found = "no stream WofCompressedData";
            return Err(PeelError::malformed("NTFS", 0, "the content of a file", found));
        };
        let width = if length > u64::from(u32::MAX) { 8 } else { 4 };
        let stored = stream.stored(volume, geometry);
        let compacted = Self { stored, length, chunk, algorithm, width, table: OnceLock::new() };
        let table = compacted.table_bytes();
        if table > TABLE_BYTES {
            return Err(PeelError::Limit("a compressed file of NTFS larger than the limit"));
        }
        if table > compacted.stored.len() {
            let found = compacted.stored.len();
            return Err(PeelError::malformed("NTFS", 0, format!("a table of {table}"), found));
        }
        Ok(compacted)
    }

    fn table_bytes(&self) -> u64 {
        let chunks = self.length.div_ceil(self.chunk);
        chunks.saturating_sub(1).saturating_mul(self.width)
    }

    fn table(&self) -> Result<&[u64], ReadError> {
        if let Some(table) = self.table.get() {
            return Ok(table);
        }
        let bytes = read_exact_vec(&self.stored, 0, self.table_bytes())?;
        let width = usize::try_from(self.width).unwrap_or(8);
        let places = bytes
            .chunks_exact(width)
            .filter_map(|place| u64_le(place, 0).or_else(|| u32_le(place, 0).map(u64::from)));
        Ok(self.table.get_or_init(|| places.collect()))
    }
}

impl Chunks for Compacted {
    fn length(&self) -> u64 {
        self.length
    }

    fn chunk_bytes(&self) -> u64 {
        self.chunk
    }

    fn stored(&self) -> &Extents {
        &self.stored
    }

    fn places(&self, chunks: Range<u64>) -> Result<Vec<Range<u64>>, ReadError> {
        let table = self.table()?;
        let base = self.table_bytes();
        let end = self.stored.len();
        let start_of = |chunk: u64| match chunk.checked_sub(1) {
            None => Some(base),
            Some(before) => {
                let place = *table.get(usize::try_from(before).ok()?)?;
                Some(base.saturating_add(place))
            }
        };
        let mut places = Vec::new();
        for chunk in chunks {
            let start = start_of(chunk).unwrap_or(end);
            let next = start_of(chunk.saturating_add(1)).unwrap_or(end);
            // A stored chunk is no longer than what it decodes to.
            if start > next || next > end || next.saturating_sub(start) > self.chunk {
                let message = "a compressed file of NTFS whose chunks do not follow each other";
                return Err(ReadError::new(ReadErrorKind::Malformed, message));
            }
            places.push(start..next);
        }
        Ok(places)
    }

    fn decode(&self, _: u64, stored: &[u8], length: usize) -> Option<Vec<u8>> {
        if stored.len() == length {
            return Some(stored.to_vec());
        }
        match self.algorithm {
            Algorithm::Xpress => xpress::decompress(stored, length),
            Algorithm::Lzx => lzx::decompress(stored, length),
        }
    }
}
