//! Rules as data, matched in two passes: literals first, then a pattern around each hit.
//!
//! No match is lost to the first pass: every match of a rule holds one of its literals, and no
//! match reaches further from it than the longest the pattern allows. The pattern sees the text
//! around its window, so that a boundary means the same as in the whole text.

use super::gate::Gate;
use super::placeholder::{entropy, filler, is_digest, placeholder};
use super::published::published;
use super::rule::{Rule, secret_rules};
use lidless_core::{Confidence, Reason};
use regex_automata::meta::Regex;
use regex_automata::{Input, util::captures::Captures};
use std::ops::Range;
use std::sync::OnceLock;

/// All rules, each compiled when a literal of it first comes by.
pub(crate) struct Engine {
    rules: &'static [Rule],
    compiled: Vec<OnceLock<Option<Regex>>>,
    gate: Gate,
}

/// One match.
pub(crate) struct Match<'t> {
    pub(crate) rule: &'static Rule,
    /// Where the secret stands.
    pub(crate) span: Range<usize>,
    pub(crate) secret: &'t str,
    /// The whole match around it.
    pub(crate) whole: &'t str,
    /// Why it is no secret all the same; none when it is likely to be one.
    pub(crate) doubt: Option<Reason>,
}

impl Match<'_> {
    /// Where the finding stands: at the secret, or where the armour of a key begins.
    pub(crate) fn start(&self) -> usize {
        if matches!(self.rule.id, "private_key" | "ssh2_key") {
            self.span.start.saturating_sub(self.whole.find(self.secret).unwrap_or(0))
        } else {
            self.span.start
        }
    }
}

impl Engine {
    pub(crate) fn new() -> Self {
        let rules = secret_rules();
        let compiled = rules.iter().map(|_| OnceLock::new()).collect();
        Self { rules, compiled, gate: Gate::new(rules) }
    }

    /// Every match that is likely, a secret once: where rules agree on a place, the surer one and
    /// then the longer one has it.
    #[cfg(test)]
    pub(crate) fn find<'t>(&self, text: &'t str) -> Vec<Match<'t>> {
        settle(self.find_all(text))
    }

    /// Every match as [`Self::find`] gives it, and after them those that are no secrets, each with
    /// its doubt, a place once.
    pub(crate) fn find_judged<'t>(&self, text: &'t str) -> Vec<Match<'t>> {
        let (likely, doubted): (Vec<_>, Vec<_>) =
            self.search_all(text).into_iter().partition(|one| one.doubt.is_none());
        let mut found = settle(likely);
        if !doubted.is_empty() {
            let free = settle(doubted).into_iter().filter(|one| {
                let before = found.partition_point(|kept| kept.span.start < one.span.end);
                let touched = before.checked_sub(1).and_then(|last| found.get(last));
                touched.is_none_or(|kept| kept.span.end <= one.span.start)
            });
            let free: Vec<_> = free.collect();
            found.extend(free);
        }
        found
    }

    /// Every likely match of every rule.
    pub(crate) fn find_all<'t>(&self, text: &'t str) -> Vec<Match<'t>> {
        let mut found = self.search_all(text);
        found.retain(|one| one.doubt.is_none());
        found
    }

    /// Every match of every rule, likely or not.
    fn search_all<'t>(&self, text: &'t str) -> Vec<Match<'t>> {
        let mut windows: Vec<Vec<Range<usize>>> = vec![Vec::new(); self.rules.len()];
        self.gate.scan(text.as_bytes(), |rule, start, end| {
            let reach = self.rules.get(rule).map_or(0, |rule| rule.reach);
            let from = end.saturating_sub(reach);
            let to = start.saturating_add(reach).min(text.len()).max(end);
            if let Some(windows) = windows.get_mut(rule) {
                join(windows, from..to);
            }
        });
        let mut found = Vec::new();
        for ((rule, compiled), mut windows) in self.rules.iter().zip(&self.compiled).zip(windows) {
            if windows.is_empty() {
                continue;
            }
            let Some(regex) = compiled.get_or_init(|| Regex::new(rule.pattern).ok()) else {
                continue;
            };
            // Literals of different lengths come slightly out of order.
            windows.sort_by_key(|window| window.start);
            let mut joined = Vec::with_capacity(windows.len());
            for window in windows {
                join(&mut joined, window);
            }
            for window in joined {
                search(rule, regex, text, window, &mut found);
            }
        }
        found
    }
}

