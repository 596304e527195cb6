//! A text cut into pieces at ends of lines, and what is known of each.
//!
//! Versions of a file follow each other in a history, and copies of it lie in a bucket: most of
//! their lines came by before, with the same lines around them. Whoever looks at a text says of
//! each piece whether it held anything; where the same piece comes by again between the same
//! neighbours, only those look at it for whom it held something. What is found is the same as in a
//! look at the whole text.

use std::cell::Cell;
use std::ops::Range;

/// What a piece may hold, a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Holds(u8);

impl Holds {
    /// A match of a rule, or a literal of one whose matches are long.
    pub const MATCH: Self = Self(1);
    /// A key and a value, in a program.
    pub const PAIR: Self = Self(1 << 1);
    /// Something encoded.
    pub const CODE: Self = Self(1 << 2);
    /// A word without which no credential for storage is written.
    pub const ANCHOR: Self = Self(1 << 3);
    /// Something that could be about people.
    pub const PEOPLE: Self = Self(1 << 4);

    /// From [`Self::bits`].
    #[must_use]
    pub fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// As a number.
    #[must_use]
    pub fn bits(self) -> u8 {
        self.0
    }

    fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

#[derive(Debug)]
struct Piece {
    end: usize,
    is_known: bool,
    holds: Cell<Holds>,
}

/// The pieces of one text, in order.
#[derive(Debug)]
pub struct Pieces {
    row: Vec<Piece>,
    length: usize,
    /// Something was not looked at to its end, so that nothing is known of what it holds.
    cut_short: Cell<bool>,
}

impl Pieces {
    /// What stands in a piece is seen by whoever looks at it with at least so many bytes before it
    /// and twice as many behind it, unless the text begins or ends there.
    pub const CONTEXT: usize = 256;

    /// A text of that length of which nothing is known.
    #[must_use]
    pub fn whole(length: usize) -> Self {
        Self::new([(length, None)])
    }

    /// By the end of each, and what it is known to hold when it came by before.
    #[must_use]
    pub fn new(pieces: impl IntoIterator<Item = (usize, Option<Holds>)>) -> Self {
        let piece = |(end, known): (usize, Option<Holds>)| Piece {
            end,
            is_known: known.is_some(),
            holds: Cell::new(known.unwrap_or_default()),
        };
        let row: Vec<Piece> = pieces.into_iter().map(piece).collect();
        let length = row.last().map_or(0, |last| last.end);
        Self { row, length, cut_short: Cell::new(false) }
    }

    /// The parts of the text that may hold such a thing, in order and apart, each of whole pieces.
    #[must_use]
    pub fn parts(&self, what: Holds) -> Vec<Range<usize>> {
        let mut parts: Vec<Range<usize>> = Vec::new();
        for piece in self.each(what) {
            match parts.last_mut() {
                Some(last) if last.end == piece.start => last.end = piece.end,
                _ => parts.push(piece),
            }
        }
        parts
    }

    /// Each piece that may hold such a thing.
    pub fn each(&self, what: Holds) -> impl Iterator<Item = Range<usize>> {
        let mut start = 0;
        self.row.iter().filter_map(move |piece| {
            let range = start..piece.end;
            start = piece.end;
            (!piece.is_known || piece.holds.get().has(what)).then_some(range)
        })
    }

    /// Notes that the pieces that touch a range hold such a thing.
    pub fn note(&self, what: Holds, range: &Range<usize>) {
        let last = range.end.max(range.start.saturating_add(1));
        let first = self.row.partition_point(|piece| piece.end <= range.start);
        let mut start = first.checked_sub(1).and_then(|at| self.row.get(at)).map_or(0, |p| p.end);
        for piece in self.row.get(first..).unwrap_or(&[]) {
            if start >= last {
                break;
            }
            piece.holds.set(piece.holds.get().with(what));
            start = piece.end;
        }
    }

    /// Notes that a bound ended a look: what was noted is not all.
    pub fn note_cut_short(&self) {
        self.cut_short.set(true);
    }

    /// What each holds that came by for the first time, by its number; nothing when a look was
    /// cut short.
    pub fn learned(&self) -> impl Iterator<Item = (usize, Holds)> {
        let whole = !self.cut_short.get();
        let fresh = self.row.iter().enumerate().filter(move |(_, piece)| whole && !piece.is_known);
        fresh.map(|(number, piece)| (number, piece.holds.get()))
    }

    /// The length of the text in bytes.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_hold_something_is_looked_at() {
        let pieces = Pieces::new([
            (10, Some(Holds::default())),
            (20, None),
            (30, Some(Holds::PAIR)),
            (40, Some(Holds::MATCH)),
            (50, Some(Holds::PAIR.with(Holds::MATCH))),
        ]);
        assert_eq!(pieces.parts(Holds::PAIR), [10..30, 40..50]);
        assert_eq!(pieces.parts(Holds::MATCH), [10..20, 30..50]);
        assert_eq!(pieces.parts(Holds::CODE).first(), Some(&(10..20)));
        assert_eq!(pieces.parts(Holds::CODE).len(), 1);
        assert_eq!(Pieces::whole(7).parts(Holds::CODE).first(), Some(&(0..7)));
        assert!(Pieces::whole(0).parts(Holds::CODE).iter().all(|part| part.is_empty()));
    }

    #[test]
    fn what_is_noted_is_learned_of_fresh_pieces() {
        let pieces = Pieces::new([(10, None), (20, Some(Holds::default())), (30, None)]);
        pieces.note(Holds::PAIR, &(9..11));
        pieces.note(Holds::MATCH, &(20..20));
        let learned: Vec<_> = pieces.learned().collect();
        assert_eq!(learned, [(0, Holds::PAIR), (2, Holds::MATCH)]);
        assert_eq!(pieces.parts(Holds::PAIR).first(), Some(&(0..30)));
        pieces.note_cut_short();
        assert_eq!(pieces.learned().count(), 0);
    }
}
