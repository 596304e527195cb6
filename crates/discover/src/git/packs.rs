//! Many objects of packs, in the order in which they lie there, each base inflated once.
//!
//! git stores most blobs as deltas against a newer version of the same file. Asking for them one
//! by one inflates the bases again and again; here whatever hangs on a base is made from it while
//! it is in memory. Packs are read with `pread`: a mapped pack would count as memory in use.

use super::blocks::Blocks;
use super::delta;
use super::heads::{Heads, NONE};
use bytes::Bytes;
use gix::ObjectId;
use gix::hash::Kind;
use gix::odb::pack::data::Entry;
use gix::odb::pack::data::entry::Header;
use gix::odb::pack::index::File as Index;
use libdeflater::Decompressor;
use lidless_io::{FileBytes, ReadAt as _};
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

/// What is wanted of a pack.
struct Plan {
    kind: Kind,
    nodes: Vec<Node>,
    /// Nodes by their base; `starts` says where those of each begin.
    children: Vec<u32>,
    starts: Vec<u32>,
    roots: Vec<u32>,
}

/// The packs of a repository, and of those that it borrows from.
pub(super) struct Packs {
    kind: Kind,
    row: Vec<Pack>,
}

/// A pack and its index; what the headers in it say, once that was asked for.
struct Pack {
    path: PathBuf,
    /// Only while it is asked: mapped, it counts as memory in use.
    index: Option<Index>,
    file: FileBytes,
    heads: Option<Heads>,
}

/// Called with the number of the thread, the position of an id and its content.
pub(super) type Give<'a> = dyn Fn(usize, usize, Bytes) + Sync + 'a;

impl Packs {
    /// Opens those in the folders of objects that can be opened, in a fixed order.
    pub(super) fn open(folders: &[PathBuf], kind: Kind) -> Self {
        let pack = |path: PathBuf| {
            let file = FileBytes::open(&path.with_extension("pack")).ok()?;
            let index = Some(Index::at(&path, kind).ok()?);
            Some(Pack { index, file, heads: None, path })
        };
        Self {
            kind,
            row: folders.iter().flat_map(|folder| indexes(folder)).filter_map(pack).collect(),
        }
    }

    /// Hands the content of `ids` to `found`, by their position, on several threads and in no
    /// order; returns positions that no pack gave: loose, missing, broken or too large.
    pub(super) fn read(
        &mut self,
        ids: &[ObjectId],
        limit: u64,
        threads: usize,
        found: &Give<'_>,
    ) -> Vec<usize> {
        self.each(ids, limit, threads, found, &|_| {})
    }

    /// The same where much is kept of what is read: what the headers say takes some bytes for each
    /// object there is, and is forgotten before.
    pub(super) fn read_much(
        &mut self,
        ids: &[ObjectId],
        limit: u64,
        threads: usize,
        found: &Give<'_>,
    ) -> Vec<usize> {
        self.each(ids, limit, threads, found, &|pack| {
            pack.heads = None;
        })
    }

    fn each(
        &mut self,
        ids: &[ObjectId],
        limit: u64,
        threads: usize,
        found: &Give<'_>,
        planned: &dyn Fn(&mut Pack),
    ) -> Vec<usize> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut left: Vec<u32> = (0..u32::try_from(ids.len()).unwrap_or(NONE)).collect();
        let mut failed = Vec::new();
        for pack in &mut self.row {
            if left.is_empty() {
                break;
            }
            let Some((plan, rest)) =
                pack.guarded(self.kind, |pack| pack.plan(self.kind, ids, &left))
            else {
                continue;
            };
            left = rest;
            pack.index = None;
            planned(pack);
            failed.extend(plan.read(pack, limit, threads, found));
        }
        failed.extend(left.into_iter().filter_map(|item| usize::try_from(item).ok()));
        failed.sort_unstable();
        failed
    }

    /// The ids of all objects of a kind, in no order.
    pub(super) fn all(&mut self, wanted: gix::objs::Kind) -> Vec<ObjectId> {
        let of_pack = |pack: &mut Pack| {
            let numbers = 0..pack.index.as_ref()?.num_objects();
            let heads = pack.heads(self.kind)?;
            let is_wanted = |number: &u32| {
                heads.position(*number).and_then(|at| heads.kind(at)) == Some(wanted)
            };
            let found: Vec<u32> = numbers.filter(is_wanted).collect();
            let index = pack.index.as_ref()?;
            Some(found.into_iter().map(|at| index.oid_at_index(at).to_owned()).collect())
        };
        let caught = |pack: &mut Pack| -> Vec<ObjectId> {
            pack.guarded(self.kind, of_pack).unwrap_or_default()
        };
        self.row.iter_mut().flat_map(caught).collect()
    }
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

