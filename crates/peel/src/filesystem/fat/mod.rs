//! FAT12, FAT16 and FAT32: what sticks, cards and boot partitions hold.

mod boot;
mod chains;
mod directory;
mod files;
mod names;

pub(super) use chains::{Chains, Geometry, Run, Width};
pub(super) use files::Fat;