/// Adds a window, as one with the last when they touch.
fn join(windows: &mut Vec<Range<usize>>, next: Range<usize>) {
    match windows.last_mut() {
        Some(last) if next.start <= last.end && last.start <= next.end => {
            last.start = last.start.min(next.start);
            last.end = last.end.max(next.end);
        }
        _ => windows.push(next),
    }
}

/// Every match of one rule inside a window.
fn search<'t>(
    rule: &'static Rule,
    regex: &Regex,
    text: &'t str,
    window: Range<usize>,
    found: &mut Vec<Match<'t>>,
) {
    for captures in regex.captures_iter(Input::new(text).span(window)) {
        let (Some(secret), Some(whole)) = (secret_of(&captures), captures.get_match()) else {
            continue;
        };
        let (Some(secret_text), Some(whole)) = (text.get(secret.clone()), text.get(whole.range()))
        else {
            continue;
        };
        let doubt = doubt(rule, secret_text, whole);
        found.push(Match { rule, span: secret, secret: secret_text, whole, doubt });
    }
}

/// The group `secret`, the first group that took part, or the whole match.
fn secret_of(captures: &Captures) -> Option<Range<usize>> {
    captures
        .get_group_by_name("secret")
        .or_else(|| captures.iter().skip(1).flatten().next())
        .or_else(|| captures.get_group(0))
        .map(|span| span.range())
}

