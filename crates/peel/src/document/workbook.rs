//! Cells of Excel workbooks of before 2007 (MS-XLS, and its predecessor BIFF5): a row of records,
//! each 2 bytes type, 2 bytes length, content.

use super::compound::{DocumentText, all, encrypted};
use crate::error::PeelError;
use encoding_rs::{UTF_16LE, WINDOWS_1252};
use lidless_io::number::{index, u16_le, u32_le, u64_le};
use lidless_records::CompoundFile;
use std::collections::BTreeMap;

const BEGIN: u16 = 0x809;
const ENCRYPTED: u16 = 0x2f;
const SHEET: u16 = 0x85;
const STRINGS: u16 = 0xfc;
const CONTINUE: u16 = 0x3c;
const SHARED: u16 = 0xfd;
const LABEL: u16 = 0x204;
const RICH: u16 = 0xd6;
const NUMBER: u16 = 0x203;
const SMALL: u16 = 0x27e;
const MANY_SMALL: u16 = 0xbd;
const FORMULA: u16 = 0x06;
const FORMULA_TEXT: u16 = 0x207;
const DRAWN_TEXT: u16 = 0x1b6;
const LINK: u16 = 0x1b8;
/// Empty cells in front of a cell are tabs, up to this many.
const WIDEST_GAP: u16 = 64;

/// The cells of a workbook.
pub(super) fn workbook_text(file: &CompoundFile, most: u64) -> DocumentText {
    let name = if file.find("Workbook").is_some() { "Workbook" } else { "Book" };
    let bytes = all(file, name, most)?;
    let mut book = Book { most: index(most), ..Book::default() };
    let mut rest = Records { rest: &bytes };
    let mut last = 0u16;
    while let Some((kind, content)) = rest.next() {
        if kind == ENCRYPTED {
            return Err(encrypted());
        }
        if book.full() {
            return Ok((book.finish(), false));
        }
        if kind == STRINGS {
            book.strings = shared_strings(content, &mut rest, book.most);
        } else {
            book.record(kind, content, last);
        }
        last = kind;
    }
    if book.sheets.is_empty() && book.out.is_empty() && book.cells.is_empty() {
        return Err(PeelError::malformed("Excel workbook", 0, "a sheet", "none"));
    }
    Ok((book.finish(), true))
}

struct Records<'a> {
    rest: &'a [u8],
}

impl<'a> Records<'a> {
    fn peek(&self) -> Option<(u16, &'a [u8], &'a [u8])> {
        let kind = u16_le(self.rest, 0)?;
        let length = usize::from(u16_le(self.rest, 2)?);
        let body = self.rest.get(4..)?;
        let (content, rest) = body.split_at_checked(length).unwrap_or((body, &[]));
        Some((kind, content, rest))
    }

    fn next(&mut self) -> Option<(u16, &'a [u8])> {
        let (kind, content, rest) = self.peek()?;
        self.rest = rest;
        Some((kind, content))
    }
}

#[derive(Default)]
struct Book {
    out: String,
    most: usize,
    strings: Vec<String>,
    sheets: Vec<String>,
    begun: usize,
    /// Text is of single bytes before version 8.
    is_old: bool,
    cells: BTreeMap<(u16, u16), String>,
    /// Bytes in `cells`.
    held: usize,
    /// The cell whose formula has text that follows.
    pending: Option<(u16, u16)>,
    /// Text of comments, shapes and links of the sheet.
    beside: String,
}

impl Book {
    fn full(&self) -> bool {
        self.out.len().saturating_add(self.held) >= self.most
    }

    fn put(&mut self, place: (u16, u16), text: String) {
        self.held = self.held.saturating_add(text.len()).saturating_add(16);
        self.cells.insert(place, text);
    }

