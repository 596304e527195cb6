//! FAT, in all its widths.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

mod media;
mod suite;

use lidless_core::Interest;
use media::{fls, names};
use std::collections::{BTreeMap, BTreeSet};
use suite::{Open, open, open_fixture, torture_at};

#[test]
fn every_width_gives_every_file() {
    for name in ["fat12", "fat16", "fat32", "fat32-large"] {
        let Some(inside) = open_fixture(&format!("fat/{name}.img")) else { return };
        assert_eq!(inside.peeler, Some("raw"), "{name}");
        inside.assert_tree("");
        assert!(inside.gaps.is_empty(), "{name}: {:?}", inside.gaps);
        let volume = &inside.findings[0].detail["volumes"][0];
        assert_eq!(volume["kind"], "FAT", "{name}");
        assert_eq!(volume["label"], "LIDLESS", "{name}");
        assert_eq!(volume["deleted"], 0, "{name}");
        println!("{name}: {} requests, {} bytes", inside.requests, inside.bytes);
    }
}

#[test]
fn the_list_is_that_of_another_tool() {
    for name in ["fat12", "fat16", "fat32", "floppy"] {
        let path = format!("fat/{name}.img");
        let (Some(inside), Some(image)) = (open_fixture(&path), lidless_kit::fixture(&path)) else {
            return;
        };
        // The other tool cuts names short of 200 letters.
        let cut = |place: &str| {
            let (folder, name) = place.rsplit_once('/').unwrap_or(("", place));
            let name: String = name.chars().take(190).collect();
            format!("{folder}/{name}").trim_matches([' ', '/']).to_owned()
        };
        let ours: BTreeSet<String> = names(&inside).iter().map(|name| cut(name)).collect();
        let theirs: BTreeSet<String> = fls(&image).iter().map(|name| cut(name)).collect();
        assert_eq!(ours, theirs, "{name}");
    }
}

#[test]
fn files_in_many_pieces_are_put_together() {
    let Some(tree) = lidless_kit::tree() else { return };
    for bits in [12, 16, 32] {
        let path = format!("fat/pieces{bits}.img");
        let (Some(inside), Some(image)) = (open_fixture(&path), lidless_kit::fixture(&path)) else {
            return;
        };
        let mut files = 0;
        for (place, content) in &inside.entries {
            let (_, original) = tree
                .iter()
                .find(|(path, _)| path == place || path.ends_with(&format!("Pictures/{place}")))
                .unwrap();
            assert!(content == original, "{bits} bits: {place}");
            files += 1;
        }
        assert_eq!(files, 153, "{bits} bits");
        assert!(inside.gaps.is_empty(), "{bits} bits: {:?}", inside.gaps);
        // The other tool lists what was deleted too, as long as its entry was not used again.
        let theirs = fls(&image).into_iter().filter(|name| !name.starts_with("[deleted]"));
        assert_eq!(names(&inside), theirs.collect::<BTreeSet<_>>(), "{bits} bits");
    }
}

#[test]
fn short_names_have_their_case() {
    let Some(inside) = open_fixture("fat/floppy.img") else { return };
    let names: Vec<&str> = inside.entries.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(names, ["README.TXT", "readme2.txt", "Mixed.Txt"]);
    assert_eq!(inside.findings[0].detail["volumes"][0]["label"], "MY FLOPPY");
}

#[test]
fn deleted_files_are_told_and_given_while_their_clusters_are_free() {
    // What another tool lists as deleted, with the content it gives, is what is told here; the
    // long name of `notes.txt` was never stored, so its first letter is lost.
    let interests = ["id_ed25519", "_otes.txt", "_oise.bin", ".git-credentials", "_ile0007.txt"]
        .map(|name| (name.to_owned(), Interest::High));
    let opening = Open { interests: interests.into(), ..Open::default() };
    let Some(inside) = opening.fixture("fat/deleted.img") else { return };
    assert_eq!(inside.findings[0].detail["volumes"][0]["deleted"], 6);
    let tree: BTreeMap<_, _> = lidless_kit::tree().unwrap().into_iter().collect();
    for (ours, original) in [
        ("[deleted]/Users/alice/.ssh/id_ed25519", "Users/alice/.ssh/id_ed25519"),
        ("[deleted]/Users/alice/Documents/_otes.txt", "Users/alice/Documents/notes.txt"),
        ("[deleted]/home/_ob/.git-credentials", "home/bob/.git-credentials"),
        ("[deleted]/many/_ile0007.txt", "many/file0007.txt"),
    ] {
        let found = inside.entries.iter().find(|(place, _)| place == ours);
        assert!(found.is_some_and(|(_, bytes)| *bytes == tree[original]), "{ours}");
    }
    let why = "a deleted file whose clusters belong to another one now";
    let gone: Vec<_> = inside.gaps.iter().map(|(reason, place)| (reason.as_str(), place)).collect();
    assert_eq!(gone.len(), 1, "{gone:?}");
    assert!(gone[0].0 == why && gone[0].1.ends_with("[deleted]/Users/alice/Pictures/_oise.bin"));
}

