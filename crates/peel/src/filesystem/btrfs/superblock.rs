//! The superblock and the chunks (btrfs documentation, "On-disk Format").
//!
//! | offset | size | field of the superblock, 64 KiB and 64 MiB into a device |
//! | --- | --- | --- |
//! | 48 | 8 | its own place |
//! | 64 | 8 | `_BHRfS_M` |
//! | 80, 88, 96 | 8 | root tree, chunk tree, log tree |
//! | 112 | 8 | bytes of all devices |
//! | 136 | 8 | devices |
//! | 144, 148 | 4 | sector size, node size |
//! | 160 | 4 | length of the chunks at 811 |
//! | 198, 199 | 1 | level of the root tree, of the chunk tree |
//! | 201 | 8 | number of this device |
//! | 299 | 256 | label |
//! | 811 | 2048 | chunks that hold the chunk tree: key (17), chunk |
//!
//! | offset | size | field of a chunk; the offset of its key is its first address |
//! | --- | --- | --- |
//! | 0 | 8 | length |
//! | 24 | 8 | profile: 8 RAID 0, 16 RAID 1, 32 DUP, 64 RAID 10, 128 RAID 5, 256 RAID 6, 512, 1024 RAID 1 with more copies |
//! | 44, 46 | 2 | stripes, stripes that are copies of each other |
//! | 48 | 32 | each stripe: device (8), place (8) |
//!
//! Everything else is named by address; chunks say where on which device an address lies.

use super::super::number::{byte, le16, le32, le64, part};
use lidless_io::number::index;
use lidless_io::{ReadAt, read_vec};
use std::ops::Range;

pub(super) const FORMAT: &str = "btrfs";
const MAGIC: &[u8] = b"_BHRfS_M";
const FIRST: u64 = 64 << 10;
const SECOND: u64 = 64 << 20;
const SIZE: usize = 4096;
const CHUNKS_AT: usize = 811;
/// Chunks are at least 1 MiB, most of them 1 GiB.
pub(super) const MOST_CHUNKS: usize = 1 << 20;

/// A profile keeps at most four copies.
const MOST_COPIES: usize = 4;

/// What the superblock says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Superblock {
    pub(super) root: u64,
    pub(super) root_level: u8,
    pub(super) chunk_root: u64,
    pub(super) chunk_level: u8,
    pub(super) has_log: bool,
    pub(super) bytes: u64,
    pub(super) devices: u64,
    pub(super) node_bytes: u64,
    pub(super) sector_bytes: u64,
    pub(super) device: u64,
    pub(super) label: Option<String>,
    chunks: Vec<u8>,
}

impl Superblock {
    fn parse(bytes: &[u8], place: u64) -> Option<Self> {
        let bytes = bytes.get(..SIZE)?;
        let label = part(bytes, 299, 256).split(|byte| *byte == 0).next().unwrap_or(&[]);
        let label = String::from_utf8_lossy(label).into_owned();
        let chunks = part(bytes, CHUNKS_AT, index(u64::from(le32(bytes, 160)).min(2048)));
        let found = Self {
            root: le64(bytes, 80),
            root_level: byte(bytes, 198),
            chunk_root: le64(bytes, 88),
            chunk_level: byte(bytes, 199),
            has_log: le64(bytes, 96) != 0,
            bytes: le64(bytes, 112),
            devices: le64(bytes, 136),
            node_bytes: u64::from(le32(bytes, 148)),
            sector_bytes: u64::from(le32(bytes, 144)),
            device: le64(bytes, 201),
            label: Some(label).filter(|label| !label.is_empty()),
            chunks: chunks.to_vec(),
        };
        let power =
            |value: u64, from: u64| value.is_power_of_two() && (from..=65536).contains(&value);
        let sound = part(bytes, 64, 8) == MAGIC
            && le64(bytes, 48) == place
            && power(found.node_bytes, 4096)
            && power(found.sector_bytes, 512);
        sound.then_some(found)
    }
}

/// The superblock of a volume, and whether it is the copy: looked for where 64 KiB of zeros stand
/// before something else, as they do before the first one.
pub(super) fn find(volume: &dyn ReadAt, head: &[u8]) -> Option<(Superblock, bool)> {
    let first = head.get(index(FIRST)..).filter(|rest| !rest.is_empty())?;
    if let Some(found) = Superblock::parse(first, FIRST) {
        return Some((found, false));
    }
    let before = head.get(..index(FIRST)).unwrap_or(&[]);
    let is_one = before.iter().all(|byte| *byte == 0) && first.iter().any(|byte| *byte != 0);
    if !is_one || volume.len() <= SECOND {
        return None;
    }
    let copy = read_vec(volume, SECOND, 4096).ok()?;
    Superblock::parse(&copy, SECOND).map(|found| (found, true))
}

/// A range of addresses and where it lies on this device.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Chunk {
    addresses: Range<u64>,
    /// Places of its copies on this device; none when it lies on others.
    places: Vec<u64>,
}

/// Where addresses lie.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Chunks {
    chunks: Vec<Chunk>,
}

impl Chunks {
    /// The chunks that the superblock itself names.
    pub(super) fn of(superblock: &Superblock) -> Self {
        let mut found = Self::default();
        let mut rest = superblock.chunks.as_slice();
        while rest.len() >= 17 + 48 {
            let item = rest.get(17..).unwrap_or(&[]);
            let length = usize::from(le16(item, 44)).saturating_mul(32).saturating_add(48);
            found.add(superblock, le64(rest, 9), part(item, 0, length));
            rest = item.get(length..).unwrap_or(&[]);
        }
        found.settle();
        found
    }

    /// Adds a chunk; [`Chunks::settle`] comes after the last.
    pub(super) fn add(&mut self, superblock: &Superblock, address: u64, item: &[u8]) {
        const STRIPED: u64 = 8 | 64 | 128 | 256;
        let stripes: Vec<&[u8]> = item
            .get(48..)
            .unwrap_or(&[])
            .chunks_exact(32)
            .take(usize::from(le16(item, 44)))
            .collect();
        let is_striped = le64(item, 24) & STRIPED != 0 && stripes.len() > 1;
        let own = stripes.into_iter().filter(|stripe| le64(stripe, 0) == superblock.device);
        let own = own.map(|stripe| le64(stripe, 8)).take(MOST_COPIES);
        let places = if is_striped { Vec::new() } else { own.collect() };
        let addresses = address..address.saturating_add(le64(item, 0));
        if self.chunks.len() < MOST_CHUNKS {
            self.chunks.push(Chunk { addresses, places });
        }
    }

    /// Puts the chunks in order.
    pub(super) fn settle(&mut self) {
        self.chunks.sort_by_key(|chunk| chunk.addresses.start);
        self.chunks.dedup_by_key(|chunk| chunk.addresses.start);
    }

    /// Where the bytes from `address` on lie on this device, in each copy; none when they are not
    /// all in one chunk, or on another device.
    pub(super) fn places(&self, address: u64, length: u64) -> Vec<u64> {
        let end = address.saturating_add(length);
        let first = self.chunks.partition_point(|chunk| chunk.addresses.end <= address);
        let Some(chunk) = self.chunks.get(first) else { return Vec::new() };
        if !chunk.addresses.contains(&address) || end > chunk.addresses.end {
            return Vec::new();
        }
        let within = address.saturating_sub(chunk.addresses.start);
        chunk.places.iter().map(|place| place.saturating_add(within)).collect()
    }

    /// The first of [`Chunks::places`].
    pub(super) fn place(&self, address: u64, length: u64) -> Option<u64> {
        self.places(address, length).first().copied()
    }
}
