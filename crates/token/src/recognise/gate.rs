//! A first look at blocks of text: which ones can hold an anchor at all.
//!
//! Written as plain comparisons over whole slices, which compilers turn into vector instructions;
//! nearly all of a source tree is dismissed here, several times faster than an automaton reads
//! it. It may let through what holds nothing; it never holds back an anchor
//! (`every_anchor_passes_at_every_place`).

use std::ops::Range;

/// Small enough that one chance hit costs little, large enough that the loop pays.
const BLOCK: usize = 1024;
/// How many bytes a vector instruction compares, or more.
const LANES: usize = 32;
/// The longest window that is compared.
const WINDOW: usize = 5;
/// Longer than every anchor: what is searched before and after a block that passed.
const MARGIN: usize = 32;

/// Upper and lower case alike; `_` becomes 0x7f and `\` becomes `|`, which no anchor holds.
const fn fold(byte: u8) -> u8 {
    byte | 0x20
}
const UNDERSCORE: u8 = fold(b'_');
const BACKSLASH: u8 = fold(b'\\');

/// Parts of `text` that can hold an anchor, in order and apart from each other, with margins at
/// both sides, inside the part that is asked for: an anchor that begins in it ends in it.
pub(crate) fn passing(text: &[u8], part: &Range<usize>) -> Vec<Range<usize>> {
    let text = text.get(..part.end).unwrap_or(text);
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut at = part.start;
    while at < text.len() {
        let end = at.saturating_add(BLOCK).min(text.len());
        let seen = end.saturating_add(WINDOW).min(text.len());
        if text.get(at..seen).is_some_and(block) {
            let (from, to) = (
                at.saturating_sub(MARGIN).max(part.start),
                end.saturating_add(MARGIN).min(text.len()),
            );
            match ranges.last_mut() {
                Some(last) if last.end >= from => last.end = to,
                _ => ranges.push(from..to),
            }
        }
        at = end;
    }
    ranges
}

/// Whether one block can hold the beginning of a window.
fn block(bytes: &[u8]) -> bool {
    // What stands past the end is as good as a space. Most parts are shorter than a block.
    let length = bytes.len().next_multiple_of(LANES).min(BLOCK + WINDOW);
    let mut raw = [b' '; BLOCK + 2 * WINDOW];
    if let Some(head) = raw.get_mut(..bytes.len()) {
        head.copy_from_slice(bytes);
    }
    let mut folded = [b' '; BLOCK + 2 * WINDOW];
    let all = length.saturating_add(WINDOW);
    if let (Some(to), Some(from)) = (folded.get_mut(..all), raw.get(..all)) {
        for (slot, byte) in to.iter_mut().zip(from) {
            *slot = fold(*byte);
        }
    }
    let shifted = |by: usize| folded.get(by..by.saturating_add(length)).unwrap_or(&[]);
    let (a, b, c, d, e) = (shifted(0), shifted(1), shifted(2), shifted(3), shifted(4));
    let mut hit = false;
    for ((((a, b), c), d), e) in a.iter().zip(b).zip(c).zip(d).zip(e) {
        hit |= window(*a, *b, *c, *d, *e);
    }
    let case = |by: usize| raw.get(by..by.saturating_add(length)).unwrap_or(&[]);
    for (((a, b), c), d) in case(0).iter().zip(case(1)).zip(case(2)).zip(case(3)) {
        // AKIA, ASIA, GOOG, in this very case: "google" is everywhere.
        hit |= (*a == b'A') & ((*b == b'K') | (*b == b'S')) & (*c == b'I') & (*d == b'A')
            | (*a == b'G') & (*b == b'O') & (*c == b'O') & (*d == b'G');
    }
    hit
}

/// Five folded bytes that at least one anchor holds, each at the place where it is rarest.
#[inline(always)]
fn window(a: u8, b: u8, c: u8, d: u8, e: u8) -> bool {
    let is = |w: &[u8; 4]| (a == w[0]) & (b == w[1]) & (c == w[2]) & (d == w[3]);
    let sign = |x: u8| (x == b'=') | (x == b'%') | (x == BACKSLASH);
    // sig= sig%3d sig\u003d sig&#61;
    let sig = (a == b's') & (b == b'i') & (c == b'g') & (sign(d) | (d == b'&'));
    // sv=20 sv=3d20 sv%3d20
    let version =
        (a == b's') & (b == b'v') & ((c == b'=') | (c == b'%')) & ((d == b'2') | (d == b'3'));
    // signature=
    let signature = (a == b't') & (b == b'u') & (c == b'r') & (d == b'e') & sign(e);
    // accountkey account_key storage-key access.key sharedkey primarykey
    let joined = ((c == b't') | (c == b'e') | (c == b's') | (c == b'y') | (c == b'd'))
        & ((b == b'n') | (b == b'g') | (b == b's') | (b == b'r') | (b == b'e'));
    let apart = ((c == UNDERSCORE) | (c == b'-') | (c == b'.'))
        & ((b == b't') | (b == b'e') | (b == b's') | (b == b'y'))
        & ((a == b'n') | (a == b'g') | (a == b's') | (a == b'r'));
    let key = (d == b'k') & (e == b'e') & (joined | apart);
    let account = (a == b'e') & (b == UNDERSCORE) & (c == b'a') & (d == b'c') & (e == b'c');
    // windows.net azure.net
    let net = ((a == b'w') & (b == b's') | (a == b'r') & (b == b'e')) & (d == b'n') & (e == b'e');
    // amazonaws.com spaces.com aliyuncs.com googleapis.com, google.com storage.com, microsoft.com
    let com = ((b == b's') & ((a == b'w') | (a == b'e') | (a == b'c') | (a == b'i'))
        | (b == b'e') & ((a == b'l') | (a == b'g'))
        | (a == b'f') & (b == b't'))
        & (d == b'c')
        & (e == b'o');
    let host = (c == b'.') & (net | com);
    sig | version | signature | key | account | host | is(b"keyn") | is(b"udap") | is(b"r2.d")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recognise::scan::ANCHORS;

    #[test]
    fn every_anchor_passes_at_every_place() {
        for (anchor, _) in ANCHORS {
            for upper in [false, true] {
                // Ids of keys count in capitals alone.
                let id = ["akia", "asia", "goog"].contains(&anchor);
                let word = if upper || id { anchor.to_uppercase() } else { anchor.to_owned() };
                for before in (0..40).chain(BLOCK - 40..BLOCK + 40) {
                    for after in [0, 1, 700, 1500] {
                        let text = format!("{}{word}{}", " ".repeat(before), " ".repeat(after));
                        let found = passing(text.as_bytes(), &(0..text.len()));
                        let whole = before..before + word.len();
                        assert!(
                            found.iter().any(|r| r.start <= whole.start && r.end >= whole.end),
                            "{word} at {before} of {}: {found:?}",
                            text.len()
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn what_holds_nothing_is_dismissed() {
        let text = "fn main() { println!(\"{}\", google(natural, significant)); }\n".repeat(500);
        assert!(passing(text.as_bytes(), &(0..text.len())).is_empty());
        assert!(passing(b"", &(0..0)).is_empty());
    }
}
