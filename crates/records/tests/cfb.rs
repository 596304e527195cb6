//! Compound files: what a writer of its own put in comes out, as 7-Zip sees it too.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

use lidless_io::{Counted, FileBytes, MemoryBytes, ReadAt, Tally, read_vec};
use lidless_records::{CompoundFile, RecordError, StoredKind};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

fn open(path: &Path) -> CompoundFile {
    CompoundFile::open(Arc::new(FileBytes::open(path).unwrap())).unwrap()
}

fn contents(file: &CompoundFile) -> BTreeMap<String, Vec<u8>> {
    file.stored()
        .iter()
        .filter(|one| one.kind == StoredKind::Stream)
        .map(|one| {
            assert!(one.is_reached);
            (one.path.clone(), read_vec(&*file.stream(one), 0, u64::MAX).unwrap())
        })
        .collect()
}

fn written(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_string_lossy());
        if path.is_dir() {
            written(&path, &format!("{name}/"), found);
        } else {
            found.insert(name, std::fs::read(&path).unwrap());
        }
    }
}

#[test]
fn every_stream_of_both_versions_comes_out() {
    let Some(expected) = lidless_kit::fixture("cfb/expected") else { return };
    let mut all = BTreeMap::new();
    written(&expected, "", &mut all);
    assert_eq!(all.len(), 68);
    for name in ["v3", "v4", "scattered"] {
        let path = lidless_kit::fixture(&format!("cfb/{name}.cfb")).unwrap();
        assert_eq!(contents(&open(&path)), all, "{name}");
    }
}

#[test]
fn a_fat_too_large_for_the_header_is_followed() {
    let Some(path) = lidless_kit::fixture("cfb/difat.cfb") else { return };
    let tally = Tally::default();
    let source = Counted::new(Arc::new(FileBytes::open(&path).unwrap()), tally.clone());
    let file = CompoundFile::open(Arc::new(source)).unwrap();
    // Listing reads the tables: one part in 128 of the file, and little more.
    assert!(tally.requests() <= 6 && tally.bytes() < 400_000, "{tally:?}");
    let big = file.find("BIG.BIN").unwrap();
    assert_eq!(big.length_bytes, 9_000_000);
    assert_eq!(file.stream(big).len(), 9_000_000);
    assert_eq!(file.read("a.txt", 100).unwrap().unwrap(), b"alpha");
}

/// 7-Zip lists what there is: it writes characters below U+0020 as `[5]`.
#[test]
fn seven_zip_lists_the_same() {
    for name in ["v3", "v4", "scattered", "difat"] {
        let Some(path) = lidless_kit::fixture(&format!("cfb/{name}.cfb")) else { return };
        let output = Command::new("7zz")
            .env("LC_ALL", "C.UTF-8")
            .arg("l")
            .arg("-slt")
            .arg(&path)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut theirs = Vec::new();
        let (_, list) = text.split_once("----------\n").unwrap();
        for block in list.split("\n\n") {
            let field = |name: &str| {
                let line = block.lines().find_map(|line| line.strip_prefix(name));
                line.unwrap_or("").to_owned()
            };
            // Folders have no size.
            if let Ok(size) = field("Size = ").parse::<u64>() {
                theirs.push((field("Path = ").replace("[5]", "\u{5}"), size));
            }
        }
        let mut ours: Vec<_> = open(&path)
            .stored()
            .iter()
            .filter(|one| one.kind == StoredKind::Stream)
            .map(|one| (one.path.clone(), one.length_bytes))
            .collect();
        theirs.sort();
        ours.sort();
        assert!(!ours.is_empty());
        assert_eq!(ours, theirs, "{name}");
    }
}

fn hostile(bytes: &[u8]) {
    let tally = Tally::default();
    let source = Counted::new(Arc::new(MemoryBytes::new(bytes.to_vec())), tally.clone());
    if let Ok(file) = CompoundFile::open(Arc::new(source)) {
        for one in file.stored().iter().take(20) {
            let _ = read_vec(&*file.stream(one), 0, 1 << 16);
        }
    }
    assert!(tally.requests() < 1000);
}

#[test]
fn cut_and_changed_files_are_survived() {
    let Some(path) = lidless_kit::fixture("cfb/tiny.cfb") else { return };
    lidless_kit::cut_and_flip(&std::fs::read(path).unwrap(), hostile);
}

#[test]
fn chains_and_siblings_that_loop_end() {
    let Some(path) = lidless_kit::fixture("cfb/v3.cfb") else { return };
    let good = std::fs::read(path).unwrap();
    let word = |at: usize| u32::from_le_bytes(good[at..at + 4].try_into().unwrap()) as usize;
    let fat = (word(76) + 1) * 512;
    let mut looped = good.clone();
    // Every sector follows itself.
    for sector in 0..128u32 {
        looped[fat + sector as usize * 4..][..4].copy_from_slice(&sector.to_le_bytes());
    }
    hostile(&looped);
    // Every entry of the first directory sector has itself and its neighbours as siblings.
    let directory = (word(48) + 1) * 512;
    let mut looped = good.clone();
    for entry in 0..4u32 {
        for link in [68usize, 72, 76] {
            let at = directory + entry as usize * 128 + link;
            looped[at..at + 4].copy_from_slice(&((entry + 1) % 4).to_le_bytes());
        }
    }
    let file = CompoundFile::open(Arc::new(MemoryBytes::new(looped.clone()))).unwrap();
    assert_eq!(file.stored().iter().filter(|one| one.is_reached).count(), 3);
    // What the tree no longer leads to is still listed.
    assert!(file.stored().iter().filter(|one| !one.is_reached).count() > 50);
    // A DIFAT that leads to itself, and a count of sectors that lies.
    let mut looped = good;
    looped[68..72].copy_from_slice(&1u32.to_le_bytes());
    looped[72..76].copy_from_slice(&u32::MAX.to_le_bytes());
    looped[1024..1536].fill(1);
    hostile(&looped);
}

#[test]
fn what_is_none_is_said_to_be_none() {
    let none = CompoundFile::open(Arc::new(MemoryBytes::new(vec![0u8; 600])));
    assert!(matches!(none, Err(RecordError::Malformed { offset: 0, .. })));
}
