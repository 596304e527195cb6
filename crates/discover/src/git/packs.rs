//! Many objects of packs, in the order in which they lie there, each base inflated once.
//!
//! git stores most blobs as deltas against a newer version of the same file. Asking for them one
//! by one inflates the bases again and again; here whatever hangs on a base is made from it while
//! it is in memory. Packs are read with `pread`: a mapped pack would count as memory in use.

use super::delta;
use super::heads::{Heads, NONE};
use bytes::Bytes;
use gix::ObjectId;
use gix::hash::Kind;
use gix::odb::pack::data::Entry;
use gix::odb::pack::data::entry::Header;
use gix::odb::pack::index::File as Index;
use gix::zlib::{Inflate, Status};
use lidless_io::{FileBytes, ReadAt as _};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The longest header of an entry: a size, and the id or the distance of a base.
pub(super) const HEADER_BYTES: usize = 64;
/// Bases that wait for what hangs on them, for each thread. What does not fit is read singly.
const HELD_BYTES: usize = 64 << 20;

/// Deflate makes at most this many bytes of one (258 of two bits).
const DEFLATE_RATIO: usize = 1032;

/// When one entry in so many of a pack is wanted, the headers of all are read in a row.
const FEW: usize = 32;

/// An entry of a pack that was asked for, or that something asked for hangs on.
struct Node {
    offset: u64,
    end: u64,
    base: u32,
    item: u32,
}

/// One pack with what is wanted of it.
struct Plan {
    file: FileBytes,
    kind: Kind,
    nodes: Vec<Node>,
    /// Nodes by their base; `starts` says where those of each begin.
    children: Vec<u32>,
    starts: Vec<u32>,
    roots: Vec<u32>,
}

/// Hands the content of `ids` to `found`, by their position, on several threads and in no order;
/// returns positions that no pack gave: loose, missing, broken or too large.
pub(super) fn read(
    folders: &[PathBuf],
    kind: Kind,
    ids: &[ObjectId],
    limit: u64,
    threads: usize,
    found: &(dyn Fn(usize, Bytes) + Sync),
) -> Vec<usize> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut left: Vec<u32> = (0..u32::try_from(ids.len()).unwrap_or(NONE)).collect();
    let mut failed = Vec::new();
    for index in folders.iter().flat_map(|folder| indexes(folder)) {
        if left.is_empty() {
            break;
        }
        // An index that lies must not end the run; its objects are then asked for singly.
        let planned = catch_unwind(AssertUnwindSafe(|| plan(&index, kind, ids, &left)));
        let Ok(Some((plan, rest))) = planned else {
            tracing::debug!(index = %index.display(), "a pack that is read object by object");
            continue;
        };
        left = rest;
        failed.extend(plan.read(limit, threads, found));
    }
    failed.extend(left.into_iter().filter_map(|item| usize::try_from(item).ok()));
    failed.sort_unstable();
    failed
}

/// Index files in a folder of objects, in a fixed order.
fn indexes(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder.join("pack")) else { return Vec::new() };
    let mut indexes: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "idx"))
        .collect();
    indexes.sort();
    indexes
}

/// The ids of all trees of the packs, in no order.
pub(super) fn trees(folders: &[PathBuf], kind: Kind) -> Vec<ObjectId> {
    let of_pack = |path: &PathBuf| -> Option<Vec<ObjectId>> {
        let index = Index::at(path, kind).ok()?;
        let file = FileBytes::open(&path.with_extension("pack")).ok()?;
        let heads = Heads::read(&index, &file, kind)?;
        let is_tree = |number: &u32| {
            let at = heads.position(index.pack_offset_at_index(*number));
            at.and_then(|at| heads.kind(at)) == Some(gix::objs::Kind::Tree)
        };
        let trees = (0..index.num_objects()).filter(is_tree);
        Some(trees.map(|number| index.oid_at_index(number).to_owned()).collect())
    };
    let packs = folders.iter().flat_map(|folder| indexes(folder));
    // An index that lies must not end the run; its trees are then asked for singly.
    let caught = |path| catch_unwind(AssertUnwindSafe(|| of_pack(&path))).ok().flatten();
    packs.filter_map(caught).flatten().collect()
}

