//! One page of a b-tree.
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 1 | kind: 2 and 5 inner pages of indexes and tables, 10 and 13 their leaves |
//! | 3 | 2 | cells |
//! | 8 | 4 | the rightmost child, in inner pages |
//! | 8 or 12 | 2 each | where the cells begin |
//!
//! The first page of the file has the file's header before its own.

use super::header::{HEADER, malformed};
use super::record::varint;
use crate::error::RecordError;
use bytes::Bytes;
use lidless_io::number;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    TableInner,
    TableLeaf,
    IndexInner,
    IndexLeaf,
}

impl Kind {
    pub(super) fn is_leaf(self) -> bool {
        matches!(self, Self::TableLeaf | Self::IndexLeaf)
    }

    pub(super) fn is_table(self) -> bool {
        matches!(self, Self::TableInner | Self::TableLeaf)
    }
}

pub(super) struct Page {
    bytes: Bytes,
    number: u32,
    usable: usize,
    start: usize,
    pub(super) kind: Kind,
    pub(super) cells: usize,
}

/// The content of a cell.
pub(super) struct Cell<'a> {
    pub(super) row_id: i64,
    /// Length of the whole record.
    pub(super) length: u64,
    /// The part of it on this page.
    pub(super) local: &'a [u8],
    /// The first page of the rest, or 0.
    pub(super) overflow: u32,
}

impl Page {
    pub(super) fn new(bytes: Bytes, number: u32, usable: usize) -> Result<Self, RecordError> {
        let start = if number == 1 { HEADER } else { 0 };
        let kind = match bytes.get(start) {
            Some(2) => Kind::IndexInner,
            Some(5) => Kind::TableInner,
            Some(10) => Kind::IndexLeaf,
            Some(13) => Kind::TableLeaf,
            _ => return Err(wrong(number, "a page of a b-tree")),
        };
        let cells = number::u16_be(&bytes, start.saturating_add(3)).map_or(0, usize::from);
        let page = Self { bytes, number, usable, start, kind, cells };
        // A cell takes at least four bytes, its pointer two.
        if page.pointers().saturating_add(cells.saturating_mul(6)) > usable {
            return Err(wrong(number, "as many cells as fit"));
        }
        Ok(page)
    }

    fn pointers(&self) -> usize {
        self.start.saturating_add(if self.kind.is_leaf() { 8 } else { 12 })
    }

    /// Where a cell begins.
    fn place(&self, cell: usize) -> Result<usize, RecordError> {
        let pointers = self.pointers();
        let end = pointers.saturating_add(self.cells.saturating_mul(2));
        number::u16_be(&self.bytes, pointers.saturating_add(cell.saturating_mul(2)))
            .map(usize::from)
            .filter(|place| *place >= end && *place < self.usable)
            .ok_or_else(|| wrong(self.number, "a cell inside the page"))
    }

    /// The child left of a cell of an inner page.
    pub(super) fn child(&self, cell: usize) -> Result<u32, RecordError> {
        let place = self.place(cell)?;
        number::u32_be(&self.bytes, place).ok_or_else(|| wrong(self.number, "a child"))
    }

    /// The child right of all cells.
    pub(super) fn last_child(&self) -> Result<u32, RecordError> {
        number::u32_be(&self.bytes, self.start.saturating_add(8))
            .ok_or_else(|| wrong(self.number, "a rightmost child"))
    }

    /// The record of a cell; not for inner pages of tables, which hold none.
    pub(super) fn cell(&self, cell: usize) -> Result<Cell<'_>, RecordError> {
        let bad = || wrong(self.number, "a cell inside the page");
        let mut place = self.place(cell)?;
        if !self.kind.is_leaf() {
            place = place.saturating_add(4);
        }
        let page = self.bytes.get(..self.usable).ok_or_else(bad)?;
        let (length, used) = varint(page.get(place..).unwrap_or(&[])).ok_or_else(bad)?;
        place = place.saturating_add(used);
        let mut row_id = 0;
        if self.kind.is_table() {
            let (id, used) = varint(page.get(place..).unwrap_or(&[])).ok_or_else(bad)?;
            row_id = id.cast_signed();
            place = place.saturating_add(used);
        }
        let local = self.local(length);
        let held = number::slice(page, place, local).ok_or_else(bad)?;
        let overflow = if number::wide(local) < length {
            number::u32_be(page, place.saturating_add(local)).ok_or_else(bad)?
        } else {
            0
        };
        Ok(Cell { row_id, length, local: held, overflow })
    }

    /// How much of a record lies on the page itself (section 1.6 of the format).
    fn local(&self, length: u64) -> usize {
        let usable = self.usable;
        let share = |of: usize| {
            let part = usable.saturating_sub(12).saturating_mul(of).checked_div(255).unwrap_or(0);
            part.saturating_sub(23)
        };
        let most = if self.kind.is_table() { usable.saturating_sub(35) } else { share(64) };
        if length <= number::wide(most) {
            return number::index(length);
        }
        let least = share(32);
        let step = number::wide(usable.saturating_sub(4).max(1));
        let rest = length.saturating_sub(number::wide(least)).checked_rem(step).unwrap_or(0);
        let kept = least.saturating_add(number::index(rest));
        if kept <= most { kept } else { least }
    }
}

pub(super) fn wrong(page: u32, expected: &str) -> RecordError {
    malformed(0, expected, &format!("page {page} without one"))
}
