//! The boot sector of FAT (Microsoft, FAT32 File System Specification 1.03; ECMA-107).
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 3 | jump: `eb .. 90` or `e9 .. ..` |
//! | 11 | 2 | bytes in a sector |
//! | 13 | 1 | sectors in a cluster |
//! | 14 | 2 | reserved sectors, before the first FAT |
//! | 16 | 1 | number of FATs |
//! | 17 | 2 | entries of the root directory; 0 on FAT32 |
//! | 19 | 2 | sectors; 0 when the 32-bit number counts |
//! | 21 | 1 | media |
//! | 22 | 2 | sectors of a FAT; 0 on FAT32 |
//! | 32 | 4 | sectors |
//! | 36 | 4 | FAT32: sectors of a FAT |
//! | 40 | 2 | FAT32: bit 7 set: only the FAT of bits 0-3 is in use |
//! | 44 | 4 | FAT32: first cluster of the root directory |
//! | 510 | 2 | `55 aa` |

use super::chains::{Geometry, Width};
use lidless_io::number::index;
use lidless_io::{Cursor, CursorError, ReadAt, read_vec};

/// Where FAT32 keeps a copy of its boot sector.
const BACKUP: usize = 6 * 512;
/// Where BitLocker To Go has its mark in what else is a boot sector of FAT32.
const BITLOCKER: [u8; 8] = [0x3b, 0xd6, 0x67, 0x49, 0x29, 0x2e, 0xd8, 0x4a];

/// Where the root directory lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    /// Between the FATs and the clusters: offset and bytes.
    Fixed(u64, u64),
    /// In clusters, from this one.
    Cluster(u32),
}

/// Whether only the first sector is gone. What was made on top of a FAT32 may leave its copy, and
/// has marks of its own: the label of LVM in the second sector, ext's at 1,080, those of swap
/// space and of RAID about the end of the first 4 KiB.
fn is_wiped(head: &[u8]) -> bool {
    let is_blank = |from: usize, to: usize| {
        head.get(from..to).is_some_and(|bytes| bytes.iter().all(|byte| *byte == 0))
    };
    let has = |at: usize, mark: &[u8]| head.get(at..at.saturating_add(mark.len())) == Some(mark);
    is_blank(0, 512)
        && (is_blank(512, 1024) || has(512, b"RRaA"))
        && (is_blank(1024, 1536) || has(1534, &[0x55, 0xaa]))
        && !has(4086, b"SWAPSPACE2")
        && !has(4096, &[0xfc, 0x4e, 0x2b, 0xa9])
}

/// What a boot sector says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Boot {
    pub(super) geometry: Geometry,
    pub(super) root: Root,
    media: u8,
}

impl Boot {
    /// What the volume's boot sector says, or, where that was wiped, the copy FAT32 keeps of it.
    pub(super) fn find(volume: &dyn ReadAt, head: &[u8]) -> Option<Self> {
        let first = head.get(..512)?;
        if let Some(boot) = Self::parse(first) {
            return boot.has_table(volume, head).then_some(boot);
        }
        if !is_wiped(head) {
            return None;
        }
        let boot = Self::parse(head.get(BACKUP..BACKUP.saturating_add(512))?)?;
        (matches!(boot.root, Root::Cluster(_)) && boot.has_table(volume, head)).then_some(boot)
    }

    fn parse(sector: &[u8]) -> Option<Self> {
        let jumps = matches!(sector, [0xeb, _, 0x90, ..] | [0xe9, ..]);
        let is_bitlocker =
            sector.get(3..11) == Some(b"-FVE-FS-") || sector.get(0x1a8..0x1b0) == Some(&BITLOCKER);
        if !jumps || is_bitlocker || sector.get(510..512) != Some(&[0x55, 0xaa]) {
            return None;
        }
        Self::numbers(sector).ok().flatten()
    }

