//! Why a chain gives nothing.

/// Why no credentials could be taken from a chain. Holds nothing secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// Nothing was found anywhere.
    #[error("no {cloud} credentials were found; looked at {looked}")]
    Nothing {
        /// `AWS`, `Google Cloud`.
        cloud: &'static str,
        /// Where, in words.
        looked: String,
    },
    /// A profile that is not there.
    #[error("there is no profile {profile} in {looked}")]
    NoProfile {
        /// Its name.
        profile: String,
        /// In which files.
        looked: String,
    },
    /// Something was found that this program does not use.
    #[error("{found} uses {what}, which lidless does not do: {instead}")]
    NotUsed {
        /// Where it stands.
        found: String,
        /// `role_arn`, `credential_process`, ...
        what: String,
        /// What to do.
        instead: &'static str,
    },
    /// A file that cannot be read or does not parse.
    #[error("cannot read {path}: {why}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why, in words.
        why: String,
    },
}
