//! Reads that draw on the budget of the run.

use lidless_io::{Budget, ReadAt, ReadError, Tally};
use std::sync::Arc;

/// A remote source whose reads are counted, and refused once the budget is spent.
pub(crate) struct Metered {
    source: Arc<dyn ReadAt>,
    budget: Budget,
    tally: Tally,
}

impl Metered {
    pub(crate) fn new(source: Arc<dyn ReadAt>, budget: Budget, tally: Tally) -> Self {
        Self { source, budget, tally }
    }
}

impl ReadAt for Metered {
    fn len(&self) -> u64 {
        self.source.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let available = self.len().saturating_sub(offset);
        let wanted = available.min(u64::try_from(buffer.len()).unwrap_or(u64::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        self.budget.take(wanted)?;
        let got = self.source.read_at(offset, buffer)?;
        self.tally.add(u64::try_from(got).unwrap_or(0), 1);
        Ok(got)
    }

    fn gap_bytes(&self) -> u64 {
        self.source.gap_bytes()
    }

    fn lanes(&self) -> usize {
        self.source.lanes()
    }
}
