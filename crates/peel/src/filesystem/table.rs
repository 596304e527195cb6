//! The table of file systems: a new one is one new file and one line here.

use super::apfs::Apfs;
use super::face::Format;
use super::hfs::Hfs;
use lidless_io::ReadAt;

/// Every file system that is read.
pub(crate) fn formats() -> Vec<Box<dyn Format>> {
    vec![Box::new(Hfs), Box::new(Apfs)]
}

/// The file system of a volume, by its content; `head` is its first 72 KiB.
pub(crate) fn find(volume: &dyn ReadAt, head: &[u8]) -> Option<Box<dyn Format>> {
    formats().into_iter().find(|format| format.recognises(volume, head))
}
