//! What the benchmarks share.

mod measure;
mod scan;

pub use measure::{Child, Measured, child, cpu_seconds, measured};
pub use scan::{kingfisher, settings};
