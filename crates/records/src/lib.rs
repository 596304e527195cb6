//! Stores of records that applications keep, read at offsets and never changed: what peelers
//! open and what detectors count rows of. One folder or file a format.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation))]

mod cfb;
mod dpapi;
mod error;
mod ese;
pub mod hive;
mod keepass;
pub mod leveldb;
mod lzfu;
mod plist;
mod pst;
pub mod sqlite;
mod v8;

pub use cfb::{CompoundFile, Stored, StoredKind};
pub use dpapi::{DpapiMasterKey, dpapi_blob_key, dpapi_master_key};
pub use error::RecordError;
pub use ese::{EseTables, ese_tables, is_ese};
pub use keepass::{KeepassHeader, keepass_header};
pub use lzfu::decompress_rtf;
pub use plist::{Plist, property_list};
pub use pst::{Attached, Folder, Listed, Message, PstFile, Recipient};
pub use v8::{Field, Fields, Walked, v8_objects};
