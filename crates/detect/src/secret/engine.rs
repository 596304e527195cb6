//! Rules as data, matched in two passes: literals first, then a pattern around each hit.
//!
//! No match is lost to the first pass: every match of a rule holds one of its literals, and no
//! match reaches further from it than the longest the pattern allows. The pattern sees the text
//! around its window, so that a boundary means the same as in the whole text.

use super::gate::Gate;
use super::memory::Memory;
use super::own::{self, RuleSet};
use super::placeholder::{entropy, filler, is_digest, placeholder};
use super::published::published;
use super::rule::Rule;
use lidless_core::{Confidence, Holds, Pieces, Reason};
use regex_automata::meta::Regex;
use regex_automata::{Input, util::captures::Captures};
use std::ops::Range;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// All rules, each compiled when a literal of it first comes by.
pub(crate) struct Engine {
    rules: Vec<&'static Rule>,
    compiled: Vec<OnceLock<Option<Regex>>>,
    gate: Gate,
    /// The length of the longest literal.
    longest_literal: usize,
    /// Rules without a literal: every text is searched for them.
    always: Vec<usize>,
    /// Lists of windows, kept from text to text: one for each thread that is searching.
    spare: Mutex<Vec<Windows>>,
}

/// Where each rule is to be searched for in one text.
struct Windows {
    of: Vec<Vec<Range<usize>>>,
    touched: Vec<usize>,
    barren: Memory,
}

/// One match.
pub(crate) struct Match<'t> {
    pub(crate) rule: &'static Rule,
    /// Where the secret stands.
    pub(crate) span: Range<usize>,
    pub(crate) secret: &'t str,
    /// The whole match around it, and where that stands.
    pub(crate) whole: &'t str,
    pub(crate) around: Range<usize>,
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

/// A text and where it stands.
#[derive(Clone, Copy)]
pub(crate) struct Sought<'t> {
    pub(crate) text: &'t str,
    pub(crate) path: &'t str,
}

/// What a search gave.
#[derive(Default)]
pub(crate) struct Found<'t> {
    pub(crate) matches: Vec<Match<'t>>,
    /// Rules that were not searched for to the end of the text.
    pub(crate) stopped: Vec<&'static Rule>,
}

/// Matches of one rule in one text; a text with more says nothing new.
const MOST_MATCHES: usize = 10_000;
/// Time for a rule of the user's own whose matches have no longest length, in one text: such a
/// pattern can look at the same bytes once for each match.
const LONGEST_SEARCH: Duration = Duration::from_secs(10);
/// Matches of rules that reach further than this from their literal are searched for in every piece
/// that holds one: the others are seen whole with what stands around a piece, and a boundary.
const NEAR: usize = Pieces::CONTEXT - 8;
/// Lists for more entries than this are given back instead of kept.
const KEPT_WINDOWS: usize = 4096;

impl Engine {
    /// The built-in rules.
    #[cfg(test)]
    pub(crate) fn new() -> Self {
        Self::with(&RuleSet::default())
    }

    pub(crate) fn with(rules: &RuleSet) -> Self {
        let rules: Vec<&'static Rule> = rules.all().collect();
        let compiled = rules.iter().map(|_| OnceLock::new()).collect();
        let bare = |(index, rule): (usize, &&Rule)| rule.literals.is_empty().then_some(index);
        let always = rules.iter().enumerate().filter_map(bare).collect();
        let gate = Gate::new(&rules);
        let literals = rules.iter().flat_map(|rule| rule.literals).map(|literal| literal.len());
        let longest_literal = literals.max().unwrap_or(0);
        Self { rules, compiled, gate, longest_literal, always, spare: Mutex::default() }
    }

