//! `$MFT`: the table of file records.

use super::boot::Geometry;
use super::file::{File, Place, Stream, listed};
use super::record::{BITMAP, DATA, Fault, LIST, Record};
use super::runs;
use crate::error::PeelError;
use lidless_io::number::index;
use lidless_io::{Extents, ReadAt, read_merged, read_vec};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

/// How much of the table is read first: `$MFT`, `$Volume`, the root and what else has a fixed
/// place in it.
const FIRST: u64 = 64 << 10;
/// The most that one batch of records reads.
const BATCH: u64 = 8 << 20;
/// The largest attribute list; Windows stops at 256 KiB.
const LIST_BYTES: u64 = 1 << 20;
/// How many files with attribute lists are read in one batch, and how many records more.
const GROUP: usize = 256;
const EXTENSIONS: usize = 1 << 14;
/// How often a part of the table may be described in the part found before it.
const STEPS: usize = 256;
/// The largest bitmap of the table: 128 million records.
const BITMAP_BYTES: u64 = 16 << 20;

/// The table, found and readable.
pub(super) struct Table {
    pub(super) volume: Arc<dyn ReadAt>,
    pub(super) geometry: Geometry,
    /// Its bytes, as far as they were ever written.
    pub(super) data: Extents,
    /// A part of it is described where it could not be found.
    pub(super) is_partial: bool,
    bitmap: Option<Stream>,
}

impl Table {
    /// Finds the table by its first record, or by the copy of that.
    pub(super) fn open(volume: Arc<dyn ReadAt>, geometry: Geometry) -> Result<Self, PeelError> {
        let mut tried = Fault::Blank;
        for place in [geometry.table, geometry.mirror] {
            let head = read_vec(&*volume, place, FIRST)?;
            let first = head.get(..index(geometry.record)).unwrap_or(&[]);
            match Record::parse(first) {
                Ok(record) => {
                    let file = File::new(0, record);
                    if let Ok(Some(stream)) = file.stream(DATA, "") {
                        return Self::of(volume, geometry, file, stream);
                    }
                    tried = Fault::Header;
                }
                Err(fault) => tried = fault,
            }
        }
        Err(PeelError::malformed("NTFS", geometry.table, "the record of $MFT", tried.words()))
    }

    fn of(
        volume: Arc<dyn ReadAt>,
        geometry: Geometry,
        file: File,
        stream: Stream,
    ) -> Result<Self, PeelError> {
        let written = stream.initialised;
        let data = whole(&volume, &geometry, &stream)?;
        let mut table = Self { volume, geometry, data, is_partial: false, bitmap: None };
        let mut file = file;
        // The records that describe the rest of the table lie in the part known so far.
        let mut missing = match file.stream(LIST, "")? {
            Some(list) => listed(&table.read(&list, LIST_BYTES)?, 0),
            None => BTreeSet::new(),
        };
        for _ in 0..STEPS {
            if missing.is_empty() {
                break;
            }
            let (within, outside): (Vec<u64>, Vec<u64>) =
                missing.iter().partition(|number| table.is_known(table.range(**number)));
            missing = outside.into_iter().collect();
            if within.is_empty() {
                break;
            }
            for record in table.records(&within)?.into_iter().flatten() {
                file.extend(record);
            }
            if let Some(stream) = file.stream(DATA, "")? {
                table.data = whole(&table.volume, &table.geometry, &stream)?;
            }
        }
        table.is_partial = !missing.is_empty()
            || table.data.len() < written
            || !table.is_known(0..table.data.len());
        table.bitmap = file.stream(BITMAP, "")?;
        Ok(table)
    }

    /// How many records there are.
    pub(super) fn count(&self) -> u64 {
        self.data.len().checked_div(self.geometry.record).unwrap_or(0)
    }

    fn range(&self, number: u64) -> Range<u64> {
        let start = number.saturating_mul(self.geometry.record);
        start..start.saturating_add(self.geometry.record)
    }

    /// Whether a range of the table has clusters.
    fn is_known(&self, range: Range<u64>) -> bool {
        let found = self.data.located(range.start, range.end);
        found.iter().map(|(_, part)| part.end.saturating_sub(part.start)).sum::<u64>()
            == range.end.saturating_sub(range.start)
    }

    /// Reads an attribute whole.
    pub(super) fn read(&self, stream: &Stream, most: u64) -> Result<Vec<u8>, PeelError> {
        if stream.length > most {
            let found = format!("{} bytes", stream.length);
            return Err(PeelError::malformed("NTFS", 0, format!("at most {most} bytes"), found));
        }
        if let Place::Inline(bytes) = &stream.place {
            return Ok(bytes.clone());
        }
        let stored = stream.stored(&self.volume, &self.geometry);
        let length = stored.len();
        let read = self.pieces(&[(stored, 0..length)])?;
        Ok(read.into_iter().next().unwrap_or_default())
    }

    /// Which records are in use, a bit each; none when that is not known.
    pub(super) fn bitmap(&self) -> Option<Vec<u8>> {
        self.read(self.bitmap.as_ref()?, BITMAP_BYTES).ok()
    }

    /// Reads records, those that lie close together in one request.
    pub(super) fn records(&self, numbers: &[u64]) -> Result<Vec<Result<Record, Fault>>, PeelError> {
        let each = index(BATCH.checked_div(self.geometry.record).unwrap_or(1)).max(1);
        let mut records = Vec::with_capacity(numbers.len());
        for batch in numbers.chunks(each) {
            let ranges: Vec<Range<u64>> = batch.iter().map(|number| self.range(*number)).collect();
            let read = self.data.read_ranges(&ranges)?;
            records.extend(read.iter().map(|raw| Record::parse(raw)));
        }
        Ok(records)
    }

