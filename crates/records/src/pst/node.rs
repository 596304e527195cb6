//! Nodes inside a node (MS-PST 2.2.2.8.3.3): a block of entries, or one that names such blocks.
//!
//! 1 byte `02`, 1 byte level (0 entries, 1 names), 2 bytes number, with 64 bits 4 bytes of
//! padding, the entries: node id, block of data, block of subnodes.

use super::header::{Layout, malformed};
use super::tree::{Node, Trees};
use crate::error::RecordError;
use lidless_io::number::{u16_le, u32_le};
use std::collections::BTreeMap;

/// More things inside a message than any has.
const MOST: usize = 1 << 20;

impl Trees {
    /// The nodes that a block names, by their ids.
    pub(super) fn subnodes(&self, id: u64) -> Result<BTreeMap<u32, Node>, RecordError> {
        let mut found = BTreeMap::new();
        if id == 0 {
            return Ok(found);
        }
        let layout = self.header.layout;
        let width = layout.width();
        let start = if layout == Layout::Narrow { 4 } else { 8 };
        let mut open = vec![(id, 2u8)];
        while let Some((id, above)) = open.pop() {
            let block = self.block(id)?;
            let bytes = self.raw(&block)?;
            let level = bytes.get(1).copied().unwrap_or(u8::MAX);
            if bytes.first() != Some(&2) || level >= above {
                return Err(malformed(block.offset, "a block of subnodes", level));
            }
            let count = usize::from(u16_le(&bytes, 2).unwrap_or(0));
            let size = width.saturating_mul(if level == 0 { 3 } else { 2 });
            for entry in bytes.get(start..).unwrap_or(&[]).chunks_exact(size).take(count) {
                let number = |index: usize| {
                    layout.number_at(entry, width.saturating_mul(index)).unwrap_or(0)
                };
                if level > 0 {
                    open.push((number(1), level));
                } else if let Some(own) = u32_le(entry, 0) {
                    found.insert(own, Node { data: number(1), subnodes: number(2) });
                }
            }
            if found.len() > MOST || open.len() > MOST {
                return Err(RecordError::Limit("a node with more subnodes than the limit"));
            }
        }
        Ok(found)
    }
}
