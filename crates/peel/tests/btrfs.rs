//! btrfs: every file of every form, compressed ones, snapshots, and what is hostile.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

mod suite;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use suite::{Inside, Open, open, open_fixture, torture_at};

/// Names in the tree of files as another tool tells them: how many of each.
fn named(image: &Path) -> BTreeMap<String, usize> {
    let said = Command::new("btrfs")
        .args(["inspect-internal", "dump-tree", "-t", "5"])
        .arg(image)
        .output()
        .unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let text = String::from_utf8(said.stdout).unwrap();
    let mut names = BTreeMap::new();
    // Each name stands in the tree twice in a directory, by its hash and by its number.
    let mut by_number = false;
    for line in text.lines() {
        if line.trim_start().starts_with("item ") {
            by_number = line.contains(" DIR_INDEX ");
        }
        let is_file = line.contains(" type FILE");
        if by_number && line.contains("location key") && !is_file {
            by_number = false;
        }
        if let Some((_, name)) = line.split_once("name: ")
            && by_number
        {
            *names.entry(name.to_owned()).or_default() += 1;
        }
    }
    names
}

fn listed(inside: &Inside) -> BTreeMap<String, usize> {
    let mut names = BTreeMap::new();
    for path in inside.entries.iter().map(|(path, _)| path).chain(&inside.inert) {
        *names.entry(path.rsplit('/').next().unwrap().to_owned()).or_default() += 1;
    }
    names
}

#[test]
fn every_file_of_every_form_is_listed_and_read() {
    for name in ["dup", "single", "mixed", "large_nodes", "shrunk"] {
        let file = format!("btrfs/{name}.img");
        let Some(inside) = open_fixture(&file) else { return };
        eprintln!("{name}: {} requests, {} bytes", inside.requests, inside.bytes);
        assert_eq!(inside.gaps, [], "{name}");
        inside.assert_tree("");
        assert_eq!(listed(&inside), named(&lidless_kit::fixture(&file).unwrap()), "{name}");
        assert!(inside.requests < 80, "{name}: {} requests", inside.requests);
        let volume = &inside.findings[0].detail["volumes"][0];
        assert_eq!(volume["kind"], "btrfs");
        assert_eq!(volume["directories"], 14, "{name}");
    }
    let inside = open_fixture("btrfs/dup.img").unwrap();
    assert_eq!(inside.findings[0].detail["volumes"][0]["label"], "data");
}

#[test]
fn compressed_extents_and_holes_are_read_as_another_tool_restores_them() {
    let Some(restored) = lidless_kit::fixture("btrfs/restored") else { return };
    let inside = open_fixture("btrfs/packed.img").unwrap();
    assert_eq!(inside.gaps, []);
    let mut seen = 0;
    for name in [
        "zlib.txt",
        "lzo.txt",
        "zstd.txt",
        "short_zlib.txt",
        "short_lzo.txt",
        "short_zstd.txt",
        "hole.bin",
        "second_name.txt",
        "folder/inside.txt",
        "etc/hostname",
    ] {
        let expected = std::fs::read(restored.join(name)).unwrap();
        let (_, found) = inside.entries.iter().find(|(path, _)| path == name).unwrap();
        assert!(*found == expected, "{name}");
        // What a snapshot shares is handed out once; what lies in a leaf of its own is not told
        // from what was changed.
        let twice = inside.entries.iter().any(|(path, _)| *path == format!("@/{name}"));
        let in_leaf = name.starts_with("short") || expected.len() < 100;
        assert_eq!(twice, in_leaf, "{name}");
        seen += 1 + usize::from(twice);
    }
    assert_eq!(inside.entries.len(), seen);
}

#[test]
fn known_places_are_found_in_the_subvolume_of_a_system_as_well() {
    let limits = lidless_core::Limits {
        image_reach: lidless_core::ImageReach::Known,
        ..lidless_core::Limits::default()
    };
    let open = Open { limits, ..Open::default() };
    let Some(inside) = open.fixture("btrfs/packed.img") else { return };
    for place in ["etc/hostname", "@/etc/hostname"] {
        let (_, bytes) = inside.entries.iter().find(|(path, _)| path == place).unwrap();
        assert_eq!(bytes, b"ws-alice-01\n");
    }
}

#[test]
fn a_node_that_is_broken_is_read_from_its_copy() {
    let Some(image) = lidless_kit::fixture("btrfs/dup.img") else { return };
    let bytes = std::fs::read(image).unwrap();
    let root = u64::from_le_bytes(bytes[65536 + 80..65536 + 88].try_into().unwrap());
    let copies: Vec<usize> = (0..bytes.len() - 100)
        .step_by(4096)
        .filter(|at| bytes[at + 48..at + 56] == root.to_le_bytes() && bytes[at + 100] == 0)
        .collect();
    assert_eq!(copies.len(), 2);
    let mut changed = bytes.clone();
    changed[copies[0]..copies[0] + 4096].fill(0);
    open("x.img", &changed).assert_tree("");
    changed[copies[1]..copies[1] + 4096].fill(0);
    let inside = open("x.img", &changed);
    assert!(inside.entries.is_empty());
    assert!(inside.has_gap("btrfs that is malformed"), "{:?}", inside.gaps);
    // The copy of the superblock stands at 64 MiB.
    let mut changed = bytes;
    changed[65536 + 64..65536 + 72].fill(0);
    let inside = open("x.img", &changed);
    inside.assert_tree("");
    assert!(inside.has_gap("superblock that is broken"));
}

#[test]
fn other_devices_and_logs_are_said() {
    let Some(image) = lidless_kit::fixture("btrfs/tiny.img") else { return };
    let bytes = std::fs::read(image).unwrap();
    let mut changed = bytes.clone();
    changed[65536 + 136] = 2;
    changed[65536 + 96] = 1;
    let inside = open("x.img", &changed);
    assert!(inside.has_gap("other devices of a btrfs file system"), "{:?}", inside.gaps);
    assert!(inside.has_gap("a log tree of btrfs that was not replayed"));
    assert_eq!(inside.at("one.txt").unwrap(), b"one\n");
    // The chunks lie on the other one.
    changed[65536 + 201] = 2;
    assert!(open("x.img", &changed).entries.is_empty());
    // Cut, what is left is read.
    let inside = open("x.img", &bytes[..bytes.len() - 4096]);
    assert!(inside.has_gap("past the end of its volume"));
    assert_eq!(inside.at("one.txt").unwrap(), b"one\n");
}

#[test]
fn hostile_images_end() {
    let Some(image) = lidless_kit::fixture("btrfs/tiny.img") else { return };
    let bytes = std::fs::read(image).unwrap();
    let inside = open("x.img", &bytes);
    assert_eq!(inside.gaps, []);
    assert_eq!(inside.at("folder/noise.bin").unwrap().len(), 9000);
    let cut = &bytes[..=bytes.iter().rposition(|byte| *byte != 0).unwrap()];
    eprintln!("{} bytes", cut.len());
    let mut ranges: Vec<std::ops::Range<usize>> = Vec::new();
    ranges.push(65536 + 40..65536 + 1024);
    for at in (0..cut.len() - 4096).step_by(4096).filter(|at| *at != 65536) {
        let own = u64::from_le_bytes(cut[at + 48..at + 56].try_into().unwrap());
        let is_node = cut[at + 32..at + 48] == cut[65536 + 32..65536 + 48] && own > 0;
        // Its head, its first items, and the end, where the data of those are.
        if is_node && ranges.len() < 12 {
            ranges.extend([at + 48..at + 300, at + 3600..at + 4096]);
        }
    }
    torture_at("x.img", cut, &ranges, 12);
}
