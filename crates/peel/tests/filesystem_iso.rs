//! ISO 9660 with all its names.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

mod media;
mod suite;

use media::{names, seven_zip, xorriso};
use std::collections::BTreeSet;
use suite::{Inside, Open, open, open_fixture, torture_at};

/// The contents of the standard files, in order: what plain names lead to.
fn assert_contents(inside: &Inside) {
    let mut expected: Vec<Vec<u8>> = lidless_kit::tree()
        .unwrap()
        .into_iter()
        .map(|(_, content)| content)
        .filter(|content| !content.is_empty())
        .collect();
    let mut found: Vec<Vec<u8>> = inside.entries.iter().map(|(_, bytes)| bytes.clone()).collect();
    expected.sort();
    found.sort();
    assert!(expected == found, "{} files instead of {}", found.len(), expected.len());
}

#[test]
fn rock_ridge_and_joliet_give_every_file_once() {
    for name in ["both", "rock-ridge", "xorriso", "zisofs", "hybrid", "hybrid-gpt"] {
        let Some(inside) = open_fixture(&format!("iso/{name}.iso")) else { return };
        if name == "xorriso" {
            assert!(inside.at("Users/alice/.ssh/config").is_some(), "{name}");
        } else {
            inside.assert_tree("");
            // The list of what starts from it is a file of this one.
            assert_eq!(inside.at("boot.catalog").is_some(), name == "hybrid-gpt");
        }
        assert!(inside.gaps.is_empty(), "{name}: {:?}", inside.gaps);
        println!("{name}: {} requests, {} bytes", inside.requests, inside.bytes);
    }
}

#[test]
fn discs_without_either_give_every_content() {
    for name in ["joliet", "plain", "level4"] {
        let Some(inside) = open_fixture(&format!("iso/{name}.iso")) else { return };
        assert_contents(&inside);
        assert!(inside.gaps.is_empty(), "{name}: {:?}", inside.gaps);
    }
    let Some(joliet) = open_fixture("iso/joliet.iso") else { return };
    assert!(joliet.at("Documents/Überraschung – naïve.txt").is_some());
    let Some(plain) = open_fixture("iso/plain.iso") else { return };
    assert!(plain.at("USERS/ALICE/PICTURES/TEXT.LOG").is_some());
}

#[test]
fn the_list_is_that_of_another_tool() {
    for name in ["both", "rock-ridge", "joliet", "plain", "level4", "odd", "xorriso"] {
        let path = format!("iso/{name}.iso");
        let (Some(inside), Some(image)) = (open_fixture(&path), lidless_kit::fixture(&path)) else {
            return;
        };
        // 7-Zip knows no parts of names that go on elsewhere, and no folders that were moved;
        // xorriso knows nothing but Rock Ridge.
        let theirs: BTreeSet<String> = match name {
            "joliet" | "plain" | "level4" => seven_zip(&image, "iso").into_keys().collect(),
            _ => xorriso(&image),
        };
        assert_eq!(names(&inside), theirs, "{name}");
    }
}

#[test]
fn names_and_links_that_go_on_elsewhere_are_whole() {
    let Some(inside) = open_fixture("iso/odd.iso") else { return };
    for number in 1..=9 {
        let name = format!("{}{number}", "name".repeat(60));
        let found = inside.entries.iter().find(|(place, _)| *place == name);
        assert_eq!(found.unwrap().1, format!("long {number}\n").as_bytes());
    }
    // A folder that lay too deep is where it belongs, and nowhere else.
    let deep: Vec<_> =
        inside.entries.iter().filter(|(place, _)| place.ends_with("deep.txt")).collect();
    assert_eq!(deep.len(), 1);
    assert_eq!(deep[0].0, "Users/alice/Documents/a/b/c/d/e/f/deep.txt");
    assert!(inside.gaps.is_empty(), "{:?}", inside.gaps);
    assert!(!names(&inside).iter().any(|name| name == "link" || name == "pipe"));
}

/// Where a record with this name begins in a plain image.
fn record(image: &[u8], name: &[u8]) -> usize {
    let named = [&[name.len() as u8], name].concat();
    image.windows(named.len()).position(|at| at == named).unwrap() - 32
}

#[test]
fn a_file_in_several_extents_is_one() {
    // No tool makes one below 4 GiB: the record of a file is split into two, by ECMA-119 9.1.6.
    let Some(path) = lidless_kit::fixture("iso/plain.iso") else { return };
    let mut image = std::fs::read(path).unwrap();
    let at = record(&image, b"NOISE.BIN;1");
    let length = usize::from(image[at]);
    let both = |value: u32| [value.to_le_bytes(), value.to_be_bytes()].concat();
    let four = |at: usize| u32::from_le_bytes(image[at..at + 4].try_into().unwrap());
    let (block, bytes) = (four(at + 2), four(at + 10));
    let mut first = image[at..at + length].to_vec();
    let mut second = first.clone();
    first[10..18].copy_from_slice(&both(1 << 20));
    first[25] |= 0x80;
    second[2..10].copy_from_slice(&both(block + 512));
    second[10..18].copy_from_slice(&both(bytes - (1 << 20)));
    let sector = at / 2048 * 2048;
    let mut changed = image[sector..at].to_vec();
    changed.extend([first, second].concat());
    changed.extend_from_slice(&image[at + length..sector + 2048]);
    image[sector..sector + 2048].copy_from_slice(&changed[..2048]);
    let inside = open("plain.iso", &image);
    assert!(inside.gaps.is_empty(), "{:?}", inside.gaps);
    assert_contents(&inside);
    // Its last part gone, it is told.
    let second = at + length;
    image[second + 33] = b'M';
    let inside = open("plain.iso", &image);
    assert!(inside.has_gap("ISO 9660 file whose last part is missing"), "{:?}", inside.gaps);
}

