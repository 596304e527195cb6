//! The tables of docs/formats.md, measured: each format's samples are opened, and what came out is
//! compared with what was put in. `LIDLESS_WRITE=1` writes the tables anew.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

mod archives;
mod disks;
mod documents;
mod filesystems;
mod measure;
mod names;
#[path = "../suite/mod.rs"]
mod suite;

use measure::Row;
use std::path::Path;

/// A part of the table: its heading and its rows.
type Part = (&'static str, fn() -> Vec<Row>);

const PARTS: [Part; 8] = [
    ("Disk images", disks::images),
    ("Partition tables", disks::partitions),
    ("Volume managers and encryption", disks::holders),
    ("File systems", filesystems::rows),
    ("Archives", archives::rows),
    ("Compressed streams", archives::streams),
    ("Mail", documents::mail),
    ("Documents", documents::rows),
];

/// Replaces what stands between two markers.
fn replaced(text: &str, marker: &str, table: &str) -> String {
    let (begin, end) = (format!("<!-- {marker}: begin -->\n"), format!("<!-- {marker}: end -->"));
    let (before, rest) = text.split_once(&begin).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    format!("{before}{begin}\n{table}\n{end}{after}")
}

#[test]
fn the_tables_of_the_manual_are_what_is_measured() {
    if lidless_kit::tree().is_none() {
        return;
    }
    let table: String = std::thread::scope(|scope| {
        let measured =
            PARTS.map(|(heading, rows)| scope.spawn(move || measure::table(heading, &rows())));
        measured.map(|part| part.join().unwrap()).concat()
    });
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/formats.md");
    let old = std::fs::read_to_string(&path).unwrap();
    let new = replaced(&old, "measured", table.trim_end());
    let new = replaced(&new, "told", names::table().trim_end());
    if std::env::var_os("LIDLESS_WRITE").is_some() {
        std::fs::write(&path, &new).unwrap();
        return;
    }
    for (number, (old, new)) in (1..).zip(old.lines().zip(new.lines())) {
        assert_eq!(old, new, "docs/formats.md, line {number}: LIDLESS_WRITE=1 writes it anew");
    }
    assert_eq!(old, new, "docs/formats.md: LIDLESS_WRITE=1 writes it anew");
}
