//! tar: v7, ustar, pax, GNU and star (POSIX.1-2001 pax; GNU tar manual, "Basic Tar Format").
//! Headers are walked, contents are windows.
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 100 | name |
//! | 124 | 12 | size, octal or base-256 |
//! | 136 | 12 | time of the last change |
//! | 148 | 8 | checksum, octal |
//! | 156 | 1 | type |
//! | 257 | 6 | `ustar` |
//! | 345 | 155 | prefix of the name |
//! | 386 | 96 | GNU, type `S`: four pieces of a sparse file, each offset and length |
//! | 482 | 1 | more pieces follow in blocks of 21, which say at 504 whether there are more |
//! | 483 | 12 | its whole size |

use super::members::{About, Members};
use super::tape::{Lying, Tape, sparse};
use crate::error::PeelError;
use crate::peeler::{Peeler, Sink};
use lidless_core::{Artifact, Limits};
use lidless_io::MemoryBytes;
use std::sync::Arc;

/// Headers and contents come in blocks of this size.
const BLOCK: u64 = 512;
/// Names and pax headers longer than this are none.
const LONGEST_NAME: u64 = 1 << 20;
/// How far behind the end of an archive another one is looked for: more than a record of a tape.
const BEHIND: u64 = 64 << 10;
/// More pieces than this are no sparse file of a tool.
const MOST_PIECES: usize = 1 << 16;
const BREAKS_OFF: &str = "a tar member that breaks off";

/// A tar archive.
pub(crate) struct Tar;

impl Peeler for Tar {
    fn name(&self) -> &'static str {
        "tar"
    }

    fn recognises(&self, _artifact: &Artifact, head: &[u8]) -> bool {
        is_tar(head)
    }

    fn peel(&self, artifact: &Artifact, _head: &[u8], limits: &Limits, sink: &mut dyn Sink) {
        let mut tape = Lying::new(Arc::clone(&artifact.bytes));
        let mut members = Members::new(&artifact.entry.provenance, limits, sink);
        walk(&mut tape, &mut members);
        members.finish();
    }
}

/// Whether bytes begin a tar archive.
pub(super) fn is_tar(head: &[u8]) -> bool {
    head.get(..512).is_some_and(|block| {
        let marked = block.get(257..262) == Some(b"ustar");
        (marked || block.first().is_some_and(u8::is_ascii_graphic)) && has_checksum(block)
    })
}

/// What headers in front of a member say of it.
#[derive(Default)]
struct Before {
    name: Option<String>,
    /// The name of a sparse file, which has another one in its header.
    sparse_name: Option<String>,
    size: Option<u64>,
    modified: Option<i64>,
    /// The whole size and the pieces of a sparse file; the pieces of version 1.0 stand in front
    /// of its content.
    real_size: Option<u64>,
    pieces: Vec<(u64, u64)>,
    pieces_in_content: bool,
}

impl Before {
    fn path(&self, block: &[u8]) -> String {
        self.sparse_name.clone().or_else(|| self.name.clone()).unwrap_or_else(|| name(block))
    }
}

/// Walks an archive to its end.
pub(super) fn walk(tape: &mut dyn Tape, members: &mut Members<'_>) {
    let mut offset = 0u64;
    if let Err(error) = steps(tape, members, &mut offset) {
        members.fail(&error, tape.length().map(|length| length.saturating_sub(offset)));
    }
}

fn steps(
    tape: &mut dyn Tape,
    members: &mut Members<'_>,
    offset: &mut u64,
) -> Result<(), PeelError> {
    let mut before = Before::default();
    loop {
        let block = tape.read(*offset, BLOCK)?;
        let rest = tape.length().map(|length| length.saturating_sub(*offset));
        if block.len() < 512 {
            if !block.is_empty() && block.iter().any(|byte| *byte != 0) {
                members.gap("a tar archive that breaks off", rest);
            }
            return Ok(());
        }
        if block.iter().all(|byte| *byte == 0) {
            match next_archive(tape, offset.saturating_add(BLOCK), members)? {
                Some(next) => *offset = next,
                None => return Ok(()),
            }
            continue;
        }
        if !has_checksum(&block) {
            members.gap("a tar archive that breaks off", rest);
            return Ok(());
        }
        if !members.one_more(rest) {
            return Ok(());
        }
        *offset = offset.saturating_add(BLOCK);
        let kind = block.get(156).copied().unwrap_or(0);
        let own = number(block.get(124..136).unwrap_or(&[])).unwrap_or(0);
        let size = match kind {
            b'L' | b'K' | b'x' | b'X' | b'g' => own,
            // A hard link has the size of its file, and no content.
            b'1' => 0,
            _ => before.size.unwrap_or(own),
        };
        let body = *offset;
        match kind {
            b'L' => before.name = Some(cut(&tape.read(body, size.min(LONGEST_NAME))?)),
            b'x' | b'X' => pax(&tape.read(body, size.min(LONGEST_NAME))?, &mut before),
            b'K' | b'g' => {}
            b'S' => {
                let header = more_pieces(tape, &block, &mut before, offset)?;
                member(tape, members, &std::mem::take(&mut before), &block, *offset, size)?;
                if !header {
                    members.gap("a tar archive that breaks off", rest);
                    return Ok(());
                }
            }
            0 | b'0' | b'7' | b'M' => {
                if kind == b'M' {
                    members.gap("a tar member that begins in another volume", Some(size));
                }
                let name = before.path(&block);
                // In the oldest archives a slash marks a folder.
                if !(name.ends_with('/') && size == 0) {
                    member(tape, members, &before, &block, body, size)?;
                }
                before = Before::default();
            }
            _ => before = Before::default(),
        }
        *offset = offset.saturating_add(size.div_ceil(BLOCK).saturating_mul(BLOCK));
        if tape.length().is_some_and(|length| *offset > length.saturating_add(BLOCK)) {
            return Ok(());
        }
    }
}

