//! Credentials for storage, offline: recognise, read, judge, verify, mint.
//!
//! Nothing here opens a connection. What a token declares is read off it; what it really does
//! only a probe can tell.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation))]

mod azure;
mod credential;
mod grant;
mod host;
mod key_pair;
mod keyring;
mod link;
mod mint;
mod notes;
mod operations;
mod own;
mod presigned;
mod presigned_signing;
mod problems;
mod query;
mod recognise;
mod reference;
mod replacement;
mod severity;
mod signing;
mod time;

pub use azure::{AzureKey, AzureSas, SasKind};
pub use credential::{Credential, Sighting};
pub use key_pair::KeyPair;
pub use keyring::{KeyRing, KeyRingError};
pub use link::Link;
pub use mint::{AccountSasParameters, ServiceSasParameters};
pub use own::Own;
pub use presigned::Presigned;
pub use recognise::{read, recognise, recognise_in};
pub use replacement::{Difference, MintError, Replacement, Wish, replacements};
pub use signing::{
    Disagreement, SignedValues, disagreements, hmac_base64, string_to_sign, string_to_sign_with,
    verify,
};
