//! The extents of a VMDK as a map.

use super::super::pieces::{Map, Origin, Packed, Piece, broken, chunks, entries};
use super::SECTOR;
use super::sparse::{Sparse, as_read, most_packed, stream};
use crate::coding::{Coding, decode};
use lidless_io::{BlockCache, ReadError, read_vec};
use std::io::{Cursor, Read as _};
use std::sync::OnceLock;

/// What an extent is kept in.
pub(super) enum Body {
    /// Zeros.
    Zeros,
    /// In a file that is not there.
    Missing,
    /// Bytes in order, from this offset on.
    Flat(u64),
    /// A sparse extent that begins at this offset; its header is read when it is needed.
    Sparse { base: u64, file_bytes: u64, header: OnceLock<Result<Sparse, ReadError>> },
}

/// An extent: where it begins on the disk, and how long it is.
pub(super) struct Extent {
    pub(super) start: u64,
    pub(super) length: u64,
    pub(super) body: Body,
}

/// The extents in order.
pub(super) struct Extents {
    pub(super) tables: BlockCache,
    pub(super) extents: Vec<Extent>,
    pub(super) is_child: bool,
}

/// A part of a sparse extent that is wanted.
struct Part<'a> {
    header: &'a Sparse,
    /// Where its file begins and how long that is.
    base: u64,
    file_bytes: u64,
    /// Where the extent begins on the disk.
    start: u64,
}

impl Extents {
    fn nothing(&self, at: u64) -> Origin {
        if self.is_child { Origin::Parent(at) } else { Origin::Zeros }
    }

    fn grains(&self, part: &Part<'_>, from: u64, to: u64) -> Result<Vec<Piece>, ReadError> {
        let header = part.header;
        let covered = header.per_table.saturating_mul(header.grain);
        let mut pieces = Vec::new();
        for (table, inside, length) in chunks(from, to.min(header.length), covered) {
            let begin = table.saturating_mul(covered);
            let directory = part.base.saturating_add(header.directory);
            let place: Vec<[u8; 4]> = entries(&self.tables, directory, table, 1)?;
            let place = place.first().map_or(0, |bytes| u32::from_le_bytes(*bytes));
            if place == 0 {
                let at = part.start.saturating_add(begin).saturating_add(inside);
                pieces.push(Piece { length, origin: self.nothing(at) });
                continue;
            }
            let place = u64::from(place).saturating_mul(SECTOR).saturating_add(part.base);
            let first = inside.checked_div(header.grain).unwrap_or(0);
            let last = inside.saturating_add(length).div_ceil(header.grain);
            // One more where grains are packed: where the next begins, this one has ended.
            let more = u64::from(header.is_packed).min(header.per_table.saturating_sub(last));
            let count = last.saturating_sub(first).saturating_add(more);
            let grains: Vec<[u8; 4]> = entries(&self.tables, place, first, count)?;
            let grain = |number: u64| {
                let index = usize::try_from(number.saturating_sub(first)).unwrap_or(usize::MAX);
                grains.get(index).map_or(0, |bytes| u32::from_le_bytes(*bytes))
            };
            let end = inside.saturating_add(length);
            for (number, within, length) in chunks(inside, end, header.grain) {
                let at = number.saturating_mul(header.grain).saturating_add(within);
                let at = part.start.saturating_add(begin).saturating_add(at);
                let origin = match grain(number) {
                    0 => self.nothing(at),
                    1 if header.has_zeros => Origin::Zeros,
                    own => {
                        let next = grain(number.saturating_add(1));
                        Self::stored(part, own, next, within, length)?
                    }
                };
                pieces.push(Piece { length, origin });
            }
        }
        Ok(pieces)
    }

    fn stored(
        part: &Part<'_>,
        own: u32,
        next: u32,
        within: u64,
        length: u64,
    ) -> Result<Origin, ReadError> {
        let place = u64::from(own).saturating_mul(SECTOR);
        let offset = part.base.saturating_add(place);
        let unpacked = part.header.grain;
        let end = if part.header.is_packed {
            place.saturating_add(12)
        } else {
            place.saturating_add(within).saturating_add(length)
        };
        // Past the end of this file the next one begins.
        if end > part.file_bytes {
            return Err(broken("the disk image breaks off"));
        }
        if !part.header.is_packed {
            return Ok(Origin::Stored(offset.saturating_add(within)));
        }
        let most = most_packed(unpacked);
        let until = u64::from(next).saturating_mul(SECTOR).checked_sub(place);
        let length = until.filter(|length| (1..most).contains(length)).unwrap_or(most);
        Ok(Origin::Packed(Packed { offset, length, unpacked }, within))
    }
}

impl Map for Extents {
    fn locate(&self, from: u64, to: u64) -> Result<Vec<Piece>, ReadError> {
        let mut pieces = Vec::new();
        let first = self.extents.partition_point(|one| one.start <= from).saturating_sub(1);
        for extent in self.extents.get(first..).unwrap_or(&[]) {
            if extent.start >= to {
                break;
            }
            let begin = from.max(extent.start).saturating_sub(extent.start);
            let end = to.saturating_sub(extent.start).min(extent.length);
            let Some(length) = end.checked_sub(begin).filter(|length| *length > 0) else {
                continue;
            };
            let origin = match &extent.body {
                Body::Zeros | Body::Missing => Origin::Zeros,
                Body::Flat(offset) => Origin::Stored(offset.saturating_add(begin)),
                Body::Sparse { base, file_bytes, header } => {
                    let header = header.get_or_init(|| {
                        let head = read_vec(&self.tables, *base, SECTOR)?;
                        Sparse::read(&self.tables, &head, *base, *file_bytes).map_err(as_read)
                    });
                    let part = Part {
                        header: header.as_ref().map_err(Clone::clone)?,
                        base: *base,
                        file_bytes: *file_bytes,
                        start: extent.start,
                    };
                    let grains = self.grains(&part, begin, end)?;
                    let filled = grains.iter().fold(0u64, |sum, it| sum.saturating_add(it.length));
                    pieces.extend(grains);
                    let left = length.saturating_sub(filled);
                    if left > 0 {
                        pieces.push(Piece { length: left, origin: Origin::Zeros });
                    }
                    continue;
                }
            };
            pieces.push(Piece { length, origin });
        }
        Ok(pieces)
    }

    fn unpack(&self, chunk: &Packed, stored: &[u8]) -> Result<Vec<u8>, ReadError> {
        let wrong = || broken("a packed grain of a VMDK that is not well formed");
        let stream = stream(stored).ok_or_else(wrong)?;
        let mut bytes = Vec::new();
        let reader = decode(Coding::Zlib, Cursor::new(stream.to_vec()));
        reader.take(chunk.unpacked).read_to_end(&mut bytes).map_err(|_| wrong())?;
        // The last grain of a disk may be shorter.
        bytes.resize(usize::try_from(chunk.unpacked).unwrap_or(0), 0);
        Ok(bytes)
    }
}
