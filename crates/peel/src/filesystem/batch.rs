//! Many pieces of metadata read in the order of the disk, with few requests and bounded memory.

use lidless_io::number::{index, wide};
use lidless_io::{ReadAt, ReadError, ReadErrorKind, read_vec};

/// The most that one request asks for, and so about what is held at a time.
const LARGEST: u64 = 8 << 20;

/// With fewer requests than this there is nothing to save.
const FEW: u64 = 64;
/// The widest gap that is read for nothing: what 50 MB/s bring in a delay of 20 ms.
const WIDEST: u64 = 1 << 20;
/// A sweep reads more than it wants as long as that is not more than this part of the volume.
const SHARE: u64 = 100;

/// A piece that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Piece {
    /// Offset in the volume.
    pub(super) start: u64,
    /// Length in bytes.
    pub(super) length: u64,
    /// Whose it is: handed back with the bytes.
    pub(super) tag: u64,
}

/// What came of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Read {
    /// Pieces that the source did not give.
    pub(super) failed: u64,
    /// Pieces that lie past the end of the source, or begin before it and end after it.
    pub(super) cut: u64,
    /// Bytes that were read, unwanted ones included.
    pub(super) bytes: u64,
}

/// How many bytes of metadata a sweep may read to save requests; where what it wants is more, it
/// is read with what the source itself joins.
pub(super) fn allowed(volume: &dyn ReadAt) -> u64 {
    volume.len() / SHARE
}

/// As [`read_within`], of what a sweep may read.
///
/// # Errors
/// When the budget is spent.
pub(super) fn read_in_order(
    volume: &dyn ReadAt,
    pieces: Vec<Piece>,
    visit: &mut dyn FnMut(u64, u64, &[u8]),
) -> Result<Read, ReadError> {
    read_within(volume, allowed(volume), pieces, visit)
}

/// Reads the pieces in the order in which they lie, those closer than the source's own gap in one
/// request, and hands each out: its tag, the offset within it, bytes. Where there are many, those
/// further from each other are joined as well, as long as all that is read stays below `most`. A
/// piece longer than 8 MiB comes in parts, cut at multiples of 8 MiB from its start. Pieces that
/// cannot be read are counted and passed over.
///
/// # Errors
/// When the budget is spent.
pub(super) fn read_within(
    volume: &dyn ReadAt,
    most: u64,
    mut pieces: Vec<Piece>,
    visit: &mut dyn FnMut(u64, u64, &[u8]),
) -> Result<Read, ReadError> {
    let end = volume.len();
    let mut outcome = Read::default();
    pieces.sort_unstable();
    pieces.retain_mut(|piece| {
        let left = end.saturating_sub(piece.start);
        if left < piece.length {
            outcome.cut = outcome.cut.saturating_add(1);
            piece.length = left;
        }
        piece.length > 0
    });
    let close = gap(&pieces, volume.gap_bytes(), most);
    let mut rest = pieces.as_slice();
    while let Some((first, after)) = rest.split_first() {
        if first.length > LARGEST {
            let mut at = 0;
            while at < first.length {
                let length = first.length.saturating_sub(at).min(LARGEST);
                outcome.bytes = outcome.bytes.saturating_add(length);
                match read_vec(volume, first.start.saturating_add(at), length) {
                    Ok(bytes) => visit(first.tag, at, &bytes),
                    Err(error) => fail(&mut outcome, 1, error)?,
                }
                at = at.saturating_add(LARGEST);
            }
            rest = after;
            continue;
        }
        let mut stop = first.start.saturating_add(first.length);
        let count = rest
            .iter()
            .take_while(|piece| {
                let own = piece.start.saturating_add(piece.length).max(stop);
                let fits = piece.start <= stop.saturating_add(close)
                    && own.saturating_sub(first.start) <= LARGEST;
                if fits {
                    stop = own;
                }
                fits
            })
            .count()
            .max(1);
        let (group, later) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        let length = stop.saturating_sub(first.start);
        outcome.bytes = outcome.bytes.saturating_add(length);
        match read_vec(volume, first.start, length) {
            Ok(bytes) => {
                for piece in group {
                    let from = index(piece.start.saturating_sub(first.start));
                    let to = from.saturating_add(index(piece.length)).min(bytes.len());
                    visit(piece.tag, 0, bytes.get(from..to).unwrap_or(&[]));
                }
            }
            Err(error) if group.len() == 1 => fail(&mut outcome, 1, error)?,
            // Once more, one by one: a bad place spoils its own piece only.
            Err(error) => {
                fail(&mut outcome, 0, error)?;
                for piece in group {
                    match read_vec(volume, piece.start, piece.length) {
                        Ok(bytes) => visit(piece.tag, 0, &bytes),
                        Err(error) => fail(&mut outcome, 1, error)?,
                    }
                }
            }
        }
        rest = later;
    }
    Ok(outcome)
}

