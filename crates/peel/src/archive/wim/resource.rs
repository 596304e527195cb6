//! Contents in a Windows image: chunks that are decoded each by itself.
//!
//! In front of the chunks of a compressed resource stand the offsets of all but the first, from
//! the end of that table, as 32-bit numbers (64 bits for contents from 4 GiB). A solid resource
//! begins with its size when decoded (8 bytes), the size of a chunk (4), the coding (4: 1 XPRESS,
//! 2 LZX, 3 LZMS) and the 32-bit size of every chunk. A chunk that is as long as its content is
//! stored.

use super::header::{COMPRESSED, Place};
use crate::coding::{lzms, lzx, xpress};
use crate::error::PeelError;
use bytes::Bytes;
use lidless_io::number::wide;
use lidless_io::{Cursor, CursorError, ReadAt, ReadError, ReadErrorKind, read_exact_vec, read_vec};
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The largest chunk that is decoded: what solid images are made with.
const LARGEST_CHUNK: u64 = 64 << 20;
/// What nearly all images have.
const USUAL: u64 = 32 << 10;
/// The largest table of chunks.
const LARGEST_TABLE: u64 = 64 << 20;

/// How the resources of an image are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    Xpress,
    Lzx,
    Lzms,
    Unknown,
}

/// A compressed resource, or a solid one.
pub(super) struct Chunked {
    source: Arc<dyn ReadAt>,
    place: Place,
    packing: Packing,
    chunk: u64,
    /// Length when decoded.
    length: u64,
    /// Where each chunk lies.
    table: OnceLock<Result<Vec<Range<u64>>, ReadError>>,
    /// In a solid resource: where the sizes of chunks stand.
    solid: bool,
    /// The chunk that was decoded last, or why it could not be: that is not tried again for every
    /// file in it.
    last: Mutex<Option<(u64, Result<Bytes, ReadError>)>>,
}

fn broken(why: &str) -> ReadError {
    ReadError::new(ReadErrorKind::Malformed, format!("a Windows image is broken: {why}"))
}

impl Chunked {
    /// A resource; one that is not compressed is a single run of stored chunks.
    pub(super) fn new(
        source: Arc<dyn ReadAt>,
        place: Place,
        packing: Packing,
        chunk: u64,
    ) -> Result<Self, PeelError> {
        if !chunk.is_power_of_two() || !(4 << 10..=LARGEST_CHUNK).contains(&chunk) {
            return Err(PeelError::malformed("WIM", 20, "a size of chunks", chunk));
        }
        if packing == Packing::Unknown && place.flags & COMPRESSED != 0 {
            return Err(PeelError::Closed(UNREAD.to_owned()));
        }
        let (table, last) = (OnceLock::new(), Mutex::default());
        let length = place.decoded;
        Ok(Self { source, place, packing, chunk, length, table, solid: false, last })
    }

    /// A solid resource: its own header says how it is compressed.
    pub(super) fn solid(source: Arc<dyn ReadAt>, place: Place) -> Result<Self, PeelError> {
        let head = read_exact_vec(&*source, place.offset, 16)?;
        let mut cursor = Cursor::new(&head);
        let numbers = || -> Result<(u64, u32, u32), CursorError> {
            Ok((cursor.u64_le()?, cursor.u32_le()?, cursor.u32_le()?))
        };
        let mut numbers = numbers;
        let (length, chunk, coding) =
            numbers().map_err(|error| PeelError::cursor("WIM", place.offset, &error))?;
        let packing = match coding {
            0 => Packing::None,
            1 => Packing::Xpress,
            2 => Packing::Lzx,
            3 => Packing::Lzms,
            _ => Packing::Unknown,
        };
        let mut whole = Self::new(source, place, Packing::None, u64::from(chunk))?;
        if packing == Packing::Unknown {
            return Err(PeelError::Closed(UNREAD.to_owned()));
        }
        whole.packing = packing;
        whole.length = length;
        whole.solid = true;
        Ok(whole)
    }

