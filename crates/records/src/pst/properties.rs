//! The properties of a node (MS-PST 2.3.3): a tree on a heap with the number of the property as
//! key; 2 bytes type, 4 bytes value, or where it lies.

use super::block::Data;
use super::header::malformed;
use super::heap::{Heap, is_heap_id};
use super::tree::{Node, Trees};
use crate::error::RecordError;
use lidless_io::number::{u16_le, u32_le};
use lidless_io::utf16::{text_to_zero, units_le};
use lidless_io::{MemoryBytes, ReadAt, read_vec};
use std::collections::BTreeMap;
use std::sync::Arc;

const SIGNATURE: u8 = 0xbc;
/// Types of values (MS-OXCDATA 2.11.1).
pub(super) const TEXT_8: u16 = 0x1e;
pub(super) const TEXT: u16 = 0x1f;
pub(super) const TIME: u16 = 0x40;
pub(super) const OBJECT: u16 = 0x0d;

/// The properties of a node.
pub(super) struct Properties {
    trees: Trees,
    heap: Heap,
    subnodes: BTreeMap<u32, Node>,
    values: BTreeMap<u16, (u16, u32)>,
}

/// Text of a property.
pub(super) fn text_of(kind: u16, bytes: &[u8]) -> Option<String> {
    match kind {
        TEXT => Some(text_to_zero(units_le(bytes))),
        TEXT_8 => {
            let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or(&[]);
            // Which code page is not known here: Latin-1 keeps what ASCII is.
            Some(match std::str::from_utf8(bytes) {
                Ok(text) => text.to_owned(),
                Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
            })
        }
        _ => None,
    }
}

impl Properties {
    pub(super) fn read(trees: &Trees, node: &Node) -> Result<Self, RecordError> {
        let data = trees.data(node.data)?;
        let heap = Heap::read(&data, trees.header.layout)?;
        if heap.client != SIGNATURE {
            return Err(malformed(0, "properties", format!("a heap of {:#x}", heap.client)));
        }
        let mut values = BTreeMap::new();
        for (number, value) in heap.records(heap.root)? {
            if let (Ok(number), Some(kind), Some(place)) =
                (u16::try_from(number), u16_le(&value, 0), u32_le(&value, 2))
            {
                values.insert(number, (kind, place));
            }
        }
        // Damaged subnodes leave what is in the heap.
        let subnodes = trees.subnodes(node.subnodes).unwrap_or_default();
        Ok(Self { trees: trees.clone(), heap, subnodes, values })
    }

    /// The node inside this one with an id.
    pub(super) fn subnode(&self, id: u32) -> Option<&Node> {
        self.subnodes.get(&id)
    }

    /// A number of at most 32 bits.
    pub(super) fn number(&self, property: u16) -> Option<u32> {
        let (kind, value) = *self.values.get(&property)?;
        match kind {
            0x02 | 0x03 => Some(value),
            0x0b => Some(value & 0xff),
            _ => None,
        }
    }

    /// The bytes of a longer value, and its type.
    pub(super) fn bytes(&self, property: u16) -> Option<(u16, Arc<dyn ReadAt>)> {
        let (kind, place) = *self.values.get(&property)?;
        if matches!(kind, 0x01..=0x04 | 0x0a | 0x0b) {
            return None;
        }
        if is_heap_id(place) {
            let item = self.heap.get(place)?;
            return Some((kind, Arc::new(MemoryBytes::new(item))));
        }
        let node = self.subnodes.get(&place)?;
        let data: Data = self.trees.data(node.data).ok()?;
        Some((kind, Arc::new(data)))
    }

    /// A text, of at most `most` bytes.
    pub(super) fn text(&self, property: u16, most: u64) -> Option<String> {
        let (kind, bytes) = self.bytes(property)?;
        text_of(kind, &read_vec(&*bytes, 0, most).ok()?)
    }

    /// A time, in 100 ns since 1601.
    pub(super) fn time(&self, property: u16) -> Option<u64> {
        let (kind, bytes) = self.bytes(property)?;
        let bytes = read_vec(&*bytes, 0, 8).ok()?;
        (kind == TIME).then(|| lidless_io::number::u64_le(&bytes, 0)).flatten()
    }
}
