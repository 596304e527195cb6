//! SquashFS: what installers, containers and devices keep their files in.

mod files;
mod inode;
mod packing;
mod superblock;
mod table;

pub(super) use files::SquashFs;
