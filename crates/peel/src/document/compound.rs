//! A compound file as a wrapping: an old document of Office, a message of Outlook, macros, or
//! just streams.

use super::labels::labelled;
use super::macros::macros;
use super::native::native;
use super::presentation::presentation_text;
use super::word::word_text;
use super::workbook::workbook_text;
use crate::error::PeelError;
use crate::mail::msg;
use crate::peeler::{Peeler, Sink};
use crate::plain::give_text;
use lidless_core::{Artifact, Entry, Gap, Interest, Layer, Limits, Provenance};
use lidless_io::{MemoryBytes, ReadAt};
use lidless_records::{CompoundFile, RecordError, Stored, StoredKind};
use std::sync::Arc;

const MAGIC: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// A compound file.
pub(crate) struct Compound;

/// The text of a document, and whether it is all of it; or why there is none.
pub(super) type DocumentText = Result<(String, bool), PeelError>;

/// An old document that is encrypted.
pub(super) fn encrypted() -> PeelError {
    PeelError::Closed("an encrypted document".to_owned())
}

/// How the text of a kind of document is read: from at most so many bytes.
type Reader = fn(&CompoundFile, u64) -> DocumentText;

/// Kinds of documents, by the stream that tells.
const KINDS: [(&str, Reader); 4] = [
    ("WordDocument", word_text),
    ("Workbook", workbook_text),
    ("Book", workbook_text),
    ("PowerPoint Document", presentation_text),
];

impl Peeler for Compound {
    fn name(&self) -> &'static str {
        "compound file"
    }

    fn recognises(&self, _artifact: &Artifact, head: &[u8]) -> bool {
        head.starts_with(MAGIC)
    }

    fn peel(&self, artifact: &Artifact, _head: &[u8], limits: &Limits, sink: &mut dyn Sink) {
        let place = &artifact.entry.provenance;
        let length = artifact.bytes.len();
        let file = match CompoundFile::open(Arc::clone(&artifact.bytes)) {
            Ok(file) => file,
            Err(error) => {
                PeelError::from(error).say(place, Some(length), sink);
                return;
            }
        };
        if file.find("EncryptedPackage").is_some() {
            encrypted().say(place, Some(length), sink);
            return;
        }
        if file.find(msg::PROPERTIES).is_some() {
            msg::peel(&file, place, limits, sink);
            return;
        }
        let mut is_closed = false;
        for (stream, read) in KINDS {
            // A workbook for two versions of Excel is there twice.
            let again = stream == "Book" && file.find("Workbook").is_some();
            if again || file.find(stream).is_none() {
                continue;
            }
            match read(&file, limits.memory_bytes / 2) {
                Ok((mut text, is_whole)) => {
                    let labelled = labelled(&text);
                    text.push_str(&labelled);
                    give_text(place, text, sink);
                    if !is_whole {
                        let reason = "a document whose text is larger than the limit";
                        sink.gap(Gap::new(place, reason, None));
                    }
                }
                Err(error) => {
                    is_closed |= matches!(error, PeelError::Closed(_));
                    error.say(place, Some(length), sink);
                }
            }
        }
        let code = macros(&file, limits.memory_bytes / 8);
        for (name, text) in code {
            let layer = Layer::Member { path: format!("{name}.bas") };
            give_text(&place.child(layer), text, sink);
        }
        if !is_closed {
            streams(&file, place, limits, sink);
        }
    }
}

/// Streams that were read already, or only say how the rest looks.
fn is_read(path: &str) -> bool {
    const READ: [&str; 14] = [
        "WordDocument",
        "0Table",
        "1Table",
        "Workbook",
        "Book",
        "PowerPoint Document",
        "Current User",
        "Pictures",
        "\u{1}CompObj",
        "\u{1}Ole",
        "\u{3}ObjInfo",
        "_VBA_PROJECT",
        "\u{5}SummaryInformation",
        "\u{5}DocumentSummaryInformation",
    ];
    let name = path.rsplit('/').next().unwrap_or(path);
    READ.contains(&name) || name.starts_with("__SRP_") || path.contains("VBA/")
}

/// Every other stream, within what the file may expand to: chains may share their sectors.
fn streams(file: &CompoundFile, place: &Provenance, limits: &Limits, sink: &mut dyn Sink) {
    let mut left = limits.expanded(file.length_bytes());
    let mut count = 0u64;
    for stored in file.stored().iter().filter(|one| one.kind == StoredKind::Stream) {
        count = count.saturating_add(1);
        if count > limits.members {
            sink.gap(Gap::new(place, "more members than the limit", None));
            return;
        }
        let layer = Layer::Member { path: stored.path.clone() };
        let entry = Entry::new(place.child(layer), Some(stored.length_bytes));
        if stored.length_bytes == 0 {
            continue;
        }
        if is_read(&stored.path) || sink.interest(&entry) == Interest::None {
            sink.inert(entry, "a stream that was read, or holds nothing by its kind");
            continue;
        }
        let bytes = file.stream(stored);
        if bytes.len() > left {
            sink.gap(Gap::new(place, "a compound file that expands past the limit", None));
            return;
        }
        left = left.saturating_sub(bytes.len());
        give(stored, entry, bytes, limits, sink);
    }
}

fn give(
    stored: &Stored,
    mut entry: Entry,
    bytes: Arc<dyn ReadAt>,
    limits: &Limits,
    sink: &mut dyn Sink,
) {
    if stored.path.ends_with("\u{1}Ole10Native")
        && let Some((name, content)) = native(&*bytes, limits.memory_bytes)
    {
        let place = entry.provenance.child(Layer::Member { path: name });
        let content: Arc<dyn ReadAt> = Arc::new(MemoryBytes::new(content));
        sink.entry(Artifact::new(Entry::new(place, Some(content.len())), content));
        return;
    }
    entry.length_bytes = Some(bytes.len());
    if !bytes.is_empty() {
        sink.entry(Artifact::new(entry, bytes));
    }
}

/// All of a stream up to `most` bytes.
pub(super) fn all(file: &CompoundFile, path: &str, most: u64) -> Result<Vec<u8>, RecordError> {
    Ok(file.read(path, most)?.unwrap_or_default())
}
