//! Blocks of directories (kernel documentation, ext4, "Directory Entries").
//!
//! | offset | size | field of an entry |
//! | --- | --- | --- |
//! | 0 | 4 | inode; 0 when not in use |
//! | 4 | 2 | length of the entry, the room behind it included |
//! | 6 | 1 | length of the name; 2 bytes without the feature `filetype` |
//! | 7 | 1 | kind: 1 file, 2 directory |
//! | 8 | | name |
//!
//! A directory with an index is one without for who reads its blocks in order: the index lies in
//! room behind entries. Names that were deleted stay in such room as well.

use super::super::face::NodeKind;
use super::super::number::{byte, le16, le32};

/// How a directory's blocks are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    /// Entries say what kind of file they name.
    pub(super) with_kinds: bool,
    /// It has an index, so room behind entries may hold that.
    pub(super) is_indexed: bool,
    /// Inodes there are.
    pub(super) inodes: u32,
}

/// A name in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name<'a> {
    pub(super) inode: u32,
    pub(super) kind: NodeKind,
    pub(super) deleted: bool,
    pub(super) name: &'a [u8],
}

/// Reads one block of a directory, names that were deleted included. Answers false when the
/// block does not parse to its end; what came before was handed out.
pub(super) fn names<'a>(block: &'a [u8], form: Form, found: &mut dyn FnMut(Name<'a>)) -> bool {
    let mut at = 0usize;
    while at.saturating_add(8) <= block.len() {
        let entry = block.get(at..).unwrap_or(&[]);
        let length = match usize::from(le16(entry, 4)) {
            // 65,536 does not fit.
            0 | 0xffff if block.len() >= 1 << 16 => entry.len(),
            length => length,
        };
        if length < 8 || length & 3 != 0 || length > entry.len() {
            return false;
        }
        let entry = entry.get(..length).unwrap_or(&[]);
        let inode = le32(entry, 0);
        let name = name_of(entry, form);
        let used = if inode == 0 { 0 } else { room(name.len()) };
        if inode != 0 {
            if name.is_empty() || inode > form.inodes {
                return false;
            }
            found(Name { inode, kind: kind_of(entry, form), deleted: false, name });
        }
        // The index of a directory stands behind `..`, or in a block that has one empty entry.
        let is_index = form.is_indexed && (name == b".." || (inode == 0 && length == block.len()));
        let is_tail = inode == 0 && length == 12 && byte(entry, 7) == 0xde;
        if !is_index && !is_tail {
            deleted(entry.get(used..).unwrap_or(&[]), form, found);
        }
        at = at.saturating_add(length);
    }
    true
}

fn name_of(entry: &[u8], form: Form) -> &[u8] {
    let length = if form.with_kinds { u16::from(byte(entry, 6)) } else { le16(entry, 6) };
    entry.get(8..usize::from(length).saturating_add(8)).unwrap_or(&[])
}

fn kind_of(entry: &[u8], form: Form) -> NodeKind {
    match byte(entry, 7) {
        _ if !form.with_kinds => NodeKind::Other,
        1 => NodeKind::File,
        2 => NodeKind::Directory,
        _ => NodeKind::Other,
    }
}

/// The room that an entry with a name of this length takes.
fn room(name: usize) -> usize {
    name.saturating_add(8 + 3) & !3
}

/// Entries in the room behind another one.
fn deleted<'a>(mut rest: &'a [u8], form: Form, found: &mut dyn FnMut(Name<'a>)) {
    while rest.len() >= 12 {
        let inode = le32(rest, 0);
        let name = name_of(rest, form);
        let length = usize::from(le16(rest, 4));
        let is_one = !name.is_empty()
            && name.len() <= 255
            && length >= room(name.len())
            && length <= rest.len()
            && length & 3 == 0
            && inode <= form.inodes
            && (!form.with_kinds || (1..=7).contains(&byte(rest, 7)))
            && name.iter().all(|byte| *byte >= b' ' && *byte != b'/' && *byte != 0x7f);
        let step = if is_one {
            if name != b"." && name != b".." {
                found(Name { inode, kind: kind_of(rest, form), deleted: true, name });
            }
            // What was deleted before it may lie in its own room.
            room(name.len())
        } else {
            4
        };
        rest = rest.get(step..).unwrap_or(&[]);
    }
}
