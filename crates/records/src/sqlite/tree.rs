//! Walking a b-tree: every page once, children in batches.

use super::header::malformed;
use super::page::{Cell, Page, wrong};
use super::pager::Pager;
use super::record::{Value, header_length, slots};
use crate::error::RecordError;
use bytes::Bytes;
use lidless_io::number;
use std::collections::{HashSet, VecDeque};
use std::ops::ControlFlow;

/// How much one batch of pages holds.
const BATCH_BYTES: u32 = 1 << 20;
/// Deeper than any table is: the largest have six levels.
const DEEPEST: usize = 20;
/// How much of one row is read.
const ROW_BYTES: u64 = 1 << 20;

/// A row with the columns that were asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The row's id; 0 in tables without one.
    pub id: i64,
    /// The columns, in the order asked for.
    pub values: Vec<Value>,
}

/// Which part of a record an answer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// A column of the record, by its position.
    Column(usize),
    /// The row's id.
    RowId,
    /// The table has no such column.
    Missing,
}

pub(super) struct Tree<'a> {
    pager: &'a Pager,
    visited: HashSet<u32>,
    /// Pages that were read for the rest of rows: together no more than there are.
    overflow: u32,
}

impl<'a> Tree<'a> {
    pub(super) fn new(pager: &'a Pager) -> Self {
        Self { pager, visited: HashSet::new(), overflow: pager.page_count() }
    }

