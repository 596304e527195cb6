//! What a rule of the user's own leaves alone, as gitleaks writes it.

use super::pattern::{self, Dialect};
use aho_corasick::AhoCorasick;
use regex_automata::meta::Regex;
use serde::{Deserialize, Serialize};

/// What is left alone, as a file says it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Allow {
    /// Regular expressions of what is left alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regexes: Vec<String>,
    /// What the expressions are held against.
    #[serde(skip_serializing_if = "Target::is_secret")]
    pub target: Target,
    /// Regular expressions of paths that are left alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// Words that no secret of this kind holds, in any case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stopwords: Vec<String>,
    /// Whether all of the above have to agree, instead of one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

/// What an expression is held against.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The secret.
    #[default]
    Secret,
    /// All that the rule matched.
    Match,
    /// The line it stands in.
    Line,
}

impl Target {
    fn is_secret(&self) -> bool {
        *self == Self::Secret
    }
}

/// Longer lines are looked at around the match only.
const LINE: usize = 4096;

/// What is left alone, compiled.
#[derive(Debug)]
pub(crate) struct Allowance {
    regexes: Option<Regex>,
    target: Target,
    paths: Option<Regex>,
    stopwords: Option<AhoCorasick>,
    all: bool,
}

impl Allowance {
    /// Compiles what a file says.
    ///
    /// # Errors
    /// The first pattern that is not understood, and why.
    pub(crate) fn new(allow: &Allow) -> Result<Self, String> {
        let words: Vec<&str> =
            allow.stopwords.iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
        Ok(Self {
            regexes: compiled(&allow.regexes)?,
            target: allow.target,
            paths: compiled(&allow.paths)?,
            stopwords: (!words.is_empty())
                .then(|| AhoCorasick::builder().ascii_case_insensitive(true).build(&words))
                .transpose()
                .map_err(|error| error.to_string())?,
            all: allow.all,
        })
    }

    /// Whether a match is left alone.
    pub(crate) fn covers(
        &self,
        path: &str,
        text: &str,
        whole: std::ops::Range<usize>,
        secret: &str,
    ) -> bool {
        let paths = self.paths.as_ref().map(|one| one.is_match(path));
        let regexes = self.regexes.as_ref().map(|one| match self.target {
            Target::Secret => one.is_match(secret),
            Target::Match => one.is_match(text.get(whole.clone()).unwrap_or("")),
            Target::Line => one.is_match(line(text, whole.clone())),
        });
        let words = self.stopwords.as_ref().map(|one| one.is_match(secret));
        let mut checks = [paths, regexes, words].into_iter().flatten().peekable();
        if self.all {
            checks.peek().is_some() && checks.all(|one| one)
        } else {
            checks.any(|one| one)
        }
    }
}

fn compiled(patterns: &[String]) -> Result<Option<Regex>, String> {
    if patterns.is_empty() {
        return Ok(None);
    }
    Regex::builder()
        .syntax(pattern::syntax())
        .configure(Regex::config().nfa_size_limit(Some(pattern::COMPILED)))
        .build_many(patterns)
        .map(Some)
        .map_err(|_| "one of its exceptions is not understood or too large".to_owned())
}

/// The patterns that can be used here, and how many cannot.
pub(crate) fn usable(patterns: Vec<String>, dialect: Dialect) -> (Vec<String>, usize) {
    let count = patterns.len();
    let taken: Vec<String> = patterns
        .into_iter()
        .filter_map(|one| pattern::read(&one, dialect).ok().map(|read| read.text))
        .collect();
    let left = count.saturating_sub(taken.len());
    (taken, left)
}

/// The lines of a match, or as much of them as is near it.
fn line(text: &str, whole: std::ops::Range<usize>) -> &str {
    let mut from = whole.start.saturating_sub(LINE);
    while !text.is_char_boundary(from) {
        from = from.saturating_add(1);
    }
    let mut to = whole.end.saturating_add(LINE).min(text.len());
    while !text.is_char_boundary(to) {
        to = to.saturating_sub(1);
    }
    let before = text.get(from..whole.start).unwrap_or("");
    let after = text.get(whole.end..to).unwrap_or("");
    let start = from.saturating_add(before.rfind('\n').map_or(0, |at| at.saturating_add(1)));
    let end = whole.end.saturating_add(after.find('\n').unwrap_or(after.len()));
    text.get(start..end).unwrap_or("")
}
