//! What leaves of the trees of files hold (btrfs documentation, "On-disk Format").
//!
//! | type | item | fields used |
//! | --- | --- | --- |
//! | 1 | inode | 8 last transaction (8), 16 length (8), 40 names (4), 52 mode (4), 136 last change (8) |
//! | 96 | name in a directory | 0 key of what it names (17), 27 length of the name (2), 29 kind (1), 30 name |
//! | 108 | extent, its key's offset is where it stands in the file | 8 length decoded (8), 16 compression (1): 1 zlib, 2 LZO, 3 Zstandard, 17 encryption (1), 20 kind (1): 0 content follows at 21, 1 extent, 2 reserved only; 21 address (8), 29 length there (8), 37 offset in what is decoded (8), 45 length in the file (8) |
//! | 132 | root of a tree | 176 address (8), 216 references (4), 238 level (1) |
//! | 144 | tree that a tree has its place in, its key's offset | |

use super::super::face::NodeKind;
use super::super::number::{byte, le16, le32, le64, part};
use super::tree::Item;
use lidless_core::Timestamp;

pub(super) const INODE: u8 = 1;
pub(super) const NAME: u8 = 96;
pub(super) const EXTENT: u8 = 108;
pub(super) const ROOT: u8 = 132;
pub(super) const ROOT_BACK: u8 = 144;
pub(super) const CHUNK: u8 = 228;
/// The first object that is a file's; the root directory of each tree.
pub(super) const FIRST: u64 = 256;
/// The last object that is a file's.
pub(super) const LAST: u64 = u64::MAX - 256;
/// The tree of files that everything hangs from.
pub(super) const TOP: u64 = 5;

/// An inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Inode {
    pub(super) kind: NodeKind,
    pub(super) size: u64,
    pub(super) modified: i64,
    pub(super) transaction: u64,
    pub(super) deleted: bool,
}

impl Inode {
    pub(super) fn parse(data: &[u8]) -> Option<Self> {
        if data.len() < 160 {
            return None;
        }
        let kind = match le32(data, 52) & 0xf000 {
            0x8000 => NodeKind::File,
            0x4000 => NodeKind::Directory,
            _ => NodeKind::Other,
        };
        Some(Self {
            kind,
            size: le64(data, 16),
            modified: i64::from_le_bytes(le64(data, 136).to_le_bytes()),
            transaction: le64(data, 8),
            deleted: le32(data, 40) == 0,
        })
    }

    pub(super) fn time(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.modified).ok()
    }
}

/// A name in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name<'a> {
    /// An inode of the same tree, or a tree.
    pub(super) object: u64,
    pub(super) is_tree: bool,
    pub(super) kind: NodeKind,
    pub(super) name: &'a [u8],
}

impl<'a> Name<'a> {
    pub(super) fn parse(data: &'a [u8]) -> Option<Self> {
        let name = part(data, 30, usize::from(le16(data, 27)));
        let kind = match byte(data, 29) {
            1 => NodeKind::File,
            2 => NodeKind::Directory,
            _ => NodeKind::Other,
        };
        let is_tree = byte(data, 8) == ROOT;
        (!name.is_empty()).then_some(Self { object: le64(data, 0), is_tree, kind, name })
    }
}

/// How an extent is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Zlib,
    Lzo,
    Zstd,
    /// Encrypted, or in a way that came later.
    Unknown,
}

/// A piece of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// Where it stands in the file.
    pub(super) at: u64,
    /// How much of the file it is.
    pub(super) length: u64,
    pub(super) packing: Packing,
    /// Where it is stored: an address, or the place in the volume when it lies in a leaf.
    pub(super) stored: u64,
    pub(super) stored_length: u64,
    /// Where in what is decoded its part begins.
    pub(super) skip: u64,
    /// Length of what is decoded.
    pub(super) decoded: u64,
    pub(super) is_inline: bool,
}

impl Extent {
    /// Reads one; none for what reads as zeros: holes, and what was reserved only.
    pub(super) fn parse(item: &Item<'_>) -> Option<Self> {
        let data = item.data;
        let packing = match (byte(data, 16), byte(data, 17)) {
            (0, 0) => Packing::Plain,
            (1, 0) => Packing::Zlib,
            (2, 0) => Packing::Lzo,
            (3, 0) => Packing::Zstd,
            _ => Packing::Unknown,
        };
        let (at, decoded) = (item.key.2, le64(data, 8));
        match byte(data, 20) {
            0 => {
                let stored_length = u64::try_from(data.len().checked_sub(21)?).ok()?;
                Some(Self {
                    at,
                    length: if packing == Packing::Plain { stored_length } else { decoded },
                    packing,
                    stored: item.place.saturating_add(21),
                    stored_length,
                    skip: 0,
                    decoded,
                    is_inline: true,
                })
            }
            1 if data.len() >= 53 && le64(data, 21) != 0 => Some(Self {
                at,
                length: le64(data, 45),
                packing,
                stored: le64(data, 21),
                stored_length: le64(data, 29),
                skip: le64(data, 37),
                decoded,
                is_inline: false,
            }),
            _ => None,
        }
    }
}

/// The root of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TreeRoot {
    pub(super) tree: u64,
    pub(super) address: u64,
    pub(super) level: u8,
}

impl TreeRoot {
    /// Reads one; none when it is being deleted.
    pub(super) fn parse(item: &Item<'_>) -> Option<Self> {
        let data = item.data;
        let is_alive = data.len() >= 239 && le32(data, 216) > 0;
        is_alive.then(|| Self {
            tree: item.key.0,
            address: le64(data, 176),
            level: byte(data, 238),
        })
    }
}
