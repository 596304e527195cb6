//! Builders and hostile-input suites shared by the tests.

mod hostile;

pub use hostile::cut_and_flip;
