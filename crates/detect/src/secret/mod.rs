//! Secrets in text: tokens by their formats, private keys, and passwords by what they are called.

mod detector;
mod engine;
mod password;
mod placeholder;

pub(crate) use detector::SecretDetector;
