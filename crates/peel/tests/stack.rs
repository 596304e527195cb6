//! Whole stacks as users have them: a file system in a partition in a container, in each other.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod suite;

use lidless_core::{ImageReach, Limits};
use std::collections::BTreeSet;
use std::process::Command;
use suite::{Inside, Open, open_fixture};

const KEY: &str = "Users/alice/.ssh/id_ed25519";
const TOKEN: &str = "home/bob/.git-credentials";

/// Containers of one disk with FAT, NTFS and ext4, and the partitions of these.
const DISKS: [(&str, &str, [&str; 3]); 7] = [
    ("gpt.raw", "raw", ["p1", "p2", "p3"]),
    ("gpt.vhd", "VHD", ["p1", "p2", "p3"]),
    ("gpt.vhdx", "VHDX", ["p1", "p2", "p3"]),
    ("gpt.vmdk", "VMDK", ["p1", "p2", "p3"]),
    ("gpt.qcow2", "QCOW2", ["p1", "p2", "p3"]),
    ("gpt.E01", "E01", ["p1", "p2", "p3"]),
    ("mbr.qcow2", "QCOW2", ["p1", "p2", "p5"]),
];

fn of_tree(wanted: &str) -> Vec<u8> {
    lidless_kit::tree().unwrap().into_iter().find(|(path, _)| path == wanted).unwrap().1
}

/// The content at exactly this place.
fn at<'a>(inside: &'a Inside, place: &str) -> &'a [u8] {
    let found = inside.entries.iter().find(|(known, _)| known == place);
    &found.unwrap_or_else(|| panic!("no {place}: {:?}", names(inside))).1
}

fn names(inside: &Inside) -> BTreeSet<String> {
    inside.entries.iter().map(|(place, _)| place).chain(&inside.inert).cloned().collect()
}

/// Panics unless what the recipe kept of the tree (no pictures, no crowd of files) lies below.
fn assert_kept(inside: &Inside, prefix: &str) {
    for (path, content) in lidless_kit::tree().unwrap() {
        if !path.starts_with("many/") && !path.contains("/Pictures/") && !content.is_empty() {
            assert!(at(inside, &format!("{prefix}{path}")) == content, "{prefix}{path}");
        }
    }
}

fn known() -> Open {
    let limits = Limits { image_reach: ImageReach::Known, ..Limits::default() };
    Open { limits, ..Open::default() }
}

fn deep(path: &str) -> Option<Inside> {
    Open { deep: true, ..Open::default() }.fixture(path)
}

