//! Reading directories, many in one go: each level of all their trees is one batch of reads.

use super::file::{File, Place};
use super::index::{Child, Entry, Found, Wanted, entries};
use super::record::{BITMAP, INDEX_ALLOCATION, INDEX_ROOT, mend};
use super::table::Table;
use crate::error::PeelError;
use lidless_io::Extents;
use lidless_io::number::{index, u32_le};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// The name of a directory's index.
const INDEX: &str = "$I30";
/// Indexes up to this size are read whole even where only some names are wanted.
const SMALL: u64 = 64 << 10;
/// The largest index; a million names take some 200 MiB.
const LARGEST: u64 = 256 << 20;
/// The most that is read of all indexes of a volume together.
const ALL: u64 = 1 << 30;
/// The largest bitmap of an index: 8 million nodes.
const BITMAP_BYTES: u64 = 1 << 20;
/// The most that is read in one batch.
const BATCH: u64 = 8 << 20;
/// How many levels a tree may have.
const LEVELS: usize = 16;

/// A directory to read.
pub(super) struct Plan {
    /// Only these names; all where there are none.
    names: Option<Vec<Wanted>>,
    allocation: Option<Extents>,
    /// Bytes of a node below the root, and of what their numbers count.
    block: u64,
    unit: u64,
    /// What is to be read: places in the allocation.
    next: Vec<(Range<u64>, Vec<Wanted>)>,
    met: HashSet<u64>,
    seen: HashSet<(u64, String)>,
    pub(super) found: Vec<Child>,
    pub(super) failed: Option<PeelError>,
}

impl Plan {
    /// Begins with what the directory's own records hold.
    pub(super) fn new(table: &Table, file: &File, names: Option<Vec<Wanted>>) -> Self {
        let mut plan = Self {
            names,
            allocation: None,
            block: 0,
            unit: 0,
            next: Vec::new(),
            met: HashSet::new(),
            seen: HashSet::new(),
            found: Vec::new(),
            failed: None,
        };
        if let Err(error) = plan.begin(table, file) {
            plan.failed = Some(error);
        }
        plan
    }

    fn begin(&mut self, table: &Table, file: &File) -> Result<(), PeelError> {
        let number = file.reference.number;
        let broken = |what: &str| {
            PeelError::malformed("NTFS", 0, what, format!("none in directory {number}"))
        };
        let root = match file.stream(INDEX_ROOT, INDEX)?.map(|stream| stream.place) {
            Some(Place::Inline(root)) => root,
            _ => return Err(broken("the root of an index")),
        };
        let block = u32_le(&root, 8).map_or(0, u64::from);
        if let Some(stream) = file.stream(INDEX_ALLOCATION, INDEX)? {
            if !(512..=64 << 10).contains(&block) || !block.is_power_of_two() {
                return Err(broken("the size of the records of an index"));
            }
            if !matches!(stream.place, Place::Runs(_)) {
                return Err(broken("an index in clusters"));
            }
            if stream.length > LARGEST {
                return Err(PeelError::Limit("a directory of NTFS larger than the limit"));
            }
            self.block = block;
            let cluster = table.geometry.cluster;
            self.unit = if cluster <= block { cluster } else { 512 };
            self.allocation = Some(stream.stored(&table.volume, &table.geometry));
        }
        let entries = entries(&root, 16).ok_or_else(|| broken("the entries of an index"))?;
        let length = self.allocation.as_ref().map_or(0, lidless_io::ReadAt::len);
        let sure = self.names.as_ref().is_some_and(|names| names.iter().all(Wanted::is_sure));
        if sure && length > SMALL {
            let names = self.names.clone().unwrap_or_default();
            self.descend(&entries, names);
            return Ok(());
        }
        self.take(&entries);
        if length > 0 {
            // Without it every node is read.
            let used = file.stream(BITMAP, INDEX).ok().flatten();
            let used = used.and_then(|stream| table.read(&stream, BITMAP_BYTES).ok());
            self.whole(length, used.as_deref());
        }
        Ok(())
    }

