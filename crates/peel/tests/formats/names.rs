//! What is told by its name and not read: each by the bytes that its format begins with.

use crate::suite::{open, open_fixture};
use std::collections::BTreeSet;

/// A name, a file name, and bytes at offsets.
type Told = (&'static str, &'static str, &'static [(usize, &'static [u8])]);

const BCACHE: &[u8] = &[
    0xc6, 0x85, 0x73, 0xf6, 0x4e, 0x1a, 0x45, 0xca, 0x82, 0x65, 0xf5, 0x7f, 0x48, 0xba, 0x6d, 0x81,
];
const BCACHEFS: &[u8] = &[
    0xc6, 0x85, 0x73, 0xf6, 0x66, 0xce, 0x90, 0xa9, 0xd9, 0x6a, 0x60, 0xcf, 0x80, 0x3d, 0xf7, 0xef,
];
const ONE_NOTE: &[u8] = &[
    0xe4, 0x52, 0x5c, 0x7b, 0x8c, 0xd8, 0xa7, 0x4d, 0xae, 0xb1, 0x53, 0x78, 0xd0, 0x29, 0x96, 0xd3,
];
/// A member of an array of level 5 (linux/raid/md_p.h, version 1.1).
const RAID: &[(usize, &[u8])] =
    &[(0, &[0xfc, 0x4e, 0x2b, 0xa9, 1, 0, 0, 0]), (72, &[5, 0, 0, 0]), (92, &[3, 0, 0, 0])];
/// The first member of an AFF4 volume.
const AFF4: &[(usize, &[u8])] = &[
    (0, b"PK\x03\x04"),
    (26, &[21, 0]),
    (30, b"container.description"),
    (51, b"aff4://00000000-0000-0000-0000-000000000000"),
];

const ALL: [Told; 46] = [
    // Disk images.
    ("Ex01 (EnCase 7)", "x.Ex01", &[(0, b"EVF2\x0d\x0a\x81\x00")]),
    ("L01 (EnCase)", "x.L01", &[(0, b"LVF\x09\x0d\x0a\xff\x00")]),
    ("Lx01 (EnCase 7)", "x.Lx01", &[(0, b"LEF2\x0d\x0a\x81\x00")]),
    ("AD1 (FTK)", "x.ad1", &[(0, b"ADSEGMENTEDFILE\0")]),
    ("AD encryption (FTK)", "x.E01", &[(0, b"ADCRYPT\0")]),
    ("AFF", "x.aff", &[(0, b"AFF10\x0d\x0a\0")]),
    ("AFF4", "x.aff4", AFF4),
    ("QCOW of version 1", "x.qcow", &[(0, b"QFI\xfb\0\0\0\x01")]),
    ("Proxmox VMA", "x.vma", &[(0, b"VMA\0\0\0\0\x01")]),
    ("Bochs disk", "x.img", &[(0, b"Bochs Virtual HD Image")]),
    ("cloop", "x.cloop", &[(0, b"#!/bin/sh\n#V2.0 Format")]),
    // What lies on a partition.
    ("Linux swap", "x.img", &[(4086, b"SWAPSPACE2")]),
    ("Linux swap, hibernated", "x.img", &[(4086, b"S1SUSPEND")]),
    ("Linux RAID, other levels", "x.img", RAID),
    ("Core Storage (FileVault, Fusion)", "x.img", &[(8, &[1, 0, 0x10, 0]), (88, b"CS")]),
    ("Storage Spaces", "x.img", &[(4096, b"SPACEDB ")]),
    ("Windows dynamic disk", "x.img", &[(3072, b"PRIVHEAD")]),
    (
        "ZFS",
        "x.img",
        &[(16384, &[1, 1, 0, 0]), (16404, b"\0\0\0\x07version\0"), (16500, b"pool_guid")],
    ),
    ("bcache", "x.img", &[(4120, BCACHE)]),
    ("Ceph", "x.img", &[(0, b"bluestore block device\n")]),
    ("VDO", "x.img", &[(0, b"dmvdo001")]),
    ("Stratis", "x.img", &[(516, b"!Stra0tis\x86\xff\x02^\x41rh")]),
    // File systems.
    ("ReFS", "x.img", &[(3, b"ReFS\0\0\0\0")]),
    ("HFS before HFS+", "x.img", &[(1024, b"BD"), (1044, &[0, 0, 2, 0])]),
    ("ReiserFS", "x.img", &[(65588, b"ReIsEr2Fs")]),
    ("Reiser4", "x.img", &[(65536, b"ReIsEr4")]),
    ("JFS", "x.img", &[(32768, b"JFS1")]),
    ("F2FS", "x.img", &[(1024, b"\x10\x20\xf5\xf2")]),
    ("NILFS2", "x.img", &[(1024, b"\x02\0\0\0\0\0\x34\x34")]),
    ("EROFS", "x.img", &[(1024, b"\xe2\xe1\xf5\xe0")]),
    ("UFS", "x.img", &[(66908, b"\x19\x01\x54\x19")]),
    ("OCFS2", "x.img", &[(8192, b"OCFSV2")]),
    ("GFS2", "x.img", &[(65536, b"\x01\x16\x19\x70\0\0\0\x01")]),
    ("bcachefs", "x.img", &[(4120, BCACHEFS)]),
    ("HPFS", "x.img", &[(8192, b"\x49\xe8\x95\xf9")]),
    ("UBI", "x.img", &[(0, b"UBI#")]),
    ("UBIFS", "x.img", &[(0, b"\x31\x18\x10\x06")]),
    // Archives.
    ("ARJ", "x.arj", &[(0, b"\x60\xea"), (10, b"\x02")]),
    ("LHA", "x.lzh", &[(2, b"-lh5-")]),
    ("ZOO", "x.zoo", &[(0, b"ZOO "), (20, b"\xdc\xa7\xc4\xfd")]),
    ("ACE", "x.ace", &[(7, b"**ACE**")]),
    ("StuffIt", "x.sit", &[(0, b"StuffIt ")]),
    // Mail and notes.
    ("Notes (.nsf)", "x.nsf", &[(0, b"\x1a\x00\x00\x04\x00\x00")]),
    ("Outlook Express (.dbx)", "x.dbx", &[(0, b"\xcf\xad\x12\xfe")]),
    ("Outlook Express (.mbx)", "x.mbx", &[(0, b"JMF9")]),
    ("OneNote (.one)", "x.one", &[(0, ONE_NOTE)]),
];

/// Samples that tools made.
const FIXTURES: [(&str, &str); 1] = [("ar, thin", "tape/thin.a")];

/// The table in Markdown.
pub(crate) fn table() -> String {
    let mut lines = BTreeSet::new();
    for (name, file, bytes) in ALL {
        let mut image = vec![0u8; 1 << 20];
        for (at, magic) in bytes {
            image[*at..at + magic.len()].copy_from_slice(magic);
        }
        let inside = open(file, &image);
        assert!(inside.entries.is_empty(), "{name}: {:?}", inside.peeler);
        assert_eq!(inside.gaps.len(), 1, "{name}: {:?} {:?}", inside.gaps, inside.peeler);
        lines.insert(format!("| {name} | \"{}\" |\n", inside.gaps[0].0));
    }
    for (name, path) in FIXTURES {
        let inside = open_fixture(path).unwrap();
        assert_eq!(inside.gaps.len(), 1, "{name}: {:?}", inside.gaps);
        lines.insert(format!("| {name} | \"{}\" |\n", inside.gaps[0].0));
    }
    let head = "| format | the gap says |\n| --- | --- |\n".to_owned();
    lines.iter().fold(head, |text, line| text + line)
}
