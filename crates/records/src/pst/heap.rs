//! The heap in the data of a node (MS-PST 2.3.1) and the trees on it (2.3.2).
//!
//! First block: 2 bytes offset of the map of items, 1 byte `ec`, 1 byte what is built on it, 4
//! bytes id of its root. Later blocks begin with the offset alone. The map: 2 bytes number of
//! items, 2 bytes number of freed ones, then where each begins, and where the last one ends.

use super::block::Data;
use super::header::{Layout, malformed};
use crate::error::RecordError;
use bytes::Bytes;
use lidless_io::number::{u16_le, u32_le};
use lidless_io::{ReadAt as _, read_vec};
use std::collections::HashSet;

/// The largest heap that is read.
const LARGEST: u64 = 64 << 20;
/// More records than a tree of a real store has.
const MOST_RECORDS: usize = 1 << 20;
/// Trees on heaps have three levels at most.
const DEEPEST: u8 = 8;

/// A heap that was read.
pub(super) struct Heap {
    blocks: Vec<Bytes>,
    layout: Layout,
    /// What is built on it: `bc` properties, `7c` a table.
    pub(super) client: u8,
    /// The id of the root of that.
    pub(super) root: u32,
}

impl Heap {
    pub(super) fn read(data: &Data, layout: Layout) -> Result<Self, RecordError> {
        if data.len() > LARGEST {
            return Err(RecordError::Limit("an Outlook table larger than the limit"));
        }
        let whole = Bytes::from(read_vec(data, 0, LARGEST)?);
        let mut blocks = Vec::new();
        let mut rest = whole;
        for length in data.lengths() {
            let length = length.min(rest.len());
            blocks.push(rest.split_to(length));
        }
        let first = blocks.first().cloned().unwrap_or_default();
        let (Some(0xec), Some(client), Some(root)) =
            (first.get(2).copied(), first.get(3).copied(), u32_le(&first, 4))
        else {
            return Err(malformed(0, "a heap on a node", "something else"));
        };
        Ok(Self { blocks, layout, client, root })
    }

    /// An item by its id; empty for id 0.
    pub(super) fn get(&self, id: u32) -> Option<Bytes> {
        if id == 0 {
            return Some(Bytes::new());
        }
        if !is_heap_id(id) {
            return None;
        }
        let (item, block) = match self.layout {
            Layout::Large => (id >> 5 & 0x3fff, id >> 19),
            _ => (id >> 5 & 0x7ff, id >> 16),
        };
        let block = self.blocks.get(usize::try_from(block).ok()?)?;
        let map = usize::from(u16_le(block, 0)?);
        let count = u32::from(u16_le(block, map)?);
        if item == 0 || item > count {
            return None;
        }
        let place = usize::try_from(item).ok()?.saturating_mul(2).saturating_add(map);
        let start = usize::from(u16_le(block, place.saturating_add(2))?);
        let end = usize::from(u16_le(block, place.saturating_add(4))?);
        (start <= end && end <= block.len()).then(|| block.slice(start..end))
    }

    /// The records of a tree: key and value. Every item is read once at most.
    pub(super) fn records(&self, header: u32) -> Result<Vec<(u32, Bytes)>, RecordError> {
        let broken = || malformed(0, "a tree on a heap", "something else");
        let head = self.get(header).ok_or_else(broken)?;
        let (Some(0xb5), Some(key), Some(value), Some(levels), Some(root)) = (
            head.first().copied(),
            head.get(1).map(|key| usize::from(*key)),
            head.get(2).map(|value| usize::from(*value)),
            head.get(3).copied(),
            u32_le(&head, 4),
        ) else {
            return Err(broken());
        };
        if !matches!(key, 2 | 4 | 8 | 16) || levels > DEEPEST {
            return Err(broken());
        }
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let mut open = vec![(root, levels)];
        while let Some((id, level)) = open.pop() {
            if id == 0 || !seen.insert(id) {
                continue;
            }
            let item = self.get(id).ok_or_else(broken)?;
            let size = key.saturating_add(if level > 0 { 4 } else { value });
            let mut at = 0usize;
            let mut below = Vec::new();
            while at.saturating_add(size) <= item.len() {
                let after = at.saturating_add(key);
                if level > 0 {
                    below.push((u32_le(&item, after).unwrap_or(0), level.saturating_sub(1)));
                } else {
                    let number = match key {
                        2 => u16_le(&item, at).map(u32::from),
                        _ => u32_le(&item, at),
                    };
                    let value = item.slice(after..at.saturating_add(size));
                    found.push((number.unwrap_or(0), value));
                }
                at = at.saturating_add(size);
            }
            open.extend(below.into_iter().rev());
            if found.len() > MOST_RECORDS || open.len() > MOST_RECORDS {
                return Err(RecordError::Limit("an Outlook table larger than the limit"));
            }
        }
        Ok(found)
    }
}

/// Whether a number names an item of the heap, not a subnode.
pub(super) fn is_heap_id(id: u32) -> bool {
    id & 0x1f == 0
}
