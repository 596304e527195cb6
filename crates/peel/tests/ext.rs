//! ext2, ext3 and ext4: every file of every form, what was deleted, and what is hostile.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

mod suite;

use lidless_core::Interest;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use suite::{Inside, Open, open, open_fixture, torture_at};

/// What `fls -r -p` says: kind, `*` when deleted, inode, path.
fn fls(image: &Path) -> Vec<(String, bool, String, String)> {
    let listed = Command::new("fls").args(["-r", "-p"]).arg(image).output().unwrap();
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let text = String::from_utf8(listed.stdout).unwrap();
    let line = |line: &str| {
        let (head, path) = line.split_once(":\t").unwrap();
        let (kind, inode) = head.split_once(' ').unwrap();
        let deleted = inode.starts_with("* ");
        let inode = inode.trim_start_matches("* ").to_owned();
        (kind.to_owned(), deleted, inode, path.to_owned())
    };
    text.lines().map(line).collect()
}

fn icat(image: &Path, inode: &str) -> Vec<u8> {
    Command::new("icat").arg("-r").arg(image).arg(inode).output().unwrap().stdout
}

/// Every path that was yielded or listed.
fn paths(inside: &Inside) -> BTreeSet<String> {
    inside.entries.iter().map(|(path, _)| path).chain(&inside.inert).cloned().collect()
}

fn tree_in(name: &str, kind: &str) -> Option<Inside> {
    let inside = open_fixture(&format!("ext/{name}.img"))?;
    inside.assert_tree("");
    assert_eq!(inside.gaps, [], "{name}");
    let detail = &inside.findings[0].detail["volumes"][0];
    assert_eq!(detail["kind"], kind, "{name}");
    // The listing is the one that another tool makes, file by file; it does not know bigalloc.
    if name == "bigalloc" {
        assert_eq!(paths(&inside).len(), 311);
        return Some(inside);
    }
    let image = lidless_kit::fixture(&format!("ext/{name}.img"))?;
    let files: BTreeSet<String> = fls(&image)
        .into_iter()
        .filter(|(kind, ..)| kind.ends_with("/r"))
        .map(|(.., path)| path)
        .collect();
    assert_eq!(paths(&inside), files, "{name}");
    eprintln!("{name}: {} requests, {} bytes", inside.requests, inside.bytes);
    Some(inside)
}

#[test]
fn every_file_of_every_form_is_listed_and_read() {
    for (name, kind) in [
        ("ext2", "ext2"),
        ("plain", "ext2"),
        ("indexed", "ext2"),
        ("ext3", "ext3"),
        ("ext4", "ext4"),
        ("small_blocks", "ext4"),
        ("inline", "ext4"),
        ("indirect", "ext4"),
        ("meta_bg", "ext4"),
        ("bigalloc", "ext4"),
        ("groups", "ext4"),
    ] {
        let Some(inside) = tree_in(name, kind) else { return };
        assert!(inside.requests < 60, "{name}: {} requests", inside.requests);
    }
}

#[test]
fn labels_and_times_are_told() {
    let Some(inside) = open_fixture("ext/ext4.img") else { return };
    assert_eq!(inside.findings[0].detail["volumes"][0]["label"], "data");
    assert_eq!(inside.findings[0].detail["volumes"][0]["directories"], 15);
}

