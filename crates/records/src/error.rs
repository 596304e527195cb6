//! Why a store of records could not be read.

use lidless_io::ReadError;

/// A store that could not be read, or not all of it. Plain data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The bytes are not what their format says.
    #[error("{format}, offset {offset}: expected {expected}, found {found}")]
    Malformed {
        /// The format, as reports name it: `SQLite`, `registry hive`.
        format: &'static str,
        /// Where, in bytes from the start.
        offset: u64,
        /// What had to be there.
        expected: String,
        /// What was.
        found: String,
    },
    /// It is encrypted, or of a kind that is not read; in words, lower case, no full stop.
    #[error("{0}")]
    Closed(String),
    /// A bound against hostile input was reached; in words.
    #[error("{0}")]
    Limit(&'static str),
    /// The bytes could not be read.
    #[error("{0}")]
    Read(#[from] ReadError),
}
