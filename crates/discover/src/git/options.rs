//! Which part of a history is read.

use lidless_core::Timestamp;

/// Which part of a history is read; by default all that references reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GitOptions {
    /// `A..B`: what B reaches and A does not; either end may be left out, which is HEAD.
    pub range: Option<String>,
    /// What is reached by references and not by this revision, for incremental runs.
    pub since_commit: Option<String>,
    /// Only what this reference reaches.
    pub branch: Option<String>,
    /// Only commits from this time on.
    pub since: Option<Timestamp>,
    /// Also what no reference reaches: reflogs, dangling commits, any object that lies there.
    pub unreachable: bool,
}

impl GitOptions {
    /// Whether only some commits were asked for: the work tree is then no part of it.
    #[must_use]
    pub fn is_part(&self) -> bool {
        self.range.is_some()
            || self.since_commit.is_some()
            || self.branch.is_some()
            || self.since.is_some()
    }
}
