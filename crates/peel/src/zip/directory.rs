//! End records and central directories.
//!
//! End record: `PK\5\6`, at 10 the number of members, at 12 the size and at 16 the offset of the
//! directory, at 20 the length of the comment. Zip64: locator `PK\6\7` right before it names the
//! record `PK\6\6`, whose numbers at 32, 40 and 48 are 64 bits wide. A directory entry is
//! `PK\1\2`: at 8 flags, 10 method, 20 and 24 the sizes, 28 to 32 lengths of name, extra and
//! comment, 34 the number of the part it lies in, 42 the offset of the local header, 46 the name.
//! Of an archive in parts the end record has at 4 the number of its own part, from 0, and at 6
//! that of the directory.

use crate::time::dos_time;
use lidless_core::Timestamp;
use lidless_io::number::wide;
use lidless_io::{Cursor, CursorError, ReadAt, read_vec};

/// One line of a central directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) name: String,
    /// Length of the name as written.
    pub(super) name_length: u16,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) packed: u64,
    pub(super) unpacked: u64,
    /// Offset of the local header as written, before any shift by bytes in front.
    pub(super) header: u64,
    /// The part of the archive that offset counts in.
    pub(super) part: u16,
    /// When the content was last changed.
    pub(super) modified: Option<Timestamp>,
}

/// Where a central directory lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct End {
    /// Offset of the end record in the file.
    pub(super) at: u64,
    /// Offset of the first of the records that end the archive: this one, or the zip64 record.
    pub(super) begins: u64,
    pub(super) members: u64,
    pub(super) size: u64,
    pub(super) offset: u64,
    /// Number of the part it lies in, from 0, and of the part that `offset` counts in.
    pub(super) part: u32,
    pub(super) first_part: u32,
}

/// How an end record begins.
const MARK: &[u8] = b"PK\x05\x06";

/// Every end record in the tail of a file, which begins at `base`; the last one first, as
/// loaders take it. What a zip64 locator points to is read from `archive`.
pub(super) fn ends(tail: &[u8], base: u64, archive: &dyn ReadAt) -> Vec<End> {
    // Hardly any file has one, which a search forwards tells sooner.
    let first = memchr::memmem::find(tail, MARK).unwrap_or(tail.len());
    let from = tail.get(first..).unwrap_or(&[]);
    memchr::memmem::rfind_iter(from, MARK)
        .map(|at| first.saturating_add(at))
        .filter_map(|at| end(tail, at, base, archive))
        // More than a few are built to exhaust.
        .take(16)
        .collect()
}

fn end(tail: &[u8], at: usize, base: u64, archive: &dyn ReadAt) -> Option<End> {
    let mut cursor = Cursor::new(tail.get(at..)?);
    cursor.skip(4).ok()?;
    let part = u32::from(cursor.u16_le().ok()?);
    let first_part = u32::from(cursor.u16_le().ok()?);
    cursor.skip(2).ok()?;
    let members = u64::from(cursor.u16_le().ok()?);
    let size = u64::from(cursor.u32_le().ok()?);
    let offset = u64::from(cursor.u32_le().ok()?);
    cursor.u16_le().ok()?;
    let position = base.saturating_add(u64::try_from(at).ok()?);
    let own = End { at: position, begins: position, members, size, offset, part, first_part };
    let wide = members == 0xffff || size == 0xffff_ffff || offset == 0xffff_ffff;
    let locator = at.checked_sub(20).and_then(|start| tail.get(start..at));
    if wide && let Some(locator) = locator {
        return Some(zip64(locator, position, archive).unwrap_or(own));
    }
    Some(own)
}

fn zip64(locator: &[u8], at: u64, archive: &dyn ReadAt) -> Option<End> {
    let mut cursor = Cursor::new(locator.strip_prefix(b"PK\x06\x07")?);
    cursor.skip(4).ok()?;
    // With bytes in front of the archive, the record is found right before its locator.
    let begins = [cursor.u64_le().ok()?, at.checked_sub(76)?];
    for begins in begins {
        let record = read_vec(archive, begins, 56).ok()?;
        let mut cursor = Cursor::new(&record);
        if cursor.take(4).is_ok_and(|magic| magic == b"PK\x06\x06") {
            cursor.skip(12).ok()?;
            let (part, first_part) = (cursor.u32_le().ok()?, cursor.u32_le().ok()?);
            cursor.skip(8).ok()?;
            let members = cursor.u64_le().ok()?;
            let (size, offset) = (cursor.u64_le().ok()?, cursor.u64_le().ok()?);
            return Some(End { at, begins, members, size, offset, part, first_part });
        }
    }
    None
}

/// The lines of a central directory, up to `limit`; stops at the first that is none.
pub(super) fn lines(directory: &[u8], limit: u64) -> Vec<Line> {
    let mut cursor = Cursor::new(directory);
    let mut found = Vec::new();
    while wide(found.len()) < limit {
        match line(&mut cursor) {
            Ok(Some(one)) => found.push(one),
            _ => break,
        }
    }
    found
}

fn line(cursor: &mut Cursor<'_>) -> Result<Option<Line>, CursorError> {
    if cursor.remaining().get(..4) != Some(b"PK\x01\x02") {
        return Ok(None);
    }
    cursor.skip(8)?;
    let flags = cursor.u16_le()?;
    let method = cursor.u16_le()?;
    let (time, date) = (cursor.u16_le()?, cursor.u16_le()?);
    cursor.skip(4)?;
    let mut packed = u64::from(cursor.u32_le()?);
    let mut unpacked = u64::from(cursor.u32_le()?);
    let name_length = cursor.u16_le()?;
    let extra = usize::from(cursor.u16_le()?);
    let comment = usize::from(cursor.u16_le()?);
    let part = cursor.u16_le()?;
    cursor.skip(6)?;
    let mut header = u64::from(cursor.u32_le()?);
    let name = member_name(cursor.take(usize::from(name_length))?);
    let extra = cursor.take(extra)?;
    cursor.skip(comment)?;
    widen(extra, &mut unpacked, &mut packed, &mut header);
    let modified = dos_time(date, time);
    Ok(Some(Line { name, name_length, flags, method, packed, unpacked, header, part, modified }))
}

/// A name up to its first zero byte: further loaders do not read.
pub(super) fn member_name(bytes: &[u8]) -> String {
    let name = bytes.split(|byte| *byte == 0).next().unwrap_or(&[]);
    String::from_utf8_lossy(name).into_owned()
}

/// Replaces numbers that did not fit 32 bits by those of the zip64 field.
pub(super) fn widen(extra: &[u8], unpacked: &mut u64, packed: &mut u64, header: &mut u64) {
    let mut cursor = Cursor::new(extra);
    while let (Ok(id), Ok(length)) = (cursor.u16_le(), cursor.u16_le()) {
        let Ok(field) = cursor.take(usize::from(length)) else { return };
        if id != 1 {
            continue;
        }
        let mut field = Cursor::new(field);
        for number in [unpacked, packed, header] {
            if *number == 0xffff_ffff {
                match field.u64_le() {
                    Ok(wide) => *number = wide,
                    Err(_) => return,
                }
            }
        }
        return;
    }
}
