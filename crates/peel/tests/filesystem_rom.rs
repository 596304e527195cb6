//! File systems of devices: cramfs and romfs.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

mod suite;

use suite::{open, open_fixture, torture_at};

#[test]
fn every_file_is_given() {
    for name in ["cramfs", "padded", "romfs"] {
        let Some(inside) = open_fixture(&format!("rom/{name}.img")) else { return };
        inside.assert_tree("");
        assert!(inside.gaps.is_empty(), "{name}: {:?}", inside.gaps);
        let files = 310 + usize::from(name == "romfs");
        assert_eq!((inside.entries.len(), inside.inert.len()), (files, 1), "{name}");
        let volume = &inside.findings[0].detail["volumes"][0];
        assert_eq!(volume["label"], "LIDLESS", "{name}");
        println!("{name}: {} requests, {} bytes", inside.requests, inside.bytes);
    }
    let Some(romfs) = open_fixture("rom/romfs.img") else { return };
    assert_eq!(romfs.at("same"), romfs.at("home/bob/.git-credentials"));
}

#[test]
fn what_is_not_read_is_told() {
    let Some(path) = lidless_kit::fixture("rom/cramfs.img") else { return };
    let image = std::fs::read(path).unwrap();
    let mut other = image.clone();
    other[..4].reverse();
    assert!(open("other.img", &other).has_gap("cramfs of the other byte order"));
    let mut other = image.clone();
    other[9] |= 8;
    assert!(open("other.img", &other).has_gap("cramfs with pointers of another form"));
}

#[test]
fn lists_that_lead_back_are_told() {
    let Some(path) = lidless_kit::fixture("rom/romfs.img") else { return };
    let mut image = std::fs::read(path).unwrap();
    // The last file of a folder is followed by the first one again.
    let name =
        |wanted: &[u8]| image.windows(wanted.len()).position(|at| at == wanted).unwrap() - 16;
    let (first, last) = (name(b"file0000.txt"), name(b"file0299.txt"));
    let ends = if image[last..last + 4] == [0, 0, 0, 2] { last } else { first };
    let to = if ends == last { first } else { last };
    image[ends..ends + 4].copy_from_slice(&(to as u32 | 2).to_be_bytes());
    let inside = open("romfs.img", &image);
    assert!(inside.has_gap("romfs directory that never ends"), "{:?}", inside.gaps);
    assert!(inside.at("many/file0001.txt").is_some());
}

#[test]
fn hostile_volumes_come_back() {
    for name in ["cramfs", "romfs"] {
        let Some(path) = lidless_kit::fixture(&format!("rom/{name}.img")) else { return };
        let image = std::fs::read(path).unwrap();
        torture_at(&format!("{name}.img"), &image, &[0..128, 64..2048], 6);
    }
}
