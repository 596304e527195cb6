//! From the anchor to the root directory: descriptors of the volume, maps of its partitions.
//!
//! | descriptor | fields: offset, size |
//! |---|---|
//! | anchor | length 16, 4 and block 20, 4 of the sequence; those of its copy at 24 |
//! | pointer | sequence number 16, 4; length and block of the next part at 20 |
//! | partition | number 22, 2; first block 188, 4; blocks 192, 4 |
//! | logical volume | label 84, 128; block size 212, 4; file set 248, 16; bytes of maps 264, 4; maps at 440 |
//! | map, kind 1 | kind 0, 1; length 1, 1; partition 4, 2 |
//! | map, kind 2 | name 5, 23; partition 38, 2; what the name says from 40 on |
//! | file set | root directory 400, 16 |

use super::super::number::{le16, le32};
use super::descriptor::{
    ANCHOR, FILE_SET, LOGICAL_VOLUME, PARTITION, POINTER, Place, TERMINATING, field, kind,
};
use super::entry::Entry;
use super::extents::extents_of;
use super::sessions;
use super::space::{Partition, Space};
use crate::error::PeelError;
use lidless_io::number::index;
use lidless_io::{Extent, Extents, ReadAt, read_merged, read_vec};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Sizes of blocks, the usual first.
const SIZES: [u64; 5] = [2048, 512, 4096, 1024, 8192];
/// How many bytes of a sequence are read.
const SEQUENCE_BYTES: u64 = 256 << 10;
/// How many maps of partitions a volume may have: the format allows for two kinds of each.
const MAPS: usize = 16;

/// A logical volume.
pub(super) struct Volume {
    pub(super) space: Space,
    pub(super) label: Option<String>,
    pub(super) root: Place,
    pub(super) gaps: Vec<String>,
}

/// Whether the sequence of recognition names UDF, and whether another format stands in it too.
pub(super) fn recognised(head: &[u8]) -> Option<bool> {
    let marks = head.get(0x8000..).unwrap_or(&[]).chunks(2048);
    let marks: Vec<&[u8]> = marks.map(|sector| sector.get(1..6).unwrap_or(&[])).collect();
    let has = |mark: &[u8]| marks.contains(&mark);
    (has(b"NSR02") || has(b"NSR03")).then(|| has(b"CD001"))
}

/// The anchor's block, and the size of blocks.
pub(super) fn anchor(volume: &dyn ReadAt) -> Option<(Vec<u8>, u64)> {
    let is = |bytes: &[u8], block: u64| {
        kind(bytes) == Some(ANCHOR) && u64::from(le32(bytes, 12)) == block
    };
    for size in SIZES {
        let block = read_vec(volume, size.saturating_mul(256), 512).ok()?;
        if is(&block, 256) {
            return Some((block, size));
        }
    }
    for size in SIZES {
        let blocks = volume.len().checked_div(size).unwrap_or(0);
        for back in [257u64, 1, 256] {
            let Some(number) = blocks.checked_sub(back) else { continue };
            let block = read_vec(volume, number.saturating_mul(size), 512).ok()?;
            if is(&block, number) {
                return Some((block, size));
            }
        }
    }
    None
}

/// The descriptors that count, each the newest of its kind.
#[derive(Default)]
struct Sequence {
    logical: Option<(u32, Vec<u8>)>,
    /// By number: sequence number, first block, blocks.
    partitions: BTreeMap<u16, (u32, u32, u32)>,
}

