//! What a disc starts from (El Torito, Bootable CD-ROM Format Specification 1.0): images of
//! floppies and of small disks that may stand in no directory.
//!
//! A boot record is a descriptor of kind 0 with `EL TORITO SPECIFICATION` at 7 and the block of
//! the catalog at 71. The catalog is a row of 32 bytes each: `01` first (its head), then entries:
//!
//! | offset | size | field of an entry |
//! |---|---|---|
//! | 0 | 1 | `88` starts, `00` does not, `90` or `91` (the last): more entries, as many as 2, 2 says |
//! | 1 | 1 | lower half: 1 floppy of 1.2 MB, 2 of 1.44, 3 of 2.88, 4 a disk, 0 a program |
//! | 6 | 2 | sectors of 512 bytes that are loaded |
//! | 8 | 4 | block of the image |

use super::super::number::le16;
use lidless_io::number::u32_le;
use lidless_io::{ReadAt, read_vec};

const SECTOR: usize = 2048;
const SYSTEM: &[u8] = b"EL TORITO SPECIFICATION";
/// How many images are looked at.
const MOST: usize = 16;

/// An image that a disc starts from: where it begins, and its length.
pub(super) type BootImage = (u64, u64);

/// The block of the catalog, from the first 72 KiB of a volume.
pub(super) fn catalog(head: &[u8]) -> Option<u64> {
    head.get(0x8000..)?.chunks_exact(SECTOR).find_map(|sector| {
        let is_boot = sector.starts_with(b"\0CD001") && sector.get(7..30) == Some(SYSTEM);
        let block = u32_le(sector, 71)?;
        is_boot.then_some(u64::from(block))
    })
}

/// The images that the catalog at `start` names. Programs are left out unless they are a FAT.
pub(super) fn images(volume: &dyn ReadAt, start: u64, block_bytes: u64) -> Vec<BootImage> {
    let catalog = read_vec(volume, start, 2048).unwrap_or_default();
    let mut found = Vec::new();
    let entries = catalog.as_chunks::<32>().0;
    if entries.first().is_none_or(|head| head.first() != Some(&1)) {
        return found;
    }
    for entry in entries.iter().skip(1).take(MOST) {
        let [indicator @ (0 | 0x88), media, _, _, _, _, low, high, a, b, c, d, ..] = *entry else {
            continue;
        };
        let at = u64::from(u32::from_le_bytes([a, b, c, d])).saturating_mul(block_bytes);
        if at == 0 || (indicator == 0 && media == 0) {
            continue;
        }
        let loaded = u64::from(u16::from_le_bytes([low, high])).saturating_mul(512);
        let length = match media & 0x0f {
            1 => 1200 << 10,
            2 => 1440 << 10,
            3 => 2880 << 10,
            4 => disk_bytes(volume, at).unwrap_or(loaded),
            _ => match fat_bytes(volume, at) {
                Some(length) => length.max(loaded),
                None => continue,
            },
        };
        found.push((at, length.min(volume.len().saturating_sub(at))));
    }
    found
}

fn sector(volume: &dyn ReadAt, at: u64) -> Option<Vec<u8>> {
    let sector = read_vec(volume, at, 512).ok()?;
    (sector.get(510..512)? == [0x55, 0xaa]).then_some(sector)
}

/// The length of a FAT by its boot sector.
fn fat_bytes(volume: &dyn ReadAt, at: u64) -> Option<u64> {
    let sector = sector(volume, at)?;
    let two = |at: usize| u64::from(le16(&sector, at));
    let long = u64::from(u32_le(&sector, 32)?);
    let sectors = if two(19) == 0 { long } else { two(19) };
    let is_one = matches!(sector.first(), Some(0xeb | 0xe9)) && two(11) == 512 && sectors > 0;
    is_one.then(|| sectors.saturating_mul(512))
}

/// The length of a disk by its only partition.
fn disk_bytes(volume: &dyn ReadAt, at: u64) -> Option<u64> {
    let sector = sector(volume, at)?;
    let first = u64::from(u32_le(&sector, 454)?);
    let sectors = u64::from(u32_le(&sector, 458)?);
    Some(first.saturating_add(sectors).saturating_mul(512))
}
