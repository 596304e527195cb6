//! Bytes at an offset: the floor everything else stands on.
//!
//! [`ReadAt`] is positioned and batchable. Parsers are plain code over it: they never see a
//! network, a file descriptor or a decompressor.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation))]

mod apart;
mod budget;
mod cache;
mod counted;
mod cursor;
mod disk;
mod error;
mod extents;
mod file;
mod link;
mod memory;
mod merged;
pub mod number;
mod read_at;
mod reader;
mod spool;
pub mod utf16;
mod window;

pub use apart::Apart;
pub use budget::Budget;
pub use cache::BlockCache;
pub use counted::{Counted, Tally};
pub use cursor::{Cursor, CursorError};
pub use disk::{DiskBlocks, DiskCache};
pub use error::{ReadError, ReadErrorKind};
pub use extents::{Extent, Extents};
pub use file::FileBytes;
pub use link::Link;
pub use memory::{BorrowedBytes, MemoryBytes};
pub use merged::{read_each, read_merged};
pub use read_at::{ReadAt, read_exact_vec, read_vec};
pub use reader::SequentialReader;
pub use spool::{Spool, SpoolError, SpooledBytes};
pub use window::Window;
