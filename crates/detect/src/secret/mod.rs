//! Secrets in text: tokens by their formats, private keys, and passwords by what they are called.

mod checksum;
mod detector;
mod engine;
mod examine;
mod gate;
mod password;
mod placeholder;
mod rule;
#[cfg(test)]
mod survey;
mod verifiable;
mod verify;

pub use checksum::Checksum;
pub(crate) use detector::SecretDetector;
pub use examine::{Examination, examine_secret_rules, secret_span};
pub use rule::{Rule, secret_rules};
pub use verifiable::Verifiable;
pub use verify::{Answer, Asking, Judged, Pair, Sign, Verify};
