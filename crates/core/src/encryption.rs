//! How an object is encrypted at rest.

use serde::{Deserialize, Serialize};

/// Whose key an object is encrypted with at rest, as the service or an inventory tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encryption {
    /// Not encrypted.
    None,
    /// With keys of the service, which nobody sees: the usual.
    Service,
    /// With a key that the owner keeps in the cloud's key service (SSE-KMS, Cloud KMS): whoever may
    /// read the object may have to be allowed to use the key, too.
    Managed,
    /// In an encryption scope of an Azure account, with a key of its own.
    Scope,
    /// With a key that its owner keeps and sends along with each request (SSE-C, customer-provided
    /// and customer-supplied keys): nobody else reads it, whatever they are granted.
    CustomerKey,
}

impl Encryption {
    /// The word used in every format.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Service => "service",
            Self::Managed => "managed",
            Self::Scope => "scope",
            Self::CustomerKey => "customer_key",
        }
    }

    /// Reads what [`Encryption::as_str`] wrote.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::None, Self::Service, Self::Managed, Self::Scope, Self::CustomerKey]
            .into_iter()
            .find(|one| one.as_str() == word)
    }

    /// Why it cannot be read, in words; none when it can be tried.
    #[must_use]
    pub fn unreadable(self) -> Option<&'static str> {
        (self == Self::CustomerKey).then_some("encrypted with a key that only its owner has")
    }
}
