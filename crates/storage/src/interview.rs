//! The frame of every probe: questions are asked one by one, and the answer that decides most is
//! the one that counts.
//!
//! A credential is called live only when the service's own answer says so, and revoked only when
//! it says that: a login page, a proxy's refusal or a parked domain decide nothing.

use crate::client::Answer;
use crate::store::{Probe, StorageError, StorageErrorKind};
use lidless_core::{Access, Declarer, GrantStatus, Observed, Operation, Party, Right, Timestamp};

/// What one answer says of a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) status: GrantStatus,
    /// What was asked is allowed.
    pub(crate) allowed: bool,
    /// In words.
    pub(crate) meaning: String,
}

impl Verdict {
    pub(crate) fn new(status: GrantStatus, meaning: &str) -> Self {
        Self { status, allowed: false, meaning: meaning.to_owned() }
    }

    /// Works, and allows what was asked.
    pub(crate) fn allowed(meaning: &str) -> Self {
        Self { allowed: true, ..Self::new(GrantStatus::Live, meaning) }
    }

    /// Whether what was asked is allowed, where the answer decides that.
    pub(crate) fn tested(&self) -> Option<bool> {
        matches!(self.status, GrantStatus::Live | GrantStatus::Denied).then_some(self.allowed)
    }

    /// How much it decides.
    fn rank(&self) -> u8 {
        match (self.status, self.allowed) {
            (GrantStatus::Unknown, _) => 0,
            (GrantStatus::Denied, _) => 1,
            (GrantStatus::Expired | GrantStatus::Revoked, _) => 2,
            (GrantStatus::Live, false) => 3,
            (GrantStatus::Live, true) => 4,
        }
    }
}

/// What was asked and answered so far.
pub(crate) struct Interview {
    pub(crate) observed: Observed,
    best: Option<Verdict>,
    first_error: Option<StorageError>,
}

impl Interview {
    pub(crate) fn begin() -> Self {
        let observed = Observed { checked_at: Some(Timestamp::now()), ..Observed::default() };
        Self { observed, best: None, first_error: None }
    }

    /// Takes note of an answer.
    pub(crate) fn heard(&mut self, answer: &Answer, verdict: Verdict) {
        if self.best.as_ref().is_none_or(|known| known.rank() < verdict.rank()) {
            self.observed.http_status = Some(answer.status);
            self.observed.error_code = answer.code();
            self.observed.meaning = Some(verdict.meaning.clone());
            self.best = Some(verdict);
        }
    }

    /// Takes note of a question without an answer.
    pub(crate) fn failed(&mut self, error: StorageError) {
        self.first_error.get_or_insert(error);
    }

    pub(crate) fn status(&self) -> Option<GrantStatus> {
        self.best.as_ref().map(|best| best.status)
    }

    /// The credential is dead: nothing more will be learned.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.status(), Some(GrantStatus::Expired | GrantStatus::Revoked))
    }

    /// The result; `strange` when no credential was used.
    ///
    /// # Errors
    /// When no question got an answer; `nothing` says what could not be asked.
    pub(crate) fn end(mut self, strange: bool, nothing: &str) -> Result<Probe, StorageError> {
        let Some(best) = self.best else {
            return Err(self.first_error.unwrap_or_else(|| StorageError {
                kind: StorageErrorKind::Unsupported,
                message: format!("cannot ask {nothing}: the link names nothing to ask"),
                status: None,
                code: None,
            }));
        };
        if strange {
            self.observed.public = match best.status {
                GrantStatus::Live => Some(true),
                GrantStatus::Unknown => None,
                _ => Some(false),
            };
        }
        Ok(Probe { status: best.status, observed: self.observed })
    }
}

/// A right that a read proved or disproved; unknown when none was made or its answer decides
/// nothing.
pub(crate) fn tested(
    party: Party,
    operation: Operation,
    place: Option<String>,
    allowed: Option<bool>,
    how: &str,
) -> Right {
    let word = match allowed {
        Some(true) => "allowed",
        Some(false) => "refused",
        None => "not asked, or the answer decides nothing",
    };
    let right = Right::of(party, operation).at(place).observed(allowed);
    right.because(&format!("{how}: {word}"))
}

/// A right that the service tells of, when it is asked; none where it does not say.
pub(crate) fn told(
    party: Party,
    operation: Operation,
    place: Option<String>,
    allowed: Option<bool>,
    why: &str,
) -> Right {
    Right::of(party, operation).at(place).declared(allowed, Declarer::Service).because(why)
}

/// The place of a right; none when it is all that the access reaches.
pub(crate) fn within(access: &Access, place: String) -> Option<String> {
    let mut all = access.store();
    for part in [&access.container, &access.key].into_iter().flatten() {
        all.push('/');
        all.push_str(part);
    }
    (place != all).then_some(place)
}
