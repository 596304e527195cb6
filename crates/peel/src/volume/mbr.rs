//! The partition table of PCs (MBR) and the logical partitions in its extended ones.
//!
//! The first sector, numbers little-endian:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 446 | boot code |
//! | 446 | 4 × 16 | entries: 1 status (0x00, 0x80), 3 CHS, 1 type, 3 CHS, 4 first sector, 4 sectors |
//! | 510 | 2 | 55 AA |
//!
//! A FAT or NTFS boot sector ends in 55 AA as well. An extended partition (types 05, 0F, 85)
//! begins with a sector of the same form: its first entry is a logical partition, counted from
//! that sector; its second the next such sector, counted from the extended partition.

use super::part::{Part, Scheme};
use crate::error::PeelError;
use lidless_io::number::u16_le;
use lidless_io::{ReadAt, read_vec};
use std::collections::BTreeSet;

const SECTOR: u64 = 512;
/// Linux counts no further than this; each logical partition costs a read.
const MOST_LOGICALS: u32 = 128;
/// What marks a disk as one with a GPT.
pub(super) const PROTECTIVE: u8 = 0xee;
const EXTENDED: [u8; 5] = [0x05, 0x0f, 0x85, 0x15, 0x1f];

/// Types by number: what they hold, and whether that is never files.
const TYPES: [(u8, &str, bool); 44] = [
    (0x01, "FAT12", false),
    (0x04, "FAT16", false),
    (0x06, "FAT16", false),
    (0x07, "Windows data", false),
    (0x0b, "FAT32", false),
    (0x0c, "FAT32", false),
    (0x0e, "FAT16", false),
    (0x11, "hidden FAT12", false),
    (0x12, "diagnostics", false),
    (0x14, "hidden FAT16", false),
    (0x16, "hidden FAT16", false),
    (0x17, "hidden Windows data", false),
    (0x1b, "hidden FAT32", false),
    (0x1c, "hidden FAT32", false),
    (0x1e, "hidden FAT16", false),
    (0x27, "Windows recovery", false),
    (0x39, "Plan 9", false),
    (0x41, "PReP boot", true),
    (0x42, "Windows dynamic disk", false),
    (0x63, "Unix System V", false),
    (0x65, "NetWare", false),
    (0x82, "Linux swap", false),
    (0x83, "Linux", false),
    (0x84, "hibernation", false),
    (0x88, "Linux plain text table", true),
    (0x8e, "Linux LVM", false),
    (0x93, "Linux", false),
    (0xa0, "hibernation", false),
    (0xa5, "FreeBSD", false),
    (0xa6, "OpenBSD", false),
    (0xa8, "Apple UFS", false),
    (0xa9, "NetBSD", false),
    (0xab, "Apple boot", false),
    (0xaf, "Apple HFS+", false),
    (0xbe, "Solaris boot", true),
    (0xbf, "Solaris", false),
    (0xde, "Dell diagnostics", false),
    (0xea, "Linux", false),
    (0xeb, "BeOS", false),
    (0xee, "GPT protective", false),
    (0xef, "EFI system", false),
    (0xfb, "VMware VMFS", false),
    (0xfc, "VMware core dump", true),
    (0xfd, "Linux RAID", false),
];

/// An entry in use.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    /// Number from 1.
    number: u32,
    pub(super) kind: u8,
    first: u64,
    sectors: u64,
}

/// The partition table of PCs.
pub(super) struct Mbr;

impl Scheme for Mbr {
    fn name(&self) -> &'static str {
        "MBR"
    }

    fn parts(&self, disk: &dyn ReadAt, head: &[u8]) -> Option<Result<Vec<Part>, PeelError>> {
        let slots = table(head)?;
        // Not one partition on the disk: the bytes mean something else.
        if !slots.iter().any(|slot| slot.first.saturating_mul(SECTOR) < disk.len()) {
            return None;
        }
        let mut parts = Vec::new();
        let mut seen = BTreeSet::new();
        let mut logicals = Vec::new();
        for slot in slots {
            if EXTENDED.contains(&slot.kind) {
                extended(disk, head, slot.first, &mut seen, &mut logicals);
            } else {
                parts.push(part(slot.number, slot.kind, slot.first, slot.sectors));
            }
        }
        parts.extend(logicals);
        Some(Ok(parts))
    }
}

