//! What walking a source gives.

use crate::git::{GitOptions, GitOrigin};
use crate::ignore_rules::IgnoreRules;
use globset::GlobSet;
use lidless_core::{Artifact, Gap};
use std::collections::BTreeMap;
use std::path::Path;

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
    /// More paths to leave out, with reasons.
    pub ignore: IgnoreRules,
    /// Whether the root of a target on this machine may leave out parts of itself, by its
    /// `.lidlessignore`.
    pub heed_ignore_file: bool,
    /// Blobs of a history larger than this are gaps: they are held in memory whole.
    pub largest_blob_bytes: u64,
}

impl Default for DiscoverOptions {
    fn default() -> Self {
        Self {
            history: true,
            git: GitOptions::default(),
            exclude: GlobSet::empty(),
            ignore: IgnoreRules::default(),
            heed_ignore_file: false,
            largest_blob_bytes: 256 << 20,
        }
    }
}

impl DiscoverOptions {
    /// Why a path, relative to its root, is left out; none when it is not.
    pub(crate) fn left_out(&self, path: &Path) -> Option<String> {
        if self.exclude.is_match(path) {
            return Some("left out by --exclude".to_owned());
        }
        self.ignore.left_out(path)
    }

    /// Whether any path may be left out.
    pub(crate) fn leaves_out(&self) -> bool {
        !self.exclude.is_empty() || !self.ignore.is_empty()
    }

    /// The options with what the root of a target says itself; patterns that are none are gaps.
    pub(crate) fn of_root(&self, root: &Path, container: &str, gaps: &mut Vec<Gap>) -> Self {
        if !self.heed_ignore_file {
            return self.clone();
        }
        let (ignore, wrong) = self.ignore.with_file_of(root);
        let gap =
            |line: String| Gap::new(container, format!("a pattern that is none: {line}"), None);
        gaps.extend(wrong.into_iter().map(gap));
        Self { ignore, ..self.clone() }
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
    /// Files and blobs that the user left out, by reason.
    pub skipped: BTreeMap<String, u64>,
}

impl Summary {
    pub(crate) fn skip(&mut self, reason: String) {
        let count = self.skipped.entry(reason).or_default();
        *count = count.saturating_add(1);
    }
}
