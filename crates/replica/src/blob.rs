//! One blob.

use crate::random::{seed_of, word};
use crate::source::Source;
use jiff::Timestamp;
use lidless_core::BlobType;

/// How fast, and how soon, a blob can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// At once.
    Hot,
    /// At once, for a price.
    Cool,
    /// Not before it was brought back, which takes hours: reading it answers 409.
    Archive,
}

impl Tier {
    /// The service's own word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hot => "Hot",
            Self::Cool => "Cool",
            Self::Archive => "Archive",
        }
    }
}

/// A blob as the replica serves it.
#[derive(Debug, Clone)]
pub struct Blob {
    /// Its key, without the container.
    pub name: String,
    /// How it is stored.
    pub blob_type: BlobType,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub modified: Timestamp,
    /// Its tier.
    pub tier: Tier,
    /// Its media type.
    pub content_type: &'static str,
    /// Its bytes.
    pub source: Source,
}

impl Blob {
    /// A hot block blob that was made and last changed at `modified`, its media type told from its
    /// name.
    #[must_use]
    pub fn new(name: impl Into<String>, modified: Timestamp, source: Source) -> Self {
        let name = name.into();
        Self {
            blob_type: BlobType::Block,
            created: modified,
            modified,
            tier: Tier::Hot,
            content_type: media_type(&name),
            source,
            name,
        }
    }

    /// The same as a page blob. The service wants their size in whole pages of 512 bytes.
    #[must_use]
    pub fn page(mut self) -> Self {
        self.blob_type = BlobType::Page;
        self
    }

    /// The same in another tier.
    #[must_use]
    pub fn tier(mut self, tier: Tier) -> Self {
        self.tier = tier;
        self
    }

    /// Its version, without quotes: changes with the name, the size and the time.
    #[must_use]
    pub fn etag(&self) -> String {
        let time = u64::from_ne_bytes(self.modified.as_second().to_ne_bytes());
        let value = word(seed_of(&self.name) ^ self.source.size(), time);
        format!("0x8D{:013X}", value >> 12)
    }
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("json" | "ipynb") => "application/json",
        Some("txt" | "log" | "ini") => "text/plain",
        Some("md") => "text/markdown",
        Some("csv") => "text/csv",
        Some("xml") => "application/xml",
        Some("pdf") => "application/pdf",
        Some("png") => "image/png",
        Some("mp4") => "video/mp4",
        _ => "application/octet-stream",
    }
}
