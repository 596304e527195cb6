//! Regular expressions that are compiled when they are first needed: a program that looks into one
//! small file needs few of them.

use regex::{Captures, Regex, RegexBuilder, bytes};
use std::cell::RefCell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

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

/// Of how many a thread keeps the last path.
const KEPT: usize = 16;

/// Many for paths, matched at once; what stands for letters and digits are those of ASCII.
#[derive(Debug)]
pub(crate) struct PathPatterns {
    /// Which of all there are.
    number: usize,
    texts: Vec<String>,
    ignore_case: bool,
    compiled: OnceLock<Option<bytes::RegexSet>>,
}

thread_local! {
    /// The last path that each was asked about, and those that matched it: the versions of a file
    /// come one after the other, and each is asked about more than once.
    static LAST: RefCell<Vec<(usize, String, Vec<usize>)>> = RefCell::default();
}

static NUMBERS: AtomicUsize = AtomicUsize::new(0);

impl PathPatterns {
    pub(crate) fn new(texts: Vec<String>) -> Self {
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        Self { number, texts, ignore_case: false, compiled: OnceLock::new() }
    }

    pub(crate) fn ignoring_case(texts: Vec<String>) -> Self {
        Self { ignore_case: true, ..Self::new(texts) }
    }

    /// The indexes of those that match.
    pub(crate) fn matches(&self, path: &str) -> Vec<usize> {
        LAST.with_borrow_mut(|last| {
            match last.iter_mut().find(|(number, ..)| *number == self.number) {
                Some((_, known, hits)) => {
                    if known != path {
                        *hits = self.all(path);
                        path.clone_into(known);
                    }
                    hits.clone()
                }
                None => {
                    let hits = self.all(path);
                    // Each table of rules has a few; one that made many forgets.
                    last.truncate(KEPT);
                    last.push((self.number, path.to_owned(), hits.clone()));
                    hits
                }
            }
        })
    }

    fn all(&self, path: &str) -> Vec<usize> {
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
