//! An inode (XFS Algorithms and Data Structures, "On-disk Inode"). Numbers are big-endian.
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 2 | `IN` |
//! | 2 | 2 | mode |
//! | 4 | 1 | version: the fork begins at 100, from version 3 on at 176 |
//! | 5 | 1 | form of the data fork: 1 in the inode, 2 extents, 3 B-tree |
//! | 6, 16 | 2, 4 | names, in version 1 and later |
//! | 24 | 8 | extents, where the flag for many is set |
//! | 40 | 8 | last change of the content: seconds (4), nanoseconds (4), or with the flag for later times nanoseconds since 1901 |
//! | 56 | 8 | length |
//! | 76 | 4 | extents |
//! | 82 | 1 | where the attribute fork begins behind the data fork, in units of 8 bytes |
//! | 90 | 2 | flags: 1 realtime |
//! | 120 | 8 | more flags, from version 3 on: 8 later times, 16 many extents, 32 one of the file system's own |

use super::super::face::NodeKind;
use super::super::number::{be16, be32, be64, byte, part};
use lidless_io::number::index;

/// How the data fork says where the content is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Local,
    Extents,
    Tree,
    Other,
}

/// An inode in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Inode {
    pub(super) kind: NodeKind,
    pub(super) size: u64,
    pub(super) modified: i64,
    /// No name leads to it: it was deleted while it was open.
    pub(super) deleted: bool,
    pub(super) is_realtime: bool,
    pub(super) form: Form,
    pub(super) fork: Vec<u8>,
}

impl Inode {
    /// Reads one; none when it has no signature. What is free has no mode: its kind is `Other`
    /// and [`Inode::is_free`].
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.get(..2)? != b"IN" {
            return None;
        }
        let mode = be16(bytes, 2);
        let version = byte(bytes, 4);
        let core = if version >= 3 { 176usize } else { 100 };
        let more = if version >= 3 { be64(bytes, 120) } else { 0 };
        let names = if version == 1 { u32::from(be16(bytes, 6)) } else { be32(bytes, 16) };
        let kind = match mode & 0xf000 {
            0x8000 => NodeKind::File,
            0x4000 => NodeKind::Directory,
            _ => NodeKind::Other,
        };
        let form = match byte(bytes, 5) {
            1 => Form::Local,
            2 => Form::Extents,
            3 => Form::Tree,
            _ => Form::Other,
        };
        let modified = if more & 8 != 0 {
            let seconds = i64::try_from(be64(bytes, 40) / 1_000_000_000).unwrap_or(i64::MAX);
            seconds.saturating_sub(1 << 31)
        } else {
            i64::from(i32::from_be_bytes(be32(bytes, 40).to_be_bytes()))
        };
        let extents = if more & 16 != 0 { be64(bytes, 24) } else { u64::from(be32(bytes, 76)) };
        let room = bytes.get(core..).unwrap_or(&[]);
        let room = match usize::from(byte(bytes, 82)) {
            0 => room,
            units => part(room, 0, units.saturating_mul(8)),
        };
        let fork = match (kind, form) {
            (NodeKind::Other, _) | (_, Form::Other) => &[],
            (_, Form::Extents) => part(room, 0, index(extents.saturating_mul(16))),
            (_, Form::Local) => part(room, 0, index(be64(bytes, 56))),
            (_, Form::Tree) => room,
        };
        // Free, or of the file system's own directory of records.
        let is_none = mode == 0 || more & 0x20 != 0;
        Some(Self {
            kind: if is_none { NodeKind::Other } else { kind },
            size: be64(bytes, 56),
            modified,
            deleted: names == 0 || is_none,
            is_realtime: be16(bytes, 90) & 1 != 0,
            form,
            fork: fork.to_vec(),
        })
    }

    /// Whether it is free: XFS keeps nothing of what was deleted.
    pub(super) fn is_free(&self) -> bool {
        self.deleted && self.kind == NodeKind::Other
    }
}
