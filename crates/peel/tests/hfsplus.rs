//! HFS+ volumes, their Apple partition maps, and disks that hold them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

mod suite;

use std::collections::BTreeSet;
use std::process::Command;
use suite::{Inside, Open, open, open_fixture, torture, torture_at};
use unicode_normalization::UnicodeNormalization as _;

/// What stands in `extra` and beside it, besides the tree.
fn assert_extra(inside: &Inside) {
    let fragments: Vec<u8> = (0..130_000u32).map(|n| (n * 7 % 251) as u8).collect();
    assert!(inside.at("extra/fragments.bin").unwrap() == fragments);
    assert_eq!(inside.at("extra/a slash: 1:2.txt").unwrap(), b"a name with a slash\n");
    assert_eq!(inside.at("extra/with resources").unwrap(), b"data\n");
    let resources = b"a resource fork\n".repeat(10);
    assert_eq!(inside.at("extra/with resources:rsrc").unwrap(), resources);
    assert_eq!(inside.at("extra/inline.txt").unwrap(), b"compressed inline\n".repeat(100));
    let stored: Vec<u8> = (0..40u32).map(|n| (n * 31 % 256) as u8).collect();
    assert_eq!(inside.at("extra/stored.bin").unwrap(), stored);
    for name in ["extra/hard one.txt", "extra/hard two.txt"] {
        assert_eq!(inside.at(name).unwrap(), b"linked twice\n".repeat(5));
    }
    // A directory of a backup is listed once, below its first link.
    let kept = inside.entries.iter().filter(|(place, _)| place.ends_with("kept.txt"));
    let kept: Vec<&str> = kept.map(|(place, _)| place.as_str()).collect();
    assert_eq!(kept, ["Backups.backupdb/ws-alice-01/2023-06-01-120000/Documents/kept.txt"]);
    assert!(!inside.entries.iter().any(|(place, _)| place.ends_with("extra/link")));
}

#[test]
fn every_file_of_a_volume_is_read_as_it_is() {
    let Some(inside) = open_fixture("hfsplus/volume.img") else { return };
    assert_eq!(inside.gaps, []);
    inside.assert_tree("");
    assert_extra(&inside);
    let log = inside.at("Users/alice/Pictures/text.log").unwrap().to_vec();
    assert!(inside.at("extra/fork.log").unwrap() == log, "compressed in its fork");
    let detail = &inside.findings[0].detail;
    assert_eq!(detail["volumes"][0]["kind"], "HFS+");
    assert_eq!(detail["volumes"][0]["label"], "Sample");
    assert_eq!(detail["volumes"][0]["deleted"], 1);
    // 6.7 MB of content; the metadata are some 200 KiB.
    assert!(inside.requests <= 60, "{} reads", inside.requests);
    assert!(inside.bytes < 9 << 20, "{} bytes", inside.bytes);
}

#[test]
fn a_volume_in_an_hfs_wrapper_is_the_same() {
    let Some(inside) = open_fixture("hfsplus/wrapped.img") else { return };
    assert_eq!(inside.gaps, []);
    inside.assert_tree("");
    assert_extra(&inside);
}

#[test]
fn a_volume_that_xorriso_wrote_lies_in_its_partition() {
    let Some(inside) = open_fixture("hfsplus/apm.img") else { return };
    assert_eq!(inside.gaps, []);
    inside.assert_tree("p3/");
}

#[test]
fn the_sleuth_kit_lists_the_same() {
    let Some(inside) = open_fixture("hfsplus/volume.img") else { return };
    let image = lidless_kit::fixture("hfsplus/volume.img").unwrap();
    let listed = Command::new("fls").args(["-r", "-p"]).arg(&image).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let mut theirs: BTreeSet<String> = BTreeSet::new();
    for line in listed.lines() {
        let (kind, path) = line.split_once(":\t").unwrap();
        // It lists the volume's own files, and the private folders that links are resolved from.
        let own = path.starts_with('$') || path.contains("HFS+ Private");
        // Links to directories are not resolved by it, and are named as files; symbolic links
        // hold nothing.
        let link = path.ends_with("/Documents") && path.starts_with("Backups.backupdb");
        if !own && !link && kind.starts_with("r/r") {
            // Names are put together here, and printed there as they are stored.
            theirs.insert(path.nfc().collect());
        }
    }
    let mut ours: BTreeSet<String> = inside
        .entries
        .iter()
        .map(|(place, _)| place.clone())
        .chain(inside.inert.iter().cloned())
        .filter(|place| !place.starts_with("[deleted]/"))
        .collect();
    // It does not list resource forks as files of their own, nor what a linked directory holds.
    assert!(ours.remove("extra/with resources:rsrc"));
    assert!(ours.remove("Backups.backupdb/ws-alice-01/2023-06-01-120000/Documents/kept.txt"));
    let different: Vec<&String> = ours.symmetric_difference(&theirs).collect();
    assert!(different.is_empty(), "{different:?}");
    assert!(ours.len() > 310);
}

