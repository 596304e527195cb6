//! A disk of which an image keeps the pieces in another order, or packed, or not at all.

use bytes::Bytes;
use lidless_io::number::{index, wide};
use lidless_io::{
    Apart, BlockCache, ReadAt, ReadError, ReadErrorKind, read_exact_vec, read_merged,
};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is fetched at once for a parser that reads in small steps. Smaller blocks mean more
/// requests; larger ones bring bytes that nobody asked for when directories lie far apart.
const BLOCK_BYTES: u64 = 64 << 10;
const CACHE_BYTES: u64 = 16 << 20;
const AHEAD_BYTES: u64 = 1 << 20;
/// Tables of an image are fetched in blocks of this size, and this much of them is kept: the
/// tables of a disk of a terabyte do not fit into memory beside everything else.
const TABLE_BLOCK: u64 = 64 << 10;
const TABLE_BYTES: u64 = 4 << 20;
/// How much of what was unpacked is kept: parsers read a packed chunk in many small steps.
const UNPACKED_BYTES: usize = 16 << 20;
/// The largest chunk that is unpacked, on either side.
pub(super) const LARGEST_CHUNK: u64 = 32 << 20;
/// How many bytes are fetched at once.
const AT_ONCE: u64 = 8 << 20;
/// What is read for nothing between two pieces rather than asked for apart, from whatever source:
/// checksums and padding lie between chunks.
const CLOSE: u64 = 4 << 10;

/// Where a piece of the disk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Nowhere: zeros.
    Zeros,
    /// In the image, from this offset on.
    Stored(u64),
    /// In the parent, from this offset on.
    Parent(u64),
    /// In the image, packed; the piece begins `skip` bytes into what it unpacks to.
    Packed(Packed, u64),
}

/// A packed chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packed {
    /// Offset in the file.
    pub(super) offset: u64,
    /// How many bytes it takes there at most.
    pub(super) length: u64,
    /// How many bytes it unpacks to.
    pub(super) unpacked: u64,
    /// How it is packed, as the map numbers it.
    pub(super) form: u32,
}

/// A piece of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) length: u64,
    pub(super) origin: Origin,
}

/// The map of an image.
pub(super) trait Map: Send + Sync {
    /// What the bytes `from..to` of the disk are made of: pieces that follow each other. What
    /// they leave at the end is zeros.
    ///
    /// # Errors
    /// When a table cannot be read, or says what cannot be.
    fn locate(&self, from: u64, to: u64) -> Result<Vec<Piece>, ReadError>;

    /// Unpacks a chunk from `stored`, which may be followed by other bytes.
    ///
    /// # Errors
    /// When it is not well formed, or the image has no packed chunks.
    fn unpack(&self, chunk: &Packed, stored: &[u8]) -> Result<Vec<u8>, ReadError> {
        let _ = (chunk, stored);
        Err(broken("a packed chunk in an image that has none"))
    }
}

/// What an image says that cannot be, as an error of a read.
pub(super) fn broken(what: &str) -> ReadError {
    ReadError::new(ReadErrorKind::Malformed, what)
}

/// Files beside an image behind the cache that the image itself has.
pub(super) fn cached(files: impl ReadAt + 'static) -> Arc<dyn ReadAt> {
    let cache = BlockCache::new(Arc::new(files), BLOCK_BYTES, CACHE_BYTES);
    Arc::new(cache.reading_ahead(AHEAD_BYTES))
}

/// A bounded cache in front of the tables of an image.
pub(super) fn tables(source: &Arc<dyn ReadAt>) -> BlockCache {
    BlockCache::new(Arc::clone(source), TABLE_BLOCK, TABLE_BYTES)
}

/// `count` entries of `N` bytes from number `first` of the table at `table` on.
pub(super) fn entries<const N: usize>(
    source: &dyn ReadAt,
    table: u64,
    first: u64,
    count: u64,
) -> Result<Vec<[u8; N]>, ReadError> {
    let size = wide(N);
    let at = table.saturating_add(first.saturating_mul(size));
    let bytes = read_exact_vec(source, at, count.saturating_mul(size))?;
    Ok(bytes.as_chunks::<N>().0.to_vec())
}

