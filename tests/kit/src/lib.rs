//! Builders and hostile-input suites shared by the tests.

mod azurite;
mod fixture;
mod hostile;

pub use azurite::Azurite;
pub use fixture::{files_below, fixture, tree};
pub use hostile::cut_and_flip;
