//! Directories (XFS Algorithms and Data Structures, "Directories"). Numbers are big-endian.
//!
//! A short one lies in its inode: entries (1), how many need inode numbers of 8 bytes (1), parent
//! (4, or 8 when any does); then entries of length of name (1), offset (2), name, kind (1, with
//! the feature), inode (4 or 8).
//!
//! | offset | size | field of a block |
//! | --- | --- | --- |
//! | 0 | 4 | `XD2B` when it is the only one, `XD2D`; in version 5 `XDB3`, `XDD3` |
//! | 16, 64 | | entries, in version 5 from 64 on |
//!
//! An entry is inode (8), length of name (1), name, kind (1, with the feature), and its own
//! offset (2) at the end of a multiple of 8 bytes. Room is `0xffff` (2), length (2), and its
//! offset at its end: of an entry that was deleted, the lower half of the inode, the name and the
//! kind are still there. The only block of a directory ends with its index: 8 bytes for each
//! entry, how many (4), how many of them are not in use (4).

use super::super::number::{be16, be32, be64, byte, part};
use super::superblock::Superblock;
use lidless_io::number::index;

/// A name in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name<'a> {
    pub(super) inode: u64,
    pub(super) deleted: bool,
    /// The entry says that it is a directory.
    pub(super) is_directory: bool,
    pub(super) name: &'a [u8],
}

/// The kind of a directory.
const DIRECTORY: u8 = 2;

/// Reads a directory in its inode. False when it does not parse to its end.
pub(super) fn short<'a>(
    superblock: &Superblock,
    fork: &'a [u8],
    found: &mut dyn FnMut(Name<'a>),
) -> bool {
    let wide = byte(fork, 1) > 0;
    let number = if wide { 8usize } else { 4 };
    let kind = usize::from(superblock.with_kinds);
    let mut at = number.saturating_add(2);
    for _ in 0..byte(fork, 0).max(byte(fork, 1)) {
        let length = usize::from(byte(fork, at));
        let entry = fork.get(at..).unwrap_or(&[]);
        let behind = length.saturating_add(3).saturating_add(kind);
        let Some(inode) = entry.get(behind..behind.saturating_add(number)) else { return false };
        if length == 0 {
            return false;
        }
        let inode = if wide { be64(inode, 0) } else { u64::from(be32(inode, 0)) };
        let is_directory = kind > 0 && byte(entry, length.saturating_add(3)) == DIRECTORY;
        found(Name { inode, deleted: false, is_directory, name: part(entry, 3, length) });
        at = at.saturating_add(behind).saturating_add(number);
    }
    true
}

/// Reads a block of a directory, names that were deleted included. False when it does not parse
/// to its end.
pub(super) fn block<'a>(
    superblock: &Superblock,
    bytes: &'a [u8],
    found: &mut dyn FnMut(Name<'a>),
) -> bool {
    let (header, only, data): (usize, &[u8], &[u8]) =
        if superblock.is_five { (64, b"XDB3", b"XDD3") } else { (16, b"XD2B", b"XD2D") };
    let magic = part(bytes, 0, 4);
    let end = if magic == only {
        let count = be32(bytes, bytes.len().saturating_sub(8));
        let index = index(count).saturating_mul(8);
        let Some(end) = bytes.len().checked_sub(index.saturating_add(8)) else { return false };
        end
    } else if magic == data {
        bytes.len()
    } else {
        return false;
    };
    let bytes = bytes.get(..end).unwrap_or(bytes);
    let kind = usize::from(superblock.with_kinds);
    let mut at = header;
    while at < end {
        let entry = bytes.get(at..).unwrap_or(&[]);
        let step = if be16(entry, 0) == 0xffff {
            let length = usize::from(be16(entry, 2));
            if length < 8 || length & 7 != 0 || length > entry.len() {
                return false;
            }
            deleted(part(entry, 0, length), kind, found);
            length
        } else {
            let length = usize::from(byte(entry, 8));
            let step = entry_length(length, kind);
            if length == 0 || step > entry.len() {
                return false;
            }
            let inode = be64(entry, 0);
            let is_directory = kind > 0 && byte(entry, length.saturating_add(9)) == DIRECTORY;
            found(Name { inode, deleted: false, is_directory, name: part(entry, 9, length) });
            step
        };
        at = at.saturating_add(step);
    }
    true
}

fn entry_length(name: usize, kind: usize) -> usize {
    name.saturating_add(kind).saturating_add(8 + 1 + 2 + 7) & !7
}

/// Names in room: entries that were there before.
fn deleted<'a>(mut room: &'a [u8], kind: usize, found: &mut dyn FnMut(Name<'a>)) {
    while room.len() >= 16 {
        let length = usize::from(byte(room, 8));
        let name = part(room, 9, length);
        let step = entry_length(length, kind);
        let is_one = length > 0
            && step <= room.len()
            && name.iter().all(|byte| *byte >= b' ' && *byte != b'/' && *byte != 0x7f)
            && (kind == 0 || (1..=8).contains(&byte(room, length.saturating_add(9))));
        if is_one {
            let is_directory = kind > 0 && byte(room, length.saturating_add(9)) == DIRECTORY;
            let inode = u64::from(be32(room, 4));
            found(Name { inode, deleted: true, is_directory, name });
        }
        room = room.get(if is_one { step } else { 8 }..).unwrap_or(&[]);
    }
}
