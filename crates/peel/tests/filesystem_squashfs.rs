//! SquashFS in all its packings.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

mod media;
mod suite;

use media::{names, unsquashfs};
use std::collections::BTreeSet;
use suite::{open, open_fixture, torture, torture_at};

const ALL: [&str; 9] = ["gzip", "xz", "zstd", "lz4", "lzma", "lzo", "small", "large", "stored"];

#[test]
fn every_packing_gives_every_file() {
    for name in ALL {
        let Some(inside) = open_fixture(&format!("squashfs/{name}.sqsh")) else { return };
        inside.assert_tree("");
        assert!(inside.gaps.is_empty(), "{name}: {:?}", inside.gaps);
        println!("{name}: {} requests, {} bytes", inside.requests, inside.bytes);
    }
}

#[test]
fn the_list_is_that_of_another_tool() {
    for name in ALL.into_iter().chain(["odd"]) {
        let path = format!("squashfs/{name}.sqsh");
        let (Some(inside), Some(image)) = (open_fixture(&path), lidless_kit::fixture(&path)) else {
            return;
        };
        let theirs: BTreeSet<String> = unsquashfs(&image).into_keys().collect();
        assert_eq!(names(&inside), theirs, "{name}");
    }
}

#[test]
fn links_pipes_and_holes_are_what_they_are() {
    let Some(inside) = open_fixture("squashfs/odd.sqsh") else { return };
    assert_eq!(inside.at("same"), inside.at("Users/alice/.ssh/config"));
    // The kit keeps the first 16 MiB.
    assert!(inside.at("hole.bin").is_some_and(|hole| hole.iter().all(|byte| *byte == 0)));
    assert!(inside.at("link").is_none() && inside.at("pipe").is_none());
    assert!(inside.gaps.is_empty(), "{:?}", inside.gaps);
    assert!(inside.bytes < 8 << 20, "{} bytes", inside.bytes);
}

#[test]
fn what_is_not_read_is_told() {
    let Some(path) = lidless_kit::fixture("squashfs/gzip.sqsh") else { return };
    let image = std::fs::read(path).unwrap();
    let mut old = image.clone();
    old[28] = 3;
    assert!(open("old.sqsh", &old).has_gap("SquashFS of a version before 4"));
    let cut = open("cut.sqsh", &image[..image.len() / 2]);
    assert!(cut.has_gap("SquashFS that was cut off before its tables"), "{:?}", cut.gaps);
}

#[test]
fn a_directory_that_holds_itself_is_entered_once() {
    let Some(path) = lidless_kit::fixture("squashfs/stored.sqsh") else { return };
    let mut image = std::fs::read(path).unwrap();
    let eight = |at: usize| u64::from_le_bytes(image[at..at + 8].try_into().unwrap());
    let (root, directories, used) = (eight(32), eight(72) as usize, eight(40) as usize);
    // The directory of one file, whose name leads to the root instead.
    let name = b".git-credentials";
    let at = (directories..used).find(|at| image[*at..].starts_with(name)).unwrap();
    let (entry, head) = (at - 8, at - 20);
    image[head + 4..head + 8].copy_from_slice(&((root >> 16) as u32).to_le_bytes());
    image[entry..entry + 2].copy_from_slice(&(root as u16).to_le_bytes());
    let inside = open("stored.sqsh", &image);
    assert!(inside.has_gap("a directory that stands in several places"), "{:?}", inside.gaps);
    assert!(inside.at("many/file0001.txt").is_some());
}

#[test]
fn hostile_volumes_come_back() {
    let Some(path) = lidless_kit::fixture("squashfs/stored.sqsh") else { return };
    let image = std::fs::read(path).unwrap();
    let eight = |at: usize| u64::from_le_bytes(image[at..at + 8].try_into().unwrap()) as usize;
    let (inodes, directories) = (eight(64), eight(72));
    let ranges = [0..96, inodes..inodes + 400, directories..directories + 400, inodes..image.len()];
    torture_at("stored.sqsh", &image, &ranges, 8);
    // A small one is changed everywhere.
    let Some(path) = lidless_kit::fixture("squashfs/tiny.sqsh") else { return };
    torture("tiny.sqsh", &std::fs::read(path).unwrap());
}
