//! The superblock and the table of block groups (kernel documentation, ext4, "Super Block",
//! "Block Group Descriptors").
//!
//! | offset | size | field of the superblock, 1,024 bytes into the volume and in some groups |
//! | --- | --- | --- |
//! | 0 | 4 | inodes |
//! | 4 | 4 | blocks, low half; high half at 336 |
//! | 20 | 4 | first data block |
//! | 24 | 4 | block size is 1,024 shifted by this |
//! | 32, 40 | 4 | blocks, inodes in a group |
//! | 56 | 2 | `0xef53` |
//! | 84 | 4 | first inode that is not reserved |
//! | 88 | 2 | inode size |
//! | 90 | 2 | group this copy stands in |
//! | 92, 96, 100 | 4 | features: compatible, incompatible, read-only compatible |
//! | 120 | 16 | label |
//! | 224 | 4 | inode of the journal |
//! | 254 | 2 | size of a group descriptor |
//! | 260 | 4 | first group whose descriptor lies in its own meta group |
//!
//! | offset | size | field of a group descriptor of 32 or 64 bytes |
//! | --- | --- | --- |
//! | 4, 36 | 4 | block of the bitmap of inodes: low, high half |
//! | 8, 40 | 4 | first block of the inode table: low, high half |
//! | 14, 46 | 2 | free inodes |
//! | 18 | 2 | flags: 1 inode table never written |
//! | 28, 50 | 2 | inodes at the end of the table that were never used |

use super::super::number::{le16, le32, part};
use crate::error::PeelError;
use lidless_io::number::{index, wide};
use lidless_io::{ReadAt, read_merged, read_vec};
use std::ops::Range;

pub(super) const FORMAT: &str = "ext4";
const MAGIC: u16 = 0xef53;
const SIZE: usize = 1024;
/// Groups of 256 TiB in usual ones.
const MOST_GROUPS: u64 = 2 << 20;

pub(super) mod feature {
    pub(in super::super) const HAS_JOURNAL: u32 = 4;
    pub(in super::super) const FILE_TYPE: u32 = 2;
    pub(in super::super) const RECOVER: u32 = 4;
    pub(in super::super) const JOURNAL_DEVICE: u32 = 8;
    pub(in super::super) const META_BG: u32 = 0x10;
    pub(in super::super) const SIXTY_FOUR: u32 = 0x80;
    /// Incompatible features of ext4 alone: extents, 64 bit, multiple mount protection, flexible
    /// groups and later ones.
    pub(in super::super) const OF_EXT4: u32 = 0xffff_ffc0;
    pub(in super::super) const SPARSE_SUPER_2: u32 = 0x200;
    pub(in super::super) const SPARSE_SUPER: u32 = 1;
    /// Checksums of group descriptors, of either kind: only then are counts of unused inodes kept.
    pub(in super::super) const GROUP_CHECKSUMS: u32 = 0x410;
    /// Read-only compatible features of ext4 alone: huge files, group checksums and later ones.
    pub(in super::super) const RO_OF_EXT4: u32 = 0xffff_fff8;
}

/// What the superblock says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Superblock {
    pub(super) inodes: u32,
    pub(super) blocks: u64,
    pub(super) first_data_block: u32,
    pub(super) block_bytes: u64,
    pub(super) blocks_per_group: u32,
    pub(super) inodes_per_group: u32,
    pub(super) first_inode: u32,
    pub(super) inode_bytes: u64,
    pub(super) compatible: u32,
    pub(super) incompatible: u32,
    pub(super) read_only: u32,
    pub(super) label: Option<String>,
    pub(super) journal: u32,
    /// Inodes that hold the file system's own records: quotas, the list of orphans.
    pub(super) own: [u32; 4],
    descriptor_bytes: u64,
    first_meta_group: u32,
    backups: [u32; 2],
}

