//! The superblock (XFS Algorithms and Data Structures, "Superblocks"). Numbers are big-endian.
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 4 | `XFSB` |
//! | 4 | 4 | block size |
//! | 8 | 8 | blocks |
//! | 48 | 8 | first block of the log; 0 when it lies on another device |
//! | 56 | 8 | inode of the root |
//! | 64, 72, 160, 168, 232 | 8 | inodes of records: realtime bitmap and summary, quotas |
//! | 84, 88 | 4 | blocks of an allocation group, groups |
//! | 96 | 4 | blocks of the log |
//! | 100 | 2 | version in the lower four bits, flags |
//! | 102, 104 | 2 | sector size, inode size |
//! | 108 | 12 | label |
//! | 120 .. 124 | 1 | logarithms: block, sector, inode size, inodes in a block, blocks of a group |
//! | 192 | 1 | logarithm of the blocks of a directory block |
//! | 200 | 4 | more flags |
//! | 216 | 4 | incompatible features |
//!
//! The superblock opens each allocation group; its second sector is `XAGF`, its third `XAGI`.

use super::super::number::{be16, be32, be64, byte, part};
use lidless_io::{ReadAt, read_vec};

pub(super) const FORMAT: &str = "XFS";
const SIZE: usize = 512;
/// Far more than a volume that grew from a small one has.
const MOST_GROUPS: u32 = 1 << 20;
/// The kernel makes none below 16 MiB.
const SMALLEST_GROUP: u64 = 1 << 20;
/// Directories beyond their data: indexes stand from this byte of a directory on.
pub(super) const INDEX_AT: u64 = 1 << 35;

/// What the superblock says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Superblock {
    pub(super) block_bytes: u64,
    pub(super) blocks: u64,
    pub(super) log_start: u64,
    pub(super) log_blocks: u64,
    pub(super) root: u64,
    /// Inodes of the file system's own records.
    pub(super) own: [u64; 5],
    pub(super) group_blocks: u64,
    pub(super) groups: u32,
    pub(super) sector_bytes: u64,
    pub(super) inode_bytes: u64,
    pub(super) label: Option<String>,
    /// Version 5: structures with checksums, which have longer headers.
    pub(super) is_five: bool,
    pub(super) with_kinds: bool,
    pub(super) with_sparse: bool,
    pub(super) directory_blocks: u64,
    pub(super) with_old_directories: bool,
    group_shift: u32,
    inode_shift: u32,
    block_shift: u32,
}

