//! Where the content of inodes lies: extent trees and block maps (kernel documentation, ext4,
//! "The Contents of inode.i_block").
//!
//! | offset | size | field of a node of an extent tree |
//! | --- | --- | --- |
//! | 0 | 2 | `0xf30a` |
//! | 2 | 2 | entries |
//! | 6 | 2 | depth: 0 in a leaf |
//! | 12 .. | 12 | entries: first block of the file (4); in a leaf length (2), place, high (2) and low (4); above it place of the node below, low (4), high (2), 0 (2) |
//!
//! A length above 32,768 is of blocks that were reserved and never written: they read as zeros.
//! A block map has 12 places of blocks, then one of a block of places, one of a block of those,
//! and one of a block of those.

use super::super::levels::{Levels, Task};
use super::super::number::{le16, le32, part};
use super::super::runs::{ALL_RUNS, Run, Runs};
use super::inode::flag;
use super::superblock::Superblock;
use lidless_io::number::wide;
use lidless_io::{ReadAt, ReadError};

const NODE: u16 = 0xf30a;
/// The kernel's own bound.
const DEEPEST: u16 = 5;
/// How many blocks of a map one file may have: 128 GiB by block map, far more by extents.
const MOST_BLOCKS: usize = 1 << 15;

/// Adds blocks that follow each other; `left` is how many more runs there may be.
fn add(runs: &mut Runs, left: &mut usize, at: u64, length: u64, block: u64) {
    if length == 0 || block == 0 {
        return;
    }
    if let Some(last) = runs.runs.last_mut()
        && last.at.saturating_add(last.length) == at
        && last.block.saturating_add(last.length) == block
    {
        last.length = last.length.saturating_add(length);
        return;
    }
    runs.push(left, Run { at, length, block });
}

/// What is expected in a block of a map.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// A node of an extent tree with this depth.
    Node(u16),
    /// A block of places, each of `reach` blocks of the file, from `at` on.
    Places { at: u64, reach: u64 },
}

/// Finds where many contents lie, the blocks of all maps read level by level in the order of the
/// disk. A map is what [`super::inode::Inode::map`] holds, with the flags and the length of its
/// inode.
///
/// # Errors
/// When the budget is spent.
pub(super) fn resolve(
    volume: &dyn ReadAt,
    superblock: &Superblock,
    maps: &[(&[u8], u32, u64)],
) -> Result<Vec<Runs>, ReadError> {
    let mut found: Vec<Runs> = vec![Runs::default(); maps.len()];
    let mut left = ALL_RUNS;
    let mut tasks = Vec::new();
    for (owner, ((map, flags, size), runs)) in maps.iter().zip(&mut found).enumerate() {
        if flags & flag::EXTENTS != 0 {
            if !map.is_empty() && le32(map, 0) != 0 {
                node(owner, map, None, (runs, &mut left), &mut tasks);
            }
        } else {
            first_places(owner, map, *size, superblock, (runs, &mut left), &mut tasks);
        }
    }
    let levels = Levels {
        volume,
        block_bytes: superblock.block_bytes,
        offset: &|block| superblock.offset(block),
        most_levels: DEEPEST.saturating_add(1),
        most_blocks: MOST_BLOCKS,
    };
    levels.read(tasks, &mut found, &mut |task, bytes, runs, below| match task.kind {
        Kind::Node(depth) => node(task.owner, bytes, Some(depth), (runs, &mut left), below),
        Kind::Places { at, reach } => {
            places(task.owner, bytes, at, reach, superblock, (runs, &mut left), below);
        }
    })?;
    Ok(found)
}

/// Where runs go, and how many more there may be.
type To<'a> = (&'a mut Runs, &'a mut usize);

fn node(
    owner: usize,
    bytes: &[u8],
    expected: Option<u16>,
    (runs, left): To<'_>,
    tasks: &mut Vec<Task<Kind>>,
) {
    let depth = le16(bytes, 6);
    let is_sound =
        le16(bytes, 0) == NODE && depth <= DEEPEST && expected.is_none_or(|known| known == depth);
    if !is_sound {
        runs.malformed = runs.malformed.saturating_add(1);
        return;
    }
    let entries = bytes.get(12..).unwrap_or(&[]).chunks_exact(12);
    for entry in entries.take(usize::from(le16(bytes, 2))) {
        let at = u64::from(le32(entry, 0));
        if depth == 0 {
            let length = u64::from(le16(entry, 4));
            let block = (u64::from(le16(entry, 6)) << 32) | u64::from(le32(entry, 8));
            if length <= 1 << 15 {
                add(runs, left, at, length, block);
            }
        } else {
            let block = (u64::from(le16(entry, 8)) << 32) | u64::from(le32(entry, 4));
            tasks.push(Task { owner, block, kind: Kind::Node(depth.saturating_sub(1)) });
        }
    }
}

/// The twelve places of a block map, and what stands behind them.
fn first_places(
    owner: usize,
    map: &[u8],
    size: u64,
    superblock: &Superblock,
    (runs, left): To<'_>,
    tasks: &mut Vec<Task<Kind>>,
) {
    let in_file = size.div_ceil(superblock.block_bytes.max(1));
    let in_block = superblock.block_bytes / 4;
    for (number, place) in map.chunks_exact(4).take(12).enumerate() {
        if wide(number) < in_file {
            add(runs, left, wide(number), 1, u64::from(le32(place, 0)));
        }
    }
    let (mut at, mut reach) = (12u64, 1u64);
    for place in map.chunks_exact(4).skip(12) {
        let block = u64::from(le32(place, 0));
        if block != 0 && at < in_file {
            tasks.push(Task { owner, block, kind: Kind::Places { at, reach } });
        }
        reach = reach.saturating_mul(in_block);
        at = at.saturating_add(reach);
    }
}

fn places(
    owner: usize,
    bytes: &[u8],
    at: u64,
    reach: u64,
    superblock: &Superblock,
    (runs, left): To<'_>,
    tasks: &mut Vec<Task<Kind>>,
) {
    let in_block = (superblock.block_bytes / 4).max(1);
    for (place, number) in bytes.chunks_exact(4).zip(0u64..) {
        let block = u64::from(le32(place, 0));
        let at = at.saturating_add(number.saturating_mul(reach));
        if block == 0 {
            continue;
        }
        if reach == 1 {
            add(runs, left, at, 1, block);
        } else {
            let reach = reach.checked_div(in_block).unwrap_or(1).max(1);
            tasks.push(Task { owner, block, kind: Kind::Places { at, reach } });
        }
    }
}

/// The block that says most of where a content lies: its first one, or the first node of its
/// map.
pub(super) fn first_block(map: &[u8], flags: u32) -> u64 {
    if flags & flag::INLINE != 0 {
        return 0;
    }
    if flags & flag::EXTENTS == 0 {
        let first = map.chunks_exact(4).map(|place| u64::from(le32(place, 0)));
        return first.into_iter().find(|block| *block != 0).unwrap_or(0);
    }
    let entry = part(map, 12, 12);
    match le16(map, 6) {
        0 => (u64::from(le16(entry, 6)) << 32) | u64::from(le32(entry, 8)),
        _ => (u64::from(le16(entry, 8)) << 32) | u64::from(le32(entry, 4)),
    }
}
