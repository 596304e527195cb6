//! What the service says when it refuses.

use crate::client::Answer;
use crate::store::{StorageError, StorageErrorKind};

/// A refusal as an error.
pub(crate) fn refused(what: &str, answer: &Answer) -> StorageError {
    let code = answer.code();
    let kind = match (answer.status, code.as_deref()) {
        (403, Some("InvalidObjectState")) => StorageErrorKind::Conflict,
        (400, Some("InvalidAccessKeyId" | "ExpiredToken" | "InvalidToken")) | (401 | 403, _) => {
            StorageErrorKind::Denied
        }
        (404 | 410, _) => StorageErrorKind::NotFound,
        (409 | 412 | 416, _) => StorageErrorKind::Conflict,
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

/// The explanation that comes with a refusal.
pub(crate) fn message(answer: &Answer) -> String {
    let body = String::from_utf8_lossy(&answer.body);
    let text = body.split_once("<Message>").and_then(|(_, rest)| rest.split('<').next());
    text.unwrap_or("").chars().filter(|c| !c.is_control()).take(300).collect()
}

/// The region that a refusal names, in its header or its body.
pub(crate) fn region(answer: &Answer) -> Option<String> {
    let body = String::from_utf8_lossy(&answer.body);
    let in_body = || Some(body.split_once("<Region>")?.1.split('<').next()?.to_owned());
    let region = answer.header("x-amz-bucket-region").map(str::to_owned).or_else(in_body)?;
    let plain = (1..=32).contains(&region.len())
        && region
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    plain.then_some(region)
}
