//! The pipeline: the only place that knows all stages.
//!
//! Open, list, inspect, judge: every step writes what it learned into the case before the next
//! one starts, so that a stop at any moment loses at most work that is done again.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation))]

mod allow;
mod answers;
mod assemble;
mod baseline;
mod beside;
mod board;
mod book;
mod check;
mod decisions;
mod echo;
mod error;
mod estimate;
mod expect;
mod follow;
mod gitleaks;
mod inspector;
mod inventory;
mod inventory_place;
mod left_out;
mod listing;
mod local;
mod metadata;
mod metered;
mod objects;
mod observe;
mod order;
mod progress;
mod questions;
mod queue;
mod rights;
mod scan;
mod settings;
mod split;
mod stored_inventory;
mod suppress;
mod target;
mod trail;
mod verify;
mod versions;

pub use assemble::assemble;
pub use baseline::write_baseline;
pub use baseline::{Baseline, BaselineEntry, NewEntries};
pub use check::{Closure, check};
pub use decisions::{Decisions, Markers};
pub use error::EngineError;
pub use estimate::estimate;
pub use gitleaks::{Allowed, gitleaks_baseline, gitleaks_ignore, gitleaks_paths};
pub use inventory_place::InventoryPlace;
pub use lidless_detect::model::AllowedImports;
pub use lidless_discover::GitOptions;
pub use lidless_inventory::{Inventory, InventoryError};
pub use observe::{SeenObject, StoreView, names_a_model, observe, observe_folder};
pub use progress::{Progress, Snapshot};
pub use scan::{list, scan};
pub use settings::ScanSettings;
pub use target::Target;
pub use verify::VerifySettings;
