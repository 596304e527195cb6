//! VDI, the disk of `VirtualBox` (VDICore.h of its sources): dynamic, fixed, differencing.
//!
//! Numbers are little-endian.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 64 | 4 | 7F 10 DA BE |
//! | 68 | 4 | version: 0x00010001 |
//! | 76 | 4 | 1 dynamic, 2 fixed, 3 undo, 4 differencing |
//! | 340 | 4 | offset of the table of blocks |
//! | 344 | 4 | offset of the blocks |
//! | 368 | 8 | length of the disk |
//! | 376 | 4 + 4 | size of a block, and of what stands before each |
//! | 384 | 4 | number of blocks |
//! | 392 | 16 | its own UUID |
//! | 424 | 16 | the parent's UUID |
//!
//! The table has 4 bytes a block: its number in the file, all ones for none, one less for zeros.

use super::fields::{Fields, guid_text};
use super::image::{Disk, Image};
use super::mapped::{Map, Mapped, Origin, Piece, chunks, entries, tables};
use super::parent::{Raw, Wanted, identity};
use crate::error::PeelError;
use lidless_core::{Artifact, Limits};
use lidless_io::{BlockCache, ReadError};
use std::sync::Arc;

const FORMAT: &str = "VDI";
const MAGIC: &[u8] = &[0x7f, 0x10, 0xda, 0xbe];
const NONE: u32 = u32::MAX;
const ZEROS: u32 = u32::MAX - 1;

/// Disks of `VirtualBox`.
pub(super) struct Vdi;

impl Image for Vdi {
    fn name(&self) -> &'static str {
        FORMAT
    }

    fn recognises(&self, _: &Artifact, head: &[u8]) -> bool {
        head.get(64..68) == Some(MAGIC)
    }

    fn open(&self, artifact: &Artifact, head: &[u8], limits: &Limits) -> Result<Disk, PeelError> {
        let fields = Fields::new(FORMAT, 0, head);
        if fields.u32_le(68)? >> 16 != 1 {
            return Err(PeelError::Closed("a VDI of an old version, not looked into".into()));
        }
        let block = u64::from(fields.u32_le(376)?);
        if !block.is_power_of_two() || !(512..=(256 << 20)).contains(&block) {
            return Err(fields.wrong(376, "a block of 512 bytes to 256 MiB", block));
        }
        let kind = fields.u32_le(76)?;
        let length = fields.u64_le(368)?;
        let map = Blocks {
            tables: tables(&artifact.bytes),
            table: u64::from(fields.u32_le(340)?),
            data: u64::from(fields.u32_le(344)?),
            count: u64::from(fields.u32_le(384)?),
            block,
            extra: u64::from(fields.u32_le(380)?),
            is_child: matches!(kind, 3 | 4),
        };
        if map.count.saturating_mul(block) < length {
            return Err(fields.wrong(384, "as many blocks as the disk has", map.count));
        }
        let mut disk = Disk::new(Arc::clone(&artifact.bytes));
        disk.facts.push(identity(&guid_text(fields.array(392)?)));
        let mut parent = None;
        if map.is_child {
            let guid = guid_text(fields.array(424)?);
            let wanted = Wanted {
                paths: names(artifact, &guid.to_lowercase()),
                identities: vec![guid],
                raw: Raw::Never,
            };
            parent = wanted.find(artifact, limits, &mut disk).map(|parent| parent.bytes);
        }
        let image = Arc::clone(&artifact.bytes);
        disk.bytes = Arc::new(Mapped::new(map, image, parent, length));
        Ok(disk)
    }
}

/// A child names its parent by UUID alone. Snapshots have theirs as their name; the first disk
/// has the machine's and stands in the folder above the one of the snapshots.
fn names(artifact: &Artifact, guid: &str) -> Vec<String> {
    let path = artifact.entry.path();
    let machine = path.rsplit('/').nth(2).unwrap_or("");
    let mut names = vec![format!("{{{guid}}}.vdi"), format!("{guid}.vdi")];
    if !machine.is_empty() {
        names.push(format!("../{machine}.vdi"));
    }
    names
}

struct Blocks {
    tables: BlockCache,
    table: u64,
    data: u64,
    count: u64,
    block: u64,
    extra: u64,
    is_child: bool,
}

impl Map for Blocks {
    fn locate(&self, from: u64, to: u64) -> Result<Vec<Piece>, ReadError> {
        let first = from.checked_div(self.block).unwrap_or(0).min(self.count);
        let last = to.div_ceil(self.block).clamp(first, self.count);
        let table: Vec<[u8; 4]> =
            entries(&self.tables, self.table, first, last.saturating_sub(first))?;
        let places = table.into_iter().map(u32::from_le_bytes);
        let mut pieces = Vec::new();
        for ((number, within, length), place) in chunks(from, to, self.block).zip(places) {
            let at = number.saturating_mul(self.block).saturating_add(within);
            let origin = match place {
                NONE if self.is_child => Origin::Parent(at),
                NONE | ZEROS => Origin::Zeros,
                place => Origin::Stored(
                    u64::from(place)
                        .saturating_mul(self.block.saturating_add(self.extra))
                        .saturating_add(self.data)
                        .saturating_add(self.extra)
                        .saturating_add(within),
                ),
            };
            pieces.push(Piece { length, origin });
        }
        Ok(pieces)
    }
}
