//! Tables (MS-PST 2.3.4): columns and rows, the longer values on a heap.
//!
//! At the root of the heap: 1 byte `7c`, 1 byte number of columns, four 2-byte ends of the groups
//! of a row (the last is its length), 4 bytes tree of rows, 4 bytes the rows, 4 bytes unused; a
//! column is a 4-byte tag (type, property), 2 bytes offset in the row, 1 byte size, 1 byte number
//! of the bit that says whether it is there. A row begins with its id.

use super::header::malformed;
use super::heap::{Heap, is_heap_id};
use super::properties::text_of;
use super::tree::{Node, Trees};
use crate::error::RecordError;
use bytes::Bytes;
use lidless_io::number::{u16_le, u32_le, u64_le};
use lidless_io::{ReadAt as _, read_vec};
use std::collections::{BTreeMap, HashSet};

const SIGNATURE: u8 = 0x7c;
/// The most that the rows of one table take: 200,000 messages.
const LARGEST: u64 = 64 << 20;
const MOST_ROWS: u64 = 1 << 20;

struct Column {
    kind: u16,
    offset: usize,
    size: usize,
    bit: usize,
}

/// A table that was read.
pub(super) struct Table {
    trees: Trees,
    heap: Heap,
    subnodes: BTreeMap<u32, Node>,
    columns: BTreeMap<u16, Column>,
    /// Where the bits begin.
    bits: usize,
    pub(super) rows: Vec<Bytes>,
}

impl Table {
    pub(super) fn read(trees: &Trees, node: &Node) -> Result<Self, RecordError> {
        let broken = || malformed(0, "a table", "something else");
        let heap = Heap::read(&trees.data(node.data)?, trees.header.layout)?;
        let head = heap.get(heap.root).ok_or_else(broken)?;
        if heap.client != SIGNATURE || head.first() != Some(&SIGNATURE) {
            return Err(broken());
        }
        let bits = usize::from(u16_le(&head, 6).ok_or_else(broken)?);
        let length = usize::from(u16_le(&head, 8).ok_or_else(broken)?);
        let (Some(index), Some(place)) = (u32_le(&head, 10), u32_le(&head, 14)) else {
            return Err(broken());
        };
        if length < 8 {
            return Err(broken());
        }
        let mut columns = BTreeMap::new();
        for column in head.get(22..).unwrap_or(&[]).chunks_exact(8) {
            let (Some(kind), Some(property), Some(offset)) =
                (u16_le(column, 0), u16_le(column, 2), u16_le(column, 4))
            else {
                continue;
            };
            let byte = |at: usize| column.get(at).map_or(0, |byte| usize::from(*byte));
            let offset = usize::from(offset);
            columns.insert(property, Column { kind, offset, size: byte(6), bit: byte(7) });
        }
        let subnodes = trees.subnodes(node.subnodes)?;
        // Which rows are not deleted.
        let index = heap.records(index).unwrap_or_default();
        let kept: HashSet<u32> = index
            .iter()
            .filter_map(|(_, value)| match value.len() {
                2 => u16_le(value, 0).map(u32::from),
                _ => u32_le(value, 0),
            })
            .collect();
        let mut rows = Vec::new();
        let mut add = |bytes: &Bytes| {
            let mut at = 0usize;
            while let Some(end) = at.checked_add(length).filter(|end| *end <= bytes.len()) {
                rows.push(bytes.slice(at..end));
                at = end;
            }
        };
        if is_heap_id(place) {
            add(&heap.get(place).ok_or_else(broken)?);
        } else {
            let node = subnodes.get(&place).ok_or_else(broken)?;
            let data = trees.data(node.data)?;
            let rows = data.len().checked_div(u64::try_from(length).unwrap_or(1)).unwrap_or(0);
            if data.len() > LARGEST || rows > MOST_ROWS {
                return Err(RecordError::Limit("an Outlook table larger than the limit"));
            }
            let mut rest = Bytes::from(read_vec(&data, 0, LARGEST)?);
            for length in data.lengths() {
                add(&rest.split_to(length.min(rest.len())));
            }
        }
        if !kept.is_empty() {
            let mut number = 0u32;
            rows.retain(|_| {
                let keep = kept.contains(&number);
                number = number.saturating_add(1);
                keep
            });
        }
        Ok(Self { trees: trees.clone(), heap, subnodes, columns, bits, rows })
    }

    /// The bytes of a cell as they stand in the row.
    fn cell<'a>(&self, row: &'a [u8], property: u16) -> Option<(&Column, &'a [u8])> {
        let column = self.columns.get(&property)?;
        let byte = row.get(self.bits.saturating_add(column.bit / 8))?;
        let mask = 0x80u8.wrapping_shr(u32::try_from(column.bit % 8).unwrap_or(0));
        if byte & mask == 0 {
            return None;
        }
        let cell = row.get(column.offset..column.offset.saturating_add(column.size))?;
        Some((column, cell))
    }

    pub(super) fn number(&self, row: &[u8], property: u16) -> Option<u32> {
        let (column, cell) = self.cell(row, property)?;
        match column.size {
            1 => cell.first().map(|byte| u32::from(*byte)),
            2 => u16_le(cell, 0).map(u32::from),
            4 => u32_le(cell, 0),
            _ => None,
        }
    }

    pub(super) fn time(&self, row: &[u8], property: u16) -> Option<u64> {
        let (column, cell) = self.cell(row, property)?;
        if column.size == 8 { u64_le(cell, 0) } else { None }
    }

    /// A text of at most `most` bytes.
    pub(super) fn text(&self, row: &[u8], property: u16, most: u64) -> Option<String> {
        let (column, cell) = self.cell(row, property)?;
        let place = u32_le(cell, 0)?;
        if is_heap_id(place) {
            return text_of(column.kind, &self.heap.get(place)?);
        }
        let data = self.trees.data(self.subnodes.get(&place)?.data).ok()?;
        text_of(column.kind, &read_vec(&data, 0, most).ok()?)
    }
}
