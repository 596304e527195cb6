//! Read-only clients of storage services. Every request asks the scope first; there is no verb
//! but GET and HEAD.
#![cfg_attr(
    test,
    allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation)
)]

mod store;

pub use store::{ListPage, ListRequest, Probe, StorageError, StorageErrorKind, Store};