impl Superblock {
    /// Reads one, from its 1,024 bytes; none when it cannot be one.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..SIZE)?;
        if le16(bytes, 56) != MAGIC {
            return None;
        }
        let shift = le32(bytes, 24);
        let block_bytes = (shift <= 6).then(|| 1024u64.checked_shl(shift)).flatten()?;
        let is_first_revision = le32(bytes, 76) == 0;
        let incompatible = if is_first_revision { 0 } else { le32(bytes, 96) };
        let wide_fields = incompatible & feature::SIXTY_FOUR != 0;
        let inode_bytes = if is_first_revision { 128 } else { u64::from(le16(bytes, 88)) };
        let descriptor_bytes = if wide_fields { u64::from(le16(bytes, 254)).max(32) } else { 32 };
        let high = if wide_fields { u64::from(le32(bytes, 336)) } else { 0 };
        let label = part(bytes, 120, 16).split(|byte| *byte == 0).next().unwrap_or(&[]);
        let label = String::from_utf8_lossy(label).into_owned();
        let found = Self {
            inodes: le32(bytes, 0),
            blocks: (high << 32) | u64::from(le32(bytes, 4)),
            first_data_block: le32(bytes, 20),
            block_bytes,
            blocks_per_group: le32(bytes, 32),
            inodes_per_group: le32(bytes, 40),
            first_inode: if is_first_revision { 11 } else { le32(bytes, 84).max(11) },
            inode_bytes,
            compatible: le32(bytes, 92),
            incompatible,
            read_only: le32(bytes, 100),
            label: Some(label).filter(|label| !label.is_empty()),
            journal: le32(bytes, 224),
            own: [le32(bytes, 0x240), le32(bytes, 0x244), le32(bytes, 0x26c), le32(bytes, 0x280)],
            descriptor_bytes,
            first_meta_group: le32(bytes, 260),
            backups: [le32(bytes, 0x24c), le32(bytes, 0x250)],
        };
        let sound = inode_bytes.is_power_of_two()
            && (128..=block_bytes).contains(&inode_bytes)
            && descriptor_bytes <= block_bytes
            && found.blocks_per_group > 0
            && found.inodes_per_group > 0
            && found.inodes > 0
            && found.blocks > u64::from(found.first_data_block);
        sound.then_some(found)
    }

    /// Which of the family it is: by the features that only the later ones have.
    pub(super) fn generation(&self) -> u8 {
        if self.incompatible & feature::OF_EXT4 != 0 || self.read_only & feature::RO_OF_EXT4 != 0 {
            4
        } else if self.compatible & feature::HAS_JOURNAL != 0
            || self.incompatible & feature::JOURNAL_DEVICE != 0
        {
            3
        } else {
            2
        }
    }

    /// Where a block lies in the volume.
    pub(super) fn offset(&self, block: u64) -> u64 {
        block.saturating_mul(self.block_bytes)
    }

    pub(super) fn groups(&self) -> u64 {
        let by_inodes = u64::from(self.inodes).div_ceil(u64::from(self.inodes_per_group).max(1));
        let blocks = self.blocks.saturating_sub(u64::from(self.first_data_block));
        let by_blocks = blocks.div_ceil(u64::from(self.blocks_per_group).max(1));
        by_blocks.min(by_inodes).min(MOST_GROUPS)
    }

    fn first_block(&self, group: u64) -> u64 {
        let own = group.saturating_mul(u64::from(self.blocks_per_group));
        own.saturating_add(u64::from(self.first_data_block))
    }

    /// Whether a group holds a copy of the superblock.
    fn has_copy(&self, group: u64) -> bool {
        if group == 0 {
            return true;
        }
        if self.compatible & feature::SPARSE_SUPER_2 != 0 {
            return self.backups.iter().any(|backup| u64::from(*backup) == group);
        }
        if self.read_only & feature::SPARSE_SUPER == 0 || group == 1 {
            return true;
        }
        [3u64, 5, 7].into_iter().any(|base| {
            let mut power = base;
            while power < group {
                power = power.saturating_mul(base);
            }
            power == group
        })
    }

    /// Where the blocks of group descriptors lie, in order. `copy` is the group whose copy of
    /// the superblock is used.
    fn descriptor_places(&self, copy: u64) -> Vec<Range<u64>> {
        let in_block = self.block_bytes.checked_div(self.descriptor_bytes).unwrap_or(1).max(1);
        let blocks = self.groups().div_ceil(in_block);
        let with_meta = self.incompatible & feature::META_BG != 0;
        let together =
            if with_meta { blocks.min(u64::from(self.first_meta_group)) } else { blocks };
        let start = self.offset(self.first_block(copy).saturating_add(1));
        let mut places = Vec::new();
        places.push(start..start.saturating_add(self.offset(together)));
        for block in together..blocks {
            let group = block.saturating_mul(in_block);
            // In a meta group the first two groups and the last one hold the descriptors.
            let group = if copy > 0 { group.saturating_add(1).min(self.groups()) } else { group };
            let behind = u64::from(self.has_copy(group));
            let start = self.offset(self.first_block(group).saturating_add(behind));
            places.push(start..start.saturating_add(self.block_bytes));
        }
        places
    }
}

