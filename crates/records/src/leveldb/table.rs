//! Tables (`.ldb`, `.sst`).

use super::snappy::unsnap;
use super::varint::varint;
use super::{Extent, Record};
use crate::error::RecordError;
use bytes::Bytes;
use lidless_io::number;
use lidless_io::{ReadAt, read_exact_vec, read_merged, read_vec};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

const FOOTER: u64 = 48;
const MAGIC: [u8; 8] = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb];
/// Compression and checksum behind a block.
const TRAILER: u64 = 5;
/// The longest block that is read: LevelDB makes them 4 KiB, one value long at least.
const BLOCK: u64 = 32 << 20;
/// How much one batch of blocks reads.
const BATCH: u64 = 4 << 20;
/// How much the blocks of one table may expand to.
const EXPANDED: u64 = 1 << 30;

/// Whether a source ends as a table does; one small read.
#[must_use]
pub fn is_table(source: &dyn ReadAt) -> bool {
    footer(source).is_some()
}

/// Where the index lies.
fn footer(source: &dyn ReadAt) -> Option<(u64, u64)> {
    let start = source.len().checked_sub(FOOTER)?;
    let footer = read_exact_vec(source, start, FOOTER).ok()?;
    let handles = footer.strip_suffix(&MAGIC)?;
    let (_, rest) = handle(handles)?;
    handle(rest).map(|(index, _)| index)
}

/// Offset and length of a block, and what follows.
fn handle(bytes: &[u8]) -> Option<((u64, u64), &[u8])> {
    let (offset, rest) = varint(bytes)?;
    let (size, rest) = varint(rest)?;
    Some(((offset, size), rest))
}

fn malformed(offset: u64, expected: &str) -> RecordError {
    RecordError::Malformed {
        format: "LevelDB table",
        offset,
        expected: expected.to_owned(),
        found: "other bytes".to_owned(),
    }
}

/// What is called with each key and value of a block.
type Visit<'v> = &'v mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>;

/// What is in a block.
enum Content {
    Bytes(Bytes),
    /// Another compression.
    Unread,
    Broken,
}

fn content(block: &Bytes) -> Content {
    let Some(size) = block.len().checked_sub(number::index(TRAILER)) else {
        return Content::Broken;
    };
    match block.get(size) {
        Some(0) => Content::Bytes(block.slice(..size)),
        Some(1) => {
            let packed = block.get(..size).unwrap_or(&[]);
            unsnap(packed, number::index(BLOCK))
                .map_or(Content::Broken, |b| Content::Bytes(b.into()))
        }
        Some(2..=7) => Content::Unread,
        _ => Content::Broken,
    }
}

/// Hands out the keys (with their last eight bytes) and values of a block; false when it does not
/// parse to its end.
fn entries(block: &[u8], visit: Visit<'_>) -> (bool, ControlFlow<()>) {
    let restarts = block.len().checked_sub(4).and_then(|place| number::u32_le(block, place));
    let end = restarts.and_then(|count| {
        let table = number::index(count).checked_mul(4)?.checked_add(4)?;
        block.len().checked_sub(table)
    });
    let Some(mut rest) = end.and_then(|end| block.get(..end)) else {
        return (false, ControlFlow::Continue(()));
    };
    let mut key = Vec::new();
    while !rest.is_empty() {
        let Some((value, after)) = entry(rest, &mut key) else {
            return (false, ControlFlow::Continue(()));
        };
        if visit(&key, value).is_break() {
            return (true, ControlFlow::Break(()));
        }
        rest = after;
    }
    (true, ControlFlow::Continue(()))
}

fn entry<'a>(bytes: &'a [u8], key: &mut Vec<u8>) -> Option<(&'a [u8], &'a [u8])> {
    let (shared, rest) = varint(bytes)?;
    let (own, rest) = varint(rest)?;
    let (length, rest) = varint(rest)?;
    let (own, rest) = rest.split_at_checked(usize::try_from(own).ok()?)?;
    let shared = usize::try_from(shared).ok().filter(|shared| *shared <= key.len())?;
    key.truncate(shared);
    key.extend_from_slice(own);
    rest.split_at_checked(usize::try_from(length).ok()?)
}