/// How far apart two pieces may lie to be read in one request: what the source says; wider where
/// the pieces are many and all that is read stays below `most`.
fn gap(pieces: &[Piece], own: u64, most: u64) -> u64 {
    let cost = |close: u64| {
        let (mut requests, mut bytes, mut stop) = (0u64, 0u64, 0u64);
        for piece in pieces {
            let between = piece.start.saturating_sub(stop);
            let is_joined = requests > 0 && between <= close;
            let end = piece.start.saturating_add(piece.length).max(stop);
            let own = end.saturating_sub(piece.start.max(stop));
            bytes = bytes.saturating_add(own);
            if is_joined {
                bytes = bytes.saturating_add(between);
            } else {
                requests = requests.saturating_add(1);
            }
            stop = end;
        }
        (requests, bytes)
    };
    let mut close = own;
    while close > 0 && close < WIDEST && cost(close).0 > FEW {
        let wider = close.saturating_add(close.div_ceil(4)).min(WIDEST);
        if cost(wider).1 > most {
            break;
        }
        close = wider;
    }
    close
}

fn fail(outcome: &mut Read, pieces: usize, error: ReadError) -> Result<(), ReadError> {
    if error.kind == ReadErrorKind::OutOfBudget {
        return Err(error);
    }
    outcome.failed = outcome.failed.saturating_add(wide(pieces));
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation)]
    use super::*;
    use lidless_io::{Counted, MemoryBytes, Tally, Window};
    use std::sync::Arc;

    #[test]
    fn pieces_come_in_the_order_of_the_disk_and_those_past_its_end_are_counted() {
        let data: Vec<u8> = (0..20u32 << 20).map(|n| (n / 1000) as u8).collect();
        let tally = Tally::default();
        let counted = Counted::new(Arc::new(MemoryBytes::new(data.clone())), tally.clone());
        let volume = Window::new(Arc::new(counted), 0, 20 << 20);
        let piece = |start, length, tag| Piece { start, length, tag };
        let pieces = vec![
            piece(5000, 10, 1),
            piece(0, 4000, 2),
            piece(4000, 10, 3),
            piece(1 << 20, 17 << 20, 4),
            piece((20 << 20) - 5, 10, 5),
            piece(30 << 20, 10, 6),
        ];
        let mut got = Vec::new();
        let outcome = read_in_order(&volume, pieces.clone(), &mut |tag, at, bytes| {
            let start = pieces.iter().find(|piece| piece.tag == tag).unwrap().start + at;
            assert_eq!(bytes, &data[start as usize..start as usize + bytes.len()]);
            got.push((tag, bytes.len()));
        });
        let outcome = outcome.unwrap();
        assert_eq!((outcome.failed, outcome.cut), (0, 2));
        assert_eq!(outcome.bytes, 4020 + (17 << 20) + 5);
        let large = 8 << 20;
        let parts = [(2, 4000), (3, 10), (1, 10), (4, large), (4, large), (4, 1 << 20), (5, 5)];
        assert_eq!(got, parts);
        assert_eq!(tally.requests(), 6);
    }
}
