//! B-trees: the catalog, the extents overflow file, the attributes.

use super::layout::HFS;
use crate::error::PeelError;
use lidless_io::number::{index, u16_be, u32_be};
use lidless_io::{Extents, ReadAt as _, read_exact_vec, read_vec};
use std::cmp::Ordering;
use std::collections::HashSet;

/// Deeper than any tree: each level holds at least two nodes.
const DEPTH: usize = 32;
/// How much a sweep reads at a time.
const RUN: u64 = 4 << 20;
/// More nodes than any tree has.
const NODES: u64 = 32 << 20;
/// After so many nodes in use that hold nothing, no more are looked at.
const EMPTY: u64 = 1 << 20;
/// Nodes that one search may go on over.
const ONWARD: usize = 200_000;

/// A B-tree.
pub(super) struct Tree {
    bytes: Extents,
    node: u64,
    nodes: u64,
    root: u64,
    /// Names that differ in case only are two.
    pub(super) exact: bool,
}

/// A record: its key without the length before it, what follows the key, and where in the file
/// what follows begins.
pub(super) struct Record<'a> {
    pub(super) key: &'a [u8],
    pub(super) data: &'a [u8],
    pub(super) offset: u64,
}

/// A node.
struct Node<'a> {
    bytes: &'a [u8],
    offset: u64,
}

impl<'a> Node<'a> {
    fn kind(&self) -> u8 {
        self.bytes.get(8).copied().unwrap_or(0)
    }

    fn next(&self) -> u64 {
        u64::from(u32_be(self.bytes, 0).unwrap_or(0))
    }

    fn count(&self) -> usize {
        // Each record takes an offset and a key.
        usize::from(u16_be(self.bytes, 10).unwrap_or(0)).min(self.bytes.len() / 4)
    }

    /// The bytes of a record.
    fn bytes_of(&self, index: usize) -> Option<(&'a [u8], usize)> {
        let place = |index: usize| {
            let back = index.checked_add(1)?.checked_mul(2)?;
            Some(usize::from(u16_be(self.bytes, self.bytes.len().checked_sub(back)?)?))
        };
        let (from, to) = (place(index)?, place(index.checked_add(1)?)?);
        (from >= 14).then(|| self.bytes.get(from..to)).flatten().map(|bytes| (bytes, from))
    }

    fn record(&self, index: usize) -> Option<Record<'a>> {
        let (bytes, from) = self.bytes_of(index)?;
        let length = usize::from(u16_be(bytes, 0)?);
        let key = bytes.get(2..length.checked_add(2)?)?;
        // What follows a key stands at an even place.
        let after = length.checked_add(2)?.checked_next_multiple_of(2)?;
        let within = u64::try_from(from.checked_add(after)?).ok()?;
        Some(Record { key, data: bytes.get(after..)?, offset: self.offset.checked_add(within)? })
    }
}

impl Tree {
    /// Reads the header of a tree.
    pub(super) fn open(bytes: Extents) -> Result<Self, PeelError> {
        let header = read_vec(&bytes, 0, 512)?;
        let short = || PeelError::malformed(HFS, 0, "the header of a B-tree", "another node");
        if header.get(8) != Some(&1) {
            return Err(short());
        }
        let node = u64::from(u16_be(&header, 32).ok_or_else(short)?);
        if !(512..=32_768).contains(&node) || !node.is_power_of_two() {
            return Err(PeelError::malformed(HFS, 32, "a size of nodes", node));
        }
        let root = u64::from(u32_be(&header, 16).ok_or_else(short)?);
        let nodes = bytes.len().checked_div(node).unwrap_or(0).min(NODES);
        let exact = header.get(51) == Some(&0xbc);
        Ok(Self { bytes, node, nodes, root, exact })
    }

    /// The file of the tree.
    pub(super) fn bytes(&self) -> &Extents {
        &self.bytes
    }

    fn node(&self, number: u64) -> Result<Vec<u8>, PeelError> {
        let offset = number.saturating_mul(self.node);
        if number >= self.nodes {
            return Err(PeelError::malformed(HFS, offset, "a node of a B-tree", "the end"));
        }
        Ok(read_exact_vec(&self.bytes, offset, self.node)?)
    }

    /// Which nodes are in use, a bit each; none when that cannot be told.
    fn map(&self) -> Option<Vec<u8>> {
        let mut map = Vec::new();
        let mut bytes = self.node(0).ok()?;
        let wanted = usize::try_from(self.nodes.div_ceil(8)).ok()?;
        let mut index = 2;
        let each = usize::try_from(self.node / 2).unwrap_or(1);
        for _ in 0..wanted.checked_div(each).unwrap_or(0).saturating_add(16) {
            let node = Node { bytes: &bytes, offset: 0 };
            map.extend_from_slice(node.bytes_of(index)?.0);
            if map.len() >= wanted {
                return Some(map);
            }
            let next = node.next();
            bytes = self.node(next).ok()?;
            if bytes.get(8) != Some(&2) {
                return None;
            }
            index = 0;
        }
        None
    }

