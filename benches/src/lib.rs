//! What the benchmarks share.

mod measure;
mod scan;

pub use measure::{Measured, cpu_seconds, measured};
pub use scan::settings;
