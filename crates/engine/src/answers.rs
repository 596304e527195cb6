//! What issuers said, as a case keeps it, and what it does to the findings of a report.

use lidless_core::{
    Category, Confidence, Finding, Fingerprint, Grant, GrantStatus, Severity, Timestamp, Verified,
};
use lidless_ledger::{Case, LedgerError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Under which name a case keeps what issuers said.
const NAME: &str = "verified";

/// What one issuer said of one secret. Holds no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answered {
    /// Null when it was left alone.
    pub(crate) verdict: Option<Verified>,
    /// What was asked, with marks where the secret stood.
    pub(crate) asked: String,
    /// What the answer means, or why nothing was asked.
    pub(crate) meaning: String,
    pub(crate) identity: Map<String, Value>,
    pub(crate) at: Timestamp,
}

impl Answered {
    /// Whether asking again would say no more.
    pub(crate) fn is_decided(&self) -> bool {
        matches!(self.verdict, Some(Verified::Live | Verified::Dead))
    }
}

/// Everything that issuers said, by the fingerprint of the secret.
pub(crate) type Answers = BTreeMap<Fingerprint, Answered>;

pub(crate) fn read(case: &Case) -> Result<Answers, LedgerError> {
    Ok(case.meta(NAME)?.unwrap_or_default())
}

pub(crate) fn write(case: &Case, answers: &Answers) -> Result<(), LedgerError> {
    case.set_meta(NAME, answers)
}

/// What a grant's status says of its credential; null when its service was not asked.
fn of_grant(grant: &Grant) -> Option<Verified> {
    grant.observed.as_ref()?;
    Some(match grant.status {
        GrantStatus::Live => Verified::Live,
        GrantStatus::Expired | GrantStatus::Revoked => Verified::Dead,
        // Refused for where one stands, not for what one holds.
        GrantStatus::Denied | GrantStatus::Unknown => Verified::Unknown,
    })
}

/// Every fingerprint that a grant's probe or an issuer decided, with what was said.
pub(crate) struct Verdicts<'a> {
    answers: &'a Answers,
    grants: BTreeMap<&'a str, &'a Grant>,
    probed: BTreeMap<Fingerprint, &'a Grant>,
}

impl<'a> Verdicts<'a> {
    pub(crate) fn new(answers: &'a Answers, grants: &'a [Grant], findings: &[Finding]) -> Self {
        let grants: BTreeMap<&str, &Grant> =
            grants.iter().map(|grant| (grant.id.as_str(), grant)).collect();
        let probed = findings
            .iter()
            .filter_map(|finding| {
                let grant = *grants.get(finding.detail.get("grant")?.as_str()?)?;
                of_grant(grant)?;
                Some((finding.fingerprint.clone()?, grant))
            })
            .collect();
        Self { answers, grants, probed }
    }

    /// Writes into a finding what was said of its secret. One that works keeps its severity and
    /// leaves no doubt; one that does not is at most low: it is to be tidied up.
    pub(crate) fn apply(&self, finding: &mut Finding) {
        let own = finding.detail.get("grant").and_then(Value::as_str);
        let own = own.and_then(|id| self.grants.get(id).copied());
        let fingerprint = finding.fingerprint.as_ref();
        let answered = fingerprint.and_then(|one| self.answers.get(one));
        let probed = own.or_else(|| fingerprint.and_then(|one| self.probed.get(one).copied()));
        if let Some(answered) = answered {
            finding.verified = answered.verdict;
            let verification = json!({
                "asked": answered.asked, "meaning": answered.meaning, "at": answered.at,
            });
            finding.detail.insert("verification".into(), verification);
            if !answered.identity.is_empty() {
                finding.detail.insert("identity".into(), answered.identity.clone().into());
            }
        } else if let Some(grant) = probed
            && let Some(verdict) = of_grant(grant)
        {
            finding.verified = Some(verdict);
        }
        match finding.verified {
            Some(Verified::Live) => finding.confidence = Confidence::High,
            // A grant's severity was settled with its status.
            Some(Verified::Dead) if finding.category != Category::Grant => {
                finding.severity = finding.severity.min(Severity::Low);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_core::{FingerprintKey, Layer, Place, Provenance};

    #[test]
    fn a_live_secret_is_sure_and_a_dead_one_is_low() {
        let key = FingerprintKey::from_bytes([1; 32]);
        let place = Place::whole(Provenance::new(Layer::Input { name: "x".into() }));
        let finding = |secret: &str| {
            let (critical, medium) = (Severity::Critical, Confidence::Medium);
            Finding::new("secret.x", Category::Secret, critical, medium, "x", &place, "x")
                .with_fingerprint(key.of(secret.as_bytes()))
        };
        let answer = |verdict| Answered {
            verdict,
            asked: "GET https://api.example.com/".into(),
            meaning: "m".into(),
            identity: Map::new(),
            at: "2026-01-01T00:00:00Z".parse().unwrap(),
        };
        let answers: Answers = [
            (key.of(b"live"), answer(Some(Verified::Live))),
            (key.of(b"dead"), answer(Some(Verified::Dead))),
            (key.of(b"open"), answer(Some(Verified::Unknown))),
            (key.of(b"left"), answer(None)),
        ]
        .into();
        let verdicts = Verdicts::new(&answers, &[], &[]);
        let of = |secret: &str| {
            let mut one = finding(secret);
            verdicts.apply(&mut one);
            (one.verified, one.severity, one.confidence)
        };
        assert_eq!(of("live"), (Some(Verified::Live), Severity::Critical, Confidence::High));
        assert_eq!(of("dead"), (Some(Verified::Dead), Severity::Low, Confidence::Medium));
        assert_eq!(of("open"), (Some(Verified::Unknown), Severity::Critical, Confidence::Medium));
        assert_eq!(of("left"), (None, Severity::Critical, Confidence::Medium));
        assert_eq!(of("else"), (None, Severity::Critical, Confidence::Medium));
    }
}
