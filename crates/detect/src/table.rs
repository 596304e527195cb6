//! The table of detectors: a new one is one new file and one line here.

use crate::backup::BackupDetector;
use crate::browser::BrowserDetector;
use crate::credential_file::CredentialFileDetector;
use crate::detector::{Context, Detector, Output, View, Want};
use crate::head::Head;
use crate::message::{ChatCacheDetector, MessageDetector};
use crate::model::ModelDetector;
use crate::personal::PersonalDetector;
use crate::secret::{RuleSet, SecretDetector};
use crate::workstation::{Markers, RegistryDetector, UnixDetector, WorkstationDetector};
use lidless_core::Entry;
use std::sync::Arc;

/// Every detector, with its rules compiled; shared by all threads.
pub struct Detectors {
    row: Vec<Box<dyn Detector>>,
}

impl Default for Detectors {
    fn default() -> Self {
        Self::new()
    }
}

impl Detectors {
    /// With the built-in rules of secrets.
    #[must_use]
    pub fn new() -> Self {
        Self::with(RuleSet::default())
    }

    /// With rules of the user's own beside the built-in ones.
    #[must_use]
    pub fn with(rules: RuleSet) -> Self {
        let markers = Arc::new(Markers::new());
        Self {
            row: vec![
                Box::new(SecretDetector::new(rules)),
                Box::new(CredentialFileDetector::new()),
                Box::new(BrowserDetector),
                Box::new(ModelDetector),
                Box::new(MessageDetector),
                Box::new(PersonalDetector),
                Box::new(ChatCacheDetector),
                Box::new(WorkstationDetector::new(Arc::clone(&markers))),
                Box::new(RegistryDetector::new(Arc::clone(&markers))),
                Box::new(UnixDetector::new(markers)),
                Box::new(BackupDetector::new()),
            ],
        }
    }

    /// What names alone say.
    pub fn names(&self, entry: &Entry, context: &Context, output: &mut Output) {
        for detector in &self.row {
            detector.names(entry, context, output);
        }
    }

    /// What each of them wants.
    #[must_use]
    pub fn wants(&self, entry: &Entry, head: &Head<'_>) -> Wants {
        let mut wants = Wants { most: Want::Nothing, which: 0 };
        for (number, detector) in (0u32..).zip(&self.row) {
            let want = detector.wants(entry, head);
            wants.most = wants.most.max(want);
            if want > Want::Nothing {
                wants.which |= 1u32.checked_shl(number).unwrap_or(0);
            }
        }
        wants
    }

    /// Lets each look that wants to.
    pub fn detect(&self, view: &View<'_>, context: &Context, output: &mut Output) {
        let wants = self.wants(&view.artifact.entry, &Head::new(view.head));
        self.detect_wanted(wants, view, context, output);
    }

    /// The same, for whoever has asked already what they want.
    pub fn detect_wanted(
        &self,
        wants: Wants,
        view: &View<'_>,
        context: &Context,
        output: &mut Output,
    ) {
        for (number, detector) in (0u32..).zip(&self.row) {
            if wants.which & 1u32.checked_shl(number).unwrap_or(0) != 0 {
                detector.detect(view, context, output);
            }
        }
    }
}

/// Which detectors want to look at an entry, and how much they want of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Wants {
    /// The most that any of them wants.
    pub most: Want,
    /// A bit for each of the table, which has fewer than thirty-two.
    which: u32,
}
