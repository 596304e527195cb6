//! Rules as data, matched in two passes: literals first, then a pattern around each hit.

use super::placeholder::{entropy, is_placeholder};
use aho_corasick::AhoCorasick;
use lidless_core::Severity;
use regex::Regex;
use serde::Deserialize;
use std::collections::HashSet;
use std::ops::Range;

/// The files in `rules/secret/`; a test holds this list against the folder.
pub(crate) const FILES: [(&str, &str); 2] = [
    ("tokens.toml", include_str!("../../../../rules/secret/tokens.toml")),
    ("keys.toml", include_str!("../../../../rules/secret/keys.toml")),
];

/// How far around a literal a pattern is tried, unless the rule says more.
const WINDOW: usize = 400;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) severity: Severity,
    pub(crate) literals: Vec<String>,
    pub(crate) pattern: String,
    #[serde(default)]
    pub(crate) entropy: f64,
    #[serde(default)]
    pub(crate) shown: usize,
    #[serde(default)]
    pub(crate) window: usize,
    /// The value is a password: placeholders are sorted out more strictly and nothing is shown.
    #[serde(default)]
    pub(crate) password: bool,
    #[serde(default)]
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the tests of the rules"))]
    pub(crate) examples: Vec<String>,
    #[serde(default)]
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the tests of the rules"))]
    pub(crate) counter_examples: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rule: Vec<Rule>,
}

/// All rules, compiled.
pub(crate) struct Engine {
    rules: Vec<(Rule, Regex)>,
    finder: Option<AhoCorasick>,
    /// The rule of each literal.
    owners: Vec<usize>,
}

/// One match.
pub(crate) struct Match<'r, 't> {
    pub(crate) rule: &'r Rule,
    /// Where the secret stands.
    pub(crate) span: Range<usize>,
    pub(crate) secret: &'t str,
    /// The whole match around it.
    pub(crate) whole: &'t str,
}

/// Reads every rule file; a broken rule is left out here and fails the tests.
pub(crate) fn rules() -> Vec<Rule> {
    FILES
        .iter()
        .filter_map(|(_, text)| toml::from_str::<File>(text).ok())
        .flat_map(|file| file.rule)
        .collect()
}

impl Engine {
    pub(crate) fn new() -> Self {
        let rules: Vec<(Rule, Regex)> = rules()
            .into_iter()
            .filter_map(|rule| Regex::new(&rule.pattern).ok().map(|regex| (rule, regex)))
            .collect();
        let mut literals = Vec::new();
        let mut owners = Vec::new();
        for (index, (rule, _)) in rules.iter().enumerate() {
            for literal in &rule.literals {
                literals.push(literal.clone());
                owners.push(index);
            }
        }
        Self { rules, finder: AhoCorasick::new(literals).ok(), owners }
    }

    /// Every match, each secret of a rule once a place.
    pub(crate) fn find<'t>(&self, text: &'t str) -> Vec<Match<'_, 't>> {
        let mut found = Vec::new();
        let mut known: HashSet<(usize, usize)> = HashSet::new();
        let Some(finder) = &self.finder else { return found };
        // The end of what a rule was tried on: many hits close together are one try.
        let mut tried: Vec<usize> = vec![0; self.rules.len()];
        for hit in finder.find_overlapping_iter(text) {
            let Some(index) = self.owners.get(hit.pattern().as_usize()).copied() else { continue };
            let (Some((rule, regex)), Some(until)) = (self.rules.get(index), tried.get_mut(index))
            else {
                continue;
            };
            let reach = rule.window.max(WINDOW);
            // A hit well inside what was tried already brings nothing new.
            if hit.end().saturating_add(reach / 2) <= *until {
                continue;
            }
            let mut start = hit.start().saturating_sub(reach);
            while !text.is_char_boundary(start) {
                start = start.saturating_sub(1);
            }
            let mut end = hit.end().saturating_add(reach.saturating_mul(2)).min(text.len());
            while !text.is_char_boundary(end) {
                end = end.saturating_add(1);
            }
            *until = end;
            for captures in regex.captures_iter(text.get(start..end).unwrap_or("")) {
                let secret = captures.iter().skip(1).flatten().next().or_else(|| captures.get(0));
                let (Some(secret), Some(whole)) = (secret, captures.get(0)) else { continue };
                let from = start.saturating_add(secret.start());
                if !known.insert((index, from)) || !is_likely(rule, secret.as_str()) {
                    continue;
                }
                let to = start.saturating_add(secret.end());
                found.push(Match {
                    rule,
                    span: from..to,
                    secret: secret.as_str(),
                    whole: whole.as_str(),
                });
            }
        }
        found
    }
}

fn is_likely(rule: &Rule, secret: &str) -> bool {
    if secret.ends_with("EXAMPLE") || (rule.entropy > 0.0 && entropy(secret) < rule.entropy) {
        return false;
    }
    if rule.password {
        return !is_placeholder(secret);
    }
    let body = secret.get(rule.shown..).unwrap_or(secret);
    let lower = body.to_ascii_lowercase();
    !(lower.contains("xxxx")
        || lower.contains("your")
        || lower.contains("...")
        || lower.contains("example"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_finds_its_examples_and_leaves_its_counter_examples() {
        let engine = Engine::new();
        let mut wanted = 0;
        for (name, text) in FILES {
            let file: File = toml::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            wanted += file.rule.len();
        }
        for rule in rules() {
            assert!(Regex::new(&rule.pattern).is_ok(), "{:?}", Regex::new(&rule.pattern));
        }
        assert_eq!(engine.rules.len(), wanted);
        let mut wrong = Vec::new();
        for (rule, _) in &engine.rules {
            let hits = |text: &String| engine.find(text).iter().any(|one| one.rule.id == rule.id);
            let missed = rule.examples.iter().filter(|text| !hits(text));
            let invented = rule.counter_examples.iter().filter(|text| hits(text));
            wrong.extend(missed.chain(invented).map(|text| format!("{}: {text}", rule.id)));
            if rule.examples.is_empty() || rule.counter_examples.is_empty() {
                wrong.push(format!("{} has no examples", rule.id));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn every_rule_file_is_in_the_list() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules/secret");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        let mut listed: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        listed.sort_unstable();
        assert_eq!(names, listed);
    }
}
