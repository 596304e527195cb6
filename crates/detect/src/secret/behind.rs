// The build script includes this file too: it needs nothing but the parser.

use regex_syntax::hir::{Class, Hir, HirKind};
use std::collections::BTreeSet;

/// So many bytes behind a literal are told.
const MOST_NEXT: usize = 24;
/// Up to so many ways through the alternatives of a pattern are followed one by one, and no more
/// than so many in all.
const FEW_WAYS: usize = 128;
const MOST_WAYS: usize = 4096;
/// So many texts a place of sets may stand for.
const MOST_TEXTS: usize = 4096;

/// What stands behind a literal in its line wherever the literal stands where a match has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct After {
    /// The next bytes, each as a set of ASCII.
    pub(crate) next: Vec<u128>,
    /// One of these words follows somewhere, in capital or small letters: here in small ones. Empty
    /// when nothing is known.
    pub(crate) then: Vec<String>,
}

/// What a match is made of, one after the other.
#[derive(Debug, Clone)]
enum Part {
    /// One byte of ASCII out of a set.
    Byte(u128),
    /// One of these texts, and whether a line may end in what follows in it.
    OneOf(Vec<Vec<u128>>, bool),
    /// Anything; whether a line may end in it.
    Any(bool),
}

/// For each literal what follows it; none at all when it cannot be told for every match that one of
/// the literals stands where the pattern has it.
pub(crate) fn behind(pattern: &Hir, literals: &[String], ignore_case: bool) -> Option<Vec<After>> {
    let mut ways: Vec<Vec<Part>> = vec![Vec::new()];
    follow(pattern, &mut ways)?;
    let mut found: Vec<Option<After>> = vec![None; literals.len()];
    for way in &ways {
        let (start, here) = place(way, literals, ignore_case)?;
        for number in here {
            let length = literals.get(number)?.len();
            let after = rest(way.get(start.checked_add(length)?..)?);
            let slot = found.get_mut(number)?;
            *slot = Some(match slot.take() {
                None => after,
                Some(known) => either(known, after),
            });
        }
    }
    Some(found.into_iter().map(Option::unwrap_or_default).collect())
}

/// What holds of both.
fn either(one: After, other: After) -> After {
    let next = one.next.iter().zip(&other.next).map(|(one, other)| one | other).collect();
    let then = if one.then.is_empty() || other.then.is_empty() {
        Vec::new()
    } else {
        let both: BTreeSet<String> = one.then.into_iter().chain(other.then).collect();
        both.into_iter().collect()
    };
    After { next, then }
}

/// Adds what a pattern is made of to every way; none when there are too many.
fn follow(pattern: &Hir, ways: &mut Vec<Vec<Part>>) -> Option<()> {
    let add = |ways: &mut Vec<Vec<Part>>, part: &Part| {
        for way in ways {
            way.push(part.clone());
        }
    };
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(text) => {
            for byte in text.0.iter() {
                add(ways, &single(*byte));
            }
        }
        HirKind::Class(class) => add(ways, &part_of(class)),
        HirKind::Capture(inner) => follow(&inner.sub, ways)?,
        HirKind::Concat(parts) => {
            for part in parts {
                follow(part, ways)?;
            }
        }
        HirKind::Repetition(many) => {
            let least = usize::try_from(many.min).ok()?.min(MOST_NEXT);
            for _ in 0..least {
                follow(&many.sub, ways)?;
            }
            if many.max != Some(many.min) || usize::try_from(many.min).ok()? > least {
                add(ways, &Part::Any(ends_line(&many.sub)));
            }
        }
        HirKind::Alternation(all) => {
            if ways.len().saturating_mul(all.len()) > FEW_WAYS {
                let texts: Option<Vec<Vec<u128>>> = all.iter().map(beginning).collect();
                let lines = all.iter().any(ends_line);
                add(ways, &texts.map_or(Part::Any(lines), |texts| Part::OneOf(texts, lines)));
                return Some(());
            }
            let mut more = Vec::new();
            for one in all {
                let mut along = ways.clone();
                follow(one, &mut along)?;
                more.extend(along);
            }
            *ways = more;
        }
    }
    (ways.len() <= MOST_WAYS).then_some(())
}

fn single(byte: u8) -> Part {
    match 1u128.checked_shl(u32::from(byte)).filter(|_| byte != b'\n') {
        Some(set) => Part::Byte(set),
        None => Part::Any(byte == b'\n'),
    }
}

/// A class as a set of ASCII; anything when there is more in it.
fn part_of(class: &Class) -> Part {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) => {
            class.ranges().iter().map(|range| (range.start().into(), range.end().into())).collect()
        }
        Class::Bytes(class) => {
            class.ranges().iter().map(|range| (range.start().into(), range.end().into())).collect()
        }
    };
    let line = ranges.iter().any(|(from, to)| (*from..=*to).contains(&u32::from(b'\n')));
    let mut set = 0u128;
    for (from, to) in ranges {
        if to > 127 {
            return Part::Any(line);
        }
        for byte in from..=to {
            set |= 1u128.checked_shl(byte).unwrap_or(0);
        }
    }
    if line { Part::Any(true) } else { Part::Byte(set) }
}

/// The sets that a pattern begins with, when there are at least two.
fn beginning(pattern: &Hir) -> Option<Vec<u128>> {
    let mut ways = vec![Vec::new()];
    follow(pattern, &mut ways)?;
    let [way] = ways.as_slice() else { return None };
    let set = |part: &Part| match part {
        Part::Byte(set) => Some(*set),
        _ => None,
    };
    let sets: Vec<u128> = way.iter().map_while(set).collect();
    (sets.len() >= 2).then_some(sets)
}

