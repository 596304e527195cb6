//! A loopback-only, read-only replica of a blob storage account, for the demo, tests and benchmarks.
//!
//! The server speaks the reading half of the Blob service's REST interface (path-style, as
//! emulators do), verifies signatures, times and permissions for real, and holds contents whose
//! apparent size costs no memory. [`incident`] builds the account of the incident that lidless
//! exists for, the same bytes each time.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation))]

mod account;
mod auth;
mod blob;
mod contents;
mod fault;
pub mod incident;
mod listing;
mod random;
mod range;
mod refusal;
mod request;
mod response;
mod server;
mod service;
mod shared_key;
mod source;
mod xml;

pub use account::Account;
pub use blob::{Blob, Tier};
pub use contents::{Container, Contents, Policy};
pub use fault::{Fault, Plan};
pub use request::{ParseOutcome, Request, parse_request};
pub use server::Replica;
pub use source::{Fill, Source};
