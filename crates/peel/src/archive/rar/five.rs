//! RAR 5 ("RAR 5.0 archive format", rarlab). Numbers are of seven bits a byte, the lowest first,
//! the highest bit set where more follow.
//!
//! A block: CRC-32 (4 bytes), size of the rest of the header, type (1 archive, 2 file, 3 service,
//! 4 encryption, 5 end), flags (`1` extra area, `2` data, `8` and `10` continue in volumes), the
//! sizes of extra area and data where there are.
//!
//! A file: flags (`1` folder, `2` time, `4` CRC), size, attributes, time (4 bytes), CRC (4 bytes),
//! coding (bits 7 to 9: 0 is stored), system, length of the name, the name in UTF-8. A record of
//! the extra area has a size and a type (1 encryption, 5 a link).

use super::peel::{BREAKS_OFF, LOCKED, Member};
use crate::archive::members::{About, Members};
use crate::archive::tape::{Lying, Tape as _};
use crate::error::PeelError;
use lidless_io::number::index;
use lidless_io::{Cursor, CursorError};

/// The largest header there may be.
const LARGEST: u64 = 2 << 20;

fn number(cursor: &mut Cursor<'_>) -> Result<u64, CursorError> {
    let mut value = 0u64;
    for step in 0..10u32 {
        let byte = cursor.u8()?;
        value |= u64::from(byte & 0x7f).wrapping_shl(step.saturating_mul(7));
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(CursorError {
        offset: cursor.position(),
        expected: "a number".into(),
        found: "no end of it".into(),
    })
}

/// What every header begins with.
struct Head {
    kind: u64,
    flags: u64,
    extra: u64,
    data: u64,
}

impl Head {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, CursorError> {
        let (kind, flags) = (number(cursor)?, number(cursor)?);
        let extra = if flags & 1 != 0 { number(cursor)? } else { 0 };
        let data = if flags & 2 != 0 { number(cursor)? } else { 0 };
        Ok(Self { kind, flags, extra, data })
    }
}

pub(super) fn walk(tape: &mut Lying, members: &mut Members<'_>) -> Result<(), PeelError> {
    let mut at = 8u64;
    loop {
        let start = tape.read(at, 14)?;
        let rest = tape.length().map(|length| length.saturating_sub(at));
        let mut cursor = Cursor::new(&start);
        let size = cursor.skip(4).and_then(|()| number(&mut cursor));
        let first = u64::try_from(cursor.position()).unwrap_or(0);
        let Some(size) = size.ok().filter(|size| (1..=LARGEST).contains(size)) else {
            if !start.is_empty() {
                members.gap(BREAKS_OFF, rest);
            }
            return Ok(());
        };
        let header = tape.read(at.saturating_add(first), size)?;
        let mut cursor = Cursor::new(&header);
        let wrong = |error: &CursorError| PeelError::cursor("RAR", at, error);
        let head = Head::read(&mut cursor).map_err(|error| wrong(&error))?;
        let body = at.saturating_add(first).saturating_add(size);
        match head.kind {
            2 => {
                if !members.one_more(rest) {
                    return Ok(());
                }
                let member = file(&mut cursor, &header, &head, body);
                if let Some(member) = member.map_err(|error| wrong(&error))? {
                    member.give(tape, members)?;
                }
            }
            4 => {
                members.gap(LOCKED, rest);
                return Ok(());
            }
            5 => return Ok(()),
            _ => {}
        }
        at = body.saturating_add(head.data);
    }
}

/// A file, or none for folders and links.
fn file(
    cursor: &mut Cursor<'_>,
    header: &[u8],
    head: &Head,
    start: u64,
) -> Result<Option<Member>, CursorError> {
    let flags = number(cursor)?;
    let length = number(cursor)?;
    number(cursor)?;
    let time = if flags & 2 != 0 { cursor.u32_le()? } else { 0 };
    if flags & 4 != 0 {
        cursor.skip(4)?;
    }
    let coding = number(cursor)?;
    number(cursor)?;
    let name_length = index(number(cursor)?);
    let name = String::from_utf8_lossy(cursor.take(name_length)?).into_owned();
    let extra = usize::try_from(head.extra).ok();
    let extra = extra.and_then(|size| header.get(header.len().checked_sub(size)?..));
    let kinds = records(extra.unwrap_or(&[]));
    if flags & 1 != 0 || kinds.contains(&5) {
        return Ok(None);
    }
    Ok(Some(Member {
        about: About::new(name, length).changed_at(i64::from(time)),
        start,
        packed: head.data,
        is_stored: (coding >> 7) & 7 == 0,
        is_encrypted: kinds.contains(&1),
        is_split: head.flags & 0x18 != 0,
    }))
}

/// The types of the records in an extra area.
fn records(extra: &[u8]) -> Vec<u64> {
    let mut cursor = Cursor::new(extra);
    let mut kinds = Vec::new();
    while let Ok(size) = number(&mut cursor) {
        let size = index(size);
        let Ok(record) = cursor.take(size) else { break };
        kinds.extend(number(&mut Cursor::new(record)));
    }
    kinds
}
