//! What the service says when it refuses.

use super::meaning::meaning;
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

/// A request about an account that got no answer: a host that does not exist is an account that
/// does not.
pub(crate) fn gone(mut error: StorageError) -> StorageError {
    if error.kind == StorageErrorKind::NotFound && error.status.is_none() {
        error.message.push_str("; the storage account is gone, or its name is wrong");
    }
    error
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
    // What a code means for the credential, where it says something of it.
    let words = meaning(answer).filter(|one| one.status.is_some() && answer.status != 404);
    let words = words.map(|one| format!(" ({})", one.words)).unwrap_or_default();
    StorageError {
        kind,
        message: format!("cannot {what}: the service answers {}{shown}{words}", answer.status),
        status: Some(answer.status),
        code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_is_not_there_is_an_account_that_is_gone() {
        let error = |kind, status| StorageError {
            kind,
            message: "cannot ask about az://contoso".into(),
            status,
            code: None,
        };
        let said = |kind, status| gone(error(kind, status)).message;
        assert!(said(StorageErrorKind::NotFound, None).contains("the storage account is gone"));
        // A service that answers, or one that is only not reached, says nothing of that.
        for (kind, status) in
            [(StorageErrorKind::NotFound, Some(404)), (StorageErrorKind::Unavailable, None)]
        {
            assert!(!said(kind, status).contains("gone"));
        }
    }
}
