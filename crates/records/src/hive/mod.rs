//! Registry hives (M. Suhanov, "Windows registry file format specification").
//!
//! Keys are looked up cell by cell, so that a hive of a hundred MiB costs a handful of blocks.
//!
//! | offset | size | field of the base block |
//! | --- | --- | --- |
//! | 0 | 4 | `regf` |
//! | 4 | 4, 4 | primary and secondary sequence number; unequal when a write was not finished |
//! | 12 | 8 | last written |
//! | 36 | 4 | offset of the root key's cell |
//! | 40 | 4 | length of the bins |
//! | 48 | 64 | end of the file's own path |
//! | 508 | 4 | checksum |
//! | 4096 | | bins: `hbin`, then cells; offsets of cells count from here |
//!
//! | offset | size | field of a key (after the cell's size) |
//! | --- | --- | --- |
//! | 0 | 2 | `nk` |
//! | 2 | 2 | flags: 0x20 the name is Latin-1 |
//! | 4 | 8 | last written |
//! | 20, 28 | 4 | number of subkeys, their list |
//! | 36, 40 | 4 | number of values, their list |
//! | 48, 74 | 4, 2 | class name, its length |
//! | 72, 76 | 2 | length of the name, the name |

mod base;
mod cells;
mod key;
mod log;
mod lookup;
mod marvin;
mod value;

pub use base::unix_seconds;
pub use key::Key;
pub use lookup::{Hive, HiveState};
pub use value::RegistryValue;