    /// Every match that is likely, a secret once: where rules agree on a place, the surer one and
    /// then the longer one has it.
    pub(crate) fn find<'t>(&self, sought: Sought<'t>) -> Found<'t> {
        let mut found = self.find_all(sought);
        found.matches = settle(found.matches);
        found
    }

    /// Every match as [`Self::find`] gives it, and after them those that are no secrets, each with
    /// its doubt, a place once. Only pieces that may hold a match are searched.
    pub(crate) fn find_judged<'t>(&self, sought: Sought<'t>, pieces: Option<&Pieces>) -> Found<'t> {
        // What a rule of the user's own looks at has no bounds.
        let plain = self.rules.iter().all(|rule| rule.own.is_none());
        let Found { matches, stopped } = self.search(sought, pieces.filter(|_| plain));
        let (likely, doubted): (Vec<_>, Vec<_>) =
            matches.into_iter().partition(|one| one.doubt.is_none());
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
        Found { matches: found, stopped }
    }

    /// Every likely match of every rule.
    pub(crate) fn find_all<'t>(&self, sought: Sought<'t>) -> Found<'t> {
        let mut found = self.search(sought, None);
        found.matches.retain(|one| one.doubt.is_none());
        found
    }

    /// Every match of every rule, likely or not.
    fn search<'t>(&self, sought: Sought<'t>, pieces: Option<&Pieces>) -> Found<'t> {
        let length = sought.text.len();
        let mut windows = self.windows();
        let parts = pieces.map_or_else(
            || Pieces::whole(length).parts(Holds::MATCH),
            |pieces| pieces.parts(Holds::MATCH),
        );
        for part in parts {
            // A byte before it tells a word's beginning; a literal may end behind it.
            let from = part.start.saturating_sub(1);
            let to = part.end.saturating_add(self.longest_literal).min(length);
            let bytes = sought.text.as_bytes().get(from..to).unwrap_or(&[]);
            self.gate.scan(bytes, |rule, start, end| {
                let (start, end) = (from.saturating_add(start), from.saturating_add(end));
                if !part.contains(&start) {
                    return;
                }
                let reach = self.rules.get(rule).map_or(0, |rule| rule.reach);
                if let Some(pieces) = pieces {
                    pieces.note(Holds::LITERAL, &(start..end));
                    if reach > NEAR {
                        pieces.note(Holds::MATCH, &(start..end));
                    }
                }
                let before = end.saturating_sub(reach);
                let after = start.saturating_add(reach).min(length).max(end);
                windows.add(rule, before..after);
            });
        }
        for rule in &self.always {
            windows.add(*rule, 0..length);
        }
        let mut found = Found::default();
        // In the order of the rules, whatever the order of the text.
        windows.touched.sort_unstable();
        for index in std::mem::take(&mut windows.touched) {
            let Windows { of, barren, .. } = &mut windows;
            let (Some(rule), Some(list)) = (self.rules.get(index), of.get_mut(index)) else {
                continue;
            };
            let known = found.matches.len();
            self.search_all((index, rule), list, sought, barren, &mut found);
            list.clear();
            list.shrink_to(KEPT_WINDOWS);
            if let Some(pieces) = pieces {
                // A match may hide another one that overlaps it.
                for one in found.matches.get(known..).unwrap_or(&[]) {
                    let start = one.around.start.saturating_sub(NEAR);
                    pieces.note(Holds::MATCH, &(start..one.around.end.saturating_add(NEAR)));
                }
            }
        }
        if let Some(pieces) = pieces.filter(|_| !found.stopped.is_empty()) {
            pieces.note_cut_short();
        }
        if let Ok(mut spare) = self.spare.lock() {
            spare.push(windows);
        }
        found
    }

    fn windows(&self) -> Windows {
        let spare = self.spare.lock().ok().and_then(|mut spare| spare.pop());
        spare.unwrap_or_else(|| Windows {
            of: vec![Vec::new(); self.rules.len()],
            touched: Vec::new(),
            barren: Memory::new(),
        })
    }

    /// Searches the windows of one rule.
    fn search_all<'t>(
        &self,
        (index, rule): (usize, &'static Rule),
        windows: &mut [Range<usize>],
        sought: Sought<'t>,
        barren: &mut Memory,
        found: &mut Found<'t>,
    ) {
        if rule.own.is_some_and(|own| !own.looks_at(sought.path, sought.text)) {
            return;
        }
        let Some(compiled) = self.compiled.get(index) else { return };
        let Some(regex) = compiled.get_or_init(|| compile(rule)) else {
            found.stopped.push(rule);
            return;
        };
        // Literals of different lengths come slightly out of order.
        windows.sort_unstable_by_key(|window| window.start);
        let mut limit = Limit::new(rule);
        let mut windows = windows.iter();
        let mut next = windows.next().cloned();
        while let Some(mut window) = next.take() {
            for other in windows.by_ref() {
                if other.start > window.end {
                    next = Some(other.clone());
                    break;
                }
                window.end = window.end.max(other.end);
            }
            let key = barren.key(index, sought.text.as_bytes(), &window);
            if key.is_some_and(|key| barren.holds(key)) {
                continue;
            }
            let matched = search(rule, regex, sought, window, &mut limit, &mut found.matches);
            if let Some(key) = key.filter(|_| !matched) {
                barren.keep(key);
            }
            if limit.reached {
                found.stopped.push(rule);
                return;
            }
        }
    }
}

