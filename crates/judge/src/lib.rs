//! Severity, blast radius and the response plan: arithmetic that anyone can follow.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation))]

mod exit;
mod exposure;
mod plan;
mod score;
mod workstation;

pub use exit::{FailOn, exit_code};
pub use exposure::{Behind, judge};
pub use plan::{Plan, Step, plan};
pub use score::score;
pub use workstation::workstations;