impl Superblock {
    /// Reads one; none when it cannot be one.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..SIZE)?;
        if bytes.get(..4)? != b"XFSB" {
            return None;
        }
        let version = be16(bytes, 100);
        let more = if version & 0x8000 != 0 { be32(bytes, 200) } else { 0 };
        let is_five = version & 0xf == 5;
        let incompatible = if is_five { be32(bytes, 216) } else { 0 };
        let label = part(bytes, 108, 12).split(|byte| *byte == 0).next().unwrap_or(&[]);
        let label = String::from_utf8_lossy(label).into_owned();
        let found = Self {
            block_bytes: u64::from(be32(bytes, 4)),
            blocks: be64(bytes, 8),
            log_start: be64(bytes, 48),
            log_blocks: u64::from(be32(bytes, 96)),
            root: be64(bytes, 56),
            own: [64, 72, 160, 168, 232].map(|at| be64(bytes, at)),
            group_blocks: u64::from(be32(bytes, 84)),
            groups: be32(bytes, 88),
            sector_bytes: u64::from(be16(bytes, 102)),
            inode_bytes: u64::from(be16(bytes, 104)),
            label: Some(label).filter(|label| !label.is_empty()),
            is_five,
            with_kinds: incompatible & 1 != 0 || more & 0x200 != 0,
            with_sparse: incompatible & 2 != 0,
            directory_blocks: 1u64.checked_shl(u32::from(byte(bytes, 192))).unwrap_or(0),
            with_old_directories: !is_five && version & 0x2000 == 0,
            group_shift: u32::from(byte(bytes, 124)),
            inode_shift: u32::from(byte(bytes, 123)),
            block_shift: u32::from(byte(bytes, 120)),
        };
        let power = |value: u64, from: u64, to: u64| {
            value.is_power_of_two() && (from..=to).contains(&value)
        };
        let sound = power(found.block_bytes, 512, 65536)
            && power(found.sector_bytes, 512, 32768)
            && power(found.inode_bytes, 256, 2048)
            && found.block_bytes.trailing_zeros() == found.block_shift
            && found.inode_bytes.checked_shl(found.inode_shift) == Some(found.block_bytes)
            && power(found.directory_blocks, 1, 128)
            && found.directory_blocks.saturating_mul(found.block_bytes) <= 65536
            && (1..=31).contains(&found.group_shift)
            && (1..=1 << found.group_shift).contains(&found.group_blocks)
            && found.group_blocks.saturating_mul(found.block_bytes) >= SMALLEST_GROUP
            && (1..=MOST_GROUPS).contains(&found.groups);
        sound.then_some(found)
    }

    /// Where a block, by its number in the file system, lies in the volume.
    pub(super) fn offset(&self, block: u64) -> u64 {
        let group = block >> self.group_shift;
        let within = block & (1u64 << self.group_shift).saturating_sub(1);
        self.in_group(group, within)
    }

    /// Where a block of a group lies in the volume.
    pub(super) fn in_group(&self, group: u64, block: u64) -> u64 {
        let block = group.saturating_mul(self.group_blocks).saturating_add(block);
        block.saturating_mul(self.block_bytes)
    }

    /// The number of an inode, by its group and its number there.
    pub(super) fn inode(&self, group: u64, within: u64) -> u64 {
        let shift = self.group_shift.saturating_add(self.inode_shift);
        group.checked_shl(shift).unwrap_or(u64::MAX) | within
    }

    /// Where an inode lies in the volume.
    pub(super) fn inode_offset(&self, inode: u64) -> u64 {
        let shift = self.group_shift.saturating_add(self.inode_shift);
        let group = inode.checked_shr(shift).unwrap_or(0);
        let mask = 1u64.checked_shl(shift).unwrap_or(0).saturating_sub(1);
        let within = inode & mask;
        let in_block = within & (1u64.checked_shl(self.inode_shift).unwrap_or(1)).saturating_sub(1);
        let block = within.checked_shr(self.inode_shift).unwrap_or(0);
        let start = self.in_group(group, block);
        start.saturating_add(in_block.saturating_mul(self.inode_bytes))
    }

    /// Length of the header of a block of a B-tree within a group.
    pub(super) fn short_header(&self) -> usize {
        if self.is_five { 56 } else { 16 }
    }

    /// Length of the header of a block of a B-tree over the whole file system.
    pub(super) fn long_header(&self) -> usize {
        if self.is_five { 72 } else { 24 }
    }

    /// Length of a directory block in bytes.
    pub(super) fn directory_bytes(&self) -> u64 {
        self.directory_blocks.saturating_mul(self.block_bytes)
    }
}

/// The superblock of a volume, and whether it is a copy: the first group's, or where that is
/// broken and the sectors behind it are a group's, the second one's.
pub(super) fn find(volume: &dyn ReadAt, head: &[u8]) -> Option<(Superblock, bool)> {
    if let Some(found) = Superblock::parse(head) {
        return Some((found, false));
    }
    let length = [512usize, 4096].into_iter().find_map(|sector| {
        let free = part(head, sector, 16);
        let inodes = part(head, sector.saturating_mul(2), 4);
        let is_one = free.get(..4) == Some(b"XAGF") && inodes == b"XAGI";
        is_one.then(|| u64::from(be32(free, 12)))
    })?;
    [4096u64, 1024, 2048, 512, 8192, 16384, 32768, 65536].into_iter().find_map(|size| {
        let copy = read_vec(volume, length.saturating_mul(size), 512).ok()?;
        let found = Superblock::parse(&copy)?;
        (found.group_blocks == length && found.block_bytes == size).then_some((found, true))
    })
}
