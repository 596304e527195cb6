//! A rule as a file of the user's says it, and what became of it.

use super::super::checksum::Checksum;
use super::super::rule::Rule;
use super::super::shorthand::expand;
use super::super::start::begins_a_word;
use super::allow::{Allow, Allowance};
use super::literals::{self, Required};
use super::pattern::{self, Dialect};
use super::set::Own;
use lidless_core::{Confidence, Severity};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A rule of the user's own. Written as a rule of `rules/secret/` is, of which only `id` and
/// `pattern` have to be there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// Its name.
    pub id: String,
    /// What it finds, in a few words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What that opens.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub opens: String,
    /// How bad a find is.
    #[serde(default = "high")]
    pub severity: Severity,
    /// How sure a find is.
    #[serde(default = "sure")]
    pub confidence: Confidence,
    /// The regular expression.
    pub pattern: String,
    /// Which group is the secret; the group `secret`, or else the first one, when none is said.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub group: usize,
    /// One of these stands in every match; read off the pattern when none are said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub literals: Vec<String>,
    /// Whether the literals stand there in any case.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ignore_case: bool,
    /// One of these stands somewhere in the text, in any case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// How many of the first characters may be shown.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub shown: usize,
    /// The least bits a character.
    #[serde(default, skip_serializing_if = "is_none_at_all")]
    pub entropy: f64,
    /// How far a match reaches from a literal, where the pattern has no longest match.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub window: usize,
    /// Whether placeholders are told as those of passwords are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub password: bool,
    /// What else must be right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// Only entropy and exceptions say what is no secret: no placeholder is left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub as_written: bool,
    /// Only paths that match this regular expression are looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How it is taken back.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub revoke: String,
    /// Where more is written about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reference: String,
    /// Texts that hold one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<Pieces>,
    /// Texts that look alike and hold none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counter: Vec<Pieces>,
    /// What is left alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<Allow>,
}

/// A text, or the pieces of one: so that no real-looking token stands in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Pieces {
    /// As it is.
    Whole(String),
    /// To be joined.
    Parts(Vec<String>),
}

/// What became of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It finds what it found there, at these costs.
    Taken(Vec<String>),
    /// It is here, and differs in this.
    Different(Vec<String>),
    /// It is not here, and why.
    Refused(String),
}

fn high() -> Severity {
    Severity::High
}

