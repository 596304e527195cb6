//! A secret on its way to its issuer: in memory, never written anywhere.

use super::engine::Match;
use super::rule::{Rule, secret_rules};
use lidless_core::{Finding, Fingerprint, Secret, Severity};
use regex_automata::meta::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// How far from a secret the id that belongs to it is looked for, in bytes.
const NEAR: usize = 2_000;

/// A secret that its issuer can be asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifiable {
    /// The id of its rule, which has a `verify`.
    pub rule: &'static str,
    /// The fingerprint of its finding.
    pub fingerprint: Fingerprint,
    /// The secret.
    pub secret: Secret,
    /// What belongs to it, where the rule wants it: an id, an account, a site.
    pub pair: Option<Secret>,
    /// Whether nothing else near it could be what belongs to it.
    pub sure_pair: bool,
    /// Where it stood.
    pub location: String,
    /// How bad a find it is: the worst are asked about first.
    pub severity: Severity,
}

impl Verifiable {
    /// None when its issuer cannot be asked: no rule says how, it is of a form that the question
    /// is not for, or what belongs to it does not stand near it.
    pub(crate) fn of(found: &Match<'_>, text: &str, finding: &Finding) -> Option<Self> {
        let verify = found.rule.verify.as_ref()?;
        if !verify.is_for(found.secret) {
            return None;
        }
        let mut sure_pair = true;
        let pair = match &verify.pair {
            None => None,
            Some(_) => {
                let (pair, sure) = nearest(found.rule, text, found.span.start, found.span.end)?;
                sure_pair = sure;
                Some(Secret::new(pair))
            }
        };
        Some(Self {
            rule: found.rule.id,
            fingerprint: finding.fingerprint.clone()?,
            secret: Secret::new(found.secret),
            pair,
            sure_pair,
            location: finding.location.clone(),
            severity: finding.severity,
        })
    }
}

/// What belongs to a secret, the nearest of all that may, and whether it is the only one.
fn nearest<'t>(rule: &Rule, text: &'t str, start: usize, end: usize) -> Option<(&'t str, bool)> {
    static PATTERNS: OnceLock<BTreeMap<&'static str, Regex>> = OnceLock::new();
    let patterns = PATTERNS.get_or_init(|| {
        let pairs = secret_rules().iter().filter_map(|rule| {
            let pair = rule.verify.as_ref()?.pair.as_ref()?;
            Some((rule.id, Regex::new(pair.pattern).ok()?))
        });
        pairs.collect()
    });
    let mut from = start.saturating_sub(NEAR);
    let mut to = end.saturating_add(NEAR).min(text.len());
    while !text.is_char_boundary(from) {
        from = from.saturating_add(1);
    }
    while !text.is_char_boundary(to) {
        to = to.saturating_sub(1);
    }
    let near = text.get(from..to)?;
    let mut all = BTreeSet::new();
    let mut best: Option<(usize, &str)> = None;
    for captures in patterns.get(rule.id)?.captures_iter(near) {
        let Some(group) = captures.get_group(1).or_else(|| captures.get_group(0)) else { continue };
        let Some(value) = near.get(group.range()) else { continue };
        all.insert(value);
        let at = from.saturating_add(group.start);
        let distance = if at >= end { at.saturating_sub(end) } else { at.abs_diff(start) };
        if best.is_none_or(|(known, _)| distance < known) {
            best = Some((distance, value));
        }
    }
    best.map(|(_, value)| (value, all.len() == 1))
}
