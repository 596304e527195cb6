//! What one answer of the JSON interface says.
//!
//! Source: "HTTP status and error codes for JSON" of the Cloud Storage documentation.

use crate::client::Answer;
use crate::interview::Verdict;
use crate::store::{StorageError, StorageErrorKind};
use lidless_core::GrantStatus;
use serde_json::Value;

/// The service's word for a refusal: letters only.
pub(crate) fn reason(answer: &Answer) -> Option<String> {
    let value: Value = serde_json::from_slice(&answer.body).ok()?;
    let word = value.pointer("/error/errors/0/reason").and_then(Value::as_str)?;
    let fits = (1..=64).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphanumeric());
    fits.then(|| word.to_owned())
}

/// A refusal as an error.
pub(crate) fn refused(what: &str, answer: &Answer) -> StorageError {
    let code = reason(answer);
    let kind = match answer.status {
        401 | 403 => StorageErrorKind::Denied,
        404 | 410 => StorageErrorKind::NotFound,
        409 | 412 | 416 => StorageErrorKind::Conflict,
        _ if code.as_deref() == Some("required") => StorageErrorKind::Denied,
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

/// Reads an answer; `fits` says whether a good one is what was asked for.
pub(crate) fn verdict(answer: &Answer, strange: bool, fits: bool) -> Verdict {
    let says = String::from_utf8_lossy(&answer.body).to_ascii_lowercase();
    let word = reason(answer).unwrap_or_default();
    match (answer.status, word.as_str()) {
        (200 | 206, _) if fits => Verdict::allowed("the service answered: it works"),
        (416, _) => Verdict::allowed("the service answered: it works, and the object is empty"),
        (200 | 206, _) => {
            let meaning = "the answer is not that of a storage service";
            Verdict::new(GrantStatus::Unknown, meaning)
        }
        (400, _) if says.contains("requester pays") => Verdict::new(
            GrantStatus::Denied,
            "whoever asks would have to pay, and that is never offered to Google Cloud",
        ),
        (_, "accountDisabled" | "userProjectAccountProblem") => {
            Verdict::new(GrantStatus::Denied, "the project behind the bucket is closed")
        }
        (404, _) => Verdict::new(GrantStatus::Unknown, "there is no such bucket or object"),
        (401 | 403, _) if strange => {
            Verdict::new(GrantStatus::Denied, "strangers get no answer: private, or not there")
        }
        (401, _) => {
            let meaning = "the service does not accept the token: over, ended, or its key deleted";
            Verdict::new(GrantStatus::Revoked, meaning)
        }
        (403, _) => {
            let meaning = "the token is valid, this operation is not allowed to it";
            Verdict::new(GrantStatus::Live, meaning)
        }
        (status, word) => {
            let word = if word.is_empty() { String::new() } else { format!(" {word}") };
            let meaning = format!("the answer {status}{word} decides nothing");
            Verdict::new(GrantStatus::Unknown, &meaning)
        }
    }
}
