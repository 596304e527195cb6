//! Windows in which a rule was searched for and not found, by their hash.
//!
//! Versions of a file follow each other in a history, and so the same few hundred bytes around
//! the same literal come by hundreds of times. Comparing a hash takes a tenth of the time that a
//! pattern takes. The key of the hash is of the moment, so that nobody can write a text that
//! is taken for another one; by chance, one look in 2^64 goes wrong.

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;
use std::hash::{BuildHasher as _, RandomState};
use std::ops::Range;
use std::sync::LazyLock;

/// How many are kept: 256 KiB of them, for each thread.
const KEPT: usize = 1 << 15;
/// Longer windows are few, and searched again.
const LONGEST: usize = 16 << 10;
/// How far a boundary in a pattern sees past the window: one character.
const SEEN: usize = 4;

/// Which windows held no match.
pub(super) struct Memory {
    state: SeedableRandomState,
    keys: Box<[u64]>,
}

impl Memory {
    pub(super) fn new() -> Self {
        static SHARED: LazyLock<SharedSeed> =
            LazyLock::new(|| SharedSeed::from_u64(RandomState::new().hash_one(0)));
        let seed = RandomState::new().hash_one(1);
        Self { state: SeedableRandomState::with_seed(seed, &SHARED), keys: vec![0; KEPT].into() }
    }

    /// What a rule sees of a text in a window; none for one that is too long to remember.
    pub(super) fn key(&self, rule: usize, text: &[u8], window: &Range<usize>) -> Option<u64> {
        if window.len() > LONGEST {
            return None;
        }
        let start = window.start.saturating_sub(SEEN);
        let end = window.end.saturating_add(SEEN).min(text.len());
        // How much stands around it tells the beginning and the end of a text.
        let before = window.start.saturating_sub(start);
        let after = end.saturating_sub(window.end);
        Some(self.state.hash_one((rule, before, after, text.get(start..end)?)))
    }

    pub(super) fn holds(&self, key: u64) -> bool {
        key != 0 && self.keys.get(slot(key)) == Some(&key)
    }

    pub(super) fn keep(&mut self, key: u64) {
        if let Some(kept) = self.keys.get_mut(slot(key)) {
            *kept = key;
        }
    }
}

fn slot(key: u64) -> usize {
    usize::try_from(key).unwrap_or(0) & (KEPT - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_known_by_all_that_the_pattern_sees() {
        let mut memory = Memory::new();
        let text = b"0123456789abcdef";
        let key = memory.key(7, text, &(6..10)).unwrap();
        assert!(!memory.holds(key));
        memory.keep(key);
        assert!(memory.holds(key));
        // Elsewhere, with the same around it.
        assert!(memory.holds(memory.key(7, b"xx23456789abcdyyyy", &(6..10)).unwrap()));
        for (rule, text, window) in [
            (8, &text[..], 6..10),
            (7, &text[..], 6..11),
            (7, &text[..13], 6..10),
            (7, &text[3..], 3..7),
            (7, b"01234567x9abcdef", 6..10),
            (7, b"01234x6789abcdef", 6..10),
        ] {
            assert!(!memory.holds(memory.key(rule, text, &window).unwrap()));
        }
        assert!(memory.key(7, &[0; LONGEST + 1], &(0..LONGEST + 1)).is_none());
    }
}