/// Hands out a member whose content begins at `body`.
fn member(
    tape: &mut dyn Tape,
    members: &mut Members<'_>,
    before: &Before,
    block: &[u8],
    body: u64,
    size: u64,
) -> Result<(), PeelError> {
    let path = before.path(block);
    let own = number(block.get(136..148).unwrap_or(&[])).and_then(|time| i64::try_from(time).ok());
    let time = before.modified.or(own).unwrap_or(0);
    let is_sparse = !before.pieces.is_empty() || before.pieces_in_content;
    if !is_sparse {
        return members.stored(tape, &About::new(path, size).changed_at(time), body, BREAKS_OFF);
    }
    let real = before.real_size.unwrap_or(size);
    let about = About::new(path, real).changed_at(time);
    members.made(&about, BREAKS_OFF, |_| {
        let (mut body, mut size, mut pieces) = (body, size, before.pieces.clone());
        if before.pieces_in_content {
            let (found, length) = pieces_at(tape, body, size)?;
            body = body.saturating_add(length);
            size = size.saturating_sub(length);
            pieces = found;
        }
        let stored = tape.member(body, size)?;
        if stored.is_empty() && size > 0 {
            return Ok(Arc::new(MemoryBytes::default()));
        }
        Ok(sparse(stored, &pieces, real))
    })
}

/// The pieces of a sparse file of the old GNU kind: in its header and in the blocks behind it.
/// False when one of those is missing.
fn more_pieces(
    tape: &mut dyn Tape,
    block: &[u8],
    before: &mut Before,
    offset: &mut u64,
) -> Result<bool, PeelError> {
    before.real_size = block.get(483..495).and_then(number);
    before.pieces = pieces(block.get(386..482).unwrap_or(&[]));
    let mut more = block.get(482).is_some_and(|flag| *flag != 0);
    while more {
        let block = tape.read(*offset, BLOCK)?;
        if block.len() < 512 || before.pieces.len() > MOST_PIECES {
            return Ok(false);
        }
        *offset = offset.saturating_add(BLOCK);
        before.pieces.extend(pieces(block.get(..504).unwrap_or(&[])));
        more = block.get(504).is_some_and(|flag| *flag != 0);
    }
    // A file of nothing but a hole has an empty piece at its end.
    if before.pieces.is_empty() {
        before.pieces.push((0, 0));
    }
    Ok(true)
}

fn pieces(table: &[u8]) -> Vec<(u64, u64)> {
    table
        .chunks_exact(24)
        .take_while(|piece| piece.first().is_some_and(|byte| *byte != 0))
        .filter_map(|piece| Some((number(piece.get(..12)?)?, number(piece.get(12..)?)?)))
        .collect()
}

/// The pieces of a sparse file of version 1.0 of pax: decimal lines in front of its content, and
/// how many bytes those take.
fn pieces_at(
    tape: &mut dyn Tape,
    body: u64,
    size: u64,
) -> Result<(Vec<(u64, u64)>, u64), PeelError> {
    let mut text = Vec::new();
    let mut numbers: Vec<u64> = Vec::new();
    let mut line = Vec::new();
    let mut read = 0u64;
    while read < size {
        text.clear();
        text.extend(tape.read(body.saturating_add(read), BLOCK)?);
        if text.is_empty() {
            break;
        }
        read = read.saturating_add(BLOCK);
        for byte in &text {
            if *byte != b'\n' {
                line.push(*byte);
                if line.len() > 20 {
                    return Ok((Vec::new(), read));
                }
                continue;
            }
            let number = std::str::from_utf8(&line).ok().and_then(|line| line.parse().ok());
            numbers.push(number.unwrap_or(0));
            line.clear();
            let count = numbers.first().and_then(|count| usize::try_from(*count).ok());
            let wanted = count.unwrap_or(0).saturating_mul(2).saturating_add(1);
            if numbers.len() >= wanted || numbers.len() > MOST_PIECES {
                let pairs = numbers.get(1..).unwrap_or(&[]).chunks_exact(2);
                let pieces = pairs.filter_map(|pair| Some((*pair.first()?, *pair.get(1)?)));
                return Ok((pieces.collect(), read));
            }
        }
    }
    Ok((Vec::new(), read))
}

