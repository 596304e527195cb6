//! What lies between a disk and its file systems: partition tables, volume managers, encryption.

mod apm;
mod core_storage;
mod part;
mod peel;
mod table;

pub(crate) use part::{Holder, Logical};
pub(crate) use peel::{Seen, Volumes, looks_like_a_disk};
