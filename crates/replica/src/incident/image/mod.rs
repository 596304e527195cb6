//! Images of disks as backups hold them: file systems with files, partitions, containers.

mod block;
mod build;
mod disk;
mod ext4;
mod file;
mod hive;
mod ntfs;
mod sqlite;
mod vmdk;

pub(super) use build::{linux_vmdk, windows_vhd, windows_vhdx};
pub(super) use file::File;
pub(super) use hive::{Key, Value};
pub(super) use sqlite::{Cell, Table, database};
