//! The engine alone, over texts: for measuring, and for holding rules against texts.

use super::engine::{Engine, Sought};
use super::own::RuleSet;
use std::ops::Range;

/// Searches texts for the secrets of a set of rules.
pub struct SecretSearch {
    engine: Engine,
}

impl SecretSearch {
    /// With these rules.
    #[must_use]
    pub fn new(rules: &RuleSet) -> Self {
        Self { engine: Engine::with(rules) }
    }

    /// Where secrets stand in a text that lies at a path: the rule, and the bytes.
    #[must_use]
    pub fn spans(&self, text: &str, path: &str) -> Vec<(&'static str, Range<usize>)> {
        let found = self.engine.find(Sought { text, path });
        found.matches.into_iter().map(|one| (one.rule.id, one.span)).collect()
    }
}
