//! Archives that are known and not opened: said by name, never passed over.

use crate::peeler::{Peeler, Sink};
use lidless_core::{Artifact, Gap, Limits};

/// What a format begins with, and the gap it leaves.
const FORMATS: [(&[u8], &str); 6] = [
    (b"Rar!\x1a\x07", "a RAR archive, not looked into"),
    (b"MSCF\0\0\0\0", "a cabinet archive, not looked into"),
    (b"MSWIM\0\0\0", "a Windows image (WIM), not looked into"),
    (b"\x1f\x9d", "a compress (.Z) stream, not looked into"),
    (b"!<arch>\n", "an ar archive or Debian package, not looked into"),
    (b"070701", "a cpio archive, not looked into"),
];

/// An archive that is recognised and not opened.
pub(crate) struct Opaque;

fn reason(head: &[u8]) -> Option<&'static str> {
    FORMATS.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, reason)| *reason)
}

impl Peeler for Opaque {
    fn name(&self) -> &'static str {
        "opaque"
    }

    fn recognises(&self, _artifact: &Artifact, head: &[u8]) -> bool {
        reason(head).is_some()
    }

    fn peel(&self, artifact: &Artifact, head: &[u8], _limits: &Limits, sink: &mut dyn Sink) {
        if let Some(reason) = reason(head) {
            let length = Some(artifact.bytes.len());
            sink.gap(Gap::new(&artifact.entry.provenance, reason, length));
        }
    }
}