/// Where another archive begins behind the end of one: tapes and `cat` leave them so.
fn next_archive(
    tape: &mut dyn Tape,
    from: u64,
    members: &mut Members<'_>,
) -> Result<Option<u64>, PeelError> {
    let mut at = from;
    while at < from.saturating_add(BEHIND) {
        let block = tape.read(at, BLOCK)?;
        if block.len() < 512 {
            return Ok(None);
        }
        if block.iter().any(|byte| *byte != 0) {
            if has_checksum(&block) {
                return Ok(Some(at));
            }
            break;
        }
        at = at.saturating_add(BLOCK);
    }
    if let Some(rest) = tape.length().map(|length| length.saturating_sub(at)).filter(|n| *n > 0) {
        members.gap("bytes behind the end of a tar archive, not looked into", Some(rest));
    }
    Ok(None)
}

fn cut(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or(&[])).into_owned()
}

fn name(block: &[u8]) -> String {
    let name = cut(block.get(..100).unwrap_or(&[]));
    let star = block.get(508..512) == Some(b"tar\0");
    let prefix = match block.get(257..263) {
        Some(b"ustar\0") if star => cut(block.get(345..476).unwrap_or(&[])),
        Some(b"ustar\0") => cut(block.get(345..500).unwrap_or(&[])),
        _ => String::new(),
    };
    if prefix.is_empty() { name } else { format!("{prefix}/{name}") }
}

/// An octal number, or a big-endian one marked by its first bit.
fn number(field: &[u8]) -> Option<u64> {
    let (first, rest) = field.split_first()?;
    if first & 0x80 != 0 {
        let start = u64::from(first & 0x3f);
        return rest
            .iter()
            .try_fold(start, |value, byte| value.checked_mul(256)?.checked_add(u64::from(*byte)));
    }
    let text = cut(field);
    let digits = text.trim_matches([' ', '\0']);
    if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 8).ok() }
}

fn has_checksum(block: &[u8]) -> bool {
    let Some(wanted) = block.get(148..156).and_then(number) else { return false };
    // More than all bytes of a block together: any text.
    if wanted > 512 * 255 {
        return false;
    }
    let sum = block.iter().enumerate().fold(0u64, |sum, (index, byte)| {
        let byte = if (148..156).contains(&index) { b' ' } else { *byte };
        sum.saturating_add(u64::from(byte))
    });
    // Eight spaces alone are the checksum of an empty block.
    sum == wanted && sum > 256
}

/// What a pax header says: lines of `LENGTH KEY=VALUE\n`.
fn pax(text: &[u8], before: &mut Before) {
    let mut rest = text;
    while let Some(space) = rest.iter().position(|byte| *byte == b' ') {
        let digits = rest.get(..space).and_then(|part| std::str::from_utf8(part).ok());
        let Some(length) = digits.and_then(|part| part.parse::<usize>().ok()) else { break };
        let Some(record) = rest.get(space.saturating_add(1)..length) else { break };
        let record = String::from_utf8_lossy(record);
        let Some((key, value)) = record.trim_end_matches('\n').split_once('=') else { break };
        let decimal = value.parse::<u64>().ok();
        match key {
            "path" => before.name = Some(value.to_owned()),
            "GNU.sparse.name" => before.sparse_name = Some(value.to_owned()),
            "size" => before.size = decimal,
            "mtime" => before.modified = value.split('.').next().and_then(|t| t.parse().ok()),
            "GNU.sparse.realsize" | "GNU.sparse.size" => before.real_size = decimal,
            "GNU.sparse.major" => before.pieces_in_content = decimal == Some(1),
            "GNU.sparse.offset" if before.pieces.len() < MOST_PIECES => {
                before.pieces.push((decimal.unwrap_or(0), 0));
            }
            "GNU.sparse.numbytes" => {
                if let (Some((_, size)), Some(decimal)) = (before.pieces.last_mut(), decimal) {
                    *size = decimal;
                }
            }
            "GNU.sparse.map" => {
                let numbers: Vec<u64> =
                    value.split(',').map_while(|part| part.parse().ok()).collect();
                let pairs = numbers.chunks_exact(2).take(MOST_PIECES);
                before.pieces =
                    pairs.filter_map(|pair| Some((*pair.first()?, *pair.get(1)?))).collect();
            }
            _ => {}
        }
        rest = rest.get(length..).unwrap_or(&[]);
    }
}
