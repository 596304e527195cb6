//! The first pass: where the literals of the rules stand, at the speed of one look a byte.
//!
//! Each literal is known by the three bytes of it that are rarest in source text, in either case,
//! and by the byte that follows them. A bitmap of 2^17 bits, small enough for the nearest cache,
//! says for every byte whether such three may start there. What passes is held against a second
//! bitmap, in the case of the literal where that matters, and only then is the literal compared.

use super::rule::{Behind, Rule};

/// The literals of all rules.
pub(crate) struct Gate {
    /// Three bytes, in small letters.
    near: Bitmap,
    /// Three or four bytes: as they are, or in small letters where the case is free.
    exact: Bitmap,
    folded: Bitmap,
    /// Literals by their gram; those with the same hash stand together.
    anchors: Vec<Anchor>,
    /// Where the anchors of each hash begin; one more for the end of the last.
    heads: Vec<u32>,
}

struct Anchor {
    /// Of the three bytes in small letters: the low bits are the head.
    hash: u32,
    rule: usize,
    literal: &'static [u8],
    /// Where the gram starts in the literal.
    from: usize,
    ignore_case: bool,
    /// Whether it stands at the start of a word.
    starts_word: bool,
    /// What follows it, where that is known, and in how many bytes.
    behind: Option<&'static Behind>,
    reach: usize,
}

/// Bits of the hash that choose a head.
const HEADS: u32 = 12;

impl Gate {
    pub(crate) fn new(rules: &[&'static Rule]) -> Self {
        let mut gate = Self {
            near: empty(),
            exact: empty(),
            folded: empty(),
            anchors: Vec::new(),
            heads: Vec::new(),
        };
        for (index, rule) in rules.iter().enumerate() {
            for (number, literal) in rule.literals.iter().enumerate() {
                gate.add(index, rule, literal.as_bytes(), rule.behind.get(number));
            }
        }
        gate.anchors.sort_by_key(|anchor| head(anchor.hash));
        let mut heads = vec![0_u32; (1 << HEADS) + 1];
        for anchor in &gate.anchors {
            if let Some(count) = heads.get_mut(head(anchor.hash).saturating_add(1)) {
                *count = count.saturating_add(1);
            }
        }
        let mut sum = 0_u32;
        for count in &mut heads {
            sum = sum.saturating_add(*count);
            *count = sum;
        }
        gate.heads = heads;
        gate
    }

    fn add(
        &mut self,
        rule: usize,
        of: &Rule,
        literal: &'static [u8],
        behind: Option<&'static Behind>,
    ) {
        let Some(from) = rarest(literal) else { return };
        let Some([first, second, third]) = literal.get(from..from.saturating_add(3)) else {
            return;
        };
        let three = u32::from_le_bytes([*first, *second, *third, 0]);
        let near = (three | CASE) & THREE;
        self.near.mark(near);
        let second = if of.ignore_case { &mut self.folded } else { &mut self.exact };
        let gram = if of.ignore_case { near } else { three };
        match literal.get(from.saturating_add(3)) {
            Some(fourth) => {
                let fourth = u32::from(*fourth) << 24;
                let fourth = if of.ignore_case { fourth | 0x2000_0000 } else { fourth };
                second.mark(gram | fourth);
            }
            // It ends there: whatever follows.
            None => second.mark(gram),
        }
        self.anchors.push(Anchor {
            hash: hash(near),
            rule,
            literal,
            from,
            ignore_case: of.ignore_case,
            starts_word: of.starts_word,
            behind: behind.filter(|one| !one.next.is_empty() || !one.then.is_empty()),
            reach: of.reach,
        });
    }

    /// Calls `hit` with the rule and the start and end of every literal in the text that may
    /// begin a match, overlapping ones too, in the order of their grams.
    pub(crate) fn scan(&self, text: &[u8], mut hit: impl FnMut(usize, usize, usize)) {
        let mut at = 0_usize;
        // Four starts at a time: eight bytes hold the four bytes of each.
        while let Some(bytes) = text.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
            let word = u64::from_le_bytes(*bytes);
            let small = word | 0x2020_2020_2020_2020;
            let near = [small, small >> 8, small >> 16, small >> 24]
                .map(|part| self.near.has(low(part) & THREE));
            if near[0] | near[1] | near[2] | near[3] {
                for (more, passes) in near.iter().enumerate() {
                    if *passes {
                        let gram = low(word >> (more << 3));
                        self.look(gram, text, at.saturating_add(more), &mut hit);
                    }
                }
            }
            at = at.saturating_add(4);
        }
        // The last few, with nothing behind them.
        while let Some(rest) = text.get(at..).filter(|rest| rest.len() >= 3) {
            let mut bytes = [0; 4];
            for (to, byte) in bytes.iter_mut().zip(rest) {
                *to = *byte;
            }
            let gram = u32::from_le_bytes(bytes);
            if self.near.has((gram | CASE) & THREE) {
                self.look(gram, text, at, &mut hit);
            }
            at = at.saturating_add(1);
        }
    }

