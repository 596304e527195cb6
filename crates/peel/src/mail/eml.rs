//! A single mail as it goes over the wire (RFC 5322): `.eml`, a file of a Maildir, an MHTML page.

use super::header::Headers;
use super::mime;
use crate::peeler::{Peeler, Sink};
use crate::plain::{is_given_text, read_whole};
use lidless_core::{Artifact, Gap, Limits};
use lidless_io::ReadAt as _;

/// A mail.
pub(crate) struct Eml;

impl Peeler for Eml {
    fn name(&self) -> &'static str {
        "mail"
    }

    fn recognises(&self, artifact: &Artifact, head: &[u8]) -> bool {
        !is_given_text(artifact) && Headers::begin(head)
    }

    fn peel(&self, artifact: &Artifact, head: &[u8], limits: &Limits, sink: &mut dyn Sink) {
        let place = &artifact.entry.provenance;
        let length = artifact.bytes.len();
        if u64::try_from(head.len()).is_ok_and(|known| known >= length) {
            mime::peel(head, place, limits, sink);
            return;
        }
        let Some(bytes) = read_whole(artifact, limits, sink) else { return };
        mime::peel(&bytes, place, limits, sink);
        if length > limits.memory_bytes {
            let rest = length.saturating_sub(limits.memory_bytes);
            sink.gap(Gap::new(place, "a mail larger than the memory limit", Some(rest)));
        }
    }
}
