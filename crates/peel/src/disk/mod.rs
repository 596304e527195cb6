//! Disk images: what a machine's disk is kept in.

mod image;
mod peel;
mod raw;
mod table;
mod track;

pub(crate) use peel::DiskImage;
pub(crate) use table::images;
