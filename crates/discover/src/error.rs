//! Why a target cannot be read at all.

/// A target that cannot be read. Holds no credentials: URLs come without userinfo.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiscoverError {
    /// There is nothing there.
    #[error("{0}: no such file or folder")]
    NotFound(String),
    /// It is there and cannot be read.
    #[error("{path}: cannot be read: {reason}")]
    NotReadable {
        /// Which path.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// A repository that is broken as a whole.
    #[error("{path}: the git repository cannot be read: {reason}")]
    Repository {
        /// Which path.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// `git clone` failed.
    #[error("{url}: git could not clone it: {reason}")]
    Clone {
        /// The URL, without userinfo and query.
        url: String,
        /// The last thing git said.
        reason: String,
    },
}
