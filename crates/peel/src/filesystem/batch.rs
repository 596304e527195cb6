//! Many pieces of metadata read in the order of the disk, with few requests and bounded memory.

use lidless_io::number::{index, wide};
use lidless_io::{Apart, ReadAt, ReadError, ReadErrorKind, read_each, read_vec};
use std::ops::Range;

/// The most that one request asks for.
const LARGEST: u64 = 8 << 20;
/// What is asked for together where requests wait for their answers, and so held at a time.
const TOGETHER: u64 = 16 << 20;

/// With fewer requests than this there is nothing to save.
const FEW: usize = 64;
/// The widest gap that is read for nothing: what 50 MB/s bring in a delay of 20 ms.
const WIDEST: u64 = 1 << 20;
/// A sweep reads more than it wants as long as that is not more than this part of the volume:
/// below a hundredth, with room for what is read before and after it.
const SHARE: u64 = 110;
/// However cheap the link says that bytes are, no more is read than this many times what is
/// wanted, ...
const TIMES: u64 = 4;
/// ... but for this much, which is not worth counting.
const FREE: u64 = 16 << 20;

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

/// Whether so many requests are made past the caches of a volume. A few bring what lies around
/// them as well: that is soon asked for, and there is little of it.
pub(super) fn is_scattered(requests: usize) -> bool {
    requests >= FEW
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

/// Reads the pieces, past the caches of the volume where they are many, and hands each out in the
/// order in which they lie: its tag, the offset within it, bytes. Those closer than the source's own gap are one
/// request; where there are many, those further from each other are joined as well, as long as
/// all that is read stays below `most`, and where bytes would be many times what is wanted, fewer
/// are joined. A piece longer than 8 MiB comes in parts, cut at multiples of 8 MiB from its start.
/// Pieces that cannot be read are counted and passed over.
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
    let together = if volume.lanes() > 1 { TOGETHER } else { LARGEST };
    let requests = requests(&pieces, gap(&pieces, volume.gap_bytes(), most));
    let apart = Apart(volume);
    let volume: &dyn ReadAt = if is_scattered(requests.len()) { &apart } else { volume };
    let mut rest = requests.as_slice();
    while !rest.is_empty() {
        let mut sum = 0u64;
        let fits = |request: &&Request<'_>| {
            sum = sum.saturating_add(request.length);
            sum <= together
        };
        let count = rest.iter().take_while(fits).count().max(1);
        let (wave, later) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        let places: Vec<Range<u64>> = wave.iter().map(Request::range).collect();
        for (request, bytes) in wave.iter().zip(read_each(volume, &places)) {
            outcome.bytes = outcome.bytes.saturating_add(request.length);
            match bytes {
                Ok(bytes) => request.hand_out(&bytes, visit),
                Err(error) if request.pieces.len() == 1 => fail(&mut outcome, 1, error)?,
                // Once more, one by one: a bad place spoils its own piece only.
                Err(error) => {
                    fail(&mut outcome, 0, error)?;
                    for piece in request.pieces {
                        match read_vec(volume, piece.start, piece.length) {
                            Ok(bytes) => visit(piece.tag, 0, &bytes),
                            Err(error) => fail(&mut outcome, 1, error)?,
                        }
                    }
                }
            }
        }
        rest = later;
    }
    Ok(outcome)
}

/// Bytes that are asked for at once: pieces that lie close to each other, or a part of one.
struct Request<'p> {
    start: u64,
    length: u64,
    pieces: &'p [Piece],
}

impl Request<'_> {
    fn range(&self) -> Range<u64> {
        self.start..self.start.saturating_add(self.length)
    }

    fn hand_out(&self, bytes: &[u8], visit: &mut dyn FnMut(u64, u64, &[u8])) {
        for piece in self.pieces {
            // One of the two is 0: only a piece alone begins before its request.
            let from = index(piece.start.saturating_sub(self.start));
            let at = self.start.saturating_sub(piece.start);
            let to = from.saturating_add(index(piece.length)).min(bytes.len());
            visit(piece.tag, at, bytes.get(from..to).unwrap_or(&[]));
        }
    }
}

/// What is asked for when pieces that lie up to `close` from each other are joined.
fn requests(pieces: &[Piece], close: u64) -> Vec<Request<'_>> {
    let mut requests = Vec::new();
    let mut rest = pieces;
    while let Some((first, _)) = rest.split_first() {
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
        let (pieces, later) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        let mut start = first.start;
        while start < stop {
            let length = stop.saturating_sub(start).min(LARGEST);
            requests.push(Request { start, length, pieces });
            start = start.saturating_add(length);
        }
        rest = later;
    }
    requests
}

