//! Cabinets ("Microsoft Cabinet Format", MS-CAB): the header lists folders and files, folders are
//! streams that are decoded as far as a file in them is worth it.
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 4 | `MSCF` |
//! | 8 | 4 | size |
//! | 16 | 4 | offset of the files |
//! | 26, 28 | 2 | numbers of folders and of files |
//! | 30 | 2 | flags: `1`, `2` a cabinet before and after, `4` bytes kept for others |
//! | 36 | 4 | with that flag: bytes kept in the header (2), in a folder (1), in a block (1) |
//!
//! Folder: offset of its first block (4), number of blocks (2), compression (2). File: size (4),
//! offset in its folder (4), folder (2: from `fffd` on it lies in several cabinets), date and time
//! of MS-DOS (2, 2), attributes (2: `80` the name is UTF-8), name with a zero.

use super::folder::{Folder, Packing};
use crate::archive::members::{About, Members};
use crate::archive::tape::{Coming, Tape as _};
use crate::error::PeelError;
use crate::peeler::{Peeler, Sink};
use crate::time::dos_time;
use lidless_core::{Artifact, Entry, Interest, Limits};
use lidless_io::{Cursor, CursorError, SequentialReader, SpoolError, Window, read_vec};
use std::sync::Arc;

/// The largest list of files: as many as a cabinet may have, with names of 256 bytes.
const LARGEST_LIST: u64 = 17 << 20;
/// What of a list is read first.
const FIRST_LIST: u64 = 64 << 10;

/// A cabinet.
pub(crate) struct Cab;

impl Peeler for Cab {
    fn name(&self) -> &'static str {
        "cabinet"
    }

    fn recognises(&self, _artifact: &Artifact, head: &[u8]) -> bool {
        head.starts_with(b"MSCF\0\0\0\0")
    }

    fn peel(&self, artifact: &Artifact, head: &[u8], limits: &Limits, sink: &mut dyn Sink) {
        let mut members = Members::new(&artifact.entry.provenance, limits, sink);
        let length = artifact.bytes.len();
        if let Err(error) = open(artifact, head, limits, &mut members) {
            members.fail(&error, Some(length));
        }
        members.finish();
    }
}

/// A folder, as the header lists it.
struct Listed {
    offset: u64,
    blocks: u16,
    kind: u16,
    files: Vec<(About, u64)>,
}

struct Header {
    files_at: u64,
    files: u16,
    folders: Vec<Listed>,
    kept: u8,
}

fn header(head: &[u8]) -> Result<Header, CursorError> {
    let mut cursor = Cursor::new(head);
    cursor.skip(16)?;
    let files_at = u64::from(cursor.u32_le()?);
    cursor.skip(6)?;
    let (folders, files, flags) = (cursor.u16_le()?, cursor.u16_le()?, cursor.u16_le()?);
    cursor.skip(4)?;
    let (mut in_folder, mut kept) = (0u8, 0u8);
    if flags & 4 != 0 {
        let in_header = cursor.u16_le()?;
        in_folder = cursor.u8()?;
        kept = cursor.u8()?;
        cursor.skip(usize::from(in_header))?;
    }
    for flag in [1, 2] {
        if flags & flag != 0 {
            // Names of the cabinet before or after, and of its disk.
            text(&mut cursor)?;
            text(&mut cursor)?;
        }
    }
    let mut found = Vec::new();
    for _ in 0..folders {
        let offset = u64::from(cursor.u32_le()?);
        let (blocks, kind) = (cursor.u16_le()?, cursor.u16_le()?);
        cursor.skip(usize::from(in_folder))?;
        found.push(Listed { offset, blocks, kind, files: Vec::new() });
    }
    Ok(Header { files_at, files, folders: found, kept })
}

fn text<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], CursorError> {
    let rest = cursor.remaining();
    let end = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
    let text = cursor.take(end)?;
    cursor.skip(1)?;
    Ok(text)
}

/// A file: what is said of it, its offset in its folder, and that.
fn file(cursor: &mut Cursor<'_>) -> Result<(About, u64, u16), CursorError> {
    let length = u64::from(cursor.u32_le()?);
    let offset = u64::from(cursor.u32_le()?);
    let folder = cursor.u16_le()?;
    let (date, time) = (cursor.u16_le()?, cursor.u16_le()?);
    cursor.skip(2)?;
    let name = String::from_utf8_lossy(text(cursor)?).replace('\\', "/");
    let mut about = About::new(name, length);
    about.modified = dos_time(date, time);
    Ok((about, offset, folder))
}