/// What a group descriptor says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group {
    /// First block of its inode table.
    pub(super) table: u64,
    /// How many inodes at the start of the table may be in use.
    pub(super) used: u32,
    /// Where that is only how many there are: the block of the bitmap that says more, and how
    /// many are in use.
    pub(super) bitmap: Option<(u64, u32)>,
}

/// The superblock of a volume: the first one, or where that is broken a copy. With the group it
/// stands in.
pub(super) fn find(volume: &dyn ReadAt, head: &[u8]) -> Option<(Superblock, u64)> {
    if let Some(first) = Superblock::parse(part(head, SIZE, SIZE)) {
        return Some((first, 0));
    }
    if !has_descriptors(head) {
        return None;
    }
    // The second group begins after eight times as many blocks as a block has bytes.
    [1024u64, 4096, 2048, 8192, 16384, 65536].into_iter().find_map(|block_bytes| {
        let first = u64::from(block_bytes == 1024);
        let block = block_bytes.saturating_mul(8).saturating_add(first);
        let copy = read_vec(volume, block.saturating_mul(block_bytes), wide(SIZE)).ok()?;
        let found = Superblock::parse(&copy)?;
        let is_it = found.block_bytes == block_bytes && le16(&copy, 90) == 1;
        is_it.then_some((found, 1))
    })
}

/// Whether what stands where group descriptors lie looks like them: the first three blocks that
/// each of the first two names follow on each other. Only then is it worth a request to look
/// for a copy of a superblock that is broken.
fn has_descriptors(head: &[u8]) -> bool {
    [2048usize, 4096, 8192, 16384, 65536].into_iter().any(|at| {
        [32usize, 64].into_iter().any(|size| {
            let groups = [0, size].map(|from| {
                let group = part(head, at.saturating_add(from), size);
                (le32(group, 0), le32(group, 4), le32(group, 8), le16(group, 16))
            });
            let [(first, _, table, used), _] = groups;
            used > 0
                && first > 0
                && table < first.saturating_add(1 << 15)
                && groups.iter().all(|(bits, inodes, table, _)| bits < inodes && inodes < table)
                && groups.is_sorted_by(|one, next| one.0 < next.0 && one.2 < next.2)
        })
    })
}

/// Reads the group descriptors.
///
/// # Errors
/// When they cannot be read.
pub(super) fn groups(
    volume: &dyn ReadAt,
    superblock: &Superblock,
    copy: u64,
) -> Result<Vec<Group>, PeelError> {
    let places = superblock.descriptor_places(copy);
    let sum = places
        .iter()
        .fold(0u64, |sum, place| sum.saturating_add(place.end.saturating_sub(place.start)));
    if sum > volume.len() {
        let found = format!("{} groups", superblock.groups());
        return Err(PeelError::malformed(FORMAT, 1024, "groups that fit the volume", found));
    }
    let mut found = Vec::new();
    let size = index(superblock.descriptor_bytes);
    let checked = superblock.read_only & feature::GROUP_CHECKSUMS != 0;
    let mut left = superblock.inodes;
    for bytes in read_merged(volume, &places)? {
        for group in bytes.chunks_exact(size) {
            if wide(found.len()) >= superblock.groups() {
                break;
            }
            let whole = superblock.inodes_per_group.min(left);
            left = left.saturating_sub(whole);
            let high = size >= 64;
            let join = |low: u32, at: usize| {
                if high { low | (u32::from(le16(group, at)) << 16) } else { low }
            };
            let free = join(u32::from(le16(group, 14)), 46);
            let unused = join(u32::from(le16(group, 28)), 50);
            let used = match (checked, le16(group, 18) & 1 != 0) {
                (true, true) => 0,
                (true, false) => whole.saturating_sub(unused),
                (false, _) if free >= superblock.inodes_per_group => 0,
                (false, _) => whole,
            };
            let place = |low: usize, at: usize| {
                let above = if high { u64::from(le32(group, at)) << 32 } else { 0 };
                above | u64::from(le32(group, low))
            };
            let bitmap = (!checked).then(|| (place(4, 36), whole.saturating_sub(free)));
            found.push(Group { table: place(8, 40), used, bitmap });
        }
    }
    Ok(found)
}
