//! exFAT. Its tools only format: the files are put in by a script of the recipe, whose images
//! `fsck.exfat` finds clean.
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
use std::collections::BTreeMap;
use suite::{Open, open, open_fixture, torture_at};

#[test]
fn every_layout_gives_every_file() {
    for name in ["contiguous", "chained", "large"] {
        let Some(inside) = open_fixture(&format!("exfat/{name}.img")) else { return };
        // What was never written of `zeros.bin` lies on the volume as other bytes.
        inside.assert_tree("");
        assert!(inside.gaps.is_empty(), "{name}: {:?}", inside.gaps);
        let volume = &inside.findings[0].detail["volumes"][0];
        assert_eq!((&volume["kind"], &volume["label"]), (&"exFAT".into(), &"LIDLESS".into()));
        println!("{name}: {} requests, {} bytes", inside.requests, inside.bytes);
    }
}

#[test]
fn the_list_is_that_of_another_tool() {
    for name in ["contiguous", "chained"] {
        let path = format!("exfat/{name}.img");
        let (Some(inside), Some(image)) = (open_fixture(&path), lidless_kit::fixture(&path)) else {
            return;
        };
        assert_eq!(names(&inside), fls(&image), "{name}");
    }
}

#[test]
fn deleted_files_are_told_and_given_while_their_clusters_are_free() {
    let interests = ["id_ed25519", "notes.txt", "noise.bin", "file0007.txt"]
        .map(|name| (name.to_owned(), Interest::High));
    let opening = Open { interests: interests.into(), ..Open::default() };
    let path = "exfat/deleted.img";
    let (Some(inside), Some(image)) = (opening.fixture(path), lidless_kit::fixture(path)) else {
        return;
    };
    assert_eq!(inside.findings[0].detail["volumes"][0]["deleted"], 4);
    let tree: BTreeMap<_, _> = lidless_kit::tree().unwrap().into_iter().collect();
    for path in
        ["Users/alice/.ssh/id_ed25519", "Users/alice/Documents/notes.txt", "many/file0007.txt"]
    {
        let place = format!("[deleted]/{path}");
        let found = inside.entries.iter().find(|(own, _)| *own == place);
        assert!(found.is_some_and(|(_, bytes)| *bytes == tree[path]), "{path}");
    }
    // The other tool lists this one as well, whose first cluster is in use again.
    let gone = "[deleted]/Users/alice/Pictures/noise.bin";
    assert_eq!(inside.gaps.len(), 1);
    assert_eq!(inside.gaps[0].0, "a deleted file whose clusters belong to another one now");
    assert!(inside.gaps[0].1.ends_with(gone));
    let mut ours = names(&inside);
    ours.insert(gone.to_owned());
    assert_eq!(ours, fls(&image));
}

#[test]
fn the_copy_of_the_boot_region_is_read_where_the_first_is_gone() {
    let Some(path) = lidless_kit::fixture("exfat/chained.img") else { return };
    let mut image = std::fs::read(path).unwrap();
    image[..512].fill(0);
    open("chained.img", &image).assert_tree("");
    // What was made on top of it later is not taken for it.
    for (at, mark) in [(512, &b"LABELONE"[..]), (1080, &[0x53, 0xef]), (4086, b"SWAPSPACE2")] {
        let mut image = image.clone();
        image[at..at + mark.len()].copy_from_slice(mark);
        assert!(open("chained.img", &image).entries.is_empty());
    }
}

/// Where the directory of 300 files lies in an image: its first entry.
fn many(image: &[u8]) -> usize {
    let name: Vec<u8> = "file0000.txt".encode_utf16().flat_map(u16::to_le_bytes).collect();
    image.windows(name.len()).position(|at| at == name).unwrap() - 2 - 64
}

#[test]
fn a_set_with_another_sum_is_told_and_read() {
    let Some(path) = lidless_kit::fixture("exfat/contiguous.img") else { return };
    let mut image = std::fs::read(path).unwrap();
    let at = many(&image);
    image[at + 2] ^= 1;
    let inside = open("contiguous.img", &image);
    assert!(inside.has_gap("exFAT entries with another sum than they say"), "{:?}", inside.gaps);
    inside.assert_tree("");
}

#[test]
fn files_past_the_volume_and_broken_chains_are_told() {
    let Some(path) = lidless_kit::fixture("exfat/chained.img") else { return };
    let whole = std::fs::read(path).unwrap();
    let at = many(&whole);
    let table = 512 * u32::from_le_bytes(whole[80..84].try_into().unwrap()) as usize;
    let first = u32::from_le_bytes(whole[at + 52..at + 56].try_into().unwrap()) as usize;
    // A length that no volume has; a first cluster that no volume has; a longer file than chain.
    for (place, bytes) in [
        (at + 56, &u64::MAX.to_le_bytes()[..]),
        (at + 52, &[0xf0; 4]),
        (at + 56, &5000u64.to_le_bytes()),
        (table + 4 * first, &[0; 4]),
    ] {
        let mut image = whole.clone();
        image[place..place + bytes.len()].copy_from_slice(bytes);
        let inside = open("chained.img", &image);
        assert!(inside.entries.len() >= 308, "{} entries", inside.entries.len());
    }
}

#[test]
fn a_directory_that_holds_itself_is_entered_once() {
    let Some(path) = lidless_kit::fixture("exfat/contiguous.img") else { return };
    let mut image = std::fs::read(path).unwrap();
    let at = many(&image);
    let cluster = 4096;
    let heap = 512 * u32::from_le_bytes(image[88..92].try_into().unwrap()) as usize;
    let own = ((at - heap) / cluster + 2) as u32;
    // The first file of a folder becomes that folder.
    image[at + 4] = 0x10;
    image[at + 52..at + 56].copy_from_slice(&own.to_le_bytes());
    let inside = open("contiguous.img", &image);
    assert!(inside.has_gap("a directory that stands in several places"), "{:?}", inside.gaps);
    assert!(inside.at("file0001.txt").is_some());
}

#[test]
fn hostile_volumes_come_back() {
    let Some(path) = lidless_kit::fixture("exfat/contiguous.img") else { return };
    let mut image = std::fs::read(path).unwrap();
    // What matters of it: the content of large files is left out.
    let number = |at: usize| u32::from_le_bytes(image[at..at + 4].try_into().unwrap()) as usize;
    let (table, heap, root) = (512 * number(80), 512 * number(88), number(96));
    let root = heap + (root - 2) * 4096;
    let at = many(&image);
    image.truncate(9 << 20);
    let ranges = [0..128, table..table + 64, heap..heap + 32, root..root + 256, at..at + 512];
    torture_at("contiguous.img", &image, &ranges, 8);
}