/// How far apart two pieces may lie to be read in one request: what the source says; wider where
/// the pieces are many and all that is read stays below `most`; closer where what the source says
/// would bring many times what is wanted.
fn gap(pieces: &[Piece], own: u64, most: u64) -> u64 {
    let (mut gaps, mut wanted, mut stop) = (Vec::new(), 0u64, None);
    for piece in pieces {
        let end = piece.start.saturating_add(piece.length);
        let before = stop.unwrap_or(piece.start);
        gaps.extend(piece.start.checked_sub(before).filter(|gap| *gap > 0));
        wanted = wanted.saturating_add(end.saturating_sub(piece.start.max(before)));
        stop = Some(end.max(before));
    }
    gaps.sort_unstable();
    // The widest gap up to which all may be read for nothing.
    let widest = |limit: u64| {
        let mut left = limit.saturating_sub(wanted);
        for gap in &gaps {
            match left.checked_sub(*gap) {
                Some(rest) => left = rest,
                None => return gap.saturating_sub(1),
            }
        }
        u64::MAX
    };
    let ceiling = most.max(wanted.saturating_mul(TIMES)).max(FREE);
    let close = own.min(widest(ceiling));
    // With all of the gaps from here on there are few requests.
    let few = gaps.len().checked_sub(FEW).and_then(|at| gaps.get(at)).copied().unwrap_or(0);
    close.max(widest(most).min(few).min(WIDEST))
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
    use lidless_io::{BlockCache, Counted, MemoryBytes, Tally, Window};
    use std::sync::Arc;

    #[test]
    fn gaps_are_read_as_far_as_they_are_worth_it() {
        let piece = |n: u64, every: u64| Piece { start: n * every, length: 4096, tag: n };
        let scattered: Vec<Piece> = (0..10_000).map(|n| piece(n, 132 << 10)).collect();
        let read =
            |close: u64| requests(&scattered, close).iter().map(|one| one.length).sum::<u64>();
        // A link on which bytes cost nothing does not make it read all there is, ...
        let close = gap(&scattered, 4 << 20, 500 << 20);
        assert!(close < 128 << 10 && read(close) == 10_000 * 4096);
        // ... unless that is little of the volume, or little at all.
        assert!(gap(&scattered, 4 << 20, 2 << 30) >= 128 << 10);
        assert!(gap(&scattered[..100], 4 << 20, 0) >= 128 << 10);
        // A link on which they are dear joins many all the same, within what is allowed.
        assert_eq!(gap(&scattered, 8 << 10, 2 << 30), 128 << 10);
        assert_eq!(gap(&scattered[..64], 8 << 10, 2 << 30), 8 << 10);
        // Some gaps are shorter than others: those are joined.
        let mixed: Vec<Piece> = (0..10_000)
            .map(|n| Piece { start: n * (132 << 10) + (n * n % 97) * 1000, length: 4096, tag: n })
            .collect();
        let close = gap(&mixed, 4 << 20, 500 << 20);
        let read = requests(&mixed, close);
        let bytes: u64 = read.iter().map(|one| one.length).sum();
        assert!((400 << 20..=500 << 20).contains(&bytes), "{bytes}");
        assert!(read.len() < 7000, "{}", read.len());
    }

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

    #[test]
    fn a_few_pieces_bring_what_lies_around_them_and_many_bring_themselves() {
        let cost = |count: u64| {
            let tally = Tally::default();
            let memory = MemoryBytes::new(vec![7u8; 16 << 20]);
            let counted = Counted::new(Arc::new(memory), tally.clone());
            let volume = BlockCache::new(Arc::new(counted), 16 << 10, 8 << 20);
            // What is asked for next lies beside what was asked for first.
            for beside in [0, 4096] {
                let pieces = (0..count)
                    .map(|n| Piece { start: n * (64 << 10) + beside, length: 1000, tag: n })
                    .collect();
                read_within(&volume, 0, pieces, &mut |_, _, bytes| assert_eq!(bytes.len(), 1000))
                    .unwrap();
            }
            (tally.requests(), tally.bytes())
        };
        assert_eq!(cost(10), (10, 10 * (16 << 10)));
        assert_eq!(cost(200), (400, 400 * 1000));
    }
}
