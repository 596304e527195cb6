//! Model files: what loading them would do, worked out without loading them.

mod danger;
mod detector;
mod format;
mod formats;
mod forward;
mod found;
mod jinja;
mod keras;
mod names;
mod pickle;
mod protobuf;
mod table;
mod targets;

pub use detector::ModelDetector;
pub use names::{AllowedImports, AllowedImportsError};
pub use pickle::{Judgement, judge_pickle};
