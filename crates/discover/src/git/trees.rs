//! The trees of a whole history, each made once from what it is stored as a delta of.
//!
//! A history has far more trees than folders with anything new in them. Asked for one by one, the
//! same bases are inflated again and again; here they are read in the order of the packs, and an
//! entry that stands in many trees is kept once.

use super::packs::Packs;
use bytes::Bytes;
use foldhash::quality::RandomState;
use gix::ObjectId;
use gix::hash::Kind;
use gix::objs::tree::EntryKind;
use hashbrown::HashTable;
use std::cmp::Ordering;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, PoisonError};

/// Bounds of memory: numbers that a thread keeps, and bytes of the entries that differ. Trees over
/// it are asked for singly.
const MOST_NUMBERS: usize = 32 << 20;
const MOST_BYTES: usize = 256 << 20;
/// Entries are kept in so many tables, by their hash: threads seldom want the same.
const TABLES: u32 = 16;
const TABLE_BITS: u32 = 4;
/// One tree in so many is kept whole, the others as what differs from the one before.
const CHAIN: usize = 16;
/// Trees are compared so many bytes at a time.
const BLOCK: usize = 64;
/// Marks one that is kept whole.
const WHOLE: u32 = u32::MAX;
/// Ids are looked up by their first two bytes.
const BUCKETS: usize = 1 << 16;
/// The longest tree that is kept.
const LONGEST_TREE: u64 = 64 << 20;

/// Trees by their id.
pub(super) struct Trees {
    /// In order; `fanout` says where those with each first two bytes begin.
    ids: Vec<ObjectId>,
    fanout: Vec<u32>,
    /// The part that has the tree, and its place there; by the position of the id.
    places: Vec<Option<(u32, u32)>>,
    parts: Vec<Part>,
    entries: Vec<Entries>,
}

/// An entry of a tree.
pub(super) struct TreeEntry<'a> {
    pub(super) kind: EntryKind,
    pub(super) name: &'a [u8],
    pub(super) id: ObjectId,
}

/// The entries that differ, by their number: the low bits of it say in which of the tables.
struct Tables {
    row: Vec<Mutex<Entries>>,
    state: RandomState,
}

/// Entries, each with its bytes as a tree has them: mode, space, name, zero, id.
#[derive(Default)]
struct Entries {
    bytes: Vec<u8>,
    /// Where each begins in `bytes`.
    starts: Vec<u32>,
    /// Their numbers, by their bytes.
    known: HashTable<u32>,
}

/// What one thread read, tree after tree.
#[derive(Default)]
struct Part {
    /// The numbers of entries of each tree: [`WHOLE`] and all of them; or how many at the beginning
    /// and at the end are those of the tree before, and what stands between.
    lists: Vec<u32>,
    /// Position of the id, and where the tree begins in `lists`.
    trees: Vec<(u32, u32)>,
    /// The tree before, to compare with: in a chain of deltas most of it comes again.
    last: Bytes,
    last_list: Vec<u32>,
    /// Where each entry of it ends.
    last_ends: Vec<usize>,
}

