//! The trail of a run: every request that was sent, and when runs began and ended.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One record of the trail. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TrailRecord {
    /// A process began to work on the case. One without an end was stopped.
    Begin {
        /// When.
        time: Timestamp,
        /// How its requests name themselves.
        user_agent: String,
        /// Under whose authority, when there is a scope file.
        authority: Option<String>,
    },
    /// A request was answered, or got no answer.
    Request(RequestRecord),
    /// The process came to its end.
    End {
        /// When.
        time: Timestamp,
        /// Requests it sent.
        requests: u64,
    },
}

/// One request, as it was sent and as it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// When it was sent.
    pub time: Timestamp,
    /// `GET` or `HEAD`.
    pub method: String,
    /// Where to: the values of parameters that may be secret are left out.
    pub url: String,
    /// The rule of the scope that allowed it.
    pub rule: String,
    /// The id it was sent with, for the owner's logs.
    pub id: String,
    /// Which time it was asked, from 1.
    pub attempt: u32,
    /// HTTP status; null when no answer came.
    pub status: Option<u16>,
    /// Bytes of the body that were read.
    pub bytes: u64,
    /// From the request to the end of the body.
    pub milliseconds: u64,
    /// Why there was no answer, or not all of one.
    pub failure: Option<String>,
}
