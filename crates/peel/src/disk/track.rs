//! Tracks of CDs with everything around each sector's data: `.bin` beside a `.cue`, `.img` beside
//! a `.ccd` (ECMA-130, sections 14 and 20; ECMA-394).
//!
//! | offset | size | field of a sector of 2,352 bytes |
//! |---|---|---|
//! | 0 | 12 | `00`, ten times `ff`, `00` |
//! | 12 | 3 | minute, second, sector |
//! | 15 | 1 | mode: 1 or 2 |
//! | 16 | 8 | mode 2 only: subheader; bit 5 of its third byte: form 2, which holds no files |
//! | 16 or 24 | 2048 | data |
//!
//! Some images have 96 bytes of subchannels after each sector.

use super::image::{Disk, Image};
use crate::error::PeelError;
use lidless_core::{Artifact, Limits};
use lidless_io::number::{index, wide};
use lidless_io::{ReadAt, ReadError, read_vec};
use std::sync::Arc;

const SYNC: &[u8] = b"\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0";
/// How long sectors are, without and with subchannels.
const STRIDES: [u64; 2] = [2352, 2448];
/// The data of a sector.
const DATA: u64 = 2048;

/// A track of a CD.
pub(super) struct Track;

/// How the sectors of a track lie: their length, and where their data begin.
fn layout(head: &[u8]) -> Option<(u64, u64)> {
    if !head.starts_with(SYNC) {
        return None;
    }
    let skip = match head.get(15) {
        Some(1) => 16,
        Some(2) => 24,
        _ => return None,
    };
    let stride = STRIDES.into_iter().find(|stride| {
        let next = usize::try_from(*stride).ok().and_then(|at| head.get(at..));
        next.is_some_and(|next| next.starts_with(SYNC))
    })?;
    Some((stride, skip))
}

impl Image for Track {
    fn name(&self) -> &'static str {
        "CD track"
    }

    fn recognises(&self, _: &Artifact, head: &[u8]) -> bool {
        layout(head).is_some()
    }

    fn open(&self, artifact: &Artifact, head: &[u8], _: &Limits) -> Result<Disk, PeelError> {
        let Some((stride, skip)) = layout(head) else {
            return Err(PeelError::malformed("CD track", 0, "sectors", "something else"));
        };
        let source = Arc::clone(&artifact.bytes);
        let sectors = source.len().checked_div(stride).unwrap_or(0);
        let length = sectors.saturating_mul(DATA);
        Ok(Disk::new(Arc::new(Sectors { source, stride, skip, length })))
    }
}

/// The data of the sectors, joined.
struct Sectors {
    source: Arc<dyn ReadAt>,
    stride: u64,
    skip: u64,
    length: u64,
}

impl ReadAt for Sectors {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let wanted = wide(buffer.len());
        let end = offset.saturating_add(wanted).min(self.length);
        if offset >= end {
            return Ok(0);
        }
        // What lies between the data is read with it: one request instead of one a sector.
        let (first, behind) = (offset / DATA, end.div_ceil(DATA));
        let start = first.saturating_mul(self.stride);
        let raw = behind.saturating_sub(first).saturating_mul(self.stride);
        let raw = read_vec(&*self.source, start, raw)?;
        let mut done = 0usize;
        let stride = index(self.stride);
        for (number, sector) in (first..behind).zip(raw.chunks(stride)) {
            let from = offset.max(number.saturating_mul(DATA));
            let to = end.min(number.saturating_add(1).saturating_mul(DATA));
            let within = |at: u64| {
                let at = at.saturating_sub(number.saturating_mul(DATA)).saturating_add(self.skip);
                index(at)
            };
            let Some(data) = sector.get(within(from)..within(to)) else { break };
            let Some(room) = buffer.get_mut(done..done.saturating_add(data.len())) else { break };
            room.copy_from_slice(data);
            done = done.saturating_add(data.len());
        }
        Ok(done)
    }

    fn gap_bytes(&self) -> u64 {
        self.source.gap_bytes()
    }

    fn lanes(&self) -> usize {
        self.source.lanes()
    }
}
