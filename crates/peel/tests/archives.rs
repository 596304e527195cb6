//! What archives hold, what they hide, and what hostile ones cost.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

#[path = "suite/made.rs"]
mod made;

use lidless_core::{Artifact, Entry, Finding, Gap, Layer, Limits, Provenance};
use lidless_io::{Counted, MemoryBytes, ReadAt, ReadError, Tally, read_vec};
use lidless_peel::{Peelers, Sink};
use made::zip;
use std::io::Write as _;
use std::sync::Arc;

#[derive(Default)]
struct Inside {
    entries: Vec<(String, Vec<u8>)>,
    inert: usize,
    gaps: Vec<String>,
    findings: Vec<String>,
}

impl Sink for Inside {
    fn entry(&mut self, artifact: Artifact) {
        let bytes = read_vec(&*artifact.bytes, 0, 1 << 20).unwrap_or_default();
        self.entries.push((artifact.entry.provenance.path().to_owned(), bytes));
    }
    fn inert(&mut self, _: Entry, _: &'static str) {
        self.inert += 1;
    }
    fn gap(&mut self, gap: Gap) {
        self.gaps.push(gap.reason);
    }
    fn finding(&mut self, finding: Finding) {
        self.findings.push(finding.rule);
    }
}

fn peel_source(name: &str, bytes: Arc<dyn ReadAt>, limits: &Limits) -> Inside {
    let place = Provenance::new(Layer::File { path: format!("/{name}") });
    let artifact = Artifact::new(Entry::new(place, Some(bytes.len())), bytes);
    let head = read_vec(&*artifact.bytes, 0, 16 << 10).unwrap();
    let mut inside = Inside::default();
    if let Some(peeler) = Peelers::new().find(&artifact, &head) {
        peeler.peel(&artifact, &head, limits, &mut inside);
    }
    inside
}