/// Leaves one match where several share a place.
fn settle(mut found: Vec<Match<'_>>) -> Vec<Match<'_>> {
    // Best first; then each one that touches nothing better stays.
    found.sort_by(|a, b| {
        b.rule
            .confidence
            .cmp(&a.rule.confidence)
            .then_with(|| b.span.len().cmp(&a.span.len()))
            .then_with(|| b.rule.severity.cmp(&a.rule.severity))
            .then_with(|| a.span.start.cmp(&b.span.start))
            .then_with(|| a.rule.id.cmp(b.rule.id))
    });
    // The ends of what is kept, by their starts: those never overlap.
    let mut kept: std::collections::BTreeMap<usize, usize> = std::collections::BTreeMap::new();
    found.retain(|one| {
        let before = kept.range(..one.span.end).next_back();
        let free = before.is_none_or(|(_, end)| *end <= one.span.start);
        if free {
            kept.insert(one.span.start, one.span.end);
        }
        free
    });
    found.sort_by(|a, b| a.span.start.cmp(&b.span.start).then_with(|| a.rule.id.cmp(b.rule.id)));
    found
}

/// Why a match of a rule is no secret; none when it is likely to be one.
fn doubt(rule: &Rule, secret: &str, whole: &str) -> Option<Reason> {
    if published(secret).is_some() {
        return Some(Reason::Published);
    }
    if secret.ends_with("EXAMPLE") {
        return Some(Reason::Example);
    }
    if rule.password {
        let low = rule.entropy > 0.0 && entropy(secret) < rule.entropy;
        let wrong = rule.checksum.is_some_and(|checksum| !checksum.holds(secret));
        return placeholder(secret)
            .or(low.then_some(Reason::LowEntropy))
            .or(wrong.then_some(Reason::Checksum));
    }
    let unsure = rule.confidence < Confidence::High;
    if let Some(reason) = filler(secret.get(rule.shown..).unwrap_or(secret), unsure) {
        return Some(reason);
    }
    if rule.entropy > 0.0 && entropy(secret) < rule.entropy {
        return Some(Reason::LowEntropy);
    }
    if rule.checksum.is_some_and(|checksum| !checksum.holds(secret)) {
        return Some(Reason::Checksum);
    }
    if !unsure {
        return None;
    }
    // Keys with a comment in plain words, which may well name example.com.
    if matches!(rule.id, "putty_key" | "ssh2_key") {
        return None;
    }
    // Words and names are everywhere; what is drawn at random hardly ever lacks a digit or a letter.
    if !secret.bytes().any(|byte| byte.is_ascii_digit()) {
        return Some(Reason::Word);
    }
    if !secret.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        return Some(Reason::LowEntropy);
    }
    let name = whole.get(..whole.find(secret).unwrap_or(0)).unwrap_or("");
    is_digest(name, secret).then_some(Reason::Hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    /// Every pattern over the whole text, without the first pass.
    fn plainly(text: &str) -> Vec<(&'static str, Range<usize>, String)> {
        let mut found = Vec::new();
        for rule in secret_rules() {
            let regex = Regex::new(rule.pattern).unwrap();
            search(rule, &regex, text, 0..text.len(), &mut found);
        }
        found.retain(|one| one.doubt.is_none());
        said(&found)
    }

    fn said(found: &[Match<'_>]) -> Vec<(&'static str, Range<usize>, String)> {
        let mut said: Vec<_> =
            found.iter().map(|one| (one.rule.id, one.span.clone(), one.whole.to_owned())).collect();
        said.sort_by(|a, b| a.1.start.cmp(&b.1.start).then_with(|| a.0.cmp(b.0)));
        said
    }

    /// Numbers that look random and are the same on every run.
    struct Noise(u64);

    impl Noise {
        fn next(&mut self, below: usize) -> usize {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % below
        }

        fn text(&mut self, length: usize) -> String {
            const PARTS: [&str; 24] = [
                " ",
                "\n",
                "a",
                "Z",
                "0",
                "9",
                "_",
                "-",
                "=",
                ":",
                "\"",
                "é",
                "/",
                ".",
                "key",
                "token",
                "https://",
                "f",
                "B",
                "+",
                "K",
                "secret = ",
                ">",
                "'",
            ];
            (0..length).map(|_| PARTS[self.next(PARTS.len())]).collect()
        }
    }

    /// The first pass and the windows lose nothing and invent nothing.
    #[test]
    fn two_passes_find_what_every_pattern_over_the_whole_text_finds() {
        let engine = Engine::new();
        let mut noise = Noise(7);
        let mut seen = 0;
        for round in 0..6 {
            let mut text = String::new();
            for rule in secret_rules() {
                for example in rule.examples.iter().chain(rule.counter) {
                    if noise.next(3) == 0 {
                        continue;
                    }
                    // Cut some short, and let some touch what comes next.
                    let mut end = example.len();
                    if noise.next(4) == 0 {
                        end = noise.next(end);
                        while !example.is_char_boundary(end) {
                            end -= 1;
                        }
                    }
                    text.push_str([" ", "\n", "", ","][noise.next(4)]);
                    text.push_str(&example[..end]);
                    text.push_str(["\n", "\" ", ""][noise.next(3)]);
                    let length = noise.next([1, 4, 40][round % 3]);
                    text.push_str(&noise.text(length));
                }
            }
            let quick = said(&engine.find_all(&text));
            seen += quick.len();
            assert_eq!(quick, plainly(&text));
        }
        assert!(seen > 1500, "{seen}");
    }

    /// A million literals of one rule, and all literals of all rules over and over.
    #[test]
    fn a_million_hits_are_work_in_proportion() {
        let engine = Engine::new();
        assert!(engine.find(&["gh", "p_"].concat().repeat(1_000_000)).is_empty());
        let mut all = String::new();
        while all.len() < 200_000 {
            for literal in secret_rules().iter().flat_map(|rule| rule.literals) {
                let _ = write!(all, "{literal} ");
            }
        }
        let _ = engine.find(&all);
        let mut windows = Vec::new();
        for at in 0..1_000_000 {
            join(&mut windows, at..at + 50);
        }
        assert_eq!(windows, vec![0..1_000_049]);
    }

    #[test]
    fn the_surer_of_two_rules_has_the_place() {
        let text = ["STRIPE_SECRET_KEY=sk", "_live_4eC39HqLyjWD", "arjtT1zdp7dc"].concat();
        let found = Engine::new().find(&text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].rule.id, "stripe_key");
    }
}
