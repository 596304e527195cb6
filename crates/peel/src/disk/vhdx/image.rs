//! A VHDX as an image of a disk.
//!
//! The BAT has 8 bytes a block: 3 bits state (0 none, 1 undefined, 2 zeros, 3 unmapped, 6 whole,
//! 7 in part), the offset in units of 1 MiB from bit 20 on. After each chunk of blocks, as many as
//! 2^23 sectors take, stands one entry for the bitmap of their sectors, 1 MiB, lowest bit first;
//! a block that is there in part takes from the parent the sectors whose bit is not set.

use super::super::image::{Disk, Image};
use super::super::mapped::{Map, Mapped, Origin, Piece, chunks, entries, tables};
use super::super::parent::{Raw, Wanted, identity};
use super::header::{FORMAT, Heads, METADATA_BYTES, Metadata};
use super::log;
use crate::error::PeelError;
use lidless_core::{Artifact, Limits};
use lidless_io::number;
use lidless_io::utf16::{text_to_zero, units_le};
use lidless_io::{BlockCache, ReadAt, ReadError, read_merged};
use std::ops::Range;
use std::sync::Arc;

const CHUNK_SECTORS: u64 = 1 << 23;
const PART: u64 = 7;
/// The beginning of the table of blocks that every disk is read with.
const TABLE_BYTES: u64 = 64 << 10;

/// Virtual hard disks of Hyper-V and of Windows backups.
pub(in crate::disk) struct Vhdx;

impl Image for Vhdx {
    fn name(&self) -> &'static str {
        FORMAT
    }

    fn recognises(&self, _: &Artifact, head: &[u8]) -> bool {
        head.starts_with(b"vhdxfile")
    }

    fn open(&self, artifact: &Artifact, head: &[u8], limits: &Limits) -> Result<Disk, PeelError> {
        let heads = Heads::read(&*artifact.bytes)?;
        let header = heads.header()?;
        let mut disk = Disk::new(Arc::clone(&artifact.bytes));
        let source: Arc<dyn ReadAt> = match log::replay(&artifact.bytes, &header) {
            Ok(None) => Arc::clone(&artifact.bytes),
            Ok(Some(overlay)) => {
                disk.facts.push(("replayed", overlay.count().into()));
                Arc::new(overlay)
            }
            // The file as it is may be a little behind, and is still worth reading.
            Err(error) => {
                let reason = match error {
                    PeelError::Limit(reason) => reason,
                    _ => "a VHDX log that cannot be replayed: its last changes are not seen",
                };
                disk.gaps.push((reason.to_owned(), None));
                Arc::clone(&artifact.bytes)
            }
        };
        let [(at, length), (table, table_bytes)] = heads.regions()?;
        // Both are wanted, and one request where they lie close: the cache keeps what it brings.
        let begin = |at: u64, bytes: u64| at..at.saturating_add(bytes);
        let metadata = begin(at, length.min(METADATA_BYTES));
        read_merged(&*source, &[metadata, begin(table, table_bytes.min(TABLE_BYTES))])?;
        let metadata = Metadata::read(&*source, at, length)?;
        let maker = text_to_zero(units_le(head.get(8..520).unwrap_or(&[])));
        disk.facts.push(("created_by", maker.into()));
        disk.facts.push(identity(&header.data_write));
        let mut parent = None;
        if let Some(pairs) = &metadata.parent {
            let value = |key: &str| {
                pairs.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone())
            };
            let paths = ["relative_path", "absolute_win32_path", "volume_path"];
            let linkage = ["parent_linkage", "parent_linkage2"];
            let wanted = Wanted {
                paths: paths.into_iter().filter_map(value).collect(),
                identities: linkage
                    .into_iter()
                    .filter_map(value)
                    .map(|guid| guid.trim_matches(['{', '}']).to_owned())
                    .collect(),
                raw: Raw::Never,
            };
            parent = wanted.find(artifact, limits, &mut disk).map(|parent| parent.bytes);
        }
        let map = Blocks {
            tables: tables(&source),
            table,
            count: table_bytes / 8,
            block: metadata.block_bytes,
            sector: metadata.sector_bytes,
            is_child: metadata.parent.is_some(),
        };
        let length = metadata.disk_bytes;
        let last = length.saturating_sub(1).checked_div(map.block).unwrap_or(0);
        if length > 0 && map.index(last) >= map.count {
            let expected = "a table of blocks as long as the disk";
            return Err(PeelError::malformed(FORMAT, table, expected, map.count));
        }
        disk.bytes = Arc::new(Mapped::new(map, source, parent, length));
        Ok(disk)
    }
}

