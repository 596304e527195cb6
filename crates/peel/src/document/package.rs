//! Office documents since 2007 and OpenDocument: zip archives of XML. The archive itself is
//! opened as every other; parts with text are put together, the rest is handed on.

use super::labels::labelled;
use super::open_document::{content, is_encrypted};
use super::paragraphs::{links, paragraphs};
use super::parts::{Role, role};
use super::sheet::{SharedStrings, names, rows};
use crate::peeler::{Peeler, Sink};
use crate::plain::give_text;
use crate::zip::Zip;
use lidless_core::{Artifact, Entry, Finding, Gap, Interest, Limits};
use lidless_io::number::{index, wide};
use lidless_io::{ReadAt as _, read_vec};
use std::collections::BTreeMap;

/// What the first member of an OpenDocument is and holds.
const OPEN_DOCUMENT: &[u8] = b"mimetypeapplication/vnd.oasis.opendocument";
const CONTENT_TYPES: &[u8] = b"[Content_Types].xml";
/// How much of the end of a file with the name of a document is looked at.
const TAIL: u64 = 64 << 10;

/// A document that is a zip archive.
pub(crate) struct Package;

fn is_open_document(head: &[u8]) -> bool {
    head.get(30..).is_some_and(|rest| rest.starts_with(OPEN_DOCUMENT))
}

impl Peeler for Package {
    fn name(&self) -> &'static str {
        "document"
    }

    fn recognises(&self, artifact: &Artifact, head: &[u8]) -> bool {
        const NAMES: [&str; 9] =
            [".docx", ".docm", ".dotx", ".xlsx", ".xlsm", ".xltx", ".pptx", ".pptm", ".ppsx"];
        if !head.starts_with(b"PK\x03\x04") {
            return false;
        }
        if is_open_document(head) || memchr::memmem::find(head, CONTENT_TYPES).is_some() {
            return true;
        }
        // Some programs write the list of parts last.
        let name = artifact.entry.lower_file_name();
        let length = artifact.bytes.len();
        NAMES.iter().any(|end| name.ends_with(end))
            && read_vec(&*artifact.bytes, length.saturating_sub(TAIL), TAIL)
                .is_ok_and(|tail| memchr::memmem::find(&tail, CONTENT_TYPES).is_some())
    }

    fn peel(&self, artifact: &Artifact, head: &[u8], limits: &Limits, sink: &mut dyn Sink) {
        let mut parts = Parts {
            sink,
            is_open_document: is_open_document(head),
            left: limits.memory_bytes / 2,
            held: BTreeMap::new(),
        };
        Zip.peel(artifact, head, limits, &mut parts);
        let held = std::mem::take(&mut parts.held);
        let place = &artifact.entry.provenance;
        let encrypted = held.iter().any(|((_, path), xml)| {
            role(path, parts.is_open_document) == Role::Manifest && is_encrypted(xml)
        });
        if encrypted {
            sink.gap(Gap::new(place, "an encrypted document", Some(artifact.bytes.len())));
            return;
        }
        let most = index(limits.memory_bytes / 2);
        let (mut text, is_whole) = together(&held, most);
        let labelled = labelled(&text);
        text.push_str(&labelled);
        give_text(place, text, sink);
        if !is_whole {
            sink.gap(Gap::new(place, "a document whose text is larger than the limit", None));
        }
    }
}

/// Takes the parts with text out of what the archive yields.
struct Parts<'a> {
    sink: &'a mut dyn Sink,
    is_open_document: bool,
    /// How many bytes of parts may still be held.
    left: u64,
    /// By how their text is ordered.
    held: BTreeMap<(u8, String), String>,
}

/// Sheets are numbered: two comes before ten.
fn numbered(path: &str) -> String {
    let digits: String = path.chars().filter(char::is_ascii_digit).take(12).collect();
    format!("{digits:0>12} {path}")
}

impl Parts<'_> {
    fn hold(&mut self, role: Role, artifact: &Artifact) -> bool {
        let Ok(bytes) = read_vec(&*artifact.bytes, 0, self.left.saturating_add(1)) else {
            return false;
        };
        let size = wide(bytes.len());
        if size > self.left {
            return false;
        }
        self.left = self.left.saturating_sub(size);
        let path = artifact.entry.provenance.path().to_owned();
        let rank = match role {
            Role::Workbook | Role::SharedStrings | Role::Manifest => 0,
            Role::Content => u8::from(path != "content.xml").saturating_add(1),
            Role::Paragraphs if path.starts_with("word/document") => 1,
            Role::Sheet => 2,
            Role::Paragraphs => 3,
            _ => 4,
        };
        let path =
            if role == Role::Sheet || role == Role::Paragraphs { numbered(&path) } else { path };
        let xml = lidless_core::Text::decode(&bytes).map_or_else(
            || String::from_utf8_lossy(&bytes).into_owned(),
            |text| text.as_str().to_owned(),
        );
        self.held.insert((rank, path), xml);
        true
    }
}

impl Sink for Parts<'_> {
    fn entry(&mut self, artifact: Artifact) {
        let path = artifact.entry.provenance.path();
        if path.eq_ignore_ascii_case("xl/workbook.bin") {
            let reason = "a binary workbook (XLSB), cells not read";
            self.gap(Gap::new(&artifact.entry.provenance, reason, artifact.entry.length_bytes));
        }
        let role = role(path, self.is_open_document);
        match role {
            Role::Layout => self.sink.inert(artifact.entry, "how a document looks"),
            Role::Other if self.sink.interest(&artifact.entry) == Interest::None => {
                self.sink.inert(artifact.entry, "an embedded file that holds nothing by its kind");
            }
            Role::Other => self.sink.entry(artifact),
            // What is too large to be put together is still looked at as it is.
            _ if self.hold(role, &artifact) => self.sink.inert(artifact.entry, "read as text"),
            _ => self.sink.entry(artifact),
        }
    }

    fn inert(&mut self, entry: Entry, reason: &'static str) {
        self.sink.inert(entry, reason);
    }

    fn gap(&mut self, gap: Gap) {
        self.sink.gap(gap);
    }

    fn finding(&mut self, finding: Finding) {
        self.sink.finding(finding);
    }

    fn interest(&self, entry: &Entry) -> Interest {
        self.sink.interest(entry)
    }
}

/// The text of all parts, and whether it is all of it.
fn together(held: &BTreeMap<(u8, String), String>, most: usize) -> (String, bool) {
    let mut out = String::new();
    let mut strings = SharedStrings::default();
    let mut sheets = Vec::new().into_iter();
    let mut is_whole = true;
    for ((_, path), xml) in held {
        // The number in front is for the order only.
        let path = path.split_once(' ').map_or(path.as_str(), |(_, path)| path);
        let open = matches!(path, "content.xml" | "styles.xml");
        is_whole &= match role(path, open) {
            Role::SharedStrings => {
                strings = SharedStrings::parse(xml);
                true
            }
            Role::Workbook => {
                sheets = names(xml).into_iter();
                true
            }
            Role::Sheet => {
                if let Some(name) = sheets.next() {
                    out.push_str(&name);
                    out.push('\n');
                }
                rows(xml, &strings, &mut out, most)
            }
            Role::Paragraphs => paragraphs(xml, &mut out, most),
            Role::Content => content(xml, &mut out, most),
            Role::Relations => {
                links(xml, &mut out);
                true
            }
            _ => true,
        };
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
    }
    (out, is_whole)
}
