//! Reading the whole table once, in the order in which it lies on the disk.

use super::file::{EXTENSIONS, File};
use super::pack::{pack, unpack};
use super::record::{Body, Fault, Record};
use super::table::Table;
use crate::error::PeelError;
use lidless_core::Limits;
use lidless_io::number;
use lidless_io::{ReadAt as _, ReadErrorKind};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// One request.
const PIECE: u64 = 4 << 20;
/// How much is kept of all records.
const KEPT_BYTES: usize = 512 << 20;
/// Packed records lie in pages of this size.
const PAGE: usize = 1 << 20;
/// How many requests may fail before the others are not made.
const FAILURES: u64 = 8;
const NONE: u32 = u32::MAX;

/// What is known of a record without unpacking it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    /// Page and place in it.
    place: u32,
    pub(super) sequence: u16,
    pub(super) is_in_use: bool,
    pub(super) is_extension: bool,
}

/// Every record of the table, packed.
pub(super) struct Records {
    slots: Vec<Slot>,
    pages: Vec<Vec<u8>>,
    /// Record, and one that extends it; sorted.
    extensions: Vec<(u32, u32)>,
    /// How much content that lies in records may still be kept; beyond it, records are read
    /// again.
    room: usize,
    /// The file asked for last: all its names and streams are asked for together.
    last: Mutex<Option<(u64, Arc<File>)>>,
    /// How often something did not parse.
    pub(super) malformed: BTreeMap<&'static str, u64>,
    pub(super) gaps: Vec<&'static str>,
    /// What ended the sweep.
    pub(super) failed: Option<PeelError>,
}

impl Records {
    /// Reads them.
    pub(super) fn read(table: &Table, limits: &Limits) -> Self {
        let mut records = Self {
            slots: Vec::new(),
            pages: Vec::new(),
            extensions: Vec::new(),
            room: number::index(limits.memory_bytes),
            last: Mutex::new(None),
            malformed: BTreeMap::new(),
            gaps: Vec::new(),
            failed: None,
        };
        if table.is_partial {
            records.gaps.push("a part of the NTFS file table whose place was not found");
        }
        if table.geometry.volume > table.volume.len() {
            records.gaps.push("the end of an NTFS volume, which is cut off");
        }
        // Directories, deleted files and extensions have records as well.
        let most = limits.members.saturating_mul(2).clamp(1 << 16, u64::from(u32::MAX - 1));
        if table.count() > most {
            records.gaps.push("more NTFS file records than the limit");
        }
        let plan = plan(table, most.min(table.count()), &mut records.gaps);
        let mut failures = 0u64;
        for batch in batches(plan) {
            match table.data.read_ranges(&batch) {
                Ok(read) => {
                    for (range, bytes) in batch.iter().zip(read) {
                        records.take(table, range.start, &bytes);
                    }
                }
                Err(error) => {
                    failures = failures.saturating_add(1);
                    if error.kind == ReadErrorKind::OutOfBudget || failures >= FAILURES {
                        records.failed = Some(error.into());
                        break;
                    }
                    records.gaps.push("a part of the NTFS file table that could not be read");
                }
            }
            if records.kept() > KEPT_BYTES {
                records.gaps.push("more NTFS file records than the limit");
                break;
            }
        }
        records.gaps.sort_unstable();
        records.gaps.dedup();
        records.extensions.sort_unstable();
        records
    }

    fn kept(&self) -> usize {
        self.pages.len().saturating_mul(PAGE)
    }

    /// Takes the records of a piece of the table that begins at `start`.
    fn take(&mut self, table: &Table, start: u64, bytes: &[u8]) {
        let size = number::index(table.geometry.record).max(1);
        let first = start.checked_div(table.geometry.record).unwrap_or(0);
        for (number, raw) in (first..).zip(bytes.chunks_exact(size)) {
            match Record::parse(raw) {
                Ok(record) => {
                    if record.is_broken && record.in_use {
                        self.count("NTFS file record with an attribute that does not fit");
                    }
                    self.keep(number, &record);
                }
                Err(Fault::Blank) => {}
                Err(fault) => self.count(fault.words()),
            }
        }
    }

    pub(super) fn count(&mut self, what: &'static str) {
        let times = self.malformed.entry(what).or_default();
        *times = times.saturating_add(1);
    }

    fn keep(&mut self, number: u64, record: &Record) {
        let Ok(number) = u32::try_from(number) else { return };
        let content = record.attributes.iter().map(|attribute| match &attribute.body {
            Body::Resident(bytes) => bytes.len(),
            _ => 0,
        });
        let content: usize = content.sum();
        let left = self.room.checked_sub(content);
        let keeps = left.is_some();
        self.room = left.unwrap_or(self.room);
        let packed = pack(record, keeps);
        if self.pages.last().is_none_or(|page| page.len().saturating_add(packed.len()) > PAGE) {
            self.pages.push(Vec::with_capacity(PAGE));
        }
        let index = self.pages.len().saturating_sub(1);
        let Some(page) = self.pages.last_mut() else { return };
        let place = index.saturating_mul(PAGE).saturating_add(page.len());
        page.extend_from_slice(&packed);
        let slot = number::index(number);
        if self.slots.len() <= slot {
            let empty = Slot { place: NONE, sequence: 0, is_in_use: false, is_extension: false };
            self.slots.resize(slot.saturating_add(1), empty);
        }
        if let Some(slot) = self.slots.get_mut(slot) {
            *slot = Slot {
                place: u32::try_from(place).unwrap_or(NONE),
                sequence: record.sequence,
                is_in_use: record.in_use,
                is_extension: record.base.is_some(),
            };
        }
        let base = record.base.and_then(|base| u32::try_from(base.number).ok());
        if let Some(base) = base.filter(|base| *base != number) {
            self.extensions.push((base, number));
        }
    }

