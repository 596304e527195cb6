//! Pieces of texts that came by before, by their hash.
//!
//! The versions of a file in a history have most of their lines in common, and so have copies in
//! a bucket. Each text is cut at ends of lines that a few bytes around them choose, so that the cuts
//! fall at the same lines wherever those stand; each piece is known by its content and that of the
//! one before and the two behind it, the name of the file, and who looks at it. What it may hold is
//! kept, and where it comes by again, only those look at it for whom it may hold something
//! (`core::Pieces`).
//!
//! The key of the hash is of the run, so that nobody can write a text that is taken for another
//! one; by chance, one look in 2^55 goes wrong.

use foldhash::quality::RandomState;
use lidless_core::{Holds, Known, Pieces};
use lidless_detect::Wants;
use std::hash::{BuildHasher as _, Hash as _, Hasher as _};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many are kept: 16 MiB of them. A newer one takes the place of an older one.
const KEPT: usize = 1 << 21;
/// One line in so many ends a piece.
const LINES: u64 = 4;
/// The low bits of what is kept: what a piece holds, and that something is kept there.
const HOLDS: u64 = 0xff;
const SET: u64 = 0x100;

/// What is known of pieces; shared by all threads.
#[derive(Default)]
pub(crate) struct Versions {
    state: RandomState,
    kept: OnceLock<Box<[AtomicU64]>>,
}

/// A text, cut.
pub(crate) struct Cut {
    pub(crate) pieces: Pieces,
    keys: Vec<Key>,
}

/// What a piece is known by: itself, and with its neighbours.
struct Key {
    alone: u64,
    among: u64,
}

impl Versions {
    /// Cuts a text, and says what is known of it under its name.
    pub(crate) fn cut(&self, text: &str, path: &str, wants: Wants) -> Cut {
        let bytes = text.as_bytes();
        let ends = ends(bytes);
        let mut start = 0;
        let mut hashes = Vec::with_capacity(ends.len());
        for end in &ends {
            hashes.push(self.state.hash_one(bytes.get(start..*end)));
            start = *end;
        }
        let name = self.state.hash_one((path, wants));
        let beside = |at: Option<usize>| at.and_then(|at| hashes.get(at)).copied();
        let keys: Vec<Key> = (0..hashes.len())
            .map(|at| {
                let mut hasher = self.state.build_hasher();
                name.hash(&mut hasher);
                beside(Some(at)).hash(&mut hasher);
                let alone = hasher.finish();
                beside(at.checked_sub(1)).hash(&mut hasher);
                beside(at.checked_add(1)).hash(&mut hasher);
                beside(at.checked_add(2)).hash(&mut hasher);
                Key { alone, among: hasher.finish() }
            })
            .collect();
        let known = |key: &Key| Known {
            alone: self.known(key.alone, Holds::ALONE),
            among: self.known(key.among, Holds::AMONG),
        };
        let pieces = Pieces::new(ends.into_iter().zip(keys.iter().map(known)));
        Cut { pieces, keys }
    }

    /// Keeps what was learned of pieces that came by for the first time.
    pub(crate) fn learn(&self, cut: &Cut) {
        for (number, learned) in cut.pieces.learned() {
            let Some(key) = cut.keys.get(number) else { continue };
            for (key, holds) in [(key.alone, learned.alone), (key.among, learned.among)] {
                if let (Some(slot), Some(holds)) = (self.slot(key), holds) {
                    let holds = u64::from(holds.bits()) & HOLDS;
                    slot.store(key & !(HOLDS | SET) | SET | holds, Ordering::Relaxed);
                }
            }
        }
    }

    fn known(&self, key: u64, what: Holds) -> Option<Holds> {
        let kept = self.slot(key)?.load(Ordering::Relaxed);
        let same = kept & !HOLDS == key & !(HOLDS | SET) | SET;
        same.then(|| Holds::from_bits(u8::try_from(kept & HOLDS).unwrap_or(u8::MAX)).only(what))
    }

