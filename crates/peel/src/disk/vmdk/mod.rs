//! VMDK, the disks of VMware (Virtual Disk Format 5.0): one file or many, flat or sparse, packed
//! for transport, snapshots.
//!
//! A descriptor, a text, names the extents that the disk consists of; it stands in a file of its
//! own or inside the one sparse extent.

mod descriptor;
mod image;
mod map;
mod sparse;

pub(super) use image::Vmdk;
