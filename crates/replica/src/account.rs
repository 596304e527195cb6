//! The account that the replica plays.

use lidless_core::Secret;

/// A storage account: its name and its two keys, base64 as the service shows them.
#[derive(Debug, Clone)]
pub struct Account {
    /// Account name: the first part of its host name, and of a path-style URL.
    pub name: String,
    /// The first key.
    pub key1: Secret,
    /// The second key.
    pub key2: Secret,
}