impl Pack {
    /// An index that lies must not end the run; its objects are then asked for singly.
    fn guarded<T>(&mut self, kind: Kind, ask: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let asked = AssertUnwindSafe(|| {
            if self.index.is_none() {
                self.index = Index::at(&self.path, kind).ok();
            }
            ask(self)
        });
        let told = catch_unwind(asked).ok().flatten();
        if told.is_none() {
            tracing::debug!(index = %self.path.display(), "a pack that is read object by object");
        }
        told
    }

    fn heads(&mut self, kind: Kind) -> Option<&Heads> {
        if self.heads.is_none() {
            self.heads = Heads::read(self.index.as_ref()?, &self.file, kind);
        }
        self.heads.as_ref()
    }

    /// Finds out what is in a pack of what is still left, and what it hangs on.
    fn plan(&mut self, kind: Kind, ids: &[ObjectId], left: &[u32]) -> Option<(Plan, Vec<u32>)> {
        let all = usize::try_from(self.index.as_ref()?.num_objects()).ok()?;
        if left.len().saturating_mul(FEW) > all {
            self.heads(kind)?;
        }
        let (index, file, heads) = (self.index.as_ref()?, &self.file, self.heads.as_ref());
        let told = if heads.is_none() { index.sorted_offsets() } else { Vec::new() };
        let offsets = heads.map_or(&told, |heads| &heads.offsets);
        // The last entry ends where the checksum of the pack begins.
        let last = file.len().checked_sub(u64::try_from(kind.len_in_bytes()).ok()?)?;
        let numbered = |number: u32| match heads {
            Some(heads) => heads.position(number),
            None => offsets.binary_search(&index.pack_offset_at_index(number)).ok(),
        };
        let base_of = |position: usize, offset: u64| match heads {
            Some(heads) => heads.base(position),
            None => match head(file, offset, kind).map(|entry| entry.header) {
                Some(Header::OfsDelta { base_distance }) => {
                    let base = Header::verified_base_pack_offset(offset, base_distance)?;
                    offsets.binary_search(&base).ok()
                }
                Some(Header::RefDelta { base_id }) => index.lookup(base_id).and_then(numbered),
                _ => None,
            },
        };
        let mut nodes: Vec<Node> = Vec::new();
        // The node of each entry of the pack.
        let mut known = vec![NONE; offsets.len()];
        let mut rest = Vec::new();
        let mut node_at = |nodes: &mut Vec<Node>, position: usize| -> Option<(u32, bool)> {
            let slot = known.get_mut(position)?;
            if *slot != NONE {
                return Some((*slot, false));
            }
            let number = u32::try_from(nodes.len()).ok().filter(|number| *number < NONE)?;
            let end = offsets.get(position.checked_add(1)?).copied().unwrap_or(last);
            nodes.push(Node { offset: *offsets.get(position)?, end, base: NONE, item: NONE });
            *slot = number;
            Some((number, true))
        };
        let mut numbers = Numbers { index, next: 0 };
        for item in sorted(ids, left) {
            let id = ids.get(usize::try_from(item).ok()?)?;
            let Some(mut position) = numbers.of(id).and_then(numbered) else {
                rest.push(item);
                continue;
            };
            let (mut number, mut fresh) = node_at(&mut nodes, position)?;
            nodes.get_mut(usize::try_from(number).ok()?)?.item = item;
            while fresh {
                let node = nodes.get(usize::try_from(number).ok()?)?;
                let Some(base) = base_of(position, node.offset) else { break };
                let (below, is_new) = node_at(&mut nodes, base)?;
                nodes.get_mut(usize::try_from(number).ok()?)?.base = below;
                (number, fresh, position) = (below, is_new, base);
            }
        }
        let order = known.into_iter().filter(|number| *number != NONE);
        Some((Plan::new(kind, nodes, order)?, rest))
    }
}

/// Items in the order of their ids.
fn sorted(ids: &[ObjectId], items: &[u32]) -> impl Iterator<Item = u32> {
    let id = |item: u32| usize::try_from(item).ok().and_then(|item| ids.get(item));
    let start = |item: u32| id(item).and_then(|id| id.as_bytes().first_chunk().copied());
    let mut row: Vec<(u32, u32)> =
        items.iter().map(|item| (start(*item).map_or(0, u32::from_be_bytes), *item)).collect();
    row.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| id(a.1).cmp(&id(b.1))));
    row.into_iter().map(|(_, item)| item)
}

/// The numbers of ids in an index, asked for in their order: from one to the next it is not far.
struct Numbers<'a> {
    index: &'a Index,
    next: u32,
}

