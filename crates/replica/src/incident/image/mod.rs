//! Images of disks as backups hold them: file systems with files, partitions, containers.

mod block;
mod build;
mod disk;
mod ext4;
mod file;
mod hive;
mod leveldb;
mod ntfs;
mod pst;
mod sqlite;
mod vmdk;

pub(super) use build::{linux_vmdk, windows_vhd, windows_vhdx};
pub(super) use file::File;
pub(super) use hive::{Key, Value};
pub(super) use leveldb::{Message, database as leveldb};
pub(super) use pst::{Mail, store as pst};
pub(super) use sqlite::{Cell, Table, database};