    /// Plans to read every node that is in use.
    fn whole(&mut self, length: u64, used: Option<&[u8]>) {
        let most = BATCH.checked_div(self.block.max(1)).unwrap_or(1);
        let mut ranges: Vec<Range<u64>> = Vec::new();
        for number in 0..length.checked_div(self.block.max(1)).unwrap_or(0) {
            let bit = number.checked_rem(8).and_then(|bit| u32::try_from(bit).ok()).unwrap_or(0);
            let byte = used.map(|used| used.get(index(number / 8)).copied().unwrap_or(0));
            if byte.is_some_and(|byte| byte.wrapping_shr(bit) & 1 == 0) {
                continue;
            }
            let start = number.saturating_mul(self.block);
            let end = start.saturating_add(self.block);
            match ranges.last_mut() {
                Some(last)
                    if last.end == start
                        && end.saturating_sub(last.start) <= most.saturating_mul(self.block) =>
                {
                    last.end = end;
                }
                _ => ranges.push(start..end),
            }
        }
        self.next = ranges.into_iter().map(|range| (range, Vec::new())).collect();
    }

    fn take(&mut self, entries: &[Entry]) {
        for child in entries.iter().filter_map(Entry::child) {
            self.found(child);
        }
    }

    fn found(&mut self, child: Child) {
        if self.seen.insert((child.reference.handle(), child.name.clone())) {
            self.found.push(child);
        }
    }

    /// Looks for names in a node, and plans to read those below in which they would be.
    fn descend(&mut self, entries: &[Entry], names: Vec<Wanted>) {
        for name in names {
            match name.find(entries) {
                Found::Here(child) => self.found(child),
                Found::Nowhere => {}
                Found::Below(number) => {
                    let start = number.saturating_mul(self.unit);
                    let end = start.saturating_add(self.block);
                    match self.next.iter_mut().find(|(range, _)| range.start == start) {
                        Some((_, names)) => names.push(name),
                        None => self.next.push((start..end, vec![name])),
                    }
                }
            }
        }
    }

    /// Takes what was read.
    fn read(&mut self, range: &Range<u64>, names: Vec<Wanted>, bytes: &[u8]) {
        let mut bytes = bytes.to_vec();
        let places = (range.start..).step_by(index(self.block).max(1));
        for (place, node) in places.zip(bytes.chunks_mut(index(self.block).max(1))) {
            if !self.met.insert(place) {
                continue;
            }
            let mended = mend(node, *b"INDX");
            let Some(entries) = mended.ok().and_then(|()| entries(node, 24)) else {
                let found = format!("none at {place}");
                self.failed =
                    Some(PeelError::malformed("NTFS", 0, "the record of an index", found));
                continue;
            };
            if names.is_empty() {
                self.take(&entries);
            } else {
                self.descend(&entries, names.clone());
            }
        }
    }
}

/// Reads what the plans still miss.
pub(super) fn read(table: &Table, plans: &mut [Plan], spent: &AtomicU64) {
    for _ in 0..LEVELS {
        let mut batch: Vec<(usize, Range<u64>, Vec<Wanted>)> = Vec::new();
        let mut bytes = 0u64;
        let mut any = false;
        let mut next = Vec::new();
        for (index, plan) in plans.iter_mut().enumerate() {
            for (range, names) in std::mem::take(&mut plan.next) {
                next.push((index, range, names));
            }
        }
        for (index, range, names) in next {
            any = true;
            bytes = bytes.saturating_add(range.end.saturating_sub(range.start));
            batch.push((index, range, names));
            if bytes >= BATCH {
                one(table, plans, std::mem::take(&mut batch), spent);
                bytes = 0;
            }
        }
        one(table, plans, batch, spent);
        if !any {
            return;
        }
    }
}

fn one(
    table: &Table,
    plans: &mut [Plan],
    batch: Vec<(usize, Range<u64>, Vec<Wanted>)>,
    spent: &AtomicU64,
) {
    let wanted: Vec<(Extents, Range<u64>)> = batch
        .iter()
        .filter_map(|(index, range, _)| {
            Some((plans.get(*index)?.allocation.clone()?, range.clone()))
        })
        .collect();
    let bytes = wanted.iter().map(|(_, range)| range.end.saturating_sub(range.start)).sum();
    let read = if spent.fetch_add(bytes, Ordering::Relaxed) > ALL {
        Err(PeelError::Limit("more indexes of NTFS than the limit"))
    } else {
        table.pieces(&wanted)
    };
    for (place, (index, range, names)) in batch.into_iter().enumerate() {
        let Some(plan) = plans.get_mut(index) else { continue };
        match &read {
            Ok(read) => {
                plan.read(&range, names, read.get(place).map_or(&[], Vec::as_slice));
            }
            Err(error) => plan.failed = Some(error.clone()),
        }
    }
}
