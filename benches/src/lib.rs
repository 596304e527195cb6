//! What the benchmarks share.

mod measure;
mod scan;

pub use measure::{Measured, measured};
pub use scan::settings;
