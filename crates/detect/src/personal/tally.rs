//! Distinct values, counted without being kept.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

/// More different values than this are counted as this many: memory has an end.
const MOST: usize = 1_000_000;

/// How many different values there were. Holds digests under a key of the moment, no values.
pub(super) struct Distinct {
    key: RandomState,
    seen: HashSet<u64>,
}

impl Default for Distinct {
    fn default() -> Self {
        Self { key: RandomState::new(), seen: HashSet::new() }
    }
}

impl Distinct {
    /// Adds a value.
    pub(super) fn add(&mut self, value: &(impl std::hash::Hash + ?Sized)) {
        if self.seen.len() < MOST {
            self.seen.insert(self.key.hash_one(value));
        }
    }

    /// How many.
    pub(super) fn count(&self) -> u64 {
        u64::try_from(self.seen.len()).unwrap_or(u64::MAX)
    }
}
