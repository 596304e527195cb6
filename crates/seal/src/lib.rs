//! Records what models and objects are, signed with a key that the user gives, and says later what
//! changed, appeared or vanished.
//!
//! The record is an OpenSSF Model Signing v1.0 manifest in a Sigstore bundle, key mode, so that
//! other tools verify what lidless made and the other way round.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation))]

mod bundle;
mod compare;
mod digest;
mod error;
mod ignored;
mod key;
mod manifest;

pub use bundle::{open, sign};
pub use compare::{Change, ChangeKind, Depth, Present, compare};
pub use digest::{Algorithm, Digests, digest};
pub use error::SealError;
pub use ignored::{is_left_out, left_out};
pub use key::{SigningKey, VerifyingKey};
pub use manifest::{Manifest, Observed, Resource};
