//! Files that hold credentials, by place and content.

mod detector;

pub(crate) use detector::CredentialFileDetector;