    /// Reads files: their records, and all that extend them.
    pub(super) fn files(&self, numbers: &[u64]) -> Result<Vec<Result<File, PeelError>>, PeelError> {
        let mut files: Vec<Result<File, PeelError>> = Vec::with_capacity(numbers.len());
        for (number, record) in numbers.iter().zip(self.records(numbers)?) {
            files.push(match record {
                Ok(record) => Ok(File::new(*number, record)),
                Err(fault) => {
                    let found = fault.words();
                    Err(PeelError::malformed("NTFS", self.range(*number).start, "a record", found))
                }
            });
        }
        let mut group: Vec<(usize, Stream)> = Vec::new();
        let mut bytes = 0u64;
        let mut groups = Vec::new();
        for (index, file) in files.iter().enumerate() {
            let Some(file) = file.as_ref().ok().filter(|file| file.has_list()) else { continue };
            let Ok(Some(list)) = file.stream(LIST, "") else { continue };
            if list.length > LIST_BYTES {
                continue;
            }
            bytes = bytes.saturating_add(list.length);
            group.push((index, list));
            if bytes >= BATCH || group.len() >= GROUP {
                groups.push(std::mem::take(&mut group));
                bytes = 0;
            }
        }
        groups.push(group);
        for group in groups {
            self.extend(&mut files, numbers, &group)?;
        }
        Ok(files)
    }

    /// Adds to files what the records say that their attribute lists name.
    fn extend(
        &self,
        files: &mut [Result<File, PeelError>],
        numbers: &[u64],
        group: &[(usize, Stream)],
    ) -> Result<(), PeelError> {
        let mut members: Vec<(usize, BTreeSet<u64>)> = Vec::new();
        let mut all: BTreeSet<u64> = BTreeSet::new();
        for ((index, _), list) in group.iter().zip(self.read_all(group)?) {
            let own = numbers.get(*index).copied().unwrap_or(0);
            let listed = listed(&list, own);
            all.extend(&listed);
            members.push((*index, listed));
        }
        let wanted: Vec<u64> = all.into_iter().take(EXTENSIONS).collect();
        let read: BTreeMap<u64, Record> = wanted
            .iter()
            .copied()
            .zip(self.records(&wanted)?)
            .filter_map(|(number, record)| Some((number, record.ok()?)))
            .collect();
        for (index, listed) in members {
            let Some(Ok(file)) = files.get_mut(index) else { continue };
            for record in listed.iter().filter_map(|number| read.get(number)) {
                file.extend(record.clone());
            }
        }
        Ok(())
    }

    /// Reads attribute lists in one batch.
    fn read_all(&self, lists: &[(usize, Stream)]) -> Result<Vec<Vec<u8>>, PeelError> {
        let inline = |stream: &Stream| match &stream.place {
            Place::Inline(bytes) => Some(bytes.clone()),
            _ => None,
        };
        let elsewhere: Vec<(Extents, Range<u64>)> = lists
            .iter()
            .filter(|(_, stream)| inline(stream).is_none())
            .map(|(_, stream)| (stream.stored(&self.volume, &self.geometry), 0..stream.length))
            .collect();
        let mut read = self.pieces(&elsewhere)?.into_iter();
        Ok(lists
            .iter()
            .map(|(_, stream)| inline(stream).or_else(|| read.next()).unwrap_or_default())
            .collect())
    }

    /// Reads ranges of several files of the volume in one batch.
    pub(super) fn pieces(
        &self,
        wanted: &[(Extents, Range<u64>)],
    ) -> Result<Vec<Vec<u8>>, PeelError> {
        let mut ranges = Vec::new();
        let mut shares = Vec::with_capacity(wanted.len());
        for (stored, range) in wanted {
            let located = stored.located(range.start, range.end);
            shares.push((ranges.len(), located.iter().map(|(at, _)| *at).collect::<Vec<u64>>()));
            ranges.extend(located.into_iter().map(|(_, range)| range));
        }
        let read = read_merged(&*self.volume, &ranges)?;
        let mut answers = Vec::with_capacity(wanted.len());
        for ((stored, range), (first, places)) in wanted.iter().zip(shares) {
            let length = range.end.min(stored.len()).saturating_sub(range.start);
            let mut whole = vec![0u8; index(length)];
            for (at, bytes) in places.iter().zip(read.get(first..).unwrap_or(&[])) {
                let from = index(at.saturating_sub(range.start));
                if let Some(part) = whole.get_mut(from..from.saturating_add(bytes.len())) {
                    part.copy_from_slice(bytes);
                }
            }
            answers.push(whole);
        }
        Ok(answers)
    }
}

/// The table as far as it has clusters and was written.
fn whole(
    volume: &Arc<dyn ReadAt>,
    geometry: &Geometry,
    stream: &Stream,
) -> Result<Extents, PeelError> {
    let Place::Runs(found) = &stream.place else {
        return Err(PeelError::malformed("NTFS", geometry.table, "a table in clusters", "none"));
    };
    let end = found.last().map_or(0, |run| run.vcn.saturating_add(run.length));
    let length = stream.initialised.min(end.saturating_mul(geometry.cluster));
    Ok(runs::extents(volume, geometry, found, length, length))
}
