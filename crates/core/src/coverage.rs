//! How much was looked at.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Coverage of one container, folder or history.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Coverage {
    /// `az://contoso/models`, `file:///src`, `git+file:///src`.
    pub container: String,
    /// Objects that listings named.
    pub objects_listed: u64,
    /// Objects that were looked into.
    pub objects_inspected: u64,
    /// Sizes of the listed objects added up.
    pub bytes_listed: u64,
    /// Sizes of the objects that were looked into, added up.
    pub bytes_inspected: u64,
    /// Bytes of content read to do so.
    pub bytes_read: u64,
    /// Objects not looked into, by reason.
    pub skipped: BTreeMap<String, u64>,
}
