//! Where to divide the keys that a listing has still to name, so that two can list them.
//!
//! Nothing is known of what lies ahead but the keys named so far. Their places are gone through
//! from the front: at each, the store is asked whether there is a key whose character at this
//! place is larger. The first place with one is where the keys ahead differ most.

use lidless_storage::{ListRequest, Seek, Seeking, StorageError, Store};
use std::cell::Cell;

/// Questions to the store at most, for one division.
const QUESTIONS: usize = 40;
/// Questions at one place at most, where prefixes are all that can be asked for.
const AT_ONE_PLACE: usize = 12;
/// Places in a key that are looked at.
const DEPTH: usize = 256;

/// What a listing named so far, and what it is bound to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ahead<'a> {
    /// Every key begins with this.
    pub(crate) prefix: &'a str,
    /// The first key of the newest page.
    pub(crate) first: &'a str,
    /// The largest key so far.
    pub(crate) last: &'a str,
    /// The first key that belongs to others.
    pub(crate) until: Option<&'a str>,
    /// As far as is known, all keys ahead begin with this: the places in it are not asked again.
    pub(crate) within: &'a str,
}

/// A division, and what was learned on the way.
#[derive(Debug, Default)]
pub(crate) struct Division {
    /// Where the upper part begins.
    pub(crate) at: Option<Seek>,
    /// All keys ahead begin with this.
    pub(crate) within: String,
}

/// Finds a place that divides what lies ahead.
///
/// # Errors
/// As the store answers.
pub(crate) fn divide(
    store: &dyn Store,
    container: &str,
    ahead: &Ahead<'_>,
) -> Result<Division, StorageError> {
    let request = ListRequest {
        container: container.to_owned(),
        prefix: ahead.prefix.to_owned(),
        ..ListRequest::default()
    };
    let questions = Cell::new(0usize);
    let mut ask = |from: &str| {
        if from <= ahead.last || ahead.until.is_some_and(|until| from >= until) {
            return Ok(None);
        }
        questions.set(questions.get().saturating_add(1));
        if questions.get() > QUESTIONS {
            return Ok(None);
        }
        let seek = store.seek(&request, from)?;
        Ok(seek.filter(|seek| {
            seek.start.as_str() > ahead.last
                && ahead
                    .until
                    .is_none_or(|until| seek.start.as_str() < until && seek.first.as_str() < until)
        }))
    };
    let known = ahead.within.len().max(ahead.prefix.len());
    let mut within = ahead.last.get(..known).unwrap_or(ahead.prefix).to_owned();
    for (at, now) in ahead.last.char_indices().filter(|(at, _)| *at >= known).take(DEPTH) {
        let base = ahead.last.get(..at).unwrap_or_default();
        match store.seeking() {
            Seeking::Nowhere => break,
            Seeking::Anywhere => {
                let Some(next) = above(now) else { continue };
                let Some(seek) = ask(&format!("{base}{next}"))? else {
                    if questions.get() > QUESTIONS {
                        break;
                    }
                    within = format!("{base}{now}");
                    continue;
                };
                return Ok(Division { at: Some(higher(&mut ask, base, at, seek)?), within });
            }
            Seeking::AtPrefix => {
                let varies = ahead.first.get(..at) == Some(base)
                    && ahead.first.get(at..).and_then(|rest| rest.chars().next()) != Some(now);
                if !varies && !counts(ahead.last, at) {
                    continue;
                }
                for next in candidates(ahead.last, at, now) {
                    if let Some(seek) = ask(&format!("{base}{next}"))? {
                        return Ok(Division { at: Some(seek), within });
                    }
                }
                if questions.get() > QUESTIONS {
                    break;
                }
                // A guess, since other characters may come: it says only where to go on asking.
                within = format!("{base}{now}");
            }
        }
    }
    Ok(Division { at: None, within })
}

/// From a place where there are keys to one about in the middle of them, if that is easily found.
fn higher(
    ask: &mut impl FnMut(&str) -> Result<Option<Seek>, StorageError>,
    base: &str,
    at: usize,
    found: Seek,
) -> Result<Seek, StorageError> {
    let Some(least) = found.first.get(at..).and_then(|rest| rest.chars().next()) else {
        return Ok(found);
    };
    let Some(top) = top_of(least) else { return Ok(found) };
    let (low, mut high) = (u32::from(least), u32::from(top));
    while high > low.saturating_add(1) {
        let middle = low.midpoint(high);
        let Some(next) = char::from_u32(middle) else { break };
        if let Some(seek) = ask(&format!("{base}{next}"))? {
            return Ok(seek);
        }
        high = middle;
    }
    Ok(found)
}

/// The next character that keys are made of.
fn above(now: char) -> Option<char> {
    char::from_u32(u32::from(now).checked_add(1)?)
}

/// The last of the kind of a character.
fn top_of(one: char) -> Option<char> {
    match one {
        '0'..='9' => Some('9'),
        'a'..='z' => Some('z'),
        'A'..='Z' => Some('Z'),
        _ => None,
    }
}

/// Whether a place in a key lies in a number or a digest: there, characters run through.
fn counts(key: &str, at: usize) -> bool {
    let is_hex = |one: char| one.is_ascii_hexdigit();
    let (before, after) = (key.get(..at).unwrap_or(""), key.get(at..).unwrap_or(""));
    let back = before.chars().rev().take_while(|one| is_hex(*one));
    let run: String = back.chain(after.chars().take_while(|one| is_hex(*one))).collect();
    run.len() >= 2 && run.chars().any(|one| one.is_ascii_digit())
}

