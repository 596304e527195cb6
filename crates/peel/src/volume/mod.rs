//! What lies between a disk and its file systems: partition tables, volume managers, encryption.

mod apm;
mod bitlocker;
mod core_storage;
mod gpt;
mod luks;
mod lvm;
mod mbr;
mod md;
mod part;
mod peel;
mod table;
#[cfg(test)]
mod tests;
mod told;

pub(crate) use part::{Holder, Logical};
pub(crate) use peel::{Seen, Volumes, looks_like_a_disk};
#[cfg(test)]
pub(crate) use table::parts;
