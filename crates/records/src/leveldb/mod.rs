//! LevelDB databases, file by file (the LevelDB repository, `doc/table_format.md`,
//! `doc/log_format.md`): every record that is still in a file, superseded and deleted ones
//! included, in the order of the file. Comparators are never needed, since nothing is merged.
//!
//! | from the end of a table | size | field |
//! | --- | --- | --- |
//! | 48 | 40 | where the blocks of metadata and of the index lie, as varints |
//! | 8 | 8 | `57 fb 80 8b 24 75 47 db` |
//!
//! A block: records (shared length, own length, length of the value, own part of the key, value),
//! restart points, their number; then a byte for its compression and a checksum. Keys end with
//! the sequence number and whether it is a value.

mod batch;
mod log;
mod manifest;
mod snappy;
mod table;
mod varint;

pub use batch::read_log;
pub use manifest::{LiveFiles, current_manifest, live_files};
pub use snappy::unsnap;
pub use table::{is_table, read_table};

/// A record of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its key, without the sequence number.
    pub key: &'a [u8],
    /// Its value; empty when it was deleted.
    pub value: &'a [u8],
    /// Later writes have larger numbers.
    pub sequence: u64,
    /// It says that the key was deleted.
    pub is_deleted: bool,
}

/// How much of a file was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// Records handed out.
    pub records: u64,
    /// Blocks or batches that do not parse.
    pub broken: u64,
    /// Blocks in a compression that is not read here.
    pub unread: u64,
}
