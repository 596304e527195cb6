//! Where the chunks are: tables are walked as far as they are asked for, and read in parts.

use super::layout::{FIRST, HEAD, Kind, Section, Volume};
use super::segments::Segments;
use crate::disk::mapped::{Map, Origin, Packed, Piece, broken, one_by_one};
use flate2::read::ZlibDecoder;
use lidless_io::number;
use lidless_io::{ReadAt, ReadError, read_exact_vec, read_vec};
use std::collections::VecDeque;
use std::io::Read as _;
use std::sync::{Arc, Mutex, PoisonError};

/// How much the walk reads where it looks: the sections before the chunks of a segment.
const LOOK: u64 = 4 << 10;
/// The head of a table.
const TABLE: u64 = 24;
/// Entries that are read at a time: 64 KiB, for 512 MiB of a usual disk.
const PAGE: u64 = 16 << 10;
/// Pages that are kept: 4 MiB.
const PAGES: usize = 64;
/// More sections than the segments of an image have.
const SECTIONS: u32 = 1_000_000;
/// What a chunk may be larger by when it is stored: its checksum, what zlib adds to noise.
const SLACK: u64 = 4096;
/// Up to here an entry's offset needs 31 bits.
const NARROW: u64 = 1 << 31;
/// Tables of up to so many entries are read whole for that: the format's own limit is 65,535.
const WIDE: u64 = 1 << 20;

/// Chunks that follow each other, and the table that says where they are.
#[derive(Debug, Clone, Copy)]
struct Group {
    /// Number of its first chunk on the disk.
    first: u64,
    count: u64,
    segment: usize,
    /// Where the entries begin.
    entries: u64,
    /// Where those of the copy begin.
    copy: Option<u64>,
    /// What is added to each entry.
    base: u64,
    /// Where the chunks lie, half-open.
    data: (u64, u64),
}

/// A part of a table: where each chunk begins, whether it is compressed, and where the last ends.
struct Page {
    group: usize,
    first: u64,
    starts: Vec<(u64, bool)>,
    end: u64,
}

struct Walk {
    groups: Vec<Group>,
    /// The chunk that the next table begins with.
    chunk: u64,
    segment: usize,
    /// Where the next section begins.
    offset: u64,
    /// The sectors section that was seen last, half-open.
    sectors: Option<(u64, u64)>,
    sections: u32,
    /// Nothing more is found, and why.
    ended: Option<&'static str>,
    pages: VecDeque<Arc<Page>>,
    /// Bytes around the place where the walk is.
    window: (u64, Vec<u8>),
}

/// The chunks of a disk.
pub(super) struct Chunks {
    volume: Volume,
    segments: Segments,
    /// Where each segment begins in what [`Segments::joined`] gives.
    starts: Vec<u64>,
    walk: Mutex<Walk>,
}

impl Chunks {
    pub(super) fn new(volume: Volume, segments: Segments, starts: Vec<u64>) -> Self {
        let walk = Walk {
            groups: Vec::new(),
            chunk: 0,
            segment: 0,
            offset: FIRST,
            sectors: None,
            sections: 0,
            ended: None,
            pages: VecDeque::new(),
            window: (0, Vec::new()),
        };
        Self { volume, segments, starts, walk: Mutex::new(walk) }
    }

    /// Where a segment is missing, the chunks of those behind it are counted from the end, which
    /// takes a walk over everything. Returns the chunks that are lost.
    pub(super) fn place_around_the_hole(&self) -> u64 {
        let mut guard = self.walk.lock().unwrap_or_else(PoisonError::into_inner);
        let walk = &mut *guard;
        let Some(hole) = self.segments.files.iter().position(Option::is_none) else { return 0 };
        while walk.ended.is_none() && self.step(walk).is_ok() {}
        let before = walk.chunk;
        let behind = self.segments.files.iter().rposition(Option::is_none).unwrap_or(hole);
        walk.segment = behind.saturating_add(1);
        walk.offset = FIRST;
        walk.sectors = None;
        walk.ended = None;
        walk.window = (0, Vec::new());
        let known = walk.groups.len();
        while walk.ended.is_none() && self.step(walk).is_ok() {}
        let found = walk.chunk.saturating_sub(before);
        let missing = self.volume.chunks.saturating_sub(before).saturating_sub(found);
        for group in walk.groups.iter_mut().skip(known) {
            group.first = group.first.saturating_add(missing);
        }
        walk.ended = Some("a part of the image in a missing segment");
        missing
    }

