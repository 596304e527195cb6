//! Account keys that the user gave, to tell which one signed a token.

use lidless_core::Secret;
use std::collections::BTreeMap;

/// Keys by account or access id. Empty by default.
#[derive(Debug, Clone, Default)]
pub struct KeyRing {
    keys: BTreeMap<String, Vec<Secret>>,
}

/// A line of a key file that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is not ACCOUNT:KEY1[:KEY2]")]
pub struct KeyRingError {
    /// Which line, from 1.
    pub line: usize,
}

impl KeyRing {
    /// Reads a line a key: `ACCOUNT:KEY1[:KEY2]`, `ACCESS_ID:SECRET`; empty lines and lines with
    /// `#` are skipped. A service account's JSON file is read as it is.
    ///
    /// # Errors
    /// The first line that is not of that form. The line itself is never repeated.
    pub fn parse(text: &str) -> Result<Self, KeyRingError> {
        let mut ring = Self::default();
        if let Ok(file) = serde_json::from_str::<serde_json::Value>(text) {
            let field = |name: &str| file.get(name).and_then(serde_json::Value::as_str);
            let (Some(account), Some(key)) = (field("client_email"), field("private_key")) else {
                return Err(KeyRingError { line: 1 });
            };
            ring.insert(account, &[key]);
            return Ok(ring);
        }
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut parts = line.split(':').map(str::trim);
            let account = parts.next().unwrap_or("");
            let keys: Vec<Secret> = parts.filter(|key| !key.is_empty()).map(Secret::new).collect();
            if account.is_empty() || keys.is_empty() || keys.len() > 2 {
                return Err(KeyRingError { line: index.saturating_add(1) });
            }
            ring.keys.insert(account.to_owned(), keys);
        }
        Ok(ring)
    }

    /// Adds the keys of an account or access id, `key1` first; for a service account the PEM text
    /// of its key, private or public. What was known of the account before is replaced.
    pub fn insert(&mut self, account: &str, keys: &[&str]) {
        self.keys.insert(account.to_owned(), keys.iter().map(|key| Secret::new(*key)).collect());
    }

    /// Adds every key of another ring.
    pub fn extend(&mut self, other: Self) {
        self.keys.extend(other.keys);
    }

    /// The accounts and access ids, in order.
    pub fn accounts(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(String::as_str)
    }

    /// The keys of an account, `key1` first; none when it is not in the ring.
    pub(crate) fn of(&self, account: &str) -> Option<&[Secret]> {
        self.keys.get(account).map(Vec::as_slice)
    }
}
