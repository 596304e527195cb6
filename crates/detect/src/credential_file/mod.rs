//! Files that hold credentials, by place and content.

mod detector;
mod header;
mod key_file;
mod kind;

pub(crate) use detector::CredentialFileDetector;
