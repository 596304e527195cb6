//! A disk that is stored in pieces: compressed chunks, bands, runs. Pieces that lie side by side
//! are read in one request, decoded pieces are kept, and reads that go on where the last one
//! ended bring more each time.

use bytes::Bytes;
use lidless_io::number::{index, wide};
use lidless_io::{ReadAt, ReadError, ReadErrorKind, read_vec};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// The most that one request asks for.
const REQUEST: u64 = 8 << 20;
/// How much of the disk may be read ahead.
const AHEAD: u64 = 1 << 20;
/// What is read for nothing between two pieces rather than asked for apart.
const CLOSE: u64 = 4 << 10;
/// Decoded bytes that are kept.
const KEPT: usize = 16 << 20;
/// The largest piece that is decoded.
pub(super) const LARGEST: u64 = 32 << 20;

/// A part of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    /// Its first byte on the disk.
    pub(super) at: u64,
    /// Its length on the disk, not 0.
    pub(super) length: u64,
    /// Where it is kept; none when it is all zeros.
    pub(super) stored: Option<Stored>,
}

/// Where a piece is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stored {
    /// The number of a file, as [`Map::source`] takes it.
    pub(super) source: u64,
    /// Offset in that file.
    pub(super) offset: u64,
    /// Bytes there.
    pub(super) length: u64,
    /// How it is encoded, as [`Map::decode`] takes it.
    pub(super) form: u32,
}

/// Where each part of a disk is.
pub(super) trait Map: Send + Sync {
    /// Length of the disk in bytes.
    fn len(&self) -> u64;

    /// The piece that covers `offset`, which is less than [`Map::len`].
    ///
    /// # Errors
    /// What keeps it from being found or read.
    fn piece(&self, offset: u64) -> Result<Piece, ReadError>;

    /// A file by its number.
    ///
    /// # Errors
    /// When it cannot be opened.
    fn source(&self, number: u64) -> Result<Arc<dyn ReadAt>, ReadError>;

    /// Decodes a piece of `length` bytes; what is short is filled with zeros, what is longer cut.
    ///
    /// # Errors
    /// When it cannot be decoded.
    fn decode(&self, form: u32, stored: &[u8], length: u64) -> Result<Vec<u8>, ReadError>;

    /// See [`ReadAt::gap_bytes`].
    fn gap_bytes(&self) -> u64;
}

/// What keeps a piece from being read.
pub(super) fn lost(why: &str) -> ReadError {
    ReadError::new(ReadErrorKind::Malformed, why)
}

/// A disk over its map.
pub(super) struct Pieces<M> {
    map: M,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    pieces: HashMap<u64, (Bytes, u64)>,
    by_use: BTreeMap<u64, u64>,
    bytes: usize,
    clock: u64,
    /// Where the last request ended, and how much of the disk it brought.
    last: (u64, u64),
}

impl Kept {
    fn get(&mut self, at: u64) -> Option<Bytes> {
        let (bytes, used) = self.pieces.get_mut(&at)?;
        self.clock = self.clock.saturating_add(1);
        self.by_use.remove(used);
        *used = self.clock;
        self.by_use.insert(self.clock, at);
        Some(bytes.clone())
    }

    fn put(&mut self, at: u64, bytes: Bytes) {
        self.clock = self.clock.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes.len());
        if let Some((old, used)) = self.pieces.insert(at, (bytes, self.clock)) {
            self.by_use.remove(&used);
            self.bytes = self.bytes.saturating_sub(old.len());
        }
        self.by_use.insert(self.clock, at);
        while self.bytes > KEPT && self.pieces.len() > 1 {
            let Some((_, oldest)) = self.by_use.pop_first() else { break };
            if let Some((old, _)) = self.pieces.remove(&oldest) {
                self.bytes = self.bytes.saturating_sub(old.len());
            }
        }
    }
}

