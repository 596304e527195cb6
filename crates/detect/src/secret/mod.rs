//! Secrets in text: tokens by their formats, private keys, and passwords by what they are called.

mod checksum;
mod detector;
mod engine;
mod examine;
mod gate;
mod own;
mod password;
mod placeholder;
mod rule;
mod search;
mod shorthand;
mod start;
#[cfg(test)]
mod survey;

pub use checksum::Checksum;
pub(crate) use detector::SecretDetector;
pub use examine::{Examination, examine_secret_rules, secret_span};
pub use own::{Draft, RuleSet, RulesError, RulesFile, Verdict, read_rules, write_rules};
pub use rule::{Rule, secret_rules};
pub use search::SecretSearch;
