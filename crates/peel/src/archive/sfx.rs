//! Programs that unpack themselves: a program of Windows with an archive behind its last section.
//!
//! The section table (PE format) says where the file as the loader sees it ends: at 60 the offset
//! of the header `PE`; in that at 6 the number of sections, at 20 the size of the optional header;
//! sections of 40 bytes follow at 24 plus that, each with its size at 16 and its place at 20.

use crate::peeler::{Peeler, Sink};
use lidless_core::{Artifact, Entry, Layer, Limits};
use lidless_io::number::u32_le;
use lidless_io::{Cursor, ReadAt, Window, read_vec};
use std::sync::Arc;

/// What an archive begins with that programs unpack. Those of zip are found from their end.
const ARCHIVES: [(&[u8], &str); 3] =
    [(b"Rar!\x1a\x07", "rar"), (b"7z\xbc\xaf\x27\x1c", "7z"), (b"MSCF\0\0\0\0", "cab")];
/// How far behind the sections an archive may begin: some makers put a text of settings first.
const BEHIND: u64 = 4 << 10;

/// A program that unpacks itself.
pub(crate) struct Sfx;

fn overlay(head: &[u8]) -> Option<u64> {
    let header = u32_le(head, 60)?;
    let header = head.get(usize::try_from(header).ok()?..)?;
    let mut cursor = Cursor::new(header);
    if cursor.take(4).ok()? != b"PE\0\0" {
        return None;
    }
    cursor.skip(2).ok()?;
    let sections = cursor.u16_le().ok()?;
    cursor.skip(12).ok()?;
    let optional = cursor.u16_le().ok()?;
    cursor.skip(usize::from(optional).checked_add(2)?).ok()?;
    let mut end = 0u64;
    for _ in 0..sections {
        let mut section = Cursor::new(cursor.take(40).ok()?);
        section.skip(16).ok()?;
        let (size, at) = (section.u32_le().ok()?, section.u32_le().ok()?);
        end = end.max(u64::from(size).checked_add(u64::from(at))?);
    }
    (end > 0).then_some(end)
}

/// Where an archive begins behind a program, and the end of a name for it.
fn archive(artifact: &Artifact, head: &[u8]) -> Option<(u64, &'static str)> {
    let at = overlay(head).filter(|at| *at < artifact.bytes.len())?;
    let bytes = read_vec(&*artifact.bytes, at, BEHIND).ok()?;
    let found = ARCHIVES.iter().filter_map(|(magic, end)| {
        let place = memchr::memmem::find(&bytes, magic)?;
        Some((at.checked_add(u64::try_from(place).ok()?)?, *end))
    });
    found.min()
}

impl Peeler for Sfx {
    fn name(&self) -> &'static str {
        "program with an archive"
    }

    fn recognises(&self, artifact: &Artifact, head: &[u8]) -> bool {
        head.starts_with(b"MZ") && archive(artifact, head).is_some()
    }

    fn peel(&self, artifact: &Artifact, head: &[u8], _limits: &Limits, sink: &mut dyn Sink) {
        let Some((at, end)) = archive(artifact, head) else { return };
        let window = Window::new(Arc::clone(&artifact.bytes), at, u64::MAX);
        let layer = Layer::Member { path: format!("[archive].{end}") };
        let entry = Entry::new(artifact.entry.provenance.child(layer), Some(window.len()));
        sink.entry(Artifact::new(entry, Arc::new(window)));
    }
}
