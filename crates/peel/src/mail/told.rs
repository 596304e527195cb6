//! Stores of mail that are known and not opened: said by name, never passed over.

use crate::peeler::{Peeler, Sink};
use lidless_core::{Artifact, Gap, Limits};

/// What a format begins with, and the gap it leaves.
const FORMATS: [(&[u8], &str); 4] = [
    (b"\x1a\x00\x00\x04\x00\x00", "a Notes database (NSF), not looked into"),
    (b"\xcf\xad\x12\xfe", "an Outlook Express folder (DBX), not looked into"),
    (b"JMF9", "an Outlook Express folder (MBX), not looked into"),
    (
        b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3",
        "a OneNote section (ONE), text not read",
    ),
];

/// A store that is recognised and not opened.
pub(crate) struct Told;

fn reason(head: &[u8]) -> Option<&'static str> {
    FORMATS.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, reason)| *reason)
}

impl Peeler for Told {
    fn name(&self) -> &'static str {
        "mail store"
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
