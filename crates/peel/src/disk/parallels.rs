//! Disks of Parallels, expanding (qemu: docs/interop/parallels.txt).
//!
//! Numbers are little-endian.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 16 | `WithoutFreeSpace` or `WithouFreSpacExt` |
//! | 16 | 4 | version: 2 |
//! | 28 | 4 | sectors of a cluster |
//! | 32 | 4 | entries of the table |
//! | 36 | 8 | sectors of the disk; only 4 bytes count in the older form |
//! | 64 | 4 each | the table: place of a cluster, 0 for none; in the older form in sectors, else in clusters |

use super::fields::Fields;
use super::image::{Disk, Image};
use super::mapped::{Map, Mapped, Origin, Piece, chunks, entries, tables};
use crate::error::PeelError;
use lidless_core::{Artifact, Limits};
use lidless_io::{BlockCache, ReadError};
use std::sync::Arc;

const FORMAT: &str = "Parallels disk";
const OLDER: &[u8] = b"WithoutFreeSpace";
const NEWER: &[u8] = b"WithouFreSpacExt";
const SECTOR: u64 = 512;
const TABLE: u64 = 64;

/// Disks of Parallels.
pub(super) struct Parallels;

impl Image for Parallels {
    fn name(&self) -> &'static str {
        FORMAT
    }

    fn recognises(&self, _: &Artifact, head: &[u8]) -> bool {
        head.starts_with(OLDER) || head.starts_with(NEWER)
    }

    fn open(&self, artifact: &Artifact, head: &[u8], _: &Limits) -> Result<Disk, PeelError> {
        let fields = Fields::new(FORMAT, 0, head);
        let is_newer = head.starts_with(NEWER);
        let cluster = u64::from(fields.u32_le(28)?).saturating_mul(SECTOR);
        if !(SECTOR..=(64 << 20)).contains(&cluster) {
            return Err(fields.wrong(28, "clusters of 512 bytes to 64 MiB", cluster));
        }
        let sectors = if is_newer { fields.u64_le(36)? } else { u64::from(fields.u32_le(36)?) };
        let length = sectors.saturating_mul(SECTOR);
        let map = Clusters {
            tables: tables(&artifact.bytes),
            count: u64::from(fields.u32_le(32)?),
            cluster,
            unit: if is_newer { cluster } else { SECTOR },
        };
        if map.count.saturating_mul(cluster) < length {
            return Err(fields.wrong(32, "a table as long as the disk", map.count));
        }
        let image = Arc::clone(&artifact.bytes);
        let mut disk = Disk::new(Arc::new(Mapped::new(map, image, None, length)));
        // The descriptor of the bundle alone says whether an image has a parent, and which.
        if artifact.entry.file_name().ends_with(".hds") && is_snapshot(artifact) {
            let reason =
                "a snapshot of a Parallels disk: only what differs from its parent is seen";
            disk.gaps.push((reason.into(), None));
        }
        Ok(disk)
    }
}

/// Images of a bundle have a GUID in their name: the first one always the same.
fn is_snapshot(artifact: &Artifact) -> bool {
    let name = artifact.entry.file_name();
    name.contains(".{") && !name.contains(".{5fbaabe3-6958-40ff-92a7-860e329aab41}")
}

struct Clusters {
    tables: BlockCache,
    count: u64,
    cluster: u64,
    /// What the entries of the table count.
    unit: u64,
}

impl Map for Clusters {
    fn locate(&self, from: u64, to: u64) -> Result<Vec<Piece>, ReadError> {
        let first = from.checked_div(self.cluster).unwrap_or(0).min(self.count);
        let last = to.div_ceil(self.cluster).clamp(first, self.count);
        let table: Vec<[u8; 4]> = entries(&self.tables, TABLE, first, last.saturating_sub(first))?;
        let places = table.into_iter().map(u32::from_le_bytes);
        let pieces =
            chunks(from, to, self.cluster).zip(places).map(|((_, within, length), place)| {
                let offset = u64::from(place).saturating_mul(self.unit).saturating_add(within);
                let origin = if place == 0 { Origin::Zeros } else { Origin::Stored(offset) };
                Piece { length, origin }
            });
        Ok(pieces.collect())
    }
}
