//! Maps of blocks that are trees, those of many files read together: level by level, each level
//! in the order of the disk.

use super::batch::{Piece, read_in_order};
use super::runs::Runs;
use lidless_io::number::{index, wide};
use lidless_io::{ReadAt, ReadError};
use std::collections::{HashMap, HashSet};

/// How many blocks of maps are read together.
const ALL_BLOCKS: usize = 1 << 20;

/// A block of a map that has to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Task<K> {
    /// Whose map it is a part of.
    pub(super) owner: usize,
    /// Its number, as the file system counts.
    pub(super) block: u64,
    /// What is expected in it.
    pub(super) kind: K,
}

/// Is given each block that was read, with what it is, the runs of its owner, and where blocks
/// below it go.
pub(super) type Visit<'a, K> = dyn FnMut(Task<K>, &[u8], &mut Runs, &mut Vec<Task<K>>) + 'a;

/// Trees of blocks on a volume.
pub(super) struct Levels<'a> {
    pub(super) volume: &'a dyn ReadAt,
    pub(super) block_bytes: u64,
    /// Where a block begins on the volume.
    pub(super) offset: &'a dyn Fn(u64) -> u64,
    /// How many levels there may be below the first.
    pub(super) most_levels: u16,
    /// How many blocks the map of one file may have.
    pub(super) most_blocks: usize,
}

impl Levels<'_> {
    /// Reads `tasks` and what `visit` finds below them, for the owners in `found`. Their runs are in
    /// order afterwards; a block that is not read, or that one owner has twice, is counted in them.
    ///
    /// # Errors
    /// When the budget is spent.
    pub(super) fn read<K: Copy>(
        &self,
        mut tasks: Vec<Task<K>>,
        found: &mut [Runs],
        visit: &mut Visit<'_, K>,
    ) -> Result<(), ReadError> {
        let mut seen: HashSet<(usize, u64)> = HashSet::new();
        let mut blocks: HashMap<usize, usize> = HashMap::new();
        for _ in 0..self.most_levels {
            if tasks.is_empty() {
                break;
            }
            let mut pieces = Vec::with_capacity(tasks.len().min(ALL_BLOCKS));
            for (number, task) in tasks.iter().enumerate() {
                let Some(runs) = found.get_mut(task.owner) else { continue };
                let own = blocks.entry(task.owner).or_default();
                if *own >= self.most_blocks || seen.len() >= ALL_BLOCKS {
                    runs.missing = runs.missing.saturating_add(1);
                } else if !seen.insert((task.owner, task.block)) {
                    runs.malformed = runs.malformed.saturating_add(1);
                } else {
                    *own = own.saturating_add(1);
                    // Taken back when it comes.
                    runs.missing = runs.missing.saturating_add(1);
                    let start = (self.offset)(task.block);
                    pieces.push(Piece { start, length: self.block_bytes, tag: wide(number) });
                }
            }
            let mut below = Vec::new();
            read_in_order(self.volume, pieces, &mut |tag, _, bytes| {
                let Some(task) = tasks.get(index(tag)) else { return };
                let Some(runs) = found.get_mut(task.owner) else { return };
                if below.len() < ALL_BLOCKS {
                    runs.missing = runs.missing.saturating_sub(1);
                    visit(*task, bytes, runs, &mut below);
                }
            })?;
            tasks = below;
        }
        for runs in found {
            runs.runs.sort_unstable_by_key(|run| (run.at, run.block));
        }
        Ok(())
    }
}
