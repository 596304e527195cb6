//! Inodes and directories of SquashFS 4.
//!
//! An inode begins with kind (2 bytes), mode (2), owner and group (2 each), time of the last
//! change (4), number (4). Then, by kind:
//!
//! | kind | fields |
//! |---|---|
//! | 1 directory | block 4, links 4, length 2, offset 2, parent 4 |
//! | 8 directory | links 4, length 4, block 4, parent 4, index 2, offset 2, attributes 4 |
//! | 2 file | first block 4, fragment 4, offset in it 4, length 4, sizes of the blocks 4 each |
//! | 9 file | first block 8, length 8, holes 8, links 4, fragment 4, offset 4, attributes 4, sizes |
//! | others | links, devices, pipes, sockets |
//!
//! A directory is a row of heads (entries less one 4, block of the inodes 4, number 4), each with
//! entries: offset of the inode 2, number 2, kind 2, length of the name less one 2, name. Its
//! length counts three bytes that are not there.

use lidless_core::Timestamp;
use lidless_io::number::index;
use lidless_io::{Cursor, CursorError};

/// How many names of one directory are read.
const NAMES: usize = 1_000_000;

/// Where a directory's names lie in the table of directories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) block: u64,
    pub(super) offset: usize,
    pub(super) length: usize,
}

/// Where a file's content lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) start: u64,
    pub(super) length: u64,
    /// Packed bytes of each block; bit 24 set: stored as it is; 0: zeros.
    pub(super) sizes: Vec<u32>,
    /// A fragment and the offset in it: the end of the file.
    pub(super) tail: Option<(u32, u32)>,
}

/// What an inode is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Directory(Names),
    File(Stored),
    Other,
}

/// An inode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Inode {
    pub(super) modified: Option<Timestamp>,
    pub(super) kind: Kind,
}

impl Inode {
    /// Reads the inode at the start of `bytes`.
    pub(super) fn parse(bytes: &[u8], block_bytes: u64) -> Result<Self, CursorError> {
        let mut cursor = Cursor::new(bytes);
        let kind = cursor.u16_le()?;
        cursor.skip(6)?;
        let modified = Timestamp::from_second(i64::from(cursor.u32_le()?)).ok();
        cursor.skip(4)?;
        let kind = match kind {
            1 => {
                let block = u64::from(cursor.u32_le()?);
                cursor.skip(4)?;
                let length = usize::from(cursor.u16_le()?);
                let offset = usize::from(cursor.u16_le()?);
                Kind::Directory(Names { block, offset, length })
            }
            8 => {
                cursor.skip(4)?;
                let length = index(cursor.u32_le()?);
                let block = u64::from(cursor.u32_le()?);
                cursor.skip(6)?;
                let offset = usize::from(cursor.u16_le()?);
                Kind::Directory(Names { block, offset, length })
            }
            2 => {
                let start = u64::from(cursor.u32_le()?);
                let tail = (cursor.u32_le()?, cursor.u32_le()?);
                let length = u64::from(cursor.u32_le()?);
                Kind::File(stored(&mut cursor, start, tail, length, block_bytes)?)
            }
            9 => {
                let start = cursor.u64_le()?;
                let length = cursor.u64_le()?;
                cursor.skip(12)?;
                let tail = (cursor.u32_le()?, cursor.u32_le()?);
                cursor.skip(4)?;
                Kind::File(stored(&mut cursor, start, tail, length, block_bytes)?)
            }
            3..=7 | 10..=14 => Kind::Other,
            other => {
                return Err(CursorError {
                    offset: 0,
                    expected: "a kind of inode".into(),
                    found: other.to_string(),
                });
            }
        };
        Ok(Self { modified, kind })
    }
}

fn stored(
    cursor: &mut Cursor<'_>,
    start: u64,
    tail: (u32, u32),
    length: u64,
    block_bytes: u64,
) -> Result<Stored, CursorError> {
    let tail = Some(tail).filter(|(fragment, _)| *fragment != u32::MAX);
    let blocks = match tail {
        Some(_) => length.checked_div(block_bytes).unwrap_or(0),
        None => length.div_ceil(block_bytes.max(1)),
    };
    let bytes = index(blocks).saturating_mul(4);
    let sizes = cursor.take(bytes)?.as_chunks::<4>().0;
    let sizes = sizes.iter().map(|size| u32::from_le_bytes(*size)).collect();
    Ok(Stored { start, length, sizes, tail })
}

/// A name in a directory, and the reference of its inode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) name: String,
    pub(super) inode: u64,
}

/// The names of a directory, and whether those are all.
pub(super) fn names(bytes: &[u8]) -> (Vec<Name>, bool) {
    let mut found = Vec::new();
    let mut cursor = Cursor::new(bytes);
    while !cursor.is_at_end() {
        if head(&mut cursor, &mut found).is_err() || found.len() > NAMES {
            return (found, false);
        }
    }
    (found, true)
}

fn head(cursor: &mut Cursor<'_>, found: &mut Vec<Name>) -> Result<(), CursorError> {
    let count = cursor.u32_le()?.saturating_add(1);
    let block = u64::from(cursor.u32_le()?);
    cursor.skip(4)?;
    for _ in 0..count {
        let offset = u64::from(cursor.u16_le()?);
        cursor.skip(4)?;
        let length = usize::from(cursor.u16_le()?).saturating_add(1);
        let name = String::from_utf8_lossy(cursor.take(length)?).into_owned();
        found.push(Name { name, inode: block.wrapping_shl(16) | offset });
        if found.len() > NAMES {
            break;
        }
    }
    Ok(())
}
