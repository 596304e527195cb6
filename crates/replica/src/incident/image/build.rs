//! Whole images: a disk with its partitions and files, in its container.

use super::block::{count, whole};
use super::disk::{LINUX, Partition, RESERVED, WINDOWS, disk, vhd, vhdx};
use super::file::{File, Pieces};
use super::vmdk::vmdk;
use super::{ext4, ntfs};
use crate::source::Source;

const MIB: u64 = 1 << 20;

/// A Windows disk: a reserved partition and one with files.
fn windows(size: u64, name: &str, label: &str, files: &[File]) -> Pieces {
    let start = 17 * MIB;
    // The end of the disk belongs to the second partition table.
    let length = whole(size.saturating_sub(start).saturating_sub(2 * MIB), MIB);
    let volume = ntfs::volume(length, label, files);
    let partitions = vec![
        Partition {
            kind: RESERVED,
            start: MIB,
            length: 16 * MIB,
            name: "Microsoft reserved partition",
            pieces: Pieces::new(),
        },
        Partition { kind: WINDOWS, start, length, name: "Basic data partition", pieces: volume },
    ];
    disk(size, name, partitions)
}

/// A VHDX whose disk has `size` bytes (rounded up to 32 MiB).
pub(in super::super) fn windows_vhdx(size: u64, name: &str, label: &str, files: &[File]) -> Source {
    let size = size.next_multiple_of(32 * MIB);
    let (length, pieces) = vhdx(size, name, windows(size, name, label, files));
    Source::sparse(length, pieces)
}

/// A fixed VHD of `size` bytes, as Azure keeps the disks of machines.
pub(in super::super) fn windows_vhd(size: u64, name: &str, label: &str, files: &[File]) -> Source {
    let size = whole(size, MIB);
    Source::sparse(
        size.saturating_add(512),
        vhd(size.saturating_add(512), name, windows(size, name, label, files)),
    )
}

/// A sparse VMDK whose disk has `size` bytes (at most 4 TiB), with one Linux partition.
pub(in super::super) fn linux_vmdk(size: u64, name: &str, label: &str, files: &[File]) -> Source {
    let start = MIB;
    let length = whole(size.saturating_sub(start).saturating_sub(2 * MIB), MIB);
    let pieces = ext4::volume(length, label, files);
    let partitions =
        vec![Partition { kind: LINUX, start, length, name: "Linux filesystem", pieces }];
    let image = vmdk(size, name, &disk(size, name, partitions));
    let length = count(image.len());
    Source::sparse(length, vec![(0, image.into())])
}
