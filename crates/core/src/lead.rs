//! A link or a credential found in content.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A lead, as the report shows it. The credential itself is not here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lead {
    /// Depends on content and place only.
    pub id: String,
    /// The form it stood in: `sas_url`, `sas_token`, `connection_string`, `presigned_url`,
    /// `access_key`, `storage_url`, ...
    pub kind: String,
    /// The link with its signature and keys redacted.
    pub url: String,
    /// The place as a URI, with `#L` and the line.
    pub location: String,
    /// File path inside the repository or tree.
    pub file: Option<String>,
    /// Line from 1.
    pub line: Option<u64>,
    /// Full id of the commit that first brought it; null outside a history.
    pub commit: Option<String>,
    /// Author of that commit, `Name <address>`.
    pub author: Option<String>,
    /// When that commit was made.
    pub committed_at: Option<Timestamp>,
    /// Whether the newest tree still holds it; null outside a history.
    pub in_newest_tree: Option<bool>,
    /// Whether it may be followed.
    pub in_scope: bool,
    /// Whether it was followed.
    pub followed: bool,
    /// Why it was left alone; null when it was followed.
    pub left_alone: Option<String>,
    /// Id of its grant; null when it is a link that opens nothing by itself.
    pub grant: Option<String>,
}