impl Windows {
    fn add(&mut self, rule: usize, window: Range<usize>) {
        let Some(list) = self.of.get_mut(rule) else { return };
        if list.is_empty() {
            self.touched.push(rule);
        }
        join(list, window);
    }
}

fn compile(rule: &Rule) -> Option<Regex> {
    let builder = Regex::config().nfa_size_limit(Some(own::COMPILED));
    Regex::builder().syntax(own::syntax()).configure(builder).build(rule.pattern).ok()
}

/// What one rule may take of one text.
struct Limit {
    left: usize,
    until: Option<Instant>,
    reached: bool,
}

impl Limit {
    fn new(rule: &Rule) -> Self {
        let endless = rule.reach == usize::MAX;
        let until = endless.then(|| Instant::now().checked_add(LONGEST_SEARCH)).flatten();
        Self { left: MOST_MATCHES, until, reached: false }
    }

    /// Whether the search may go on.
    fn goes_on(&mut self) -> bool {
        self.reached = self.left == 0 || self.until.is_some_and(|until| Instant::now() > until);
        !self.reached
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

/// Every match of one rule inside a window; says whether the pattern matches there at all.
fn search<'t>(
    rule: &'static Rule,
    regex: &Regex,
    sought: Sought<'t>,
    window: Range<usize>,
    limit: &mut Limit,
    found: &mut Vec<Match<'t>>,
) -> bool {
    let text = sought.text;
    // Most windows hold no match, and groups are dear.
    if !regex.is_match(Input::new(text).span(window.clone())) {
        return false;
    }
    for captures in regex.captures_iter(Input::new(text).span(window)) {
        if !limit.goes_on() {
            return true;
        }
        let (Some(span), Some(whole)) = (secret_of(rule, &captures), captures.get_match()) else {
            continue;
        };
        let Some(secret_text) = text.get(span.clone()) else { continue };
        let Some(whole_text) = text.get(whole.range()) else { continue };
        // What a rule of the user's own leaves alone is no candidate.
        if rule.own.is_some_and(|own| own.leaves(sought.path, text, &whole.range(), secret_text)) {
            continue;
        }
        let doubt = match rule.own {
            Some(own) if own.as_written => as_written(rule, secret_text),
            _ => doubt(rule, secret_text, whole_text),
        };
        limit.left = limit.left.saturating_sub(1);
        let around = whole.range();
        let (secret, whole) = (secret_text, whole_text);
        found.push(Match { rule, span, secret, whole, around, doubt });
    }
    true
}

/// The group that the rule names, the group `secret`, the first group that took part, or the
/// whole match.
fn secret_of(rule: &Rule, captures: &Captures) -> Option<Range<usize>> {
    let named = rule.own.map_or(0, |own| own.group);
    if named > 0 {
        return captures.get_group(named).map(|span| span.range());
    }
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
    // Keys with a comment in plain words, which may well name example.com.
    if matches!(rule.id, "putty_key" | "ssh2_key") {
        return None;
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

/// The same for a rule that is to be taken as it was written.
fn as_written(rule: &Rule, secret: &str) -> Option<Reason> {
    let low = rule.entropy > 0.0 && entropy(secret) <= rule.entropy;
    let wrong = rule.checksum.is_some_and(|checksum| !checksum.holds(secret));
    low.then_some(Reason::LowEntropy).or(wrong.then_some(Reason::Checksum))
}

#[cfg(test)]
mod tests {
    use super::super::rule::secret_rules;
    use super::*;
    use std::fmt::Write as _;

    /// What tells that a piece of a text holds none has to stand in one line.
    #[test]
    fn no_literal_goes_over_the_end_of_a_line() {
        for rule in secret_rules() {
            assert!(rule.literals.iter().all(|literal| !literal.contains('\n')), "{}", rule.id);
        }
    }

    /// Every pattern over the whole text, without the first pass.
    fn plainly(text: &str) -> Vec<(&'static str, Range<usize>, String)> {
        let mut found = Vec::new();
        for rule in secret_rules() {
            let regex = Regex::new(rule.pattern).unwrap();
            let sought = Sought { text, path: "" };
            search(rule, &regex, sought, 0..text.len(), &mut Limit::new(rule), &mut found);
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
            let quick = said(&engine.find_all(Sought { text: &text, path: "" }).matches);
            seen += quick.len();
            assert_eq!(quick, plainly(&text));
        }
        assert!(seen > 1500, "{seen}");
    }

    const OWN: &str = r#"
service = "Example"
[[rule]]
id = "own.bare"
pattern = '\b[0-9]{3}-[a-f]{4}\b'
as_written = true
[[rule]]
id = "own.endless"
as_written = true
pattern = '(?s)BEGIN THING(.+?)END THING'
[[rule]]
id = "own.keyword"
as_written = true
pattern = '(?i)[\w.-]{0,20}thing[\w.-]{0,20}\s*=\s*"([a-z0-9]{12,})"'
keywords = ["things"]
"#;

    /// Source text of this crate and rules beside the built-in ones, among them one without a
    /// literal and one without a longest match.
    #[test]
    fn two_passes_find_the_same_in_source_and_with_rules_of_the_users_own() {
        let mut set = RuleSet::default();
        assert_eq!(set.add(&super::own::read_rules(OWN).unwrap()), Vec::new());
        let engine = Engine::with(&set);
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/secret");
        let mut text = String::from("Things\n123-abcd BEGIN THING\n a1b2\n END THING\n");
        text.push_str("thing_key = \"abcdef123456\"\nTHING = \"k7dk2ld84mfk2\"\n");
        let mut paths: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths.iter().filter(|path| path.is_file()) {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
        let sought = Sought { text: &text, path: "" };
        let quick = said(&engine.find_all(sought).matches);
        let mut found = Vec::new();
        for rule in set.all() {
            if rule.own.is_none_or(|own| own.looks_at("", &text)) {
                let regex = Regex::new(rule.pattern).unwrap();
                let mut limit = Limit::new(rule);
                search(rule, &regex, sought, 0..text.len(), &mut limit, &mut found);
            }
        }
        assert_eq!(quick, said(&found));
        let ids: std::collections::BTreeSet<_> = quick.iter().map(|one| one.0).collect();
        assert!(["own.bare", "own.endless", "own.keyword"].iter().all(|id| ids.contains(id)));
    }

    /// Each candidate is a match: some are said, the rest is a gap.
    #[test]
    fn a_text_of_nothing_but_matches_is_cut_short_and_says_so() {
        let mut set = RuleSet::default();
        set.add(&super::own::read_rules(OWN).unwrap());
        let text = "123-abcd ".repeat(MOST_MATCHES + 5);
        let found = Engine::with(&set).find(Sought { text: &text, path: "" });
        assert_eq!(found.matches.len(), MOST_MATCHES);
        assert_eq!(found.stopped.first().map(|rule| rule.id), Some("own.bare"));
    }

    /// One byte over and over, a line without an end, and what makes other engines go back.
    #[test]
    fn hostile_texts_are_work_in_proportion() {
        let engine = Engine::new();
        for unit in
            ["a", "A", "0", "=", "\"", " ", "\u{fffd}", "key=", "https://a:", "eyJ", "-----BEGIN "]
        {
            let text = unit.repeat(1_000_000 / unit.len());
            assert!(engine.find(Sought { text: &text, path: "" }).stopped.is_empty());
        }
    }

    /// A million literals of one rule, and all literals of all rules over and over.
    #[test]
    fn a_million_hits_are_work_in_proportion() {
        let engine = Engine::new();
        let text = ["gh", "p_"].concat().repeat(1_000_000);
        assert!(engine.find(Sought { text: &text, path: "" }).matches.is_empty());
        let mut all = String::new();
        while all.len() < 200_000 {
            for literal in secret_rules().iter().flat_map(|rule| rule.literals) {
                let _ = write!(all, "{literal} ");
            }
        }
        let _ = engine.find(Sought { text: &all, path: "" });
        let mut windows = Vec::new();
        for at in 0..1_000_000 {
            join(&mut windows, at..at + 50);
        }
        assert_eq!(windows, vec![0..1_000_049]);
    }

    #[test]
    fn the_surer_of_two_rules_has_the_place() {
        let text = ["STRIPE_SECRET_KEY=sk", "_live_4eC39HqLyjWD", "arjtT1zdp7dc"].concat();
        let found = Engine::new().find(Sought { text: &text, path: "" }).matches;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].rule.id, "stripe_key");
    }
}
