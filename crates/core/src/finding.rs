//! What a detector says.

use crate::fingerprint::{Fingerprint, stable_id};
use crate::place::Place;
use crate::severity::Severity;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// A secret in content.
    Secret,
    /// A file that holds credentials by its place and content.
    CredentialFile,
    /// A model file.
    Model,
    /// Messages of people.
    Message,
    /// Data about people.
    PersonalData,
    /// A backup of a machine.
    Backup,
    /// A credential that opens storage.
    Grant,
    /// A setting that should be different.
    Posture,
    /// Something is not what was published.
    Tamper,
    /// Input built to mislead or break.
    Malformed,
}

impl Category {
    /// The word used in every format.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::CredentialFile => "credential-file",
            Self::Model => "model",
            Self::Message => "message",
            Self::PersonalData => "personal-data",
            Self::Backup => "backup",
            Self::Grant => "grant",
            Self::Posture => "posture",
            Self::Tamper => "tamper",
            Self::Malformed => "malformed",
        }
    }
}

/// How sure a detector is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// May well be nothing.
    Low,
    /// Looks like it.
    Medium,
    /// Structure, checksum or place leave little doubt.
    High,
}

/// What the issuer says of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verified {
    /// It works.
    Live,
    /// It does not.
    Dead,
    /// The issuer was asked and the answer decides nothing.
    Unknown,
}

/// One finding, as the report shows it. Holds no secret: `evidence` is redacted by whoever
/// makes it, see [`Finding::new`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Depends on rule and place only.
    pub id: String,
    /// `secret.aws_access_key`, `model.dangerous`, `credential_file.ssh_private_key`, ...
    pub rule: String,
    /// Its kind.
    pub category: Category,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// A short sentence without a full stop.
    pub title: String,
    /// The place as a URI.
    pub location: String,
    /// Line from 1, when in text.
    pub line: Option<u64>,
    /// Offset in bytes in the innermost content.
    pub offset: Option<u64>,
    /// Enough to recognise it, never the secret.
    pub evidence: String,
    /// Keyed digest of the secret, or null when the finding is about no single value.
    pub fingerprint: Option<Fingerprint>,
    /// What the issuer said, null when not asked.
    pub verified: Option<Verified>,
    /// More, by rule.
    pub detail: Map<String, Value>,
}

impl Finding {
    /// Makes a finding with its id. `evidence` must be redacted already.
    pub fn new(
        rule: impl Into<String>,
        category: Category,
        severity: Severity,
        confidence: Confidence,
        title: impl Into<String>,
        place: &Place,
        evidence: impl Into<String>,
    ) -> Self {
        let rule = rule.into();
        let location = place.to_string();
        let offset = place.offset.map(|offset| offset.to_string()).unwrap_or_default();
        Self {
            id: stable_id(&["finding", &rule, &location, &offset]),
            rule,
            category,
            severity,
            confidence,
            title: title.into(),
            location,
            line: place.line,
            offset: place.offset,
            evidence: evidence.into(),
            fingerprint: None,
            verified: None,
            detail: Map::new(),
        }
    }

    /// Adds the keyed digest of the secret it is about.
    #[must_use]
    pub fn with_fingerprint(mut self, fingerprint: Fingerprint) -> Self {
        self.fingerprint = Some(fingerprint);
        self
    }

    /// Adds a line of detail.
    #[must_use]
    pub fn with_detail(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(key.to_owned(), value.into());
        self
    }

    /// The order of a report: worst first, then by place. The same on every run.
    #[must_use]
    pub fn order(&self, other: &Self) -> std::cmp::Ordering {
        other
            .severity
            .cmp(&self.severity)
            .then_with(|| other.confidence.cmp(&self.confidence))
            .then_with(|| self.category.cmp(&other.category))
            .then_with(|| self.location.cmp(&other.location))
            .then_with(|| self.offset.cmp(&other.offset))
            .then_with(|| self.rule.cmp(&other.rule))
    }
}
