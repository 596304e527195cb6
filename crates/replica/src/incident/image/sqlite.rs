//! A SQLite database with a few rows (sqlite.org, "Database File Format").

use super::block::{Block, count, small};

const PAGE: usize = 4096;

/// A value of a row.
#[derive(Debug, Clone)]
pub(in super::super) enum Cell {
    Number(i64),
    Text(String),
    Blob(Vec<u8>),
}

/// A table: its name, the statement that made it, its rows.
pub(in super::super) struct Table {
    pub(in super::super) name: &'static str,
    pub(in super::super) sql: &'static str,
    pub(in super::super) rows: Vec<Vec<Cell>>,
}

/// A database with the tables.
pub(in super::super) fn database(tables: &[Table]) -> Vec<u8> {
    let mut pages: Vec<Vec<u8>> = vec![Vec::new()];
    let mut schema = Vec::new();
    for table in tables {
        let root = write(&table.rows, &mut pages);
        schema.push(vec![
            Cell::Text("table".into()),
            Cell::Text(table.name.into()),
            Cell::Text(table.name.into()),
            Cell::Number(i64::try_from(root).unwrap_or(0)),
            Cell::Text(table.sql.into()),
        ]);
    }
    let rows: Vec<Vec<u8>> = cells(&schema);
    let mut first = leaf(&rows, 100);
    let number = small::<u32>(count(pages.len())).to_be_bytes();
    first.put(0, b"SQLite format 3\0\x10\0\x01\x01\0\x40\x20\x20").put(24, &[0, 0, 0, 1]);
    first.put(28, &number).put(40, &[0, 0, 0, 1, 0, 0, 0, 4]).put(56, &[0, 0, 0, 1]);
    first.put(92, &[0, 0, 0, 1, 0, 0x2e, 0x5a, 0x20]);
    if let Some(page) = pages.first_mut() {
        *page = first.into_bytes();
    }
    pages.concat()
}

/// Writes the rows of a table; answers its first page, counted from 1.
fn write(rows: &[Vec<Cell>], pages: &mut Vec<Vec<u8>>) -> usize {
    let mut groups: Vec<Vec<Vec<u8>>> = vec![Vec::new()];
    for cell in cells(rows) {
        let used: usize =
            groups.last().into_iter().flatten().map(|one| one.len().saturating_add(2)).sum();
        if used.saturating_add(cell.len()).saturating_add(10) > PAGE {
            groups.push(Vec::new());
        }
        if let Some(last) = groups.last_mut() {
            last.push(cell);
        }
    }
    let mut row = 0;
    let mut children = Vec::new();
    for group in &groups {
        pages.push(leaf(group, 0).into_bytes());
        row = count(group.len()).saturating_add(row);
        children.push((pages.len(), row));
    }
    let [above @ .., (right, _)] = children.as_slice() else { return pages.len() };
    if above.is_empty() {
        return *right;
    }
    let inner: Vec<Vec<u8>> = above
        .iter()
        .map(|(page, last)| {
            let mut cell = small::<u32>(count(*page)).to_be_bytes().to_vec();
            cell.extend(varint(*last));
            cell
        })
        .collect();
    pages.push(page(&inner, 0, 5, small(count(*right))).into_bytes());
    pages.len()
}

fn leaf(cells: &[Vec<u8>], at: usize) -> Block {
    page(cells, at, 13, 0)
}

/// A b-tree page whose header stands at `at`; `right` is the last child of an inner one.
fn page(cells: &[Vec<u8>], at: usize, kind: u8, right: u32) -> Block {
    let mut block = Block::new(PAGE);
    let header = if kind == 5 { 12 } else { 8 };
    let mut end = PAGE;
    for (number, cell) in cells.iter().enumerate() {
        end = end.saturating_sub(cell.len());
        block.put(end, cell);
        let slot = number.saturating_mul(2).saturating_add(at).saturating_add(header);
        block.put(slot, &small::<u16>(count(end)).to_be_bytes());
    }
    block.put(at, &[kind, 0, 0]);
    block.put(at.saturating_add(3), &small::<u16>(count(cells.len())).to_be_bytes());
    block.put(at.saturating_add(5), &small::<u16>(count(end)).to_be_bytes());
    if kind == 5 {
        block.put(at.saturating_add(8), &right.to_be_bytes());
    }
    block
}

/// The cells of a leaf: length, number from 1, record.
fn cells(rows: &[Vec<Cell>]) -> Vec<Vec<u8>> {
    rows.iter()
        .enumerate()
        .map(|(number, row)| {
            let record = record(row);
            let mut cell = varint(count(record.len()));
            cell.extend(varint(count(number).saturating_add(1)));
            cell.extend(record);
            cell
        })
        .collect()
}

fn record(row: &[Cell]) -> Vec<u8> {
    let mut types = Vec::new();
    let mut values = Vec::new();
    for cell in row {
        match cell {
            Cell::Number(number) => {
                types.extend(varint(6));
                values.extend(number.to_be_bytes());
            }
            Cell::Text(text) => {
                types.extend(varint(count(text.len()).saturating_mul(2).saturating_add(13)));
                values.extend(text.bytes());
            }
            Cell::Blob(bytes) => {
                types.extend(varint(count(bytes.len()).saturating_mul(2).saturating_add(12)));
                values.extend(bytes);
            }
        }
    }
    let mut record = varint(count(types.len()).saturating_add(1));
    record.extend(types);
    record.extend(values);
    record
}

/// Seven bits a byte, the highest first; numbers here are below 2^28.
fn varint(value: u64) -> Vec<u8> {
    let mut bytes = vec![small::<u8>(value & 0x7f)];
    let mut rest = value >> 7;
    while rest > 0 {
        bytes.push(small::<u8>(rest & 0x7f) | 0x80);
        rest >>= 7;
    }
    bytes.reverse();
    bytes
}
