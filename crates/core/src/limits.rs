//! The bounds that keep hostile input cheap.

use serde::{Deserialize, Serialize};

/// Limits of one run. Every limit is a flag; every hit is a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// How many wrappings deep to open.
    pub depth: usize,
    /// An entry may expand to this many times its size ...
    pub expansion_ratio: u64,
    /// ... or to this many bytes, whichever is more.
    pub expansion_bytes: u64,
    /// Memory that one entry may take, in bytes.
    pub memory_bytes: u64,
    /// How many members of one archive are opened.
    pub members: u64,
    /// How many bytes of one text are searched.
    pub text_bytes: u64,
    /// How many bytes of files are read from one file system of an image, beside its metadata.
    #[serde(default = "image_bytes")]
    pub image_bytes: u64,
    /// How far file systems of images are looked into.
    #[serde(default)]
    pub image_reach: ImageReach,
}

fn image_bytes() -> u64 {
    Limits::default().image_bytes
}

/// How far the file systems of disk images are looked into.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImageReach {
    /// Only the places where credentials usually lie: a few requests an image.
    Known,
    /// Known places, and every name.
    Names,
    /// Known places, every name, and the content of every file that may matter.
    #[default]
    All,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 8,
            expansion_ratio: 100,
            expansion_bytes: 1 << 30,
            memory_bytes: 64 << 20,
            members: 1_000_000,
            text_bytes: 64 << 20,
            image_bytes: 4 << 30,
            image_reach: ImageReach::All,
        }
    }
}

impl Limits {
    /// How many bytes an entry of `length_bytes` may expand to.
    #[must_use]
    pub fn expanded(&self, length_bytes: u64) -> u64 {
        length_bytes.saturating_mul(self.expansion_ratio).max(self.expansion_bytes)
    }
}