#[test]
fn three_file_systems_in_every_container_give_every_file() {
    for (name, peeler, parts) in DISKS {
        let Some(inside) = open_fixture(&format!("stack/{name}")) else { return };
        assert_eq!(inside.peeler, Some(peeler), "{name}");
        assert_eq!(inside.gaps, [], "{name}");
        for part in parts {
            inside.assert_tree(&format!("{part}/"));
        }
        // 311 files in each and nothing twice, but for the own tables of NTFS.
        let all: Vec<_> =
            inside.entries.iter().map(|(place, _)| place).chain(&inside.inert).collect();
        assert_eq!(all.len(), names(&inside).len(), "{name}");
        let of_tree = all.iter().filter(|place| !place.contains("/$")).count();
        assert_eq!(of_tree, 3 * 311, "{name}: {all:?}");
        let kinds: Vec<_> = inside.findings[0].detail["volumes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|volume| volume["kind"].as_str().unwrap())
            .collect();
        assert_eq!(kinds, ["FAT", "NTFS", "ext4"], "{name}");
        eprintln!("{name}: {} requests, {} bytes", inside.requests, inside.bytes);
        // 18 MB of files, which are all wanted here.
        assert!(inside.requests < 45 && inside.bytes < 21 << 20, "{name}: {}", inside.requests);
    }
}

#[test]
fn known_places_alone_open_the_key_for_little() {
    for (name, _, parts) in DISKS {
        let Some(inside) = known().fixture(&format!("stack/{name}")) else { return };
        for part in parts {
            assert!(at(&inside, &format!("{part}/{KEY}")) == of_tree(KEY), "{name}");
            assert!(at(&inside, &format!("{part}/{TOKEN}")) == of_tree(TOKEN), "{name}");
        }
        // The configuration, the key and the token of each: nothing else is even listed.
        assert_eq!((inside.entries.len(), inside.inert.len()), (9, 0), "{name}");
        eprintln!("{name}: {} requests, {} bytes", inside.requests, inside.bytes);
        assert!(inside.requests < 20 && inside.bytes < 2 << 20, "{name}: {}", inside.requests);
    }
}

#[test]
fn the_sleuth_kit_lists_the_same_partitions() {
    let Some(raw) = lidless_kit::fixture("stack/gpt.raw") else { return };
    let inside = open_fixture("stack/gpt.vhdx").unwrap();
    for (part, sector) in [("p1", "2048"), ("p2", "43008"), ("p3", "108544")] {
        let listed = Command::new("fls").args(["-r", "-p", "-o", sector]).arg(&raw).output();
        let text = String::from_utf8(listed.unwrap().stdout).unwrap();
        // But for tables of the file system (`$MFT`), a label, and names that it cuts on FAT.
        let plain = |name: &String| !name.contains("/$") && !name.contains("/long name");
        let theirs: BTreeSet<String> = text
            .lines()
            .filter_map(|line| line.split_once(":\t"))
            .filter(|(kind, path)| {
                kind.starts_with("r/r") && !path.ends_with("(Volume Label Entry)")
            })
            .map(|(_, path)| format!("{part}/{path}"))
            .filter(plain)
            .collect();
        let ours: BTreeSet<String> = names(&inside)
            .into_iter()
            .filter(|name| name.starts_with(part) && plain(name))
            .collect();
        assert_eq!(ours.len(), 310, "{part}");
        let differing: Vec<_> = ours.symmetric_difference(&theirs).collect();
        assert!(differing.is_empty(), "{part}: {differing:?}");
    }
}

#[test]
fn what_a_child_changed_is_seen_in_its_files() {
    for (name, parent) in [
        ("child.qcow2", "base.qcow2"),
        ("child.vmdk", "base.vmdk"),
        ("child.vhd", "base.vhd"),
        ("grandchild.qcow2", "child.qcow2"),
    ] {
        let Some(inside) = open_fixture(&format!("stack/{name}")) else { return };
        assert_eq!(inside.gaps, [], "{name}");
        assert_eq!(at(&inside, "p1/Users/alice/.ssh/config"), b"written in the child\n", "{name}");
        assert_eq!(at(&inside, "p2/home/bob/.netrc"), b"written in the child\n", "{name}");
        // What it left alone is its parent's.
        assert!(at(&inside, &format!("p1/{TOKEN}")) == of_tree(TOKEN), "{name}");
        assert!(at(&inside, &format!("p2/{KEY}")) == of_tree(KEY), "{name}");
        assert!(!names(&inside).contains(&format!("p2/{TOKEN}")), "{name}");
        assert_eq!(inside.findings[0].detail["parent"], parent, "{name}");
    }
    for name in ["base.qcow2", "base.vmdk", "base.vhd"] {
        let inside = open_fixture(&format!("stack/{name}")).unwrap();
        assert_eq!(inside.gaps, [], "{name}");
        assert_kept(&inside, "p1/");
        assert_kept(&inside, "p2/");
    }
}

#[test]
fn a_child_whose_parent_is_missing_gives_what_is_its_own_and_says_so() {
    let Some(path) = lidless_kit::fixture("stack/child.vhd") else { return };
    let folder = tempfile::tempdir().unwrap();
    let alone = folder.path().join("child.vhd");
    std::fs::copy(path, &alone).unwrap();
    let inside = Open::default().artifact(&suite::artifact(&alone));
    let why = "a parent disk that is missing: only what differs from it was read";
    assert!(inside.has_gap(why), "{:?}", inside.gaps);
    // The partition table is its parent's: nothing can be told of its volumes.
    assert_eq!(inside.findings[0].rule, "backup.disk_image");
}

#[test]
fn a_logical_volume_in_a_partition_gives_its_files() {
    let Some(inside) = open_fixture("stack/lvm.qcow2") else { return };
    assert_eq!(inside.gaps, []);
    assert_kept(&inside, "p1/system-root!/");
    assert!(inside.requests < 10, "{} requests", inside.requests);
    let inside = known().fixture("stack/lvm.qcow2").unwrap();
    assert!(at(&inside, &format!("p1/system-root!/{KEY}")) == of_tree(KEY));
}

#[test]
fn a_disk_in_a_zip_in_a_file_system_is_looked_into() {
    let Some(inside) = deep("stack/deep.img") else { return };
    assert_eq!(inside.gaps, []);
    let disk = "srv/backups/old.zip!/old.vhd";
    assert_kept(&inside, &format!("{disk}!/p1/"));
    assert_kept(&inside, &format!("{disk}!/p2/"));
    // The file system, and the disk in it.
    let rules: Vec<_> = inside.findings.iter().map(|one| &*one.rule).collect();
    assert_eq!(rules, ["backup.disk_image"; 2]);
    assert!(inside.requests < 10 && inside.bytes < 1 << 20, "{} bytes", inside.bytes);
    // Whoever opens one wrapping only sees an archive.
    let inside = open_fixture("stack/deep.img").unwrap();
    assert_eq!(names(&inside), ["srv/backups/old.zip".to_owned()].into());
}

#[test]
fn a_packed_folder_on_a_stick_is_looked_into() {
    let Some(inside) = deep("stack/stick.img") else { return };
    assert_eq!(inside.gaps, []);
    assert_kept(&inside, "p1/home.tar.gz!/home.tar!/");
    assert!(inside.requests < 10, "{} requests", inside.requests);
}

#[test]
fn a_windows_image_on_a_disc_is_looked_into() {
    let Some(inside) = deep("stack/setup.iso") else { return };
    assert_eq!(inside.gaps, []);
    assert_kept(&inside, "sources/install.wim!/");
    assert!(inside.requests < 10, "{} requests", inside.requests);
    // What was captured has no marks of a machine: neither the disc nor the image is a finding.
    assert_eq!(inside.findings.len(), 0, "{:?}", inside.findings);
}

#[test]
fn a_stack_that_was_cut_gives_what_is_left() {
    let Some(path) = lidless_kit::fixture("stack/deep.img") else { return };
    let image = std::fs::read(path).unwrap();
    let start = image.windows(4).position(|four| four == b"PK\x03\x04").unwrap();
    // Zeros over the end of the archive in it: its directory is gone, its member is not.
    let end = image.windows(4).rposition(|four| four == b"PK\x05\x06").unwrap();
    let directory = image.windows(4).rposition(|four| four == b"PK\x01\x02").unwrap();
    assert!(start < directory && directory < end);
    let mut changed = image;
    changed[directory..end + 22].fill(0);
    let inside = Open { deep: true, ..Open::default() }.bytes("deep.img", &changed);
    assert!(!inside.gaps.is_empty() || !inside.findings.is_empty());
    assert_kept(&inside, "srv/backups/old.zip!/old.vhd!/p1/");
}