    /// Numbers of all records.
    pub(super) fn numbers(&self) -> Range<u64> {
        0..u64::try_from(self.slots.len()).unwrap_or(0)
    }

    /// What is known of a record; none when there was none.
    pub(super) fn slot(&self, number: u64) -> Option<Slot> {
        let slot = *self.slots.get(usize::try_from(number).ok()?)?;
        (slot.place != NONE).then_some(slot)
    }

    fn record(&self, number: u64) -> Option<Record> {
        let place = usize::try_from(self.slot(number)?.place).ok()?;
        unpack(self.pages.get(place / PAGE)?.get(place % PAGE..)?)
    }

    /// A file with all its records.
    pub(super) fn file(&self, number: u64) -> Option<Arc<File>> {
        let known = |last: &Option<(u64, Arc<File>)>| {
            last.as_ref().filter(|(own, _)| *own == number).map(|(_, file)| Arc::clone(file))
        };
        if let Some(file) = known(&self.last.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Some(file);
        }
        let file = Arc::new(self.assembled(number)?);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((number, file.clone()));
        Some(file)
    }

    fn assembled(&self, number: u64) -> Option<File> {
        let mut file = File::new(number, self.record(number)?);
        let own = u32::try_from(number).ok()?;
        let first = self.extensions.partition_point(|(base, _)| *base < own);
        let others = self.extensions.get(first..).unwrap_or(&[]);
        let own = others.iter().take_while(|(base, _)| *base == own).take(EXTENSIONS);
        for (_, other) in own {
            if let Some(record) = self.record(u64::from(*other)) {
                // A file in use is not extended by what was freed.
                if record.in_use || !file.in_use {
                    file.extend(record);
                }
            }
        }
        Some(file)
    }
}

/// The pieces of the table that hold records in use, in the order of the disk.
fn plan(table: &Table, count: u64, gaps: &mut Vec<&'static str>) -> Vec<Range<u64>> {
    let record = table.geometry.record;
    let end = count.saturating_mul(record);
    let mut cuts: Vec<u64> = vec![end];
    for (at, part) in table.data.located(0, end) {
        if at.checked_rem(record) == Some(0) {
            cuts.push(at);
        }
        let after = at.saturating_add(part.end.saturating_sub(part.start));
        let first = at.div_ceil(PIECE).saturating_mul(PIECE);
        let mut cut = first;
        while cut < after {
            cuts.push(cut);
            cut = cut.saturating_add(PIECE);
        }
    }
    cuts.sort_unstable();
    cuts.dedup();
    let bitmap = if end > PIECE { table.bitmap() } else { None };
    let mut pieces: Vec<(u64, Range<u64>)> = Vec::new();
    for pair in cuts.windows(2) {
        let [start, end] = pair else { continue };
        let located = table.data.located(*start, *end);
        let Some((_, first)) = located.first() else { continue };
        let numbers = start.checked_div(record).unwrap_or(0)..end.checked_div(record).unwrap_or(0);
        if bitmap.as_ref().is_some_and(|bitmap| !any_used(bitmap, numbers)) {
            gaps.push("deleted files of NTFS in parts of its table where nothing is in use");
            continue;
        }
        pieces.push((first.start, *start..*end));
    }
    pieces.sort_unstable_by_key(|(place, range)| (*place, range.start));
    pieces.into_iter().map(|(_, range)| range).collect()
}

/// Whether a bit of a half-open range is set; what lies past the end of the bitmap counts as set.
fn any_used(bitmap: &[u8], numbers: Range<u64>) -> bool {
    let first = number::index(numbers.start / 8);
    let end = number::index(numbers.end.div_ceil(8));
    bitmap.get(first..end).is_none_or(|bytes| bytes.iter().any(|byte| *byte != 0))
}

/// Pieces of a fragmented table are joined to batches of the size of one request.
fn batches(pieces: Vec<Range<u64>>) -> Vec<Vec<Range<u64>>> {
    let mut batches: Vec<Vec<Range<u64>>> = Vec::new();
    let mut size = u64::MAX;
    for piece in pieces {
        let length = piece.end.saturating_sub(piece.start);
        size = size.saturating_add(length);
        match batches.last_mut() {
            Some(batch) if size <= PIECE => batch.push(piece),
            _ => {
                size = length;
                batches.push(vec![piece]);
            }
        }
    }
    batches
}
