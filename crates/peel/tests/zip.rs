//! zip and 7z: what they cost, what is left alone, encrypted members and archives in parts.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

mod suite;

use lidless_core::{Artifact, Entry, Finding, Gap, Interest, Limits};
use lidless_io::{Counted, Tally, read_vec};
use lidless_kit::fixture;
use lidless_peel::{Peelers, Sink};
use std::process::Command;
use std::sync::Arc;
use suite::{Inside, Open, open_fixture, torture_at};

/// Pictures are left alone, as a run does.
#[derive(Default)]
struct NoPictures {
    entries: Vec<(String, Vec<u8>)>,
    inert: Vec<String>,
    gaps: Vec<String>,
}

impl Sink for NoPictures {
    fn entry(&mut self, artifact: Artifact) {
        let bytes = read_vec(&*artifact.bytes, 0, 1 << 20).unwrap();
        self.entries.push((artifact.entry.path().to_owned(), bytes));
    }
    fn inert(&mut self, entry: Entry, _: &'static str) {
        self.inert.push(entry.path().to_owned());
    }
    fn gap(&mut self, gap: Gap) {
        self.gaps.push(gap.reason);
    }
    fn finding(&mut self, _: Finding) {}
    fn interest(&self, entry: &Entry) -> Interest {
        let name = entry.path();
        if [".jpg", ".bin"].iter().any(|end| name.ends_with(end)) {
            Interest::None
        } else {
            Interest::Medium
        }
    }
}

/// Opens a fixture without its pictures; requests and bytes after the head.
fn without_pictures(path: &str) -> Option<(NoPictures, u64, u64)> {
    let artifact = suite::artifact(&fixture(path)?);
    let head = read_vec(&*artifact.bytes, 0, 16 << 10).unwrap();
    let tally = Tally::default();
    let counted = Counted::new(Arc::clone(&artifact.bytes), tally.clone());
    let artifact = artifact.over(Arc::new(counted));
    let mut sink = NoPictures::default();
    let peelers = Peelers::new();
    let peeler = peelers.find(&artifact, &head).unwrap();
    peeler.peel(&artifact, &head, &Limits::default(), &mut sink);
    Some((sink, tally.requests(), tally.bytes()))
}

#[test]
fn a_hundred_thousand_pictures_in_a_zip_cost_two_requests() {
    let Some((inside, requests, bytes)) = without_pictures("zip/pictures.zip") else { return };
    assert_eq!((inside.inert.len(), inside.entries.len()), (100_000, 300));
    assert!(inside.gaps.is_empty(), "{:?}", inside.gaps);
    for (path, content) in &inside.entries {
        let number = path.trim_start_matches("notes/").trim_end_matches(".txt");
        assert_eq!(*content, format!("note {number}\n").repeat(20).into_bytes());
    }
    // The end and the directory; the notes lie together in one more.
    assert!(requests <= 3, "{requests} requests");
    assert!(bytes < 9 << 20, "{bytes} bytes of 18 MB");
}

fn assert_documents(inside: &Inside, what: &str) {
    let mut count = 0;
    for (path, content) in lidless_kit::tree().unwrap() {
        let Some(rest) = path.strip_prefix("Users/alice/") else { continue };
        if !rest.starts_with("Documents/") || content.is_empty() {
            continue;
        }
        count += 1;
        let found = inside.entries.iter().find(|(name, _)| name.ends_with(rest));
        let (_, bytes) = found.unwrap_or_else(|| panic!("{what}: {path}, {:?}", inside.gaps));
        assert!(*bytes == content, "{what}: {path}");
    }
    assert!(count > 3);
}

#[test]
fn every_method_of_zip_is_undone() {
    let Some(inside) = open_fixture("zip/tree.zip") else { return };
    assert!(inside.gaps.is_empty(), "{:?}", inside.gaps);
    inside.assert_tree("");
    assert!(inside.requests < 12, "{} requests", inside.requests);
    for method in ["Copy", "Deflate", "Deflate64", "BZip2", "LZMA"] {
        let inside = open_fixture(&format!("zip/{method}.zip")).unwrap();
        assert!(inside.gaps.is_empty(), "{method}: {:?}", inside.gaps);
        assert_documents(&inside, method);
    }
}

#[test]
fn encrypted_members_are_listed_and_counted_once() {
    for name in ["aes", "zipcrypto"] {
        let Some(inside) = open_fixture(&format!("zip/{name}.zip")) else { return };
        let plain: Vec<_> = inside.entries.iter().filter(|(_, bytes)| !bytes.is_empty()).collect();
        assert!(plain.is_empty(), "{name}: {plain:?}");
        assert!(inside.inert.len() >= 4, "{name}: {:?}", inside.inert);
        let reasons: Vec<&str> = inside.gaps.iter().map(|gap| gap.0.as_str()).collect();
        assert_eq!(reasons, ["encrypted members of a zip archive"], "{name}");
    }
}

