//! Where the content of an inode lies, in blocks: what the maps of ext and XFS come to.

use crate::error::PeelError;
use lidless_io::Extent;

/// How many pieces one file may lie in.
const MOST_RUNS: usize = 1 << 20;
/// How many pieces all files that are asked for together may lie in.
pub(super) const ALL_RUNS: usize = 4 << 20;

/// Blocks that follow each other, in the file and on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// First block of the file.
    pub(super) at: u64,
    /// Length in blocks.
    pub(super) length: u64,
    /// First block of the volume, as the file system counts.
    pub(super) block: u64,
}

/// Where a content lies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Runs {
    pub(super) runs: Vec<Run>,
    /// Parts of the map that are not what they should be.
    pub(super) malformed: u64,
    /// Parts of the map that could not be read, or that would have been too many.
    pub(super) missing: u64,
}

impl Runs {
    /// Adds a run; `left` is how many more there may be.
    pub(super) fn push(&mut self, left: &mut usize, run: Run) {
        if self.runs.len() >= MOST_RUNS || *left == 0 {
            self.missing = self.missing.saturating_add(1);
            return;
        }
        *left = left.saturating_sub(1);
        self.runs.push(run);
    }

    /// As pieces of a volume of `volume_bytes`, where all of the map was read and lies inside it.
    ///
    /// # Errors
    /// When it does not.
    pub(super) fn content(
        &self,
        format: &'static str,
        volume_bytes: u64,
        block_bytes: u64,
        offset: impl Fn(u64) -> u64,
    ) -> Result<Vec<Extent>, PeelError> {
        if self.malformed > 0 || self.missing > 0 {
            let found = "one with parts that are not";
            return Err(PeelError::malformed(format, 0, "a map of blocks that is whole", found));
        }
        let pieces = self.extents(block_bytes, offset);
        let end = |piece: &Extent| piece.source.unwrap_or(0).saturating_add(piece.length);
        if pieces.iter().any(|piece| end(piece) > volume_bytes) {
            let why = "a file with parts past the end of its volume";
            return Err(PeelError::Closed(why.to_owned()));
        }
        Ok(pieces)
    }

    /// As pieces of the volume, on which `offset` says where a block begins.
    pub(super) fn extents(&self, block_bytes: u64, offset: impl Fn(u64) -> u64) -> Vec<Extent> {
        let extent = |run: &Run| Extent {
            at: run.at.saturating_mul(block_bytes),
            length: run.length.saturating_mul(block_bytes),
            source: Some(offset(run.block)),
        };
        self.runs.iter().map(extent).collect()
    }
}
