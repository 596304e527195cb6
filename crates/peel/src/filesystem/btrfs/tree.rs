//! B-trees (btrfs documentation, "On-disk Format").
//!
//! | offset | size | field of a node |
//! | --- | --- | --- |
//! | 48 | 8 | its own address |
//! | 96 | 4 | entries |
//! | 100 | 1 | level: 0 in a leaf |
//! | 101 | 33 | entries above leaves: key (17), address (8), generation (8) |
//! | 101 | 25 | entries of a leaf: key (17), offset of the data behind 101 (4), length (4) |
//!
//! A key is the object (8), the type (1), an offset (8).

use super::super::batch::{Piece, Read, read_in_order};
use super::super::number::{byte, le32, le64, part};
use super::superblock::{Chunks, Superblock};
use lidless_io::number::{index, wide};
use lidless_io::{ReadAt, ReadError, read_vec};
use std::collections::HashSet;
use std::ops::RangeInclusive;

/// Levels that a tree can have.
const DEEPEST: u8 = 7;
/// How many nodes are looked at, once for each tree they are in.
const MOST_NODES: usize = 1 << 20;

/// Object, type, offset.
pub(super) type Key = (u64, u8, u64);

/// Every key.
pub(super) const ALL: RangeInclusive<Key> = (0, 0, 0)..=(u64::MAX, u8::MAX, u64::MAX);

/// An entry of a leaf.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item<'a> {
    pub(super) key: Key,
    pub(super) data: &'a [u8],
    /// Where the data lie in the volume.
    pub(super) place: u64,
}

/// A tree to be read: what it is called by the caller, its root, the root's level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Root {
    pub(super) tree: u32,
    pub(super) address: u64,
    pub(super) level: u8,
}

/// What came of reading trees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Walked {
    /// Nodes that are not what their parents say.
    pub(super) malformed: u64,
    /// Nodes that could not be read, or lie on another device.
    pub(super) missing: u64,
}

/// A volume whose addresses are known.
pub(super) struct Trees<'a> {
    pub(super) volume: &'a dyn ReadAt,
    pub(super) superblock: &'a Superblock,
    pub(super) chunks: &'a Chunks,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Task {
    address: u64,
    level: u8,
    tree: u32,
}

