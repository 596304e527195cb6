//! What can go wrong on the way: a server that is told to misbehave, so that a client can show
//! what it does then.

use crate::request::Request;
use crate::response::{Body, Response};
use std::time::Duration;

/// What happens to one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Too many requests: 429, with `Retry-After` in seconds when there is one.
    TooMany(Option<u64>),
    /// The server is busy: 503, with `Retry-After` in seconds when there is one.
    Busy(Option<u64>),
    /// The credential is no longer good: 403, from one moment to the next.
    Denied,
    /// The connection is closed before an answer.
    Reset,
    /// The answer comes late.
    Slow(Duration),
    /// The connection is closed in the middle of the answer.
    Short,
    /// A page names each of its objects twice.
    Duplicated,
    /// A page names its objects from the last to the first.
    Reordered,
}

/// Says what happens to a request: its number, from 0, and itself.
pub type Plan = dyn Fn(u64, &Request) -> Option<Fault> + Send + Sync;

impl Fault {
    /// The answer in place of that of the service; none when the connection is closed instead.
    pub(crate) fn apply(self, response: Response) -> Option<Response> {
        match self {
            Self::TooMany(after) => Some(refusal(429, "TooManyRequests", after)),
            Self::Busy(after) => Some(refusal(503, "ServerBusy", after)),
            Self::Denied => Some(refusal(403, "AuthenticationFailed", None)),
            Self::Reset => None,
            Self::Slow(delay) => {
                std::thread::sleep(delay);
                Some(response)
            }
            Self::Short => Some(response),
            Self::Duplicated => Some(with_blobs(response, |blobs| {
                blobs.iter().flat_map(|one| [*one, *one]).collect()
            })),
            Self::Reordered => {
                Some(with_blobs(response, |blobs| blobs.iter().rev().copied().collect()))
            }
        }
    }
}

fn refusal(status: u16, code: &str, after: Option<u64>) -> Response {
    let mut response = Response::xml(format!(
        "{}<Error><Code>{code}</Code><Message>As it was told to.</Message></Error>",
        crate::xml::HEAD
    ));
    response.status = status;
    response.headers.push(("x-ms-error-code", code.to_owned()));
    if let Some(seconds) = after {
        response.headers.push(("Retry-After", seconds.to_string()));
    }
    response
}

/// A page with its blobs put together anew; any other answer as it is.
fn with_blobs(mut response: Response, change: impl Fn(&[&str]) -> String) -> Response {
    const OPEN: &str = "<Blob>";
    const CLOSE: &str = "</Blob>";
    let Body::Bytes(bytes) = &mut response.body else { return response };
    let Ok(text) = std::str::from_utf8(bytes) else { return response };
    let (Some(start), Some(end)) = (text.find(OPEN), text.rfind(CLOSE)) else { return response };
    let end = end.saturating_add(CLOSE.len());
    let (Some(before), Some(blobs), Some(after)) =
        (text.get(..start), text.get(start..end), text.get(end..))
    else {
        return response;
    };
    let blobs: Vec<&str> = blobs.split_inclusive(CLOSE).collect();
    let changed = format!("{before}{}{after}", change(&blobs));
    *bytes = changed.into_bytes();
    response
}
