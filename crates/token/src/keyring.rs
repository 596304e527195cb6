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
    /// Reads a line a key: `ACCOUNT:KEY1[:KEY2]`; empty lines and lines with `#` are skipped.
    ///
    /// # Errors
    /// The first line that is not of that form. The line itself is never repeated.
    pub fn parse(text: &str) -> Result<Self, KeyRingError> {
        let mut ring = Self::default();
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

    /// The keys of an account, `key1` first; none when it is not in the ring.
    pub(crate) fn of(&self, account: &str) -> Option<&[Secret]> {
        self.keys.get(account).map(Vec::as_slice)
    }
}