fn open(
    artifact: &Artifact,
    head: &[u8],
    limits: &Limits,
    members: &mut Members<'_>,
) -> Result<(), PeelError> {
    let head = match header(head) {
        Ok(head) => head,
        // Many folders: more than the head of the file.
        Err(_) => header(&read_vec(&*artifact.bytes, 0, 1 << 20)?)
            .map_err(|error| PeelError::cursor("cabinet", 0, &error))?,
    };
    let Header { files_at, files, mut folders, kept } = head;
    // The list ends where the first folder begins.
    let end = folders.iter().map(|folder| folder.offset).min().unwrap_or(u64::MAX);
    let size = end.checked_sub(files_at).unwrap_or(LARGEST_LIST).clamp(FIRST_LIST, LARGEST_LIST);
    let list = read_vec(&*artifact.bytes, files_at, size)?;
    let mut cursor = Cursor::new(&list);
    for _ in 0..files {
        let Ok((about, offset, folder)) = file(&mut cursor) else {
            members.gap("a cabinet whose list of files breaks off", None);
            break;
        };
        if !members.one_more(None) {
            break;
        }
        if folder >= 0xfffd {
            members.closed(&about, "a cabinet member that lies in several cabinets");
            continue;
        }
        match folders.get_mut(usize::from(folder)) {
            Some(folder) => folder.files.push((about, offset)),
            None => members.closed(&about, "a cabinet member without its folder"),
        }
    }
    let mut left = limits.expanded(artifact.bytes.len());
    for folder in folders {
        let used = folder_files(artifact, folder, kept, left, members)?;
        left = left.saturating_sub(used);
    }
    Ok(())
}

/// Hands out the files of a folder; how much of it was decoded.
fn folder_files(
    artifact: &Artifact,
    folder: Listed,
    kept: u8,
    left: u64,
    members: &mut Members<'_>,
) -> Result<u64, PeelError> {
    let Listed { offset, blocks, kind, mut files } = folder;
    let Some(packing) = Packing::new(kind) else {
        let reason = match kind & 0xf {
            2 => "a cabinet member compressed by Quantum",
            _ => "a cabinet member compressed in a way that is not read",
        };
        files.iter().for_each(|(about, _)| members.closed(about, reason));
        return Ok(0);
    };
    files.sort_by_key(|(_, at)| *at);
    let files: Vec<(About, u64, Entry)> = files
        .into_iter()
        .map(|(about, at)| {
            let entry = members.entry(&about);
            (about, at, entry)
        })
        .collect();
    let wanted =
        |entry: &Entry, members: &Members<'_>| members.sink.interest(entry) != Interest::None;
    let last = files.iter().rposition(|(_, _, entry)| wanted(entry, members));
    let window = Window::new(Arc::clone(&artifact.bytes), offset, u64::MAX);
    let reader = SequentialReader::new(Arc::new(window));
    let mut tape = Coming::new(Folder::new(reader, packing, blocks, kept), left);
    let mut used = 0u64;
    let mut missing = None;
    for (index, (about, at, entry)) in files.into_iter().enumerate() {
        if last.is_none_or(|last| index > last) || !wanted(&entry, members) {
            members.sink.inert(entry, "a member of an archive that is listed only");
            continue;
        }
        used = used.max(at.saturating_add(about.length));
        let bytes = tape.member(at, about.length)?;
        if bytes.len() < about.length {
            let sum = missing.get_or_insert(0u64);
            *sum = sum.saturating_add(about.length.saturating_sub(bytes.len()));
        }
        if bytes.is_empty() && about.length > 0 {
            members.sink.inert(entry, "a member of an archive that cannot be opened");
        } else {
            members.sink.entry(Artifact::new(entry, bytes));
        }
    }
    if missing.is_some() {
        let reason = match tape.problem {
            Some(SpoolError::TooLarge { .. }) => "a cabinet that expands past the limit",
            _ => "a cabinet that breaks off",
        };
        members.gap(reason, missing);
    }
    Ok(used)
}