/// Finds out what is in a pack of what is still left, and what it hangs on.
fn plan(path: &Path, kind: Kind, ids: &[ObjectId], left: &[u32]) -> Option<(Plan, Vec<u32>)> {
    let index = Index::at(path, kind).ok()?;
    let file = FileBytes::open(&path.with_extension("pack")).ok()?;
    let all = usize::try_from(index.num_objects()).ok()?;
    let heads = if left.len().saturating_mul(FEW) > all {
        Some(Heads::read(&index, &file, kind)?)
    } else {
        None
    };
    let sorted = if heads.is_none() { index.sorted_offsets() } else { Vec::new() };
    let offsets = heads.as_ref().map_or(&sorted, |heads| &heads.offsets);
    // The last entry ends where the checksum of the pack begins.
    let last = file.len().checked_sub(u64::try_from(kind.len_in_bytes()).ok()?)?;
    let end_of = |offset: u64| {
        let after = offsets.partition_point(|known| *known <= offset);
        offsets.get(after).copied().unwrap_or(last)
    };
    let base_of = |offset: u64| match &heads {
        Some(heads) => {
            let base = heads.base(heads.position(offset)?)?;
            heads.offsets.get(base).copied()
        }
        None => match head(&file, offset, kind).map(|entry| entry.header) {
            Some(Header::OfsDelta { base_distance }) => {
                Header::verified_base_pack_offset(offset, base_distance)
            }
            Some(Header::RefDelta { base_id }) => {
                index.lookup(base_id).map(|at| index.pack_offset_at_index(at))
            }
            _ => None,
        },
    };
    let mut nodes: Vec<Node> = Vec::new();
    let mut known: HashMap<u64, u32, foldhash::fast::RandomState> = HashMap::default();
    let mut rest = Vec::new();
    let mut node_at = |nodes: &mut Vec<Node>, offset: u64| -> Option<(u32, bool)> {
        if let Some(node) = known.get(&offset) {
            return Some((*node, false));
        }
        let number = u32::try_from(nodes.len()).ok().filter(|number| *number < NONE)?;
        nodes.push(Node { offset, end: end_of(offset), base: NONE, item: NONE });
        known.insert(offset, number);
        Some((number, true))
    };
    for item in left {
        let id = ids.get(usize::try_from(*item).ok()?)?;
        let Some(at) = index.lookup(id) else {
            rest.push(*item);
            continue;
        };
        let (mut number, mut fresh) = node_at(&mut nodes, index.pack_offset_at_index(at))?;
        nodes.get_mut(usize::try_from(number).ok()?)?.item = *item;
        while fresh {
            let node = nodes.get(usize::try_from(number).ok()?)?;
            let offset = node.offset;
            let Some(base) = base_of(offset) else { break };
            let (below, is_new) = node_at(&mut nodes, base)?;
            nodes.get_mut(usize::try_from(number).ok()?)?.base = below;
            (number, fresh) = (below, is_new);
        }
    }
    let mut children: Vec<u32> = Vec::with_capacity(nodes.len());
    let mut roots: Vec<u32> = Vec::new();
    let mut starts = vec![0u32; nodes.len().checked_add(1)?];
    for (number, node) in nodes.iter().enumerate() {
        let number = u32::try_from(number).ok()?;
        if node.base == NONE { roots.push(number) } else { children.push(number) }
    }
    let offset = |number: &u32| at(&nodes, *number).map_or(0, |node| node.offset);
    let base = |number: &u32| at(&nodes, *number).map_or(NONE, |node| node.base);
    roots.sort_unstable_by_key(offset);
    children.sort_unstable_by_key(|number| (base(number), offset(number)));
    for (number, start) in starts.iter_mut().enumerate() {
        let number = u32::try_from(number).ok()?;
        let before = children.partition_point(|child| base(child) < number);
        *start = u32::try_from(before).ok()?;
    }
    Some((Plan { file, kind, nodes, children, starts, roots }, rest))
}

fn at<T>(list: &[T], number: u32) -> Option<&T> {
    list.get(usize::try_from(number).ok()?)
}

/// The header of the entry at an offset.
fn head(file: &FileBytes, offset: u64, kind: Kind) -> Option<Entry> {
    let mut buffer = [0u8; HEADER_BYTES];
    let got = file.read_at(offset, &mut buffer).ok()?;
    Entry::from_bytes(buffer.get(..got)?, offset, kind).ok()
}

/// What a thread uses again for every entry.
#[derive(Default)]
struct Scratch {
    inflate: Inflate,
    packed: Vec<u8>,
    delta: Vec<u8>,
}