/// The chunks of `size` bytes that `from..to` touches: number, where in it the piece begins, and
/// how long it is.
pub(super) fn chunks(from: u64, to: u64, size: u64) -> impl Iterator<Item = (u64, u64, u64)> {
    let size = size.max(1);
    let mut at = from;
    std::iter::from_fn(move || {
        if at >= to {
            return None;
        }
        let within = at.checked_rem(size)?;
        let length = size.saturating_sub(within).min(to.saturating_sub(at));
        let one = (at.checked_div(size)?, within, length);
        at = at.saturating_add(length);
        Some(one)
    })
}

/// What `from..to` is made of, by `find`: what begins at an offset, and how far that goes.
///
/// # Errors
/// Those of `find`, and one for a piece that is empty.
pub(super) fn one_by_one(
    from: u64,
    to: u64,
    mut find: impl FnMut(u64) -> Result<Piece, ReadError>,
) -> Result<Vec<Piece>, ReadError> {
    let mut pieces = Vec::new();
    let mut at = from;
    while at < to {
        let mut piece = find(at)?;
        if piece.length == 0 {
            return Err(broken("a part of the image that is not where it should be"));
        }
        piece.length = piece.length.min(to.saturating_sub(at));
        at = at.saturating_add(piece.length);
        pieces.push(piece);
    }
    Ok(pieces)
}

/// Where bytes that were read go.
struct Share {
    answer: usize,
    at: usize,
    /// How much of what was read is left out at its beginning.
    skip: usize,
    length: usize,
}

/// Bytes to read, and where they go.
struct Read {
    range: Range<u64>,
    into: Goal,
}

enum Goal {
    /// To this place.
    Place(Share),
    /// Unpacked to each of these.
    Places(Packed, Vec<Share>),
}

/// A source of which what lies close is read in one request.
struct Near<'a>(&'a dyn ReadAt);

impl ReadAt for Near<'_> {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        self.0.read_at(offset, buffer)
    }

    fn gap_bytes(&self) -> u64 {
        self.0.gap_bytes().max(CLOSE)
    }

    fn lanes(&self) -> usize {
        self.0.lanes()
    }
}

/// A disk put together by a map.
pub(super) struct Mapped {
    map: Box<dyn Map>,
    image: Arc<dyn ReadAt>,
    parent: Option<Arc<dyn ReadAt>>,
    length: u64,
    unpacked: Mutex<Recent>,
}

/// What was unpacked last, by offset.
#[derive(Default)]
struct Recent {
    chunks: HashMap<u64, Bytes>,
    order: VecDeque<u64>,
    bytes: usize,
}

impl Recent {
    fn keep(&mut self, offset: u64, chunk: Bytes) {
        self.bytes = self.bytes.saturating_add(chunk.len());
        match self.chunks.insert(offset, chunk) {
            Some(old) => self.bytes = self.bytes.saturating_sub(old.len()),
            None => self.order.push_back(offset),
        }
        while self.bytes > UNPACKED_BYTES && self.order.len() > 1 {
            let Some(oldest) = self.order.pop_front() else { break };
            let gone = self.chunks.remove(&oldest).map_or(0, |chunk| chunk.len());
            self.bytes = self.bytes.saturating_sub(gone);
        }
    }
}

impl Mapped {
    /// A disk of `length` bytes, of which `map` finds the pieces in `image` and in a parent.
    /// Without the parent, what it would hold reads as zeros.
    pub(super) fn new(
        map: impl Map + 'static,
        image: Arc<dyn ReadAt>,
        parent: Option<Arc<dyn ReadAt>>,
        length: u64,
    ) -> Self {
        Self { map: Box::new(map), image, parent, length, unpacked: Mutex::default() }
    }

