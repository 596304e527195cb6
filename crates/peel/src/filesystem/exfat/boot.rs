//! The boot region of exFAT (Microsoft, exFAT file system specification, section 3).
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 11 | `eb 76 90`, `EXFAT   ` |
//! | 11 | 53 | zeros |
//! | 72 | 8 | sectors of the volume |
//! | 80 | 4 | sector of the first FAT |
//! | 84 | 4 | sectors of a FAT |
//! | 88 | 4 | sector of cluster 2 |
//! | 92 | 4 | number of clusters |
//! | 96 | 4 | first cluster of the root directory |
//! | 104 | 2 | revision |
//! | 106 | 2 | flags; 1: the second FAT is in use |
//! | 108 | 1 | sector size, as a power of two, 9 to 12 |
//! | 109 | 1 | sectors in a cluster, as a power of two |
//! | 110 | 1 | number of FATs, 1 or 2 |
//! | 510 | 2 | `55 aa` |
//!
//! A copy of the region begins at sector 12.

use super::super::fat::{Geometry, Width};
use lidless_io::{Cursor, CursorError};

/// Whether only the first sector is gone. What was made on top of an exFAT may leave its copy,
/// and has marks of its own in the first 4 KiB, where exFAT has nothing but the ends of sectors,
/// or right behind, as RAID.
fn is_wiped(head: &[u8]) -> bool {
    let sectors = head.get(..4096).unwrap_or(&[]).as_chunks::<512>().0;
    sectors.len() == 8
        && sectors.iter().enumerate().all(|(number, sector)| {
            let (own, end) = sector.split_at_checked(508).unwrap_or((sector, &[]));
            let is_end = end == [0; 4] || (number > 0 && end == [0, 0, 0x55, 0xaa]);
            is_end && own.iter().all(|byte| *byte == 0)
        })
        && head.get(4096..4100) != Some(&[0xfc, 0x4e, 0x2b, 0xa9])
}

/// What a boot sector says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Boot {
    pub(super) geometry: Geometry,
    pub(super) root: u32,
}

impl Boot {
    /// What the boot sector says, or, where that was wiped, its copy.
    pub(super) fn find(head: &[u8]) -> Option<Self> {
        if let Some(boot) = Self::parse(head.get(..512)?).ok().flatten() {
            return Some(boot);
        }
        if !is_wiped(head) {
            return None;
        }
        (9u32..=12).find_map(|shift| {
            let at = 12usize.checked_shl(shift)?;
            let sector = head.get(at..at.saturating_add(512))?;
            // The copy stands where its own sector size says.
            let is_own = sector.get(108).is_some_and(|own| u32::from(*own) == shift);
            Self::parse(sector).ok().flatten().filter(|_| is_own)
        })
    }

    fn parse(sector: &[u8]) -> Result<Option<Self>, CursorError> {
        let zeros = sector.get(11..64).is_some_and(|bytes| bytes.iter().all(|byte| *byte == 0));
        let named = sector.starts_with(b"\xeb\x76\x90EXFAT   ");
        if !named || !zeros || sector.get(510..512) != Some(&[0x55, 0xaa]) {
            return Ok(None);
        }
        let mut cursor = Cursor::new(sector);
        cursor.skip(72)?;
        let sectors = cursor.u64_le()?;
        let table = u64::from(cursor.u32_le()?);
        let table_sectors = u64::from(cursor.u32_le()?);
        let heap = u64::from(cursor.u32_le()?);
        let clusters = cursor.u32_le()?;
        let root = cursor.u32_le()?;
        cursor.skip(4)?;
        let revision = cursor.u16_le()?;
        let flags = cursor.u16_le()?;
        let sector_shift = u32::from(cursor.u8()?);
        let cluster_shift = u32::from(cursor.u8()?);
        let fats = u64::from(cursor.u8()?);
        let fits = (9..=12).contains(&sector_shift)
            && sector_shift.saturating_add(cluster_shift) <= 25
            && (1..=2).contains(&fats)
            && table >= 24
            && heap >= table.saturating_add(table_sectors)
            && heap < sectors
            && (1..=0xffff_fff5).contains(&clusters)
            && revision >> 8 == 1;
        if !fits {
            return Ok(None);
        }
        let bytes = |sectors: u64| {
            sectors.saturating_mul(1u64.checked_shl(sector_shift).unwrap_or(u64::MAX))
        };
        let table_bytes = bytes(table_sectors);
        let mut tables: Vec<u64> = (0..fats)
            .map(|number| bytes(table).saturating_add(table_bytes.saturating_mul(number)))
            .collect();
        if flags & 1 != 0 {
            tables.reverse();
        }
        let described = (table_bytes / 4).saturating_sub(2);
        let clusters = u64::from(clusters).min(described);
        let geometry = Geometry {
            format: "exFAT",
            width: Width::Bits32,
            tables,
            table_bytes,
            clusters: u32::try_from(clusters).unwrap_or(0),
            heap: bytes(heap),
            cluster_bytes: bytes(1u64.checked_shl(cluster_shift).unwrap_or(u64::MAX)),
        };
        Ok(geometry.holds(root).then_some(Self { geometry, root }))
    }
}
