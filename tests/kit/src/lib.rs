//! Builders and hostile-input suites shared by the tests.

mod azurite;
mod hostile;

pub use azurite::Azurite;
pub use hostile::cut_and_flip;
