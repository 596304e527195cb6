//! LevelDB databases, compared with what the library itself reads out of one.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

use lidless_io::{Counted, FileBytes, MemoryBytes, Tally};
use lidless_records::leveldb::{
    Extent, Record, current_manifest, is_table, live_files, read_log, read_table,
};
use lidless_records::{Field, Walked, v8_objects};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

fn folder() -> Option<PathBuf> {
    lidless_kit::fixture("leveldb/https_teams.microsoft.com_0.indexeddb.leveldb")
}

fn read(
    name: &str,
    bytes: Vec<u8>,
    visit: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
) -> Result<Extent, lidless_records::RecordError> {
    let bytes = MemoryBytes::new(bytes);
    if name.ends_with(".log") { read_log(&bytes, visit) } else { read_table(&bytes, visit) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

#[test]
fn the_newest_of_all_records_are_what_the_library_lists() {
    let Some(folder) = folder() else { return };
    let current = std::fs::read(folder.join("CURRENT")).unwrap();
    let manifest = folder.join(current_manifest(&current).unwrap());
    let files = live_files(&FileBytes::open(&manifest).unwrap()).unwrap();
    let mut names: Vec<String> =
        files.tables.iter().map(|number| format!("{number:06}.ldb")).collect();
    names.extend(files.logs.iter().map(|number| format!("{number:06}.log")));
    assert!(names.len() >= 2, "{names:?}");
    let mut newest: BTreeMap<Vec<u8>, (u64, Option<Vec<u8>>)> = BTreeMap::new();
    let mut records = 0;
    for name in &names {
        let path = folder.join(name);
        if !path.exists() {
            assert!(name.ends_with(".log"));
            continue;
        }
        let bytes = std::fs::read(path).unwrap();
        assert_eq!(is_table(&MemoryBytes::new(bytes.clone())), name.ends_with(".ldb"));
        let extent = read(name, bytes, &mut |record| {
            let value = (!record.is_deleted).then(|| record.value.to_vec());
            let known = newest.entry(record.key.to_vec()).or_insert((0, None));
            if record.sequence >= known.0 {
                *known = (record.sequence, value);
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!((extent.broken, extent.unread), (0, 0), "{name}");
        records += extent.records;
    }
    let ours: Vec<String> = newest
        .into_iter()
        .filter_map(|(key, (_, value))| {
            let value = value?;
            let tail = hex(&value[value.len().saturating_sub(8)..]);
            Some(format!("{} {} {tail}", hex(&key), value.len()))
        })
        .collect();
    let theirs = std::fs::read_to_string(folder.with_file_name("live.txt")).unwrap();
    let missing: Vec<&str> =
        theirs.lines().filter(|line| !ours.iter().any(|own| own == line)).collect();
    let more: Vec<&String> =
        ours.iter().filter(|own| !theirs.lines().any(|line| line == *own)).collect();
    assert!(missing.is_empty() && more.is_empty(), "missing {missing:?}, more {more:?}");
    assert!(records > ours.len() as u64, "superseded and deleted records are handed out as well");
}

#[test]
fn a_table_is_read_in_few_requests() {
    let Some(folder) = folder() else { return };
    let name = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let table = name.filter(|path| path.extension().is_some_and(|end| end == "ldb")).min().unwrap();
    let tally = Tally::default();
    let bytes = Counted::new(Arc::new(FileBytes::open(&table).unwrap()), tally.clone());
    read_table(&bytes, &mut |_| ControlFlow::Continue(())).unwrap();
    assert!(tally.requests() <= 4, "{} requests", tally.requests());
}

#[test]
fn damaged_files_are_counted_and_no_more() {
    let Some(folder) = folder() else { return };
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.truncate(40_000);
        if name.ends_with(".ldb") || name.ends_with(".log") {
            // Some hundred places spread over the file, and every one of its last hundred bytes.
            let end = bytes.len();
            for place in (0..end).step_by((end / 150).max(1)).chain(end.saturating_sub(100)..end) {
                let mut changed = bytes.clone();
                changed[place] ^= 0x81;
                for hostile in [&changed[..], &bytes[..place]] {
                    let _ = read(&name, hostile.to_vec(), &mut |_| ControlFlow::Continue(()));
                }
            }
            count += 1;
        } else if name.starts_with("MANIFEST") {
            lidless_kit::cut_and_flip(&bytes, |bytes| {
                let _ = live_files(&MemoryBytes::new(bytes.to_vec()));
            });
        }
    }
    assert!(count >= 3);
}

#[test]
fn an_index_that_names_one_block_over_and_over_costs_it_once() {
    // A block of one record, and an index of a thousand entries that all point at it: by hand.
    let block = |entries: &[(Vec<u8>, Vec<u8>)]| {
        let mut block = Vec::new();
        for (key, value) in entries {
            block.extend([0, key.len() as u8, value.len() as u8]);
            block.extend(key);
            block.extend(value);
        }
        block.extend([0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        block
    };
    let key = |name: &str| [name.as_bytes(), &[1, 5, 0, 0, 0, 0, 0, 0]].concat();
    let mut table = block(&[(key("a"), vec![9])]);
    let size = table.len() - 5;
    let handle = vec![0, size as u8];
    let index = block(&(0..1000).map(|_| (key("a"), handle.clone())).collect::<Vec<_>>());
    let (at, length) = (table.len(), index.len() - 5);
    table.extend(index);
    let mut footer = vec![0, 0, at as u8];
    footer.extend([
        (length & 0x7f) as u8 | 0x80,
        (length >> 7 & 0x7f) as u8 | 0x80,
        (length >> 14) as u8,
    ]);
    footer.resize(40, 0);
    table.extend(footer);
    table.extend([0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]);
    let mut seen = Vec::new();
    let extent = read_table(&MemoryBytes::new(table), &mut |record| {
        seen.push((record.key.to_vec(), record.sequence, record.is_deleted));
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(extent.records, 1);
    assert_eq!(seen, [(b"a".to_vec(), 5, false)]);
    assert_eq!(current_manifest(b"MANIFEST-../../x"), None);
}

#[test]
fn objects_are_walked_and_only_what_is_asked_for_is_kept() {
    // {"a": {"Kind": "Text", "n": 1.5, "list": [1, {"kind": "inner"}], "w": "Ł"}, "kind": -2}
    let mut value = vec![3, 0xff, 0x14, 0xff, 0x0f];
    value.extend(b"o\"\x01ao\"\x04Kind\"\x04Text\"\x01nN");
    value.extend(1.5f64.to_le_bytes());
    value.extend(b"\"\x04listA\x02I\x02o\"\x04kind\"\x05inner{\x01$\x00\x02");
    value.extend(b"\"\x01wc\x02\x41\x01{\x04\"\x04kindI\x03{\x02");
    let mut objects = Vec::new();
    let walked =
        v8_objects(&value, &["kind", "n", "w"], &mut |fields| objects.push(fields.clone()));
    assert_eq!(walked, Walked::Whole);
    assert_eq!(
        objects,
        [
            vec![(0, Field::Text("inner".into()))],
            vec![
                (0, Field::Text("Text".into())),
                (1, Field::Number(1.5)),
                (2, Field::Text("Ł".into()))
            ],
            vec![(0, Field::Number(-2.0))],
        ]
    );
    lidless_kit::cut_and_flip(&value, |bytes| {
        v8_objects(bytes, &["kind"], &mut |_| {});
    });
    let deep = [&[0xff, 0x0f][..], &b"A\x01".repeat(5_000)].concat();
    assert_eq!(v8_objects(&deep, &[], &mut |_| {}), Walked::Part);
    assert_eq!(v8_objects(&[1, 0xff, 0x11, 1, 9], &[], &mut |_| {}), Walked::Elsewhere);
    assert_eq!(v8_objects(b"plain text", &[], &mut |_| {}), Walked::Nothing);
}
