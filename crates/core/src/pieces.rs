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
    /// The beginning of a literal of a rule: no [`Self::MATCH`] is found without one.
    pub const LITERAL: Self = Self(1 << 5);
    /// A word that speaks of a secret: no [`Self::PAIR`] is found without one.
    pub const WORD: Self = Self(1 << 6);
    /// Characters that could be something encoded: no [`Self::CODE`] is found without them.
    pub const RUN: Self = Self(1 << 7);

    /// What is told by a piece alone, because it stands in one line; the rest by what stands
    /// around it as well.
    pub const ALONE: Self =
        Self(Self::ANCHOR.0 | Self::PEOPLE.0 | Self::LITERAL.0 | Self::WORD.0 | Self::RUN.0);
    /// What is told with what stands around a piece.
    pub const AMONG: Self = Self(Self::MATCH.0 | Self::PAIR.0 | Self::CODE.0);

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

    /// What is in both.
    #[must_use]
    pub fn only(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// What a piece holds where such a thing is found, whatever stands around it.
    fn sign(self) -> Self {
        match self {
            Self::MATCH => Self::LITERAL,
            Self::PAIR => Self::WORD,
            Self::CODE => Self::RUN,
            other => other,
        }
    }
}

#[derive(Debug)]
struct Piece {
    end: usize,
    known: Holds,
    holds: Cell<Holds>,
}

/// What is known of a piece that came by before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Known {
    /// What it holds of [`Holds::ALONE`], if the same piece came by.
    pub alone: Option<Holds>,
    /// What it holds of [`Holds::AMONG`], if it came by between the same neighbours.
    pub among: Option<Holds>,
}

/// The pieces of one text, in order.
#[derive(Debug)]
pub struct Pieces {
    row: Vec<Piece>,
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
        Self::new([(length, Known::default())])
    }

    /// By the end of each, and what it is known to hold when it came by before.
    #[must_use]
    pub fn new(pieces: impl IntoIterator<Item = (usize, Known)>) -> Self {
        let piece = |(end, known): (usize, Known)| {
            let of = |held: Option<Holds>, all: Holds| {
                held.map_or((Holds::default(), Holds::default()), |held| (all, held.only(all)))
            };
            // A look for what stands among neighbours is what tells the signs of it as well: where
            // those are forgotten it has to be made again.
            let among = known.among.filter(|_| known.alone.is_some());
            let (alone, among) = (of(known.alone, Holds::ALONE), of(among, Holds::AMONG));
            Piece { end, known: alone.0.with(among.0), holds: Cell::new(alone.1.with(among.1)) }
        };
        let row = pieces.into_iter().map(piece).collect();
        Self { row, cut_short: Cell::new(false) }
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
            let may = |what: Holds| !piece.known.has(what) || piece.holds.get().has(what);
            (may(what) && may(what.sign())).then_some(range)
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

    /// What was learned of each of which not all was known, by its number; nothing when a look was
    /// cut short.
    pub fn learned(&self) -> impl Iterator<Item = (usize, Known)> {
        let whole = !self.cut_short.get();
        let rows = self.row.iter().enumerate().filter(move |_| whole);
        rows.filter_map(|(number, piece)| {
            let fresh = |all: Holds| (!piece.known.has(all)).then(|| piece.holds.get().only(all));
            let known = Known { alone: fresh(Holds::ALONE), among: fresh(Holds::AMONG) };
            (known != Known::default()).then_some((number, known))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(held: Holds) -> Known {
        Known { alone: Some(held), among: Some(held) }
    }

    #[test]
    fn what_may_hold_something_is_looked_at() {
        let pair = Holds::PAIR.with(Holds::WORD);
        let found = Holds::MATCH.with(Holds::LITERAL);
        let pieces = Pieces::new([
            (10, both(Holds::default())),
            (20, Known::default()),
            (30, both(pair)),
            (40, both(found)),
            (50, both(pair.with(found))),
            (60, Known { alone: Some(Holds::PEOPLE.with(Holds::WORD)), among: None }),
        ]);
        assert_eq!(pieces.parts(Holds::PAIR), [10..30, 40..60]);
        assert_eq!(pieces.parts(Holds::MATCH), [10..20, 30..50]);
        assert_eq!(pieces.parts(Holds::CODE).first(), Some(&(10..20)));
        assert_eq!(pieces.parts(Holds::CODE).len(), 1);
        assert_eq!(pieces.parts(Holds::PEOPLE), [10..20, 50..60]);
        assert_eq!(pieces.parts(Holds::ANCHOR).first(), Some(&(10..20)));
        assert_eq!(pieces.parts(Holds::ANCHOR).len(), 1);
        assert_eq!(Pieces::whole(7).parts(Holds::CODE).first(), Some(&(0..7)));
        assert!(Pieces::whole(0).parts(Holds::CODE).iter().all(|part| part.is_empty()));
    }

    #[test]
    fn what_stands_among_neighbours_needs_its_sign() {
        let parts = |alone, among| {
            let pieces = Pieces::new([(10, Known { alone, among })]);
            [Holds::MATCH, Holds::PAIR, Holds::CODE].map(|what| pieces.parts(what).len())
        };
        let none = Some(Holds::default());
        assert_eq!(parts(None, None), [1, 1, 1]);
        assert_eq!(parts(none, None), [0, 0, 0]);
        assert_eq!(parts(Some(Holds::RUN), None), [0, 0, 1]);
        assert_eq!(parts(Some(Holds::RUN), none), [0, 0, 0]);
        // What is forgotten of the piece alone would be learned of a whole look only.
        assert_eq!(parts(None, none), [1, 1, 1]);
        let all = Some(Holds::from_bits(u8::MAX));
        assert_eq!(parts(all, all), [1, 1, 1]);
    }

    #[test]
    fn what_is_noted_is_learned_of_what_was_not_known() {
        let alone = Known { alone: Some(Holds::default()), among: None };
        let pieces = Pieces::new([
            (10, Known::default()),
            (20, both(Holds::default())),
            (30, Known::default()),
            (40, alone),
        ]);
        pieces.note(Holds::PAIR, &(9..11));
        pieces.note(Holds::ANCHOR, &(20..20));
        pieces.note(Holds::MATCH, &(35..36));
        let learned: Vec<_> = pieces.learned().collect();
        let known = |alone, among| Known { alone, among };
        let none = Some(Holds::default());
        assert_eq!(
            learned,
            [
                (0, known(none, Some(Holds::PAIR))),
                (2, known(Some(Holds::ANCHOR), none)),
                (3, known(None, Some(Holds::MATCH))),
            ]
        );
        assert_eq!(pieces.parts(Holds::PAIR), [0..10, 20..30]);
        pieces.note_cut_short();
        assert_eq!(pieces.learned().count(), 0);
    }
}
