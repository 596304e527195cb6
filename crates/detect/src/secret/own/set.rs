//! The rules of a run: the built-in ones, and the user's own beside them.

use super::super::rule::{Rule, secret_rules};
use super::allow::Allowance;
use super::draft::{Verdict, lasting};
use super::file::RulesFile;
use regex_automata::meta::Regex;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// What only a rule of the user's own may say.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) as_written: bool,
    pub(crate) group: usize,
    pub(crate) path: Option<Regex>,
    pub(crate) keywords: &'static [&'static str],
    pub(crate) allow: Vec<Allowance>,
    /// Of all rules of its file.
    pub(crate) shared: Arc<Vec<Allowance>>,
}

impl Own {
    /// Whether a text is looked at.
    pub(crate) fn looks_at(&self, path: &str, text: &str) -> bool {
        self.path.as_ref().is_none_or(|one| one.is_match(path))
            && (self.keywords.is_empty() || self.keywords.iter().any(|word| holds(text, word)))
    }

    /// Whether a match is one of the exceptions.
    pub(crate) fn leaves(
        &self,
        path: &str,
        text: &str,
        whole: &Range<usize>,
        secret: &str,
    ) -> bool {
        let mut all = self.allow.iter().chain(self.shared.iter());
        all.any(|one| one.covers(path, text, whole.clone(), secret))
    }
}

/// Whether a text holds a word of small letters, in any case.
fn holds(text: &str, word: &str) -> bool {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    let Some(first) = word.first() else { return true };
    memchr::memchr2_iter(*first, first.to_ascii_uppercase(), text).any(|at| {
        text.get(at..at.saturating_add(word.len()))
            .is_some_and(|found| found.eq_ignore_ascii_case(word))
    })
}

/// Rules of the user's own at most; more are refused.
const MOST: usize = 20_000;

/// The rules of a run.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    own: Vec<&'static Rule>,
}

impl RuleSet {
    /// Every rule, the built-in ones first.
    pub fn all(&self) -> impl Iterator<Item = &'static Rule> + '_ {
        secret_rules().iter().chain(self.own.iter().copied())
    }

    /// How many are the user's own.
    #[must_use]
    pub fn own(&self) -> usize {
        self.own.len()
    }

    /// Adds the rules of a file and says which could not be added, and why.
    pub fn add(&mut self, file: &RulesFile) -> Vec<(String, String)> {
        let mut refused: Vec<(String, String)> = file
            .said
            .iter()
            .filter_map(|(id, verdict)| match verdict {
                Verdict::Refused(why) => Some((id.clone(), why.clone())),
                _ => None,
            })
            .collect();
        let shared = match file.allow.iter().map(Allowance::new).collect::<Result<Vec<_>, _>>() {
            Ok(shared) => Arc::new(shared),
            Err(why) => {
                refused.push(("exceptions of the file".to_owned(), why));
                Arc::default()
            }
        };
        let service = lasting(&file.service);
        let mut ids: BTreeSet<&str> = self.all().map(|rule| rule.id).collect();
        for draft in &file.rules {
            if self.own.len() >= MOST {
                refused.push((draft.id.clone(), format!("more than {MOST} rules")));
                break;
            }
            if ids.contains(draft.id.as_str()) {
                refused.push((draft.id.clone(), "another rule has this id".to_owned()));
                continue;
            }
            match draft.rule(service, &shared) {
                Ok(rule) => {
                    ids.insert(rule.id);
                    self.own.push(rule);
                }
                Err(why) => refused.push((draft.id.clone(), why)),
            }
        }
        refused
    }
}