impl Sequence {
    fn read(volume: &dyn ReadAt, length: u32, block: u32, size: u64) -> Result<Self, PeelError> {
        let mut found = Self::default();
        let mut next = Some((length, block));
        // Each part may name one that follows it.
        for _ in 0..8 {
            let Some((length, block)) = next.take() else { break };
            let start = u64::from(block).saturating_mul(size);
            let bytes = read_vec(volume, start, u64::from(length).min(SEQUENCE_BYTES))?;
            for sector in bytes.chunks(index(size)) {
                let number = le32(sector, 16);
                match kind(sector) {
                    Some(LOGICAL_VOLUME) => {
                        if found.logical.as_ref().is_none_or(|(old, _)| *old <= number) {
                            found.logical = Some((number, sector.to_vec()));
                        }
                    }
                    Some(PARTITION) => {
                        let own = (number, le32(sector, 188), le32(sector, 192));
                        let kept = found.partitions.entry(le16(sector, 22)).or_insert(own);
                        if kept.0 <= number {
                            *kept = own;
                        }
                    }
                    Some(POINTER) => next = Some((le32(sector, 20), le32(sector, 24))),
                    Some(TERMINATING) | None => break,
                    Some(_) => {}
                }
            }
        }
        Ok(found)
    }

    fn is_whole(&self) -> bool {
        self.logical.is_some() && !self.partitions.is_empty()
    }
}

impl Volume {
    /// Finds the root directory of a volume.
    ///
    /// # Errors
    /// `Malformed`, `Closed`, `Read`.
    pub(super) fn open(source: &Arc<dyn ReadAt>) -> Result<Self, PeelError> {
        let bad = |expected: &str| PeelError::malformed("UDF", 0, expected, "none");
        let (anchor, size) = anchor(&**source).ok_or_else(|| bad("an anchor"))?;
        let read = |at: usize| {
            Sequence::read(&**source, le32(&anchor, at), le32(&anchor, at.saturating_add(4)), size)
        };
        let mut sequence = read(16).unwrap_or_default();
        if !sequence.is_whole() {
            sequence = read(24)?;
        }
        let Some((_, logical)) = &sequence.logical else { return Err(bad("a logical volume")) };
        let block_bytes = u64::from(le32(logical, 212));
        if !SIZES.contains(&block_bytes) && !matches!(block_bytes, 16_384 | 32_768) {
            return Err(PeelError::malformed("UDF", 212, "the size of a block", block_bytes));
        }
        let mut space = Space { block_bytes, partitions: Vec::new() };
        let mut gaps = Vec::new();
        let length = usize::try_from(le32(logical, 264)).unwrap_or(0);
        let mut maps = logical.get(440..).unwrap_or(&[]);
        maps = maps.get(..length).unwrap_or(maps);
        while let [_, length, ..] = *maps {
            let Some((map, rest)) = maps.split_at_checked(usize::from(length.max(2))) else {
                break;
            };
            if space.partitions.len() >= MAPS {
                break;
            }
            let partition = partition(source, &sequence, &space, map);
            if let Partition::Closed(why) = partition {
                gaps.push(why.to_owned());
            }
            space.partitions.push(partition);
            maps = rest;
        }
        let set = Place::parse(logical.get(248..264).unwrap_or(&[]), false, 0);
        let ranges = space.ranges(set, block_bytes)?;
        let set = read_merged(&**source, &ranges)?.concat();
        if kind(&set) != Some(FILE_SET) {
            return Err(bad("a file set"));
        }
        let root = Place::parse(set.get(400..416).unwrap_or(&[]), false, 0);
        let label =
            Some(field(logical.get(84..212).unwrap_or(&[]))).filter(|name| !name.is_empty());
        Ok(Self { space, label, root, gaps })
    }
}

