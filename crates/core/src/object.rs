//! What a listing says.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
}

impl Object {
    /// True when reading it needs a wait of hours first.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        matches!(self.tier.as_deref(), Some("archive" | "glacier" | "deep_archive"))
    }
}
