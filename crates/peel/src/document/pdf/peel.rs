//! A PDF as a wrapping: its text as one entry, its attached files.

use super::file::PdfFile;
use super::text::{Said, read};
use crate::error::PeelError;
use crate::peeler::{Peeler, Sink};
use crate::plain::{Attached, give_text};
use lidless_core::{Artifact, Gap, Limits};
use lidless_io::number::index;
use lidless_io::{MemoryBytes, ReadAt as _};
use std::sync::Arc;

/// The mark stands within the first kilobyte.
const MARK_WITHIN: usize = 1024;

/// A PDF.
pub(crate) struct Pdf;

impl Peeler for Pdf {
    fn name(&self) -> &'static str {
        "PDF"
    }

    fn recognises(&self, _artifact: &Artifact, head: &[u8]) -> bool {
        let start = head.get(..MARK_WITHIN).unwrap_or(head);
        // Text that speaks of PDF has no binary in it; files that follow the advice of the
        // standard do, and the others begin with the mark.
        start.starts_with(b"%PDF-")
            || (memchr::memmem::find(start, b"%PDF-").is_some()
                && memchr::memmem::find(head, b" obj").is_some())
    }

    fn peel(&self, artifact: &Artifact, head: &[u8], limits: &Limits, sink: &mut dyn Sink) {
        let place = &artifact.entry.provenance;
        let length = artifact.bytes.len();
        let budget = limits.expanded(length).min(limits.memory_bytes.saturating_mul(2));
        let budget = index(budget);
        let largest = index(limits.memory_bytes / 4);
        let file = match PdfFile::open(&artifact.bytes, head, budget, largest) {
            Ok(file) => file,
            Err(error) => {
                PeelError::from(error).say(place, Some(length), sink);
                return;
            }
        };
        if file.trailer.contains_key("Encrypt") {
            sink.gap(Gap::new(place, "an encrypted document", Some(length)));
            return;
        }
        if file.trailer.is_empty() || file.spots.is_empty() {
            PeelError::malformed("PDF", 0, "objects", "none").say(place, Some(length), sink);
            return;
        }
        let Said { text, files, is_blind, is_cut, pages } = read(&file, largest);
        let is_empty = text.trim().is_empty();
        give_text(place, text, sink);
        let mut attached = Attached::new(place.clone());
        for one in files {
            attached.give(&one.name, ".bin", None, sink, |_, _| {
                let bytes = file.stream_of(&one.stream)?;
                Some(Arc::new(MemoryBytes::new(bytes)))
            });
        }
        let mut gap = |reason: &str| sink.gap(Gap::new(place, reason, None));
        if is_blind {
            gap("a PDF with text in fonts that do not say their characters");
        }
        if is_cut || file.is_cut.get() {
            gap("a document whose text is larger than the limit");
        }
        if is_empty && pages > 0 && !is_blind {
            gap("a PDF without text, only pictures of pages");
        }
    }
}
