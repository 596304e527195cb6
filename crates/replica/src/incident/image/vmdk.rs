//! A sparse VMDK in one file ("Virtual Disk Format 5.0"): header, descriptor, directory, tables,
//! and grains of 64 KiB where something was written.

use super::block::{Block, count, small};
use super::file::Pieces;
use std::collections::BTreeMap;
use std::sync::Arc;

const SECTOR: u64 = 512;
const GRAIN: u64 = 128;
const GRAIN_BYTES: u64 = GRAIN * SECTOR;
const ENTRIES: u64 = 512;
const DIRECTORY: u64 = 21;

/// The image of a disk of `disk_size` bytes.
pub(super) fn vmdk(disk_size: u64, name: &str, disk: &Pieces) -> Vec<u8> {
    let sectors = disk_size / SECTOR;
    let tables = sectors.div_ceil(GRAIN * ENTRIES);
    let mut grains: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    for (at, bytes) in disk {
        lay(*at, bytes, &mut grains);
    }
    let directory_sectors = tables.saturating_mul(4).div_ceil(SECTOR);
    let mut directory =
        Block::new(usize::try_from(directory_sectors.saturating_mul(SECTOR)).unwrap_or(0));
    let mut present: BTreeMap<u64, Block> = BTreeMap::new();
    let used: std::collections::BTreeSet<u64> =
        grains.keys().map(|grain| grain / ENTRIES).collect();
    let first_table = DIRECTORY.saturating_add(directory_sectors);
    let data =
        first_table.saturating_add(count(used.len()).saturating_mul(4)).next_multiple_of(GRAIN);
    for (number, table) in used.iter().enumerate() {
        let place = first_table.saturating_add(count(number).saturating_mul(4));
        directory.u32(small::<usize>(*table).saturating_mul(4), small(place));
        present.insert(*table, Block::new(2048));
    }
    let mut contents = Vec::new();
    for (number, (grain, bytes)) in grains.iter().enumerate() {
        let place = data.saturating_add(count(number).saturating_mul(GRAIN));
        if let Some(table) = present.get_mut(&(grain / ENTRIES)) {
            table.u32(small::<usize>(grain % ENTRIES).saturating_mul(4), small(place));
        }
        contents.extend_from_slice(bytes);
    }
    let descriptor = format!(
        "# Disk DescriptorFile\nversion=1\nCID=5eed0001\nparentCID=ffffffff\n\
         createType=\"monolithicSparse\"\n\n# Extent description\nRW {sectors} SPARSE \"{name}\"\n\n\
         # The Disk Data Base\n#DDB\n\nddb.adapterType = \"lsilogic\"\n"
    );
    let mut image = Block::new(512);
    image.put(0, b"KDMV").u32(4, 1).u32(8, 1).u64(12, sectors).u64(20, GRAIN).u64(28, 1);
    image.u64(36, 20).u32(44, small(ENTRIES)).u64(56, DIRECTORY).u64(64, data);
    image.put(73, b"\n \r\n");
    image.push(descriptor.as_bytes()).align(usize::try_from(DIRECTORY * SECTOR).unwrap_or(1));
    image.push(directory.bytes());
    for table in present.values() {
        image.push(table.bytes());
    }
    image.align(usize::try_from(GRAIN_BYTES).unwrap_or(1)).push(&contents);
    image.into_bytes()
}

fn lay(at: u64, bytes: &Arc<[u8]>, grains: &mut BTreeMap<u64, Vec<u8>>) {
    let size = usize::try_from(GRAIN_BYTES).unwrap_or(1);
    let mut at = at;
    let mut rest: &[u8] = bytes;
    while !rest.is_empty() {
        let within = usize::try_from(at % GRAIN_BYTES).unwrap_or(0);
        let take = rest.len().min(size.saturating_sub(within));
        let (now, later) = rest.split_at_checked(take).unwrap_or((rest, &[]));
        let grain = grains.entry(at / GRAIN_BYTES).or_insert_with(|| vec![0; size]);
        if let Some(place) = grain.get_mut(within..within.saturating_add(take)) {
            place.copy_from_slice(now);
        }
        at = at.saturating_add(count(take));
        rest = later;
    }
}
