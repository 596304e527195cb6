//! What the system's refusals mean.

use crate::store::{StorageError, StorageErrorKind};
use lidless_io::{ReadError, ReadErrorKind};
use rustix::io::Errno;

/// A refusal as an error.
pub(crate) fn refused(what: &str, error: Errno) -> StorageError {
    let kind = match error {
        Errno::ACCESS | Errno::PERM => StorageErrorKind::Denied,
        Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG | Errno::ISDIR => {
            StorageErrorKind::NotFound
        }
        Errno::LOOP | Errno::OPNOTSUPP => StorageErrorKind::Unsupported,
        _ => StorageErrorKind::Unavailable,
    };
    StorageError {
        kind,
        message: format!("cannot {what}: {}", words(error)),
        status: None,
        code: None,
    }
}

/// A refusal to read what a listing named: what is gone, or is a link now, changed.
pub(crate) fn unread(what: &str, error: Errno) -> ReadError {
    let kind = match refused(what, error).kind {
        StorageErrorKind::Denied => ReadErrorKind::Denied,
        StorageErrorKind::NotFound | StorageErrorKind::Unsupported => ReadErrorKind::Changed,
        _ => ReadErrorKind::Unavailable,
    };
    ReadError::new(kind, format!("cannot {what}: {}", words(error)))
}

/// What the system said, in words.
pub(crate) fn words(error: Errno) -> String {
    match error {
        Errno::LOOP => "it is a link, which is not followed".to_owned(),
        Errno::OPNOTSUPP => "it is no regular file".to_owned(),
        Errno::ACCESS | Errno::PERM => "the system does not let you".to_owned(),
        Errno::NOENT | Errno::NOTDIR => "it is not there".to_owned(),
        other => std::io::Error::from(other).to_string(),
    }
}