/// The partition that a map stands for.
fn partition(
    source: &Arc<dyn ReadAt>,
    sequence: &Sequence,
    space: &Space,
    map: &[u8],
) -> Partition {
    let is_plain = map.first() == Some(&1);
    let number = le16(map, if is_plain { 4 } else { 38 });
    let Some((_, start, blocks)) = sequence.partitions.get(&number) else {
        return Partition::Closed("a partition of UDF that is not described");
    };
    let bytes = |blocks: u32| u64::from(blocks).saturating_mul(space.block_bytes);
    let length = bytes(*blocks);
    let whole = Extent { at: 0, length, source: Some(bytes(*start)) };
    let plain = Extents::new(Arc::clone(source), vec![whole], length);
    if is_plain {
        return Partition::Open(plain);
    }
    let name = map.get(5..28).unwrap_or(&[]);
    if name.starts_with(b"*UDF Sparable Partition") {
        return match spared(source, map, space.block_bytes, whole) {
            Some(extents) => Partition::Open(extents),
            None => Partition::Closed("a partition of UDF whose table of spare blocks is gone"),
        };
    }
    if name.starts_with(b"*UDF Metadata Partition") {
        // The metadata file and its mirror lie in the partition itself.
        let inner =
            Space { block_bytes: space.block_bytes, partitions: vec![Partition::Open(plain)] };
        let found = [40usize, 44].into_iter().find_map(|at| {
            let block = Place { block: le32(map, at), ..Place::parse(&[], false, 0) };
            let ranges = inner.ranges(block, inner.block_bytes).ok()?;
            let block = read_merged(&**source, &ranges).ok()?.concat();
            let entry = Entry::parse(&block, 0)?;
            extents_of(source, &inner, 0, &entry).ok()
        });
        return match found {
            Some(extents) => Partition::Open(extents),
            None => Partition::Closed("a partition of UDF whose metadata file is gone"),
        };
    }
    if name.starts_with(b"*UDF Virtual Partition") {
        let inner =
            Space { block_bytes: space.block_bytes, partitions: vec![Partition::Open(plain)] };
        return match sessions::blocks(source, &inner, bytes(*start)) {
            Some(extents) => Partition::Open(extents),
            None => Partition::Closed("a disc of UDF written in sessions, without its last table"),
        };
    }
    Partition::Closed("a partition of UDF of a kind that is not read")
}

/// A partition whose bad packets were replaced. The map has the blocks of a packet (40, 2), the
/// number of tables (42, 1), their length (44, 4) and their blocks (48, 4 each); a table has a
/// name (`*UDF Sparing Table`, 17), its number of entries (48, 2), and entries from 56 on: the
/// packet's block in the partition, and the block that stands for it, 4 bytes each.
fn spared(source: &Arc<dyn ReadAt>, map: &[u8], size: u64, whole: Extent) -> Option<Extents> {
    let packet = u64::from(le16(map, 40)).saturating_mul(size);
    let count = usize::from(map.get(42).copied()?).min(4);
    let length = u64::from(le32(map, 44)).min(256 << 10);
    let table = (0..count).find_map(|number| {
        let block = le32(map, 48usize.saturating_add(number.saturating_mul(4)));
        let table = read_vec(&**source, u64::from(block).saturating_mul(size), length).ok()?;
        let named = table.get(17..35) == Some(b"*UDF Sparing Table");
        named.then_some(table)
    })?;
    let entries = usize::from(le16(&table, 48));
    let mut pieces = vec![whole];
    for entry in table.get(56..)?.as_chunks::<8>().0.iter().take(entries) {
        let (from, to) = (le32(entry, 0), le32(entry, 4));
        // The highest numbers mark packets that are free or bad.
        if from < 0xffff_fff0 {
            let at = u64::from(from).saturating_mul(size);
            let to = u64::from(to).saturating_mul(size);
            pieces.push(Extent { at, length: packet, source: Some(to) });
            // Behind the packet the partition goes on.
            let next = at.saturating_add(packet);
            let left = whole.length.saturating_sub(next);
            let rest = whole.source.map(|start| start.saturating_add(next));
            pieces.push(Extent { at: next, length: left, source: rest });
        }
    }
    // Of two that begin at the same place, the replacement counts.
    let start = whole.source;
    let is_own = |piece: &Extent| piece.source == start.map(|start| start.saturating_add(piece.at));
    pieces.sort_by_key(|piece| (piece.at, is_own(piece)));
    pieces.dedup_by_key(|piece| piece.at);
    Some(Extents::new(Arc::clone(source), pieces, whole.length))
}
