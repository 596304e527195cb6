//! llamafile and other models that are programs: an Actually Portable Executable with the
//! weights behind it.

use crate::detector::{Context, View};
use crate::model::danger::Danger;
use crate::model::format::{Format, named};
use crate::model::found::Found;
use lidless_core::Entry;

/// A model that is a program.
pub(crate) struct Executable;

impl Format for Executable {
    fn name(&self) -> &'static str {
        "llamafile"
    }

    fn recognises(&self, entry: &Entry, head: &[u8]) -> bool {
        let portable = head.starts_with(b"MZqFpD=") || head.starts_with(b"jartsr=");
        let program = head.starts_with(b"\x7fELF") || head.starts_with(b"MZ");
        portable || (program && named(entry, &[".llamafile", ".gguf", ".safetensors", ".onnx"]))
    }

    fn look(&self, view: &View<'_>, _context: &Context, found: &mut Found) {
        let kind = match view.head {
            [b'M', b'Z', b'q', b'F', ..] | [b'j', b'a', b'r', ..] => "for several systems",
            [0x7f, ..] => "for Linux",
            _ => "for Windows",
        };
        found.danger(Danger::Executable, &format!("an executable {kind}"), Some(0));
    }
}
