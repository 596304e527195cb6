//! Model files: what loading them would do, worked out without loading them.

mod detector;
mod names;
mod numpy;
mod pickle;

pub use detector::ModelDetector;
pub use pickle::{Judgement, judge_pickle};
