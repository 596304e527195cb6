//! What stands in every match of a pattern: literals for the first pass, read off the pattern.

use regex_syntax::hir::{Class, Hir, HirKind};

/// One of these stands in every match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Required {
    pub(crate) literals: Vec<String>,
    pub(crate) ignore_case: bool,
}

/// The first pass knows a literal by three bytes at least.
pub(crate) const SHORTEST: usize = 3;

/// More literals than this for one rule cost more than they save.
const MOST: usize = 96;
/// Characters of a class that are tried one by one.
const CLASS: usize = 12;
/// What is longer tells no more.
const LONGEST: usize = 48;
/// Patterns are nested less deep than this already; the bound is here for this file's own sake.
const DEPTH: usize = 250;

/// The best literals that every match of a pattern holds one of; none when there are none that
/// the first pass could use.
pub(crate) fn required(pattern: &Hir) -> Option<Required> {
    let exact = of(pattern, Case::Exact, 0).best();
    let folded = || of(pattern, Case::Folded, 0).best();
    let (set, ignore_case) = match exact {
        Some(set) if shortest(&set) >= 4 && set.len() <= 12 => (set, false),
        exact => match folded() {
            Some(set) if exact.as_ref().is_none_or(|exact| better(&set, exact)) => (set, true),
            _ => (exact?, false),
        },
    };
    let mut literals: Vec<String> = set
        .into_iter()
        .map(|bytes| String::from_utf8(bytes).ok())
        .collect::<Option<Vec<String>>>()?;
    literals.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    // One that holds another adds nothing.
    let mut kept: Vec<String> = Vec::new();
    for literal in literals {
        if !kept.iter().any(|shorter| literal.contains(shorter.as_str())) {
            kept.push(literal);
        }
    }
    Some(Required { literals: kept, ignore_case })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Exact,
    Folded,
}

type Set = Vec<Vec<u8>>;

/// What is known of a part of a pattern.
#[derive(Default)]
struct Known {
    /// All that it can match, when that is little.
    all: Option<Set>,
    /// One of these stands in every match.
    one: Option<Set>,
}

impl Known {
    fn all(set: Set) -> Self {
        Self { all: Some(set), one: None }
    }

    fn best(self) -> Option<Set> {
        let all = self.all.filter(usable);
        match (all, self.one) {
            (Some(all), Some(one)) => Some(if better(&one, &all) { one } else { all }),
            (all, one) => all.or(one),
        }
    }
}

fn usable(set: &Set) -> bool {
    !set.is_empty() && set.len() <= MOST && shortest(set) >= SHORTEST
}

fn shortest(set: &Set) -> usize {
    set.iter().map(Vec::len).min().unwrap_or(0)
}

/// Longer is rarer; fewer are cheaper.
fn better(a: &Set, b: &Set) -> bool {
    let worth = |set: &Set| (shortest(set).min(8), usize::MAX.saturating_sub(set.len()));
    worth(a) > worth(b)
}

fn of(pattern: &Hir, case: Case, depth: usize) -> Known {
    if depth > DEPTH {
        return Known::default();
    }
    let deeper = depth.saturating_add(1);
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => Known::all(vec![Vec::new()]),
        HirKind::Literal(literal) => {
            let mut bytes = literal.0.to_vec();
            if case == Case::Folded {
                bytes.make_ascii_lowercase();
            }
            Known::all(vec![bytes])
        }
        HirKind::Class(class) => characters(class, case).map_or_else(Known::default, Known::all),
        HirKind::Capture(capture) => of(&capture.sub, case, deeper),
        HirKind::Repetition(repetition) => {
            let inner = of(&repetition.sub, case, deeper);
            match (repetition.min, repetition.max) {
                (0, Some(1)) => match inner.all {
                    Some(mut all) if all.len() < MOST => {
                        all.push(Vec::new());
                        Known::all(all)
                    }
                    _ => Known::default(),
                },
                (0, _) => Known::default(),
                (least, most) => {
                    // As many in a row as there must be, as far as they stay few.
                    let mut run = vec![Vec::new()];
                    let mut whole = most == Some(least);
                    if let Some(all) = &inner.all {
                        for _ in 0..least {
                            match joined(&run, all) {
                                Some(longer) => run = longer,
                                None => {
                                    whole = false;
                                    break;
                                }
                            }
                        }
                    } else {
                        whole = false;
                    }
                    if whole {
                        return Known::all(run);
                    }
                    let run = Some(run).filter(usable);
                    let one = Known { all: run, one: inner.best() }.best();
                    Known { all: None, one }
                }
            }
        }
        HirKind::Concat(parts) => concatenated(parts, case, deeper),
        HirKind::Alternation(branches) => {
            let known: Vec<Known> = branches.iter().map(|part| of(part, case, deeper)).collect();
            let count: usize = known.iter().map(|one| one.all.as_ref().map_or(0, Vec::len)).sum();
            if known.iter().all(|one| one.all.is_some()) && count <= MOST {
                let mut all: Set = known.into_iter().filter_map(|one| one.all).flatten().collect();
                all.sort_unstable();
                all.dedup();
                return Known::all(all);
            }
            let mut together = Set::new();
            for branch in known {
                match branch.best() {
                    Some(set) => together.extend(set),
                    None => return Known::default(),
                }
            }
            Known { all: None, one: Some(together).filter(usable) }
        }
    }
}