impl<M: Map> Pieces<M> {
    pub(super) fn new(map: M) -> Self {
        Self { map, kept: Mutex::new(Kept::default()) }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn piece(&self, offset: u64) -> Result<Piece, ReadError> {
        let piece = self.map.piece(offset)?;
        let covers = piece.at <= offset && offset < piece.at.saturating_add(piece.length);
        let large = piece.stored.is_some_and(|stored| stored.length > LARGEST)
            || (piece.stored.is_some() && piece.length > LARGEST);
        if !covers || large {
            return Err(lost("a part of the image that is not where it should be"));
        }
        Ok(piece)
    }

    /// Reads a run of pieces of one file in one request, hands out the first `wanted` and keeps
    /// all. What was read ahead and does not decode is left for who asks for it.
    fn fetch(
        &self,
        run: &[(Piece, Stored)],
        wanted: usize,
        out: &mut dyn FnMut(&Piece, &[u8]),
    ) -> Result<(), ReadError> {
        let Some((_, first)) = run.first() else { return Ok(()) };
        let end = run.iter().map(|(_, stored)| stored.offset.saturating_add(stored.length)).max();
        let range: Range<u64> = first.offset..end.unwrap_or(first.offset);
        let source = self.map.source(first.source)?;
        let length = range.end.saturating_sub(range.start);
        let bytes = read_vec(&*source, range.start, length)?;
        for (index, (piece, stored)) in run.iter().enumerate() {
            let from = usize::try_from(stored.offset.saturating_sub(range.start)).ok();
            let size = usize::try_from(stored.length).ok();
            let part =
                from.zip(size).and_then(|(from, size)| bytes.get(from..from.saturating_add(size)));
            let decoded = match part {
                Some(part) => self.map.decode(stored.form, part, piece.length),
                None => Err(ReadError::short(stored.offset, stored.length, 0)),
            };
            match decoded {
                Ok(decoded) => {
                    if index < wanted {
                        out(piece, &decoded);
                    }
                    self.kept().put(piece.at, decoded.into());
                }
                Err(error) if index < wanted => return Err(error),
                Err(_) => return Ok(()),
            }
        }
        Ok(())
    }

    /// Adds pieces behind a run when it goes on where the last request ended.
    fn ahead(&self, run: &mut Vec<(Piece, Stored)>) {
        let (Some((first, _)), Some((last, _))) = (run.first(), run.last()) else { return };
        let (begin, end) = (first.at, last.at.saturating_add(last.length));
        let asked = end.saturating_sub(begin);
        let (expected, before) = self.kept().last;
        let more = if expected == begin {
            before.saturating_mul(2).min(AHEAD).saturating_sub(asked)
        } else {
            0
        };
        let mut at = end;
        while at < end.saturating_add(more).min(self.map.len()) {
            let Ok(piece) = self.piece(at) else { break };
            let Some(stored) = piece.stored.filter(|stored| joins(run, stored)) else { break };
            at = piece.at.saturating_add(piece.length);
            run.push((piece, stored));
        }
        self.kept().last = (at, at.saturating_sub(begin));
    }
}

/// Whether a piece lies right behind a run.
fn joins(run: &[(Piece, Stored)], next: &Stored) -> bool {
    let (Some((_, first)), Some((_, last))) = (run.first(), run.last()) else { return true };
    let end = last.offset.saturating_add(last.length);
    last.source == next.source
        && next.offset >= end
        && next.offset.saturating_sub(end) <= CLOSE
        && next.offset.saturating_add(next.length).saturating_sub(first.offset) <= REQUEST
}

impl<M: Map> ReadAt for Pieces<M> {
    fn len(&self) -> u64 {
        self.map.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let wanted = wide(buffer.len());
        let end = offset.saturating_add(wanted).min(self.map.len());
        if offset >= end {
            return Ok(0);
        }
        let size = usize::try_from(end.saturating_sub(offset)).unwrap_or(buffer.len());
        let Some(buffer) = buffer.get_mut(..size) else { return Ok(0) };
        buffer.fill(0);
        let mut copy = |piece: &Piece, bytes: &[u8]| {
            let skip = index(offset.saturating_sub(piece.at));
            let to = index(piece.at.saturating_sub(offset));
            let from = bytes.get(skip..).unwrap_or(&[]);
            let Some(to) = buffer.get_mut(to..) else { return };
            let size = from.len().min(to.len());
            if let (Some(to), Some(from)) = (to.get_mut(..size), from.get(..size)) {
                to.copy_from_slice(from);
            }
        };
        let mut run: Vec<(Piece, Stored)> = Vec::new();
        let mut at = offset;
        while at < end {
            let piece = self.piece(at)?;
            at = piece.at.saturating_add(piece.length);
            let Some(stored) = piece.stored else { continue };
            if let Some(bytes) = self.kept().get(piece.at) {
                copy(&piece, &bytes);
                continue;
            }
            if !joins(&run, &stored) {
                self.fetch(&run, run.len(), &mut copy)?;
                run.clear();
            }
            run.push((piece, stored));
        }
        let wanted = run.len();
        if wanted > 0 {
            self.ahead(&mut run);
            self.fetch(&run, wanted, &mut copy)?;
        }
        Ok(size)
    }

    fn gap_bytes(&self) -> u64 {
        self.map.gap_bytes()
    }
}
