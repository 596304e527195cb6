//! What the user decided to leave out, and whose word counts.

use crate::baseline::Baseline;
use crate::gitleaks::Allowed;
use lidless_discover::IgnoreRules;

/// Whose markers in content are heeded. Only content of files and histories that lie on this
/// machine and that the user named is ever asked: what lies in a store, in an archive or in a
/// repository elsewhere was written by strangers, who would allow themselves everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Markers {
    /// Nobody's.
    #[default]
    None,
    /// `lidless:allow` with a reason, and `.lidlessignore`.
    Own,
    /// Those, and the markers and ignore files of other tools, which give no reasons.
    Foreign,
}

/// What the user decided to leave out.
#[derive(Debug, Clone, Default)]
pub struct Decisions {
    /// Whose markers in content are heeded.
    pub markers: Markers,
    /// Paths to leave out, of every target on this machine.
    pub ignore: IgnoreRules,
    /// Findings that are known and accepted for a time.
    pub baseline: Option<Baseline>,
    /// What another tool was told to allow.
    pub gitleaks: Vec<Allowed>,
}
