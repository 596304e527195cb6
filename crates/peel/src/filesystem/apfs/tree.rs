//! B-trees, by the blocks of their nodes.

use super::layout::{APFS, Node, object};
use crate::error::PeelError;
use lidless_io::number::{u32_le, u64_le};
use lidless_io::{ReadAt, read_exact_vec, read_merged};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Deeper than any tree.
const DEPTH: usize = 24;
/// Nodes that are read in one batch: 8 MiB.
const BATCH: usize = 2048;
/// More nodes than are looked at in one tree.
const NODES: usize = 4 << 20;
/// Entries of an object map that are kept: nodes of a volume with some hundred million names.
const MAPPED: usize = 2 << 20;
/// Nodes that one search may look at.
const SEARCHED: usize = 100_000;

/// Where objects of a number are: the newest that is not deleted.
pub(super) type Map = HashMap<u64, u64>;

/// How the nodes of a tree are named in it.
#[derive(Clone)]
pub(super) enum Names {
    /// By their blocks.
    Blocks,
    /// By numbers of an object map.
    Numbers(Arc<Map>),
}

/// A tree.
pub(super) struct Tree {
    pub(super) volume: Arc<dyn ReadAt>,
    pub(super) block: u64,
    pub(super) root: u64,
    pub(super) names: Names,
}

/// A record: key, value, and where on the volume the value begins.
pub(super) type Visit<'a> = dyn FnMut(&[u8], &[u8], u64) -> bool + 'a;

impl Tree {
    /// The block of a node.
    fn place(&self, name: u64) -> Option<u64> {
        match &self.names {
            Names::Blocks => Some(name),
            Names::Numbers(map) => map.get(&name).copied(),
        }
    }

    /// Every record, a level after the other, each in the order of the disk. Returns how many
    /// nodes could not be used.
    pub(super) fn sweep(&self, visit: &mut Visit<'_>) -> Result<u64, PeelError> {
        let mut malformed = 0u64;
        let mut seen: HashSet<u64> = HashSet::new();
        let mut level = vec![self.root];
        for _ in 0..DEPTH {
            let mut places: Vec<(u64, u64)> = Vec::with_capacity(level.len());
            for name in &level {
                match self.place(*name) {
                    Some(place) if seen.len() < NODES => {
                        if seen.insert(place) {
                            places.push((place, *name));
                        }
                    }
                    _ => malformed = malformed.saturating_add(1),
                }
            }
            places.sort_unstable();
            level.clear();
            for batch in places.chunks(BATCH) {
                let ranges: Vec<std::ops::Range<u64>> = batch
                    .iter()
                    .map(|(place, _)| {
                        let start = place.saturating_mul(self.block);
                        start..start.saturating_add(self.block)
                    })
                    .collect();
                let read = read_merged(&*self.volume, &ranges)?;
                for ((place, name), bytes) in batch.iter().zip(&read) {
                    let Some(node) = Node::parse(bytes, *name) else {
                        malformed = malformed.saturating_add(1);
                        continue;
                    };
                    for index in 0..node.count() {
                        let Some((key, value, at)) = node.record(index) else {
                            continue;
                        };
                        if !node.is_leaf() {
                            if level.len() < NODES {
                                level.extend(u64_le(value, 0));
                            }
                            continue;
                        }
                        let at = u64::try_from(at).unwrap_or(0);
                        let offset = place.saturating_mul(self.block).saturating_add(at);
                        if !visit(key, value, offset) {
                            return Ok(malformed);
                        }
                    }
                }
            }
            if level.is_empty() {
                return Ok(malformed);
            }
        }
        Ok(malformed.saturating_add(1))
    }

    /// The records whose number, as `number` takes it from a key, is `wanted`.
    pub(super) fn search(
        &self,
        wanted: u64,
        number: fn(&[u8]) -> u64,
        visit: &mut Visit<'_>,
    ) -> Result<(), PeelError> {
        let mut seen = HashSet::new();
        let mut names = vec![(self.root, 0usize)];
        while let Some((name, depth)) = names.pop() {
            let place = self
                .place(name)
                .ok_or_else(|| PeelError::malformed(APFS, 0, "a node in the object map", name))?;
            if !seen.insert(place) || depth > DEPTH || seen.len() > SEARCHED {
                continue;
            }
            let offset = place.saturating_mul(self.block);
            let bytes = read_exact_vec(&*self.volume, offset, self.block)?;
            let node = Node::parse(&bytes, name)
                .ok_or_else(|| PeelError::malformed(APFS, offset, "a node", "another object"))?;
            for index in 0..node.count() {
                let Some((key, value, at)) = node.record(index) else { continue };
                let own = number(key);
                if node.is_leaf() {
                    let at = offset.saturating_add(u64::try_from(at).unwrap_or(0));
                    if own == wanted && !visit(key, value, at) {
                        return Ok(());
                    }
                    continue;
                }
                // A child holds what lies between its key and the next one.
                let next = node.record(index.saturating_add(1)).map(|(key, _, _)| number(key));
                if own <= wanted && next.is_none_or(|next| next >= wanted) {
                    names.extend(u64_le(value, 0).map(|name| (name, depth.saturating_add(1))));
                }
            }
        }
        Ok(())
    }
}

/// The object map at a block: of each number the newest object up to a transaction.
pub(super) fn object_map(
    volume: &Arc<dyn ReadAt>,
    block: u64,
    at: u64,
    transaction: u64,
) -> Result<Map, PeelError> {
    let offset = at.saturating_mul(block);
    let bytes = read_exact_vec(&**volume, offset, block)?;
    if object(&bytes).map(|(_, kind)| kind) != Some(11) {
        return Err(PeelError::malformed(APFS, offset, "an object map", "another object"));
    }
    let root = u64_le(&bytes, 48).unwrap_or(0);
    let tree = Tree { volume: Arc::clone(volume), block, root, names: Names::Blocks };
    let mut newest: HashMap<u64, (u64, Option<u64>)> = HashMap::new();
    let mut over = false;
    tree.sweep(&mut |key, value, _| {
        let (Some(number), Some(of)) = (u64_le(key, 0), u64_le(key, 8)) else { return true };
        let (Some(flags), Some(place)) = (u32_le(value, 0), u64_le(value, 8)) else { return true };
        if of > transaction {
            return true;
        }
        let known = newest.entry(number).or_insert((of, None));
        if of >= known.0 {
            // The lowest flag marks what was deleted and is kept for a snapshot.
            *known = (of, Some(place).filter(|_| flags & 1 == 0));
        }
        over = newest.len() >= MAPPED;
        !over
    })?;
    if over {
        return Err(PeelError::Limit("an APFS volume with more nodes than the limit"));
    }
    Ok(newest.into_iter().filter_map(|(number, (_, place))| Some((number, place?))).collect())
}