impl Trees {
    /// Reads every tree of the packs.
    pub(super) fn read(packs: &mut Packs, kind: Kind, threads: usize) -> Self {
        let mut ids = packs.all(gix::objs::Kind::Tree);
        ids.sort_unstable();
        ids.dedup();
        let tables = Tables {
            row: (0..TABLES).map(|_| Mutex::default()).collect(),
            state: RandomState::default(),
        };
        let parts: Vec<Mutex<Part>> = (0..threads.max(1)).map(|_| Mutex::default()).collect();
        let add = |thread: usize, number: usize, content: Bytes| {
            let part =
                parts.get(thread).map(|part| part.lock().unwrap_or_else(PoisonError::into_inner));
            if let (Some(mut part), Ok(number)) = (part, u32::try_from(number)) {
                part.add(number, content, kind, &tables);
            }
        };
        packs.read_much(&ids, LONGEST_TREE, threads, &add);
        let mut places = vec![None; ids.len()];
        let mut parts: Vec<Part> = parts.into_iter().map(inner).collect();
        for (number, part) in (0u32..).zip(&mut parts) {
            part.last = Bytes::new();
            part.last_list = Vec::new();
            part.last_ends = Vec::new();
            for (at, (id, _)) in (0u32..).zip(&part.trees) {
                let slot = usize::try_from(*id).ok().and_then(|id| places.get_mut(id));
                if let Some(slot) = slot {
                    *slot = Some((number, at));
                }
            }
        }
        let mut entries: Vec<Entries> = tables.row.into_iter().map(inner).collect();
        for table in &mut entries {
            table.known = HashTable::new();
        }
        let mut fanout = vec![0u32; BUCKETS];
        for (number, id) in (1u32..).zip(&ids) {
            if let Some(end) = bucket(id).and_then(|bucket| fanout.get_mut(bucket)) {
                *end = number;
            }
        }
        let mut last = 0;
        for end in &mut fanout {
            last = last.max(*end);
            *end = last;
        }
        Self { ids, fanout, places, parts, entries }
    }

    /// The position of a tree; none when it was not read here.
    pub(super) fn position(&self, tree: &gix::oid) -> Option<usize> {
        let bucket = bucket(tree)?;
        let end = usize::try_from(*self.fanout.get(bucket)?).ok()?;
        let before = bucket.checked_sub(1).and_then(|before| self.fanout.get(before));
        let start = before.and_then(|start| usize::try_from(*start).ok()).unwrap_or(0);
        let found = self.ids.get(start..end)?.binary_search_by(|id| id.as_ref().cmp(tree)).ok()?;
        let position = start.checked_add(found)?;
        (*self.places.get(position)?).map(|_| position)
    }

    /// How many positions there are.
    pub(super) fn positions(&self) -> usize {
        self.ids.len()
    }

    /// Writes the numbers of the entries of a tree, in their order.
    pub(super) fn list(&self, position: usize, list: &mut Vec<u32>) -> Option<()> {
        list.clear();
        let (part, at) = (*self.places.get(position)?)?;
        self.parts.get(usize::try_from(part).ok()?)?.list(usize::try_from(at).ok()?, list)
    }

    /// An entry by its number.
    pub(super) fn entry(&self, number: u32) -> Option<TreeEntry<'_>> {
        let table = self.entries.get(usize::try_from(number & (TABLES - 1)).ok()?)?;
        let bytes = table.at(number >> TABLE_BITS)?;
        let (mode, name) = mode_and_name(bytes)?;
        let id = bytes.get(mode.len().checked_add(name.len())?.checked_add(1)?..)?;
        let mode = gix::objs::tree::EntryMode::from_bytes(mode)?;
        Some(TreeEntry { kind: mode.kind(), name, id: ObjectId::try_from(id).ok()? })
    }

    /// One more than the highest number of an entry.
    pub(super) fn count(&self) -> usize {
        let most = self.entries.iter().map(|table| table.starts.len()).max().unwrap_or(0);
        most.saturating_mul(1 << TABLE_BITS)
    }
}