fn concatenated(parts: &[Hir], case: Case, depth: usize) -> Known {
    let mut best: Option<Set> = None;
    let mut offer = |set: Option<Set>| {
        if let Some(set) = set.filter(usable)
            && best.as_ref().is_none_or(|best| better(&set, best))
        {
            best = Some(set);
        }
    };
    let mut run: Set = vec![Vec::new()];
    let mut whole = true;
    for part in parts {
        let known = of(part, case, depth);
        let Some(all) = known.all else {
            offer(Some(std::mem::replace(&mut run, vec![Vec::new()])));
            offer(known.one);
            whole = false;
            continue;
        };
        match joined(&run, &all) {
            Some(longer) => run = longer,
            None => {
                offer(Some(std::mem::replace(&mut run, all)));
                whole = false;
            }
        }
    }
    if whole {
        return Known { all: Some(run), one: None };
    }
    offer(Some(run));
    Known { all: None, one: best }
}

/// Each followed by each; none when that is too many or too long.
fn joined(before: &Set, after: &Set) -> Option<Set> {
    if before.len().saturating_mul(after.len()) > MOST {
        return None;
    }
    let mut set = Set::new();
    for first in before {
        for second in after {
            if first.len().saturating_add(second.len()) > LONGEST {
                return None;
            }
            set.push([first.as_slice(), second.as_slice()].concat());
        }
    }
    Some(set)
}

fn characters(class: &Class, case: Case) -> Option<Set> {
    let Class::Unicode(class) = class else { return None };
    let mut set = Set::new();
    for range in class.ranges() {
        let (first, last) = (u32::from(range.start()), u32::from(range.end()));
        if last.saturating_sub(first) > 2 * 26 {
            return None;
        }
        for code in first..=last {
            let mut character = char::from_u32(code)?;
            if case == Case::Folded {
                character = character.to_ascii_lowercase();
            }
            set.push(character.to_string().into_bytes());
        }
    }
    set.sort_unstable();
    set.dedup();
    (!set.is_empty() && set.len() <= CLASS).then_some(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(pattern: &str) -> Option<(Vec<String>, bool)> {
        let hir = regex_syntax::parse(pattern).unwrap();
        required(&hir).map(|one| (one.literals, one.ignore_case))
    }

    #[test]
    fn the_literals_that_every_match_holds_are_read_off_the_pattern() {
        let words = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        assert_eq!(said("abc_[0-9]{20}"), Some((words(&["abc_"]), false)));
        assert_eq!(
            said(r"\b(?:live|test)_key_[a-z]+"),
            Some((words(&["live_key_", "test_key_"]), false))
        );
        assert_eq!(said("(?i)maxmind.{0,20}[0-9]{9}"), Some((words(&["maxmind"]), true)));
        assert_eq!(said("[0-9a-f]{32}-live"), Some((words(&["-live"]), false)));
        assert_eq!(said("x{3}[0-9]+"), Some((words(&["xxx"]), false)));
        assert_eq!(said("(?:abcd)?[0-9]+"), None);
        assert_eq!(said("[0-9]{8}|key"), None);
        assert_eq!(said("a(?:bcde|fghi)+[0-9]"), Some((words(&["bcde", "fghi"]), false)));
    }
}
