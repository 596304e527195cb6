//! Windows images.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

mod suite;

use lidless_kit::fixture;
use std::process::Command;
use suite::{Inside, open_fixture, torture_at};

/// The files that wimlib lists in an image; folders are those that another path lies below.
fn listed(path: &str, image: &str) -> Vec<String> {
    let path = fixture(path).unwrap();
    let output = Command::new("wimlib-imagex").arg("dir").arg(path).arg(image).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let all: Vec<String> = text.lines().map(|line| line.trim_start_matches('/').into()).collect();
    let is_folder = |one: &String| {
        one.is_empty() || all.iter().any(|other| other.starts_with(&format!("{one}/")))
    };
    let mut files: Vec<String> = all.iter().filter(|one| !is_folder(one)).cloned().collect();
    files.sort();
    files
}

fn names(inside: &Inside) -> Vec<String> {
    let mut names: Vec<String> = inside.entries.iter().map(|one| one.0.clone()).collect();
    names.extend(inside.inert.iter().cloned());
    names.sort();
    names
}

#[test]
fn images_of_every_compression_give_every_file() {
    for name in [
        "none.wim",
        "xpress.wim",
        "lzx.wim",
        "large-chunks.wim",
        "solid-lzx.esd",
        "lzms.wim",
        "solid.esd",
    ] {
        let path = format!("wim/{name}");
        let Some(inside) = open_fixture(&path) else { return };
        assert_eq!(inside.peeler, Some("WIM"));
        assert!(inside.gaps.is_empty(), "{name}: {:?}", inside.gaps);
        inside.assert_tree("");
        assert_eq!(names(&inside), listed(&path, "1"), "{name}");
        assert!(inside.requests < 60, "{name}: {} requests", inside.requests);
        println!("{name}: {} requests, {} bytes", inside.requests, inside.bytes);
    }
}

#[test]
fn programs_come_out_as_they_were() {
    for name in ["programs-lzx.wim", "programs-lzms.wim", "programs.esd"] {
        let Some(inside) = open_fixture(&format!("wim/{name}")) else { return };
        assert!(inside.gaps.is_empty(), "{name}: {:?}", inside.gaps);
        for program in ["bash", "tar"] {
            let content = std::fs::read(fixture(&format!("wim/programs/{program}")).unwrap());
            assert!(inside.at(program).unwrap() == content.unwrap(), "{name}: {program}");
        }
    }
}

#[test]
fn a_copy_of_a_machine_is_told_from_a_medium() {
    let Some(inside) = open_fixture("wim/two.wim") else { return };
    assert!(inside.gaps.is_empty(), "{:?}", inside.gaps);
    inside.assert_tree("1!/");
    assert_eq!(inside.at("2!/Users/bob/notes.txt").unwrap(), b"secret of bob");
    let finding = inside.findings.iter().find(|f| f.rule == "backup.windows_image").unwrap();
    assert_eq!(finding.severity.to_string(), "high");
    assert_eq!(finding.detail["images"], serde_json::json!(["Disk C", "Disk D"]));
    let bytes = std::fs::read(fixture("wim/xpress.wim").unwrap()).unwrap();
    let medium = suite::open("install.wim", &bytes);
    assert!(medium.findings.is_empty(), "{:?}", medium.findings);
}

#[test]
fn images_in_parts_are_put_together() {
    let Some(inside) = open_fixture("wim/parts.swm") else { return };
    assert!(inside.gaps.is_empty(), "{:?}", inside.gaps);
    inside.assert_tree("");
    let second = open_fixture("wim/parts2.swm").unwrap();
    assert!(second.entries.is_empty() && second.gaps.is_empty(), "{:?}", second.gaps);
    let bytes = std::fs::read(fixture("wim/parts.swm").unwrap()).unwrap();
    let alone = suite::open("parts.swm", &bytes);
    assert!(alone.has_gap("a Windows image of which parts are missing"), "{:?}", alone.gaps);
    assert!(alone.has_gap("a file of a Windows image in a missing part"));
    assert!(names(&alone).len() > 300, "names are listed all the same");
    let bytes = std::fs::read(fixture("wim/parts2.swm").unwrap()).unwrap();
    assert!(suite::open("parts2.swm", &bytes).has_gap("the first of which is missing"));
}

#[test]
fn cut_and_changed_images_cost_little() {
    let Some(path) = fixture("wim/small-lzx.wim") else { return };
    let sample = std::fs::read(path).unwrap();
    let end = sample.len();
    torture_at("x.wim", &sample, &[0..208, 208..end], 150);
}

#[test]
fn a_folder_that_contains_itself_is_entered_once() {
    let Some(path) = fixture("wim/small-none.wim") else { return };
    let mut image = std::fs::read(path).unwrap();
    let word = |image: &[u8], at: usize| {
        u64::from_le_bytes(image[at..at + 8].try_into().unwrap()) as usize
    };
    let (size, lookup) = (word(&image, 48) & 0xff_ffff, word(&image, 56));
    let lines = (lookup..lookup + size).step_by(50);
    let line = lines.into_iter().find(|line| image[line + 7] & 2 != 0).unwrap();
    let metadata = word(&image, line + 8);
    // The root lies behind the empty security data; its children stand where it says.
    let children = word(&image, metadata + 8 + 16);
    let first = metadata + children;
    assert_eq!(&image[first + 102..first + 106], b"U\0s\0");
    image[first + 16..first + 24].copy_from_slice(&(children as u64).to_le_bytes());
    let inside = suite::open("x.wim", &image);
    assert!(names(&inside).iter().all(|name| !name.starts_with("Users/Users/Users")));
    // A number of names that lies, and a length of a chunk that does.
    image[line + 16..line + 24].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(suite::open("x.wim", &image).has_gap("more names than the limit"));
    image[20..24].copy_from_slice(&3u32.to_le_bytes());
    suite::open("x.wim", &image);
}