    /// Reads ranges that lie inside the disk, with one batch for the image and one for the parent.
    fn gather(
        &self,
        ranges: &[Range<u64>],
        image: &dyn ReadAt,
        parent: Option<&dyn ReadAt>,
    ) -> Result<Vec<Vec<u8>>, ReadError> {
        let mut answers = Vec::with_capacity(ranges.len());
        let (mut own, mut above) = (Vec::new(), Vec::new());
        let mut packed: BTreeMap<u64, (Packed, Vec<Share>)> = BTreeMap::new();
        for (answer, range) in ranges.iter().enumerate() {
            let length = range.end.saturating_sub(range.start);
            answers.push(vec![0u8; usize::try_from(length).unwrap_or(0)]);
            let mut at = 0usize;
            for piece in self.map.locate(range.start, range.end)? {
                let length = index(piece.length);
                let mut share = Share { answer, at, skip: 0, length };
                at = at.saturating_add(length);
                match piece.origin {
                    Origin::Zeros => {}
                    Origin::Stored(offset) => add(&mut own, offset, share),
                    Origin::Parent(offset) => add(&mut above, offset, share),
                    Origin::Packed(chunk, skip) => {
                        share.skip = index(skip);
                        packed.entry(chunk.offset).or_insert((chunk, Vec::new())).1.push(share);
                    }
                }
            }
        }
        for (offset, (chunk, shares)) in packed {
            if chunk.length > LARGEST_CHUNK || chunk.unpacked > LARGEST_CHUNK {
                return Err(broken("a part of the image that is larger than the limit"));
            }
            let kept = self.recent().chunks.get(&offset).cloned();
            match kept {
                Some(bytes) => shares.iter().for_each(|share| copy(&mut answers, share, &bytes)),
                None => {
                    let range = offset..offset.saturating_add(chunk.length);
                    own.push(Read { range, into: Goal::Places(chunk, shares) });
                }
            }
        }
        self.fetch(image, own, true, &mut answers)?;
        if let Some(parent) = parent {
            // A parent may be smaller than its child; an image that ends was cut.
            self.fetch(parent, above, false, &mut answers)?;
        }
        Ok(answers)
    }

    fn read_one(
        &self,
        offset: u64,
        buffer: &mut [u8],
        image: &dyn ReadAt,
        parent: Option<&dyn ReadAt>,
    ) -> Result<usize, ReadError> {
        let wanted = wide(buffer.len());
        let range = self.cut(&(offset..offset.saturating_add(wanted)));
        if range.is_empty() {
            return Ok(0);
        }
        let answers = self.gather(std::slice::from_ref(&range), image, parent);
        let bytes = answers?.pop().unwrap_or_default();
        if let Some(to) = buffer.get_mut(..bytes.len()) {
            to.copy_from_slice(&bytes);
        }
        Ok(bytes.len())
    }

    /// Reads and hands out, in groups of which each is one batch.
    fn fetch(
        &self,
        source: &dyn ReadAt,
        mut reads: Vec<Read>,
        is_whole: bool,
        answers: &mut [Vec<u8>],
    ) -> Result<(), ReadError> {
        reads.sort_by_key(|read| read.range.start);
        let mut rest = reads.as_slice();
        while !rest.is_empty() {
            let mut sum = 0u64;
            let fits = |read: &&Read| {
                sum = sum.saturating_add(read.range.end.saturating_sub(read.range.start));
                sum <= AT_ONCE
            };
            let count = rest.iter().take_while(fits).count().max(1);
            let (group, after) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            rest = after;
            let places: Vec<Range<u64>> = group.iter().map(|read| read.range.clone()).collect();
            for (read, bytes) in group.iter().zip(read_merged(&Near(source), &places)?) {
                match &read.into {
                    Goal::Place(share) if is_whole && bytes.len() < share.length => {
                        return Err(broken("the disk image breaks off"));
                    }
                    Goal::Place(share) => copy(answers, share, &bytes),
                    Goal::Places(chunk, shares) => {
                        let bytes = Bytes::from(self.map.unpack(chunk, &bytes)?);
                        shares.iter().for_each(|share| copy(answers, share, &bytes));
                        self.recent().keep(chunk.offset, bytes);
                    }
                }
            }
        }
        Ok(())
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.unpacked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cut(&self, range: &Range<u64>) -> Range<u64> {
        let start = range.start.min(self.length);
        start..range.end.clamp(start, self.length)
    }
}

/// Adds a piece to what is to be read; one that follows the last in the file as well is one read
/// with it.
fn add(reads: &mut Vec<Read>, offset: u64, share: Share) {
    let end = offset.saturating_add(wide(share.length));
    if let Some(Read { range, into: Goal::Place(last) }) = reads.last_mut()
        && range.end == offset
        && last.answer == share.answer
        && last.at.saturating_add(last.length) == share.at
    {
        range.end = end;
        last.length = last.length.saturating_add(share.length);
        return;
    }
    reads.push(Read { range: offset..end, into: Goal::Place(share) });
}

fn copy(answers: &mut [Vec<u8>], share: &Share, bytes: &[u8]) {
    let from = bytes.get(share.skip..).unwrap_or(&[]);
    let size = from.len().min(share.length);
    let to = answers
        .get_mut(share.answer)
        .and_then(|answer| answer.get_mut(share.at..share.at.saturating_add(size)));
    if let (Some(to), Some(from)) = (to, from.get(..size)) {
        to.copy_from_slice(from);
    }
}

impl ReadAt for Mapped {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        self.read_one(offset, buffer, &*self.image, self.parent.as_deref())
    }

