//! A container: its newest checkpoint, and the volumes that it holds.

use super::layout::{APFS, is_whole, object};
use super::tree::object_map;
use crate::error::PeelError;
use crate::volume::{Holder, Logical};
use lidless_io::number::{index, u32_le, u64_le};
use lidless_io::{Extent, Extents, MemoryBytes, ReadAt, read_exact_vec, read_merged, read_vec};
use std::collections::HashSet;
use std::sync::Arc;

/// Blocks of checkpoints that are looked at: containers of a terabyte have some 300.
const CHECKPOINTS: u64 = 4096;
/// Volumes that one container may hold.
const VOLUMES: usize = 100;

/// An APFS container.
pub(crate) struct ApfsContainer;

/// The block size, when the bytes begin with the block of a container.
fn block_size(head: &[u8]) -> Option<u64> {
    let size = u64::from(u32_le(head, 36)?);
    let known = head.get(32..36)? == b"NXSB" && size.is_power_of_two();
    (known && (4096..=65_536).contains(&size)).then_some(size)
}

impl Holder for ApfsContainer {
    fn name(&self) -> &'static str {
        "APFS container"
    }

    fn recognises(&self, _: &dyn ReadAt, head: &[u8]) -> bool {
        block_size(head).is_some()
    }

    fn open(&self, volume: &Arc<dyn ReadAt>, head: &[u8]) -> Result<Vec<Logical>, PeelError> {
        let short = || PeelError::malformed(APFS, 0, "a container", "its end");
        let block = block_size(head).ok_or_else(short)?;
        let container = newest(volume, head, block)?;
        if u64_le(&container, 64).is_some_and(|features| features & 0x100 != 0) {
            let why = "an APFS container of a Fusion drive, not looked into";
            return Err(PeelError::Closed(why.into()));
        }
        let transaction = u64_le(&container, 16).ok_or_else(short)?;
        let map = u64_le(&container, 160).ok_or_else(short)?;
        let map = object_map(volume, block, map, transaction)?;
        let numbers = container.get(184..).unwrap_or(&[]).chunks_exact(8).take(VOLUMES);
        let numbers: Vec<u64> =
            numbers.filter_map(|number| u64_le(number, 0)).filter(|number| *number != 0).collect();
        let mut names = HashSet::new();
        let mut found = Vec::new();
        let mut places = Vec::new();
        for number in numbers {
            match map.get(&number) {
                Some(place) => places.push(place.saturating_mul(block)),
                // It is handed on by its name alone, and so is told as not looked into.
                None => found.push(Logical {
                    name: "missing".to_owned(),
                    bytes: Arc::new(MemoryBytes::new(&b"missing"[..])),
                }),
            }
        }
        let ranges: Vec<std::ops::Range<u64>> =
            places.iter().map(|start| *start..start.saturating_add(block)).collect();
        let read = read_merged(&**volume, &ranges)?;
        for (start, bytes) in places.iter().zip(read) {
            let label = super::format::label(&bytes).unwrap_or_else(|| "unnamed".into());
            let label = label.replace('/', ":");
            let mut name = label.clone();
            let mut number = 2u32;
            while !names.insert(name.clone()) {
                name = format!("{label} {number}");
                number = number.saturating_add(1);
            }
            let rest = volume.len().saturating_sub(block);
            let pieces = vec![
                Extent { at: 0, length: block, source: Some(*start) },
                Extent { at: block, length: rest, source: Some(block) },
            ];
            let bytes = Extents::new(Arc::clone(volume), pieces, volume.len());
            found.push(Logical { name, bytes: Arc::new(bytes) });
        }
        Ok(found)
    }
}

/// The container's block of the newest checkpoint that is whole; else the first block, which is
/// only written when the container is put aside.
fn newest(volume: &Arc<dyn ReadAt>, head: &[u8], block: u64) -> Result<Vec<u8>, PeelError> {
    let size = index(block);
    let first = match head.get(..size) {
        Some(first) => first.to_vec(),
        None => read_exact_vec(&**volume, 0, block)?,
    };
    let count = u64::from(u32_le(&first, 104).unwrap_or(0));
    let base = u64_le(&first, 112).unwrap_or(0);
    // The highest bit says that they are scattered; the first block is as good then.
    if count == 0 || count > CHECKPOINTS {
        return Ok(first);
    }
    let length = count.saturating_mul(block);
    let area = read_vec(&**volume, base.saturating_mul(block), length)?;
    let newest = area
        .chunks_exact(size)
        .filter(|bytes| block_size(bytes) == Some(block) && is_whole(bytes))
        .filter(|bytes| object(bytes).is_some_and(|(_, kind)| kind == 1))
        .max_by_key(|bytes| u64_le(bytes, 16));
    Ok(newest.map_or(first, <[u8]>::to_vec))
}
