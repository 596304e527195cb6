//! RPM packages (RPM V4 package format): lead, signature, header, compressed payload.
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 96 | lead, `ed ab ee db` |
//! | 96 | | signature: a header, padded to 8 bytes |
//! | | | header; the payload follows |
//!
//! A header, big-endian: `8e ad e8 01`, 4 reserved bytes, number of index entries, size of the
//! store; entries of tag, type, offset and count; the store.

use super::cpio::{is_cpio, walk};
use super::members::{About, Members};
use super::tape::{Coming, Lying};
use crate::coding::{Coding, decode};
use crate::error::PeelError;
use crate::peeler::{Peeler, Sink};
use lidless_core::{Artifact, Limits};
use lidless_io::number::u32_be;
use lidless_io::{
    Cursor, CursorError, MemoryBytes, SequentialReader, SpoolError, Window, read_vec,
};
use std::sync::Arc;

const LEAD: u64 = 96;
/// The largest header that is read: packages of 100,000 files have some 20 MB.
const LARGEST_HEADER: u64 = 64 << 20;
/// Scripts that run on installation: tag and name.
const SCRIPTS: [(u32, &str); 6] = [
    (1023, "[scripts]/prein"),
    (1024, "[scripts]/postin"),
    (1025, "[scripts]/preun"),
    (1026, "[scripts]/postun"),
    (1151, "[scripts]/pretrans"),
    (1152, "[scripts]/posttrans"),
];
/// What payloads begin with.
const CODINGS: [(&[u8], Coding); 6] = [
    (b"\x1f\x8b\x08", Coding::Gzip),
    (b"BZh", Coding::Bzip2),
    (b"\xfd7zXZ\0", Coding::Xz),
    (b"\x28\xb5\x2f\xfd", Coding::Zstd),
    (b"LZIP\x01", Coding::Lzip),
    (b"\x5d\0\0", Coding::Lzma),
];

/// An RPM package.
pub(crate) struct Rpm;

impl Peeler for Rpm {
    fn name(&self) -> &'static str {
        "rpm"
    }

    fn recognises(&self, _artifact: &Artifact, head: &[u8]) -> bool {
        head.starts_with(b"\xed\xab\xee\xdb") && head.get(4).is_some_and(|major| *major < 8)
    }

    fn peel(&self, artifact: &Artifact, _head: &[u8], limits: &Limits, sink: &mut dyn Sink) {
        let mut members = Members::new(&artifact.entry.provenance, limits, sink);
        let length = artifact.bytes.len();
        if let Err(error) = open(artifact, limits, &mut members) {
            members.fail(&error, Some(length));
        }
        members.finish();
    }
}

fn open(artifact: &Artifact, limits: &Limits, members: &mut Members<'_>) -> Result<(), PeelError> {
    let signature = size_of_header(artifact, LEAD)?;
    let at = LEAD.saturating_add(signature.next_multiple_of(8));
    let size = size_of_header(artifact, at)?;
    if size > LARGEST_HEADER {
        return Err(PeelError::Limit("an RPM package with a header larger than the limit"));
    }
    let header = read_vec(&*artifact.bytes, at, size)?;
    for (tag, path) in SCRIPTS {
        if let Some(script) = text(&header, tag) {
            let about = About::new(path, u64::try_from(script.len()).unwrap_or(0));
            let bytes = MemoryBytes::new(script.to_vec());
            members.made(&about, "an RPM script that breaks off", |_| Ok(Arc::new(bytes)))?;
        }
    }
    let start = at.saturating_add(size);
    let payload = Window::new(Arc::clone(&artifact.bytes), start, u64::MAX);
    let head = read_vec(&payload, 0, 4 << 10)?;
    if head.is_empty() {
        members.gap("an RPM package without its payload", None);
        return Ok(());
    }
    if is_cpio(&head) {
        walk(&mut Lying::new(Arc::new(payload)), members);
        return Ok(());
    }
    let Some((_, coding)) = CODINGS.iter().find(|(magic, _)| head.starts_with(magic)) else {
        let named = text(&header, 1125).map(String::from_utf8_lossy).unwrap_or_default();
        let known = ["gzip", "bzip2", "xz", "lzma", "zstd"].contains(&&*named);
        let reason = if known {
            "an RPM package whose payload is broken"
        } else {
            "an RPM package compressed in a way that is not read"
        };
        return Err(PeelError::Closed(reason.to_owned()));
    };
    let limit = limits.expanded(artifact.bytes.len());
    let reader = SequentialReader::new(Arc::new(payload));
    let mut tape = Coming::new(decode(*coding, reader), limit);
    walk(&mut tape, members);
    match tape.problem {
        Some(SpoolError::TooLarge { .. }) => {
            members.gap("an RPM package that expands past the limit", None);
        }
        Some(SpoolError::Broken { .. }) => members.gap("an RPM payload that breaks off", None),
        None => {}
    }
    Ok(())
}

fn size_of_header(artifact: &Artifact, at: u64) -> Result<u64, PeelError> {
    let bytes = read_vec(&*artifact.bytes, at, 16)?;
    let sizes = || -> Result<(u32, u32), CursorError> {
        let mut cursor = Cursor::new(&bytes);
        cursor.skip(8)?;
        Ok((u32::from_be_bytes(cursor.array()?), u32::from_be_bytes(cursor.array()?)))
    };
    if !bytes.starts_with(b"\x8e\xad\xe8\x01") {
        return Err(PeelError::malformed("RPM", at, "a header", "none"));
    }
    let (entries, store) = sizes().map_err(|error| PeelError::cursor("RPM", at, &error))?;
    let size = u64::from(entries).saturating_mul(16).saturating_add(u64::from(store));
    Ok(size.saturating_add(16))
}

/// The bytes of a text in a header, without the zero that ends them.
fn text(header: &[u8], wanted: u32) -> Option<&[u8]> {
    let entries = u32_be(header, 8)?;
    let entries = usize::try_from(entries).ok()?;
    let store = header.get(entries.checked_mul(16)?.checked_add(16)?..)?;
    let index = header.get(16..)?.chunks_exact(16).take(entries);
    for entry in index {
        let number = |at: usize| u32_be(entry, at);
        // Types 6 and 8 are texts.
        if number(0)? == wanted && matches!(number(4)?, 6 | 8) {
            let rest = store.get(usize::try_from(number(8)?).ok()?..)?;
            let end = rest.iter().position(|byte| *byte == 0)?;
            return rest.get(..end);
        }
    }
    None
}