/// Whether a line may end inside a match of it.
fn ends_line(pattern: &Hir) -> bool {
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(text) => text.0.contains(&b'\n'),
        HirKind::Class(class) => match part_of(class) {
            Part::Any(line) => line,
            _ => false,
        },
        HirKind::Capture(inner) => ends_line(&inner.sub),
        HirKind::Repetition(many) => ends_line(&many.sub),
        HirKind::Concat(all) | HirKind::Alternation(all) => all.iter().any(ends_line),
    }
}

/// The first place of a way where one of the literals has to stand, and which those are.
fn place(way: &[Part], literals: &[String], ignore_case: bool) -> Option<(usize, Vec<usize>)> {
    (0..way.len()).find_map(|start| {
        let length = literals.iter().map(String::len).min()?;
        let sets = sets(way.get(start..)?, length)?;
        // Each text that the sets stand for is the beginning of a literal that is no longer than
        // what is told here.
        let texts = texts(&sets, ignore_case)?;
        let mut here = BTreeSet::new();
        for text in &texts {
            let known = literals.iter().enumerate().find(|(_, literal)| {
                let literal =
                    if ignore_case { literal.to_ascii_lowercase() } else { (*literal).clone() };
                literal.as_bytes() == text.as_slice()
                    || (literal.as_bytes().starts_with(text)
                        && stands(way.get(start..).unwrap_or(&[]), literal.as_bytes(), ignore_case))
            });
            here.insert(known?.0);
        }
        Some((start, here.into_iter().collect()))
    })
}

/// The sets of the first bytes.
fn sets(way: &[Part], length: usize) -> Option<Vec<u128>> {
    let first = way.get(..length)?;
    first.iter().map(|part| if let Part::Byte(set) = part { Some(*set) } else { None }).collect()
}

/// Whether exactly this text stands there.
fn stands(way: &[Part], text: &[u8], ignore_case: bool) -> bool {
    let Some(sets) = sets(way, text.len()) else { return false };
    texts(&sets, ignore_case).is_some_and(|texts| texts == [text.to_vec()])
}

/// Every text of the sets; in small letters where the case is free.
fn texts(sets: &[u128], ignore_case: bool) -> Option<Vec<Vec<u8>>> {
    let mut texts: Vec<Vec<u8>> = vec![Vec::new()];
    for set in sets {
        let bytes: BTreeSet<u8> = (0u8..128)
            .filter(|byte| set & 1u128.checked_shl(u32::from(*byte)).unwrap_or(0) != 0)
            .map(|byte| if ignore_case { byte.to_ascii_lowercase() } else { byte })
            .collect();
        let longer = |text: &Vec<u8>| -> Vec<Vec<u8>> {
            bytes.iter().map(|byte| [text.as_slice(), &[*byte]].concat()).collect()
        };
        texts = texts.iter().flat_map(longer).collect();
        if texts.len() > MOST_TEXTS {
            return None;
        }
    }
    Some(texts)
}

/// What follows in the same line.
fn rest(way: &[Part]) -> After {
    let mut after = After::default();
    let mut parts = way.iter().peekable();
    while let Some(Part::Byte(set)) = parts.next_if(|part| matches!(part, Part::Byte(_))) {
        if after.next.len() < MOST_NEXT {
            after.next.push(*set);
        }
    }
    // Then the longest word that the line has to hold.
    let mut word: Vec<u128> = Vec::new();
    let mut best: Vec<Vec<u128>> = Vec::new();
    let worth = |words: &[Vec<u128>]| words.iter().map(|word| weight(word)).min().unwrap_or(0);
    let keep = |best: &mut Vec<Vec<u128>>, words: Vec<Vec<u128>>| {
        if worth(&words) > worth(best) {
            *best = words;
        }
    };
    for part in parts {
        match part {
            Part::Byte(set) if is_letter(*set) => {
                word.push(*set);
                continue;
            }
            Part::OneOf(texts, _) => {
                let cut = |text: &Vec<u128>| -> Vec<u128> {
                    text.iter().take_while(|set| is_letter(**set)).copied().collect()
                };
                keep(&mut best, texts.iter().map(cut).collect());
            }
            _ => {}
        }
        keep(&mut best, vec![std::mem::take(&mut word)]);
        if matches!(part, Part::Any(true) | Part::OneOf(_, true)) {
            break;
        }
    }
    keep(&mut best, vec![word]);
    let text = |word: &Vec<u128>| -> String {
        word.iter()
            .filter_map(|set| letter(*set)?.to_ascii_lowercase().into())
            .map(char::from)
            .collect()
    };
    after.then = best.iter().map(text).collect();
    after
}

/// How much a word tells: letters more than signs that stand in every line.
fn weight(word: &[u128]) -> usize {
    match word {
        [] => 0,
        [one] => usize::from(letter(*one) == Some(b'@')).saturating_mul(8).saturating_add(1),
        more => more.len().saturating_mul(4),
    }
}

/// One letter, in one case or in both.
fn is_letter(set: u128) -> bool {
    letter(set).is_some()
}

fn letter(set: u128) -> Option<u8> {
    let first = u8::try_from(set.trailing_zeros()).ok().filter(|byte| *byte < 128)?;
    let small = first.to_ascii_lowercase();
    let bit = |byte: u8| 1u128.checked_shl(u32::from(byte)).unwrap_or(0);
    if set == bit(first) {
        return Some(first);
    }
    (set == bit(first) | bit(small)).then_some(small)
}
