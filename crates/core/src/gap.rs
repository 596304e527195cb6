//! What was not seen.

use serde::{Deserialize, Serialize};

/// Something that could not be read, was skipped, or did not parse. Counted and listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Gap {
    /// The place, as a URI.
    pub location: String,
    /// Why, in words, lower case, without a full stop. Equal causes use equal words, so that
    /// gaps can be counted by reason; numbers belong to `bytes`.
    pub reason: String,
    /// How many bytes were not seen, when known.
    pub bytes: Option<u64>,
}

impl Gap {
    /// Makes a gap.
    pub fn new(
        location: impl std::fmt::Display,
        reason: impl Into<String>,
        bytes: Option<u64>,
    ) -> Self {
        Self { location: location.to_string(), reason: reason.into(), bytes }
    }
}
