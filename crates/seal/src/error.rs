//! What can go wrong with a seal.

/// Why a seal cannot be made or read. Never holds a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// No key of a curve that the format knows.
    #[error("the key is no ECDSA key on P-256 or P-384 in PEM, or it is encrypted")]
    Key,
    /// Not a bundle, or not one of this format.
    #[error("the seal is not an OpenSSF model signature: {0}")]
    Format(&'static str),
    /// The signature does not fit key and content.
    #[error("the signature of the seal was not made by this key, or the seal was changed")]
    Signature,
    /// The digests of the files do not add up to the digest that was signed.
    #[error("the seal contradicts itself: its files do not hash to the digest it names")]
    Inconsistent,
    /// A way of hashing that is not known.
    #[error("the seal was made with {0}, which lidless does not compute")]
    Method(String),
    /// Reading failed.
    #[error("cannot read {path}: {why}")]
    Read {
        /// What was read.
        path: String,
        /// What the system said.
        why: String,
    },
}
