//! Files that NTFS compresses itself, with LZNT1.
//!
//! Every unit of 16 clusters (or another power of two) is compressed by itself: a unit whose
//! clusters are all there is stored as it is, one that has none is zeros, and any other holds
//! LZNT1 in the clusters that are there.

use super::boot::Geometry;
use super::chunked::Chunks;
use super::file::{Place, Stream};
use super::runs;
use crate::coding::lznt1;
use lidless_io::number::index;
use lidless_io::{Extents, ReadAt, ReadError};
use std::ops::Range;
use std::sync::Arc;

/// The largest unit: 16 clusters of 64 KiB.
const UNIT_BYTES: u64 = 1 << 20;

/// The units of a file.
pub(super) struct Units {
    stored: Extents,
    length: u64,
    initialised: u64,
    unit: u64,
    cluster: u64,
}

impl Units {
    /// None when its units cannot be of this size.
    pub(super) fn new(
        volume: &Arc<dyn ReadAt>,
        geometry: &Geometry,
        stream: &Stream,
    ) -> Option<Self> {
        let Place::Runs(found) = &stream.place else { return None };
        let unit = geometry.cluster.checked_mul(1u64.checked_shl(u32::from(stream.unit))?)?;
        if unit > UNIT_BYTES {
            return None;
        }
        let end = found.last().map_or(0, |run| run.vcn.saturating_add(run.length));
        let end = end.saturating_mul(geometry.cluster);
        Some(Self {
            stored: runs::extents(volume, geometry, found, end, end),
            length: stream.length,
            initialised: stream.initialised,
            unit,
            cluster: geometry.cluster,
        })
    }
}

impl Chunks for Units {
    fn length(&self) -> u64 {
        self.length
    }

    fn chunk_bytes(&self) -> u64 {
        self.unit
    }

    fn stored(&self) -> &Extents {
        &self.stored
    }

    fn places(&self, chunks: Range<u64>) -> Result<Vec<Range<u64>>, ReadError> {
        let places = chunks.map(|chunk| {
            let start = chunk.saturating_mul(self.unit);
            let mut end = start;
            if start < self.initialised {
                for (at, part) in self.stored.located(start, start.saturating_add(self.unit)) {
                    if at != end {
                        break;
                    }
                    end = end.saturating_add(part.end.saturating_sub(part.start));
                }
            }
            start..end
        });
        Ok(places.collect())
    }

    fn decode(&self, chunk: u64, stored: &[u8], length: usize) -> Option<Vec<u8>> {
        let mut bytes = if stored.is_empty() {
            vec![0; length]
        } else if stored.len() >= index(self.unit) {
            stored.get(..length)?.to_vec()
        } else {
            match lznt1::decompress(stored, length) {
                Some(bytes) => bytes,
                // The last unit may be stored as it is, without the clusters past the end.
                None if stored.len() >= length.next_multiple_of(index(self.cluster)) => {
                    stored.get(..length)?.to_vec()
                }
                None => return None,
            }
        };
        let start = chunk.saturating_mul(self.unit);
        let written = index(self.initialised.saturating_sub(start));
        if let Some(rest) = bytes.get_mut(written..) {
            rest.fill(0);
        }
        Some(bytes)
    }
}