fn peel(name: &str, bytes: &[u8]) -> Inside {
    peel_source(name, Arc::new(MemoryBytes::new(bytes.to_vec())), &Limits::default())
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, content) in members {
        let mut block = vec![0u8; 512];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        block[156] = b'0';
        block[257..263].copy_from_slice(b"ustar\0");
        block[148..156].copy_from_slice(b"        ");
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        out.extend(block);
        out.extend(*content);
        out.resize(out.len().div_ceil(512) * 512, 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn members_come_out_of_every_wrapping() {
    let zipped = zip(&[("a/b.txt", b"stored", 0), ("c.txt", b"deflated deflated", 8)]);
    let inside = peel("x.bin", &zipped);
    assert_eq!(
        inside.entries,
        [("a/b.txt".into(), b"stored".to_vec()), ("c.txt".into(), b"deflated deflated".to_vec())]
    );
    assert!(inside.gaps.is_empty() && inside.findings.is_empty());
    let inside = peel("x", &tar(&[("one", b"1"), ("two", &[7; 700])]));
    assert_eq!(inside.entries, [("one".into(), b"1".to_vec()), ("two".into(), vec![7; 700])]);
    let inside = peel("notes.txt.gz", &gzip(b"hello"));
    assert_eq!(inside.entries, [("notes.txt".into(), b"hello".to_vec())]);
    assert_eq!(peel("x.tgz", &gzip(b"hello")).entries[0].0, "x.tar");
    assert_eq!(peel("x.7z", b"7z\xbc\xaf\x27\x1c rest").gaps.len(), 1);
    assert_eq!(peel("x.rar", b"Rar!\x1a\x07\0 rest").gaps.len(), 1);
    assert!(peel("plain.txt", b"just text").entries.is_empty());
}

#[test]
fn bytes_in_front_and_lying_flags_hide_nothing() {
    let mut hidden = b"GIF89a not really".to_vec();
    let shift = hidden.len();
    hidden.extend(zip(&[("evil.pkl", b"\x80\x02.", 0)]));
    assert_eq!(peel("model.pt", &hidden).entries.len(), 1, "{shift} bytes in front");
    let mut flagged = zip(&[("data.txt", b"content", 8)]);
    let directory = flagged.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    flagged[directory + 8] |= 0x21;
    assert_eq!(peel("x.zip", &flagged).entries[0].1, b"content");
}

#[test]
fn two_faces_of_one_archive_are_a_finding_and_both_are_looked_at() {
    let mut two = zip(&[("a.txt", b"first", 0)]);
    let second = zip(&[("b.txt", b"second", 0)]);
    two.extend(&second);
    let inside = peel("x.zip", &two);
    assert!(inside.findings.contains(&"zip.several_directories".into()), "{:?}", inside.findings);
    let names: Vec<&str> = inside.entries.iter().map(|one| one.0.as_str()).collect();
    assert!(names.contains(&"a.txt") && names.contains(&"b.txt"), "{names:?}");
    let mut renamed = zip(&[("good.txt", b"content", 0)]);
    renamed[30..34].copy_from_slice(b"evil");
    assert_eq!(peel("x.zip", &renamed).findings, ["zip.views_differ"]);
    let twice = zip(&[("a.pkl", b"1", 0), ("a.pkl", b"2", 0)]);
    let inside = peel("x.zip", &twice);
    assert_eq!((inside.entries.len(), inside.findings.len()), (2, 1));
}

#[test]
fn a_bomb_is_a_gap() {
    let bomb = gzip(&vec![0; 40 << 20]);
    let limits = Limits { expansion_bytes: 1 << 20, expansion_ratio: 1, ..Limits::default() };
    let inside = peel_source("x.gz", Arc::new(MemoryBytes::new(bomb)), &limits);
    assert_eq!(inside.gaps, ["a gzip stream that expands past the limit"]);
    let bomb = zip(&[("a", &vec![0; 4 << 20], 8), ("b", &vec![0; 4 << 20], 8)]);
    let inside = peel_source("x.zip", Arc::new(MemoryBytes::new(bomb)), &limits);
    assert!(!inside.gaps.is_empty());
}

/// A gigabyte of tensors that are never read: reading zeros there is cheap, and counted.
struct Sparse {
    length: u64,
    parts: Vec<(u64, Vec<u8>)>,
}

impl ReadAt for Sparse {
    fn len(&self) -> u64 {
        self.length
    }
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let size = (self.length.saturating_sub(offset)).min(buffer.len() as u64) as usize;
        for (index, slot) in buffer[..size].iter_mut().enumerate() {
            let at = offset + index as u64;
            *slot = self
                .parts
                .iter()
                .find_map(|(start, bytes)| {
                    at.checked_sub(*start).and_then(|i| bytes.get(i as usize).copied())
                })
                .unwrap_or(0);
        }
        Ok(size)
    }
}

#[test]
fn a_checkpoint_of_a_gigabyte_is_opened_by_its_ends() {
    const TENSOR: u64 = 3_500_000;
    let pickle = vec![b'.'; 20_000];
    let (mut parts, mut directory) = (Vec::new(), Vec::new());
    let mut offset = 0u64;
    let mut add = |name: String, size: u64, content: Option<&[u8]>| {
        let mut header = b"PK\x03\x04\x14\0\0\0\0\0".to_vec();
        header.extend([0; 8]);
        header.extend((size as u32).to_le_bytes());
        header.extend((size as u32).to_le_bytes());
        header.extend((name.len() as u16).to_le_bytes());
        header.extend([0; 2]);
        header.extend(name.as_bytes());
        directory.extend(b"PK\x01\x02\x14\0\x14\0\0\0\0\0");
        directory.extend([0; 8]);
        directory.extend((size as u32).to_le_bytes());
        directory.extend((size as u32).to_le_bytes());
        directory.extend((name.len() as u16).to_le_bytes());
        directory.extend([0; 12]);
        directory.extend((offset as u32).to_le_bytes());
        directory.extend(name.as_bytes());
        header.extend(content.unwrap_or(&[]));
        let length = 30 + name.len() as u64 + size;
        parts.push((offset, header));
        offset += length;
    };
    add("archive/data.pkl".into(), pickle.len() as u64, Some(&pickle));
    for number in 0..300 {
        add(format!("archive/data/{number}"), TENSOR, None);
    }
    let mut end = directory.clone();
    end.extend(b"PK\x05\x06\0\0\0\0\x2d\x01\x2d\x01");
    end.extend((directory.len() as u32).to_le_bytes());
    end.extend((offset as u32).to_le_bytes());
    end.extend([0; 2]);
    let length = offset + end.len() as u64;
    parts.push((offset, end));
    let tally = Tally::default();
    let counted = Counted::new(Arc::new(Sparse { length, parts }), tally.clone());
    let inside = peel_source("m.ckpt", Arc::new(counted), &Limits::default());
    assert_eq!((inside.entries.len(), inside.inert), (1, 300), "{:?}", inside.gaps);
    assert_eq!(inside.entries[0].1, pickle);
    assert!(
        tally.requests() <= 4 && tally.bytes() <= 128 << 10,
        "{} {}",
        tally.requests(),
        tally.bytes()
    );
}

/// A 7z archive of one member that is stored. Source: 7zFormat.txt of the LZMA SDK.
fn seven_zip(name: &str, content: &[u8]) -> Vec<u8> {
    let size = content.len() as u8;
    assert!(size < 0x80, "one byte a number");
    let names: Vec<u8> = name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
    let mut header = vec![1, 4, 6, 0, 1, 9, size, 0, 7, 0xb, 1, 0, 1, 1, 0, 0xc, size, 0, 8, 0, 0];
    header.extend([5, 1, 0x11, names.len() as u8 + 1, 0]);
    header.extend(names);
    header.extend([0, 0]);
    let mut start = (content.len() as u64).to_le_bytes().to_vec();
    start.extend((header.len() as u64).to_le_bytes());
    start.extend(crc(&header).to_le_bytes());
    let magic = b"7z\xbc\xaf\x27\x1c\0\x04";
    [&magic[..], &crc(&start).to_le_bytes(), &start, content, &header].concat()
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[test]
fn seven_zip_archives_are_opened() {
    let inside = peel("x.bin", &seven_zip("model/data.pkl", b"\x80\x02N."));
    assert!(inside.gaps.is_empty(), "{:?}", inside.gaps);
    assert_eq!(inside.entries.len(), 1);
    assert_eq!(inside.entries[0].1, b"\x80\x02N.");
    let broken = seven_zip("a", b"content");
    assert_eq!(peel("x.7z", &broken[..broken.len() - 3]).gaps.len(), 1);
}

#[test]
fn every_peeler_survives_cuts_and_flips() {
    let inner = zip(&[("a.txt", b"some content", 8), ("b", b"more", 0)]);
    for (name, sample) in [
        ("x.zip", inner.clone()),
        ("x.tar", tar(&[("a", b"content"), ("b.zip", &inner)])),
        ("x.gz", gzip(b"some content that is compressed")),
        ("x.7z", seven_zip("a", b"content")),
    ] {
        let limits = Limits { expansion_bytes: 1 << 20, members: 100, ..Limits::default() };
        lidless_kit::cut_and_flip(&sample, |bytes| {
            let _ = peel_source(name, Arc::new(MemoryBytes::new(bytes.to_vec())), &limits);
        });
        let none = Limits { expansion_bytes: 0, expansion_ratio: 0, members: 0, ..limits };
        let _ = peel_source(name, Arc::new(MemoryBytes::new(sample)), &none);
    }
}
