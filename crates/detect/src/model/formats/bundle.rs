//! TensorFlow's checkpoints: an index (a table of LevelDB) and shards of numbers. No code.

use crate::detector::{Context, View};
use crate::model::format::{Format, named};
use crate::model::found::Found;
use lidless_core::Entry;
use lidless_io::read_vec;

/// The index of a checkpoint, or one of its shards.
pub(crate) struct Bundle;

impl Format for Bundle {
    fn name(&self) -> &'static str {
        "tensorflow-checkpoint"
    }

    fn recognises(&self, entry: &Entry, head: &[u8]) -> bool {
        let name = entry.lower_file_name();
        let shard = name
            .rsplit_once(".data-")
            .is_some_and(|(_, rest)| rest.len() == 14 && rest.get(5..9) == Some("-of-"));
        // The first entry of the table has an empty key: it is the header of the bundle.
        shard || (named(entry, &[".index"]) && head.starts_with(&[0, 0]))
    }

    fn look(&self, view: &View<'_>, _context: &Context, found: &mut Found) {
        if !named(&view.artifact.entry, &[".index"]) {
            return;
        }
        let bytes = &*view.artifact.bytes;
        let magic = read_vec(bytes, bytes.len().saturating_sub(8), 8).unwrap_or_default();
        // Another file of that name, or one that was cut.
        found.is_none = magic != b"\x57\xfb\x80\x8b\x24\x75\x47\xdb";
    }
}
