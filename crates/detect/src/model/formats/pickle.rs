//! Pickles of any protocol, under any name: torch's, joblib's, bare ones.

use crate::detector::{Context, View};
use crate::model::format::{Format, named};
use crate::model::found::Found;
use crate::model::pickle::{Likeness, judge_pickle, likeness};
use lidless_core::Entry;

/// A file of one or more pickles.
pub(crate) struct Pickle;

/// Names under which bytes are loaded as a pickle whatever they are.
const NAMES: [&str; 11] = [
    ".pkl",
    ".pickle",
    ".pt",
    ".pth",
    ".bin",
    ".ckpt",
    ".joblib",
    ".dill",
    ".pdparams",
    ".model",
    ".p",
];

impl Format for Pickle {
    fn name(&self) -> &'static str {
        "pickle"
    }

    fn recognises(&self, entry: &Entry, head: &[u8]) -> bool {
        let length = u64::try_from(head.len()).unwrap_or(0);
        let whole = entry.length_bytes.is_none_or(|all| all <= length);
        let model_name = named(entry, &NAMES);
        match likeness(head, whole, model_name) {
            Likeness::Sure => true,
            // A long value first, and the rest out of sight.
            Likeness::Open => model_name || !(is_text(head) || head.starts_with(b"PK\x03\x04")),
            Likeness::None => false,
        }
    }

    fn look(&self, view: &View<'_>, context: &Context, found: &mut Found) {
        let entry = &view.artifact.entry;
        let judgement = judge_pickle(&*view.artifact.bytes, 0, &context.imports);
        // Bytes that break before they import anything are no model that anybody could load.
        found.is_none = judgement.broken && judgement.imports.is_empty() && !named(entry, &NAMES);
        if entry.path().ends_with("data.pkl") && entry.provenance.depth() > 0 {
            found.format = Some("torch-zip");
        } else if judgement.streams >= 5 {
            found.format = Some("torch-legacy");
        }
        found.judgement = Some(judgement);
    }
}

fn is_text(head: &[u8]) -> bool {
    !head.iter().any(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31 | 127))
}