    /// The place of a key: by its high bits, the low ones are not kept.
    fn slot(&self, key: u64) -> Option<&AtomicU64> {
        let kept = self.kept.get_or_init(|| (0..KEPT).map(|_| AtomicU64::new(0)).collect());
        kept.get(usize::try_from(key.checked_shr(43)?).ok()?)
    }
}

/// Where the pieces of a text end. Each is as long as the context of its neighbours has to be,
/// unless the whole text is shorter.
fn ends(bytes: &[u8]) -> Vec<usize> {
    let mut ends = Vec::with_capacity(bytes.len() / Pieces::CONTEXT);
    let mut from = Pieces::CONTEXT;
    // The last piece is as long as the others.
    let last = bytes.len().saturating_sub(Pieces::CONTEXT);
    while from < last {
        let Some(line) = bytes.get(from..last).and_then(|rest| memchr::memchr(b'\n', rest)) else {
            break;
        };
        let end = from.saturating_add(line).saturating_add(1);
        from = end;
        if is_cut(bytes, end) {
            ends.push(end);
            from = end.saturating_add(Pieces::CONTEXT);
        }
    }
    ends.push(bytes.len());
    ends
}

/// Whether the few bytes around the end of a line choose it.
fn is_cut(bytes: &[u8], end: usize) -> bool {
    let word = |start: Option<usize>| {
        let eight = start.and_then(|start| bytes.get(start..)).and_then(|rest| rest.first_chunk());
        eight.map_or(0, |eight: &[u8; 8]| u64::from_le_bytes(*eight))
    };
    let mixed = word(end.checked_sub(9)) ^ word(Some(end)).rotate_left(29);
    mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32 & (LINES - 1) == 0
}

#[cfg(test)]
mod equal;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_fall_at_the_same_lines_wherever_they_stand() {
        let text: String = (0..2000).map(|number| format!("line {number} of many\n")).collect();
        let cut = ends(text.as_bytes());
        assert!(cut.len() > 20);
        let moved = format!("something in front\n{text}");
        let front = moved.len() - text.len();
        let again = ends(moved.as_bytes());
        let same = again.iter().filter(|end| cut.contains(&(**end - front))).count();
        assert!(same + 3 >= again.len(), "{same} of {}", again.len());
        let mut start = 0;
        for end in &cut {
            assert!(end - start >= Pieces::CONTEXT);
            assert!(*end == text.len() || text.as_bytes()[end - 1] == b'\n');
            start = *end;
        }
        assert_eq!(ends(b""), [0]);
        assert_eq!(ends(b"short\n"), [6]);
        assert_eq!(ends(&[b'\n'; 1023]), [1023]);
    }

    #[test]
    fn a_piece_is_known_by_its_neighbours_and_its_name() {
        let versions = Versions::default();
        let detectors = lidless_detect::Detectors::new();
        let wants = |path: &str| {
            let layer = lidless_core::Layer::File { path: path.into() };
            let entry = lidless_core::Entry::new(lidless_core::Provenance::new(layer), None);
            detectors.wants(&entry, &lidless_detect::Head::new(b"text"))
        };
        let line = |number: usize| format!("{number} of a few thousand lines of text\n");
        let text: String = (0..3000).map(line).collect();
        let known = |text: &str, path: &str| {
            let cut = versions.cut(text, path, wants(path));
            let parts = cut.pieces.parts(Holds::PAIR);
            let count = parts.iter().map(std::ops::Range::len).sum::<usize>();
            versions.learn(&cut);
            text.len() - count
        };
        // The key is another one each time, and two pieces may want one place.
        let lost = 16 * Pieces::CONTEXT;
        assert_eq!(known(&text, "/a.txt"), 0);
        assert!(known(&text, "/a.txt") > text.len() - lost);
        assert_eq!(known(&text, "/b.txt"), 0);
        let changed = text.replacen("250 of", "251 of", 1);
        let rest = known(&changed, "/a.txt");
        assert!(rest > text.len() * 3 / 4 && rest < text.len() - Pieces::CONTEXT, "{rest}");
        let cut = versions.cut(&text, "/c.txt", wants("/c.txt"));
        cut.pieces.note_cut_short();
        versions.learn(&cut);
        assert_eq!(known(&text, "/c.txt"), 0);
    }
}
