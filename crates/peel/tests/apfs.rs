//! APFS containers and their volumes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

mod suite;

use std::process::Command;
use suite::{Inside, Open, open, open_fixture, torture_at};

/// What stands in `extra`, besides the tree.
fn assert_extra(inside: &Inside) {
    let mut fragments: Vec<u8> = (0..130_000u32).map(|n| (n * 7 % 251) as u8).collect();
    fragments[8192..16384].fill(0);
    assert!(inside.at("extra/fragments.bin").unwrap() == fragments);
    assert_eq!(inside.at("extra/with resources").unwrap(), b"data\n");
    let resources = b"a resource fork\n".repeat(10);
    assert_eq!(inside.at("extra/with resources:rsrc").unwrap(), resources);
    let large = b"a large attribute\n".repeat(400);
    assert_eq!(inside.at("extra/with resources:com.example.large").unwrap(), large);
    assert_eq!(inside.at("extra/inline.txt").unwrap(), b"compressed inline\n".repeat(100));
    for name in ["extra/hard one.txt", "extra/hard two.txt"] {
        assert_eq!(inside.at(name).unwrap(), b"linked twice\n".repeat(5));
    }
    assert!(!inside.entries.iter().any(|(place, _)| place.ends_with("extra/link")));
}

#[test]
fn every_file_of_a_volume_is_read_as_it_is() {
    let Some(inside) = open_fixture("apfs/volume.img") else { return };
    assert_eq!(inside.gaps, []);
    inside.assert_tree("Sample data!/");
    assert_extra(&inside);
    let log = inside.at("Users/alice/Pictures/text.log").unwrap().to_vec();
    assert!(inside.at("extra/fork.log").unwrap() == log);
    let detail = &inside.findings[0].detail;
    assert_eq!(detail["volumes"][0]["kind"], "APFS container");
    assert_eq!(detail["volumes"][1]["kind"], "APFS");
    assert_eq!(detail["volumes"][1]["label"], "Sample data");
    eprintln!("{} reads, {} bytes", inside.requests, inside.bytes);
    assert!(inside.requests <= 80, "{} reads", inside.requests);
    assert!(inside.bytes < 10 << 20, "{} bytes", inside.bytes);
}

#[test]
fn an_encrypted_volume_is_told_beside_one_that_is_read() {
    let Some(inside) = open_fixture("apfs/two.img") else { return };
    inside.assert_tree("Sample data!/");
    let gaps: Vec<&str> = inside.gaps.iter().map(|(reason, _)| reason.as_str()).collect();
    assert_eq!(gaps, ["an APFS volume encrypted with FileVault"]);
    assert!(inside.gaps[0].1.ends_with("Secrets"), "{}", inside.gaps[0].1);
}

