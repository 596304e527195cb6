//! Keys that were published so that everybody tests with the same ones: nothing is behind them,
//! unless somebody took one for real.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

#[derive(Deserialize)]
struct File {
    key: Vec<Row>,
}

/// A key that everybody has.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    /// As `ssh-keygen -l` prints it; its spki as hex where SSH has no such key.
    fingerprint: String,
    /// Where it was published.
    pub(crate) what: String,
    pub(crate) reference: String,
}

static KEYS: LazyLock<BTreeMap<String, Row>> = LazyLock::new(|| {
    toml::from_str::<File>(include_str!("../../../../../rules/key/published.toml"))
        .map(|file| file.key.into_iter().map(|row| (row.fingerprint.clone(), row)).collect())
        .unwrap_or_default()
});

/// Where a key was published, by a fingerprint of its public half.
pub(crate) fn published(fingerprint: &str) -> Option<&'static Row> {
    KEYS.get(fingerprint)
}