    fn record(&mut self, kind: u16, content: &[u8], last: u16) {
        let place = u16_le(content, 0).zip(u16_le(content, 2));
        match (kind, place) {
            (BEGIN, _) => {
                self.end_of_sheet();
                self.is_old = u16_le(content, 0).is_some_and(|version| version < 0x600);
                if u16_le(content, 2) == Some(0x10) {
                    if let Some(name) = self.sheets.get(self.begun) {
                        self.out.push_str(name);
                        self.out.push('\n');
                    }
                    self.begun = self.begun.saturating_add(1);
                }
            }
            (SHEET, _) if self.sheets.len() < 10_000 => {
                let length = content.get(6).map_or(0, |length| usize::from(*length));
                let name = self.text(length, content.get(7..).unwrap_or(&[]));
                self.sheets.push(name);
            }
            (SHARED, Some(place)) => {
                let number = u32_le(content, 6).and_then(|number| usize::try_from(number).ok());
                let text = number.and_then(|number| self.strings.get(number)).cloned();
                self.put(place, text.unwrap_or_default());
            }
            (LABEL | RICH, Some(place)) => {
                let length = usize::from(u16_le(content, 6).unwrap_or(0));
                let text = self.text(length, content.get(8..).unwrap_or(&[]));
                self.put(place, text);
            }
            (NUMBER, Some(place)) => self.put(place, double(content, 6)),
            (SMALL, Some(place)) => self.put(place, small(u32_le(content, 6).unwrap_or(0))),
            (MANY_SMALL, Some((row, first))) => {
                let cells = content.get(4..).unwrap_or(&[]).chunks_exact(6);
                for (column, cell) in (first..=u16::MAX).zip(cells) {
                    self.put((row, column), small(u32_le(cell, 2).unwrap_or(0)));
                }
            }
            (FORMULA, Some(place)) => {
                // Text follows in a record of its own.
                if content.get(12..14) == Some(&[0xff, 0xff]) {
                    self.pending = Some(place);
                } else {
                    self.put(place, double(content, 6));
                }
            }
            (FORMULA_TEXT, _) => {
                let length = usize::from(u16_le(content, 0).unwrap_or(0));
                let text = self.text(length, content.get(2..).unwrap_or(&[]));
                if let Some(place) = self.pending.take() {
                    self.put(place, text);
                }
            }
            (CONTINUE, _) if last == DRAWN_TEXT => {
                let text = self.text(content.len(), content);
                self.add_beside(&text);
            }
            (LINK, _) => {
                let (text, _) = UTF_16LE.decode_without_bom_handling(content);
                let shown = |one: &char| one.is_ascii_graphic();
                let runs = text.split(|one: char| !shown(&one)).filter(|run| run.len() > 6);
                let runs: Vec<&str> = runs.collect();
                self.add_beside(&runs.join(" "));
            }
            _ => {}
        }
    }

    fn add_beside(&mut self, text: &str) {
        let room = self.most.saturating_sub(self.beside.len());
        if text.len() < room {
            self.beside.push_str(text);
            self.beside.push('\n');
        }
    }

    /// A string of `length` characters; since version 8 behind a byte of flags.
    fn text(&self, length: usize, bytes: &[u8]) -> String {
        if self.is_old {
            let bytes = bytes.get(..length).unwrap_or(bytes);
            return WINDOWS_1252.decode(bytes).0.into_owned();
        }
        let Some((flags, bytes)) = bytes.split_first() else { return String::new() };
        characters(bytes, length, flags & 1 != 0)
    }

    fn end_of_sheet(&mut self) {
        let mut row = None;
        let mut column = 0u16;
        for ((at, place), text) in std::mem::take(&mut self.cells) {
            if row != Some(at) {
                if row.is_some() {
                    self.out.push('\n');
                }
                (row, column) = (Some(at), 0);
            }
            let gap = place.saturating_sub(column).min(WIDEST_GAP);
            self.out.extend(std::iter::repeat_n('\t', usize::from(gap)));
            self.out.extend(text.chars().map(|one| if one == '\n' { ' ' } else { one }));
            column = place;
        }
        if row.is_some() {
            self.out.push('\n');
        }
        self.out.push_str(&std::mem::take(&mut self.beside));
        self.held = 0;
    }

