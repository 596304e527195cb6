//! RAR up to version 4 (technote.txt of RAR 4.11).
//!
//! A block:
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 2 | CRC |
//! | 2 | 1 | type: `73` archive, `74` file, `7a` service, `7b` end |
//! | 3 | 2 | flags; `8000`: data of the size at 7 follows |
//! | 5 | 2 | size of the header |
//!
//! A file: at 7 the packed size and at 11 the size (their upper halves at 32 with flag `100`), 15
//! the system, 20 the time of MS-DOS, 25 the method (`30` stored), 26 the length of the name, 28
//! the attributes, then the name. Flags: `1` and `2` continue in volumes, `4` encrypted, `200` a
//! name in Unicode, `e0` a folder.

use super::peel::{BREAKS_OFF, LOCKED, Member};
use crate::archive::members::{About, Members};
use crate::archive::tape::{Lying, Tape as _};
use crate::error::PeelError;
use crate::time::dos_time;
use lidless_io::utf16;
use lidless_io::{Cursor, CursorError};

const FILE: u8 = 0x74;
const STORED: u8 = 0x30;

pub(super) fn walk(tape: &mut Lying, members: &mut Members<'_>) -> Result<(), PeelError> {
    let mut at = 7u64;
    loop {
        let block = tape.read(at, 11)?;
        let rest = tape.length().map(|length| length.saturating_sub(at));
        if block.len() < 7 {
            // The end block is missing in old archives.
            if !block.is_empty() {
                members.gap(BREAKS_OFF, rest);
            }
            return Ok(());
        }
        let head = || -> Result<(u8, u16, u16, u32), CursorError> {
            let mut cursor = Cursor::new(&block);
            cursor.skip(2)?;
            let (kind, flags, size) = (cursor.u8()?, cursor.u16_le()?, cursor.u16_le()?);
            let data = if flags & 0x8000 != 0 { cursor.u32_le()? } else { 0 };
            Ok((kind, flags, size, data))
        };
        let (kind, flags, size, data) =
            head().map_err(|error| PeelError::cursor("RAR", at, &error))?;
        if !(0x72..=0x7b).contains(&kind) || size < 7 {
            members.gap(BREAKS_OFF, rest);
            return Ok(());
        }
        if kind == 0x7b {
            return Ok(());
        }
        if kind == 0x73 && flags & 0x80 != 0 {
            members.gap(LOCKED, rest);
            return Ok(());
        }
        let mut packed = u64::from(data);
        let start = at.saturating_add(u64::from(size));
        if kind == FILE {
            if !members.one_more(rest) {
                return Ok(());
            }
            let header = tape.read(at, u64::from(size))?;
            let (member, is_folder) = file(&header, flags, start)
                .map_err(|error| PeelError::cursor("RAR", at, &error))?;
            packed = member.packed;
            if !is_folder {
                member.give(tape, members)?;
            }
        }
        at = start.saturating_add(packed);
    }
}

fn file(header: &[u8], flags: u16, start: u64) -> Result<(Member, bool), CursorError> {
    let mut cursor = Cursor::new(header);
    cursor.skip(7)?;
    let mut packed = u64::from(cursor.u32_le()?);
    let mut length = u64::from(cursor.u32_le()?);
    cursor.skip(5)?;
    let (time, date) = (cursor.u16_le()?, cursor.u16_le()?);
    cursor.skip(1)?;
    let method = cursor.u8()?;
    let name_length = cursor.u16_le()?;
    cursor.skip(4)?;
    if flags & 0x100 != 0 {
        packed |= u64::from(cursor.u32_le()?) << 32;
        length |= u64::from(cursor.u32_le()?) << 32;
    }
    let name = cursor.take(usize::from(name_length))?;
    let mut about = About::new(decode_name(name, flags & 0x200 != 0).replace('\\', "/"), length);
    about.modified = dos_time(date, time);
    let member = Member {
        about,
        start,
        packed,
        is_stored: method == STORED,
        is_encrypted: flags & 4 != 0,
        is_split: flags & 3 != 0,
    };
    Ok((member, flags & 0xe0 == 0xe0))
}

/// A name: UTF-8; or one in the code page of its machine, a zero, and what turns that into
/// UTF-16: a high byte, then two bits a character that say how it is made.
fn decode_name(name: &[u8], unicode: bool) -> String {
    let zero = name.iter().position(|byte| *byte == 0);
    let Some(zero) = zero.filter(|_| unicode) else {
        return String::from_utf8_lossy(name.split(|byte| *byte == 0).next().unwrap_or(&[])).into();
    };
    let (plain, rest) = name.split_at_checked(zero).unwrap_or((name, &[]));
    wide_name(plain, rest.get(1..).unwrap_or(&[]))
        .unwrap_or_else(|| String::from_utf8_lossy(plain).into_owned())
}

fn wide_name(plain: &[u8], coded: &[u8]) -> Option<String> {
    let mut cursor = Cursor::new(coded);
    let high = u16::from(cursor.u8().ok()?) << 8;
    let mut units: Vec<u16> = Vec::new();
    let (mut flags, mut left) = (0u8, 0u8);
    while !cursor.is_at_end() && units.len() < 2048 {
        if left == 0 {
            flags = cursor.u8().ok()?;
            left = 4;
            if cursor.is_at_end() {
                break;
            }
        }
        match flags >> 6 {
            0 => units.push(u16::from(cursor.u8().ok()?)),
            1 => units.push(u16::from(cursor.u8().ok()?) | high),
            2 => units.push(cursor.u16_le().ok()?),
            _ => {
                let length = cursor.u8().ok()?;
                let shifted = length & 0x80 != 0;
                let add = if shifted { cursor.u8().ok()? } else { 0 };
                for _ in 0..u16::from(length & 0x7f).saturating_add(2) {
                    let byte = plain.get(units.len()).copied()?;
                    let unit = if shifted {
                        u16::from(byte.wrapping_add(add)) | high
                    } else {
                        u16::from(byte)
                    };
                    units.push(unit);
                }
            }
        }
        flags <<= 2;
        left = left.saturating_sub(1);
    }
    Some(utf16::text(units))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_unicode_are_put_together() {
        // High byte 4; "n" as it is, then two letters of Cyrillic by their low byte.
        let name = b"n??\0\x04\x14n\x3f\x40";
        assert_eq!(decode_name(name, true), "n\u{43f}\u{440}");
        assert_eq!(decode_name(b"plain.txt", true), "plain.txt");
        // Three characters are those of the plain name.
        assert_eq!(decode_name(b"abc\0\0\xc0\x01", true), "abc");
    }
}