/// What a lock holds.
fn inner<T>(lock: Mutex<T>) -> T {
    lock.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Which of the buckets of ids one belongs to, by its first two bytes.
fn bucket(id: &gix::oid) -> Option<usize> {
    let two: [u8; 2] = id.as_bytes().first_chunk().copied()?;
    Some(usize::from(u16::from_be_bytes(two)))
}

/// The mode with the space behind it, and the name.
fn mode_and_name(entry: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = entry.iter().take(8).position(|byte| *byte == b' ').filter(|at| *at > 0)?;
    let (mode, name) = entry.split_at_checked(space.checked_add(1)?)?;
    Some((mode, name.get(..memchr::memchr(0, name)?)?))
}

/// The first entry of what is left of a tree; none when it breaks off or has no known mode.
fn first(rest: &[u8], id_length: usize) -> Option<&[u8]> {
    let (mode, name) = mode_and_name(rest)?;
    gix::objs::tree::EntryMode::from_bytes(mode)?;
    let length = mode.len().checked_add(name.len())?.checked_add(1)?.checked_add(id_length)?;
    rest.get(..length)
}

impl Tables {
    /// The number of an entry; none when there is no room for another one.
    fn number(&self, entry: &[u8]) -> Option<u32> {
        let hash = self.state.hash_one(entry);
        // The table looks at the high and at the low bits.
        let number = u32::try_from(hash.checked_shr(32)? & u64::from(TABLES - 1)).ok()?;
        let table = self.row.get(usize::try_from(number).ok()?)?;
        let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
        let at = table.number(entry, hash, &self.state)?;
        at.checked_mul(TABLES)?.checked_add(number)
    }
}

impl Entries {
    /// The bytes of an entry.
    fn at(&self, number: u32) -> Option<&[u8]> {
        let at = usize::try_from(number).ok()?;
        let start = usize::try_from(*self.starts.get(at)?).ok()?;
        let end = self.starts.get(at.checked_add(1)?).and_then(|end| usize::try_from(*end).ok());
        self.bytes.get(start..end.unwrap_or(self.bytes.len()))
    }

    fn number(&mut self, entry: &[u8], hash: u64, state: &RandomState) -> Option<u32> {
        let found = self.known.find(hash, |number| self.at(*number) == Some(entry));
        if let Some(number) = found {
            return Some(*number);
        }
        let start = u32::try_from(self.bytes.len()).ok()?;
        let number = u32::try_from(self.starts.len()).ok()?;
        if self.bytes.len().checked_add(entry.len())? > MOST_BYTES >> TABLE_BITS {
            return None;
        }
        self.bytes.extend_from_slice(entry);
        self.starts.push(start);
        let mut known = std::mem::take(&mut self.known);
        known.insert_unique(hash, number, |number| state.hash_one(self.at(*number).unwrap_or(&[])));
        self.known = known;
        Some(number)
    }
}

/// The entries at the beginning and at the end that two trees have in common.
struct Same {
    /// How many at the beginning, and from which on at the end, of the tree before.
    first: usize,
    last: usize,
    /// Where what differs begins in both, and where it ends in the tree before.
    front: usize,
    back: usize,
}

impl Same {
    fn of(before: &[u8], ends: &[usize], content: &[u8]) -> Self {
        let front = common(before.chunks(BLOCK), content.chunks(BLOCK), |one, other| {
            one.iter().zip(other).take_while(|(one, other)| one == other).count()
        });
        let first = ends.partition_point(|end| *end <= front);
        let end = |count: usize| count.checked_sub(1).and_then(|at| ends.get(at)).copied();
        let front = end(first).unwrap_or(0);
        let room = before.len().min(content.len()).saturating_sub(front);
        let back = common(before.rchunks(BLOCK), content.rchunks(BLOCK), |one, other| {
            one.iter().rev().zip(other.iter().rev()).take_while(|(one, other)| one == other).count()
        });
        let start = before.len().saturating_sub(back.min(room));
        // The first entry that begins there or behind it.
        let last = ends.partition_point(|end| *end < start).saturating_add(1).max(first);
        let last = if start <= front { first } else { last.min(ends.len()) };
        Self { first, last, front, back: end(last).unwrap_or(0) }
    }
}

/// How many bytes rows of blocks have in common, before the first that differs.
fn common<'a>(
    one: impl Iterator<Item = &'a [u8]>,
    other: impl Iterator<Item = &'a [u8]>,
    inside: impl Fn(&[u8], &[u8]) -> usize,
) -> usize {
    let mut count = 0_usize;
    for (one, other) in one.zip(other) {
        if one != other {
            return count.saturating_add(inside(one, other));
        }
        count = count.saturating_add(one.len());
    }
    count
}

