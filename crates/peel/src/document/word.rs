//! Text of Word documents of before 2007 (MS-DOC): pieces of the stream `WordDocument`, in the
//! order of a table.
//!
//! | offset | size | field of the header |
//! | --- | --- | --- |
//! | 0 | 2 | `a5ec` |
//! | 2 | 2 | version: below 193 Word 6 and 95 |
//! | 10 | 2 | flags: 100 encrypted, 200 the table is in `1Table` |
//! | 24 | 4 | where the text begins, and at 28 where it ends, in versions without pieces |
//! | 418 | 4 | where the table of pieces is, at 422 how long |
//!
//! The table: blocks of formats (`01`, 2 bytes length), then `02`, 4 bytes length, n + 1 places
//! of 4 bytes in the text, n pieces of 8 bytes: 2 bytes, 4 bytes offset (bit 30: of single
//! bytes, doubled), 2 bytes.

use super::compound::{DocumentText, all, encrypted};
use crate::error::PeelError;
use encoding_rs::{UTF_16LE, WINDOWS_1252};
use lidless_io::number::{index, u16_le, u32_le};
use lidless_records::CompoundFile;

const ENCRYPTED: u16 = 0x100;
const SECOND_TABLE: u16 = 0x200;
const WITH_PIECES: u16 = 0xc1;

/// The text of a document.
pub(super) fn word_text(file: &CompoundFile, most: u64) -> DocumentText {
    let body = all(file, "WordDocument", most)?;
    let malformed = |what: &str| PeelError::malformed("Word document", 0, what, "something else");
    if !matches!(u16_le(&body, 0), Some(0xa5ec | 0xa5dc | 0xa5db)) {
        return Err(malformed("its magic"));
    }
    let flags = u16_le(&body, 10).unwrap_or(0);
    if flags & ENCRYPTED != 0 {
        return Err(encrypted());
    }
    let number = |at: usize| u32_le(&body, at).and_then(|value| usize::try_from(value).ok());
    if u16_le(&body, 2).unwrap_or(0) < WITH_PIECES {
        let range = number(24).unwrap_or(0)..number(28).unwrap_or(0);
        let bytes = body.get(range).ok_or_else(|| malformed("its text"))?;
        let mut out = String::new();
        shown(&WINDOWS_1252.decode(bytes).0, &mut out);
        return Ok((out, true));
    }
    let name = if flags & SECOND_TABLE != 0 { "1Table" } else { "0Table" };
    let table = all(file, name, most)?;
    let start = number(418).unwrap_or(0);
    let end = start.saturating_add(number(422).unwrap_or(0));
    let table = table.get(start..end).ok_or_else(|| malformed("its table of pieces"))?;
    let pieces = pieces(table).ok_or_else(|| malformed("its table of pieces"))?;
    let most = index(most);
    let mut out = String::new();
    for (offset, length, single) in pieces {
        if out.len() >= most {
            return Ok((out, false));
        }
        // Pieces that reach past the end are cut.
        let end = offset.saturating_add(length).min(body.len());
        let bytes = body.get(offset..end).unwrap_or(&[]);
        let encoding = if single { WINDOWS_1252 } else { UTF_16LE };
        shown(&encoding.decode_without_bom_handling(bytes).0, &mut out);
    }
    Ok((out, true))
}

/// Offset and length in bytes of each piece, and whether its characters are single bytes.
fn pieces(table: &[u8]) -> Option<Vec<(usize, usize, bool)>> {
    let mut rest = table;
    while let [1, ..] = rest {
        let length = usize::from(u16_le(rest, 1)?);
        rest = rest.get(length.saturating_add(3)..)?;
    }
    let length = usize::try_from(u32_le(rest.strip_prefix(&[2])?, 0)?).ok()?;
    let places = rest.get(5..)?;
    let places = places.get(..length).unwrap_or(places);
    let count = places.len().checked_sub(4)? / 12;
    let mut found = Vec::with_capacity(count);
    for index in 0..count {
        let at = index.saturating_mul(4);
        let from = u32_le(places, at)?;
        let to = u32_le(places, at.saturating_add(4))?;
        let piece =
            count.saturating_add(1).saturating_mul(4).saturating_add(index.saturating_mul(8));
        let place = u32_le(places, piece.saturating_add(2))?;
        let single = place & 0x4000_0000 != 0;
        let offset = usize::try_from(place & 0x3fff_ffff).ok()?;
        let characters = usize::try_from(to.saturating_sub(from)).ok()?;
        found.push(if single {
            (offset / 2, characters, true)
        } else {
            (offset, characters.saturating_mul(2), false)
        });
    }
    Some(found)
}

/// Adds text with the marks of the format as what they show: ends of paragraphs and cells. Codes
/// of fields stay, for where links lead.
fn shown(text: &str, out: &mut String) {
    for one in text.chars() {
        match one {
            '\r' | '\u{b}' | '\u{c}' => out.push('\n'),
            '\u{7}' => out.push('\t'),
            '\u{13}' | '\u{14}' | '\u{15}' => out.push(' '),
            '\u{1e}' => out.push('-'),
            '\u{0}'..='\u{8}' | '\u{e}'..='\u{1f}' => {}
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_read_behind_formats_and_marks_become_white_space() {
        let mut table = vec![1, 2, 0, 9, 9, 2];
        table.extend(28u32.to_le_bytes());
        for place in [0u32, 3, 5] {
            table.extend(place.to_le_bytes());
        }
        for place in [0x4000_0000u32 | 100, 300] {
            table.extend([0, 0]);
            table.extend(place.to_le_bytes());
            table.extend([0, 0]);
        }
        assert_eq!(pieces(&table).unwrap(), [(50, 3, true), (300, 4, false)]);
        assert!(pieces(&table[..9]).is_none());
        let mut out = String::new();
        shown("a\u{7}b\u{7}\r\u{13}HYPERLINK x\u{14}y\u{15}", &mut out);
        assert_eq!(out, "a\tb\t\n HYPERLINK x y ");
    }
}