    #[inline]
    fn look(&self, gram: u32, text: &[u8], at: usize, hit: &mut impl FnMut(usize, usize, usize)) {
        let small = gram | CASE;
        if self.exact.has(gram)
            || self.exact.has(gram & THREE)
            || self.folded.has(small)
            || self.folded.has(small & THREE)
        {
            self.confirm(hash(small & THREE), text, at, hit);
        }
    }

    #[cold]
    fn confirm(
        &self,
        hash: u32,
        text: &[u8],
        at: usize,
        hit: &mut impl FnMut(usize, usize, usize),
    ) {
        let head = head(hash);
        let bound = |index: usize| {
            self.heads.get(index).and_then(|at| usize::try_from(*at).ok()).unwrap_or(0)
        };
        let same = self.anchors.get(bound(head)..bound(head.saturating_add(1)));
        for anchor in same.unwrap_or_default() {
            if anchor.hash != hash {
                continue;
            }
            let Some(start) = at.checked_sub(anchor.from) else { continue };
            let end = start.saturating_add(anchor.literal.len());
            let Some(found) = text.get(start..end) else { continue };
            let equal = if anchor.ignore_case {
                found.eq_ignore_ascii_case(anchor.literal)
            } else {
                found == anchor.literal
            };
            let rest = || text.get(end..).unwrap_or(&[]);
            if equal
                && !(anchor.starts_word && follows_word(text, start))
                && anchor.behind.is_none_or(|behind| follows(behind, rest(), anchor.reach))
            {
                hit(anchor.rule, start, end);
            }
        }
    }
}

/// Whether what has to follow a literal does, within so many bytes of its line.
fn follows(behind: &Behind, rest: &[u8], reach: usize) -> bool {
    let has =
        |(set, byte): (&u128, &u8)| set & 1u128.checked_shl(u32::from(*byte)).unwrap_or(0) != 0;
    let Some(next) = rest.get(..behind.next.len()) else { return false };
    if !behind.next.iter().zip(next).all(has) {
        return false;
    }
    if behind.then.is_empty() {
        return true;
    }
    let rest = rest.get(..reach).unwrap_or(rest);
    let line = rest.get(next.len()..memchr::memchr(b'\n', rest).unwrap_or(rest.len()));
    let line = line.unwrap_or(&[]);
    behind.then.iter().any(|word| {
        let word = word.as_bytes();
        line.windows(word.len().max(1)).any(|here| here.eq_ignore_ascii_case(word))
    })
}