impl Plan {
    /// Reads everything; returns positions of what could not be read this way.
    fn read(
        &self,
        limit: usize,
        threads: usize,
        found: &(dyn Fn(usize, Bytes) + Sync),
    ) -> Vec<usize> {
        let next = AtomicUsize::new(0);
        let given = Mutex::new(vec![false; self.nodes.len()]);
        std::thread::scope(|scope| {
            for _ in 0..threads.max(1) {
                scope.spawn(|| {
                    let mut scratch = Scratch::default();
                    while let Some(root) = self.roots.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let done = self.tree(*root, limit, &mut scratch, found);
                        let mut given = given.lock().unwrap_or_else(PoisonError::into_inner);
                        for number in done {
                            if let Some(slot) =
                                usize::try_from(number).ok().and_then(|at| given.get_mut(at))
                            {
                                *slot = true;
                            }
                        }
                    }
                });
            }
        });
        // Rings of deltas have no root, and are left here with what broke.
        let given = given.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.nodes
            .iter()
            .zip(given)
            .filter(|(node, given)| !given && node.item != NONE)
            .filter_map(|(node, _)| usize::try_from(node.item).ok())
            .collect()
    }

    /// Makes a root and all that hangs on it; returns what was made.
    fn tree(
        &self,
        root: u32,
        limit: usize,
        scratch: &mut Scratch,
        found: &(dyn Fn(usize, Bytes) + Sync),
    ) -> Vec<u32> {
        let mut done = Vec::new();
        let mut stack: Vec<(u32, usize, Option<Bytes>)> = vec![(root, 0, None)];
        // Lengths of the bases above what is being made.
        let mut above: Vec<usize> = Vec::new();
        while let Some((number, depth, base)) = stack.pop() {
            let Some(node) = at(&self.nodes, number) else { continue };
            let Some(content) = self.make(node, base.as_deref(), limit, scratch) else { continue };
            drop(base);
            above.truncate(depth);
            above.push(content.len());
            let held = above.iter().fold(0usize, |sum, one| sum.saturating_add(*one));
            let children = self.children(number);
            if held <= HELD_BYTES {
                let below = depth.saturating_add(1);
                let more = children.iter().rev();
                stack.extend(more.map(|child| (*child, below, Some(content.clone()))));
            }
            done.push(number);
            if node.item != NONE
                && let Ok(item) = usize::try_from(node.item)
            {
                found(item, content);
            }
        }
        done
    }

    fn children(&self, number: u32) -> &[u32] {
        let range = || {
            let start = usize::try_from(*at(&self.starts, number)?).ok()?;
            let end = usize::try_from(*at(&self.starts, number.checked_add(1)?)?).ok()?;
            self.children.get(start..end)
        };
        range().unwrap_or(&[])
    }

    /// Inflates one entry, and applies it to its base when it is a delta.
    fn make(
        &self,
        node: &Node,
        base: Option<&[u8]>,
        limit: usize,
        scratch: &mut Scratch,
    ) -> Option<Bytes> {
        let packed = usize::try_from(node.end.checked_sub(node.offset)?).ok()?;
        // Stored content is a little longer than what it holds; more than that is no entry.
        if packed > limit.saturating_add(limit / 100).saturating_add(HEADER_BYTES) {
            return None;
        }
        scratch.packed.resize(packed, 0);
        let got = self.file.read_at(node.offset, &mut scratch.packed).ok()?;
        let packed = scratch.packed.get(..got)?;
        let entry = Entry::from_bytes(packed, node.offset, self.kind).ok()?;
        let size = usize::try_from(entry.decompressed_size).ok().filter(|size| *size <= limit)?;
        let packed = packed.get(entry.header_size()..)?;
        if size > packed.len().saturating_mul(DEFLATE_RATIO).saturating_add(HEADER_BYTES) {
            return None;
        }
        scratch.inflate.reset();
        match base {
            None if entry.header.is_base() => {
                let mut content = vec![0; size];
                inflate(&mut scratch.inflate, packed, &mut content)?;
                Some(Bytes::from(content))
            }
            Some(base) if entry.header.is_delta() => {
                scratch.delta.resize(size, 0);
                inflate(&mut scratch.inflate, packed, &mut scratch.delta)?;
                if delta::result_length(&scratch.delta)? > limit {
                    return None;
                }
                delta::apply(base, &scratch.delta, limit).map(Bytes::from)
            }
            _ => None,
        }
    }
}

/// Inflates to exactly the length of `content`.
fn inflate(inflate: &mut Inflate, packed: &[u8], content: &mut [u8]) -> Option<()> {
    let (status, _, written) = inflate.once(packed, content).ok()?;
    (written == content.len() && matches!(status, Status::StreamEnd)).then_some(())
}
