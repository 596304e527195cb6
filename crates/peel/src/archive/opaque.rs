//! Archives that are known and not opened: said by name, never passed over.

use crate::peeler::{Peeler, Sink};
use lidless_core::{Artifact, Gap, Limits};

/// An offset, and what stands there.
type Magic = (usize, &'static [u8]);

/// What a format has at which offsets, and the gap it leaves.
const FORMATS: [(&[Magic], &str); 5] = [
    // The type of the first header says that it is the archive's own.
    (&[(0, b"\x60\xea"), (10, b"\x02")], "an ARJ archive, not looked into"),
    (&[(2, b"-lh"), (6, b"-")], "an LHA archive, not looked into"),
    (&[(0, b"ZOO "), (20, b"\xdc\xa7\xc4\xfd")], "a ZOO archive, not looked into"),
    (&[(7, b"**ACE**")], "an ACE archive, not looked into"),
    (&[(0, b"StuffIt ")], "a StuffIt archive, not looked into"),
];

/// An archive that is recognised and not opened.
pub(crate) struct Opaque;

fn reason(head: &[u8]) -> Option<&'static str> {
    let has =
        |(offset, magic): &Magic| head.get(*offset..).is_some_and(|rest| rest.starts_with(magic));
    FORMATS.iter().find(|(magics, _)| magics.iter().all(has)).map(|(_, reason)| *reason)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_what_they_hold() {
        let arj = b"\x60\xea\x2b\0\x22\x0b\x01\x0b\x10\0\x02\xbf";
        assert_eq!(reason(arj), Some("an ARJ archive, not looked into"));
        assert_eq!(reason(b"\x60\xea\x2b\0\x22\x0b\x01\x0b\x10\0\0\xbf"), None);
        assert_eq!(reason(b"\x20\x30-lh5-rest"), Some("an LHA archive, not looked into"));
        assert_eq!(reason(b"a text"), None);
    }
}
