//! What a listing says.

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
        match &self.version {
            Some(version) => version.unreadable().or_else(|| self.archived()),
            None => self.archived(),
        }
    }

    fn archived(&self) -> Option<&'static str> {
        self.is_offline().then_some("in the archive tier")
    }
}
