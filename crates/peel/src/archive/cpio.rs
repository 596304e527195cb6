//! cpio: new portable (`newc`, with and without checksum), old portable (`odc`) and old binary
//! archives of either byte order (cpio(5)).
//!
//! | kind | magic | numbers | fields in order |
//! | --- | --- | --- | --- |
//! | newc | `070701`, `070702` | 8 hexadecimal digits | inode, mode, uid, gid, links, mtime, size, device 2, special 2, name size, checksum |
//! | odc | `070707` | 6 octal digits, 11 for mtime and size | device, inode, mode, uid, gid, links, special, mtime, name size, size |
//! | binary | `c7 71` or `71 c7` | 16 bits, two for mtime and size, the higher first | as odc |
//!
//! The name follows, then the content: padded to 4 bytes in newc, to 2 in binary archives.
//! `TRAILER!!!` ends an archive; another one may follow, as in the first disks of Linux.

use super::members::{About, Members};
use super::tape::{Lying, Tape};
use crate::error::PeelError;
use crate::peeler::{Peeler, Sink};
use lidless_core::{Artifact, Limits};
use std::sync::Arc;

const LONGEST_NAME: u64 = 64 << 10;
/// How many zeros may lie between two archives.
const FILLER: u64 = 64 << 10;
const FILE: u64 = 0o100_000;
const BREAKS_OFF: &str = "a cpio member that breaks off";

/// A cpio archive.
pub(crate) struct Cpio;

impl Peeler for Cpio {
    fn name(&self) -> &'static str {
        "cpio"
    }

    fn recognises(&self, _artifact: &Artifact, head: &[u8]) -> bool {
        is_cpio(head)
    }

    fn peel(&self, artifact: &Artifact, _head: &[u8], limits: &Limits, sink: &mut dyn Sink) {
        let mut tape = Lying::new(Arc::clone(&artifact.bytes));
        let mut members = Members::new(&artifact.entry.provenance, limits, sink);
        walk(&mut tape, &mut members);
        members.finish();
    }
}

/// Whether bytes begin a cpio archive. The magic of binary ones is weak: the name has to end
/// where its length says.
pub(super) fn is_cpio(head: &[u8]) -> bool {
    header(head).is_some_and(|one| {
        let name = usize::try_from(one.header).ok().zip(usize::try_from(one.name).ok());
        name.and_then(|(start, length)| head.get(start..start.checked_add(length)?)).is_some_and(
            |name| {
                name.last() == Some(&0)
                    && name.len() > 1
                    && !name.iter().rev().skip(1).any(|byte| *byte == 0)
            },
        )
    })
}

/// What a header says.
struct Header {
    /// Length of the header itself.
    header: u64,
    /// Length of the name with its zero byte.
    name: u64,
    size: u64,
    mode: u64,
    links: u64,
    modified: u64,
    /// What name and content are padded to.
    padding: u64,
    is_new: bool,
}

fn header(bytes: &[u8]) -> Option<Header> {
    if bytes.starts_with(b"070701") || bytes.starts_with(b"070702") {
        let field = |index: usize| {
            let start = index.checked_mul(8)?.checked_add(6)?;
            number(bytes.get(start..start.checked_add(8)?)?, 16)
        };
        return Some(Header {
            header: 110,
            name: field(11)?,
            size: field(6)?,
            mode: field(1)?,
            links: field(4)?,
            modified: field(5)?,
            padding: 4,
            is_new: true,
        });
    }
    if bytes.starts_with(b"070707") {
        let field =
            |start: usize, length: usize| number(bytes.get(start..start.checked_add(length)?)?, 8);
        return Some(Header {
            header: 76,
            name: field(59, 6)?,
            size: field(65, 11)?,
            mode: field(18, 6)?,
            links: field(36, 6)?,
            modified: field(48, 11)?,
            padding: 1,
            is_new: false,
        });
    }
    let little = bytes.starts_with(b"\xc7\x71");
    if !little && !bytes.starts_with(b"\x71\xc7") {
        return None;
    }
    let word = |index: usize| {
        let start = index.checked_mul(2)?;
        let two = bytes.get(start..)?.first_chunk::<2>()?;
        let word = if little { u16::from_le_bytes(*two) } else { u16::from_be_bytes(*two) };
        Some(u64::from(word))
    };
    let wide = |index: usize| Some((word(index)? << 16) | word(index.checked_add(1)?)?);
    Some(Header {
        header: 26,
        name: word(10)?,
        size: wide(11)?,
        mode: word(3)?,
        links: word(6)?,
        modified: wide(8)?,
        padding: 2,
        is_new: false,
    })
}

