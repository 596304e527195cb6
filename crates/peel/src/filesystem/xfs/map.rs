//! Where the content of inodes lies (XFS Algorithms and Data Structures, "Data Extents").
//!
//! An extent is 128 bits, from the highest: not written yet (1), first block of the file (54),
//! first block (52), length (21). A B-tree's root lies in the inode: level (2), entries (2), keys
//! of 8 bytes, places of 8 bytes. Its blocks:
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 4 | `BMAP`, `BMA3` in version 5 |
//! | 4 | 2 | level: 0 in a leaf |
//! | 6 | 2 | entries: extents in a leaf, else keys and then places |

use super::super::levels::{Levels, Task};
use super::super::number::{be16, be64, part};
use super::super::runs::{ALL_RUNS, Run, Runs};
use super::inode::Form;
use super::superblock::Superblock;
use lidless_io::{ReadAt, ReadError};

/// Levels that a tree of all blocks there are could have.
const DEEPEST: u16 = 9;
/// How many blocks the tree of one file may have: 16,000 pieces a MiB of them.
const MOST_BLOCKS: usize = 1 << 14;

/// Adds an extent; `left` is how many more there may be.
fn add(runs: &mut Runs, left: &mut usize, record: &[u8]) {
    let (high, low) = (be64(record, 0), be64(record, 8));
    let length = low & 0x1f_ffff;
    let block = ((high & 0x1ff) << 43) | (low >> 21);
    let at = (high & !(1 << 63)) >> 9;
    // What was reserved and never written reads as zeros.
    if high >> 63 == 0 && length != 0 {
        runs.push(left, Run { at, length, block });
    }
}

/// Finds where many contents lie, the blocks of all trees read level by level in the order of
/// the disk.
///
/// # Errors
/// When the budget is spent.
pub(super) fn resolve(
    volume: &dyn ReadAt,
    superblock: &Superblock,
    forks: &[(Form, &[u8])],
) -> Result<Vec<Runs>, ReadError> {
    let mut found: Vec<Runs> = vec![Runs::default(); forks.len()];
    let mut left = ALL_RUNS;
    let mut tasks = Vec::new();
    for (owner, ((form, fork), runs)) in forks.iter().zip(&mut found).enumerate() {
        match form {
            Form::Extents => {
                fork.chunks_exact(16).for_each(|record| add(runs, &mut left, record));
            }
            Form::Tree => {
                let level = be16(fork, 0);
                let most = fork.len().saturating_sub(4) / 16;
                let places = fork.get(most.saturating_mul(8).saturating_add(4)..).unwrap_or(&[]);
                below(owner, level, most, places, be16(fork, 2), runs, &mut tasks);
            }
            Form::Local | Form::Other => runs.malformed = 1,
        }
    }
    let levels = Levels {
        volume,
        block_bytes: superblock.block_bytes,
        offset: &|block| superblock.offset(block),
        most_levels: DEEPEST,
        most_blocks: MOST_BLOCKS,
    };
    levels.read(tasks, &mut found, &mut |task, bytes, runs, tasks| {
        block(superblock, task, bytes, (runs, &mut left), tasks);
    })?;
    Ok(found)
}

fn block(
    superblock: &Superblock,
    task: Task<u16>,
    bytes: &[u8],
    (runs, left): (&mut Runs, &mut usize),
    tasks: &mut Vec<Task<u16>>,
) {
    let magic: &[u8] = if superblock.is_five { b"BMA3" } else { b"BMAP" };
    if bytes.get(..4) != Some(magic) || be16(bytes, 4) != task.kind {
        runs.malformed = runs.malformed.saturating_add(1);
        return;
    }
    let body = bytes.get(superblock.long_header()..).unwrap_or(&[]);
    let count = be16(bytes, 6);
    if task.kind == 0 {
        for record in body.chunks_exact(16).take(usize::from(count)) {
            add(runs, left, record);
        }
        return;
    }
    let most = body.len() / 16;
    let places = body.get(most.saturating_mul(8)..).unwrap_or(&[]);
    below(task.owner, task.kind, most, places, count, runs, tasks);
}

/// The blocks one level down.
fn below(
    owner: usize,
    level: u16,
    most: usize,
    places: &[u8],
    count: u16,
    runs: &mut Runs,
    tasks: &mut Vec<Task<u16>>,
) {
    if level == 0 || level > DEEPEST || usize::from(count) > most {
        runs.malformed = runs.malformed.saturating_add(1);
        return;
    }
    for place in places.chunks_exact(8).take(usize::from(count)) {
        let block = be64(place, 0);
        tasks.push(Task { owner, block, kind: level.saturating_sub(1) });
    }
}

/// The first block of a content, or of the tree that says where it lies.
pub(super) fn first_block(form: Form, fork: &[u8]) -> Option<u64> {
    match form {
        Form::Extents if fork.len() >= 16 => {
            let (high, low) = (be64(fork, 0), be64(fork, 8));
            Some(((high & 0x1ff) << 43) | (low >> 21))
        }
        Form::Tree => {
            let most = fork.len().saturating_sub(4) / 16;
            Some(be64(part(fork, most.saturating_mul(8).saturating_add(4), 8), 0))
        }
        _ => None,
    }
}