fn sure() -> Confidence {
    Confidence::High
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

fn is_none_at_all(bits: &f64) -> bool {
    *bits <= 0.0
}

/// Longer names are refused.
const LONGEST_ID: usize = 120;
/// Examples of one rule that are kept, and the bytes of one.
const MOST_EXAMPLES: usize = 64;
const LONGEST_EXAMPLE: usize = 64 << 10;

impl Draft {
    /// A rule that says no more than what it is called and what it looks for.
    #[must_use]
    pub fn new(id: &str, pattern: &str) -> Self {
        Self {
            id: id.to_owned(),
            title: String::new(),
            opens: String::new(),
            severity: high(),
            confidence: sure(),
            pattern: pattern.to_owned(),
            group: 0,
            literals: Vec::new(),
            ignore_case: false,
            keywords: Vec::new(),
            shown: 0,
            entropy: 0.0,
            window: 0,
            password: false,
            checksum: None,
            as_written: false,
            path: None,
            revoke: String::new(),
            reference: String::new(),
            examples: Vec::new(),
            counter: Vec::new(),
            allow: Vec::new(),
        }
    }

    /// Makes its pattern one of ours, adds what is not said, and says what it costs.
    ///
    /// # Errors
    /// Why it cannot be taken.
    pub(crate) fn settle(&mut self, dialect: Dialect) -> Result<Vec<String>, String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if self.id.is_empty() || self.id.len() > LONGEST_ID || !self.id.chars().all(plain) {
            return Err("its id is not of letters, digits, _, - and .".to_owned());
        }
        for words in [&mut self.title, &mut self.opens, &mut self.revoke, &mut self.reference] {
            *words = printable(words);
        }
        if self.title.is_empty() {
            self.title.clone_from(&self.id);
        }
        if !self.entropy.is_finite() || self.entropy < 0.0 {
            return Err("its entropy is no number of bits".to_owned());
        }
        for texts in [&mut self.examples, &mut self.counter] {
            texts.truncate(MOST_EXAMPLES);
            texts.retain(|text| text.joined().len() <= LONGEST_EXAMPLE);
        }
        if dialect == Dialect::Rust {
            self.pattern = expand(&self.pattern);
        }
        let read = pattern::read(&self.pattern, dialect)?;
        let groups = read.hir.properties().explicit_captures_len();
        if self.group > groups {
            return Err(format!("it names group {} of {groups}", self.group));
        }
        if read.hir.properties().minimum_len().unwrap_or(0) == 0 {
            return Err("its pattern also matches nothing at all".to_owned());
        }
        self.pattern = read.text;
        if let Some(path) = &mut self.path {
            *path = pattern::read(path, dialect).map_err(|why| format!("of its path: {why}"))?.text;
        }
        let short = |words: &[String]| words.iter().any(|one| one.len() < literals::SHORTEST);
        if self.literals.is_empty() || short(&self.literals) {
            let Required { literals, ignore_case } = literals::required(&read.hir)
                .unwrap_or(Required { literals: Vec::new(), ignore_case: false });
            self.literals = literals;
            self.ignore_case = ignore_case;
        }
        self.keywords.retain(|word| !word.is_empty());
        let mut said = Vec::new();
        if self.literals.is_empty() && (self.keywords.is_empty() || short(&self.keywords)) {
            said.push(
                "no literal of three bytes stands in every match: every text is searched whole, \
                 which costs time"
                    .to_owned(),
            );
        } else if self.window == 0 && read.hir.properties().maximum_len().is_none() {
            said.push(
                "its matches have no longest length: a text that holds one of its literals is \
                 searched whole"
                    .to_owned(),
            );
        }
        Ok(said)
    }

    /// The rule for the engine. It lives as long as the program: rules are read once.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub(crate) fn rule(
        &self,
        service: &'static str,
        shared: &Arc<Vec<Allowance>>,
    ) -> Result<&'static Rule, String> {
        let read = pattern::read(&self.pattern, Dialect::Rust)?;
        let allow =
            self.allow.iter().map(Allowance::new).collect::<Result<Vec<Allowance>, String>>()?;
        let path = match &self.path {
            Some(path) => Some(
                regex_automata::meta::Regex::builder()
                    .syntax(pattern::syntax())
                    .build(path)
                    .map_err(|_| "its path is not understood".to_owned())?,
            ),
            None => None,
        };
        let longest = read.hir.properties().maximum_len();
        let whole = usize::MAX;
        let (words, ignore_case, reach) = if !self.literals.is_empty() {
            let reach = if self.window > 0 { self.window } else { longest.unwrap_or(whole) };
            (self.literals.as_slice(), self.ignore_case, reach)
        } else if self.keywords.iter().all(|one| one.len() >= literals::SHORTEST) {
            (self.keywords.as_slice(), true, whole)
        } else {
            (Default::default(), false, whole)
        };
        // Keywords that the literals prove need no look of their own.
        let folded = |word: &String| word.to_ascii_lowercase();
        let keywords: Vec<String> = self.keywords.iter().map(folded).collect();
        let proved = !words.is_empty()
            && words.iter().map(folded).all(|word| keywords.iter().any(|one| word.contains(one)));
        let own = Own {
            as_written: self.as_written,
            group: self.group,
            path,
            keywords: if proved { &[] } else { kept(&keywords) },
            allow,
            shared: Arc::clone(shared),
        };
        let texts = |all: &[Pieces]| kept(&all.iter().map(Pieces::joined).collect::<Vec<_>>());
        Ok(Box::leak(Box::new(Rule {
            verify: None,
            id: lasting(&self.id),
            service,
            title: lasting(&self.title),
            opens: lasting(&self.opens),
            severity: self.severity,
            confidence: self.confidence,
            pattern: lasting(&self.pattern),
            literals: kept(words),
            ignore_case,
            shown: self.shown,
            entropy: self.entropy,
            starts_word: begins_a_word(&read.hir, words, ignore_case),
            behind: &[],
            reach,
            password: self.password,
            checksum: self.checksum,
            examples: texts(&self.examples),
            counter: texts(&self.counter),
            revoke: lasting(&self.revoke),
            reference: lasting(&self.reference),
            own: Some(Box::leak(Box::new(own))),
        })))
    }
}

impl Pieces {
    pub(crate) fn joined(&self) -> String {
        match self {
            Self::Whole(text) => text.clone(),
            Self::Parts(parts) => parts.concat(),
        }
    }
}

/// A text without what a terminal would act on.
pub(crate) fn printable(text: &str) -> String {
    let flat = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    flat.take(400).collect::<String>().trim().to_owned()
}

pub(crate) fn lasting(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

fn kept(words: &[String]) -> &'static [&'static str] {
    Box::leak(words.iter().map(|word| lasting(word)).collect::<Box<[&'static str]>>())
}
