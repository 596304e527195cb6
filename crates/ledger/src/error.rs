//! Why a case cannot be used.

/// A case file that cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// SQLite said no.
    #[error("the case file failed: {0}")]
    Database(#[source] rusqlite::Error),
    /// There is no room for it.
    #[error(
        "there is no room left to write the case file ({0}): all that was kept so far is safe in \
         it. Make room, and go on with --resume"
    )]
    Full(String),
    /// It is a database, or a file, of another kind.
    #[error("{0} is not a lidless case")]
    NotACase(String),
    /// It was written by another version.
    #[error("the case has format {found}; this version reads format {expected}")]
    Version {
        /// The format found.
        found: i64,
        /// The format this version reads.
        expected: i64,
    },
    /// A file is in the way.
    #[error("{0} exists already: go on with it by --resume, or name another --case file")]
    Exists(String),
    /// There is no such file.
    #[error("there is no case at {0}")]
    Missing(String),
    /// A record in it does not parse.
    #[error("a record of the case does not parse: {0}")]
    Record(#[from] serde_json::Error),
    /// Another process works on it.
    #[error(
        "{case} is in use{process}: one process at a time works on a case. Wait for it, or stop \
         it and give --resume; report and plan read it meanwhile"
    )]
    Held {
        /// The case file.
        case: String,
        /// Which process, when it said so.
        process: String,
    },
    /// It cannot be kept for one process.
    #[error("{case} cannot be locked against other processes: {why}")]
    Hold {
        /// The case file.
        case: String,
        /// What the operating system says.
        why: String,
    },
    /// The trail could not be written.
    #[error("the trail of requests could not be written: {0}")]
    Trail(String),
    /// The operating system gave no randomness for the key.
    #[error("no randomness for the key of the case: {0}")]
    Randomness(String),
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error() {
            Some(told)
                if told.code == rusqlite::ErrorCode::DiskFull
                    || told.extended_code == SQLITE_IOERR_WRITE =>
            {
                Self::Full(error.to_string())
            }
            _ => Self::Database(error),
        }
    }
}

/// A write that the operating system refused: a quota, or the largest size that a file may have
/// (sqlite.org/rescode.html).
const SQLITE_IOERR_WRITE: i32 = 778;
