//! What the service says when it refuses.

use crate::client::Answer;
use crate::store::{StorageError, StorageErrorKind};

/// The explanation that comes with a rejected signature. It may hold the text that was signed,
/// never the signature.
pub(crate) fn detail(answer: &Answer) -> String {
    let body = String::from_utf8_lossy(&answer.body);
    body.split_once("<AuthenticationErrorDetail>")
        .and_then(|(_, rest)| rest.split('<').next())
        .unwrap_or("")
        .chars()
        .take(500)
        .collect()
}

/// The code of a refusal, or its status where it gives none.
pub(crate) fn refusal_code(answer: &Answer) -> String {
    answer.code().unwrap_or_else(|| answer.status.to_string())
}

/// A refusal as an error.
pub(crate) fn refused(what: &str, answer: &Answer) -> StorageError {
    let code = answer.code();
    let kind = match answer.status {
        401 | 403 => StorageErrorKind::Denied,
        409 if code.as_deref() == Some("PublicAccessNotPermitted") => StorageErrorKind::Denied,
        404 | 410 => StorageErrorKind::NotFound,
        409 | 412 | 416 => StorageErrorKind::Conflict,
        _ => StorageErrorKind::Malformed,
    };
    let shown = code.as_deref().map(|code| format!(" {code}")).unwrap_or_default();
    StorageError {
        kind,
        message: format!("cannot {what}: the service answers {}{shown}", answer.status),
        status: Some(answer.status),
        code,
    }
}
