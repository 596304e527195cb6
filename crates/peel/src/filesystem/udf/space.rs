//! Where the blocks of partitions lie in the volume.

use super::descriptor::Place;
use crate::error::PeelError;
use lidless_io::{Extents, ReadAt as _};
use std::ops::Range;

/// One partition of a logical volume, as a source of its blocks.
pub(super) enum Partition {
    Open(Extents),
    /// Why it is not read.
    Closed(&'static str),
}

/// The partitions of a logical volume, in the order of their maps.
pub(super) struct Space {
    pub(super) block_bytes: u64,
    pub(super) partitions: Vec<Partition>,
}

impl Space {
    /// The half-open ranges of the volume where an extent's first `bytes` lie.
    ///
    /// # Errors
    /// `Malformed` when it is not inside its partition; `Closed`.
    pub(super) fn ranges(&self, place: Place, bytes: u64) -> Result<Vec<Range<u64>>, PeelError> {
        let start = u64::from(place.block).saturating_mul(self.block_bytes);
        let bad = |found: &str| {
            PeelError::malformed("UDF", start, "an extent inside its partition", found)
        };
        match self.partitions.get(usize::from(place.partition)) {
            None => Err(bad("no such partition")),
            Some(Partition::Closed(why)) => Err(PeelError::Closed((*why).to_owned())),
            Some(Partition::Open(whole)) => {
                let end = start.saturating_add(bytes);
                if end > whole.len() {
                    return Err(bad("one that reaches out of it"));
                }
                let found = whole.located(start, end);
                let there: u64 =
                    found.iter().map(|(_, range)| range.end.saturating_sub(range.start)).sum();
                if there < bytes {
                    return Err(bad("one with holes"));
                }
                Ok(found.into_iter().map(|(_, range)| range).collect())
            }
        }
    }

    /// The half-open range of the volume where the first block of an extent lies: blocks are
    /// never torn apart.
    ///
    /// # Errors
    /// As [`Space::ranges`].
    pub(super) fn block(&self, place: Place) -> Result<Range<u64>, PeelError> {
        let ranges = self.ranges(place, self.block_bytes)?;
        Ok(ranges.into_iter().next().unwrap_or(0..0))
    }
}
