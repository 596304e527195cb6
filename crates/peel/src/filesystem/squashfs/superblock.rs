//! The superblock of SquashFS 4 (Documentation/filesystems/squashfs.rst of the Linux kernel).
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | `hsqs` |
//! | 12 | 4 | bytes in a block, 4 KiB to 1 MiB |
//! | 16 | 4 | number of fragments |
//! | 20 | 2 | packing: 1 gzip, 2 LZMA, 3 LZO, 4 xz, 5 LZ4, 6 Zstandard |
//! | 22 | 2 | bytes in a block, as a power of two |
//! | 28 | 2 | major version; so in all versions |
//! | 32 | 8 | reference of the root directory's inode |
//! | 40 | 8 | bytes in use |
//! | 48 | 8 each | tables: ids, attributes, inodes, directories, fragments, exports |

use super::packing::Packing;
use crate::error::PeelError;
use lidless_io::number::{u16_be, u16_le};
use lidless_io::{Cursor, CursorError};

/// What a table has as its place that is not there.
const NONE: u64 = u64::MAX;

/// What a superblock says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Superblock {
    pub(super) block_bytes: u64,
    pub(super) fragments: u32,
    pub(super) packing: Packing,
    pub(super) root: u64,
    pub(super) used: u64,
    pub(super) inodes: u64,
    pub(super) directories: u64,
    /// Where the lists of the parts of the tables behind the directories lie, fragments first.
    pub(super) behind: Vec<u64>,
}

/// Whether a volume begins with SquashFS of any version.
pub(super) fn is_squashfs(head: &[u8]) -> bool {
    // Makers of devices turned the letters around to say LZMA before there was a number for it.
    match head.get(..4) {
        Some(b"hsqs" | b"shsq") => matches!(u16_le(head, 28), Some(1..=4)),
        Some(b"sqsh" | b"qshs") => matches!(u16_be(head, 28), Some(1..=3)),
        _ => false,
    }
}

impl Superblock {
    /// Reads a superblock.
    ///
    /// # Errors
    /// `Malformed`; `Closed` for what is not read.
    pub(super) fn parse(head: &[u8]) -> Result<Self, PeelError> {
        let early = head.get(28..30) != Some(&[4, 0]);
        if early || !head.starts_with(b"hsqs") {
            return Err(PeelError::Closed("SquashFS of a version before 4".into()));
        }
        let own =
            Self::numbers(head).map_err(|error| PeelError::cursor("SquashFS", 0, &error))??;
        let in_order = own.inodes >= 96
            && own.inodes < own.directories
            && own.directories < own.used
            && own.behind.iter().all(|table| *table < own.used);
        if !in_order {
            return Err(PeelError::malformed("SquashFS", 64, "tables in order", "others"));
        }
        Ok(own)
    }

    fn numbers(head: &[u8]) -> Result<Result<Self, PeelError>, CursorError> {
        let mut cursor = Cursor::new(head);
        cursor.skip(12)?;
        let block_bytes = cursor.u32_le()?;
        let fragments = cursor.u32_le()?;
        let packing = cursor.u16_le()?;
        let shift = cursor.u16_le()?;
        cursor.skip(8)?;
        let root = cursor.u64_le()?;
        let used = cursor.u64_le()?;
        let ids = cursor.u64_le()?;
        cursor.skip(8)?;
        let inodes = cursor.u64_le()?;
        let directories = cursor.u64_le()?;
        let fragment_table = cursor.u64_le()?;
        let exports = cursor.u64_le()?;
        if !(12..=20).contains(&shift) || 1u32.checked_shl(shift.into()) != Some(block_bytes) {
            let found = format!("{block_bytes} and {shift}");
            return Ok(Err(PeelError::malformed("SquashFS", 12, "the size of a block", found)));
        }
        let packing = match Packing::of(packing) {
            Ok(packing) => packing,
            Err(error) => return Ok(Err(error)),
        };
        let fragment_table = if fragments == 0 { NONE } else { fragment_table };
        Ok(Ok(Self {
            block_bytes: u64::from(block_bytes),
            fragments,
            packing,
            root,
            used,
            inodes,
            directories,
            behind: [fragment_table, exports, ids]
                .into_iter()
                .filter(|table| *table != NONE)
                .collect(),
        }))
    }
}