#[test]
fn what_was_deleted_is_listed_and_read_where_its_blocks_are_known() {
    for name in ["ext2", "ext4", "plain"] {
        let file = format!("ext/deleted_{name}.img");
        let Some(image) = lidless_kit::fixture(&file) else { return };
        let listed = fls(&image);
        let gone: Vec<_> = listed.iter().filter(|(_, deleted, ..)| *deleted).collect();
        assert!(gone.len() >= 7, "{gone:?}");
        let mut interests = BTreeMap::new();
        for (.., path) in &gone {
            let name = path.rsplit('/').next().unwrap().to_owned();
            interests.insert(name, Interest::High);
        }
        let inside = Open { interests, ..Open::default() }.fixture(&file).unwrap();
        let found = paths(&inside);
        for (kind, _, inode, path) in &gone {
            if kind.ends_with("/d") {
                continue;
            }
            // fls does not see which directory a file of a deleted one was in, where the name of
            // that directory was deleted in one that was deleted as well.
            let name = path.rsplit('/').next().unwrap();
            let is_it = |known: &str| known.starts_with("[deleted]/") && known.ends_with(name);
            let (place, content) = inside.entries.iter().find(|(known, _)| is_it(known)).unwrap();
            assert!(*place == format!("[deleted]/{path}") || path.contains("OrphanFile"));
            let inode = inode.trim_end_matches("(realloc)");
            assert!(*content == icat(&image, inode), "{place}");
            assert!(!content.is_empty(), "{place}");
        }
        // Of directories without a name, fls lists only those that were deleted; the one that
        // was only unlinked stays in use, and what lies in it is listed here.
        for (kind, deleted, _, path) in &listed {
            if kind.ends_with("/r") && !deleted && !path.contains("many/file0200") {
                assert!(found.contains(path) || path.contains("many/file0250"), "{path}");
            }
        }
        let closed = inside.gaps.iter().filter(|(why, _)| why == "a file encrypted with fscrypt");
        assert_eq!(closed.count(), 2, "{:?}", inside.gaps);
        assert_eq!(inside.gaps.len(), 2, "{:?}", inside.gaps);
        let volume = &inside.findings[0].detail["volumes"][0];
        assert_eq!(volume["deleted"], 10, "{volume}");
    }
}

#[test]
fn files_in_many_pieces_are_put_together() {
    let Some(image) = lidless_kit::fixture("ext/pieces.img") else { return };
    let inside = open_fixture("ext/pieces.img").unwrap();
    assert_eq!(inside.gaps, []);
    for (kind, deleted, inode, path) in fls(&image) {
        if kind.ends_with("/r") && !deleted {
            // icat fails on trees that are deeper than one level.
            let expected = match path.as_str() {
                "block" => vec![b'y'; 5_200_000],
                "large" => icat(&image, &inode),
                _ => vec![b'x'; 1024],
            };
            assert!(inside.at(&path).unwrap() == expected, "{path}");
        }
    }
    let expected = std::fs::read(lidless_kit::fixture("ext/large").unwrap()).unwrap();
    assert!(inside.at("large").unwrap() == expected);
}

#[test]
fn a_journal_that_was_not_played_back_is() {
    let Some(dirty) = lidless_kit::fixture("ext/dirty.img") else { return };
    let inside = Open::default().fixture("ext/dirty.img").unwrap();
    assert_eq!(inside.gaps, []);
    let recovered = open_fixture("ext/recovered.img").unwrap();
    let sorted = |inside: &Inside| inside.entries.iter().cloned().collect::<BTreeMap<_, _>>();
    assert_eq!(sorted(&inside), sorted(&recovered));
    assert_eq!(inside.at("folder/new.txt").unwrap(), b"a new file\n");
    assert!(inside.at("file7.txt").is_none());
    // Without its last commit a transaction did not happen; without the first, neither did.
    let bytes = std::fs::read(dirty).unwrap();
    let commits: Vec<usize> = (0..bytes.len() - 12)
        .step_by(1024)
        .filter(|at| bytes[*at..*at + 8] == [0xc0, 0x3b, 0x39, 0x98, 0, 0, 0, 2])
        .collect();
    assert_eq!(commits.len(), 2);
    let mut changed = bytes.clone();
    changed[commits[0]] = 0;
    let before = open_fixture("ext/before.img").unwrap();
    assert_eq!(sorted(&open("x.img", &changed)), sorted(&before));
    let log = commits[0] - 7 * 1024;
    for (range, value) in [(12..16, 0xff), (16..24, 0xff), (28..32, 0xff), (0..4, 0)] {
        let mut changed = bytes.clone();
        changed[log + range.start..log + range.end].fill(value);
        assert!(open("x.img", &changed).has_gap("journal"), "{range:?}");
    }
    // Fast commits at its end, of the transaction after the two: features, how many blocks, the
    // first of them.
    let mut changed = bytes.clone();
    changed[log + 43] |= 0x20;
    changed[log + 84..log + 88].copy_from_slice(&8u32.to_be_bytes());
    // Block 1016 of the journal, by `debugfs -R 'stat <8>'`.
    let fast = 1098 * 1024;
    changed[fast..fast + 12].copy_from_slice(&[9, 0, 8, 0, 0, 0, 0, 0, 3, 0, 0, 0]);
    let inside = open("x.img", &changed);
    assert_eq!(sorted(&inside), sorted(&recovered));
    assert!(inside.has_gap("fast commits of a journal"), "{:?}", inside.gaps);
    torture_at("x.img", &bytes, &[1024..4096, log..log + 14 * 1024], 12);
}

