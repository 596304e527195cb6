//! What a listing says.

use crate::encryption::Encryption;
use crate::version::ObjectVersion;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What strangers may do with a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PublicAccess {
    /// Nothing.
    None,
    /// Read an object whose name they know.
    Blob,
    /// List and read.
    Container,
}

impl PublicAccess {
    /// The word used in every format.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Blob => "blob",
            Self::Container => "container",
        }
    }
}

/// A container or bucket as its account lists it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// What strangers may do with it; null when the listing does not say.
    pub public: Option<PublicAccess>,
    /// When it was last changed.
    pub modified: Option<Timestamp>,
}

/// How an Azure blob is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BlobType {
    /// Blocks.
    Block,
    /// Pages, possibly with holes.
    Page,
    /// Appended to.
    Append,
}

/// One stored item as a listing names it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Its key, without the container.
    pub key: String,
    /// Size in bytes.
    pub size: u64,
    /// The version as the store names it, without quotes.
    pub etag: Option<String>,
    /// When it was last changed.
    pub modified: Option<Timestamp>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// The tier, lower case: `hot`, `cool`, `cold`, `archive`, or the store's own word.
    pub tier: Option<String>,
    /// How it is stored, on Azure.
    pub blob_type: Option<BlobType>,
    /// Whose key it is encrypted with at rest, when the listing tells it. Cases keep what is not
    /// usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    /// MD5 in base64 when the listing gives it.
    pub content_md5: Option<String>,
    /// Media type when the listing gives it.
    pub content_type: Option<String>,
    /// Which state of the key it is; null for the current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<ObjectVersion>,
    /// What its owner wrote beside it, when the listing gives it: metadata, and tags as
    /// `tag NAME`. Cases do not keep it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

impl Object {
    /// True when reading it needs a wait of hours first.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        matches!(self.tier.as_deref(), Some("archive" | "glacier" | "deep_archive"))
    }

    /// Why it is listed and cannot be read, in words; none when it can be tried.
    #[must_use]
    pub fn unreadable(&self) -> Option<&'static str> {
        let version = self.version.as_ref().and_then(ObjectVersion::unreadable);
        let encrypted = self.encryption.and_then(Encryption::unreadable);
        version.or(encrypted).or_else(|| self.archived())
    }

    fn archived(&self) -> Option<&'static str> {
        self.is_offline().then_some("in the archive tier")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_its_owner_can_read_is_never_tried() {
        let object = |encryption| Object { encryption, ..Object::default() };
        for readable in [None, Some(Encryption::Service), Some(Encryption::Managed)] {
            assert_eq!(object(readable).unreadable(), None);
        }
        let why = object(Some(Encryption::CustomerKey)).unreadable();
        assert_eq!(why, Some("encrypted with a key that only its owner has"));
    }

    #[test]
    fn an_object_of_before_is_read_and_one_that_tells_nothing_takes_no_more_room() {
        let old = r#"{"key":"k","size":1,"etag":null,"modified":null,"created":null,"tier":null,
            "blob_type":null,"content_md5":null,"content_type":null}"#;
        let object: Object = serde_json::from_str(old).unwrap();
        assert_eq!(object.encryption, None);
        assert!(!serde_json::to_string(&object).unwrap().contains("encryption"));
        // A page of a listing is thousands of them: the field lies where there was padding.
        assert_eq!(size_of::<Option<Encryption>>(), 1);
        let texts = 5 * size_of::<String>() + size_of::<Option<ObjectVersion>>();
        let times = 2 * size_of::<Option<Timestamp>>();
        let map = size_of::<BTreeMap<String, String>>();
        assert_eq!(size_of::<Object>(), texts + times + map + 2 * size_of::<u64>());
    }
}
