//! The volume header, forks and extents.

use crate::error::PeelError;
use lidless_io::number::{u16_be, u32_be, u64_be};
use lidless_io::{Extent, Extents, ReadAt};
use std::sync::Arc;

/// The format's name in reports.
pub(super) const HFS: &str = "HFS+";
/// Where the volume header stands.
pub(super) const HEADER: u64 = 1024;
/// Its length.
pub(super) const HEADER_BYTES: u64 = 512;

/// What the volume header says.
#[derive(Debug, Clone)]
pub(super) struct Header {
    /// Where its blocks begin in what was opened: elsewhere than 0 inside an HFS wrapper.
    pub(super) base: u64,
    pub(super) block: u64,
    /// It was in use when the image was made, and what its journal holds is not in place.
    pub(super) dirty_journal: bool,
    pub(super) overflow: Fork,
    pub(super) catalog: Fork,
    pub(super) attributes: Fork,
}

impl Header {
    /// Reads a header at `offset`.
    pub(super) fn parse(bytes: &[u8], offset: u64) -> Result<Self, PeelError> {
        let short = || PeelError::malformed(HFS, offset, "a volume header", "its end");
        let signature = bytes.get(..2).ok_or_else(short)?;
        if signature != b"H+" && signature != b"HX" {
            return Err(PeelError::malformed(HFS, offset, "H+ or HX", "another signature"));
        }
        let flags = u32_be(bytes, 4).ok_or_else(short)?;
        let block = u64::from(u32_be(bytes, 40).ok_or_else(short)?);
        if block < 512 || !block.is_power_of_two() {
            return Err(PeelError::malformed(HFS, offset, "a size of blocks", block));
        }
        let fork = |at: usize| Fork::parse(bytes, at).ok_or_else(short);
        Ok(Self {
            base: 0,
            block,
            dirty_journal: flags & 0x2000 != 0 && flags & 0x100 == 0,
            overflow: fork(192)?,
            catalog: fork(272)?,
            attributes: fork(352)?,
        })
    }
}

/// A fork of a file: its length and where its first extents are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fork {
    pub(super) length: u64,
    /// Blocks of all extents together.
    pub(super) blocks: u64,
    /// First block and blocks.
    pub(super) extents: Vec<(u32, u32)>,
}

impl Fork {
    /// The fork at `at`.
    pub(super) fn parse(bytes: &[u8], at: usize) -> Option<Self> {
        let fork = bytes.get(at..at.checked_add(80)?)?;
        Some(Self {
            length: u64_be(fork, 0)?,
            blocks: u64::from(u32_be(fork, 12)?),
            extents: extents(fork.get(16..)?),
        })
    }

    /// How many blocks the extents have that are known.
    pub(super) fn known(&self) -> u64 {
        self.extents.iter().map(|(_, count)| u64::from(*count)).sum()
    }

    /// Where its first byte is on the volume; 0 when it has none.
    pub(super) fn place(&self, block: u64) -> u64 {
        self.extents.first().map_or(0, |(first, _)| u64::from(*first).saturating_mul(block))
    }

    /// Its bytes, no more than its extents hold and the volume has.
    pub(super) fn open(&self, volume: &Arc<dyn ReadAt>, base: u64, block: u64) -> Extents {
        let mut at = 0u64;
        let mut pieces = Vec::with_capacity(self.extents.len());
        for (first, count) in &self.extents {
            let length = u64::from(*count).saturating_mul(block);
            let source = Some(u64::from(*first).saturating_mul(block).saturating_add(base));
            pieces.push(Extent { at, length, source });
            at = at.saturating_add(length);
        }
        let most = self.known().saturating_mul(block).min(volume.len());
        Extents::new(Arc::clone(volume), pieces, self.length.min(most))
    }
}

/// Eight extents; the first that is empty ends them.
pub(super) fn extents(bytes: &[u8]) -> Vec<(u32, u32)> {
    let pairs = bytes.chunks_exact(8).take(8);
    pairs
        .filter_map(|pair| Some((u32_be(pair, 0)?, u32_be(pair, 4)?)))
        .take_while(|(_, count)| *count > 0)
        .collect()
}

/// Where HFS+ lies in an HFS wrapper, first byte and length; none when it is HFS alone.
pub(super) fn embedded(head: &[u8]) -> Option<(u64, u64)> {
    if head.get(124..126)? != b"H+" {
        return None;
    }
    let block = u64::from(u32_be(head, 20)?);
    let first = u64::from(u16_be(head, 28)?).saturating_mul(512);
    let start = u64::from(u16_be(head, 126)?).saturating_mul(block).saturating_add(first);
    Some((start, u64::from(u16_be(head, 128)?).saturating_mul(block)))
}
