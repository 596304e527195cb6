//! ext2, ext3 and ext4: inode tables and directories in the order of the disk.

mod content;
mod directory;
mod files;
mod inode;
mod journal;
mod map;
mod superblock;
mod sweep;

pub(crate) use files::Ext;