    /// Every record of the leaves, in the order of the disk; true to go on. Returns how many
    /// nodes or records did not parse.
    pub(super) fn sweep(
        &self,
        visit: &mut dyn FnMut(Record<'_>) -> bool,
    ) -> Result<u64, PeelError> {
        let map = self.map();
        let mut malformed = u64::from(map.is_none());
        let is_used = |number: u64| {
            map.as_ref().is_none_or(|map| {
                let byte = usize::try_from(number / 8).ok().and_then(|at| map.get(at));
                let mask = 0x80u8.wrapping_shr(u32::try_from(number % 8).unwrap_or(0));
                byte.is_some_and(|byte| byte & mask != 0)
            })
        };
        let size = index(self.node);
        let most = RUN.checked_div(self.node).unwrap_or(1).max(1);
        let close = self.bytes.gap_bytes().checked_div(self.node).unwrap_or(0);
        let mut empty = 0u64;
        let mut number = 0;
        while number < self.nodes {
            if !is_used(number) {
                number = number.saturating_add(1);
                continue;
            }
            // The run ends with the last node in use before a stretch of free ones.
            let (mut end, mut at) = (number, number);
            while at < self.nodes.min(number.saturating_add(most))
                && at.saturating_sub(end) <= close
            {
                if is_used(at) {
                    end = at;
                }
                at = at.saturating_add(1);
            }
            let count = end.saturating_sub(number).saturating_add(1);
            let first = number.saturating_mul(self.node);
            let run = read_vec(&self.bytes, first, count.saturating_mul(self.node))?;
            let numbers = number..=end;
            number = end.saturating_add(1);
            for (own, bytes) in numbers.zip(run.chunks_exact(size)) {
                let node = Node { bytes, offset: own.saturating_mul(self.node) };
                if node.kind() != 0xff || !is_used(own) {
                    empty = empty.saturating_add(u64::from(node.count() == 0));
                    continue;
                }
                for index in 0..node.count() {
                    match node.record(index) {
                        Some(record) => {
                            if !visit(record) {
                                return Ok(malformed);
                            }
                        }
                        None => malformed = malformed.saturating_add(1),
                    }
                }
            }
            if empty > EMPTY {
                return Ok(malformed.saturating_add(1));
            }
        }
        Ok(malformed)
    }

    /// The records from the first one on that `order` does not call less than what is looked for,
    /// to the last one that it calls equal.
    pub(super) fn search(
        &self,
        order: &dyn Fn(&[u8]) -> Ordering,
        found: &mut dyn FnMut(Record<'_>),
    ) -> Result<(), PeelError> {
        let mut number = self.root;
        if number == 0 {
            return Ok(());
        }
        let malformed = |number: u64, found: &str| {
            let offset = number.saturating_mul(self.node);
            PeelError::malformed(HFS, offset, "a node of a B-tree", found)
        };
        let mut bytes = self.node(number)?;
        for _ in 0..DEPTH {
            let node = Node { bytes: &bytes, offset: number.saturating_mul(self.node) };
            match node.kind() {
                0xff => {
                    return self.scan(number, bytes, order, found);
                }
                0 => {
                    // The last one that is less; what is equal may begin in it.
                    let mut below = None;
                    for index in 0..node.count() {
                        let Some(record) = node.record(index) else { break };
                        if below.is_some() && order(record.key) != Ordering::Less {
                            break;
                        }
                        below = u32_be(record.data, 0);
                    }
                    number = u64::from(below.ok_or_else(|| malformed(number, "no records"))?);
                }
                _ => return Err(malformed(number, "another kind")),
            }
            bytes = self.node(number)?;
        }
        Err(malformed(number, "a tree deeper than the limit"))
    }

    fn scan(
        &self,
        mut number: u64,
        mut bytes: Vec<u8>,
        order: &dyn Fn(&[u8]) -> Ordering,
        found: &mut dyn FnMut(Record<'_>),
    ) -> Result<(), PeelError> {
        let mut seen = HashSet::new();
        while seen.len() < ONWARD && seen.insert(number) {
            let node = Node { bytes: &bytes, offset: number.saturating_mul(self.node) };
            if node.kind() != 0xff {
                break;
            }
            for index in 0..node.count() {
                let Some(record) = node.record(index) else { continue };
                match order(record.key) {
                    Ordering::Less => {}
                    Ordering::Equal => found(record),
                    Ordering::Greater => return Ok(()),
                }
            }
            number = node.next();
            if number == 0 {
                break;
            }
            bytes = self.node(number)?;
        }
        Ok(())
    }
}
