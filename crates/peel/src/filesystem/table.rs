//! The table of file systems: a new one is one new file and one line here.

use super::cramfs::CramFs;
use super::exfat::ExFat;
use super::face::Format;
use super::fat::Fat;
use super::iso::Iso;
use super::romfs::RomFs;
use super::squashfs::SquashFs;
use super::udf::Udf;
use lidless_io::ReadAt;

/// Every file system that is read.
pub(crate) fn formats() -> Vec<Box<dyn Format>> {
    vec![
        Box::new(Udf),
        Box::new(Iso),
        Box::new(SquashFs),
        Box::new(CramFs),
        Box::new(RomFs),
        Box::new(ExFat),
        Box::new(Fat),
    ]
}

/// The file system of a volume, by its content; `head` is its first 72 KiB.
pub(crate) fn find(volume: &dyn ReadAt, head: &[u8]) -> Option<Box<dyn Format>> {
    formats().into_iter().find(|format| format.recognises(volume, head))
}
