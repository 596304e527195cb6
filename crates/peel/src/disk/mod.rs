//! Disk images: what a machine's disk is kept in.

#[cfg(test)]
mod beside;
mod crc32c;
mod dmg;
mod ewf;
mod fields;
mod forensic;
mod image;
mod mapped;
mod parallels;
mod parent;
mod peel;
mod qcow;
mod qed;
mod raw;
mod table;
#[cfg(test)]
mod tests;
mod told;
mod track;
mod vdi;
mod vhd;
mod vhdx;
mod vmdk;

pub(crate) use fields::{Fields, guid_text};
pub(crate) use peel::DiskImage;
pub(crate) use table::{hidden, images};
