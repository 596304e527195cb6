//! btrfs: the trees of files of all subvolumes, node by node in the order of the disk.

mod files;
mod item;
mod packed;
mod superblock;
mod sweep;
mod tree;

pub(crate) use files::Btrfs;
