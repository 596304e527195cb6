//! What the user should know of a run: decisions that were meant to leave something out, and
//! services that asked for patience.

use serde::{Deserialize, Serialize};

/// What a remark is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemarkKind {
    /// A `lidless:allow` that gives no reason, so that it allows nothing.
    AllowWithoutReason,
    /// A marker of another tool beside a finding, not heeded without being asked to.
    ForeignAllow,
    /// An entry of a baseline whose time is over, so that it suppresses nothing.
    BaselineExpired,
    /// An entry of a baseline that nothing matches any more.
    BaselineStale,
    /// What a run that ended by its budget would have looked into next.
    WouldBeNext,
    /// A service that asked to be asked more slowly.
    Throttled,
}

impl RemarkKind {
    /// What happened, in words for one or many.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::AllowWithoutReason => "lidless:allow without a reason, which allows nothing",
            Self::ForeignAllow => {
                "marker of another tool beside a finding (--honor-foreign-allows heeds them)"
            }
            Self::BaselineExpired => "entry of the baseline has expired and suppresses nothing",
            Self::BaselineStale => "entry of the baseline matches nothing any more",
            Self::WouldBeNext => "object that would be looked into next (--resume goes on)",
            Self::Throttled => "service asked to slow down, and was obeyed",
        }
    }
}

/// One remark. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Remark {
    /// What it is about.
    pub kind: RemarkKind,
    /// The place, as a URI or as the baseline names it.
    pub location: String,
    /// More about it, in words.
    pub message: String,
}