impl Trees<'_> {
    /// Reads what of some trees lies in the `wanted` ranges of keys (in order, not overlapping),
    /// level by level, nodes that several trees share once. Items come leaf by leaf in the order
    /// of the disk; those of a leaf that are not wanted are left out. `visit` answers false when
    /// no more is wanted.
    ///
    /// # Errors
    /// When the budget is spent.
    pub(super) fn read(
        &self,
        roots: &[Root],
        wanted: &[RangeInclusive<Key>],
        visit: &mut dyn FnMut(u32, Item<'_>) -> bool,
    ) -> Result<Walked, ReadError> {
        let mut walked = Walked::default();
        let mut seen: HashSet<(u64, u32)> = HashSet::new();
        let mut tasks: Vec<Task> = roots
            .iter()
            .map(|root| Task { address: root.address, level: root.level, tree: root.tree })
            .collect();
        let mut goes_on = true;
        for _ in 0..=DEEPEST {
            tasks.retain(|task| {
                let fits = seen.len() < MOST_NODES;
                walked.missing = walked.missing.saturating_add(u64::from(!fits));
                let is_new = fits && seen.insert((task.address, task.tree));
                walked.malformed = walked.malformed.saturating_add(u64::from(fits && !is_new));
                is_new
            });
            tasks.sort_unstable();
            if tasks.is_empty() || !goes_on {
                break;
            }
            let mut next = Vec::new();
            let missing = self.nodes(&tasks, &mut |task, place, node| {
                if byte(node, 100) != task.level || task.level > DEEPEST {
                    walked.malformed = walked.malformed.saturating_add(1);
                } else if task.level == 0 {
                    goes_on = goes_on && leaf(node, place, wanted, task.tree, visit);
                } else if next.len() >= MOST_NODES {
                    walked.missing = walked.missing.saturating_add(1);
                } else {
                    below(node, wanted, *task, &mut next);
                }
            })?;
            walked.missing = walked.missing.saturating_add(missing);
            tasks = next;
        }
        Ok(walked)
    }

    /// Reads nodes, each once however many trees it is in. Answers how many were not there.
    fn nodes(
        &self,
        tasks: &[Task],
        visit: &mut dyn FnMut(&Task, u64, &[u8]),
    ) -> Result<u64, ReadError> {
        let size = self.superblock.node_bytes;
        let mut pieces: Vec<Piece> = Vec::new();
        let mut missing = 0u64;
        for (number, group) in tasks.chunk_by(|one, next| one.address == next.address).enumerate() {
            let address = group.first().map_or(0, |task| task.address);
            match self.chunks.place(address, size) {
                Some(start) => pieces.push(Piece { start, length: size, tag: wide(number) }),
                None => missing = missing.saturating_add(1),
            }
        }
        let groups: Vec<&[Task]> =
            tasks.chunk_by(|one, next| one.address == next.address).collect();
        let mut again: Vec<&[Task]> = Vec::new();
        let starts: Vec<(u64, u64)> = pieces.iter().map(|piece| (piece.tag, piece.start)).collect();
        let place = |tag: u64| {
            let at = starts.binary_search_by_key(&tag, |(tag, _)| *tag).ok();
            at.and_then(|at| starts.get(at)).map_or(0, |(_, start)| *start)
        };
        let Read { failed, cut, .. } = read_in_order(self.volume, pieces, &mut |tag, _, node| {
            let Some(group) = groups.get(index(tag)) else { return };
            let Some(first) = group.first() else { return };
            if le64(node, 48) == first.address && wide(node.len()) == size {
                group.iter().for_each(|task| visit(task, place(tag), node));
            } else {
                again.push(group);
            }
        })?;
        // A copy may be better.
        for group in again {
            let Some(first) = group.first() else { continue };
            let copies = self.chunks.places(first.address, size);
            let good = copies.into_iter().skip(1).find_map(|place| {
                let node = read_vec(self.volume, place, size).ok()?;
                let is_it = le64(&node, 48) == first.address && wide(node.len()) == size;
                is_it.then_some((place, node))
            });
            match good {
                Some((place, node)) => group.iter().for_each(|task| visit(task, place, &node)),
                None => missing = missing.saturating_add(1),
            }
        }
        Ok(missing.saturating_add(failed).saturating_add(cut))
    }
}

fn key(bytes: &[u8]) -> Key {
    (le64(bytes, 0), byte(bytes, 8), le64(bytes, 9))
}

fn is_wanted(key: &Key, wanted: &[RangeInclusive<Key>]) -> bool {
    let at = wanted.partition_point(|range| range.end() < key);
    wanted.get(at).is_some_and(|range| range.contains(key))
}

/// The entries of a leaf that are wanted.
fn leaf(
    node: &[u8],
    place: u64,
    wanted: &[RangeInclusive<Key>],
    tree: u32,
    visit: &mut dyn FnMut(u32, Item<'_>) -> bool,
) -> bool {
    let body = node.get(101..).unwrap_or(&[]);
    let count = index(u64::from(le32(node, 96)));
    for entry in body.chunks_exact(25).take(count) {
        let key = key(entry);
        if !is_wanted(&key, wanted) {
            continue;
        }
        let at = u64::from(le32(entry, 17));
        let data = part(body, index(at), index(u64::from(le32(entry, 21))));
        let item = Item { key, data, place: place.saturating_add(101).saturating_add(at) };
        if !visit(tree, item) {
            return false;
        }
    }
    true
}

/// The nodes below one that may hold something wanted.
fn below(node: &[u8], wanted: &[RangeInclusive<Key>], task: Task, tasks: &mut Vec<Task>) {
    let body = node.get(101..).unwrap_or(&[]);
    let count = index(u64::from(le32(node, 96)));
    let entries: Vec<&[u8]> = body.chunks_exact(33).take(count).collect();
    for (number, entry) in entries.iter().enumerate() {
        let from = key(entry);
        let to = entries
            .get(number.saturating_add(1))
            .map_or((u64::MAX, u8::MAX, u64::MAX), |next| key(next));
        let at = wanted.partition_point(|range| *range.end() < from);
        if wanted.get(at).is_some_and(|range| *range.start() <= to) {
            let level = task.level.saturating_sub(1);
            tasks.push(Task { address: le64(entry, 17), level, tree: task.tree });
        }
    }
}
