//! How many bytes may still be read or expanded.

use crate::error::{ReadError, ReadErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A shared allowance of bytes; clones draw from the same one.
#[derive(Debug, Clone)]
pub struct Budget {
    left: Arc<AtomicU64>,
}

impl Budget {
    /// An allowance of `bytes`.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        Self { left: Arc::new(AtomicU64::new(bytes)) }
    }

    /// An allowance that does not end.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::new(u64::MAX)
    }

    /// Bytes still allowed.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }

    /// Takes `bytes` from the allowance, all or nothing.
    ///
    /// # Errors
    /// `OutOfBudget` when fewer are left; nothing is taken then.
    pub fn take(&self, bytes: u64) -> Result<(), ReadError> {
        let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            if left == u64::MAX { Some(left) } else { left.checked_sub(bytes) }
        });
        taken.map(|_| ()).map_err(|left| {
            ReadError::new(
                ReadErrorKind::OutOfBudget,
                format!("budget spent: {bytes} bytes wanted, {left} left"),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_all_or_nothing() {
        let budget = Budget::new(10);
        assert!(budget.take(7).is_ok());
        assert!(budget.clone().take(4).is_err());
        assert_eq!(budget.left(), 3);
    }
}
