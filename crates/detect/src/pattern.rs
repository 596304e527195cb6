//! Regular expressions that are compiled when they are first needed: a program that looks into one
//! small file needs few of them.

use regex::{Captures, Regex, RegexBuilder, bytes};
use std::sync::OnceLock;

/// One of a catalogue; tests of the catalogue say whether it is one at all.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    text: String,
    ignore_case: bool,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ignore_case: false, compiled: OnceLock::new() }
    }

    pub(crate) fn ignoring_case(text: impl Into<String>) -> Self {
        Self { ignore_case: true, ..Self::new(text) }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    fn get(&self) -> Option<&Regex> {
        let compile =
            || RegexBuilder::new(&self.text).case_insensitive(self.ignore_case).build().ok();
        self.compiled.get_or_init(compile).as_ref()
    }

    /// Whether it can be compiled.
    #[cfg(test)]
    pub(crate) fn is_valid(&self) -> bool {
        self.get().is_some()
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.get().is_some_and(|regex| regex.is_match(text))
    }

    pub(crate) fn captures<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        self.get()?.captures(text)
    }
}

/// Many for paths, matched at once; what stands for letters and digits are those of ASCII.
#[derive(Debug)]
pub(crate) struct PathPatterns {
    texts: Vec<String>,
    ignore_case: bool,
    compiled: OnceLock<Option<bytes::RegexSet>>,
}

impl PathPatterns {
    pub(crate) fn new(texts: Vec<String>) -> Self {
        Self { texts, ignore_case: false, compiled: OnceLock::new() }
    }

    pub(crate) fn ignoring_case(texts: Vec<String>) -> Self {
        Self { ignore_case: true, ..Self::new(texts) }
    }

    /// The indexes of those that match.
    pub(crate) fn matches(&self, path: &str) -> Vec<usize> {
        let compile = || {
            // Byte by byte: the automaton for all of Unicode takes longer to build than a scan of
            // a small folder.
            let mut set = bytes::RegexSetBuilder::new(&self.texts);
            set.unicode(false).case_insensitive(self.ignore_case).build().ok()
        };
        let set = self.compiled.get_or_init(compile).as_ref();
        set.map(|set| set.matches(path.as_bytes()).into_iter().collect()).unwrap_or_default()
    }
}
