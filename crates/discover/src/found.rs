//! What walking a source gives.

use crate::git::{GitOptions, GitOrigin};
use globset::GlobSet;
use lidless_core::{Artifact, Gap};

/// One thing to look into.
#[derive(Debug, Clone)]
pub struct Found {
    /// It, opened.
    pub artifact: Artifact,
    /// Where in a history it comes from; none for files.
    pub git: Option<GitOrigin>,
}

/// How a source is walked.
#[derive(Debug, Clone)]
pub struct DiscoverOptions {
    /// The whole history, or only what is there now.
    pub history: bool,
    /// Which part of the history.
    pub git: GitOptions,
    /// Paths to leave out.
    pub exclude: GlobSet,
    /// Blobs of a history larger than this are gaps: they are held in memory whole.
    pub largest_blob_bytes: u64,
}

impl Default for DiscoverOptions {
    fn default() -> Self {
        Self {
            history: true,
            git: GitOptions::default(),
            exclude: GlobSet::empty(),
            largest_blob_bytes: 256 << 20,
        }
    }
}

/// What was walked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// `file:///path` or `git+file:///path`.
    pub container: String,
    /// Files met.
    pub files: u64,
    /// Blobs of histories met.
    pub blobs: u64,
    /// Commits met.
    pub commits: u64,
    /// Sizes of files and blobs added up.
    pub bytes: u64,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}
