//! NTFS, versions 1.2 to 3.1, as the documentation of Linux-NTFS and MS-FSCC describe it.
//!
//! Everything is a file, and every file is a record of 1 or 4 KiB in the file `$MFT`, so a sweep
//! reads that one file in pieces of 4 MiB and knows every name, size and place, and the content
//! of small files. Known places are looked up through the indexes of their directories instead.

mod boot;
mod chunked;
mod compressed;
mod content;
mod fields;
mod file;
mod format;
mod index;
mod listing;
mod pack;
mod record;
mod runs;
mod sweep;
mod table;
mod volume;
mod walk;
mod wof;

pub(super) use format::Ntfs;
