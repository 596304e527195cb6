//! Disk images: what a machine's disk is kept in.

mod fields;
mod image;
mod peel;
mod raw;
mod table;

pub(crate) use fields::{Fields, guid_text};
pub(crate) use peel::DiskImage;
pub(crate) use table::images;
