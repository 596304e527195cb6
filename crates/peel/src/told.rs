//! Archives and stores of mail that are known and not opened: said by name, never passed over.

use crate::peeler::{Peeler, Sink};
use lidless_core::{Artifact, Gap, Limits};

/// An offset, and what stands there.
type Magic = (usize, &'static [u8]);

/// Formats that are recognised and not opened.
pub(crate) struct Told {
    name: &'static str,
    /// What each has at which offsets, and the gap it leaves.
    formats: &'static [(&'static [Magic], &'static str)],
}

impl Told {
    /// Archives.
    pub(crate) const ARCHIVES: Self = Self { name: "opaque", formats: ARCHIVES };
    /// Stores of mail.
    pub(crate) const MAIL: Self = Self { name: "mail store", formats: MAIL };

    fn reason(&self, head: &[u8]) -> Option<&'static str> {
        let has = |(offset, magic): &Magic| {
            head.get(*offset..).is_some_and(|rest| rest.starts_with(magic))
        };
        self.formats.iter().find(|(magics, _)| magics.iter().all(has)).map(|(_, reason)| *reason)
    }
}

impl Peeler for Told {
    fn name(&self) -> &'static str {
        self.name
    }

    fn recognises(&self, _artifact: &Artifact, head: &[u8]) -> bool {
        self.reason(head).is_some()
    }

    fn peel(&self, artifact: &Artifact, head: &[u8], _limits: &Limits, sink: &mut dyn Sink) {
        if let Some(reason) = self.reason(head) {
            let length = Some(artifact.bytes.len());
            sink.gap(Gap::new(&artifact.entry.provenance, reason, length));
        }
    }
}

const ARCHIVES: &[(&[Magic], &str)] = &[
    // The type of the first header says that it is the archive's own.
    (&[(0, b"\x60\xea"), (10, b"\x02")], "an ARJ archive, not looked into"),
    (&[(2, b"-lh"), (6, b"-")], "an LHA archive, not looked into"),
    (&[(0, b"ZOO "), (20, b"\xdc\xa7\xc4\xfd")], "a ZOO archive, not looked into"),
    (&[(7, b"**ACE**")], "an ACE archive, not looked into"),
    (&[(0, b"StuffIt ")], "a StuffIt archive, not looked into"),
];

const MAIL: &[(&[Magic], &str)] = &[
    (&[(0, b"\x1a\x00\x00\x04\x00\x00")], "a Notes database (NSF), not looked into"),
    (&[(0, b"\xcf\xad\x12\xfe")], "an Outlook Express folder (DBX), not looked into"),
    (&[(0, b"JMF9")], "an Outlook Express folder (MBX), not looked into"),
    (
        &[(0, b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3")],
        "a OneNote section (ONE), text not read",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_what_they_hold() {
        let arj = b"\x60\xea\x2b\0\x22\x0b\x01\x0b\x10\0\x02\xbf";
        assert_eq!(Told::ARCHIVES.reason(arj), Some("an ARJ archive, not looked into"));
        assert_eq!(Told::ARCHIVES.reason(b"\x60\xea\x2b\0\x22\x0b\x01\x0b\x10\0\0\xbf"), None);
        assert_eq!(
            Told::ARCHIVES.reason(b"\x20\x30-lh5-rest"),
            Some("an LHA archive, not looked into")
        );
        assert_eq!(Told::ARCHIVES.reason(b"a text"), None);
    }
}
