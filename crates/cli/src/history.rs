//! Which part of a git history is asked for.

use clap::Args;
use lidless_core::Timestamp;
use lidless_engine::GitOptions;
use serde::{Deserialize, Serialize};

/// Which part of a git history is asked for; with any but --unreachable, the work tree is left
/// out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args, Serialize, Deserialize)]
#[command(next_help_heading = "Git histories")]
pub(crate) struct HistoryArguments {
    /// Only commits that B reaches and A does not; an end left out is HEAD
    #[arg(long, value_name = "A..B", conflicts_with_all = ["since_commit", "branch", "unreachable", "no_history"])]
    pub(crate) range: Option<String>,
    /// Only what is new after a revision, for a run after each fetch
    #[arg(long, value_name = "REV", conflicts_with_all = ["unreachable", "no_history"])]
    pub(crate) since_commit: Option<String>,
    /// Only what this reference reaches
    #[arg(long, value_name = "REF", conflicts_with_all = ["unreachable", "no_history"])]
    pub(crate) branch: Option<String>,
    /// Only commits from this day or time on: 2024-01-31, 2024-01-31T12:00:00Z
    #[arg(long, value_name = "DATE", value_parser = time, conflicts_with_all = ["unreachable", "no_history"])]
    pub(crate) since: Option<Timestamp>,
    /// Also what no reference reaches: dropped stashes, reflogs, dangling objects
    #[arg(long, conflicts_with = "no_history")]
    pub(crate) unreachable: bool,
}

impl HistoryArguments {
    /// What the walk understands.
    pub(crate) fn options(&self) -> GitOptions {
        GitOptions {
            range: self.range.clone(),
            since_commit: self.since_commit.clone(),
            branch: self.branch.clone(),
            since: self.since,
            unreachable: self.unreachable,
        }
    }
}

/// Reads a day, which begins at midnight UTC, or a time.
fn time(word: &str) -> Result<Timestamp, String> {
    word.parse()
        .or_else(|_| format!("{word}T00:00:00Z").parse())
        .map_err(|_| "give a day like 2024-01-31 or a time like 2024-01-31T12:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_understood() {
        assert_eq!(time("2024-01-31"), time("2024-01-31T00:00:00Z"));
        assert!(time("yesterday").is_err());
    }
}
