//! Builders and hostile-input suites shared by the tests.

mod azurite;
mod fixture;
mod hostile;
mod port;
mod radosgw;
mod s3_sign;
mod web;

pub use azurite::Azurite;
pub use fixture::{files_below, fixture, tree};
pub use hostile::cut_and_flip;
pub use port::Port;
pub use radosgw::{Radosgw, S3User};
pub use web::{WebKind, WebServer};
