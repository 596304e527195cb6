//! Read-only clients of storage services. Every request asks the scope first; there is no verb
//! but GET and HEAD.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation))]

mod allowance;
mod azure;
pub mod chain;
mod client;
mod content;
mod encryption;
mod gcs;
mod http;
mod identity;
mod interview;
mod local;
mod open;
mod pace;
mod retry;
mod s3;
mod signature_v4;
mod store;
mod trail;
mod url;
mod xml;

pub use allowance::{Allowance, Spent};
pub use client::{Client, ClientSettings};
pub use gcs::rights_of_gcs_policy;
pub use http::{Index, IndexEntry};
pub use identity::{IDENTITY_BYTES, IdentityAnswer, IdentityCall, SigningKey, issuer_at};
pub use local::open_folder;
pub use open::{Endpoints, open, touch};
pub use pace::Throttled;
pub use store::{
    ListPage, ListRequest, Probe, Seek, Seeking, StorageError, StorageErrorKind, Store,
};
pub use trail::Trail;
