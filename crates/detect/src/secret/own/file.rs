//! A file of rules: ours, or that of another scanner.

use super::super::rule::secret_rules;
use super::allow::Allow;
use super::draft::{Draft, Verdict, printable};
use super::pattern::Dialect;
use super::{gitleaks, kingfisher};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Larger files are refused.
const LARGEST: usize = 8 << 20;

/// What a file of rules holds.
#[derive(Debug, Clone, PartialEq)]
pub struct RulesFile {
    /// Whose format it is: lidless, gitleaks, Nosey Parker, Kingfisher.
    pub format: &'static str,
    /// Whose secrets the rules find, or where they come from.
    pub service: String,
    /// The rules that can be used.
    pub rules: Vec<Draft>,
    /// What all rules of the file leave alone.
    pub allow: Vec<Allow>,
    /// What became of each rule, in the order of the file.
    pub said: Vec<(String, Verdict)>,
    /// What else there is to say about the file.
    pub notes: Vec<String>,
}

/// Why a file of rules cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RulesError {
    /// It is too large.
    #[error("it has more than {} MiB", LARGEST >> 20)]
    Large,
    /// It is none of the formats.
    #[error(
        "it is no rules file of lidless or gitleaks (TOML), Nosey Parker or Kingfisher (YAML): {0}"
    )]
    Unknown(String),
}

impl RulesFile {
    pub(crate) fn new(format: &'static str, service: &str) -> Self {
        Self {
            format,
            service: service.to_owned(),
            rules: Vec::new(),
            allow: Vec::new(),
            said: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Takes a rule, when its pattern can be used here.
    pub(crate) fn take(&mut self, mut draft: Draft, dialect: Dialect, mut said: Vec<String>) {
        let id = printable(&draft.id);
        if dialect != Dialect::Rust && secret_rules().iter().any(|rule| rule.id == draft.id) {
            draft.id = format!("{}-{}", self.format.replace(' ', "-").to_lowercase(), draft.id);
            said.push(format!("a built-in rule has its id: it is called {}", draft.id));
        }
        if self.rules.iter().any(|one| one.id == draft.id) {
            let why = "another rule of the file has this id".to_owned();
            self.said.push((id, Verdict::Refused(why)));
            return;
        }
        let verdict = match draft.settle(dialect) {
            Ok(costs) => {
                self.rules.push(draft);
                if said.is_empty() {
                    Verdict::Taken(costs)
                } else {
                    said.extend(costs);
                    Verdict::Different(said)
                }
            }
            Err(why) => Verdict::Refused(why),
        };
        self.said.push((id, verdict));
    }
}

/// Our own format.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    service: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    allow: Vec<Allow>,
    #[serde(default)]
    rule: Vec<Draft>,
}

/// Reads a file of rules, of whichever format it is.
///
/// # Errors
/// [`RulesError`] when it is none; a rule that cannot be used is no error and is said.
pub fn read_rules(text: &str) -> Result<RulesFile, RulesError> {
    if text.len() > LARGEST {
        return Err(RulesError::Large);
    }
    let text = text.trim_start_matches('\u{feff}');
    match text.parse::<toml::Table>() {
        Ok(table) => {
            let has = |key: &str| table.contains_key(key);
            if has("rule") {
                return read_own(table);
            }
            if ["rules", "allowlist", "allowlists", "extend"].iter().any(|key| has(key)) {
                return gitleaks::read(table).map_err(RulesError::Unknown);
            }
            Err(RulesError::Unknown("it has neither [[rule]] nor [[rules]]".to_owned()))
        }
        // A list in YAML begins with a dash or a key with a colon; TOML has neither.
        Err(_) if looks_like_yaml(text) => kingfisher::read(text).map_err(RulesError::Unknown),
        Err(error) => Err(RulesError::Unknown(printable(error.message()))),
    }
}

fn looks_like_yaml(text: &str) -> bool {
    text.lines().any(|line| {
        ["rules:", "rulesets:", "\"rules\":", "{"].iter().any(|start| line.starts_with(start))
    })
}

fn read_own(table: toml::Table) -> Result<RulesFile, RulesError> {
    let own: File = table
        .try_into()
        .map_err(|error: toml::de::Error| RulesError::Unknown(printable(error.message())))?;
    let service = printable(&own.service);
    let mut file =
        RulesFile::new("lidless", if service.is_empty() { "own rule" } else { &service });
    file.allow = own.allow;
    for draft in own.rule {
        file.take(draft, Dialect::Rust, Vec::new());
    }
    Ok(file)
}

/// Writes rules in our own format, which [`read_rules`] reads again.
///
/// # Errors
/// When a number or text cannot be written as TOML, which no rule that was read has.
pub fn write_rules(file: &RulesFile) -> Result<String, String> {
    let own =
        File { service: file.service.clone(), allow: file.allow.clone(), rule: file.rules.clone() };
    toml::to_string(&own).map_err(|error| printable(&error.to_string()))
}
