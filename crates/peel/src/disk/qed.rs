//! QED, an older disk of QEMU (qemu: docs/interop/qed_spec.rst).
//!
//! Numbers are little-endian.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | `QED` 00 |
//! | 4 | 4 | length of a cluster |
//! | 8 | 4 | clusters of a table |
//! | 16 | 8 | features: 1 a backing file, 2 not closed well, 4 the backing file is raw |
//! | 40 | 8 | offset of the first table (L1) |
//! | 48 | 8 | length of the disk |
//! | 56 | 4 + 4 | offset and length of the name of the backing file |
//!
//! Both levels of tables have 8 bytes an entry: an offset, 0 for none, in the second 1 for zeros.

use super::fields::Fields;
use super::image::{Disk, Image};
use super::mapped::{Map, Mapped, Origin, Piece, chunks, entries, tables};
use super::parent::{Raw, Wanted};
use crate::error::PeelError;
use lidless_core::{Artifact, Limits};
use lidless_io::{BlockCache, ReadError, read_vec};
use std::sync::Arc;

const FORMAT: &str = "QED";
const BACKING: u64 = 1;
const BACKING_IS_RAW: u64 = 4;
const LONGEST_NAME: u32 = 1023;

/// Disks of older QEMU.
pub(super) struct Qed;

impl Image for Qed {
    fn name(&self) -> &'static str {
        FORMAT
    }

    fn recognises(&self, _: &Artifact, head: &[u8]) -> bool {
        head.starts_with(b"QED\0")
    }

    fn open(&self, artifact: &Artifact, head: &[u8], limits: &Limits) -> Result<Disk, PeelError> {
        let fields = Fields::new(FORMAT, 0, head);
        let cluster = u64::from(fields.u32_le(4)?);
        if !cluster.is_power_of_two() || !((4 << 10)..=(64 << 20)).contains(&cluster) {
            return Err(fields.wrong(4, "clusters of 4 KiB to 64 MiB", cluster));
        }
        let per_table = u64::from(fields.u32_le(8)?);
        if !(1..=16).contains(&per_table) {
            return Err(fields.wrong(8, "tables of 1 to 16 clusters", per_table));
        }
        let per_table = per_table.saturating_mul(cluster) / 8;
        let features = fields.u64_le(16)?;
        if features & !7 != 0 {
            return Err(PeelError::Closed("a QED with features that are not known".into()));
        }
        let length = fields.u64_le(48)?;
        if per_table.saturating_mul(per_table).saturating_mul(cluster) < length {
            return Err(fields.wrong(48, "a disk that the tables cover", length));
        }
        let mut disk = Disk::new(Arc::clone(&artifact.bytes));
        let is_child = features & BACKING != 0;
        let mut parent = None;
        if is_child {
            let (at, length) = (u64::from(fields.u32_le(56)?), fields.u32_le(60)?);
            if length > LONGEST_NAME {
                return Err(fields.wrong(60, "a name of at most 1023 bytes", length));
            }
            let name = read_vec(&*artifact.bytes, at, u64::from(length))?;
            let wanted = Wanted {
                paths: vec![String::from_utf8_lossy(&name).into_owned()],
                identities: Vec::new(),
                raw: if features & BACKING_IS_RAW != 0 { Raw::Always } else { Raw::Perhaps },
            };
            parent = wanted.find(artifact, limits, &mut disk).map(|parent| parent.bytes);
        }
        let map = Clusters {
            tables: tables(&artifact.bytes),
            first: fields.u64_le(40)?,
            per_table,
            cluster,
            is_child,
        };
        let image = Arc::clone(&artifact.bytes);
        disk.bytes = Arc::new(Mapped::new(map, image, parent, length));
        Ok(disk)
    }
}

struct Clusters {
    tables: BlockCache,
    first: u64,
    per_table: u64,
    cluster: u64,
    is_child: bool,
}

impl Map for Clusters {
    fn locate(&self, from: u64, to: u64) -> Result<Vec<Piece>, ReadError> {
        let nothing = |at: u64| if self.is_child { Origin::Parent(at) } else { Origin::Zeros };
        let covered = self.per_table.saturating_mul(self.cluster);
        let mut pieces = Vec::new();
        for (table, inside, length) in chunks(from, to, covered) {
            let start = table.saturating_mul(covered);
            let place: Vec<[u8; 8]> = entries(&self.tables, self.first, table, 1)?;
            let place = place.first().map_or(0, |bytes| u64::from_le_bytes(*bytes));
            if place == 0 {
                let origin = nothing(start.saturating_add(inside));
                pieces.push(Piece { length, origin });
                continue;
            }
            let end = inside.saturating_add(length);
            let first = inside.checked_div(self.cluster).unwrap_or(0);
            let count = end.div_ceil(self.cluster).saturating_sub(first);
            let places: Vec<[u8; 8]> = entries(&self.tables, place, first, count)?;
            let places = places.into_iter().map(u64::from_le_bytes);
            for ((number, within, length), place) in chunks(inside, end, self.cluster).zip(places) {
                let at = number.saturating_mul(self.cluster).saturating_add(within);
                let origin = match place {
                    0 => nothing(start.saturating_add(at)),
                    1 => Origin::Zeros,
                    place => Origin::Stored(place.saturating_add(within)),
                };
                pieces.push(Piece { length, origin });
            }
        }
        Ok(pieces)
    }
}