    fn numbers(sector: &[u8]) -> Result<Option<Self>, CursorError> {
        let mut cursor = Cursor::new(sector);
        cursor.skip(11)?;
        let sector_bytes = u64::from(cursor.u16_le()?);
        let cluster_sectors = cursor.u8()?;
        let reserved = u64::from(cursor.u16_le()?);
        let fats = cursor.u8()?;
        let root_entries = u64::from(cursor.u16_le()?);
        let short_sectors = cursor.u16_le()?;
        let media = cursor.u8()?;
        let short_fat = cursor.u16_le()?;
        cursor.skip(8)?;
        let sectors = match short_sectors {
            0 => u64::from(cursor.u32_le()?),
            short => {
                cursor.skip(4)?;
                u64::from(short)
            }
        };
        let long_fat = cursor.u32_le()?;
        let flags = cursor.u16_le()?;
        let version = cursor.u16_le()?;
        let root_cluster = cursor.u32_le()?;
        let is_32 = short_fat == 0;
        let fat_sectors = if is_32 { u64::from(long_fat) } else { u64::from(short_fat) };
        let fits = matches!(sector_bytes, 512 | 1024 | 2048 | 4096)
            && cluster_sectors.is_power_of_two()
            && reserved > 0
            && (1..=4).contains(&fats)
            && (media == 0xf0 || media >= 0xf8)
            && fat_sectors > 0
            && sectors > 0
            && (root_entries == 0) == is_32
            && !(is_32 && (version != 0 || root_cluster < 2));
        if !fits {
            return Ok(None);
        }
        let fat_bytes = fat_sectors.saturating_mul(sector_bytes);
        let root_bytes = root_entries.saturating_mul(32).next_multiple_of(sector_bytes);
        let fat_start = reserved.saturating_mul(sector_bytes);
        let root_start = fat_start.saturating_add(fat_bytes.saturating_mul(u64::from(fats)));
        let heap = root_start.saturating_add(root_bytes);
        let cluster_bytes = sector_bytes.saturating_mul(u64::from(cluster_sectors));
        let Some(data) = sectors.saturating_mul(sector_bytes).checked_sub(heap) else {
            return Ok(None);
        };
        let clusters = data.checked_div(cluster_bytes).unwrap_or(0);
        let width = match clusters {
            0 => return Ok(None),
            _ if is_32 => Width::Bits28,
            1..=4084 => Width::Bits12,
            4085..=65524 => Width::Bits16,
            _ => return Ok(None),
        };
        // A FAT that is too short for its clusters describes only some of them.
        let described = width.entries(fat_bytes).saturating_sub(2);
        let Ok(clusters) = u32::try_from(clusters.min(described).min(0x0fff_fff5)) else {
            return Ok(None);
        };
        let mut tables: Vec<u64> = (0..u64::from(fats))
            .map(|number| fat_start.saturating_add(fat_bytes.saturating_mul(number)))
            .collect();
        if is_32 && flags & 0x80 != 0 {
            let active = usize::from(flags & 0x0f);
            match tables.get(active).copied() {
                Some(table) => tables = vec![table],
                None => return Ok(None),
            }
        }
        let root = match is_32 {
            true => Root::Cluster(root_cluster),
            false => Root::Fixed(root_start, root_bytes),
        };
        let geometry = Geometry {
            format: "FAT",
            width,
            tables,
            table_bytes: fat_bytes,
            clusters,
            heap,
            cluster_bytes,
        };
        Ok(Some(Self { geometry, root, media }))
    }

    /// Whether a FAT begins as it has to: with the media byte and ones above it. FATs that begin
    /// with something else are left out.
    fn has_table(&self, volume: &dyn ReadAt, head: &[u8]) -> bool {
        self.geometry.tables.iter().any(|table| self.begins(*table, volume, head))
    }

    fn begins(&self, table: u64, volume: &dyn ReadAt, head: &[u8]) -> bool {
        let from = index(table);
        let seen = match head.get(from..from.saturating_add(4)) {
            Some(seen) => seen.to_vec(),
            None => read_vec(volume, table, 4).unwrap_or_default(),
        };
        // What the second number holds differs; so does the media byte where a stick was
        // formatted by a camera: only its own ones are sure.
        let high = match self.geometry.width {
            Width::Bits12 => matches!(*seen, [_, high, ..] if high & 0x0f == 0x0f),
            Width::Bits16 => matches!(*seen, [_, 0xff, ..]),
            _ => matches!(*seen, [_, 0xff, 0xff, high] if high & 0x0f == 0x0f),
        };
        let low = seen.first().copied().unwrap_or(0);
        high && (low == self.media || low == 0xf0 || low >= 0xf8)
    }

    /// Puts FATs that do not begin as they have to behind those that do.
    pub(super) fn sorted(mut self, volume: &dyn ReadAt, head: &[u8]) -> Self {
        let mut tables = std::mem::take(&mut self.geometry.tables);
        tables.sort_by_key(|table| !self.begins(*table, volume, head));
        self.geometry.tables = tables;
        self
    }
}