    fn table(&self) -> Result<&[Range<u64>], ReadError> {
        let read = || {
            let count = self.length.div_ceil(self.chunk);
            let wide = self.length > u64::from(u32::MAX) && !self.solid;
            let width = if wide { 8u64 } else { 4 };
            let entries = if self.solid { count } else { count.saturating_sub(1) };
            let size = entries.saturating_mul(width);
            if size > LARGEST_TABLE || size > self.place.size {
                return Err(broken("a table of chunks longer than its resource"));
            }
            let begin = self.place.offset.saturating_add(if self.solid { 16 } else { 0 });
            let bytes = read_exact_vec(&*self.source, begin, size)?;
            let first = begin.saturating_add(size);
            let end = self.place.offset.saturating_add(self.place.size);
            let mut cursor = Cursor::new(&bytes);
            let mut starts = vec![first];
            let mut at = first;
            for _ in 0..entries {
                let number = if wide { cursor.u64_le() } else { cursor.u32_le().map(u64::from) };
                let number = number.map_err(|_| broken("a table that ends early"))?;
                at = if self.solid { at } else { first }.saturating_add(number);
                starts.push(at);
            }
            if !self.solid {
                starts.push(end);
            }
            let pairs = starts.windows(2).filter_map(|pair| Some(*pair.first()?..*pair.get(1)?));
            Ok(pairs.map(|range| range.start.min(end)..range.end.min(end)).collect())
        };
        match self.table.get_or_init(read) {
            Ok(table) => Ok(table),
            Err(error) => Err(error.clone()),
        }
    }

    fn decoded(&self, index: u64) -> Result<Bytes, ReadError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = last.as_ref().filter(|(known, _)| *known == index) {
            return known.clone();
        }
        let fresh = self.fetched(index);
        *last = Some((index, fresh.clone()));
        fresh
    }

    fn fetched(&self, index: u64) -> Result<Bytes, ReadError> {
        let start = index.saturating_mul(self.chunk);
        let wanted = self.chunk.min(self.length.saturating_sub(start));
        let is_plain = !self.solid && self.place.flags & COMPRESSED == 0;
        let bytes = if self.packing == Packing::None || is_plain {
            let begin = self.place.offset.saturating_add(start);
            read_exact_vec(&*self.source, begin, wanted)?
        } else {
            let slot = usize::try_from(index).ok().and_then(|index| self.table().ok()?.get(index));
            let Some(range) = slot else {
                self.table()?;
                return Err(broken("a chunk that is missing"));
            };
            let size = range.end.saturating_sub(range.start);
            if size > wanted {
                return Err(broken("a chunk larger than its content"));
            }
            let packed = read_vec(&*self.source, range.start, size)?;
            if size == wanted { packed } else { self.decode(&packed, wanted)? }
        };
        Ok(Bytes::from(bytes))
    }

    fn decode(&self, packed: &[u8], wanted: u64) -> Result<Vec<u8>, ReadError> {
        let length = usize::try_from(wanted).map_err(|_| broken("a chunk"))?;
        let decoded = match self.packing {
            Packing::Xpress => xpress::decompress(packed, length),
            Packing::Lzx if self.chunk == USUAL => lzx::decompress(packed, length),
            Packing::Lzx => lzx::decompress_in(self.chunk.trailing_zeros(), packed, length),
            Packing::Lzms => lzms::decompress(packed, length),
            Packing::None | Packing::Unknown => None,
        };
        decoded.ok_or_else(|| broken("a chunk that cannot be decoded"))
    }
}

/// What is said of a coding that is not read.
const UNREAD: &str = "files of a Windows image compressed in a way that is not read";

impl ReadAt for Chunked {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let mut done = 0usize;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let at = offset.saturating_add(wide(done));
            if at >= self.length {
                break;
            }
            let chunk = self.decoded(at.checked_div(self.chunk).unwrap_or(0))?;
            let skip = usize::try_from(at.checked_rem(self.chunk).unwrap_or(0)).unwrap_or(0);
            let known = chunk.get(skip..).unwrap_or(&[]);
            let count = known.len().min(rest.len());
            if count == 0 {
                break;
            }
            if let (Some(to), Some(from)) = (rest.get_mut(..count), known.get(..count)) {
                to.copy_from_slice(from);
            }
            done = done.saturating_add(count);
        }
        Ok(done)
    }

    fn gap_bytes(&self) -> u64 {
        self.source.gap_bytes()
    }

    fn lanes(&self) -> usize {
        self.source.lanes()
    }
}
