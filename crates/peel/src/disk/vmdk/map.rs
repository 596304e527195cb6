//! The extents of a VMDK as a map.

use super::super::mapped::{Map, Origin, Packed, Piece, broken, chunks, entries};
use super::sparse::{Form, Grain, Sparse, as_read, most_packed, stream};
use crate::coding::{Coding, decode};
use lidless_io::number::index;
use lidless_io::{BlockCache, ReadError, read_vec};
use std::io::{Cursor, Read as _};
use std::sync::OnceLock;

/// What of an extent its header takes at most.
const HEADER: u64 = 1024;

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
            let place = self.words(header, directory, table, 1)?;
            let Some(place) = place.first().and_then(|entry| header.table(*entry)) else {
                let at = part.start.saturating_add(begin).saturating_add(inside);
                pieces.push(Piece { length, origin: self.nothing(at) });
                continue;
            };
            let place = place.saturating_add(part.base);
            let first = inside.checked_div(header.grain).unwrap_or(0);
            let last = inside.saturating_add(length).div_ceil(header.grain);
            // One more where grains are packed: where the next begins, this one has ended.
            let is_packed = header.form == Form::Packed;
            let more = u64::from(is_packed).min(header.per_table.saturating_sub(last));
            let count = last.saturating_sub(first).saturating_add(more);
            let grains = self.words(header, place, first, count)?;
            let grain = |number: u64| {
                let index = index(number.saturating_sub(first));
                header.grain(grains.get(index).copied().unwrap_or(0))
            };
            let end = inside.saturating_add(length);
            for (number, within, length) in chunks(inside, end, header.grain) {
                let at = number.saturating_mul(header.grain).saturating_add(within);
                let at = part.start.saturating_add(begin).saturating_add(at);
                let origin = match grain(number) {
                    Grain::None => self.nothing(at),
                    Grain::Zeros => Origin::Zeros,
                    Grain::At(own) => {
                        let next = grain(number.saturating_add(1));
                        stored(part, own, next, within, length)?
                    }
                };
                pieces.push(Piece { length, origin });
            }
        }
        Ok(pieces)
    }

    /// Entries of the directory or of a table.
    fn words(
        &self,
        header: &Sparse,
        table: u64,
        first: u64,
        count: u64,
    ) -> Result<Vec<u64>, ReadError> {
        if header.entry_bytes() == 8 {
            let words: Vec<[u8; 8]> = entries(&self.tables, table, first, count)?;
            return Ok(words.into_iter().map(u64::from_le_bytes).collect());
        }
        let words: Vec<[u8; 4]> = entries(&self.tables, table, first, count)?;
        Ok(words.into_iter().map(|word| u64::from(u32::from_le_bytes(word))).collect())
    }
}

/// Where the bytes of a grain are that begins at `own` in its file.
fn stored(
    part: &Part<'_>,
    own: u64,
    next: Grain,
    within: u64,
    length: u64,
) -> Result<Origin, ReadError> {
    let is_packed = part.header.form == Form::Packed;
    let taken = if is_packed { 12 } else { within.saturating_add(length) };
    // Past the end of this file the next one begins.
    if own.saturating_add(taken) > part.file_bytes {
        return Err(broken("the disk image breaks off"));
    }
    let offset = part.base.saturating_add(own);
    if !is_packed {
        return Ok(Origin::Stored(offset.saturating_add(within)));
    }
    let unpacked = part.header.grain;
    let most = most_packed(unpacked);
    let until = match next {
        Grain::At(next) => next.checked_sub(own).filter(|length| (1..most).contains(length)),
        _ => None,
    };
    let length = until.unwrap_or(most);
    Ok(Origin::Packed(Packed { offset, length, unpacked, form: 0 }, within))
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
                        let head = read_vec(&self.tables, *base, HEADER)?;
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
