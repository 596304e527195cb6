//! XFS: inode B-trees, inodes and directories in the order of the disk.

mod directory;
mod files;
mod inode;
mod inodes;
mod log;
mod map;
mod superblock;
mod sweep;

pub(crate) use files::Xfs;
