//! RAR archives. No free tool makes them, so the bytes are built here after the published notes
//! on both formats, and bsdtar says whether it reads them the same way.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

mod suite;

use std::process::Command;
use suite::made::{crc, rar4_block};
use suite::{Open, open, torture};

fn file4(name: &str, content: &[u8], method: u8, flags: u16) -> Vec<u8> {
    let mut rest = (content.len() as u32).to_le_bytes().to_vec();
    rest.extend((content.len() as u32).to_le_bytes());
    rest.push(3);
    rest.extend(crc(content).to_le_bytes());
    rest.extend((((40u32 << 9) | (9 << 5) | 13) << 16 | (12 << 11) | (26 << 5) | 20).to_le_bytes());
    rest.extend([29, method]);
    rest.extend((name.len() as u16).to_le_bytes());
    rest.extend(0o100_644u32.to_le_bytes());
    rest.extend(name.as_bytes());
    rar4_block(0x74, 0x8000 | flags, &rest, content)
}

fn rar4(files: &[Vec<u8>]) -> Vec<u8> {
    let mut archive = b"Rar!\x1a\x07\0".to_vec();
    archive.extend(rar4_block(0x73, 0, &[0; 6], &[]));
    files.iter().for_each(|file| archive.extend(file));
    archive.extend(rar4_block(0x7b, 0x4000, &[], &[]));
    archive
}

fn number(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn block5(kind: u64, flags: u64, rest: &[u8], extra: &[u8], data: &[u8]) -> Vec<u8> {
    let mut header = number(kind);
    let extended = if extra.is_empty() { 0 } else { 1 };
    let filled = if kind == 2 { 2 } else { 0 };
    header.extend(number(flags | extended | filled));
    if extended != 0 {
        header.extend(number(extra.len() as u64));
    }
    if filled != 0 {
        header.extend(number(data.len() as u64));
    }
    header.extend(rest);
    header.extend(extra);
    let mut sized = number(header.len() as u64);
    sized.extend(header);
    let mut block = crc(&sized).to_le_bytes().to_vec();
    block.extend(sized);
    block.extend(data);
    block
}

fn file5(name: &str, content: &[u8], coding: u64, extra: &[u8], flags: u64) -> Vec<u8> {
    let mut rest = number(6);
    rest.extend(number(content.len() as u64));
    rest.extend(number(0o100_644));
    rest.extend(1_600_000_000u32.to_le_bytes());
    rest.extend(crc(content).to_le_bytes());
    rest.extend(number(coding));
    rest.extend(number(1));
    rest.extend(number(name.len() as u64));
    rest.extend(name.as_bytes());
    block5(2, flags, &rest, extra, content)
}

fn rar5(files: &[Vec<u8>]) -> Vec<u8> {
    let mut archive = b"Rar!\x1a\x07\x01\0".to_vec();
    archive.extend(block5(1, 0, &number(0), &[], &[]));
    files.iter().for_each(|file| archive.extend(file));
    archive.extend(block5(5, 0, &number(0), &[], &[]));
    archive
}

/// The names that bsdtar lists, and the content of the first.
fn listed(bytes: &[u8]) -> (Vec<String>, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.rar");
    std::fs::write(&path, bytes).unwrap();
    let output = Command::new("bsdtar").arg("-tf").arg(&path).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let names: Vec<String> = text.lines().map(str::to_owned).collect();
    let first = Command::new("bsdtar").arg("-xOf").arg(&path).arg(&names[0]).output().unwrap();
    (names, first.stdout)
}

#[test]
fn stored_members_are_opened_and_compressed_ones_told() {
    let four = rar4(&[
        file4("Users/alice/.ssh/id_ed25519", b"made up", 0x30, 0),
        file4("notes.txt", b"not really compressed", 0x33, 0),
    ]);
    let five = rar5(&[
        file5("Users/alice/.ssh/id_ed25519", b"made up", 0, &[], 0),
        file5("notes.txt", b"not really compressed", 3 << 7, &[], 0),
    ]);
    for (what, archive) in [("4", four), ("5", five)] {
        let inside = open("x.rar", &archive);
        assert_eq!(inside.peeler, Some("RAR"));
        assert_eq!(inside.entries.len(), 1, "{what}: {:?}", inside.gaps);
        assert_eq!(inside.at("Users/alice/.ssh/id_ed25519").unwrap(), b"made up");
        assert_eq!(inside.inert, ["notes.txt"], "{what}");
        let reasons: Vec<&str> = inside.gaps.iter().map(|gap| gap.0.as_str()).collect();
        assert_eq!(reasons, ["a RAR member that is compressed in a way that is not read"]);
        assert!(inside.requests <= 4, "{what}: {} requests", inside.requests);
        let names = ["Users/alice/.ssh/id_ed25519", "notes.txt"].map(str::to_owned).to_vec();
        assert_eq!(listed(&archive), (names, b"made up".to_vec()), "{what}: as bsdtar reads it");
        torture("x.rar", &archive);
    }
}

#[test]
fn encrypted_and_split_members_are_told() {
    let four = rar4(&[file4("secret.txt", b"cipher text", 0x30, 4), file4("a", b"b", 0x30, 2)]);
    let lock = [&number(2)[..], &number(1)[..], &number(0)[..]].concat();
    let five =
        rar5(&[file5("secret.txt", b"cipher text", 0, &lock, 0), file5("a", b"b", 0, &[], 0x10)]);
    for archive in [four, five] {
        let inside = open("x.rar", &archive);
        assert!(inside.entries.is_empty());
        assert_eq!(inside.inert, ["secret.txt", "a"]);
        assert!(inside.has_gap("encrypted members of a RAR archive"), "{:?}", inside.gaps);
        assert!(inside.has_gap("a RAR member that lies in several volumes"));
    }
    let mut four = b"Rar!\x1a\x07\0".to_vec();
    four.extend(rar4_block(0x73, 0x80, &[0; 6], b"noise"));
    let mut five = b"Rar!\x1a\x07\x01\0".to_vec();
    five.extend(block5(4, 0, &[0; 20], &[], b"noise"));
    for archive in [four, five] {
        let inside = open("x.rar", &archive);
        assert!(inside.has_gap("a RAR archive whose headers are encrypted"), "{:?}", inside.gaps);
    }
}

#[test]
fn an_archive_behind_a_program_is_opened() {
    let mut program = vec![0u8; 4096];
    program[..2].copy_from_slice(b"MZ");
    program[60] = 0x80;
    program[0x80..0x84].copy_from_slice(b"PE\0\0");
    program[0x86] = 1;
    program[0x98 + 16..0x98 + 24].copy_from_slice(&[0, 8, 0, 0, 0, 8, 0, 0]);
    program.extend(rar5(&[file5("inside.txt", b"content", 0, &[], 0)]));
    let inside = Open { deep: true, ..Open::default() }.bytes("setup.exe", &program);
    assert_eq!(inside.at("inside.txt").unwrap(), b"content");
    assert!(open("setup.exe", &program[..4096]).peeler.is_none());
}