#[test]
fn another_archiver_reads_the_same_contents() {
    let Some(inside) = open_fixture("hfsplus/volume.img") else { return };
    let image = lidless_kit::fixture("hfsplus/volume.img").unwrap();
    for path in ["extra/fork.log", "extra/inline.txt", "extra/stored.bin", "extra/fragments.bin"] {
        let read = Command::new("7zz")
            .args(["x", "-so"])
            .arg(&image)
            .arg(format!("Sample/{path}"))
            .output()
            .unwrap();
        assert!(read.stdout == inside.at(path).unwrap(), "{path}");
    }
}

#[test]
fn known_places_alone_cost_few_reads() {
    let limits = lidless_core::Limits {
        image_reach: lidless_core::ImageReach::Known,
        ..lidless_core::Limits::default()
    };
    let open = Open { limits, ..Open::default() };
    let Some(inside) = open.fixture("hfsplus/volume.img") else { return };
    assert!(inside.at("Users/alice/.ssh/id_ed25519").is_some());
    assert!(inside.at("home/bob/.git-credentials").is_some());
    assert!(inside.requests <= 25, "{} reads", inside.requests);
}

fn small() -> Option<Vec<u8>> {
    Some(std::fs::read(lidless_kit::fixture("hfsplus/small.img")?).unwrap())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// Where a file of the volume header begins: the catalog's fork stands at 272.
fn first_of(image: &[u8], fork: usize) -> usize {
    u32_at(image, 1024 + fork + 16) as usize * 4096
}

#[test]
fn a_broken_header_is_read_from_its_copy() {
    let Some(mut image) = small() else { return };
    image[1024 + 40..1024 + 44].fill(0);
    let inside = open("small.img", &image);
    assert_extra(&inside);
}

#[test]
fn a_volume_that_tells_case_apart_is_read_the_same() {
    let Some(mut image) = small() else { return };
    image[1024..1028].copy_from_slice(b"HX\0\x05");
    let catalog = first_of(&image, 272);
    image[catalog + 51] = 0xbc;
    assert_extra(&open("small.img", &image));
}

#[test]
fn a_journal_that_was_not_replayed_is_said() {
    let Some(mut image) = small() else { return };
    image[1024 + 4..1024 + 8].copy_from_slice(&0x2000u32.to_be_bytes());
    let inside = open("small.img", &image);
    assert!(inside.has_gap("journal"));
    assert_extra(&inside);
}

#[test]
fn compressed_files_without_their_attributes_are_said() {
    let Some(mut image) = small() else { return };
    let attributes = first_of(&image, 352);
    image[attributes + 8] = 7;
    let inside = open("small.img", &image);
    assert!(inside.has_gap("the attributes of an HFS+ volume"), "{:?}", inside.gaps);
    assert!(inside.has_gap("a compressed file of HFS+ without the attribute"));
    assert!(inside.at("extra/hard one.txt").is_some());
}

#[test]
fn an_old_hfs_volume_is_told() {
    let Some(mut image) = small() else { return };
    image[1024..1026].copy_from_slice(b"BD");
    image[1044..1048].copy_from_slice(&512u32.to_be_bytes());
    image[1148..1150].fill(0);
    assert!(open("small.img", &image).has_gap("an HFS volume (before HFS+), not looked into"));
}

#[test]
fn folders_that_contain_themselves_and_nodes_that_lead_back_end() {
    let Some(image) = small() else { return };
    let catalog = first_of(&image, 272);
    // Every leaf's next one is the first, and the first of each index its own node.
    let mut changed = image.clone();
    for node in 1..12 {
        let at = catalog + node * 4096;
        changed[at..at + 4].copy_from_slice(&1u32.to_be_bytes());
    }
    let inside = open("small.img", &changed);
    assert!(inside.requests < 200, "{}", inside.requests);
    // The parent of each name is one of its own children's folders: 17 stands for everything.
    let mut changed = image.clone();
    for at in catalog..catalog + 12 * 4096 {
        if changed[at..at + 3] == [0, 0, 0] && changed[at + 3] >= 16 {
            changed[at + 3] = 17;
        }
    }
    let inside = open("small.img", &changed);
    assert!(inside.requests < 500, "{}", inside.requests);
}

#[test]
fn a_tree_that_claims_everything_costs_little() {
    let Some(mut image) = small() else { return };
    // The catalog says that it is 2^62 bytes long, in extents of 2^32 blocks.
    image[1024 + 272..1024 + 280].copy_from_slice(&(1u64 << 62).to_be_bytes());
    image[1024 + 284..1024 + 288].fill(0xff);
    image[1024 + 292..1024 + 296].fill(0xff);
    let inside = open("small.img", &image);
    assert!(inside.requests < 300, "{}", inside.requests);
}

#[test]
fn cut_and_changed_volumes_are_survived() {
    let Some(image) = small() else { return };
    let (catalog, overflow) = (first_of(&image, 272), first_of(&image, 192));
    let attributes = first_of(&image, 352);
    let ranges = [
        1024..1536,
        catalog..catalog + 600,
        catalog + 4096..catalog + 3 * 4096,
        overflow..overflow + 300,
        overflow + 4096..overflow + 8192,
        attributes + 4096..attributes + 8192,
    ];
    torture_at("small.img", &image, &ranges, 60);
}

#[test]
fn changed_partition_maps_are_survived() {
    let Some(path) = lidless_kit::fixture("hfsplus/apm.img") else { return };
    let image = std::fs::read(path).unwrap();
    torture("disk.img", &image[..4096]);
}
