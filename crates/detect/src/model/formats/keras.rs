//! Keras configurations: `config.json` of a `.keras` file, and models saved as JSON.

use crate::detector::{Context, View};
use crate::model::format::Format;
use crate::model::forward::whole_text;
use crate::model::found::Found;
use crate::model::keras::judge_config;
use lidless_core::Entry;

/// The configuration of a model with thousands of layers has 4 MB.
const LARGEST: u64 = 64 << 20;

/// A configuration of Keras in JSON.
pub(crate) struct Keras;

impl Format for Keras {
    fn name(&self) -> &'static str {
        "keras-config"
    }

    fn recognises(&self, _entry: &Entry, head: &[u8]) -> bool {
        let has = |word: &[u8]| memchr::memmem::find(head, word).is_some();
        head.trim_ascii_start().first() == Some(&b'{')
            && has(b"\"class_name\"")
            && (has(b"\"config\"") || has(b"\"module\""))
    }

    fn look(&self, view: &View<'_>, _context: &Context, found: &mut Found) {
        let Some(text) = whole_text(&*view.artifact.bytes, LARGEST) else {
            found.gap("a Keras configuration too large to be read");
            return;
        };
        if !judge_config(&text, found) {
            found.gap("a Keras configuration that is no JSON");
        }
    }
}
