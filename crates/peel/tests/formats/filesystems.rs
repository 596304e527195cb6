//! Rows of file systems.

use crate::measure::{Expected, Holds, Row, Source, fixture, tree};
use Source::{Fixture, Made};

/// The tree, whose names a prototype file of XFS ends at a space.
fn without_spaces() -> Expected {
    tree(&[""]).into_iter().map(|(path, holds)| (path.replace(' ', "_"), holds)).collect()
}

/// XFS of which a file was deleted: no tool of Linux does that without mounting, so the head of
/// its entry is made the head of room, as the kernel leaves it.
fn deleted_in_xfs() -> Vec<u8> {
    let mut bytes = fixture("xfs/tiny.img");
    let entry = bytes.windows(6).position(|six| six == b"\x05file7").unwrap() - 8;
    bytes[entry..entry + 4].copy_from_slice(&[0xff, 0xff, 0, 24]);
    bytes
}

/// Rows whose samples all hold the tree.
fn whole(name: &'static str, samples: &[&'static str]) -> Row {
    samples.iter().fold(Row::on_disk(name), |row, sample| row.shows(sample, tree(&[""])))
}

const DELETED_EXT: [&str; 5] = [
    "many/file0007.txt",
    "many/file0100.txt",
    "Users/alice/.ssh/id_ed25519",
    "home/bob/.git-credentials",
    "Users/alice/Documents/a/b/c/d/e/f/deep.txt",
];

pub(crate) fn rows() -> Vec<Row> {
    let short = |path: &str, holds| (path.to_owned(), holds);
    vec![
        whole("NTFS", &["ntfs/usual.img", "ntfs/large.img"])
            .deleted(
                Fixture("ntfs/usual.img"),
                &["gone/inner.txt", "Documents/deleted key.txt", "Documents/deleted pieces.bin"],
            )
            .told(vec![Fixture("ntfs/usual.img")], "encrypted"),
        whole(
            "FAT12, FAT16, FAT32",
            &["fat/fat12.img", "fat/fat16.img", "fat/fat32.img", "fat/fat32-large.img"],
        )
        .deleted(
            Fixture("fat/deleted.img"),
            &[
                "Users/alice/.ssh/id_ed25519",
                "many/_ile0007.txt",
                "Users/alice/Documents/_otes.txt",
                "home/_ob/.git-credentials",
            ],
        ),
        whole("exFAT", &["exfat/contiguous.img", "exfat/chained.img", "exfat/large.img"]).deleted(
            Fixture("exfat/deleted.img"),
            &[
                "Users/alice/.ssh/id_ed25519",
                "Users/alice/Documents/notes.txt",
                "many/file0007.txt",
                "Users/alice/Pictures/noise.bin",
            ],
        ),
        whole("ext2", &["ext/ext2.img", "ext/plain.img", "ext/indexed.img"])
            .deleted(Fixture("ext/deleted_ext2.img"), &DELETED_EXT),
        whole("ext3", &["ext/ext3.img"]).deleted_untested(),
        whole(
            "ext4",
            &[
                "ext/ext4.img",
                "ext/small_blocks.img",
                "ext/inline.img",
                "ext/indirect.img",
                "ext/meta_bg.img",
                "ext/bigalloc.img",
                "ext/groups.img",
            ],
        )
        .deleted(Fixture("ext/deleted_ext4.img"), &DELETED_EXT)
        .told(vec![Fixture("ext/deleted_ext4.img")], "encrypted"),
        ["five", "four", "kinds", "small_blocks", "large_blocks", "many_extents"]
            .into_iter()
            .fold(Row::on_disk("XFS"), |row, name| {
                let path: &'static str = format!("xfs/{name}.img").leak();
                row.shows(path, without_spaces())
            })
            .deleted(Made("x.img", deleted_in_xfs()), &["folder/file7"]),
        whole(
            "btrfs",
            &[
                "btrfs/dup.img",
                "btrfs/single.img",
                "btrfs/mixed.img",
                "btrfs/large_nodes.img",
                "btrfs/shrunk.img",
            ],
        ),
        Row::on_disk("APFS")
            .shows("apfs/volume.img", tree(&["Sample data!/"]))
            .told(vec![Fixture("apfs/two.img")], "encrypted"),
        whole("HFS+, HFSX", &["hfsplus/volume.img", "hfsplus/wrapped.img"]),
        whole(
            "ISO 9660 (Rock Ridge, Joliet, zisofs)",
            &["iso/both.iso", "iso/rock-ridge.iso", "iso/zisofs.iso"],
        )
        .shows(
            "iso/plain.iso",
            vec![short(
                "USERS/ALICE/PICTURES/TEXT.LOG",
                Holds::Bytes(crate::measure::of_tree("Users/alice/Pictures/text.log")),
            )],
        ),
        whole(
            "UDF",
            &[
                "udf/v102.img",
                "udf/v201.img",
                "udf/strategy.img",
                "udf/spared.img",
                "udf/v250.img",
                "udf/sessions.img",
                "udf/sessions-old.img",
            ],
        )
        .deleted(Fixture("udf/v201.img"), &["gone.txt"]),
        whole(
            "SquashFS (gzip, xz, zstd, lz4, lzma, lzo)",
            &[
                "squashfs/gzip.sqsh",
                "squashfs/xz.sqsh",
                "squashfs/zstd.sqsh",
                "squashfs/lz4.sqsh",
                "squashfs/lzma.sqsh",
                "squashfs/lzo.sqsh",
                "squashfs/small.sqsh",
                "squashfs/large.sqsh",
                "squashfs/stored.sqsh",
            ],
        ),
        whole("cramfs", &["rom/cramfs.img", "rom/padded.img"]),
        whole("romfs", &["rom/romfs.img"]),
    ]
}
