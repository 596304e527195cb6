//! Secrets in text: tokens by their formats, private keys, and passwords by what they are called.

mod checksum;
mod detector;
mod engine;
mod examine;
mod gate;
mod placeholder;
mod rule;
mod structure;
#[cfg(test)]
mod survey;

pub use checksum::Checksum;
pub(crate) use detector::SecretDetector;
pub use examine::{Examination, examine_secret_rules, secret_span};
pub use rule::{Rule, secret_rules};