/// Hands out every record of a table. Blocks are read in the order they lie in, many at once.
///
/// # Errors
/// `Malformed` when it is no table or its index does not parse, `Limit`, `Read`. A block that
/// does not parse is counted and left out.
pub fn read_table(
    source: &dyn ReadAt,
    visit: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
) -> Result<Extent, RecordError> {
    let length = source.len();
    let Some((offset, size)) = footer(source) else {
        return Err(malformed(length.saturating_sub(FOOTER), "the end of a table"));
    };
    let whole = size.checked_add(TRAILER).filter(|_| size <= BLOCK);
    let index = match whole {
        Some(whole) => Bytes::from(read_vec(source, offset, whole)?),
        None => return Err(RecordError::Limit("an index of LevelDB longer than any")),
    };
    let Content::Bytes(index) = content(&index) else {
        return Err(malformed(offset, "an index"));
    };
    // Each block once, whatever the index says.
    let mut blocks: BTreeSet<(u64, u64)> = BTreeSet::new();
    let mut extent = Extent::default();
    let (whole, _) = entries(&index, &mut |_, value| {
        match handle(value) {
            Some(((offset, size), _)) if offset < length && size <= BLOCK => {
                if blocks.iter().next_back().is_none_or(|(last, _)| *last != offset) {
                    blocks.insert((offset, size));
                }
            }
            _ => extent.broken = extent.broken.saturating_add(1),
        }
        ControlFlow::Continue(())
    });
    extent.broken = extent.broken.saturating_add(u64::from(!whole));
    let mut expanded = 0u64;
    let mut last_end = 0u64;
    let blocks: Vec<(u64, u64)> = blocks
        .into_iter()
        .filter(|(offset, size)| {
            // Blocks that overlap are a lie.
            let fits = *offset >= last_end;
            if fits {
                last_end = offset.saturating_add(*size);
            }
            fits
        })
        .collect();
    let mut rest = blocks.as_slice();
    while !rest.is_empty() {
        let mut bytes = 0u64;
        let count = rest
            .iter()
            .take_while(|(_, size)| {
                bytes = bytes.saturating_add(*size);
                bytes <= BATCH
            })
            .count()
            .max(1);
        let (batch, after) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        let ranges: Vec<_> = batch
            .iter()
            .map(|(offset, size)| *offset..offset.saturating_add(*size).saturating_add(TRAILER))
            .collect();
        for block in read_merged(source, &ranges)? {
            let block = match content(&block) {
                Content::Bytes(block) => block,
                Content::Unread => {
                    extent.unread = extent.unread.saturating_add(1);
                    continue;
                }
                Content::Broken => {
                    extent.broken = extent.broken.saturating_add(1);
                    continue;
                }
            };
            expanded = expanded.saturating_add(number::wide(block.len()));
            if expanded > EXPANDED {
                return Err(RecordError::Limit("a LevelDB table that expands past the limit"));
            }
            let (whole, flow) = entries(&block, &mut |key, value| {
                let Some(record) = record(key, value) else { return ControlFlow::Continue(()) };
                extent.records = extent.records.saturating_add(1);
                visit(record)
            });
            extent.broken = extent.broken.saturating_add(u64::from(!whole));
            if flow.is_break() {
                return Ok(extent);
            }
        }
        rest = after;
    }
    Ok(extent)
}

fn record<'a>(key: &'a [u8], value: &'a [u8]) -> Option<Record<'a>> {
    let (key, tail) = key.split_at_checked(key.len().checked_sub(8)?)?;
    let tail = number::u64_le(tail, 0)?;
    Some(Record { key, value, sequence: tail >> 8, is_deleted: tail & 0xff == 0 })
}
