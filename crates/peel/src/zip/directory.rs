//! End records and central directories.
//!
//! End record: `PK\5\6`, at 10 the number of members, at 12 the size and at 16 the offset of the
//! directory, at 20 the length of the comment. Zip64: locator `PK\6\7` right before it names the
//! record `PK\6\6`, whose numbers at 32, 40 and 48 are 64 bits wide. A directory entry is
//! `PK\1\2`: at 8 flags, 10 method, 20 and 24 the sizes, 28 to 32 lengths of name, extra and
//! comment, 42 the offset of the local header, 46 the name.

use lidless_io::{Cursor, CursorError};

/// One line of a central directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) packed: u64,
    pub(crate) unpacked: u64,
    /// Offset of the local header as written, before any shift by bytes in front.
    pub(crate) header: u64,
}

/// Where a central directory lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct End {
    /// Offset of the end record in the file.
    pub(crate) at: u64,
    pub(crate) members: u64,
    pub(crate) size: u64,
    pub(crate) offset: u64,
}

/// Every end record in the tail of a file, which begins at `base`; the last one first, as
/// loaders take it.
pub(crate) fn ends(tail: &[u8], base: u64) -> Vec<End> {
    let mut found = Vec::new();
    for at in (0..tail.len().saturating_sub(21)).rev() {
        if tail.get(at..at.saturating_add(4)) != Some(b"PK\x05\x06") {
            continue;
        }
        if let Ok(end) = end(tail, at, base) {
            found.push(end);
        }
        // More than a few are built to exhaust.
        if found.len() >= 8 {
            break;
        }
    }
    found
}

fn end(tail: &[u8], at: usize, base: u64) -> Result<End, CursorError> {
    let mut cursor = Cursor::new(tail.get(at..).unwrap_or(&[]));
    cursor.skip(10)?;
    let mut members = u64::from(cursor.u16_le()?);
    let mut size = u64::from(cursor.u32_le()?);
    let mut offset = u64::from(cursor.u32_le()?);
    let position = base.saturating_add(u64::try_from(at).unwrap_or(0));
    let wide = members == 0xffff || size == 0xffff_ffff || offset == 0xffff_ffff;
    if wide && let Some(found) = zip64(tail, at, base) {
        (members, size, offset) = found;
    }
    Ok(End { at: position, members, size, offset })
}

fn zip64(tail: &[u8], at: usize, base: u64) -> Option<(u64, u64, u64)> {
    let locator = tail.get(at.checked_sub(20)?..at)?;
    if !locator.starts_with(b"PK\x06\x07") {
        return None;
    }
    let mut cursor = Cursor::new(locator.get(8..)?);
    let record = cursor.u64_le().ok()?;
    let start = usize::try_from(record.checked_sub(base)?).ok()?;
    let record = tail.get(start..)?;
    if !record.starts_with(b"PK\x06\x06") {
        return None;
    }
    let mut cursor = Cursor::new(record.get(32..)?);
    Some((cursor.u64_le().ok()?, cursor.u64_le().ok()?, cursor.u64_le().ok()?))
}

/// The lines of a central directory, up to `limit`; stops at the first that is none.
pub(crate) fn lines(directory: &[u8], limit: u64) -> Vec<Line> {
    let mut cursor = Cursor::new(directory);
    let mut found = Vec::new();
    while u64::try_from(found.len()).unwrap_or(u64::MAX) < limit {
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
    cursor.skip(8)?;
    let mut packed = u64::from(cursor.u32_le()?);
    let mut unpacked = u64::from(cursor.u32_le()?);
    let name = usize::from(cursor.u16_le()?);
    let extra = usize::from(cursor.u16_le()?);
    let comment = usize::from(cursor.u16_le()?);
    cursor.skip(8)?;
    let mut header = u64::from(cursor.u32_le()?);
    let name = String::from_utf8_lossy(cursor.take(name)?).into_owned();
    let extra = cursor.take(extra)?;
    cursor.skip(comment)?;
    widen(extra, &mut unpacked, &mut packed, &mut header);
    Ok(Some(Line { name, flags, method, packed, unpacked, header }))
}

/// Replaces numbers that did not fit 32 bits by those of the zip64 field.
fn widen(extra: &[u8], unpacked: &mut u64, packed: &mut u64, header: &mut u64) {
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
