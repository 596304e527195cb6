//! Detectors: what is found in content.
//!
//! A detector says what it wants of an entry before a byte is read, then looks at what it was
//! given and says what it found. Nothing here opens, follows or runs anything.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation))]

mod backup;
mod browser;
mod credential_file;
mod detector;
mod head;
mod message;
pub mod model;
mod names;
mod pattern;
mod personal;
mod secret;
mod table;
mod workstation;

pub use detector::{Context, Detector, Output, View, Want};
pub use head::Head;
pub use secret::{
    Answer, Asking, Checksum, Draft, Examination, Judged, Pair, Rule as SecretRule, RuleSet,
    RulesError, RulesFile, SecretSearch, Sign, Verdict, Verifiable, Verify, examine_secret_rules,
    read_rules, secret_rules, secret_span, write_rules,
};
pub use table::{Detectors, Wants};
