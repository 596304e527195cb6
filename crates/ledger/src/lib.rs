//! The case: everything known about one investigation, in one SQLite file.
//!
//! One writer, short transactions, write-ahead log: a stop at any moment loses at most work that
//! will be done again. No credential is ever written; a grant is named by its id.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation))]

mod blob_word;
mod case;
mod error;
mod export;
mod hold;
mod inspection;
mod inventory;
mod listing;
mod record;
mod rows;
mod suppressed;
mod trail;

pub use case::Case;
pub use error::LedgerError;
pub use export::StoredObject;
pub use inspection::{Inspection, PendingObject};
pub use inventory::{ContainerId, ContainerRow, ObjectId, Reach, SkippedRow};
pub use listing::{ListedPage, ListingMode, ListingTask, Oddities};
pub use trail::{TrailState, TrailWriter};
