//! An inode (kernel documentation, ext4, "Index Nodes", "Extended Attributes").
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 2 | mode: kind in the upper four bits |
//! | 4 | 4 | length, low half; high half at 108 |
//! | 16 | 4 | seconds of the last change of the content |
//! | 20 | 4 | seconds of the deletion |
//! | 26 | 2 | names |
//! | 32 | 4 | flags |
//! | 40 | 60 | block map, extent tree, or content |
//! | 128 | 2 | how much is in use past the first 128 bytes |
//! | 136 | 4 | two more bits of the seconds of the last change |
//!
//! Attributes follow the part in use: `0xea020000`, then entries of length of name (1), index of
//! its prefix (1), offset of the value (2), 0 (4), length of the value (4), hash (4), name.

use super::super::face::NodeKind;
use super::super::number::{byte, le16, le32, part};
use lidless_core::Timestamp;
use lidless_io::number::index;

pub(super) mod flag {
    pub(in super::super) const COMPRESSED: u32 = 4;
    pub(in super::super) const ENCRYPTED: u32 = 0x800;
    pub(in super::super) const INDEXED: u32 = 0x1000;
    pub(in super::super) const EXTENTS: u32 = 0x8_0000;
    pub(in super::super) const ATTRIBUTE: u32 = 0x20_0000;
    pub(in super::super) const INLINE: u32 = 0x1000_0000;
}

const ATTRIBUTES: u32 = 0xea02_0000;
/// The prefix `system.`.
const SYSTEM: u8 = 7;
/// How many attributes fit an inode of the largest size.
const MOST_ATTRIBUTES: usize = 256;

/// An inode in use, or one that was deleted and still says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Inode {
    pub(super) kind: NodeKind,
    pub(super) size: u64,
    pub(super) modified: Option<i64>,
    pub(super) deleted: bool,
    pub(super) flags: u32,
    /// Its map, or its content when that is inline.
    pub(super) map: Vec<u8>,
}

impl Inode {
    /// Reads one from the table; none when it was never used.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mode = le16(bytes, 0);
        let deleted = le32(bytes, 20) != 0 || le16(bytes, 26) == 0;
        if bytes.len() < 128 || mode == 0 {
            return None;
        }
        let kind = match mode & 0xf000 {
            0x8000 => NodeKind::File,
            0x4000 => NodeKind::Directory,
            _ => NodeKind::Other,
        };
        let flags = le32(bytes, 32);
        let extra = usize::from(le16(bytes, 128));
        let low = i64::from(i32::from_le_bytes(le32(bytes, 16).to_le_bytes()));
        let epoch = if extra >= 12 { i64::from(le32(bytes, 136) & 3) << 32 } else { 0 };
        let seconds = low.saturating_add(epoch);
        let mut size = u64::from(le32(bytes, 4));
        if kind != NodeKind::Other {
            size |= u64::from(le32(bytes, 108)) << 32;
        }
        let own = part(bytes, 40, 60);
        let map = if kind == NodeKind::Other {
            Vec::new()
        } else if flags & flag::INLINE != 0 {
            let mut content = own.to_vec();
            content.extend_from_slice(rest_of_content(bytes, extra));
            content.truncate(index(size));
            content
        } else if flags & flag::EXTENTS != 0 {
            let entries = usize::from(le16(own, 2)).saturating_add(1);
            part(own, 0, entries.saturating_mul(12)).to_vec()
        } else {
            own.to_vec()
        };
        Some(Self { kind, size, modified: Some(seconds), deleted, flags, map })
    }

    pub(super) fn modified(seconds: Option<i64>) -> Option<Timestamp> {
        seconds.and_then(|seconds| Timestamp::from_second(seconds).ok())
    }
}

/// What of an inline content does not fit the place of the map: the attribute `system.data`.
fn rest_of_content(inode: &[u8], extra: usize) -> &[u8] {
    let area = inode.get(extra.saturating_add(128)..).unwrap_or(&[]);
    if le32(area, 0) != ATTRIBUTES {
        return &[];
    }
    let entries = area.get(4..).unwrap_or(&[]);
    let mut at = 0usize;
    for _ in 0..MOST_ATTRIBUTES {
        let entry = entries.get(at..).unwrap_or(&[]);
        let length = usize::from(byte(entry, 0));
        if le32(entry, 0) == 0 || entry.len() < 16 {
            break;
        }
        if byte(entry, 1) == SYSTEM && part(entry, 16, length) == b"data" {
            let value = usize::from(le16(entry, 2));
            return part(entries, value, index(u64::from(le32(entry, 8))));
        }
        at = at.saturating_add(length.saturating_add(16 + 3) & !3);
    }
    &[]
}
