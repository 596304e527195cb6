//! What the service says when it refuses.

use crate::client::Answer;
use crate::store::{StorageError, StorageErrorKind};

/// The service's error code, from the header or the body.
pub(crate) fn code(answer: &Answer) -> Option<String> {
    let plain = |text: &str| {
        let fits =
            (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        fits.then(|| text.to_owned())
    };
    answer.header("x-ms-error-code").and_then(plain).or_else(|| {
        let body = String::from_utf8_lossy(&answer.body);
        let (_, rest) = body.split_once("<Code>")?;
        plain(rest.split('<').next()?)
    })
}

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

/// A refusal as an error.
pub(crate) fn refused(what: &str, answer: &Answer) -> StorageError {
    let code = code(answer);
    let kind = match answer.status {
        401 | 403 => StorageErrorKind::Denied,
        404 => StorageErrorKind::NotFound,
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

/// An answer that makes no sense.
pub(crate) fn malformed(what: &str, why: &str) -> StorageError {
    StorageError {
        kind: StorageErrorKind::Malformed,
        message: format!("cannot {what}: {why}"),
        status: None,
        code: None,
    }
}
