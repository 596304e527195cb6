//! SQLite databases, read page by page (sqlite.org, "Database File Format").
//!
//! No query is parsed or run: tables are found in the schema, their rows walked or counted in
//! their b-trees. A write-ahead log that lies beside the file is applied as far as its checksums
//! hold; free pages are never looked at.
//!
//! | offset | size | field of the header |
//! | --- | --- | --- |
//! | 0 | 16 | `SQLite format 3` and a zero byte |
//! | 16 | 2 | page size; 1 means 65,536 |
//! | 20 | 1 | bytes kept free at the end of every page |
//! | 28 | 4 | pages of the database |
//! | 56 | 4 | text: 1 UTF-8, 2 UTF-16LE, 3 UTF-16BE |
//! | 100 | | the first page of the schema |

mod columns;
mod database;
mod header;
mod page;
mod pager;
mod record;
mod tree;
mod wal;

pub use database::{Database, Table};
pub use record::Value;
pub use tree::Row;