/// A track of a CD with these data: sectors with a head of `skip` bytes, `stride` bytes apart.
fn track(data: &[u8], skip: usize, stride: usize) -> Vec<u8> {
    let mut track = Vec::new();
    for (number, data) in data.chunks(2048).enumerate() {
        let mut sector = vec![0u8; stride];
        sector[1..11].fill(0xff);
        sector[12..15].copy_from_slice(&[
            (number / 4500) as u8,
            (number / 75 % 60) as u8,
            (number % 75) as u8,
        ]);
        sector[15] = if skip == 16 { 1 } else { 2 };
        sector[skip..skip + data.len()].copy_from_slice(data);
        // Where the sums stand that correct it.
        sector[skip + 2048..2352].fill(0xee);
        track.extend(sector);
    }
    track
}

#[test]
fn tracks_with_all_of_their_sectors_are_discs() {
    let Some(path) = lidless_kit::fixture("iso/both.iso") else { return };
    let image = std::fs::read(path).unwrap();
    for (skip, stride) in [(16, 2352), (24, 2352), (16, 2448)] {
        let inside = open("disc.bin", &track(&image, skip, stride));
        assert_eq!(inside.peeler, Some("CD track"));
        inside.assert_tree("");
        assert!(inside.gaps.is_empty(), "{:?}", inside.gaps);
    }
}

#[test]
fn what_a_disc_starts_from_is_opened_once() {
    for (name, path) in [("boot-hidden", "[boot]/1.img"), ("boot-shown", "floppy.img")] {
        let opening = Open { deep: true, ..Open::default() };
        let Some(inside) = opening.fixture(&format!("iso/{name}.iso")) else { return };
        let floppy = inside.entries.iter().find(|(place, _)| place == path);
        assert_eq!(floppy.map(|(_, bytes)| bytes.len()), Some(1440 << 10), "{name}");
        let inner = format!("{path}!/AUTOEXEC.BAT");
        let of_disc = inside.at("AUTOEXEC.BAT").unwrap();
        let found = inside.entries.iter().find(|(place, _)| *place == inner);
        assert_eq!(found.map(|(_, bytes)| bytes.as_slice()), Some(of_disc), "{name}");
        assert_eq!(inside.entries.iter().filter(|(_, bytes)| bytes.len() == 1440 << 10).count(), 1);
    }
    // The same image by two ways: a partition, and the catalog.
    let Some(inside) = open_fixture("iso/hybrid-gpt.iso") else { return };
    assert!(inside.entries.iter().any(|(place, _)| place == "[boot]/1.img"));
}

#[test]
fn discs_that_were_cut_say_so() {
    let Some(path) = lidless_kit::fixture("iso/both.iso") else { return };
    let image = std::fs::read(path).unwrap();
    let inside = open("both.iso", &image[..3 << 20]);
    assert!(inside.has_gap("a disc that was cut off before its end"), "{:?}", inside.gaps);
    assert!(inside.has_gap("a file past the end of its volume"), "{:?}", inside.gaps);
    assert!(!inside.entries.is_empty());
}

#[test]
fn a_directory_that_holds_itself_is_entered_once() {
    let Some(path) = lidless_kit::fixture("iso/plain.iso") else { return };
    let mut image = std::fs::read(path).unwrap();
    let users = record(&image, b"USERS");
    let alice = record(&image, b"ALICE");
    let own: Vec<u8> = image[users + 2..users + 18].to_vec();
    image[alice + 2..alice + 18].copy_from_slice(&own);
    let inside = open("plain.iso", &image);
    assert!(inside.has_gap("a directory that stands in several places"), "{:?}", inside.gaps);
    assert!(inside.at("FILE0001.TXT").is_some());
}

#[test]
fn hostile_discs_come_back() {
    for name in ["odd", "zisofs"] {
        let Some(path) = lidless_kit::fixture(&format!("iso/{name}.iso")) else { return };
        let image = std::fs::read(path).unwrap();
        let root = u32::from_le_bytes(image[0x8000 + 158..0x8000 + 162].try_into().unwrap());
        let root = 2048 * root as usize;
        let ranges = [0x8000..0x8000 + 200, root..root + 400, root..root + 4096];
        torture_at(&format!("{name}.iso"), &image, &ranges, 8);
    }
}