    fn read_apart(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let parent = self.parent.as_deref().map(Apart);
        let parent = parent.as_ref().map(|parent| -> &dyn ReadAt { parent });
        self.read_one(offset, buffer, &Apart(&*self.image), parent)
    }

    fn read_ranges(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, ReadError> {
        let cut: Vec<Range<u64>> = ranges.iter().map(|range| self.cut(range)).collect();
        let answers = self.gather(&cut, &*self.image, self.parent.as_deref())?;
        Ok(answers.into_iter().map(Bytes::from).collect())
    }

    fn gap_bytes(&self) -> u64 {
        self.image.gap_bytes()
    }

    fn lanes(&self) -> usize {
        self.image.lanes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_io::{Counted, MemoryBytes, Tally, read_vec};

    /// Chunks of ten bytes by a table: a number is an offset in the file divided by ten.
    struct Tens(Vec<Option<u64>>);

    impl Map for Tens {
        fn locate(&self, from: u64, to: u64) -> Result<Vec<Piece>, ReadError> {
            Ok(chunks(from, to, 10)
                .map(|(number, within, length)| {
                    let origin = match self.0.get(number as usize) {
                        Some(Some(place)) => Origin::Stored(place * 10 + within),
                        Some(None) => Origin::Zeros,
                        None => Origin::Parent(number * 10 + within),
                    };
                    Piece { length, origin }
                })
                .collect())
        }
    }

    #[test]
    fn pieces_in_order_are_one_read_and_holes_are_none() {
        let tally = Tally::default();
        let file = MemoryBytes::new((0..50u8).collect::<Vec<u8>>());
        let file: Arc<dyn ReadAt> = Arc::new(Counted::new(Arc::new(file), tally.clone()));
        let parent: Arc<dyn ReadAt> = Arc::new(MemoryBytes::new(vec![9u8; 55]));
        let map = Tens(vec![Some(1), Some(2), Some(3), None, Some(0)]);
        let disk = Mapped::new(map, file, Some(parent), 70);
        let mut expected: Vec<u8> = (10..40).collect();
        expected.extend([0; 10]);
        expected.extend(0..10);
        expected.extend([9, 9, 9, 9, 9]);
        expected.extend([0; 15]);
        assert_eq!(read_vec(&disk, 3, 25).unwrap(), expected[3..28]);
        assert_eq!(tally.requests(), 1);
        assert_eq!(read_vec(&disk, 30, 10).unwrap(), [0; 10]);
        assert_eq!(tally.requests(), 1);
        for from in 0..72usize {
            for to in from..72 {
                let (start, end) = (from.min(70), to.min(70));
                let one = disk.read_ranges(&[from as u64..to as u64, 5..7]).unwrap();
                assert_eq!(one[0], expected[start..end]);
                assert_eq!(one[1], expected[5..7]);
            }
        }
    }

    #[test]
    fn an_image_that_was_cut_is_an_error_and_not_zeros() {
        let file: Arc<dyn ReadAt> = Arc::new(MemoryBytes::new(vec![1u8; 15]));
        let disk = Mapped::new(Tens(vec![Some(0), Some(1)]), file, None, 40);
        assert!(read_vec(&disk, 0, 15).is_ok());
        assert!(read_vec(&disk, 10, 10).is_err());
        assert_eq!(read_vec(&disk, 20, 20).unwrap(), [0; 20]);
    }
}