/// The entries in use of a sector that is a partition table; none when it is something else.
pub(super) fn table(head: &[u8]) -> Option<Vec<Slot>> {
    let sector = head.get(..512)?;
    if is_boot_sector(sector) {
        return None;
    }
    let slots = entries(sector)?;
    (!slots.is_empty()).then_some(slots)
}

/// The entries in use of a sector of the form of a partition table.
fn entries(sector: &[u8]) -> Option<Vec<Slot>> {
    if sector.get(510..512)? != [0x55, 0xaa] {
        return None;
    }
    let mut slots = Vec::new();
    for (number, entry) in (1u32..).zip(sector.get(446..510)?.chunks_exact(16)) {
        let [status, _, _, _, kind, _, _, _, a, b, c, d, e, f, g, h] = *entry else { continue };
        if !matches!(status, 0 | 0x80) {
            return None;
        }
        let first = u64::from(u32::from_le_bytes([a, b, c, d]));
        let sectors = u64::from(u32::from_le_bytes([e, f, g, h]));
        if kind != 0 && sectors > 0 {
            slots.push(Slot { number, kind, first, sectors });
        }
    }
    Some(slots)
}

/// Whether a sector is the first one of a FAT, NTFS, exFAT, ReFS or BitLocker volume: its own
/// code stands where a table has its entries.
fn is_boot_sector(sector: &[u8]) -> bool {
    let at = |from: usize, to: usize| sector.get(from..to).unwrap_or(&[]);
    let named = [&b"NTFS    "[..], b"EXFAT   ", b"-FVE-FS-"].contains(&at(3, 11))
        || at(3, 7) == b"ReFS"
        || at(54, 57) == b"FAT"
        || at(82, 87) == b"FAT32";
    // A volume formatted by something that left no name: the numbers of its boot sector.
    let number = |from: usize| u16_le(sector, from).unwrap_or(0);
    let jumps = matches!(at(0, 3), [0xeb, _, 0x90] | [0xe9, ..]);
    let cluster = sector.get(13).copied().unwrap_or(0);
    let counted = jumps
        && matches!(number(11), 512 | 1024 | 2048 | 4096)
        && cluster.is_power_of_two()
        && number(14) > 0
        && matches!(sector.get(16), Some(1 | 2))
        && sector.get(21).is_some_and(|media| *media >= 0xf0);
    named || counted
}

/// Walks the logical partitions of one extended partition.
fn extended(
    disk: &dyn ReadAt,
    head: &[u8],
    base: u64,
    seen: &mut BTreeSet<u64>,
    logicals: &mut Vec<Part>,
) {
    let mut at = base;
    while logicals.len() < usize::try_from(MOST_LOGICALS).unwrap_or(0) && seen.insert(at) {
        let start = at.saturating_mul(SECTOR);
        let here = usize::try_from(start)
            .ok()
            .and_then(|start| head.get(start..start.saturating_add(512)))
            .map(<[u8]>::to_vec);
        // What cannot be read or is no such sector ends the chain; what came before stays.
        let Some(sector) = here.or_else(|| read_vec(disk, start, SECTOR).ok()) else { return };
        let Some(slots) = entries(&sector) else { return };
        let mut next = None;
        for slot in slots {
            if EXTENDED.contains(&slot.kind) {
                next = next.or(Some(base.saturating_add(slot.first)));
            } else if logicals.len() < usize::try_from(MOST_LOGICALS).unwrap_or(0) {
                let number = u32::try_from(logicals.len()).unwrap_or(0).saturating_add(5);
                let first = at.saturating_add(slot.first);
                logicals.push(part(number, slot.kind, first, slot.sectors));
            }
        }
        let Some(next) = next else { return };
        at = next;
    }
}

