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
mod record;
mod snappy;
mod table;
mod varint;

pub use batch::read_log;
pub use manifest::{LiveFiles, current_manifest, live_files};
pub use record::{Extent, Record};
pub use snappy::unsnap;
pub use table::{is_table, read_table};