    /// Counts the rows below a page without looking at their content.
    pub(super) fn count(&mut self, root: u32) -> Result<u64, RecordError> {
        let mut rows = 0u64;
        let _ = self.walk(root, &mut |page| {
            if page.kind.is_leaf() || !page.kind.is_table() {
                rows = rows.saturating_add(number::wide(page.cells));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(rows)
    }

    /// Hands out every row below a page.
    pub(super) fn rows(
        &mut self,
        root: u32,
        sources: &[Source],
        visit: &mut dyn FnMut(Row) -> ControlFlow<()>,
    ) -> Result<(), RecordError> {
        let pager = self.pager;
        let mut left = self.overflow;
        let _ = self.walk(root, &mut |page| {
            if !page.kind.is_leaf() && page.kind.is_table() {
                return Ok(ControlFlow::Continue(()));
            }
            let mut held = 0usize;
            for number in 0..page.cells {
                let cell = page.cell(number)?;
                // Cells do not overlap, so that together they fit into the page.
                held = held.saturating_add(cell.local.len());
                if held > pager.header.usable {
                    return Err(malformed(0, "cells beside each other", "cells that overlap"));
                }
                let row = row(pager, &cell, sources, &mut left)?;
                if visit(row).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(())
    }

    fn walk(
        &mut self,
        root: u32,
        visit: &mut dyn FnMut(&Page) -> Result<ControlFlow<()>, RecordError>,
    ) -> Result<ControlFlow<()>, RecordError> {
        self.enter(root)?;
        let page = Page::new(self.pager.page(root)?, root, self.pager.header.usable)?;
        self.below(&page, 0, visit)
    }

    fn enter(&mut self, number: u32) -> Result<(), RecordError> {
        if self.visited.insert(number) {
            return Ok(());
        }
        Err(malformed(0, "every page once", &format!("page {number} twice")))
    }

    fn below(
        &mut self,
        page: &Page,
        depth: usize,
        visit: &mut dyn FnMut(&Page) -> Result<ControlFlow<()>, RecordError>,
    ) -> Result<ControlFlow<()>, RecordError> {
        if depth > DEEPEST {
            return Err(RecordError::Limit("a SQLite table nested deeper than any"));
        }
        if visit(page)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if page.kind.is_leaf() {
            return Ok(ControlFlow::Continue(()));
        }
        let mut children = Vec::with_capacity(page.cells.saturating_add(1));
        for cell in 0..page.cells {
            children.push(page.child(cell)?);
        }
        children.push(page.last_child()?);
        for child in &children {
            self.enter(*child)?;
        }
        let size = self.pager.header.page_bytes;
        let batch = number::index(BATCH_BYTES.checked_div(size).unwrap_or(1).max(1));
        for numbers in children.chunks(batch) {
            for (number, bytes) in numbers.iter().zip(self.pager.pages(numbers)?) {
                let child = Page::new(bytes, *number, self.pager.header.usable)?;
                if child.kind.is_table() != page.kind.is_table() {
                    return Err(wrong(*number, "a page of the same tree"));
                }
                if self.below(&child, depth.saturating_add(1), visit)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

fn row(
    pager: &Pager,
    cell: &Cell<'_>,
    sources: &[Source],
    pages_left: &mut u32,
) -> Result<Row, RecordError> {
    let last = sources.iter().filter_map(|source| match source {
        Source::Column(column) => Some(column.saturating_add(1)),
        _ => None,
    });
    let columns = last.max().unwrap_or(0);
    let mut record = cell.local.to_vec();
    let bad = || malformed(0, "a record", "a header that does not fit");
    if columns > 0 {
        let header = header_length(&record).ok_or_else(bad)?;
        extend(pager, cell, &mut record, header, pages_left)?;
    }
    let slots = if columns > 0 { slots(&record, columns).ok_or_else(bad)? } else { Vec::new() };
    let wanted = sources.iter().filter_map(|source| match source {
        Source::Column(column) => slots.get(*column).map(|slot| slot.end()),
        _ => None,
    });
    let wanted = wanted.filter(|end| *end <= ROW_BYTES).max().unwrap_or(0);
    extend(pager, cell, &mut record, wanted, pages_left)?;
    let encoding = pager.header.encoding;
    let value = |source: &Source| match source {
        Source::RowId => Value::Integer(cell.row_id),
        Source::Missing => Value::Null,
        Source::Column(column) => {
            slots.get(*column).map_or(Value::Null, |slot| slot.value(&record, encoding))
        }
    };
    Ok(Row { id: cell.row_id, values: sources.iter().map(value).collect() })
}

/// How many pages of a chain are asked for at once: they mostly lie one after the other.
const CHAIN: u64 = 32;

/// Reads the record up to `wanted` bytes from its overflow pages.
fn extend(
    pager: &Pager,
    cell: &Cell<'_>,
    record: &mut Vec<u8>,
    wanted: u64,
    pages_left: &mut u32,
) -> Result<(), RecordError> {
    let wanted = wanted.min(cell.length).min(ROW_BYTES);
    if number::wide(record.len()) >= wanted {
        return Ok(());
    }
    record.truncate(cell.local.len());
    let usable = pager.header.usable;
    let mut next = cell.overflow;
    let mut ahead: VecDeque<(u32, Bytes)> = VecDeque::new();
    while number::wide(record.len()) < wanted {
        if ahead.front().is_none_or(|(number, _)| *number != next) {
            let missing = wanted.saturating_sub(number::wide(record.len()));
            let pages = missing.div_ceil(number::wide(usable.saturating_sub(4).max(1))).min(CHAIN);
            let last = next.saturating_add(u32::try_from(pages).unwrap_or(1)).saturating_sub(1);
            let numbers: Vec<u32> = (next..=last.min(pager.page_count()).max(next)).collect();
            ahead = numbers.iter().copied().zip(pager.pages(&numbers)?).collect();
        }
        *pages_left = pages_left
            .checked_sub(1)
            .ok_or(RecordError::Limit("rows of SQLite that share pages"))?;
        let Some((_, page)) = ahead.pop_front() else { break };
        let content = page.get(4..usable).unwrap_or(&[]);
        let left = number::index(cell.length.saturating_sub(number::wide(record.len())));
        record.extend_from_slice(content.get(..left).unwrap_or(content));
        next = number::u32_be(&page, 0).unwrap_or(0);
    }
    Ok(())
}
