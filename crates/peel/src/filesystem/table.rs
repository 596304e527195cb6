//! The table of file systems: a new one is one new file and one line here.

use super::apfs::Apfs;
use super::btrfs::Btrfs;
use super::cramfs::CramFs;
use super::exfat::ExFat;
use super::ext::Ext;
use super::face::Format;
use super::fat::Fat;
use super::hfs::Hfs;
use super::iso::Iso;
use super::ntfs::Ntfs;
use super::romfs::RomFs;
use super::squashfs::SquashFs;
use super::told::told;
use super::udf::Udf;
use super::xfs::Xfs;
use lidless_io::ReadAt;

/// Every file system that is read. UDF stands before ISO 9660, which discs with both hold beside
/// it; FAT comes late, because it has the weakest marks.
pub(crate) fn formats() -> Vec<Box<dyn Format>> {
    let mut row: Vec<Box<dyn Format>> = vec![
        Box::new(Ntfs),
        Box::new(Ext::Four),
        Box::new(Ext::Three),
        Box::new(Ext::Two),
        Box::new(Xfs),
        Box::new(Btrfs),
        Box::new(Udf),
        Box::new(Iso),
        Box::new(Hfs),
        Box::new(Apfs),
        Box::new(SquashFs),
        Box::new(CramFs),
        Box::new(RomFs),
        Box::new(ExFat),
        Box::new(Fat),
    ];
    row.extend(told());
    row
}

/// The file system of a volume, by its content; `head` is its first 72 KiB.
pub(crate) fn find(volume: &dyn ReadAt, head: &[u8]) -> Option<Box<dyn Format>> {
    formats().into_iter().find(|format| format.recognises(volume, head))
}
