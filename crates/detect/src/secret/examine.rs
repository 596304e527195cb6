//! The rules held against their own examples, through the engine that scans.

use super::engine::{Engine, Sought};
use super::own::RuleSet;
use super::rule::Rule;
use std::ops::Range;

/// What the examples of the rules said.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Examination {
    /// How many rules there are.
    pub rules: usize,
    /// How many examples were looked at.
    pub examples: usize,
    /// How many counter-examples were looked at.
    pub counter: usize,
    /// What was wrong: the rule, and how.
    pub wrong: Vec<(&'static str, &'static str)>,
}

/// Looks at every example and counter-example of every rule.
#[must_use]
pub fn examine_secret_rules(rules: &RuleSet) -> Examination {
    let engine = Engine::with(rules);
    let mut said = Examination::default();
    for rule in rules.all() {
        let finds = |text: &str| {
            let found = engine.find_all(Sought { text, path: "" });
            found.matches.iter().any(|one| one.rule.id == rule.id)
        };
        said.rules = said.rules.saturating_add(1);
        said.examples = said.examples.saturating_add(rule.examples.len());
        said.counter = said.counter.saturating_add(rule.counter.len());
        if !rule.examples.iter().all(|text| finds(text)) {
            said.wrong.push((rule.id, "does not find an example of its own"));
        }
        if rule.counter.iter().any(|text| finds(text)) {
            said.wrong.push((rule.id, "finds a counter-example of its own"));
        }
    }
    said
}

/// Where a rule sees its secret in a text; none when it sees none.
#[must_use]
pub fn secret_span(rules: &RuleSet, rule: &Rule, text: &str) -> Option<Range<usize>> {
    let found = Engine::with(rules).find_all(Sought { text, path: "" }).matches;
    found.into_iter().find(|one| one.rule.id == rule.id).map(|one| one.span)
}

#[cfg(test)]
mod tests {
    use super::super::rule::secret_rules;
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_rule_finds_its_examples_and_leaves_its_counter_examples() {
        let said = examine_secret_rules(&RuleSet::default());
        assert_eq!(said.wrong, Vec::new());
        assert!(said.rules >= 400, "{}", said.rules);
    }

    #[test]
    fn every_rule_is_sound() {
        let mut wrong = Vec::new();
        let mut ids = BTreeSet::new();
        for rule in secret_rules() {
            let mut say = |what: &str| wrong.push(format!("{}: {what}", rule.id));
            if !ids.insert(rule.id) {
                say("another rule has this id");
            }
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if rule.id.is_empty() || !rule.id.chars().all(plain) {
                say("ids are of small letters, digits and _");
            }
            if [rule.service, rule.title, rule.opens, rule.revoke].iter().any(|t| t.len() < 2) {
                say("something is not said");
            }
            if !rule.reference.starts_with("https://") {
                say("the reference is no address");
            }
            if rule.examples.is_empty() || rule.counter.is_empty() {
                say("there are no examples or no counter-examples");
            }
            if rule.literals.is_empty() || rule.literals.iter().any(|one| one.len() < 3) {
                say("a literal has at least three bytes");
            }
            let holds = |text: &str, literal: &str| {
                if rule.ignore_case {
                    text.to_ascii_lowercase().contains(&literal.to_ascii_lowercase())
                } else {
                    text.contains(literal)
                }
            };
            if !rule.examples.iter().all(|text| rule.literals.iter().any(|one| holds(text, one))) {
                say("an example holds no literal");
            }
            wrong.extend(shown_is_public(rule));
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    /// What is shown is the same in every example and spelled out in the pattern or a literal.
    fn shown_is_public(rule: &super::super::rule::Rule) -> Option<String> {
        if rule.shown == 0 {
            return None;
        }
        let engine = Engine::new();
        for example in rule.examples {
            let found = engine.find_all(Sought { text: example, path: "" }).matches;
            for found in found.iter().filter(|one| one.rule.id == rule.id) {
                let prefix = found.secret.get(..rule.shown)?;
                let plain = rule.pattern.replace('\\', "");
                let public = rule.literals.iter().any(|one| {
                    one.starts_with(prefix) || prefix.starts_with(one) && prefix.len() == one.len()
                }) || plain.contains(prefix);
                if !public {
                    return Some(format!("{}: {prefix} is more than a public prefix", rule.id));
                }
            }
        }
        None
    }
}
