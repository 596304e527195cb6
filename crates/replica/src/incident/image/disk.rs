//! A disk with a GUID partition table, and the containers disks are kept in.

use super::block::{Block, count, small, utf16};
use super::file::{Pieces, moved};
use crate::random::Random;

const SECTOR: u64 = 512;
/// The sectors of the table: a protective record, the header, 32 sectors of entries.
const FIRST_USABLE: u64 = 34;
/// Type identifiers as they lie on the disk (UEFI 2.10, 5.3.3).
pub(super) const RESERVED: [u8; 16] = [
    0x16, 0xe3, 0xc9, 0xe3, 0x5c, 0x0b, 0xb8, 0x4d, 0x81, 0x7d, 0xf9, 0x2d, 0xf0, 0x02, 0x15, 0xae,
];
pub(super) const WINDOWS: [u8; 16] = [
    0xa2, 0xa0, 0xd0, 0xeb, 0xe5, 0xb9, 0x33, 0x44, 0x87, 0xc0, 0x68, 0xb6, 0xb7, 0x26, 0x99, 0xc7,
];
pub(super) const LINUX: [u8; 16] = [
    0xaf, 0x3d, 0xc6, 0x0f, 0x83, 0x84, 0x72, 0x47, 0x8e, 0x79, 0x3d, 0x69, 0xd8, 0x47, 0x7d, 0xe4,
];

/// A partition: type, first byte, length, and what lies on it.
pub(super) struct Partition {
    pub(super) kind: [u8; 16],
    pub(super) start: u64,
    pub(super) length: u64,
    pub(super) name: &'static str,
    pub(super) pieces: Pieces,
}

/// The pieces of a disk of `size` bytes.
pub(super) fn disk(size: u64, name: &str, partitions: Vec<Partition>) -> Pieces {
    let sectors = size / SECTOR;
    let mut random = Random::named(name);
    let mut entries = Block::new(128 * 128);
    let mut pieces = Pieces::new();
    for (number, partition) in partitions.into_iter().enumerate() {
        let at = number.saturating_mul(128);
        let first = partition.start / SECTOR;
        let last = first.saturating_add(partition.length / SECTOR).saturating_sub(1);
        entries.put(at, &partition.kind).put(at.saturating_add(16), &random.bytes(16));
        entries.u64(at.saturating_add(32), first).u64(at.saturating_add(40), last);
        entries.put(at.saturating_add(56), &utf16(partition.name));
        pieces.extend(moved(partition.pieces, partition.start));
    }
    let id = random.bytes(16);
    let sum = crc32(entries.bytes());
    let header = |own: u64, other: u64, table: u64| {
        let mut header = Block::new(512);
        header.put(0, b"EFI PART").u32(8, 0x0001_0000).u32(12, 92);
        header.u64(24, own).u64(32, other).u64(40, FIRST_USABLE);
        header.u64(48, sectors.saturating_sub(FIRST_USABLE)).put(56, &id).u64(72, table);
        header.u32(80, 128).u32(84, 128).u32(88, sum);
        let own_sum = crc32(header.bytes().get(..92).unwrap_or_default());
        header.u32(16, own_sum);
        header.into_bytes()
    };
    let last = sectors.saturating_sub(1);
    let second_table = sectors.saturating_sub(33);
    let mut protective = Block::new(512);
    protective.put(446, &[0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff]).u32(454, 1);
    protective.u32(458, u32::try_from(last).unwrap_or(u32::MAX)).u16(510, 0xaa55);
    pieces.push((0, protective.into_bytes().into()));
    pieces.push((SECTOR, header(1, last, 2).into()));
    pieces.push((2 * SECTOR, entries.bytes().into()));
    pieces.push((second_table.saturating_mul(SECTOR), entries.bytes().into()));
    pieces.push((last.saturating_mul(SECTOR), header(last, 1, second_table).into()));
    pieces
}

/// CRC-32 of ISO 3309, as GPT uses it.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    crc(bytes, 0xedb8_8320)
}

/// CRC-32C (Castagnoli), as VHDX uses it.
pub(super) fn crc32c(bytes: &[u8]) -> u32 {
    crc(bytes, 0x82f6_3b78)
}