/// Offsets in `fat16.img`: the FATs at 4 and further on; see `mkfs.vfat -v`.
struct Layout {
    table: usize,
    table_bytes: usize,
    root: usize,
    heap: usize,
}

fn layout(image: &[u8]) -> Layout {
    let two = |at: usize| usize::from(u16::from_le_bytes([image[at], image[at + 1]]));
    let (sector, reserved, entries, length) = (two(11), two(14), two(17), two(22));
    let table = reserved * sector;
    let table_bytes = length * sector;
    let root = table + 2 * table_bytes;
    Layout { table, table_bytes, root, heap: root + entries * 32 }
}

#[test]
fn a_broken_table_is_read_from_its_copy() {
    let Some(path) = lidless_kit::fixture("fat/fat16.img") else { return };
    let mut image = std::fs::read(path).unwrap();
    let Layout { table, table_bytes, .. } = layout(&image);
    image[table..table + table_bytes].fill(0);
    let inside = open("fat16.img", &image);
    inside.assert_tree("");
    assert!(inside.gaps.is_empty(), "{:?}", inside.gaps);
}

#[test]
fn chains_that_end_early_or_run_in_circles_are_told() {
    let Some(path) = lidless_kit::fixture("fat/fat16.img") else { return };
    let whole = std::fs::read(path).unwrap();
    let Layout { table, table_bytes, .. } = layout(&whole);
    let (at, _) = whole[table..table + table_bytes]
        .chunks(2)
        .enumerate()
        .skip(2)
        .map(|(number, link)| (number, u16::from_le_bytes([link[0], link[1]])))
        .filter(|(number, link)| usize::from(*link) == number + 1)
        .nth(700)
        .unwrap();
    for link in [0, at - 3] {
        let mut image = whole.clone();
        for copy in 0..2 {
            let place = table + copy * table_bytes + at * 2;
            image[place..place + 2].copy_from_slice(&(link as u16).to_le_bytes());
        }
        let inside = open("fat16.img", &image);
        assert!(inside.has_gap("FAT that is malformed"), "{:?}", inside.gaps);
        assert!(inside.findings.iter().any(|finding| finding.rule == "malformed.fat"));
        assert!(inside.entries.len() > 300, "what is well is still read");
    }
}

#[test]
fn a_directory_that_holds_itself_is_entered_once() {
    let Some(path) = lidless_kit::fixture("fat/fat16.img") else { return };
    let mut image = std::fs::read(path).unwrap();
    let Layout { root, heap, .. } = layout(&image);
    // The first directory is that of the users, at cluster 2: the folder in it leads to it again.
    let is_user = |entry: &[u8]| entry.starts_with(b"ALICE      ");
    let place = (heap..heap + 2048).step_by(32).find(|at| is_user(&image[*at..])).unwrap();
    let cluster = (root..heap)
        .step_by(32)
        .find(|at| image[*at..].starts_with(b"USERS      "))
        .map(|at| [image[at + 26], image[at + 27]])
        .unwrap();
    image[place + 26..place + 28].copy_from_slice(&cluster);
    let inside = open("fat16.img", &image);
    assert!(inside.has_gap("a directory that stands in several places"), "{:?}", inside.gaps);
    assert!(inside.at("home/bob/.git-credentials").is_some());
}

#[test]
fn a_boot_sector_of_zeros_is_read_from_its_copy() {
    let Some(path) = lidless_kit::fixture("fat/fat32.img") else { return };
    let mut image = std::fs::read(path).unwrap();
    image[..512].fill(0);
    open("fat32.img", &image).assert_tree("");
    // What was made on top of it later is not taken for it.
    for (at, mark) in [(512, &b"LABELONE"[..]), (1080, &[0x53, 0xef]), (4086, b"SWAPSPACE2")] {
        let mut image = image.clone();
        image[at..at + mark.len()].copy_from_slice(mark);
        assert!(open("fat32.img", &image).entries.is_empty());
    }
}

#[test]
fn other_boot_sectors_are_not_taken_for_it() {
    let Some(path) = lidless_kit::fixture("fat/floppy.img") else { return };
    let image = std::fs::read(path).unwrap();
    for (what, at, bytes) in [
        ("NTFS has no FATs", 16, &b"\0"[..]),
        ("exFAT has no numbers there", 11, &[0; 53]),
        ("a partition table has code there", 11, &[0x8e, 0xc0, 0xbe, 0x00, 0x7c, 0xbf]),
        ("BitLocker", 3, b"-FVE-FS-"),
        ("no mark", 510, &[0, 0]),
    ] {
        let mut image = image.clone();
        image[at..at + bytes.len()].copy_from_slice(bytes);
        let inside = open("floppy.bin", &image);
        assert!(inside.entries.is_empty(), "{what}");
    }
}

#[test]
fn hostile_volumes_come_back() {
    let Some(path) = lidless_kit::fixture("fat/floppy.img") else { return };
    let image = std::fs::read(path).unwrap();
    let Layout { table, root, heap, .. } = layout(&image);
    torture_at("floppy.img", &image, &[0..64, table..table + 64, root..root + 512, root..heap], 60);
}