#[test]
fn archives_in_parts_are_put_together() {
    let Some(inside) = open_fixture("zip/parts.zip") else { return };
    assert!(inside.gaps.is_empty(), "{:?}", inside.gaps);
    inside.assert_tree("");
    // The others are read through the last one.
    let part = open_fixture("zip/parts.z02").unwrap();
    assert!(part.entries.is_empty() && part.gaps.is_empty(), "{:?}", part.gaps);
    let first = open_fixture("zip/parts.z01").unwrap();
    assert!(first.entries.is_empty() && first.gaps.is_empty(), "{:?}", first.gaps);
    let bytes = std::fs::read(fixture("zip/parts.zip").unwrap()).unwrap();
    let alone = suite::open("parts.zip", &bytes);
    assert!(alone.has_gap("in parts, of which some are missing"), "{:?}", alone.gaps);
    for first in ["zip/volumes.zip.001", "sevenzip/parts.7z.001"] {
        let path = fixture(first).unwrap();
        let inside = Open { deep: true, ..Open::default() }.artifact(&suite::artifact(&path));
        assert_eq!(inside.peeler, Some("parts"));
        assert!(inside.gaps.is_empty(), "{first}: {:?}", inside.gaps);
        assert_documents(&inside, first);
        let second = open_fixture(&first.replace("001", "002")).unwrap();
        assert!(second.entries.is_empty() && second.gaps.is_empty(), "{first}");
    }
}

#[test]
fn every_method_of_7z_is_undone() {
    let methods = [
        "lzma2",
        "lzma",
        "ppmd",
        "bzip2",
        "deflate",
        "deflate64",
        "copy",
        "delta",
        "bcj",
        "bcj2",
        "unsolid",
        "plain",
    ];
    for method in methods {
        let Some(inside) = open_fixture(&format!("sevenzip/{method}.7z")) else { return };
        assert!(inside.gaps.is_empty(), "{method}: {:?}", inside.gaps);
        // The slowest method has no large file.
        if method == "ppmd" {
            assert_documents(&inside, method);
        } else {
            inside.assert_tree("");
        }
        // The listing of 7-Zip, folders left out.
        let path = fixture(&format!("sevenzip/{method}.7z")).unwrap();
        let output = Command::new("7zz").arg("l").arg("-ba").arg("-slt").arg(&path).output();
        let output = String::from_utf8_lossy(&output.unwrap().stdout).into_owned();
        let mut listed: Vec<String> = output
            .split("\n\n")
            .filter(|one| !one.contains("Attributes = D"))
            .filter_map(|one| one.trim().strip_prefix("Path = ")?.lines().next())
            .map(str::to_owned)
            .collect();
        listed.sort();
        let mut own: Vec<String> = inside.entries.iter().map(|(name, _)| name.clone()).collect();
        own.extend(inside.inert.iter().cloned());
        own.sort();
        assert_eq!(own, listed, "{method}");
    }
}

#[test]
fn a_solid_block_is_decoded_no_further_than_it_must_be() {
    let Some((inside, requests, bytes)) = without_pictures("sevenzip/copy.7z") else { return };
    assert!(inside.gaps.is_empty() && inside.inert.iter().any(|name| name.ends_with("noise.bin")));
    assert!(requests < 12 && bytes < 3 << 20, "{requests} requests, {bytes} bytes");
    let (inside, _, _) = without_pictures("sevenzip/lzma2.7z").unwrap();
    assert!(inside.gaps.is_empty(), "{:?}", inside.gaps);
    assert!(inside.entries.len() > 300);
    let limits = Limits { expansion_bytes: 100_000, expansion_ratio: 0, ..Limits::default() };
    let inside = Open { limits, ..Open::default() }.fixture("sevenzip/lzma2.7z").unwrap();
    assert!(inside.has_gap("expands past the limit"), "{:?}", inside.gaps);
    assert!(!inside.entries.is_empty() && !inside.inert.is_empty());
}

#[test]
fn encrypted_7z_archives_are_told() {
    let Some(inside) = open_fixture("sevenzip/content.7z") else { return };
    assert!(inside.inert.iter().any(|name| name == "home/bob/.git-credentials"));
    assert!(inside.entries.is_empty());
    let reasons: Vec<&str> = inside.gaps.iter().map(|gap| gap.0.as_str()).collect();
    assert_eq!(reasons, ["encrypted members of a 7z archive"]);
    assert!(inside.requests <= 2, "{} requests", inside.requests);
    let inside = open_fixture("sevenzip/header.7z").unwrap();
    assert!(inside.has_gap("a 7z archive whose directory is encrypted"), "{:?}", inside.gaps);
}

#[test]
fn cut_and_changed_archives_cost_little() {
    let Some(path) = fixture("zip/Deflate.zip") else { return };
    let sample = std::fs::read(path).unwrap();
    let end = sample.len();
    torture_at("x.zip", &sample, &[0..200, end - 600..end], 60);
    let sample = std::fs::read(fixture("sevenzip/plain.7z").unwrap()).unwrap();
    let end = sample.len();
    torture_at("x.7z", &sample[..], &[0..40, end - 9000..end], 6);
}