fn part(number: u32, kind: u8, first: u64, sectors: u64) -> Part {
    let known = TYPES.iter().find(|(code, ..)| *code == kind);
    Part {
        number,
        start: first.saturating_mul(SECTOR),
        length: sectors.saturating_mul(SECTOR),
        kind: known.map_or_else(|| format!("0x{kind:02x}"), |(_, name, _)| (*name).to_owned()),
        is_reserved: known.is_some_and(|(.., reserved)| *reserved),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_io::{Counted, MemoryBytes, Tally};
    use std::sync::Arc;

    fn put(disk: &mut [u8], sector: usize, slot: usize, kind: u8, first: u32, sectors: u32) {
        let entry = &mut disk[sector * 512 + 446 + slot * 16..][..16];
        entry[4] = kind;
        entry[8..12].copy_from_slice(&first.to_le_bytes());
        entry[12..16].copy_from_slice(&sectors.to_le_bytes());
        disk[sector * 512 + 510..][..2].copy_from_slice(&[0x55, 0xaa]);
    }

    fn parts(disk: &[u8]) -> Option<Vec<Part>> {
        let source = MemoryBytes::new(disk.to_vec());
        Mbr.parts(&source, &disk[..disk.len().min(72 << 10)]).map(Result::unwrap)
    }

    #[test]
    fn logical_partitions_follow_the_primaries_and_a_chain_that_loops_ends() {
        let mut disk = vec![0; 1 << 20];
        put(&mut disk, 0, 0, 0x07, 8, 100);
        put(&mut disk, 0, 2, 0x05, 1000, 1000);
        put(&mut disk, 1000, 0, 0x83, 10, 50);
        put(&mut disk, 1000, 1, 0x05, 200, 300);
        put(&mut disk, 1200, 0, 0x82, 10, 60);
        put(&mut disk, 1200, 1, 0x05, 0, 300);
        let found = parts(&disk).unwrap();
        let all: Vec<_> =
            found.iter().map(|one| (one.number, one.start / 512, one.kind.as_str())).collect();
        assert_eq!(all, [(1, 8, "Windows data"), (5, 1010, "Linux"), (6, 1210, "Linux swap")]);
    }

    #[test]
    fn an_endless_chain_costs_no_more_than_its_bound() {
        let mut disk = vec![0; 1 << 20];
        put(&mut disk, 0, 0, 0x05, 2, 2000);
        for sector in 2..2000u32 {
            put(&mut disk, sector as usize, 0, 0x83, 1, 1);
            put(&mut disk, sector as usize, 1, 0x05, sector - 1, 2000);
        }
        let tally = Tally::default();
        let counted = Counted::new(Arc::new(MemoryBytes::new(disk.clone())), tally.clone());
        let found = Mbr.parts(&counted, &disk[..1024]).unwrap().unwrap();
        assert_eq!(found.len(), 128);
        assert!(tally.requests() <= 128);
    }

    #[test]
    fn boot_sectors_of_volumes_are_no_tables() {
        let mut sector = vec![0; 4096];
        put(&mut sector, 0, 0, 0x83, 1, 3);
        assert_eq!(parts(&sector).unwrap().len(), 1);
        for (at, name) in
            [(3, &b"NTFS    "[..]), (3, b"EXFAT   "), (54, b"FAT16   "), (82, b"FAT32   ")]
        {
            let mut volume = sector.clone();
            volume[at..at + name.len()].copy_from_slice(name);
            assert_eq!(parts(&volume), None, "{name:?}");
        }
        sector[446] = b'R';
        assert_eq!(parts(&sector), None);
    }
}