    /// Goes on by one section.
    fn step(&self, walk: &mut Walk) -> Result<(), ReadError> {
        walk.sections = walk.sections.saturating_add(1);
        if walk.sections > SECTIONS {
            walk.ended = Some("an image of more sections than the limit");
            return Ok(());
        }
        let Some(file) = self.segments.files.get(walk.segment) else {
            walk.ended = Some("a part of the image behind its last segment");
            return Ok(());
        };
        let Some(file) = file else {
            walk.ended = Some("a part of the image in a missing segment");
            return Ok(());
        };
        let bytes = walk.look(file, walk.offset, HEAD.saturating_add(TABLE))?;
        let Some(section) = Section::parse(&bytes, walk.offset) else {
            walk.ended = Some("a part of the image behind a section that is malformed");
            return Ok(());
        };
        let inside = section.inside();
        let end = section.offset.saturating_add(section.size);
        match section.kind {
            Kind::Sectors => walk.sectors = Some((inside, end)),
            Kind::Table => {
                let count = bytes.get(76..).and_then(|table| number::u32_le(table, 0)).unwrap_or(0);
                let base = bytes.get(76..).and_then(|table| number::u64_le(table, 8)).unwrap_or(0);
                let entries = inside.saturating_add(TABLE);
                let room = end.min(file.len()).saturating_sub(entries) / 4;
                let count =
                    u64::from(count).min(room).min(self.volume.chunks.saturating_sub(walk.chunk));
                let behind = entries.saturating_add(count.saturating_mul(4));
                let data = walk.sectors.take().unwrap_or((behind, end));
                let group = Group {
                    first: walk.chunk,
                    count,
                    segment: walk.segment,
                    entries,
                    copy: None,
                    base,
                    data,
                };
                if count > 0 {
                    walk.groups.push(group);
                    walk.chunk = walk.chunk.saturating_add(count);
                }
            }
            Kind::Table2 => {
                let segment = walk.segment;
                let last = walk.groups.last_mut().filter(|group| group.segment == segment);
                if let Some(last) = last {
                    last.copy = Some(inside.saturating_add(TABLE));
                }
            }
            Kind::Done => walk.ended = Some("a part of the image behind its end"),
            _ => {}
        }
        if section.kind == Kind::Next || section.next <= section.offset {
            walk.segment = walk.segment.saturating_add(1);
            walk.offset = FIRST;
            walk.sectors = None;
            walk.window = (0, Vec::new());
        } else {
            walk.offset = section.next;
        }
        Ok(())
    }

    /// The table of a chunk.
    fn group(&self, walk: &mut Walk, chunk: u64) -> Result<usize, ReadError> {
        loop {
            let next = walk.groups.partition_point(|group| group.first <= chunk);
            let index = next.saturating_sub(1);
            let holds = |group: &&Group| {
                chunk >= group.first && chunk.saturating_sub(group.first) < group.count
            };
            if walk.groups.get(index).as_ref().is_some_and(holds) {
                return Ok(index);
            }
            if let Some(why) = walk.ended {
                return Err(broken(why));
            }
            self.step(walk)?;
        }
    }

    /// The part of a table that holds a chunk.
    fn page(&self, walk: &mut Walk, chunk: u64) -> Result<(Group, Arc<Page>), ReadError> {
        let index = self.group(walk, chunk)?;
        let group = *walk.groups.get(index).ok_or_else(|| broken("a table that is gone"))?;
        let at = chunk.saturating_sub(group.first);
        // Whether entries use all 32 bits shows only when the whole table is seen.
        let wide = group.data.1.saturating_sub(group.base) > NARROW && group.count <= WIDE;
        let first = if wide { 0 } else { (at / PAGE).saturating_mul(PAGE) };
        let known = walk.pages.iter().position(|page| page.group == index && page.first == first);
        if let Some(page) = known.and_then(|known| walk.pages.remove(known)) {
            walk.pages.push_front(Arc::clone(&page));
            return Ok((group, page));
        }
        let left = group.count.saturating_sub(first);
        let count = if wide { left } else { left.min(PAGE) };
        let file = match self.segments.files.get(group.segment) {
            Some(Some(file)) => file,
            _ => return Err(broken("a part of the image in a missing segment")),
        };
        let read = |entries: u64| {
            let offset = entries.saturating_add(first.saturating_mul(4));
            let more = if count < left { 1 } else { 0 };
            let size = count.saturating_add(more).saturating_mul(4);
            let bytes = read_exact_vec(&**file, offset, size)?;
            parse_page(&bytes, &group, count)
                .ok_or_else(|| broken("a part of the image whose table is malformed"))
        };
        let (starts, end) = match (read(group.entries), group.copy) {
            (Ok(page), _) => page,
            (Err(_), Some(copy)) => read(copy)?,
            // The copy follows the table; it was not walked to if nothing was asked for behind it.
            (Err(error), None) => {
                self.step(walk)?;
                match walk.groups.get(index).and_then(|group| group.copy) {
                    Some(copy) => read(copy)?,
                    None => return Err(error),
                }
            }
        };
        let page = Arc::new(Page { group: index, first, starts, end });
        walk.pages.push_front(Arc::clone(&page));
        walk.pages.truncate(PAGES);
        Ok((group, page))
    }
}

