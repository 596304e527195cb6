//! The table of file systems: a new one is one new file and one line here.

use super::btrfs::Btrfs;
use super::ext::Ext;
use super::face::Format;
use super::told::told;
use super::xfs::Xfs;
use lidless_io::ReadAt;

/// Every file system that is read.
pub(crate) fn formats() -> Vec<Box<dyn Format>> {
    let mut row: Vec<Box<dyn Format>> = vec![
        Box::new(Ext::Four),
        Box::new(Ext::Three),
        Box::new(Ext::Two),
        Box::new(Xfs),
        Box::new(Btrfs),
    ];
    row.extend(told());
    row
}

/// The file system of a volume, by its content; `head` is its first 72 KiB.
pub(crate) fn find(volume: &dyn ReadAt, head: &[u8]) -> Option<Box<dyn Format>> {
    formats().into_iter().find(|format| format.recognises(volume, head))
}
