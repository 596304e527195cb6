//! The secrets that issuers are to be asked about: in memory, each once, and no more than so many.

use lidless_core::{Fingerprint, FingerprintKey, Secret, Severity};
use lidless_detect::{SecretRule, Verifiable, Verify, secret_rules};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// More kinds of secrets than one run ever asks about, at one question a second.
const MOST: usize = 20_000;

/// One question: about a secret, to its issuer.
pub(crate) struct Question {
    pub(crate) verify: &'static Verify,
    pub(crate) secret: Secret,
    pub(crate) pair: Option<Secret>,
    /// Nothing else near the secret could be what belongs to it.
    pub(crate) sure_pair: bool,
    pub(crate) severity: Severity,
    /// Where it stood first.
    pub(crate) location: String,
    /// The findings that the answer is about.
    pub(crate) fingerprints: Vec<Fingerprint>,
}

/// Issuer, secret, and what belongs to it.
type Key = (&'static str, Fingerprint, Option<Fingerprint>);

/// Questions as detectors come upon them.
#[derive(Default)]
pub(crate) struct Questions {
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    questions: BTreeMap<Key, Question>,
    dropped: u64,
}

impl Questions {
    /// Takes over what detectors handed on.
    pub(crate) fn add(&self, found: &mut Vec<Verifiable>, key: &FingerprintKey) {
        if found.is_empty() {
            return;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for one in found.drain(..) {
            let Some(verify) = of_rule(one.rule) else { continue };
            let question = Question {
                verify,
                secret: one.secret,
                pair: one.pair,
                sure_pair: one.sure_pair,
                severity: one.severity,
                location: one.location,
                fingerprints: vec![one.fingerprint],
            };
            waiting.add(question, key);
        }
    }

    /// Adds one that a credential of its own raised.
    pub(crate) fn add_one(&self, question: Question, key: &FingerprintKey) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).add(question, key);
    }

    /// All of them, the worst first, and how many there was no room for.
    pub(crate) fn take(&self) -> (Vec<Question>, u64) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = std::mem::take(&mut *waiting);
        let mut questions: Vec<Question> = taken.questions.into_values().collect();
        questions.sort_by(|a, b| {
            b.severity
                .cmp(&a.severity)
                .then_with(|| a.location.cmp(&b.location))
                .then_with(|| a.fingerprints.cmp(&b.fingerprints))
        });
        (questions, taken.dropped)
    }
}

impl Waiting {
    fn add(&mut self, mut question: Question, key: &FingerprintKey) {
        let secret = key.of(question.secret.expose().as_bytes());
        let pair = question.pair.as_ref().map(|pair| key.of(pair.expose().as_bytes()));
        // An id and its key are one credential, whichever of the two a finding is about.
        if question.verify.sign.is_some() {
            question.fingerprints.push(secret.clone());
            question.fingerprints.extend(pair.clone());
        }
        let full = self.questions.len() >= MOST;
        match self.questions.entry((question.verify.issuer, secret, pair)) {
            std::collections::btree_map::Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.fingerprints.append(&mut question.fingerprints);
                known.fingerprints.sort();
                known.fingerprints.dedup();
                known.severity = known.severity.max(question.severity);
                known.sure_pair |= question.sure_pair;
                if question.location < known.location {
                    known.location = question.location;
                }
            }
            std::collections::btree_map::Entry::Vacant(_) if full => {
                self.dropped = self.dropped.saturating_add(1);
            }
            std::collections::btree_map::Entry::Vacant(slot) => {
                question.fingerprints.sort();
                question.fingerprints.dedup();
                slot.insert(question);
            }
        }
    }
}

/// How a rule's issuer is asked; for a finding's `secret.NAME` as well.
pub(crate) fn of_rule(id: &str) -> Option<&'static Verify> {
    let id = id.strip_prefix("secret.").unwrap_or(id);
    let rule: &'static SecretRule = secret_rules().iter().find(|rule| rule.id == id)?;
    rule.verify.as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(secret: &str, location: &str, key: &FingerprintKey) -> Verifiable {
        Verifiable {
            rule: "github_token",
            fingerprint: key.of(secret.as_bytes()),
            secret: Secret::new(secret),
            pair: None,
            sure_pair: true,
            location: location.into(),
            severity: Severity::High,
        }
    }

    #[test]
    fn a_secret_in_two_places_is_asked_about_once() {
        let key = FingerprintKey::from_bytes([7; 32]);
        let questions = Questions::default();
        let mut found = vec![one("a", "z", &key), one("b", "m", &key), one("a", "c", &key)];
        questions.add(&mut found, &key);
        assert!(found.is_empty());
        let (row, dropped) = questions.take();
        assert_eq!(dropped, 0);
        let places: Vec<&str> = row.iter().map(|one| one.location.as_str()).collect();
        assert_eq!(places, ["c", "m"]);
        assert_eq!(questions.take().0.len(), 0);
    }

    #[test]
    fn a_million_secrets_do_not_fill_the_memory() {
        let key = FingerprintKey::from_bytes([7; 32]);
        let questions = Questions::default();
        for number in 0..MOST + 500 {
            questions.add(&mut vec![one(&number.to_string(), "x", &key)], &key);
        }
        let (row, dropped) = questions.take();
        assert_eq!((row.len(), dropped), (MOST, 500));
    }
}
