//! The first pass: where the literals of the rules stand, at the speed of one look a byte.
//!
//! Each literal is known by its rarest three or four bytes in lower case (a gram). A bitmap of
//! 2^16 bits, small enough for the nearest cache, says for the last bytes read whether they may be
//! such a gram; what passes is looked up and the whole literal is compared.

use super::rule::Rule;

/// The literals of all rules.
pub(crate) struct Gate {
    /// Grams of four bytes, hashed.
    four: Vec<u64>,
    /// Grams of three bytes, hashed.
    three: Vec<u64>,
    /// Sorted by gram; grams of three bytes have a zero before them.
    anchors: Vec<Anchor>,
}

struct Anchor {
    gram: u32,
    rule: usize,
    literal: &'static [u8],
    /// How many bytes of the literal there are up to the end of the gram.
    to_end: usize,
    ignore_case: bool,
}

impl Gate {
    pub(crate) fn new(rules: &'static [Rule]) -> Self {
        let mut gate = Self { four: vec![0; WORDS], three: vec![0; WORDS], anchors: Vec::new() };
        for (index, rule) in rules.iter().enumerate() {
            for literal in rule.literals {
                let literal = literal.as_bytes();
                let Some((gram, to_end)) = rarest(literal) else { continue };
                mark(if literal.len() < 4 { &mut gate.three } else { &mut gate.four }, gram);
                let ignore_case = rule.ignore_case;
                gate.anchors.push(Anchor { gram, rule: index, literal, to_end, ignore_case });
            }
        }
        gate.anchors.sort_by_key(|anchor| anchor.gram);
        gate
    }

    /// Calls `hit` with the rule and the start and end of every literal in the text, overlapping
    /// ones too, in the order of their grams.
    pub(crate) fn scan(&self, text: &[u8], mut hit: impl FnMut(usize, usize, usize)) {
        let mut last = 0_u32;
        for (at, byte) in text.iter().enumerate() {
            last = (last << 8) | u32::from(byte.to_ascii_lowercase());
            if has(&self.four, last) {
                self.confirm(last, text, at, &mut hit);
            }
            let three = last & 0x00FF_FFFF;
            if has(&self.three, three) {
                self.confirm(three, text, at, &mut hit);
            }
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
            let Some(start) = at.saturating_add(1).checked_sub(anchor.to_end) else { continue };
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

/// The gram of a literal and where it ends; none for a literal that is too short.
fn rarest(literal: &[u8]) -> Option<(u32, usize)> {
    let size = if literal.len() < 4 { 3 } else { 4 };
    let (at, gram) = literal
        .windows(size)
        .enumerate()
        .min_by_key(|(_, gram)| gram.iter().map(|byte| commonness(*byte)).sum::<u32>())?;
    let value =
        gram.iter().fold(0_u32, |value, byte| (value << 8) | u32::from(byte.to_ascii_lowercase()));
    Some((value, at.saturating_add(size)))
}

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

/// Words of a bitmap of 2^16 bits.
const WORDS: usize = 1 << 10;

/// The word and the bit of a gram.
fn slot(gram: u32) -> (usize, u64) {
    let hash = gram.wrapping_mul(0x9E37_79B1) >> 16;
    (usize::try_from(hash >> 6).unwrap_or(0), 1 << (hash & 63))
}

fn mark(bitmap: &mut [u64], gram: u32) {
    let (word, bit) = slot(gram);
    if let Some(word) = bitmap.get_mut(word) {
        *word |= bit;
    }
}

fn has(bitmap: &[u64], gram: u32) -> bool {
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
        let gate = Gate::new(rules);
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