/// Whether the byte before is one of a word.
fn follows_word(text: &[u8], at: usize) -> bool {
    at.checked_sub(1)
        .and_then(|before| text.get(before))
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// Where the rarest three bytes of a literal start; none for a literal that is too short.
fn rarest(literal: &[u8]) -> Option<usize> {
    literal
        .windows(3)
        .enumerate()
        .max_by_key(|(from, gram)| {
            // A byte behind it tells more.
            let more = literal.len() > from.saturating_add(3);
            let rarity = rarity(gram).saturating_add(u32::from(more));
            (rarity, usize::MAX.saturating_sub(*from))
        })
        .map(|(from, _)| from)
}

/// Sets the bit that tells small letters from capitals, in each of four bytes. It also makes one
/// of a few signs, which the comparison with the literal sorts out.
const CASE: u32 = 0x2020_2020;
/// The first three bytes of a gram.
const THREE: u32 = 0x00FF_FFFF;

/// How rare three bytes next to each other are: how many times their share is halved, less six, as
/// one hexadecimal digit. Lines are the kinds of the first byte, and in each the kinds of the second
/// by those of the third: letters, a digit, `_`, white space, the rest. Counted over 37 MB of
/// JavaScript, Rust, Python, Perl, C, TypeScript, Markdown, HTML, PHP and CSS.
const RARITY: &[u8] = include_bytes!("rarity.txt");
/// Kinds of bytes.
const KINDS: usize = 30;

fn rarity(gram: &[u8]) -> u32 {
    let place = gram
        .iter()
        .map(|byte| kind(*byte))
        .reduce(|place, kind| place.saturating_mul(KINDS).saturating_add(kind));
    // Each line has an end.
    let line = place.and_then(|place| place.checked_div(KINDS * KINDS));
    let place = place.zip(line).map(|(place, line)| place.saturating_add(line));
    let digit = place.and_then(|place| RARITY.get(place));
    digit.and_then(|digit| char::from(*digit).to_digit(16)).unwrap_or(0)
}

fn kind(byte: u8) -> usize {
    usize::from(match byte {
        b'a'..=b'z' => byte.wrapping_sub(b'a'),
        b'A'..=b'Z' => byte.wrapping_sub(b'A'),
        b'0'..=b'9' => 26,
        b'_' => 27,
        b' ' | b'\t' | b'\n' | b'\r' => 28,
        _ => 29,
    })
}

/// 2^17 bits; the length is known so that a lookup needs no check.
struct Bitmap(Box<[u64; 1 << 11]>);

fn empty() -> Bitmap {
    Bitmap(Box::new([0; 1 << 11]))
}

/// The first four bytes.
#[inline]
fn low(word: u64) -> u32 {
    let [first, second, third, fourth, ..] = word.to_le_bytes();
    u32::from_le_bytes([first, second, third, fourth])
}

#[inline]
fn hash(gram: u32) -> u32 {
    gram.wrapping_mul(0x9E37_79B1) >> 15
}

fn head(hash: u32) -> usize {
    usize::try_from(hash & ((1 << HEADS) - 1)).unwrap_or(0)
}

/// The word and the bit of a gram.
#[inline]
fn slot(gram: u32) -> (usize, u64) {
    let hash = hash(gram);
    (usize::try_from(hash >> 6).unwrap_or(0), 1 << (hash & 63))
}

impl Bitmap {
    fn mark(&mut self, gram: u32) {
        let (word, bit) = slot(gram);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    #[inline]
    fn has(&self, gram: u32) -> bool {
        let (word, bit) = slot(gram);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::rule::secret_rules;
    use super::*;
    use aho_corasick::AhoCorasick;

    /// The rules whose literals are met in a text, with what has to follow them.
    fn met(text: &str) -> Vec<&'static str> {
        let rules = secret_rules();
        let gate = Gate::new(&rules.iter().collect::<Vec<_>>());
        let mut met = Vec::new();
        gate.scan(text.as_bytes(), |rule, _, _| met.push(rules[rule].id));
        met
    }

    #[test]
    fn a_literal_without_what_has_to_follow_it_is_none() {
        for (text, rule, is_one) in [
            ("pat/to/anything.rb and so on", "airtable_token", false),
            ("pat0123456789abcd.0123456789abcdef0123456789abcdef", "airtable_token", true),
            ("pat0123456789abc", "airtable_token", false),
            ("see https://example.com/a/b and\nmail@example.com", "url_password", false),
            ("see ftp://someone:anything@example.com", "url_password", true),
            ("Owner: nobody", "ethereum_private_key", false),
            ("OWNER_PRIVATE_KEY=", "ethereum_private_key", true),
        ] {
            assert_eq!(met(text).contains(&rule), is_one, "{text}");
        }
    }

    #[test]
    fn how_rare_three_bytes_are_is_read_from_the_table() {
        let lines: Vec<&[u8]> = RARITY.split(|byte| *byte == b'\n').collect();
        assert!(lines[..KINDS].iter().all(|line| line.len() == KINDS * KINDS));
        assert_eq!((lines.len(), lines[KINDS]), (KINDS + 1, &b""[..]));
        let digit = |gram: &[u8]| {
            let of = |at: usize| kind(gram[at]);
            char::from(lines[of(0)][of(1) * KINDS + of(2)]).to_digit(16).unwrap()
        };
        for gram in [&b"aaa"[..], b"ser", b"QZJ", b"   ", b"://", b"_k9", b"\xff\xff\xff"] {
            assert_eq!(rarity(gram), digit(gram), "{gram:?}");
        }
        assert!(rarity(b"qzj") > rarity(b"eca") && rarity(b"ECA") > rarity(b"ive"));
        assert_eq!(rarest(b"activecampaign"), Some(10), "aig");
    }

    #[test]
    fn of_most_rules_it_is_known_what_follows() {
        let told = |rule: &&Rule| {
            rule.behind.iter().any(|one| !one.next.is_empty() || !one.then.is_empty())
        };
        let (told, all) = (secret_rules().iter().filter(told).count(), secret_rules().len());
        assert!(told * 10 > all * 8, "{told} of {all}");
    }

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
            let bytes = text.as_bytes();
            let hits = plain.find_overlapping_iter(&text).filter(|hit| {
                let behind = rule.behind.get(hit.pattern().as_usize());
                behind.is_none_or(|behind| follows(behind, &bytes[hit.end()..], rule.reach))
            });
            let at_start =
                |start: usize| !rule.starts_word || !follows_word(text.as_bytes(), start);
            wanted.extend(
                hits.filter(|hit| at_start(hit.start())).map(|hit| (index, hit.start(), hit.end())),
            );
        }
        found.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(found, wanted);
        assert!(rules.iter().filter(|rule| rule.starts_word).count() > 200);
    }
}