/// CRC-32 without inverting before and after, as Outlook stores use it (MS-PST 5.3).
pub(super) fn crc32_plain(bytes: &[u8]) -> u32 {
    sum(bytes, 0xedb8_8320, 0)
}

fn crc(bytes: &[u8], polynomial: u32) -> u32 {
    !sum(bytes, polynomial, u32::MAX)
}

fn sum(bytes: &[u8], polynomial: u32, start: u32) -> u32 {
    let table: Vec<u32> =
        (0..256_u32)
            .map(|byte| {
                (0..8).fold(byte, |value, _| {
                    if value & 1 == 1 { polynomial ^ (value >> 1) } else { value >> 1 }
                })
            })
            .collect();
    bytes.iter().fold(start, |sum, byte| {
        let index = usize::from(u8::try_from(sum & 0xff).unwrap_or(0) ^ byte);
        table.get(index).copied().unwrap_or(0) ^ (sum >> 8)
    })
}

/// A fixed VHD: the disk, and the footer in its last 512 bytes ("Virtual Hard Disk Image Format
/// Specification", "Hard Disk Footer Format"). `size` is that of the image.
pub(super) fn vhd(size: u64, name: &str, disk: Pieces) -> Pieces {
    let data = size.saturating_sub(512);
    let mut footer = Block::new(512);
    footer.put(0, b"conectix\0\0\0\x02\0\x01\0\0").put(16, &u64::MAX.to_be_bytes());
    footer.put(24, &640_000_000_u32.to_be_bytes()).put(28, b"win \0\x0a\0\0Wi2k");
    footer.put(40, &data.to_be_bytes()).put(48, &data.to_be_bytes());
    footer.put(56, &[0xff, 0xff, 16, 255]).put(60, &2_u32.to_be_bytes());
    footer.put(68, &Random::named(name).bytes(16));
    let sum = footer.bytes().iter().fold(0_u32, |sum, byte| sum.wrapping_add(u32::from(*byte)));
    footer.put(64, &(!sum).to_be_bytes());
    let mut pieces = disk;
    pieces.push((data, footer.into_bytes().into()));
    pieces
}

const MIB: u64 = 1 << 20;
/// Payload blocks of a VHDX, the usual size.
const BLOCK: u64 = 32 * MIB;
/// Where the block allocation table lies, behind header, log and metadata.
const TABLE: u64 = 3 * MIB;

/// A VHDX with every block at its place, one after the other (MS-VHDX), and its size in bytes:
/// written once in full, so that the image is as large as its disk.
pub(super) fn vhdx(disk_size: u64, name: &str, disk: Pieces) -> (u64, Pieces) {
    let mut random = Random::named(name);
    let (file_guid, data_guid) = (random.bytes(16), random.bytes(16));
    let disk_size = disk_size.next_multiple_of(BLOCK);
    let blocks = disk_size / BLOCK;
    // After every `RATIO` payload entries stands one for a sector bitmap.
    const RATIO: u64 = (1 << 23) * SECTOR / BLOCK;
    let entries = blocks.saturating_add(blocks.saturating_sub(1) / RATIO);
    let table_size = entries.saturating_mul(8).next_multiple_of(MIB);
    let payload = TABLE.saturating_add(table_size);
    let mut table = Block::new(usize::try_from(entries.saturating_mul(8)).unwrap_or(0));
    for block in 0..blocks {
        let at = block.saturating_add(block / RATIO).saturating_mul(8);
        let place = payload.saturating_add(block.saturating_mul(BLOCK));
        table.u64(usize::try_from(at).unwrap_or(usize::MAX), place | 6);
    }
    let mut identifier = Block::new(512);
    identifier.put(0, b"vhdxfile").put(8, &utf16("Lab imaging 1.0"));
    let header = |sequence: u64| {
        let mut header = Block::new(4096);
        header.put(0, b"head").u64(8, sequence).put(16, &file_guid).put(32, &data_guid);
        header.u16(66, 1).u32(68, small(MIB)).u64(72, MIB);
        let sum = crc32c(header.bytes());
        header.u32(4, sum);
        header.into_bytes()
    };
    let mut regions = Block::new(64 << 10);
    regions.put(0, b"regi").u32(8, 2);
    for (at, guid, place, length) in
        [(16, BAT_REGION, TABLE, table_size), (48, METADATA_REGION, 2 * MIB, MIB)]
    {
        regions.put(at, &guid).u64(at.saturating_add(16), place);
        regions.u32(at.saturating_add(24), small(length)).u32(at.saturating_add(28), 1);
    }
    let sum = crc32c(regions.bytes());
    regions.u32(4, sum);
    let mut pieces: Pieces = vec![
        (0, identifier.into_bytes().into()),
        (64 << 10, header(1).into()),
        (128 << 10, header(2).into()),
        (192 << 10, regions.bytes().into()),
        (256 << 10, regions.bytes().into()),
        (2 * MIB, metadata(disk_size, &mut random).into()),
        (TABLE, table.into_bytes().into()),
    ];
    pieces.extend(moved(disk, payload));
    (payload.saturating_add(disk_size), pieces)
}