/// Characters that may stand in place of `now`, larger ones only, the middle ones first.
fn candidates(key: &str, at: usize, now: char) -> Vec<char> {
    let in_hex = counts(key, at)
        && key
            .get(at..)
            .unwrap_or("")
            .chars()
            .take_while(char::is_ascii_hexdigit)
            .any(|one| matches!(one, 'a'..='f'));
    let kind: Vec<char> = match now {
        '0'..='9' if in_hex => ('0'..='9').chain('a'..='f').collect(),
        '0'..='9' => ('0'..='9').collect(),
        'a'..='f' if in_hex => ('a'..='f').collect(),
        'a'..='z' => ('a'..='z').collect(),
        'A'..='F' if counts(key, at) => ('A'..='F').collect(),
        'A'..='Z' => ('A'..='Z').collect(),
        _ => Vec::new(),
    };
    let above: Vec<char> = kind.into_iter().filter(|one| *one > now).collect();
    let middle = above.len() / 2;
    let mut order: Vec<(usize, char)> =
        above.into_iter().enumerate().map(|(place, one)| (place.abs_diff(middle), one)).collect();
    order.sort_unstable();
    order.into_iter().map(|(_, one)| one).take(AT_ONE_PLACE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_core::{Container, Object};
    use lidless_io::ReadAt;
    use lidless_storage::{ListPage, Probe};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Sorted keys behind a face that can only seek.
    struct Keys {
        keys: Vec<String>,
        seeking: Seeking,
        asked: AtomicUsize,
    }

    impl Store for Keys {
        fn name(&self) -> &str {
            "az://a"
        }
        fn probe(&self) -> Result<Probe, StorageError> {
            unreachable!()
        }
        fn containers(&self) -> Result<Vec<Container>, StorageError> {
            unreachable!()
        }
        fn list(&self, _: &ListRequest) -> Result<ListPage, StorageError> {
            unreachable!()
        }
        fn head(&self, _: &str, _: &str) -> Result<Object, StorageError> {
            unreachable!()
        }
        fn open(&self, _: &str, _: &Object) -> Arc<dyn ReadAt> {
            unreachable!()
        }
        fn seeking(&self) -> Seeking {
            self.seeking
        }
        fn seek(&self, _: &ListRequest, from: &str) -> Result<Option<Seek>, StorageError> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let found = match self.seeking {
                Seeking::Anywhere => self.keys.iter().find(|key| key.as_str() > from),
                _ => self.keys.iter().find(|key| key.starts_with(from)),
            };
            Ok(found.map(|key| Seek {
                start: from.to_owned(),
                first: key.clone(),
                objects: Vec::new(),
                cursor: String::new(),
            }))
        }
    }

    /// Divides after the first `named` keys; gives the share of what is ahead that lies in the
    /// upper part, and the questions that took.
    fn share(keys: Vec<String>, named: usize, seeking: Seeking) -> (f64, usize) {
        let store = Keys { keys, seeking, asked: AtomicUsize::new(0) };
        let (first, last) = (&store.keys[named.saturating_sub(100)], &store.keys[named - 1]);
        let ahead = Ahead { prefix: "", first, last, until: None, within: "" };
        let division = divide(&store, "c", &ahead).unwrap();
        let Some(seek) = division.at else { return (0.0, store.asked.into_inner()) };
        let left = store.keys.len() - named;
        let upper = store.keys.iter().filter(|key| **key >= seek.start).count();
        assert!(upper > 0 && upper <= left);
        (upper as f64 / left as f64, store.asked.into_inner())
    }

    #[test]
    fn numbers_digests_and_words_are_divided_about_in_the_middle() {
        let numbers = || (0..40_000).map(|n| format!("object-{n:09}.bin")).collect::<Vec<_>>();
        let digests = || {
            let mut all: Vec<_> = (0..40_000_u64)
                .map(|n| format!("{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
                .collect();
            all.sort();
            all
        };
        let words = || {
            let letters = || "abcdefghijklmnopqrstuvwxyz".chars();
            letters().flat_map(|a| letters().map(move |b| format!("{a}{b}.txt"))).collect()
        };
        for seeking in [Seeking::Anywhere, Seeking::AtPrefix] {
            for (name, keys) in [("numbers", numbers()), ("digests", digests()), ("words", words())]
            {
                let (share, asked) = share(keys, 150, seeking);
                assert!(share > 0.2 && share < 0.9, "{name} {seeking:?}: {share}");
                assert!(asked <= QUESTIONS, "{name} {seeking:?}: {asked}");
            }
        }
    }

    #[test]
    fn a_number_of_many_digits_is_divided_when_it_is_asked_again() {
        let keys = (0..40_000).map(|n| format!("object-{n:018}.bin")).collect::<Vec<_>>();
        let (first, last) = (keys[50].clone(), keys[149].clone());
        let store = Keys { keys, seeking: Seeking::AtPrefix, asked: AtomicUsize::new(0) };
        let mut within = String::new();
        let found = (0..8).any(|_| {
            let ahead =
                Ahead { prefix: "", first: &first, last: &last, until: None, within: &within };
            let division = divide(&store, "c", &ahead).unwrap();
            within = division.within;
            division.at.is_some()
        });
        assert!(found, "{within}");
    }

    #[test]
    fn nothing_ahead_and_nowhere_to_seek_divide_nothing() {
        let keys = || (0..200).map(|n| format!("object-{n:09}.bin")).collect::<Vec<_>>();
        assert_eq!(share(keys(), 200, Seeking::Anywhere).0, 0.0);
        assert_eq!(share(keys(), 200, Seeking::AtPrefix).0, 0.0);
        assert_eq!(share(keys(), 150, Seeking::Nowhere), (0.0, 0));
    }
}
