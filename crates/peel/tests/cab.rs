//! Cabinets of Windows.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

mod suite;

use lidless_core::{Interest, Limits};
use lidless_kit::fixture;
use std::path::Path;
use std::process::Command;
use suite::{Inside, Open, open, open_fixture, torture};

/// Sizes and names that cabextract lists.
fn listed(path: &Path) -> Vec<(String, String)> {
    let output = Command::new("cabextract").arg("-l").arg(path).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut rows: Vec<(String, String)> = text
        .lines()
        .filter_map(|line| {
            let mut parts = line.splitn(3, " | ");
            let (size, _, name) = (parts.next()?, parts.next()?, parts.next()?);
            size.trim().parse::<u64>().ok()?;
            Some((name.to_owned(), size.trim().to_owned()))
        })
        .collect();
    rows.sort();
    rows
}

fn own(inside: &Inside) -> Vec<(String, String)> {
    let rows = inside.entries.iter().map(|(name, bytes)| (name.clone(), bytes.len().to_string()));
    let mut rows: Vec<(String, String)> = rows.collect();
    rows.sort();
    rows
}

#[test]
fn stored_and_compressed_cabinets_give_every_file() {
    for name in ["mszip", "stored"] {
        let path = format!("cab/{name}.cab");
        let Some(inside) = open_fixture(&path) else { return };
        assert_eq!(inside.peeler, Some("cabinet"));
        assert!(inside.gaps.is_empty(), "{name}: {:?}", inside.gaps);
        inside.assert_tree("");
        assert_eq!(own(&inside), listed(&fixture(&path).unwrap()), "{name}");
        assert!(inside.requests < 14, "{name}: {} requests", inside.requests);
    }
}

#[test]
fn a_folder_is_decoded_no_further_than_it_must_be() {
    let interests = [("noise.bin", "zeros.bin"), ("text.log", "deep.txt")];
    let interests = interests.iter().flat_map(|(one, two)| [*one, *two]);
    let interests = interests.map(|name| (name.to_owned(), Interest::None)).collect();
    let Some(inside) = Open { interests, ..Open::default() }.fixture("cab/mszip.cab") else {
        return;
    };
    assert_eq!(inside.inert.len(), 4);
    assert!(inside.gaps.is_empty());
    let limits = Limits { expansion_bytes: 20_000, expansion_ratio: 0, ..Limits::default() };
    let inside = Open { limits, ..Open::default() }.fixture("cab/mszip.cab").unwrap();
    assert!(inside.has_gap("a cabinet that expands past the limit"), "{:?}", inside.gaps);
}

/// A cabinet of one folder (compression `kind`) with one file, whose block is `data`.
fn cabinet(kind: u16, folder: u16, content: &[u8], data: &[u8]) -> Vec<u8> {
    let name = b"dir\\a.txt\0";
    let files = 44u32;
    let block = files + 16 + name.len() as u32;
    let whole = block + 8 + data.len() as u32;
    let mut out = b"MSCF\0\0\0\0".to_vec();
    out.extend(whole.to_le_bytes());
    out.extend([0; 4]);
    out.extend(files.to_le_bytes());
    out.extend([0; 4]);
    out.extend([3, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    out.extend(block.to_le_bytes());
    out.extend(1u16.to_le_bytes());
    out.extend(kind.to_le_bytes());
    out.extend((content.len() as u32).to_le_bytes());
    out.extend([0; 4]);
    out.extend(folder.to_le_bytes());
    out.extend([0x8d, 0x50, 0, 0x60, 0x20, 0]);
    out.extend(name);
    out.extend([0; 4]);
    out.extend((data.len() as u16).to_le_bytes());
    out.extend((content.len() as u16).to_le_bytes());
    out.extend(data);
    out
}

#[test]
fn lzx_is_decoded_as_cabextract_does() {
    // No free tool writes LZX into cabinets: a stored block of LZX after MS-PATCH, section 2.
    let content = b"what a cabinet holds, by a block of LZX that is not compressed ";
    let bits = (3u32 << 28) | ((content.len() as u32) << 4);
    let mut data = ((bits >> 16) as u16).to_le_bytes().to_vec();
    data.extend((bits as u16).to_le_bytes());
    [1u32; 3].iter().for_each(|recent| data.extend(recent.to_le_bytes()));
    data.extend(content);
    if content.len() % 2 == 1 {
        data.push(0);
    }
    let bytes = cabinet(3 | (15 << 8), 0, content, &data);
    let inside = open("x.cab", &bytes);
    assert!(inside.gaps.is_empty(), "{:?}", inside.gaps);
    assert_eq!(inside.entries, [("dir/a.txt".to_owned(), content.to_vec())]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.cab");
    std::fs::write(&path, &bytes).unwrap();
    let output = Command::new("cabextract").arg("-q").arg("-p").arg(&path).output().unwrap();
    assert_eq!(output.stdout, content);
    torture("x.cab", &bytes);
}

#[test]
fn what_is_not_read_is_told() {
    let inside = open("x.cab", &cabinet(2 | (4 << 4), 0, b"content", b"noise"));
    assert_eq!(inside.inert, ["dir/a.txt"]);
    assert!(inside.has_gap("a cabinet member compressed by Quantum"));
    let inside = open("x.cab", &cabinet(0, 0xfffe, b"content", b"content"));
    assert!(inside.has_gap("a cabinet member that lies in several cabinets"));
    let Some(path) = fixture("cab/small.cab") else { return };
    let sample = std::fs::read(path).unwrap();
    torture("x.cab", &sample);
}
