//! A single mail as it goes over the wire (RFC 5322): `.eml`, a file of a Maildir, an MHTML page.

use super::header::Headers;
use super::mime;
use crate::peeler::{Peeler, Sink};
use crate::plain::is_given_text;
use lidless_core::{Artifact, Gap, Limits};
use lidless_io::{ReadAt as _, read_vec};

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
        match read_vec(&*artifact.bytes, 0, limits.memory_bytes) {
            Ok(bytes) => mime::peel(&bytes, place, limits, sink),
            Err(error) => {
                sink.gap(Gap::new(place, format!("could not be read: {error}"), Some(length)));
                return;
            }
        }
        if length > limits.memory_bytes {
            let rest = length.saturating_sub(limits.memory_bytes);
            sink.gap(Gap::new(place, "a mail larger than the memory limit", Some(rest)));
        }
    }
}