impl Part {
    /// Adds a tree; one that breaks off is left to whoever asks for it singly.
    fn add(&mut self, id: u32, content: Bytes, kind: Kind, tables: &Tables) {
        let same = Same::of(&self.last, &self.last_ends, &content);
        let mut list = Vec::with_capacity(self.last_list.len().saturating_add(1));
        list.extend_from_slice(self.last_list.get(..same.first).unwrap_or(&[]));
        let mut ends = Vec::with_capacity(list.capacity());
        ends.extend_from_slice(self.last_ends.get(..same.first).unwrap_or(&[]));
        // What differs of the tree before, entry by entry beside this one: both are in the order
        // of names.
        let mut last = self.last.get(same.front..same.back).unwrap_or(&[]);
        let mut numbers = self.last_list.get(same.first..same.last).unwrap_or(&[]).iter().copied();
        let behind = self.last.len().saturating_sub(same.back);
        let end = content.len().saturating_sub(behind);
        let mut rest = content.get(same.front..end).unwrap_or(&[]);
        let id_length = kind.len_in_bytes();
        while !rest.is_empty() {
            let Some(entry) = first(rest, id_length) else { return };
            rest = rest.get(entry.len()..).unwrap_or(&[]);
            ends.push(end.saturating_sub(rest.len()));
            let known = loop {
                if last.starts_with(entry) {
                    last = last.get(entry.len()..).unwrap_or(&[]);
                    break numbers.next();
                }
                let Some(beside) = first(last, id_length) else { break None };
                let name = |entry| mode_and_name(entry).map(|(_, name)| name);
                let order = name(beside).cmp(&name(entry));
                if order == Ordering::Greater {
                    break None;
                }
                last = last.get(beside.len()..).unwrap_or(&[]);
                numbers.next();
                if order == Ordering::Equal {
                    break None;
                }
            };
            let Some(number) = known.or_else(|| tables.number(entry)) else { return };
            list.push(number);
        }
        list.extend_from_slice(self.last_list.get(same.last..).unwrap_or(&[]));
        let moved = |known: &usize| known.saturating_sub(same.back).saturating_add(end);
        ends.extend(self.last_ends.get(same.last..).unwrap_or(&[]).iter().map(moved));
        if self.lists.len().saturating_add(list.len()) > MOST_NUMBERS {
            return;
        }
        let Ok(start) = u32::try_from(self.lists.len()) else { return };
        let is_whole = self.trees.len().checked_rem(CHAIN) == Some(0);
        let before = if is_whole { &[] } else { self.last_list.as_slice() };
        let equal = |(one, other): &(&u32, &u32)| one == other;
        let front = before.iter().zip(&list).take_while(equal).count();
        let room = before.len().min(list.len()).saturating_sub(front);
        let back = before.iter().rev().zip(list.iter().rev()).take(room).take_while(equal).count();
        let number = |count: usize| u32::try_from(count).unwrap_or(WHOLE);
        self.lists.extend([if is_whole { WHOLE } else { number(front) }, number(back)]);
        let middle = front..list.len().saturating_sub(back);
        self.lists.extend_from_slice(list.get(middle).unwrap_or(&[]));
        self.trees.push((id, start));
        self.last = content;
        self.last_list = list;
        self.last_ends = ends;
    }

    /// Writes the list of the tree `at` that place.
    fn list(&self, at: usize, list: &mut Vec<u32>) -> Option<()> {
        let first = at.checked_sub(at.checked_rem(CHAIN)?)?;
        for tree in first..=at {
            let begin = |tree: usize| usize::try_from(self.trees.get(tree)?.1).ok();
            let end = begin(tree.checked_add(1)?).unwrap_or(self.lists.len());
            let (head, middle) = self.lists.get(begin(tree)?..end)?.split_at_checked(2)?;
            let [front, back] = *head else { return None };
            if front == WHOLE {
                list.clear();
                list.extend_from_slice(middle);
                continue;
            }
            let end = list.len().checked_sub(usize::try_from(back).ok()?)?;
            let start = usize::try_from(front).ok()?;
            if start > end {
                return None;
            }
            list.splice(start..end, middle.iter().copied());
        }
        Some(())
    }
}
