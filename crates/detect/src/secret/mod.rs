//! Secrets in text: tokens by their formats, private keys, and passwords by what they are called.

#[cfg(test)]
mod calibration;
mod checksum;
mod decode;
mod decoded;
mod detector;
mod engine;
mod examine;
mod gate;
mod key;
mod memory;
mod own;
mod placeholder;
mod published;
mod rule;
mod search;
mod shorthand;
mod start;
mod structure;
mod verifiable;
mod verify;

pub use checksum::Checksum;
pub(crate) use detector::SecretDetector;
pub use examine::{Examination, examine_secret_rules, secret_span};
pub(crate) use key::{describe as describe_key, kind_of as key_kind, read_bytes as read_keys};
pub use own::{Draft, RuleSet, RulesError, RulesFile, Verdict, read_rules, write_rules};
pub use rule::{Rule, secret_rules};
pub use search::SecretSearch;
pub use verifiable::Verifiable;
pub use verify::{Answer, Asking, Judged, Pair, Sign, Verify};