struct Blocks {
    tables: BlockCache,
    table: u64,
    count: u64,
    block: u64,
    sector: u64,
    is_child: bool,
}

impl Blocks {
    /// How many blocks share a bitmap.
    fn ratio(&self) -> u64 {
        CHUNK_SECTORS.saturating_mul(self.sector).checked_div(self.block).unwrap_or(1).max(1)
    }

    /// The entry of a block: one for a bitmap stands after each chunk.
    fn index(&self, block: u64) -> u64 {
        block.saturating_add(block.checked_div(self.ratio()).unwrap_or(0))
    }

    /// The pieces of a block of which some sectors are the parent's.
    fn partly(&self, at: u64, data: u64, length: u64, bitmap: &[u8], first: u64) -> Vec<Piece> {
        chunks(at, at.saturating_add(length), self.sector)
            .map(|(sector, within, length)| {
                let start = sector.saturating_mul(self.sector).saturating_add(within);
                let bit = sector.checked_rem(CHUNK_SECTORS).unwrap_or(0);
                let byte = usize::try_from((bit / 8).saturating_sub(first)).ok();
                let byte = byte.and_then(|byte| bitmap.get(byte)).copied().unwrap_or(0);
                let is_own = byte.wrapping_shr(u32::try_from(bit % 8).unwrap_or(0)) & 1 == 1;
                let own = data.saturating_add(start.saturating_sub(at));
                let origin = if is_own { Origin::Stored(own) } else { Origin::Parent(start) };
                Piece { length, origin }
            })
            .collect()
    }
}

impl Map for Blocks {
    fn locate(&self, from: u64, to: u64) -> Result<Vec<Piece>, ReadError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let number = |at: u64| at.checked_div(self.block).unwrap_or(0);
        let first = self.index(number(from));
        let last = number(to.saturating_sub(1));
        // One entry more where the bitmap of the last block is needed.
        let ratio = self.ratio();
        let bitmap_of = |block: u64| {
            let chunk = block.checked_div(ratio).unwrap_or(0).saturating_add(1);
            chunk.saturating_mul(ratio.saturating_add(1)).saturating_sub(1)
        };
        let end = self.index(last).saturating_add(1).min(self.count);
        let table: Vec<[u8; 8]> =
            entries(&self.tables, self.table, first, end.saturating_sub(first))?;
        let entry = |index: u64| {
            let index = number::index(index.saturating_sub(first));
            table.get(index).map_or(0, |bytes| u64::from_le_bytes(*bytes))
        };
        let place = |entry: u64| (entry >> 20) << 20;
        // The part of each bitmap that is needed, for all blocks in one batch.
        let mut wanted: Vec<Range<u64>> = Vec::new();
        let mut partial = Vec::new();
        for (block, within, length) in chunks(from, to, self.block) {
            let state = entry(self.index(block)) & 7;
            if state == PART && self.is_child {
                let own: Vec<[u8; 8]> =
                    entries(&self.tables, self.table, bitmap_of(block).min(self.count), 1)?;
                let own = own.first().map_or(0, |bytes| u64::from_le_bytes(*bytes));
                let at = block.saturating_mul(self.block).saturating_add(within);
                let sector = |at: u64| at.checked_div(self.sector).unwrap_or(0);
                let (begin, stop) = (sector(at), sector(at.saturating_add(length)));
                let start = begin.checked_rem(CHUNK_SECTORS).unwrap_or(0) / 8;
                let bytes = (stop.saturating_sub(begin) / 8).saturating_add(2);
                let base = place(own).saturating_add(start);
                wanted.push(if own & 7 == 6 { base..base.saturating_add(bytes) } else { 0..0 });
                partial.push((block, start));
            }
        }
        let bitmaps = read_merged(&self.tables, &wanted)?;
        let mut pieces = Vec::new();
        for (block, within, length) in chunks(from, to, self.block) {
            let entry = entry(self.index(block));
            let at = block.saturating_mul(self.block).saturating_add(within);
            let data = place(entry).saturating_add(within);
            let origin = match entry & 7 {
                6 => Origin::Stored(data),
                PART if !self.is_child => Origin::Stored(data),
                PART => {
                    let index = partial.iter().position(|(known, _)| *known == block);
                    let first = index.and_then(|index| partial.get(index)).map_or(0, |one| one.1);
                    let bitmap = index.and_then(|index| bitmaps.get(index));
                    let bitmap = bitmap.map_or(&[][..], |bytes| bytes);
                    pieces.extend(self.partly(at, data, length, bitmap, first));
                    continue;
                }
                0 if self.is_child => Origin::Parent(at),
                _ => Origin::Zeros,
            };
            pieces.push(Piece { length, origin });
        }
        Ok(pieces)
    }
}