    fn finish(mut self) -> String {
        self.end_of_sheet();
        self.out
    }
}

fn characters(bytes: &[u8], length: usize, wide: bool) -> String {
    if wide {
        let bytes = bytes.get(..length.saturating_mul(2)).unwrap_or(bytes);
        UTF_16LE.decode_without_bom_handling(bytes).0.into_owned()
    } else {
        bytes.iter().take(length).map(|byte| char::from(*byte)).collect()
    }
}

fn double(content: &[u8], at: usize) -> String {
    u64_le(content, at).map_or_else(String::new, |bits| f64::from_bits(bits).to_string())
}

/// A number in 30 bits: the upper bits of a double, or an integer; perhaps a hundred times it.
fn small(value: u32) -> String {
    let number = if value & 2 != 0 {
        let [a, b, c, d] = (value & !3).to_le_bytes();
        f64::from(i32::from_le_bytes([a, b, c, d]) >> 2)
    } else {
        f64::from_bits(u64::from(value & !3) << 32)
    };
    (if value & 1 != 0 { number / 100.0 } else { number }).to_string()
}

/// The strings that cells refer to (MS-XLS 2.5.293). A string that goes on in the next record
/// says there again how wide its characters are.
fn shared_strings(content: &[u8], rest: &mut Records<'_>, most: usize) -> Vec<String> {
    let mut parts = vec![content.get(8..).unwrap_or(&[])];
    while let Some((CONTINUE, next, after)) = rest.peek() {
        parts.push(next);
        rest.rest = after;
    }
    let count = u32_le(content, 4).and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
    let mut reader = Strings { parts: &parts, part: 0, at: 0 };
    let (mut found, mut total) = (Vec::new(), 0usize);
    while found.len() < count && total < most {
        let Some(text) = reader.string() else { break };
        total = total.saturating_add(text.len()).saturating_add(24);
        found.push(text);
    }
    found
}

struct Strings<'a> {
    parts: &'a [&'a [u8]],
    part: usize,
    at: usize,
}

impl<'a> Strings<'a> {
    fn left(&self) -> &'a [u8] {
        self.parts.get(self.part).and_then(|part| part.get(self.at..)).unwrap_or(&[])
    }

    fn next_part(&mut self) -> Option<()> {
        self.part = self.part.checked_add(1)?;
        self.at = 0;
        self.parts.get(self.part).map(|_| ())
    }

    /// Bytes that may lie in several parts.
    fn skip(&mut self, count: usize) -> Option<()> {
        let mut count = count;
        while count > 0 {
            let here = self.left().len().min(count);
            self.at = self.at.saturating_add(here);
            count = count.saturating_sub(here);
            if count > 0 {
                self.next_part()?;
            }
        }
        Some(())
    }

    fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        if self.left().is_empty() {
            self.next_part()?;
        }
        let bytes = self.left().first_chunk::<N>().copied()?;
        self.at = self.at.saturating_add(N);
        Some(bytes)
    }

    fn string(&mut self) -> Option<String> {
        let mut length = usize::from(u16::from_le_bytes(self.fixed()?));
        let [mut flags] = self.fixed()?;
        let runs = if flags & 8 != 0 { usize::from(u16::from_le_bytes(self.fixed()?)) } else { 0 };
        let extended = if flags & 4 != 0 { u32::from_le_bytes(self.fixed()?) } else { 0 };
        let mut text = String::new();
        while length > 0 {
            let size = if flags & 1 != 0 { 2usize } else { 1 };
            let here = self.left().len().checked_div(size).unwrap_or(0).min(length);
            text.push_str(&characters(self.left(), here, size == 2));
            self.at = self.at.saturating_add(here.saturating_mul(size));
            length = length.saturating_sub(here);
            if length > 0 {
                self.next_part()?;
                [flags] = self.fixed()?;
            }
        }
        self.skip(runs.saturating_mul(4))?;
        self.skip(usize::try_from(extended).ok()?)?;
        Some(text)
    }
}
