//! The states of one key beside the current one.

use serde::{Deserialize, Serialize};

/// Which state of a key is meant.
///
/// Places write it behind the key, as the service's own URLs do: `az://a/c/k?versionid=ID`,
/// `?snapshot=TIME`; `?deleted=ID` and `?behind=WHAT`, which no URL opens, are this program's own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum ObjectVersion {
    /// A version that is not the current one, by its id.
    Version(String),
    /// A snapshot, by its time.
    Snapshot(String),
    /// Deleted and kept by the service for some days: by its version, its snapshot or the time of
    /// its deletion.
    Deleted(String),
    /// What lies behind the part that is asked for: further rows of a table, further messages of a
    /// queue.
    Behind(String),
}

/// Between a key and its version where cases keep both in one text. No XML and no URL can name it
/// unencoded.
const MARK: char = '\u{1f}';

impl ObjectVersion {
    /// As it stands behind the `?` of a place: `versionid=ID`.
    #[must_use]
    pub fn query(&self) -> String {
        let (name, id) = self.parts();
        format!("{name}={id}")
    }

    /// Reads what [`ObjectVersion::query`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, id) = text.split_once('=')?;
        let id = id.to_owned();
        match name {
            "versionid" => Some(Self::Version(id)),
            "snapshot" => Some(Self::Snapshot(id)),
            "deleted" => Some(Self::Deleted(id)),
            "behind" => Some(Self::Behind(id)),
            _ => None,
        }
    }

    /// Why it cannot be read, in words; none when it can be tried.
    #[must_use]
    pub fn unreadable(&self) -> Option<&'static str> {
        match self {
            Self::Version(_) | Self::Snapshot(_) => None,
            Self::Deleted(_) => {
                Some("deleted: only undeleting it, which is a write, makes it readable")
            }
            Self::Behind(_) => Some("only the first rows or messages are asked for"),
        }
    }

    /// A key and its version as one text, for cases: what [`ObjectVersion::split`] takes apart.
    #[must_use]
    pub fn joined(key: &str, version: Option<&Self>) -> String {
        match version {
            Some(version) => format!("{key}{MARK}{}", version.query()),
            None => key.to_owned(),
        }
    }

    /// Takes apart what [`ObjectVersion::joined`] made; a text that only looks like it is a key.
    #[must_use]
    pub fn split(text: &str) -> (&str, Option<Self>) {
        match text.rsplit_once(MARK).map(|(key, rest)| (key, Self::parse(rest))) {
            Some((key, Some(version))) => (key, Some(version)),
            _ => (text, None),
        }
    }

    fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Version(id) => ("versionid", id),
            Self::Snapshot(id) => ("snapshot", id),
            Self::Deleted(id) => ("deleted", id),
            Self::Behind(id) => ("behind", id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_and_its_version_are_kept_in_one_text_and_come_back() {
        for version in [
            None,
            Some(ObjectVersion::Version("2026-01-01T00:00:00.0000000Z".into())),
            Some(ObjectVersion::Snapshot("t=1".into())),
            Some(ObjectVersion::Deleted("x".into())),
            Some(ObjectVersion::Behind("rows".into())),
        ] {
            let text = ObjectVersion::joined("a/b?versionid=1", version.as_ref());
            assert_eq!(ObjectVersion::split(&text), ("a/b?versionid=1", version));
        }
        assert_eq!(ObjectVersion::split("a\u{1f}b"), ("a\u{1f}b", None));
    }

    #[test]
    fn what_is_deleted_is_not_read_and_a_snapshot_is() {
        assert!(ObjectVersion::Deleted("x".into()).unreadable().is_some());
        assert_eq!(ObjectVersion::Snapshot("x".into()).unreadable(), None);
    }
}