impl Numbers<'_> {
    fn of(&mut self, id: &gix::oid) -> Option<u32> {
        let count = self.index.num_objects();
        let is_before = |number: u32| self.index.oid_at_index(number) < id;
        let (mut low, mut step) = (self.next, 1_u32);
        let mut high = loop {
            let high = low.saturating_add(step).min(count);
            if high == low || !is_before(high.saturating_sub(1)) {
                break high;
            }
            (low, step) = (high, step.saturating_mul(2));
        };
        while low < high {
            let middle = low.midpoint(high);
            if is_before(middle) {
                low = middle.saturating_add(1);
            } else {
                high = middle;
            }
        }
        self.next = low;
        (low < count && self.index.oid_at_index(low) == id).then_some(low)
    }
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
    inflate: Decompressor,
    blocks: Blocks,
    delta: Vec<u8>,
    /// What is still to be made: its number, how deep it hangs, and its base.
    stack: Vec<(u32, usize, Option<Bytes>)>,
    /// Lengths of the bases above what is being made.
    above: Vec<usize>,
    /// What was made.
    done: Vec<u32>,
}

impl Plan {
    /// Of nodes, and their numbers in the order of the pack.
    fn new(kind: Kind, nodes: Vec<Node>, order: impl Iterator<Item = u32>) -> Option<Self> {
        // How many hang on each, then where those begin, then where they end.
        let mut starts = vec![0u32; nodes.len().checked_add(1)?];
        let mut sum = 0u32;
        for node in nodes.iter().filter(|node| node.base != NONE) {
            let count = starts.get_mut(usize::try_from(node.base).ok()?)?;
            *count = count.checked_add(1)?;
        }
        for start in &mut starts {
            let count = *start;
            *start = sum;
            sum = sum.checked_add(count)?;
        }
        let mut ends = starts.clone();
        let mut children = vec![NONE; usize::try_from(sum).ok()?];
        let mut roots: Vec<u32> = Vec::new();
        for number in order {
            let base = at(&nodes, number)?.base;
            if base == NONE {
                roots.push(number);
                continue;
            }
            let end = ends.get_mut(usize::try_from(base).ok()?)?;
            *children.get_mut(usize::try_from(*end).ok()?)? = number;
            *end = end.checked_add(1)?;
        }
        Some(Self { kind, nodes, children, starts, roots })
    }

    /// Reads everything; returns positions of what could not be read this way.
    fn read(&self, pack: &Pack, limit: usize, threads: usize, found: &Give<'_>) -> Vec<usize> {
        let next = AtomicUsize::new(0);
        let given = Mutex::new(vec![false; self.nodes.len()]);
        std::thread::scope(|scope| {
            for thread in 0..threads.max(1) {
                let (next, given) = (&next, &given);
                scope.spawn(move || {
                    let mut scratch = Scratch::default();
                    let found = |item: usize, content: Bytes| found(thread, item, content);
                    while let Some(root) = self.roots.get(next.fetch_add(1, Ordering::Relaxed)) {
                        self.tree(&pack.file, *root, limit, &mut scratch, &found);
                    }
                    let mut given = given.lock().unwrap_or_else(PoisonError::into_inner);
                    for number in scratch.done {
                        let slot = usize::try_from(number).ok().and_then(|at| given.get_mut(at));
                        if let Some(slot) = slot {
                            *slot = true;
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

    /// Makes a root and all that hangs on it.
    fn tree(
        &self,
        file: &FileBytes,
        root: u32,
        limit: usize,
        scratch: &mut Scratch,
        found: &dyn Fn(usize, Bytes),
    ) {
        scratch.stack.clear();
        scratch.stack.push((root, 0, None));
        while let Some((number, depth, base)) = scratch.stack.pop() {
            let Some(node) = at(&self.nodes, number) else { continue };
            let made = self.make(file, node, base.as_deref(), limit, scratch);
            let Some(content) = made else { continue };
            drop(base);
            scratch.above.truncate(depth);
            scratch.above.push(content.len());
            let held = scratch.above.iter().fold(0usize, |sum, one| sum.saturating_add(*one));
            let children = self.children(number);
            if held <= HELD_BYTES {
                let below = depth.saturating_add(1);
                let more = children.iter().rev();
                scratch.stack.extend(more.map(|child| (*child, below, Some(content.clone()))));
            }
            scratch.done.push(number);
            if node.item != NONE
                && let Ok(item) = usize::try_from(node.item)
            {
                found(item, content);
            }
        }
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
        file: &FileBytes,
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
        let packed = scratch.blocks.read(file, node.offset, packed)?;
        let entry = Entry::from_bytes(packed, node.offset, self.kind).ok()?;
        let size = usize::try_from(entry.decompressed_size).ok().filter(|size| *size <= limit)?;
        let packed = packed.get(entry.header_size()..)?;
        if size > packed.len().saturating_mul(DEFLATE_RATIO).saturating_add(HEADER_BYTES) {
            return None;
        }
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
fn inflate(inflate: &mut Decompressor, packed: &[u8], content: &mut [u8]) -> Option<()> {
    let written = inflate.zlib_decompress(packed, content).ok()?;
    (written == content.len()).then_some(())
}
