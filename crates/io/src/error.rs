//! Why bytes could not be read.

/// The class of a failed read: what a caller decides on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadErrorKind {
    /// The file system or the network failed; another try may succeed.
    Unavailable,
    /// The service refused: the credential does not allow it.
    Denied,
    /// The object is no longer there, or is no longer the one that was listed.
    Changed,
    /// The object is there but cannot be read now (an archive tier, say).
    Offline,
    /// The object is encrypted with a key that only its owner has.
    Locked,
    /// The budget for this run is spent.
    OutOfBudget,
    /// The source is shorter than it said, or sent what was not asked for.
    Malformed,
}

/// A failed read. Plain data, so that it can be kept and counted; holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ReadError {
    /// What class of failure it is.
    pub kind: ReadErrorKind,
    /// What happened, in words, lower case, without a full stop and without credentials.
    pub message: String,
}

impl ReadError {
    /// Makes an error of a class with a message.
    pub fn new(kind: ReadErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// A read past the end of a source that promised more.
    #[must_use]
    pub fn short(offset: u64, wanted: u64, got: u64) -> Self {
        Self::new(
            ReadErrorKind::Malformed,
            format!("source ended: wanted {wanted} bytes at offset {offset}, got {got}"),
        )
    }
}

impl From<ReadError> for std::io::Error {
    fn from(error: ReadError) -> Self {
        std::io::Error::other(error)
    }
}

impl From<std::io::Error> for ReadError {
    fn from(error: std::io::Error) -> Self {
        let message = error.to_string();
        match error.into_inner().and_then(|inner| inner.downcast::<ReadError>().ok()) {
            Some(original) => *original,
            None => Self::new(ReadErrorKind::Unavailable, message),
        }
    }
}
