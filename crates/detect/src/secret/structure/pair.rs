//! Keys with their values, as every format gives them.

use super::key::{Key, Meaning};
use super::link;
use super::reader::trim;
use std::borrow::Cow;
use std::ops::Range;

/// How a pair was written; it says how much a plain word is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A setting in a file of settings.
    Setting,
    /// A literal in a program.
    Literal,
    /// An argument of a call that takes a name and a password.
    Call,
    /// A word on a command line.
    Command,
    /// A file or a column that is for nothing else.
    Store,
    /// A part of a link or of a connection string.
    Link,
}

/// A key that means something, and its value.
#[derive(Debug)]
pub(crate) struct Pair<'t> {
    /// Its names from the outermost, with dots.
    pub(crate) path: String,
    pub(crate) key: Key,
    pub(crate) value: Cow<'t, str>,
    /// Where the value stands in the text, without its quotes.
    pub(crate) span: Range<usize>,
    /// Pairs of one group stand beside each other.
    pub(crate) group: usize,
    pub(crate) form: Form,
}

/// What a text held, bounded.
#[derive(Debug)]
pub(crate) struct Pairs<'t> {
    text: &'t str,
    list: Vec<Pair<'t>>,
    /// The group around each group; the first is its own.
    parents: Vec<usize>,
    /// How many pairs were left out for want of room.
    dropped: usize,
}

/// More settings than this in one file are data, and the first of them tell what it is.
const MOST_PAIRS: usize = 20_000;

/// A path is for people to read.
const LONGEST_PATH: usize = 120;

/// Longer values are keys and certificates, which have detectors of their own.
const LONGEST_VALUE: usize = 4096;

impl<'t> Pairs<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, list: Vec::new(), parents: vec![0], dropped: 0 }
    }

    pub(crate) fn list(&self) -> &[Pair<'t>] {
        &self.list
    }

    /// How many there were, with those for which there was no room.
    pub(crate) fn seen(&self) -> usize {
        self.list.len().saturating_add(self.dropped)
    }

    /// How many were left out for want of room.
    pub(crate) fn dropped(&self) -> usize {
        self.dropped
    }

    pub(crate) fn text(&self) -> &'t str {
        self.text
    }

    pub(crate) fn parent(&self, group: usize) -> usize {
        self.parents.get(group).copied().unwrap_or(0)
    }

    /// A new group inside another; the outermost when there are too many.
    pub(super) fn group(&mut self, parent: usize) -> usize {
        if self.parents.len() >= MOST_PAIRS {
            return parent;
        }
        self.parents.push(parent);
        self.parents.len().saturating_sub(1)
    }

    /// Adds a value under its key, when the key means something; and what lies in it, when it is
    /// a link or a connection string. Keys such as `value` mean what the name around them means.
    pub(super) fn push(
        &mut self,
        around: &[&str],
        name: &str,
        span: Range<usize>,
        group: usize,
        form: Form,
    ) {
        let span = trim(self.text, span);
        let Some(raw) = self.text.get(span.clone()).filter(|raw| !raw.is_empty()) else { return };
        if raw.len() > LONGEST_VALUE {
            return;
        }
        if link::may_hold(raw) && link::expand(self, around, name, &span, group) {
            return;
        }
        let Some(key) = Key::read(name, around) else { return };
        let value = Cow::Borrowed(raw);
        self.add(Pair { path: path(around, name), key, value, span, group, form });
    }

    /// Adds a value that the format itself knows the meaning of.
    pub(super) fn push_as(
        &mut self,
        meaning: Meaning,
        path: &str,
        span: Range<usize>,
        group: usize,
        form: Form,
    ) {
        let span = trim(self.text, span);
        let Some(raw) = self.text.get(span.clone()).filter(|raw| !raw.is_empty()) else { return };
        if raw.len() > LONGEST_VALUE {
            return;
        }
        let key = Key::plain(meaning);
        let value = Cow::Borrowed(raw);
        self.add(Pair { path: clean(path), key, value, span, group, form });
    }

    fn add(&mut self, pair: Pair<'t>) {
        if self.list.len() >= MOST_PAIRS {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        self.list.push(pair);
    }
}

/// Names from the outermost, the innermost four of them.
fn path(around: &[&str], name: &str) -> String {
    let skip = around.len().saturating_sub(3);
    let mut path = String::new();
    for part in around.iter().skip(skip).filter(|part| !part.is_empty()) {
        path.push_str(&clean(part));
        path.push('.');
    }
    path.push_str(&clean(name));
    if path.len() > LONGEST_PATH { clean(name) } else { path }
}

/// A name as it may be shown: short, of plain characters. A name with an `@` may be a link with a
/// password in it.
fn clean(name: &str) -> String {
    if name.contains('@') || name.chars().count() > 80 {
        return "…".to_owned();
    }
    name.chars().filter(|c| !c.is_control()).collect()
}
