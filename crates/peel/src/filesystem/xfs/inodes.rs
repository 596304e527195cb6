//! Which inodes there are: the inode B-tree of each allocation group (XFS Algorithms and Data
//! Structures, "AG Inode Management").
//!
//! | offset | size | field of the third sector of a group |
//! | --- | --- | --- |
//! | 0 | 4 | `XAGI` |
//! | 20, 24 | 4 | root of the tree, its levels |
//!
//! | offset | size | field of a block of the tree |
//! | --- | --- | --- |
//! | 0 | 4 | `IABT`, `IAB3` in version 5 |
//! | 4 | 2 | level: 0 in a leaf |
//! | 6 | 2 | entries: records of 16 bytes in a leaf, else keys of 4 bytes, then places of 4 bytes |
//!
//! A record is 64 inodes: the first one (4), which groups of 4 are not there (2, with sparse
//! inodes), counts (2), which inodes are free (8), the first one in the lowest bit.

use super::super::batch::{Piece, Read, read_in_order};
use super::super::number::{be16, be32, be64};
use super::superblock::Superblock;
use lidless_io::number::index;
use lidless_io::{ReadAt, ReadError};
use std::collections::HashSet;

const DEEPEST: u32 = 9;
/// How many tree blocks are read: of 250 records of 64 inodes each.
const MOST_BLOCKS: usize = 1 << 18;
/// How many pieces of inodes are kept: of 64 inodes each, but for the holes between them.
const MOST_PIECES: usize = 1 << 21;

/// What the trees say.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    /// Where inodes in use lie; the tag is the number of the first one.
    pub(super) pieces: Vec<Piece>,
    /// Parts that are not what they should be.
    pub(super) malformed: u64,
    /// There were more than may be kept.
    pub(super) is_full: bool,
    pub(super) read: Read,
}

/// Finds the inodes in use, tree blocks of all groups read level by level.
///
/// # Errors
/// When the budget is spent.
pub(super) fn chunks(volume: &dyn ReadAt, superblock: &Superblock) -> Result<Chunks, ReadError> {
    let mut found = Chunks::default();
    let mut heads = Vec::new();
    for group in 0..u64::from(superblock.groups) {
        let start = superblock.in_group(group, 0);
        if start >= volume.len() {
            found.read.cut = found.read.cut.saturating_add(1);
            break;
        }
        let start = start.saturating_add(superblock.sector_bytes.saturating_mul(2));
        heads.push(Piece { start, length: 512, tag: group });
    }
    let mut tasks: Vec<(u64, u64, u32)> = Vec::new();
    let mut malformed = 0u64;
    let read = read_in_order(volume, heads, &mut |group, _, bytes| {
        let (root, levels) = (u64::from(be32(bytes, 20)), be32(bytes, 24));
        if bytes.get(..4) == Some(b"XAGI") && (1..=DEEPEST).contains(&levels) {
            tasks.push((group, root, levels.saturating_sub(1)));
        } else {
            malformed = malformed.saturating_add(1);
        }
    })?;
    add(&mut found.read, read);
    let mut seen = HashSet::new();
    while !tasks.is_empty() {
        let mut pieces = Vec::with_capacity(tasks.len());
        for ((group, block, _), number) in tasks.iter().zip(0u64..) {
            if seen.len() < MOST_BLOCKS && seen.insert((*group, *block)) {
                let start = superblock.in_group(*group, *block);
                pieces.push(Piece { start, length: superblock.block_bytes, tag: number });
            } else {
                malformed = malformed.saturating_add(1);
            }
        }
        let mut next = Vec::new();
        let read = read_in_order(volume, pieces, &mut |tag, _, bytes| {
            let Some((group, _, level)) = tasks.get(index(tag)).copied() else { return };
            let magic: &[u8] = if superblock.is_five { b"IAB3" } else { b"IABT" };
            if bytes.get(..4) != Some(magic) || u32::from(be16(bytes, 4)) != level {
                malformed = malformed.saturating_add(1);
                return;
            }
            let body = bytes.get(superblock.short_header()..).unwrap_or(&[]);
            let count = usize::from(be16(bytes, 6));
            if level == 0 {
                found.is_full |= found.pieces.len() >= MOST_PIECES;
                let count = if found.is_full { 0 } else { count };
                for record in body.chunks_exact(16).take(count) {
                    found.pieces.extend(used(superblock, group, record));
                }
                return;
            }
            let most = body.len() / 8;
            let places = body.get(most.saturating_mul(4)..).unwrap_or(&[]);
            for place in places.chunks_exact(4).take(count) {
                if next.len() >= MOST_BLOCKS {
                    break;
                }
                next.push((group, u64::from(be32(place, 0)), level.saturating_sub(1)));
            }
        })?;
        add(&mut found.read, read);
        tasks = next;
    }
    found.malformed = malformed;
    Ok(found)
}

fn add(sum: &mut Read, one: Read) {
    sum.failed = sum.failed.saturating_add(one.failed);
    sum.cut = sum.cut.saturating_add(one.cut);
}

/// The parts of a record's inodes that hold some in use: each from the first to the last one,
/// groups that are not there between them.
fn used(superblock: &Superblock, group: u64, record: &[u8]) -> Vec<Piece> {
    let first = u64::from(be32(record, 0));
    let free = be64(record, 8);
    let holes = if superblock.with_sparse { be16(record, 4) } else { 0 };
    let mut pieces = Vec::new();
    // First and last inode in use of the part at hand.
    let mut part: Option<(u64, u64)> = None;
    for number in 0..=64u32 {
        let hole = holes.checked_shr(number / 4).is_none_or(|bits| bits & 1 != 0);
        let in_use = number < 64 && free.checked_shr(number).is_some_and(|bits| bits & 1 == 0);
        if hole {
            if let Some((from, to)) = part.take() {
                let number = superblock.inode(group, first.saturating_add(from));
                let count = to.saturating_sub(from).saturating_add(1);
                let length = count.saturating_mul(superblock.inode_bytes);
                let start = superblock.inode_offset(number);
                pieces.push(Piece { start, length, tag: number });
            }
        } else if in_use {
            let number = u64::from(number);
            part = Some((part.map_or(number, |(from, _)| from), number));
        }
    }
    pieces
}

/// The inodes of a piece: number and bytes of each.
pub(super) fn each<'a>(
    superblock: &Superblock,
    first: u64,
    at: u64,
    bytes: &'a [u8],
) -> impl Iterator<Item = (u64, &'a [u8])> {
    let before = at.checked_div(superblock.inode_bytes).unwrap_or(0);
    let first = first.saturating_add(before);
    (first..).zip(bytes.chunks_exact(index(superblock.inode_bytes)))
}
