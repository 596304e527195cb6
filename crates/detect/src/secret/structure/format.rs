//! The face of every format: whether a file is of it, and what pairs it holds.

use super::pair::Pairs;
use lidless_core::Pieces;

/// A file as formats see it: its name, and its text.
pub(crate) struct Source<'t> {
    /// Its path in small letters.
    pub(crate) path: &'t str,
    /// The last part of it.
    pub(crate) name: &'t str,
    /// What stands after the last dot of the name; empty when nothing does.
    pub(crate) ending: &'t str,
    pub(crate) text: &'t str,
    /// What is known of its pieces; none when nothing is.
    pub(crate) pieces: Option<&'t Pieces>,
}

impl<'t> Source<'t> {
    /// `path` is in small letters.
    pub(crate) fn new(path: &'t str, text: &'t str) -> Self {
        let name = path.rsplit('/').next().unwrap_or("");
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        Self { path, name, ending, text, pieces: None }
    }

    pub(super) fn ends(&self, endings: &[&str]) -> bool {
        endings.contains(&self.ending)
    }

    pub(super) fn is_named(&self, names: &[&str]) -> bool {
        names.contains(&self.name)
    }

    /// The first bytes that say what a text is.
    pub(super) fn start(&self) -> &'t str {
        let text = self.text.trim_start_matches('\u{feff}').trim_start();
        let end = (0..=text.len().min(512)).rev().find(|at| text.is_char_boundary(*at));
        text.get(..end.unwrap_or(0)).unwrap_or("")
    }
}

/// One way to write down keys and values.
pub(crate) trait Format: Sync {
    /// Whether a file is of this format, by its name and its first bytes.
    fn fits(&self, source: &Source<'_>) -> bool;

    /// Whether files of this format hold secrets under no name, so that they are read even when
    /// no word in them speaks of one.
    fn is_always_read(&self) -> bool {
        false
    }

    /// Whether it looks only where a word speaks of a secret, wherever that stands.
    fn is_program(&self) -> bool {
        false
    }

    /// Adds every pair. Broken input gives the pairs that can be told; never an error.
    fn read<'t>(&self, source: &Source<'t>, pairs: &mut Pairs<'t>);
}
