//! What a listing of blobs asks for beside the current blobs, and what is left of that when the
//! service refuses it.
//!
//! Source: "List Blobs" of the service's documentation: snapshots, versions and metadata need the
//! permission to list, tags the one for tags as well; versions and snapshots are not listed by
//! folder (`delimiter`); accounts with a hierarchical namespace do not know versions.

use super::error::refusal_code;
use super::store::Shared;
use crate::client::Answer;
use lidless_core::{Auth, Gap};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// From everything down to nothing: the service does not say which word it did not like.
const LADDER: [&[&str]; 6] = [
    &["metadata", "tags", "snapshots", "versions", "deleted"],
    &["metadata", "snapshots", "versions", "deleted"],
    &["metadata", "snapshots", "deleted"],
    &["metadata", "deleted"],
    &["metadata"],
    &[],
];
/// The step of [`LADDER`] without tags.
const WITHOUT_TAGS: usize = 1;
/// What no listing by folder gives.
const FLAT_ONLY: [&str; 2] = ["snapshots", "versions"];

/// What one store asks for, learned on the way, and what it had to leave out.
#[derive(Debug)]
pub(crate) struct Include {
    step: AtomicUsize,
    gaps: Mutex<BTreeSet<Gap>>,
}

impl Include {
    /// Begins with everything that the credential may ask for.
    pub(crate) fn new(tags: bool) -> Self {
        let step = if tags { 0 } else { WITHOUT_TAGS };
        Self { step: AtomicUsize::new(step), gaps: Mutex::default() }
    }

    /// Where to begin.
    pub(crate) fn step(&self) -> usize {
        self.step.load(Ordering::Relaxed)
    }

    /// The parameter of a step, with a `&` before it; empty when nothing is asked for.
    pub(crate) fn parameter(step: usize, delimited: bool) -> String {
        let words = LADDER.get(step).copied().unwrap_or(&[]);
        let words: Vec<&str> = (words.iter().copied())
            .filter(|word| !(delimited && FLAT_ONLY.contains(word)))
            .collect();
        if words.is_empty() { String::new() } else { format!("&include={}", words.join("%2C")) }
    }

    /// The next step down after a refusal that may be about the words alone; none when there is
    /// none, or when the refusal is about something else.
    pub(crate) fn narrower(shared: &Shared, step: usize, answer: &Answer) -> Option<usize> {
        let next = step.checked_add(1).filter(|next| *next < LADDER.len())?;
        let code = answer.code().unwrap_or_default();
        let stranger = matches!(shared.access.auth, Auth::Anonymous);
        let about_words = match answer.status {
            400 => code != "InvalidAuthenticationInfo",
            501 => true,
            409 => !matches!(
                code.as_str(),
                "PublicAccessNotPermitted" | "ContainerBeingDeleted" | "ContainerDisabled"
            ),
            401 | 403 if stranger => true,
            403 => step < WITHOUT_TAGS && code == "AuthorizationPermissionMismatch",
            _ => false,
        };
        // A stranger is asked twice at most.
        about_words.then_some(if stranger && answer.status != 400 {
            LADDER.len().saturating_sub(1)
        } else {
            next
        })
    }

    /// Keeps the step at which the service answered, and what is missing by it.
    pub(crate) fn settle(&self, shared: &Shared, from: usize, to: usize, refusal: Option<&Answer>) {
        let Some(refusal) = refusal.filter(|_| to > from) else { return };
        self.step.fetch_max(to, Ordering::Relaxed);
        let words = |step: usize| LADDER.get(step).copied().unwrap_or(&[]);
        let lost: Vec<&str> =
            words(from).iter().filter(|word| !words(to).contains(word)).copied().collect();
        let code = refusal_code(refusal);
        let reason = format!("{} not listed: the service refused to ({code})", lost.join(", "));
        self.note(Gap::new(shared.name(), reason, None));
    }

    /// Notes that objects stand right in a folder that was listed by itself.
    pub(crate) fn by_folder(&self, shared: &Shared, container: &str, prefix: &str) {
        let words = LADDER.get(self.step()).copied().unwrap_or(&[]);
        let missed: Vec<&str> =
            words.iter().filter(|word| FLAT_ONLY.contains(word)).copied().collect();
        if !missed.is_empty() {
            let reason = format!(
                "{} of what stands right in this folder not listed: the service has no such \
                 listing by folder",
                missed.join(" and ")
            );
            let place = format!("{}/{container}/{prefix}", shared.name());
            self.note(Gap::new(place, reason, None));
        }
    }

    /// Notes something else that is known to be left out.
    pub(crate) fn note(&self, gap: Gap) {
        self.gaps.lock().unwrap_or_else(PoisonError::into_inner).insert(gap);
    }

    /// Everything left out so far.
    pub(crate) fn gaps(&self) -> Vec<Gap> {
        self.gaps.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