#[test]
fn another_archiver_reads_the_same() {
    let Some(inside) = open_fixture("apfs/volume.img") else { return };
    let image = lidless_kit::fixture("apfs/volume.img").unwrap();
    let listed = Command::new("7zz").args(["l", "-slt"]).arg(&image).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let mut theirs = std::collections::BTreeSet::new();
    for block in listed.split("\n\n") {
        let of =
            |key: &str| block.lines().find_map(|line| line.strip_prefix(&format!("{key} = ")[..]));
        let Some(path) = of("Path") else { continue };
        if of("Mode").is_some_and(|mode| mode.starts_with('-')) {
            theirs.insert(path.to_owned());
        }
    }
    let mut ours: std::collections::BTreeSet<String> = inside
        .entries
        .iter()
        .map(|(place, _)| place)
        .chain(&inside.inert)
        .map(|place| place.trim_start_matches("Sample data!/").to_owned())
        .collect();
    // It lists what hangs on a file only when asked to.
    assert!(ours.remove("extra/with resources:rsrc"));
    assert!(ours.remove("extra/with resources:com.example.large"));
    let different: Vec<&String> = ours.symmetric_difference(&theirs).collect();
    assert!(different.is_empty(), "{different:?}");
    // Not the file with a hole: 7-Zip reads block 0 there, which stands for none.
    for path in ["extra/fork.log", "extra/inline.txt", "Users/alice/Pictures/noise.bin"] {
        let read = Command::new("7zz").args(["x", "-so"]).arg(&image).arg(path).output().unwrap();
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
    let Some(inside) = open.fixture("apfs/volume.img") else { return };
    assert!(inside.at("Users/alice/.ssh/id_ed25519").is_some());
    assert!(inside.at("home/bob/.git-credentials").is_some());
    eprintln!("{} reads, {} bytes", inside.requests, inside.bytes);
    assert!(inside.requests <= 40, "{} reads", inside.requests);
}

/// The small container, of which what is free was left out.
fn small() -> Option<Vec<u8>> {
    Some(std::fs::read(lidless_kit::fixture("apfs/small.img")?).unwrap())
}

/// Takes the container's block out of its checkpoints, so that the first one counts: its sum is
/// not looked at.
fn without_copies(image: &mut [u8]) {
    for block in image.chunks_mut(4096).skip(1) {
        if block[32..36] == *b"NXSB" {
            block[32] = 0;
        }
    }
}

fn kind(image: &[u8], block: usize) -> (u32, u32) {
    let of = |at: usize| u32::from_le_bytes(image[at..at + 4].try_into().unwrap());
    (of(block * 4096 + 24) & 0xffff, of(block * 4096 + 28))
}

#[test]
fn a_container_cut_short_is_read_as_far_as_it_goes() {
    let Some(image) = small() else { return };
    assert_extra(&open("disk.img", &image));
    for part in [2, 3] {
        let inside = open("disk.img", &image[..image.len() * (part - 1) / part]);
        assert!(!inside.gaps.is_empty());
    }
}

#[test]
fn a_sealed_volume_is_read_as_others_are() {
    let Some(inside) = open_fixture("apfs/sealed.img") else { return };
    assert_eq!(inside.gaps, []);
    assert_extra(&inside);
    assert_eq!(inside.at("extra/fork.log").unwrap(), b"a line of a log\n".repeat(6000));
}

#[test]
fn a_volume_that_is_missing_is_told_beside_the_others() {
    let Some(mut image) = small() else { return };
    // A second volume of a number that is nowhere.
    without_copies(&mut image);
    image[192..200].copy_from_slice(&77u64.to_le_bytes());
    let inside = open("disk.img", &image);
    assert!(inside.has_gap("a volume of unknown kind (missing)"), "{:?}", inside.gaps);
    assert_extra(&inside);
}

#[test]
fn core_storage_is_told() {
    let mut volume = vec![0u8; 100_000];
    volume[8..12].copy_from_slice(&[1, 0, 0x10, 0]);
    volume[88..90].copy_from_slice(b"CS");
    let inside = open("disk.img", &volume);
    assert!(inside.has_gap("a Core Storage volume (FileVault or a Fusion drive)"));
    assert_eq!(inside.findings[0].detail["volumes"][0]["kind"], "Core Storage");
}

#[test]
fn a_fusion_drive_is_told() {
    let Some(mut image) = small() else { return };
    without_copies(&mut image);
    image[65] |= 1;
    assert!(open("disk.img", &image).has_gap("an APFS container of a Fusion drive"));
}

#[test]
fn changed_containers_are_survived() {
    let Some(image) = small() else { return };
    let mut ranges = Vec::from([0..1400, 4096..4200]);
    for block in 0..image.len() / 4096 {
        if matches!(kind(&image, block), (2 | 3, 0xb | 0xe)) {
            ranges.push(block * 4096 + 24..block * 4096 + 300);
            ranges.push(block * 4096 + 3500..block * 4096 + 4096);
        } else if matches!(kind(&image, block), (11 | 13, 0)) {
            ranges.push(block * 4096..block * 4096 + 300);
        }
    }
    torture_at("disk.img", &image, &ranges, 8);
}

#[test]
fn trees_that_contain_themselves_end() {
    let Some(image) = small() else { return };
    // Every child of the root is the root.
    let root = (0..image.len() / 4096).find(|block| kind(&image, *block) == (2, 0xe)).unwrap();
    let number: [u8; 8] = image[root * 4096 + 8..root * 4096 + 16].try_into().unwrap();
    let mut changed = image.clone();
    let end = root * 4096 + 4096 - 40;
    for place in (end - 8 * 20..end).step_by(8) {
        changed[place..place + 8].copy_from_slice(&number);
    }
    let inside = open("disk.img", &changed);
    assert!(inside.requests < 300, "{}", inside.requests);
}
