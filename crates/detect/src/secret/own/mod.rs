//! Rules of the user's own: files of ours, of gitleaks, and of Nosey Parker and Kingfisher.
//!
//! A file of rules is as hostile as any other: its size, the depth of its patterns, what they
//! compile to and how often it refers to itself are bounded.

mod allow;
mod draft;
mod file;
mod gitleaks;
mod kingfisher;
mod literals;
mod pattern;
mod set;

pub(crate) use pattern::{COMPILED, syntax};

pub use draft::{Draft, Verdict};
pub use file::{RulesError, RulesFile, read_rules, write_rules};
pub(crate) use set::Own;
pub use set::RuleSet;
