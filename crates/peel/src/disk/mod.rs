//! Disk images: what a machine's disk is kept in.

#[cfg(test)]
mod beside;
mod dmg;
mod ewf;
mod forensic;
mod image;
mod peel;
mod pieces;
mod raw;
mod table;

pub(crate) use peel::DiskImage;
pub(crate) use table::{hidden, images};
