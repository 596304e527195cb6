//! Compound files (OLE2, MS-CFB): a small file system inside a file, in which Office of before
//! 2007, Outlook messages, installers and macros are kept.

mod directory;
mod file;
mod header;

pub use directory::{Stored, StoredKind};
pub use file::CompoundFile;