const BAT_REGION: [u8; 16] = [
    0x66, 0x77, 0xc2, 0x2d, 0x23, 0xf6, 0x00, 0x42, 0x9d, 0x64, 0x11, 0x5e, 0x9b, 0xfd, 0x4a, 0x08,
];
const METADATA_REGION: [u8; 16] = [
    0x06, 0xa2, 0x7c, 0x8b, 0x90, 0x47, 0x9a, 0x4b, 0xb8, 0xfe, 0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e,
];
const FILE_PARAMETERS: [u8; 16] = [
    0x37, 0x67, 0xa1, 0xca, 0x36, 0xfa, 0x43, 0x4d, 0xb3, 0xb6, 0x33, 0xf0, 0xaa, 0x44, 0xe7, 0x6b,
];
const DISK_SIZE: [u8; 16] = [
    0x24, 0x42, 0xa5, 0x2f, 0x1b, 0xcd, 0x76, 0x48, 0xb2, 0x11, 0x5d, 0xbe, 0xd8, 0x3b, 0xf4, 0xb8,
];
const DISK_ID: [u8; 16] = [
    0xab, 0x12, 0xca, 0xbe, 0xe6, 0xb2, 0x23, 0x45, 0x93, 0xef, 0xc3, 0x09, 0xe0, 0x00, 0xc7, 0x46,
];
const LOGICAL_SECTOR: [u8; 16] = [
    0x1d, 0xbf, 0x41, 0x81, 0x6f, 0xa9, 0x09, 0x47, 0xba, 0x47, 0xf2, 0x33, 0xa8, 0xfa, 0xab, 0x5f,
];
const PHYSICAL_SECTOR: [u8; 16] = [
    0xc7, 0x48, 0xa3, 0xcd, 0x5d, 0x44, 0x71, 0x44, 0x9c, 0xc9, 0xe9, 0x88, 0x52, 0x51, 0xc5, 0x56,
];

/// The metadata region: five items, their table at its start, their values from 64 KiB on.
fn metadata(disk_size: u64, random: &mut Random) -> Vec<u8> {
    let mut region = Block::new((64 << 10) + 64);
    region.put(0, b"metadata").u16(10, 5);
    let mut block_size = small::<u32>(BLOCK).to_le_bytes().to_vec();
    block_size.extend([1, 0, 0, 0]); // every block stays allocated
    let items: [([u8; 16], u32, Vec<u8>); 5] = [
        (FILE_PARAMETERS, 4, block_size),
        (DISK_SIZE, 6, disk_size.to_le_bytes().to_vec()),
        (DISK_ID, 6, random.bytes(16)),
        (LOGICAL_SECTOR, 6, 512_u32.to_le_bytes().to_vec()),
        (PHYSICAL_SECTOR, 6, 4096_u32.to_le_bytes().to_vec()),
    ];
    let mut place = 64_usize << 10;
    for (number, (guid, flags, value)) in items.iter().enumerate() {
        let at = number.saturating_add(1).saturating_mul(32);
        region.put(at, guid).u32(at.saturating_add(16), small(count(place)));
        region.u32(at.saturating_add(20), small(count(value.len())));
        region.u32(at.saturating_add(24), *flags).put(place, value);
        place = place.saturating_add(value.len());
    }
    region.into_bytes()
}
