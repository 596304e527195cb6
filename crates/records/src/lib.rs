//! Stores of records that applications keep, read at offsets and never changed: what peelers
//! open and what detectors count rows of. One folder or file a format.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation))]

mod at;
mod cfb;
mod error;
mod lzfu;
mod pst;

pub use at::{u16_at, u32_at, u64_at, utf16};
pub use cfb::{CompoundFile, Stored, StoredKind};
pub use error::RecordError;
pub use lzfu::decompress_rtf;
pub use pst::{Attached, Folder, Listed, Message, PstFile, Recipient};
