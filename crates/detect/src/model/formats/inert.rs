//! Formats that hold numbers and settings and nothing that runs: told, so that a report lists
//! them.

use crate::detector::{Context, View};
use crate::model::format::{Format, named};
use crate::model::found::Found;
use lidless_core::Entry;

/// A model of a format without code.
pub(crate) struct Inert;

fn kind(entry: &Entry, head: &[u8]) -> Option<&'static str> {
    let has = |word: &[u8]| memchr::memmem::find(head, word).is_some();
    let start = head.trim_ascii_start();
    if head.starts_with(b"binf")
        || (head.starts_with(b"{L\0\0") && has(b"learner"))
        || (start.starts_with(b"{") && has(b"\"learner\"") && has(b"\"version\""))
    {
        return Some("xgboost");
    }
    if head.starts_with(b"{")
        && head.get(1..3).is_some_and(|two| matches!(two, b"L\0" | b"U\x07" | b"i\x07"))
        && has(b"learner")
    {
        return Some("xgboost");
    }
    if start.starts_with(b"tree\nversion=v")
        || (start.starts_with(b"tree\r\n") && has(b"num_class="))
    {
        return Some("lightgbm");
    }
    if head.starts_with(b"CBM1") {
        return Some("catboost");
    }
    if named(entry, &[".msgpack"]) && matches!(head.first(), Some(0x80..=0x8f | 0xde | 0xdf)) {
        return Some("flax-msgpack");
    }
    None
}

impl Format for Inert {
    fn name(&self) -> &'static str {
        "numbers"
    }

    fn recognises(&self, entry: &Entry, head: &[u8]) -> bool {
        kind(entry, head).is_some()
    }

    fn look(&self, view: &View<'_>, _context: &Context, found: &mut Found) {
        found.format = kind(&view.artifact.entry, view.head);
    }
}
