//! The first pass: where the literals of the rules stand, at the speed of one look a byte.
//!
//! Each literal is known by its rarest three or four bytes, in either case (a gram). A bitmap of
//! 2^16 bits, small enough for the nearest cache, says for the last bytes read whether they may be
//! such a gram; what passes is looked up and the whole literal is compared.

use super::rule::Rule;

/// The literals of all rules.
pub(crate) struct Gate {
    /// Grams of four bytes, hashed.
    four: Bitmap,
    /// Grams of three bytes, hashed.
    three: Bitmap,
    /// Sorted by gram; grams of three bytes have a zero for the fourth.
    anchors: Vec<Anchor>,
}

struct Anchor {
    gram: u32,
    rule: usize,
    literal: &'static [u8],
    /// Where the gram starts in the literal.
    from: usize,
    ignore_case: bool,
}

impl Gate {
    pub(crate) fn new(rules: &[&'static Rule]) -> Self {
        let mut gate = Self { four: empty(), three: empty(), anchors: Vec::new() };
        for (index, rule) in rules.iter().enumerate() {
            for literal in rule.literals {
                let literal = literal.as_bytes();
                let Some((gram, from)) = rarest(literal) else { continue };
                mark(if literal.len() < 4 { &mut gate.three } else { &mut gate.four }, gram);
                let ignore_case = rule.ignore_case;
                gate.anchors.push(Anchor { gram, rule: index, literal, from, ignore_case });
            }
        }
        gate.anchors.sort_by_key(|anchor| anchor.gram);
        gate
    }

    /// Calls `hit` with the rule and the start and end of every literal in the text, overlapping
    /// ones too, in the order of their grams.
    pub(crate) fn scan(&self, text: &[u8], mut hit: impl FnMut(usize, usize, usize)) {
        for (at, bytes) in text.windows(4).enumerate() {
            let Ok(bytes) = <[u8; 4]>::try_from(bytes) else { continue };
            let four = u32::from_le_bytes(bytes) | CASE;
            if has(&self.four, four) {
                self.confirm(four, text, at, &mut hit);
            }
            let three = four & THREE;
            if has(&self.three, three) {
                self.confirm(three, text, at, &mut hit);
            }
        }
        // The last three bytes have no fourth behind them.
        let at = text.len().saturating_sub(3);
        if let Some([first, second, third]) = text.get(at..) {
            let three = (u32::from_le_bytes([*first, *second, *third, 0]) | CASE) & THREE;
            self.confirm(three, text, at, &mut hit);
        }
    }

    #[cold]
    fn confirm(
        &self,
        gram: u32,
        text: &[u8],
        at: usize,
        hit: &mut impl FnMut(usize, usize, usize),
    ) {
        let first = self.anchors.partition_point(|anchor| anchor.gram < gram);
        let same = self.anchors.get(first..).unwrap_or_default();
        for anchor in same.iter().take_while(|anchor| anchor.gram == gram) {
            let Some(start) = at.checked_sub(anchor.from) else { continue };
            let end = start.saturating_add(anchor.literal.len());
            let Some(found) = text.get(start..end) else { continue };
            let equal = if anchor.ignore_case {
                found.eq_ignore_ascii_case(anchor.literal)
            } else {
                found == anchor.literal
            };
            if equal {
                hit(anchor.rule, start, end);
            }
        }
    }
}

/// The gram of a literal and where it starts; none for a literal that is too short.
fn rarest(literal: &[u8]) -> Option<(u32, usize)> {
    let size = if literal.len() < 4 { 3 } else { 4 };
    let (from, gram) = literal
        .windows(size)
        .enumerate()
        .min_by_key(|(_, gram)| gram.iter().map(|byte| commonness(*byte)).sum::<u32>())?;
    let mut bytes = [0; 4];
    for (to, byte) in bytes.iter_mut().zip(gram) {
        *to = *byte;
    }
    let all = u32::from_le_bytes(bytes) | CASE;
    Some((if size < 4 { all & THREE } else { all }, from))
}

/// Sets the bit that tells small letters from capitals, in each of four bytes. It also makes one
/// of a few signs, which the comparison with the literal sorts out.
const CASE: u32 = 0x2020_2020;
/// The first three bytes of a gram.
const THREE: u32 = 0x00FF_FFFF;

/// How often a byte stands in source text and configuration, roughly, in parts of a hundred.
fn commonness(byte: u8) -> u32 {
    match byte.to_ascii_lowercase() {
        b'e' | b't' => 9,
        b'a' | b'i' | b'n' | b'o' | b'r' | b's' | b' ' => 7,
        b'c' | b'd' | b'l' => 5,
        b'f' | b'm' | b'p' | b'u' | b'h' | b'g' | b'b' | b'_' => 3,
        b'0'..=b'9' | b'.' | b'/' | b'-' | b':' | b'y' | b'k' | b'v' | b'w' => 2,
        _ => 1,
    }
}

/// 2^16 bits; the length is known so that a lookup needs no check.
type Bitmap = Box<[u64; 1 << 10]>;

fn empty() -> Bitmap {
    Box::new([0; 1 << 10])
}

/// The word and the bit of a gram.
fn slot(gram: u32) -> (usize, u64) {
    let hash = gram.wrapping_mul(0x9E37_79B1) >> 16;
    (usize::try_from(hash >> 6).unwrap_or(0), 1 << (hash & 63))
}

fn mark(bitmap: &mut Bitmap, gram: u32) {
    let (word, bit) = slot(gram);
    if let Some(word) = bitmap.get_mut(word) {
        *word |= bit;
    }
}

#[inline]
fn has(bitmap: &Bitmap, gram: u32) -> bool {
    let (word, bit) = slot(gram);
    bitmap.get(word).is_some_and(|word| word & bit != 0)
}

#[cfg(test)]
mod tests {
    use super::super::rule::secret_rules;
    use super::*;
    use aho_corasick::AhoCorasick;

    /// Held against a plain search for every literal.
    #[test]
    fn every_literal_is_found_where_it_stands_and_nowhere_else() {
        let rules = secret_rules();
        let gate = Gate::new(&rules.iter().collect::<Vec<_>>());
        let mut text = String::new();
        for (index, rule) in rules.iter().enumerate() {
            for literal in rule.literals {
                let shown = match index % 3 {
                    0 => literal.to_uppercase(),
                    1 => literal.to_lowercase(),
                    _ => (*literal).to_owned(),
                };
                text.push_str(&shown);
                text.push_str(literal);
                text.push_str([" ", "\n", "", "é"][index % 4]);
            }
        }
        let mut found = Vec::new();
        gate.scan(text.as_bytes(), |rule, start, end| found.push((rule, start, end)));
        let mut wanted = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            let plain = AhoCorasick::builder()
                .ascii_case_insensitive(rule.ignore_case)
                .build(rule.literals)
                .unwrap();
            let hits = plain.find_overlapping_iter(&text);
            wanted.extend(hits.map(|hit| (index, hit.start(), hit.end())));
        }
        found.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(found, wanted);
    }
}
