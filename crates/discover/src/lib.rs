//! Where content lies: files, folders and git histories on this machine, and repositories
//! elsewhere, cloned with the user's own git.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation))]

mod beside;
mod clone;
mod error;
mod folder;
mod found;
mod git;
mod ignore_rules;
mod source;

pub use error::DiscoverError;
pub use found::{DiscoverOptions, Found, Summary};
#[doc(hidden)]
pub use git::apply_delta;
pub use git::{GitOptions, GitOrigin};
pub use ignore_rules::{IGNORE_FILE, IgnoreRules};
pub use source::Source;
