//! UDF. Tools fill it only beside ISO 9660: other images are formatted by one, and filled by a
//! script of the recipe that writes entries and extents of every form (ECMA-167, OSTA UDF).
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
use media::{names, seven_zip};
use std::collections::BTreeSet;
use suite::{Open, open, open_fixture, torture_at};

#[test]
fn every_form_gives_every_file() {
    for name in ["v102", "v201", "strategy", "spared", "v250", "sessions", "sessions-old"] {
        let Some(inside) = open_fixture(&format!("udf/{name}.img")) else { return };
        inside.assert_tree("");
        assert!(inside.gaps.is_empty(), "{name}: {:?}", inside.gaps);
        let volume = &inside.findings.first().map(|finding| &finding.detail["volumes"][0]);
        assert!(volume.is_none_or(|volume| volume["label"] == "LIDLESS"), "{name}: {volume:?}");
        println!("{name}: {} requests, {} bytes", inside.requests, inside.bytes);
    }
}

#[test]
fn discs_of_two_formats_are_listed_once() {
    let path = "udf/bridge.img";
    let (Some(inside), Some(image)) = (open_fixture(path), lidless_kit::fixture(path)) else {
        return;
    };
    // The tool that made it cuts names, so that the tree is compared by its contents.
    let mut expected: Vec<Vec<u8>> =
        lidless_kit::tree().unwrap().into_iter().map(|(_, content)| content).collect();
    expected.retain(|content| !content.is_empty());
    let mut found: Vec<Vec<u8>> = inside.entries.iter().map(|(_, bytes)| bytes.clone()).collect();
    expected.sort();
    found.sort();
    assert!(expected == found, "{} files", found.len());
    let theirs: BTreeSet<String> = seven_zip(&image, "udf").into_keys().collect();
    assert_eq!(names(&inside), theirs);
    println!("bridge: {} requests, {} bytes", inside.requests, inside.bytes);
    // Without its anchors it is the other format.
    let mut image = std::fs::read(image).unwrap();
    image[512 << 10..][..2048].fill(0);
    let end = image.len();
    image[end - 2048..].fill(0);
    image[end - 514 * 1024..][..2048].fill(0);
    open("bridge.img", &image).assert_tree("");
}

#[test]
fn the_list_is_that_of_another_tool() {
    // 7-Zip reads no blocks of 512 bytes, no spared packets, no metadata partitions, and no
    // entries that are followed by newer ones. Those images are held against `udfinfo` only: it
    // warns that the metadata files of v250.img have an invalid unique id, and of nothing else.
    let path = "udf/v201.img";
    let (Some(inside), Some(image)) = (open_fixture(path), lidless_kit::fixture(path)) else {
        return;
    };
    let theirs: BTreeSet<String> = seven_zip(&image, "udf").into_keys().collect();
    assert_eq!(names(&inside), theirs);
}

#[test]
fn deleted_names_are_told_and_given() {
    let interests = [("gone.txt".to_owned(), Interest::High)];
    let opening = Open { interests: interests.into(), ..Open::default() };
    let Some(inside) = opening.fixture("udf/v201.img") else { return };
    let found = inside.entries.iter().find(|(place, _)| place == "[deleted]/gone.txt");
    assert_eq!(Some(found.unwrap().1.as_slice()), inside.at("home/bob/.git-credentials"));
}

#[test]
fn discs_written_in_sessions_without_their_last_table_are_told() {
    let Some(inside) = open_fixture("udf/no-table.img") else { return };
    let why = "a disc of UDF written in sessions, without its last table";
    assert!(inside.has_gap(why), "{:?}", inside.gaps);
}

#[test]
fn copies_stand_in_for_what_is_gone() {
    let Some(path) = lidless_kit::fixture("udf/v250.img") else { return };
    let whole = std::fs::read(path).unwrap();
    let anchor = 256 * 2048;
    let four = |at: usize| u32::from_le_bytes(whole[at..at + 4].try_into().unwrap()) as usize;
    let sequence = four(anchor + 20) * 2048;
    // The metadata file stands two blocks before a quarter of the partition, its mirror next.
    let metadata = whole
        .windows(16)
        .step_by(2048)
        .position(|tag| tag[..2] == 266u16.to_le_bytes())
        .map(|number| number * 2048)
        .unwrap();
    for (what, place) in [("anchor", anchor), ("sequence", sequence), ("metadata", metadata)] {
        let mut image = whole.clone();
        image[place..place + 2048].fill(0);
        let inside = open("v250.img", &image);
        assert!(inside.gaps.is_empty(), "{what}: {:?}", inside.gaps);
        inside.assert_tree("");
    }
}

#[test]
fn lists_of_extents_that_never_end_are_told() {
    let Some(path) = lidless_kit::fixture("udf/v201.img") else { return };
    let mut image = std::fs::read(path).unwrap();
    // The last extent of a list leads to the list that it stands in.
    let list = image
        .windows(16)
        .step_by(2048)
        .position(|tag| tag[..2] == 258u16.to_le_bytes() && tag[12..16] != [0; 4])
        .map(|number| number * 2048)
        .unwrap();
    let own: [u8; 4] = image[list + 12..list + 16].try_into().unwrap();
    let length = u32::from_le_bytes(image[list + 20..list + 24].try_into().unwrap()) as usize;
    let last = if length == 21 * 8 { list + 24 + length - 8 } else { list + 24 + length - 16 };
    image[last + 4..last + 8].copy_from_slice(&own);
    let inside = open("v201.img", &image);
    assert!(inside.has_gap("UDF that is malformed"), "{:?}", inside.gaps);
    assert!(inside.entries.len() > 300);
}

#[test]
fn hostile_volumes_come_back() {
    for (name, length, count) in [("v250", 25 << 20, 4), ("spared", 34 << 20, 2)] {
        let Some(path) = lidless_kit::fixture(&format!("udf/{name}.img")) else { return };
        let mut image = std::fs::read(path).unwrap();
        // The content of large files lies behind.
        image.truncate(length);
        let blocks = |kind: u16| {
            image
                .windows(16)
                .step_by(2048)
                .enumerate()
                .filter(|(_, tag)| tag[..2] == kind.to_le_bytes())
                .map(|(number, _)| number * 2048..number * 2048 + 512)
                .next()
                .unwrap_or(0..0)
        };
        let ranges = [5, 6, 256, 257, 266, 0].map(blocks);
        torture_at(&format!("{name}.img"), &image, &ranges, count);
    }
}
