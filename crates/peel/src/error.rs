//! Why something could not be opened, and how each reason ends up in a report.

use crate::peeler::Sink;
use lidless_core::{Category, Confidence, Finding, Gap, Place, Provenance, Severity};
use lidless_io::number::wide;
use lidless_io::{CursorError, ReadError, ReadErrorKind};
use lidless_records::RecordError;

/// A wrapping that could not be opened, or not all of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PeelError {
    /// The bytes are not what their format says.
    #[error("{format}, offset {offset}: expected {expected}, found {found}")]
    Malformed {
        /// The format, as reports name it: `VHDX`, `NTFS`.
        format: &'static str,
        /// Where, in bytes from the start of what is being read.
        offset: u64,
        /// What had to be there.
        expected: String,
        /// What was.
        found: String,
    },
    /// It is well formed and cannot be opened: encrypted, a method that is not read, a part that
    /// is missing. In words that count together, lower case, without a full stop.
    #[error("{0}")]
    Closed(String),
    /// A limit of the run.
    #[error("{0}")]
    Limit(&'static str),
    /// The bytes could not be read.
    #[error("{0}")]
    Read(#[from] ReadError),
}

impl PeelError {
    /// The bytes are not what their format says.
    pub(crate) fn malformed(
        format: &'static str,
        offset: u64,
        expected: impl Into<String>,
        found: impl std::fmt::Display,
    ) -> Self {
        Self::Malformed { format, offset, expected: expected.into(), found: found.to_string() }
    }

    /// A cursor that ran out inside a structure of `format` that begins at `base`.
    pub(crate) fn cursor(format: &'static str, base: u64, error: &CursorError) -> Self {
        let within = wide(error.offset);
        Self::malformed(format, base.saturating_add(within), &*error.expected, &error.found)
    }

    /// Says it: every error leaves a gap with `bytes` unseen, malformed input a finding as well.
    pub(crate) fn say(&self, place: &Provenance, bytes: Option<u64>, sink: &mut dyn Sink) {
        let reason = match self {
            Self::Malformed { format, .. } => format!("{format} that is malformed"),
            Self::Closed(why) => why.clone(),
            Self::Limit(why) => (*why).to_owned(),
            Self::Read(error) => match error.kind {
                ReadErrorKind::OutOfBudget => "budget spent".to_owned(),
                _ => format!("could not be read: {}", error.message),
            },
        };
        sink.gap(Gap::new(place, reason, bytes));
        if let Self::Malformed { format, .. } = self {
            sink.finding(malformed(format, place, &self.to_string()));
        }
    }
}

impl From<RecordError> for PeelError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Malformed { format, offset, expected, found } => {
                Self::Malformed { format, offset, expected, found }
            }
            RecordError::Closed(why) => Self::Closed(why),
            RecordError::Limit(why) => Self::Limit(why),
            RecordError::Read(error) => Self::Read(error),
        }
    }
}

/// The finding about input that is not what its format says.
pub(crate) fn malformed(format: &str, place: &Provenance, evidence: &str) -> Finding {
    Finding::new(
        format!("malformed.{}", format.to_lowercase().replace([' ', '/', '+'], "_")),
        Category::Malformed,
        Severity::Low,
        Confidence::Medium,
        format!("{format} that is not well formed"),
        &Place::whole(place.clone()),
        evidence,
    )
}
