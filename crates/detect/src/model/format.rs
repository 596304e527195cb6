//! The face of every model format.

use super::found::Found;
use crate::detector::{Context, View};
use lidless_core::Entry;

/// One format of model files: a new one is one new file and one line in the table.
pub(crate) trait Format: Send + Sync {
    /// `onnx`, `gguf`, ...: as reports name it.
    fn name(&self) -> &'static str;

    /// Whether a file is of this format, by its first bytes (up to 16 KiB) and, where those are
    /// not enough, by its name as well.
    fn recognises(&self, entry: &Entry, head: &[u8]) -> bool;

    /// Looks for what is dangerous in it. Never fails: what cannot be read is a gap.
    fn look(&self, view: &View<'_>, context: &Context, found: &mut Found);
}

/// Whether the name of an entry ends in one of these (lower case).
pub(crate) fn named(entry: &Entry, ends: &[&str]) -> bool {
    let name = entry.lower_file_name();
    ends.iter().any(|end| name.ends_with(end))
}
