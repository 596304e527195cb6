//! XFS: every file of every form, what its log says, and what is hostile.
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

/// The tree, under the names that a prototype file can say: it ends them at a space.
fn assert_tree(inside: &Inside) -> Option<()> {
    for (path, content) in lidless_kit::tree()? {
        let path = path.replace(' ', "_");
        match inside.entries.iter().find(|(known, _)| *known == path) {
            Some((_, bytes)) => assert!(*bytes == content, "{path}: another content"),
            None => assert!(content.is_empty() && inside.inert.contains(&path), "{path}"),
        }
    }
    Some(())
}

/// Inodes and paths as xfs_db lists them.
fn ncheck(image: &Path) -> BTreeMap<String, String> {
    let said = Command::new("xfs_db")
        .args(["-r", "-c", "blockget -n", "-c", "ncheck"])
        .arg(image)
        .output()
        .unwrap();
    let text = String::from_utf8(said.stdout).unwrap();
    let line = |line: &str| {
        let (inode, path) = line.trim().split_once(' ')?;
        let is_line = inode.chars().all(|one| one.is_ascii_digit());
        // A directory has `/.` at its end.
        let path = path.trim();
        (is_line && !path.ends_with("/.")).then(|| (path.to_owned(), inode.to_owned()))
    };
    text.lines().filter_map(line).collect()
}

fn paths(inside: &Inside) -> Vec<String> {
    let mut paths: Vec<String> =
        inside.entries.iter().map(|(path, _)| path).chain(&inside.inert).cloned().collect();
    paths.sort();
    paths
}

#[test]
fn every_file_of_every_form_is_listed_and_read() {
    for name in ["five", "four", "kinds", "small_blocks", "large_blocks", "many_extents"] {
        let file = format!("xfs/{name}.img");
        let Some(inside) = open_fixture(&file) else { return };
        eprintln!("{name}: {} requests, {} bytes", inside.requests, inside.bytes);
        assert_eq!(inside.gaps, [], "{name}");
        assert_tree(&inside);
        let listed = ncheck(&lidless_kit::fixture(&file).unwrap());
        assert_eq!(paths(&inside), listed.into_keys().collect::<Vec<_>>(), "{name}");
        assert!(inside.requests < 100, "{name}: {} requests", inside.requests);
        let volume = &inside.findings[0].detail["volumes"][0];
        assert_eq!(volume["kind"], "XFS");
        assert_eq!(volume["directories"], 14, "{name}");
    }
}

#[test]
fn the_label_is_told() {
    let Some(inside) = open_fixture("xfs/five.img") else { return };
    assert_eq!(inside.findings[0].detail["volumes"][0]["label"], "data");
}

#[test]
fn large_directories_and_trees_of_inodes_are_read_whole() {
    let Some(inside) = open_fixture("xfs/crowd.img") else { return };
    eprintln!("{} requests, {} bytes", inside.requests, inside.bytes);
    assert_eq!(inside.gaps, []);
    assert_eq!(inside.entries.len(), 4000);
    for number in 1..=4000 {
        let path = format!("folder/a_file_with_a_rather_long_name_{number}");
        let (_, bytes) = inside.entries.iter().find(|(known, _)| *known == path).unwrap();
        assert_eq!(*bytes, format!("{number}\n").as_bytes());
    }
    assert!(inside.requests < 200, "{}", inside.requests);
}

#[test]
fn a_log_that_was_not_replayed_is_said() {
    let Some(inside) = open_fixture("xfs/dirty.img") else { return };
    assert_eq!(inside.gaps.len(), 1, "{:?}", inside.gaps);
    assert!(inside.has_gap("a log of XFS that was not replayed"));
    assert_tree(&inside);
}

#[test]
fn a_broken_superblock_is_read_from_its_copy() {
    let Some(image) = lidless_kit::fixture("xfs/five.img") else { return };
    let mut bytes = std::fs::read(image).unwrap();
    bytes[..512].fill(0);
    let inside = open("x.img", &bytes);
    assert_tree(&inside);
    assert!(inside.has_gap("superblock that is broken"), "{:?}", inside.gaps);
}

#[test]
fn a_volume_that_was_cut_gives_what_is_left_and_says_so() {
    let Some(image) = lidless_kit::fixture("xfs/five.img") else { return };
    let bytes = std::fs::read(image).unwrap();
    let inside = open("x.img", &bytes[..bytes.len() / 8]);
    assert!(!inside.entries.is_empty());
    assert!(inside.has_gap("past the end of its volume"), "{:?}", inside.gaps);
}

#[test]
fn hostile_images_end() {
    let Some(image) = lidless_kit::fixture("xfs/tiny.img") else { return };
    let bytes = std::fs::read(image).unwrap();
    let inside = open("x.img", &bytes);
    assert_eq!(inside.at("one.txt").unwrap(), b"one\n");
    assert_eq!(inside.at("folder/noise.bin").unwrap().len(), 3000);
    // What is free at the end is left out.
    let cut = &bytes[..=bytes.iter().rposition(|byte| *byte != 0).unwrap()];
    let at = |magic: &[u8]| {
        let found = cut.windows(4).step_by(512).position(|four| four == magic).unwrap() * 512;
        found..found + 512
    };
    let inodes = cut.windows(2).step_by(512).position(|two| two == b"IN").unwrap() * 512;
    let ranges = [0..256, 1024..1100, at(b"IAB3"), at(b"XDB3"), inodes..inodes + 2048];
    torture_at("x.img", cut, &ranges, 40);
}

#[test]
fn a_name_that_was_deleted_is_listed() {
    let Some(image) = lidless_kit::fixture("xfs/tiny.img") else { return };
    let mut bytes = std::fs::read(image).unwrap();
    // What the kernel leaves of an entry: its first four bytes become the head of room.
    let entry = bytes.windows(6).position(|six| six == b"\x05file7").unwrap() - 8;
    bytes[entry..entry + 4].copy_from_slice(&[0xff, 0xff, 0, 24]);
    let interests = BTreeMap::from([("file7".to_owned(), lidless_core::Interest::High)]);
    let place = lidless_core::Provenance::new(lidless_core::Layer::File { path: "/x.img".into() });
    let source = std::sync::Arc::new(lidless_io::MemoryBytes::new(bytes));
    let artifact = lidless_core::Artifact::new(lidless_core::Entry::new(place, None), source);
    let inside = Open { interests, ..Open::default() }.artifact(&artifact);
    // Its inode is still in use here, as that of a file that was deleted while it was open.
    assert_eq!(inside.at("[deleted]/folder/file7").unwrap(), b"7\n");
    assert_eq!(inside.findings[0].detail["volumes"][0]["deleted"], 1);
}

#[test]
fn no_byte_of_a_file_is_read_where_only_names_are_wanted() {
    let limits = lidless_core::Limits {
        image_reach: lidless_core::ImageReach::Names,
        ..lidless_core::Limits::default()
    };
    let Some(inside) = Open { limits, ..Open::default() }.fixture("xfs/crowd.img") else { return };
    eprintln!("{} requests, {} bytes", inside.requests, inside.bytes);
    assert_eq!(inside.inert.len(), 4000);
}
