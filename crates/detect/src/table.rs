//! The table of detectors: a new one is one new file and one line here.

use crate::backup::BackupDetector;
use crate::credential_file::CredentialFileDetector;
use crate::detector::{Context, Detector, Output, View, Want};
use crate::message::MessageDetector;
use crate::model::ModelDetector;
use crate::secret::SecretDetector;
use crate::workstation::WorkstationDetector;
use lidless_core::Entry;

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
    /// Compiles all rules.
    #[must_use]
    pub fn new() -> Self {
        Self {
            row: vec![
                Box::new(SecretDetector::new()),
                Box::new(CredentialFileDetector::new()),
                Box::new(ModelDetector),
                Box::new(MessageDetector),
                Box::new(WorkstationDetector::new()),
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

    /// The most that any of them wants.
    #[must_use]
    pub fn wants(&self, entry: &Entry, head: &[u8]) -> Want {
        self.row.iter().map(|one| one.wants(entry, head)).max().unwrap_or(Want::Nothing)
    }

    /// Lets each look that wants to.
    pub fn detect(&self, view: &View<'_>, context: &Context, output: &mut Output) {
        for detector in &self.row {
            if detector.wants(&view.artifact.entry, view.head) > Want::Nothing {
                detector.detect(view, context, output);
            }
        }
    }
}