impl Walk {
    /// The bytes at a place of the segment the walk is in.
    fn look(
        &mut self,
        file: &Arc<dyn ReadAt>,
        offset: u64,
        size: u64,
    ) -> Result<Vec<u8>, ReadError> {
        let held = |window: &(u64, Vec<u8>)| {
            let from = usize::try_from(offset.checked_sub(window.0)?).ok()?;
            let to = from.checked_add(usize::try_from(size).ok()?)?;
            window.1.get(from..to).map(<[u8]>::to_vec)
        };
        if let Some(bytes) = held(&self.window) {
            return Ok(bytes);
        }
        let read = read_vec(&**file, offset, LOOK.max(size))?;
        let bytes = read.get(..usize::try_from(size).unwrap_or(0)).unwrap_or(&read).to_vec();
        self.window = (offset, read);
        Ok(bytes)
    }
}

/// The entries of a part of a table; none when they do not lie one behind the other among the
/// chunks of the table.
fn parse_page(bytes: &[u8], group: &Group, count: u64) -> Option<(Vec<(u64, bool)>, u64)> {
    let mut starts = Vec::with_capacity(bytes.len() / 4);
    let (mut before, mut wide) = (group.data.0, false);
    for entry in bytes.chunks_exact(4) {
        let entry = number::u32_le(entry, 0)?;
        let offset = group.base.saturating_add(u64::from(entry & 0x7fff_ffff));
        let (start, packed) = if wide || offset < before {
            // EnCase 6.7 went on in all 32 bits where 31 were not enough, uncompressed.
            wide = true;
            (group.base.saturating_add(u64::from(entry)), false)
        } else {
            (offset, entry & 0x8000_0000 != 0)
        };
        if start < before || start >= group.data.1 {
            return None;
        }
        before = start;
        starts.push((start, packed));
    }
    let count = usize::try_from(count).ok()?;
    let end = starts.get(count).map_or(group.data.1, |(start, _)| *start);
    starts.truncate(count);
    Some((starts, end))
}

/// What a table with these entries says, for tests.
#[cfg(test)]
pub(super) fn parse_wide(entries: &[u32], end: u64) -> Option<Vec<(u64, bool)>> {
    let bytes: Vec<u8> = entries.iter().flat_map(|entry| entry.to_le_bytes()).collect();
    let count = entries.len() as u64;
    let group =
        Group { first: 0, count, segment: 0, entries: 0, copy: None, base: 0, data: (0, end) };
    parse_page(&bytes, &group, count).map(|(starts, _)| starts)
}

impl Chunks {
    /// The rest of the chunk at an offset of the disk.
    fn piece(&self, offset: u64) -> Result<Piece, ReadError> {
        let chunk = offset.checked_div(self.volume.chunk_bytes).unwrap_or(0);
        let at = chunk.saturating_mul(self.volume.chunk_bytes);
        let unpacked = self.volume.length.saturating_sub(at).min(self.volume.chunk_bytes);
        let mut guard = self.walk.lock().unwrap_or_else(PoisonError::into_inner);
        let (group, page) = self.page(&mut guard, chunk)?;
        let index = chunk.saturating_sub(group.first).saturating_sub(page.first);
        let index = number::index(index);
        let unknown = || broken("a chunk that is not in its table");
        let (start, packed) = *page.starts.get(index).ok_or_else(unknown)?;
        let next = page.starts.get(index.saturating_add(1)).map_or(page.end, |(start, _)| *start);
        let stored = next.saturating_sub(start);
        let base = self.starts.get(group.segment).copied().unwrap_or(u64::MAX);
        let place = base.saturating_add(start);
        let into = offset.saturating_sub(at);
        let origin = if packed {
            let length = stored.min(self.volume.chunk_bytes.saturating_add(SLACK));
            Origin::Packed(Packed { offset: place, length, unpacked, form: 0 }, into)
        } else if stored < unpacked {
            return Err(broken("a chunk of the image that breaks off"));
        } else {
            // The checksum of a stored chunk is not looked at: a wrong byte is still searched.
            Origin::Stored(place.saturating_add(into))
        };
        Ok(Piece { length: unpacked.saturating_sub(into), origin })
    }
}

impl Map for Chunks {
    fn locate(&self, from: u64, to: u64) -> Result<Vec<Piece>, ReadError> {
        one_by_one(from, to, |at| self.piece(at))
    }

    fn unpack(&self, chunk: &Packed, stored: &[u8]) -> Result<Vec<u8>, ReadError> {
        let size = usize::try_from(chunk.unpacked).unwrap_or(0);
        let mut bytes = Vec::with_capacity(size);
        let read = ZlibDecoder::new(stored).take(chunk.unpacked).read_to_end(&mut bytes);
        if read.is_err() || bytes.len() < size {
            return Err(broken("a chunk of the image that cannot be decompressed"));
        }
        Ok(bytes)
    }
}