fn number(digits: &[u8], radix: u32) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(digits).ok()?.trim(), radix).ok()
}

/// Walks an archive to its end.
pub(super) fn walk(tape: &mut dyn Tape, members: &mut Members<'_>) {
    let mut at = 0u64;
    if let Err(error) = steps(tape, members, &mut at) {
        members.fail(&error, tape.length().map(|length| length.saturating_sub(at)));
    }
}

fn steps(tape: &mut dyn Tape, members: &mut Members<'_>, at: &mut u64) -> Result<(), PeelError> {
    loop {
        let bytes = tape.read(*at, 110)?;
        let rest = tape.length().map(|length| length.saturating_sub(*at));
        let Some(one) = header(&bytes).filter(|one| one.name <= LONGEST_NAME) else {
            if bytes.starts_with(b"07070X") {
                members.gap("a cpio archive whose names lie outside of it", rest);
            } else {
                members.gap("a cpio archive that breaks off", rest);
            }
            return Ok(());
        };
        if !members.one_more(rest) {
            return Ok(());
        }
        let end = one.header.saturating_add(one.name);
        let name = tape.read(at.saturating_add(one.header), one.name)?;
        let name = String::from_utf8_lossy(&name).into_owned();
        let name = name.trim_end_matches('\0').to_owned();
        let body = at.saturating_add(end.next_multiple_of(one.padding));
        let next = body.saturating_add(one.size.next_multiple_of(one.padding));
        if name == "TRAILER!!!" {
            match following(tape, next, members)? {
                Some(next) => *at = next,
                None => return Ok(()),
            }
            continue;
        }
        *at = next;
        if one.mode & 0o170_000 != FILE {
            continue;
        }
        let time = i64::try_from(one.modified).unwrap_or(0);
        let about = About::new(name, one.size).changed_at(time);
        if one.is_new && one.links > 1 && one.size == 0 {
            // Of several names for one file the last has its content.
            let entry = members.entry(&about);
            members.sink.inert(entry, "a hard link to another member");
            continue;
        }
        members.stored(tape, &about, body, BREAKS_OFF)?;
    }
}

/// Where another archive begins behind the trailer of one. Anything else there is handed out.
fn following(
    tape: &mut dyn Tape,
    from: u64,
    members: &mut Members<'_>,
) -> Result<Option<u64>, PeelError> {
    let mut at = from;
    while at < from.saturating_add(FILLER) {
        let bytes = tape.read(at, 4)?;
        let Some(first) = bytes.iter().position(|byte| *byte != 0) else {
            if bytes.is_empty() {
                return Ok(None);
            }
            at = at.saturating_add(u64::try_from(bytes.len()).unwrap_or(4));
            continue;
        };
        at = at.saturating_add(u64::try_from(first).unwrap_or(0));
        if header(&tape.read(at, 110)?).is_some() {
            return Ok(Some(at));
        }
        let Some(rest) = tape.length().map(|length| length.saturating_sub(at)) else {
            members.gap("bytes behind the end of a cpio archive, not looked into", None);
            return Ok(None);
        };
        let about = About::new("[behind the archive]", rest);
        members.stored(tape, &about, at, BREAKS_OFF)?;
        return Ok(None);
    }
    Ok(None)
}
