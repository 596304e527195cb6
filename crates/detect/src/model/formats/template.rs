//! Chat templates on their own, and the tokenizer configurations that hold them.

use crate::detector::{Context, View};
use crate::model::format::{Format, named};
use crate::model::forward::whole_text;
use crate::model::found::Found;
use crate::model::jinja::{is_template, judge_template};
use lidless_core::Entry;

const LARGEST: u64 = 4 << 20;

/// A template file.
pub(crate) struct Template;

impl Format for Template {
    fn name(&self) -> &'static str {
        "chat-template"
    }

    fn recognises(&self, entry: &Entry, head: &[u8]) -> bool {
        // Web frameworks have templates by the thousand: only those of chats.
        let text = || String::from_utf8_lossy(head);
        named(entry, &[".jinja", ".jinja2", ".j2", ".template"])
            && (entry.lower_file_name().contains("chat_template")
                || (is_template(&text()) && text().contains("message")))
    }

    fn look(&self, view: &View<'_>, _context: &Context, found: &mut Found) {
        match whole_text(&*view.artifact.bytes, LARGEST) {
            Some(text) => judge_template(&text, None, found),
            None => found.gap("a template too long to be read"),
        }
    }
}
