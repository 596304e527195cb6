//! Looking things up in a hive, with what fails counted once.

use crate::names::{name_list, shown};
use lidless_core::{Category, Confidence, Entry, Finding, Place, Severity, Timestamp};
use lidless_records::RecordError;
use lidless_records::hive::{Hive, Key, RegistryValue, unix_seconds};
use std::cell::Cell;

/// A hive that is asked for facts; a key that is not there is no fact, one that does not parse
/// is remembered.
pub(super) struct Facts<'a> {
    pub(super) hive: &'a Hive,
    pub(super) entry: &'a Entry,
    broken: Cell<bool>,
}

impl<'a> Facts<'a> {
    pub(super) fn new(hive: &'a Hive, entry: &'a Entry) -> Self {
        Self { hive, entry, broken: Cell::new(false) }
    }

    /// Whether something did not parse.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.get()
    }

    fn good<T>(&self, found: Result<T, RecordError>) -> Option<T> {
        if found.is_err() {
            self.broken.set(true);
        }
        found.ok()
    }

    pub(super) fn key(&self, path: &str) -> Option<Key> {
        self.good(self.hive.key(path)).flatten()
    }

    pub(super) fn subkeys(&self, path: &str) -> Vec<Key> {
        self.key(path).and_then(|key| self.good(self.hive.subkeys(&key))).unwrap_or_default()
    }

    pub(super) fn values(&self, key: &Key) -> Vec<RegistryValue> {
        self.good(self.hive.values(key)).unwrap_or_default()
    }

    pub(super) fn value_of(&self, key: &Key, name: &str) -> Option<RegistryValue> {
        self.good(self.hive.value(key, name)).flatten()
    }

    pub(super) fn text_of(&self, key: &Key, name: &str) -> Option<String> {
        let text = self.value_of(key, name)?.text()?;
        Some(shown(&text)).filter(|text| !text.is_empty())
    }

    pub(super) fn text(&self, path: &str, name: &str) -> Option<String> {
        self.text_of(&self.key(path)?, name)
    }

    /// A finding about what the hive holds.
    pub(super) fn finding(
        &self,
        rule: &str,
        category: Category,
        severity: Severity,
        title: &str,
        evidence: impl Into<String>,
    ) -> Finding {
        let place = Place::whole(self.entry.provenance.clone());
        Finding::new(rule, category, severity, Confidence::High, title, &place, evidence)
    }
}

/// A time of Windows as an instant, when a machine can have been in use then.
pub(super) fn instant(filetime: u64) -> Option<Timestamp> {
    let seconds = unix_seconds(filetime)?;
    // From the first Windows with a registry to well past today.
    (725_846_400..4_102_444_800)
        .contains(&seconds)
        .then(|| Timestamp::from_second(seconds).ok())
        .flatten()
}

/// Host names as the detail of a finding.
pub(super) fn hosts(names: impl IntoIterator<Item = String>) -> serde_json::Value {
    name_list(names).into()
}
