//! What looked like a secret and is told apart as none, with the reason.

use crate::fingerprint::{Fingerprint, stable_id};
use crate::place::Place;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Why a candidate is no finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// What people write in place of a secret: `changeme`, `xxxx`, `your-key`.
    Placeholder,
    /// It says of itself that it is an example.
    Example,
    /// A credential that its service publishes for tests and documentation.
    Published,
    /// Plain words, as labels and messages have them.
    Word,
    /// A digest of something else.
    Hash,
    /// A UUID that names nothing: nil, or filled with a row of digits.
    Uuid,
    /// A lock file lists digests of packages.
    LockFile,
    /// Minified or generated code.
    Generated,
    /// Drawn from too few characters to be random.
    LowEntropy,
    /// Its own checksum is wrong.
    Checksum,
    /// A reference to a variable or a vault.
    Reference,
    /// A comment beside it allows it, with a reason.
    InlineAllow,
    /// An entry of a baseline that has not expired.
    Baseline,
}

impl Reason {
    /// Every reason, in the order of reports.
    pub const ALL: [Self; 13] = [
        Self::Placeholder,
        Self::Example,
        Self::Published,
        Self::Word,
        Self::Hash,
        Self::Uuid,
        Self::LockFile,
        Self::Generated,
        Self::LowEntropy,
        Self::Checksum,
        Self::Reference,
        Self::InlineAllow,
        Self::Baseline,
    ];

    /// The word used in every format.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Placeholder => "placeholder",
            Self::Example => "example",
            Self::Published => "published",
            Self::Word => "word",
            Self::Hash => "hash",
            Self::Uuid => "uuid",
            Self::LockFile => "lock_file",
            Self::Generated => "generated",
            Self::LowEntropy => "low_entropy",
            Self::Checksum => "checksum",
            Self::Reference => "reference",
            Self::InlineAllow => "inline_allow",
            Self::Baseline => "baseline",
        }
    }

    /// How many of them, in words for people.
    #[must_use]
    pub fn words(self, many: u64) -> &'static str {
        let one = many == 1;
        match self {
            Self::Placeholder if one => "placeholder",
            Self::Placeholder => "placeholders",
            Self::Example if one => "example",
            Self::Example => "examples",
            Self::Published if one => "published test credential",
            Self::Published => "published test credentials",
            Self::Word if one => "plain word",
            Self::Word => "plain words",
            Self::Hash if one => "digest",
            Self::Hash => "digests",
            Self::Uuid if one => "empty UUID",
            Self::Uuid => "empty UUIDs",
            Self::LockFile => "in lock files",
            Self::Generated => "in generated code",
            Self::LowEntropy => "not random enough",
            Self::Checksum => "with a wrong checksum",
            Self::Reference if one => "reference",
            Self::Reference => "references",
            Self::InlineAllow => "allowed inline",
            Self::Baseline => "in the baseline",
        }
    }

    /// True when a person decided it, and not the program.
    #[must_use]
    pub fn is_a_decision(self) -> bool {
        matches!(self, Self::InlineAllow | Self::Baseline)
    }
}

/// One candidate that is no finding. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppressed {
    /// Depends on rule and place only: what the finding's id would have been.
    pub id: String,
    /// The rule that saw it.
    pub rule: String,
    /// The place as a URI.
    pub location: String,
    /// Line from 1, when in text.
    pub line: Option<u64>,
    /// Why it is no finding.
    pub reason: Reason,
    /// What whoever decided it gave as a reason, or which published credential it is.
    pub note: Option<String>,
    /// Keyed digest of the value, or null when there is no single one.
    pub fingerprint: Option<Fingerprint>,
}

impl Suppressed {
    /// Makes one; `note` must hold no secret.
    pub fn new(
        rule: impl Into<String>,
        place: &Place,
        reason: Reason,
        note: Option<String>,
        fingerprint: Option<Fingerprint>,
    ) -> Self {
        let rule = rule.into();
        let location = place.to_string();
        let offset = place.offset.map(|offset| offset.to_string()).unwrap_or_default();
        let id = stable_id(&["finding", &rule, &location, &offset]);
        Self { id, rule, location, line: place.line, reason, note, fingerprint }
    }

    /// What a finding becomes when somebody decided that it is to be left out.
    #[must_use]
    pub fn from_finding(finding: &crate::Finding, reason: Reason, note: Option<String>) -> Self {
        Self {
            id: finding.id.clone(),
            rule: finding.rule.clone(),
            location: finding.location.clone(),
            line: finding.line,
            reason,
            note,
            fingerprint: finding.fingerprint.clone(),
        }
    }

    /// The order of a report: by reason, then by place. The same on every run.
    #[must_use]
    pub fn order(&self, other: &Self) -> std::cmp::Ordering {
        (self.reason, &self.location, &self.rule, &self.id).cmp(&(
            other.reason,
            &other.location,
            &other.rule,
            &other.id,
        ))
    }
}

/// What was told apart in one thing: all of it counted, some of it listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suppressions {
    listed: Vec<Suppressed>,
    beyond: BTreeMap<Reason, u64>,
}

impl Suppressions {
    /// How many of a reason are listed, in one thing and in a report: enough to read through, and
    /// little enough that a tree full of placeholders costs a case nothing.
    pub const LISTED: usize = 1000;

    /// Adds one; `make` is called only while there is room.
    pub fn add(&mut self, reason: Reason, make: impl FnOnce() -> Suppressed) {
        if self.listed.len() < Self::LISTED {
            self.listed.push(make());
        } else {
            let count = self.beyond.entry(reason).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// What is listed, in the order it was met.
    #[must_use]
    pub fn listed(&self) -> &[Suppressed] {
        &self.listed
    }

    /// What is counted beyond the list.
    #[must_use]
    pub fn beyond(&self) -> &BTreeMap<Reason, u64> {
        &self.beyond
    }

    /// All of it, counted.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Reason, u64> {
        let mut counts = self.beyond.clone();
        for one in &self.listed {
            let count = counts.entry(one.reason).or_default();
            *count = count.saturating_add(1);
        }
        counts
    }

    /// True when nothing was told apart.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::{Layer, Provenance};

    #[test]
    fn a_million_placeholders_are_counted_and_a_thousand_listed() {
        let mut all = Suppressions::default();
        let place = Place::line(Provenance::new(Layer::File { path: "/a".into() }), 1, 0);
        for _ in 0..1_000_000 {
            all.add(Reason::Placeholder, || {
                Suppressed::new("secret.password", &place, Reason::Placeholder, None, None)
            });
        }
        assert_eq!(all.listed().len(), Suppressions::LISTED);
        assert_eq!(all.counts()[&Reason::Placeholder], 1_000_000);
    }

    #[test]
    fn every_reason_has_a_word_of_its_own_and_writes_it() {
        let words: std::collections::BTreeSet<_> =
            Reason::ALL.into_iter().map(Reason::as_str).collect();
        assert_eq!(words.len(), Reason::ALL.len());
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
    }
}