#[test]
fn a_broken_superblock_is_read_from_its_copy() {
    for name in ["ext2", "small_blocks", "indirect"] {
        let Some(image) = lidless_kit::fixture(&format!("ext/{name}.img")) else { return };
        let mut bytes = std::fs::read(image).unwrap();
        bytes[1024..2048].fill(0);
        let inside = open("x.img", &bytes);
        inside.assert_tree("");
        assert!(inside.has_gap("superblock that is broken"), "{name}");
    }
}

#[test]
fn a_volume_that_was_cut_gives_what_is_left_and_says_so() {
    let Some(image) = lidless_kit::fixture("ext/groups.img") else { return };
    let bytes = std::fs::read(image).unwrap();
    let inside = open("x.img", &bytes[..bytes.len() / 12]);
    assert!(inside.has_gap("a file with parts past the end"), "{:?}", inside.gaps);
    assert!(inside.entries.len() > 4, "{}", inside.entries.len());
    assert!(inside.has_gap("a part of a file system that lies past the end"), "{:?}", inside.gaps);
}

#[test]
fn hostile_images_end() {
    for name in ["tiny", "tiny2"] {
        let Some(image) = lidless_kit::fixture(&format!("ext/{name}.img")) else { return };
        let bytes = std::fs::read(image).unwrap();
        let inside = open("x.img", &bytes);
        assert_eq!(inside.at("one.txt").unwrap(), b"one\n");
        assert_eq!(inside.at("folder/noise.bin").unwrap().len(), 3000);
        torture_at("x.img", &bytes, &[1024..2048, 2048..8192, 8192..24 << 10], 60);
    }
}

#[test]
fn directories_that_hold_themselves_end() {
    let Some(image) = lidless_kit::fixture("ext/tiny2.img") else { return };
    let bytes = std::fs::read(image).unwrap();
    // The entry of `folder` in the root is made to name the root.
    let at = bytes.windows(8).position(|window| &window[2..] == b"folder").unwrap() - 6;
    let mut changed = bytes.clone();
    changed[at..at + 4].copy_from_slice(&2u32.to_le_bytes());
    let inside = open("x.img", &changed);
    assert!(inside.at("one.txt").is_some());
    assert!(inside.has_gap("its own ancestor"), "{:?}", inside.gaps);
    assert!(inside.entries.iter().any(|(path, _)| path.starts_with("$OrphanFiles/")));
}

#[test]
fn large_inode_tables_are_read_as_far_as_they_are_in_use() {
    let limits = lidless_core::Limits {
        image_reach: lidless_core::ImageReach::Names,
        ..lidless_core::Limits::default()
    };
    let Some(inside) = Open { limits, ..Open::default() }.fixture("ext/large.img") else { return };
    eprintln!("{} requests, {} bytes", inside.requests, inside.bytes);
    assert_eq!(inside.gaps, []);
    let mut expected: BTreeSet<String> =
        lidless_kit::tree().unwrap().into_iter().map(|(path, _)| path).collect();
    // One in use far behind all others of its group.
    expected.insert("far/inode8000".to_owned());
    assert_eq!(paths(&inside), expected);
    // The tables are 100 MB.
    assert!(inside.bytes < 12 << 20, "{}", inside.bytes);
    assert!(inside.requests < 80, "{}", inside.requests);
}

#[test]
fn encrypted_names_are_told_as_digits() {
    let Some(inside) = open_fixture("ext/encrypted.img") else { return };
    let name: String = b".git-credentials".iter().map(|byte| format!("{byte:02x}")).collect();
    let path = format!("home/encrypted-626f62/encrypted-{name}");
    // mkfs encrypts nothing: the content is still there, under a name nobody would look for.
    assert!(inside.at(&path).is_some(), "{:?}", inside.gaps);
    assert_eq!(inside.gaps.len(), 1, "{:?}", inside.gaps);
    assert!(inside.has_gap("file names encrypted with fscrypt"));
}
