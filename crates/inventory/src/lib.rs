//! Inventory reports of stores, read in place of a listing, and a case's objects as Parquet.
//!
//! Azure Blob Inventory, S3 Inventory and the inventory reports of Google Cloud Storage are a
//! manifest and data files that it names, as CSV or Parquet. Rows become objects; what the
//! manifest says of its files (how many rows, sizes, MD5) is checked, and what does not agree is
//! a gap. Memory does not grow with the number of rows.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation))]

mod cells;
mod checksum;
mod csv;
mod error;
mod files;
mod inventory;
mod manifest;
mod pages;
mod parquet;
mod row;
mod segment;
mod source;

pub use error::InventoryError;
pub use inventory::{Inventory, Told};
pub use manifest::{DataFile, Manifest, Origin};
pub use row::Row;
pub use segment::{SegmentError, SegmentRow, SegmentWriter};
pub use source::{InventoryFile, InventoryFiles, places_of};
