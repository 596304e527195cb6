//! A row of the catalogue: where a kind of file lies, and what in it confirms that it is one.

use crate::pattern::Pattern;
use crate::secret::key_kind;
use lidless_core::{Category, Severity};
use memchr::memmem;
use serde::Deserialize;

/// How much of a text regular expressions look at.
const MATCHED: usize = 1 << 20;

#[derive(Deserialize)]
pub(super) struct Catalogue {
    pub(super) file: Vec<Row>,
}

/// A row as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) id: String,
    title: String,
    severity: Severity,
    #[serde(default = "credential_file")]
    category: Category,
    pub(super) place: String,
    confirm: Vec<String>,
    #[serde(default)]
    needs: Vec<String>,
    #[serde(default)]
    encrypted: Vec<String>,
    /// Paths that it matches; for tests.
    #[cfg_attr(not(test), expect(dead_code, reason = "only tests read it"))]
    pub(super) examples: Vec<String>,
}

fn credential_file() -> Category {
    Category::CredentialFile
}

/// Something in a file that confirms what it is.
#[derive(Debug, Clone)]
enum Sign {
    Text(String),
    Match(Pattern),
    Bytes {
        at: usize,
        bytes: Vec<u8>,
    },
    Inside(Vec<u8>),
    /// A key file of this kind, by its structure.
    Key(String),
    Size,
}

/// A row, compiled.
#[derive(Debug, Clone)]
pub(super) struct Kind {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) severity: Severity,
    pub(super) category: Category,
    confirm: Vec<Sign>,
    needs: Vec<Sign>,
    encrypted: Vec<Sign>,
}

/// What confirmed a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Proof {
    Place,
    Bytes,
    Content,
}

impl Sign {
    fn read(word: &str) -> Option<Self> {
        if word == "size" {
            return Some(Self::Size);
        }
        let (kind, rest) = word.split_once(':')?;
        Some(match kind {
            "text" => Self::Text(rest.to_owned()),
            "match" => Self::Match(Pattern::new(rest)),
            "magic" => Self::Bytes { at: 0, bytes: hex(rest)? },
            "head" => Self::Inside(rest.as_bytes().to_vec()),
            "key" => Self::Key(rest.to_owned()),
            "inside" => Self::Inside(hex(rest)?),
            "at" => {
                let (at, bytes) = rest.split_once(':')?;
                Self::Bytes { at: at.parse().ok()?, bytes: hex(bytes)? }
            }
            _ => return None,
        })
    }

    fn is_of_text(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Match(_))
    }

    fn holds(&self, head: &[u8], text: Option<&str>) -> bool {
        match self {
            Self::Text(part) => text.is_some_and(|text| text.contains(part)),
            Self::Match(regex) => text.is_some_and(|text| {
                let end = (0..=text.len().min(MATCHED)).rev().find(|at| text.is_char_boundary(*at));
                regex.is_match(text.get(..end.unwrap_or(0)).unwrap_or(text))
            }),
            Self::Bytes { at, bytes } => {
                head.get(*at..).is_some_and(|rest| rest.starts_with(bytes))
            }
            Self::Inside(bytes) => memmem::find(head, bytes).is_some(),
            Self::Key(name) => key_kind(head) == Some(name),
            Self::Size => !head.is_empty(),
        }
    }

    fn proof(&self) -> Proof {
        match self {
            Self::Text(_) | Self::Match(_) => Proof::Content,
            Self::Bytes { .. } | Self::Inside(_) | Self::Key(_) => Proof::Bytes,
            Self::Size => Proof::Place,
        }
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

impl Kind {
    /// Whether all its regular expressions are some.
    #[cfg(test)]
    pub(super) fn is_valid(&self) -> bool {
        let signs = self.confirm.iter().chain(&self.needs).chain(&self.encrypted);
        signs.into_iter().all(|sign| match sign {
            Sign::Match(pattern) => pattern.is_valid(),
            _ => true,
        })
    }

    /// Compiles a row; none when a word of it is none.
    pub(super) fn new(row: Row) -> Option<Self> {
        let signs = |words: &[String]| -> Option<Vec<Sign>> {
            words.iter().map(|word| Sign::read(word)).collect()
        };
        Some(Self {
            confirm: signs(&row.confirm)?,
            needs: signs(&row.needs)?,
            encrypted: signs(&row.encrypted)?,
            id: row.id,
            title: row.title,
            severity: row.severity,
            category: row.category,
        })
    }

    /// Whether its text has to be read, given that it is text.
    pub(super) fn wants_text(&self) -> bool {
        self.confirm.iter().chain(&self.needs).chain(&self.encrypted).any(Sign::is_of_text)
    }

    /// Whether a file can be one by its first bytes alone, before its text is read.
    pub(super) fn may_be(&self, head: &[u8]) -> bool {
        self.proof(head, None).is_some()
    }

    /// The best proof that a file is one.
    pub(super) fn proof(&self, head: &[u8], text: Option<&str>) -> Option<Proof> {
        let holds = |sign: &&Sign| sign.holds(head, text);
        if !self.needs.iter().all(|sign| sign.holds(head, text)) {
            return None;
        }
        let best = self.confirm.iter().filter(holds).map(Sign::proof).max()?;
        Some(best)
    }

    /// Whether what it holds is encrypted there.
    pub(super) fn is_encrypted(&self, head: &[u8], text: Option<&str>) -> bool {
        self.encrypted.iter().any(|sign| sign.holds(head, text))
    }

    /// `credential_file.netrc`
    pub(super) fn rule(&self) -> String {
        format!("{}.{}", self.category.as_str().replace('-', "_"), self.id)
    }
}

/// One step less severe.
pub(super) fn lower(severity: Severity) -> Severity {
    match severity {
        Severity::Critical => Severity::High,
        Severity::High => Severity::Medium,
        Severity::Medium => Severity::Low,
        Severity::Low | Severity::Info => Severity::Info,
    }
}
