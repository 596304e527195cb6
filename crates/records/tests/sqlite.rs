//! SQLite databases, compared with what SQLite's own shell says of them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

use lidless_io::{Counted, FileBytes, MemoryBytes, ReadAt, Tally};
use lidless_records::RecordError;
use lidless_records::sqlite::{Database, Value};
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

fn open(path: &Path) -> Database {
    let log = path.with_file_name(format!("{}-wal", path.file_name().unwrap().to_str().unwrap()));
    let log = FileBytes::open(&log).ok().map(|log| Arc::new(log) as Arc<dyn ReadAt>);
    Database::open(Arc::new(FileBytes::open(path).unwrap()), log).unwrap()
}

/// A value as SQLite's `quote` writes it.
fn quote(value: &Value) -> String {
    match value {
        Value::Null => "NULL".into(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Blob(bytes) => {
            let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
                write!(hex, "{byte:02X}").unwrap();
                hex
            });
            format!("X'{hex}'")
        }
        Value::TooLong(length) => panic!("{length} bytes"),
    }
}

fn ours(database: &Database, name: &str) -> Vec<String> {
    let table = database.table(name).unwrap();
    let columns: Vec<&str> = table.columns().collect();
    let mut rows = Vec::new();
    database
        .rows(table, &columns, &mut |row| {
            rows.push(row.values.iter().map(quote).collect::<Vec<_>>().join("|"));
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(database.count(table).unwrap(), rows.len() as u64, "{name}");
    rows
}

fn theirs(path: &Path, name: &str, columns: &[&str]) -> Vec<String> {
    let quoted: Vec<String> = columns
        .iter()
        .map(|column| format!("quote(\"{}\")", column.replace('"', "\"\"")))
        .collect();
    let query = format!("select {} from \"{}\"", quoted.join(","), name.replace('"', "\"\""));
    // A copy: the shell folds logs back into the database.
    let folder = std::env::temp_dir().join(format!("lidless-sqlite-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let copy = folder.join(path.file_name().unwrap());
    for end in ["", "-wal"] {
        let from = format!("{}{end}", path.display());
        if Path::new(&from).exists() {
            std::fs::copy(&from, format!("{}{end}", copy.display())).unwrap();
        }
    }
    let output = Command::new("sqlite3").arg(&copy).arg(query).output().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn every_row_of_every_table_is_what_the_shell_says() {
    if lidless_kit::fixture("sqlite/pages-512.db").is_none() {
        return;
    }
    let files = [
        "pages-512.db",
        "pages-4096.db",
        "pages-65536.db",
        "utf16le.db",
        "utf16be.db",
        "wal.db",
        "Login Data",
        "Cookies",
        "cookies.sqlite",
    ];
    for file in files {
        let path = lidless_kit::fixture(&format!("sqlite/{file}")).unwrap();
        let database = open(&path);
        let mut compared = 0;
        for table in database.tables() {
            let columns: Vec<&str> = table.columns().collect();
            let (mut ours, mut theirs) =
                (ours(&database, &table.name), theirs(&path, &table.name, &columns));
            // The shell walks an index where that is shorter; the order is not what is compared.
            ours.sort();
            theirs.sort();
            assert!(ours == theirs, "{file} {}", table.name);
            compared += ours.len();
        }
        assert!(compared > 30, "{file}");
    }
}

#[test]
fn rows_of_the_log_count_and_what_was_not_committed_does_not() {
    let Some(path) = lidless_kit::fixture("sqlite/wal.db") else { return };
    let whole = open(&path);
    assert!(whole.table("only_in_log").is_some());
    let alone = Database::open(Arc::new(FileBytes::open(&path).unwrap()), None).unwrap();
    assert!(alone.table("only_in_log").is_none(), "without the log it is not there");
    let log = std::fs::read(path.with_file_name("wal.db-wal")).unwrap();
    let cut = |length: usize| {
        let log = Arc::new(MemoryBytes::new(log[..length].to_vec()));
        Database::open(Arc::new(FileBytes::open(&path).unwrap()), Some(log)).unwrap()
    };
    // Each transaction of the log as far as it is whole: never an error.
    let tables: Vec<usize> =
        (0..log.len()).step_by(4096).map(|length| cut(length).tables().len()).collect();
    assert_eq!(tables.first(), Some(&alone.tables().len()));
    assert!(tables.is_sorted());
    let mut bad = log;
    bad[32 + 24 + 100] ^= 1;
    let bad = Arc::new(MemoryBytes::new(bad));
    let bad = Database::open(Arc::new(FileBytes::open(&path).unwrap()), Some(bad)).unwrap();
    assert!(bad.table("only_in_log").is_none(), "a checksum that does not hold ends the log");
}

#[test]
fn counting_reads_few_requests_and_no_overflow() {
    let Some(path) = lidless_kit::fixture("sqlite/pages-4096.db") else { return };
    let tally = Tally::default();
    let bytes = Arc::new(Counted::new(Arc::new(FileBytes::open(&path).unwrap()), tally.clone()));
    let database = Database::open(bytes, None).unwrap();
    let count = database.count(database.table("plain").unwrap()).unwrap();
    assert_eq!(count, 1_286);
    assert!(tally.requests() < 20, "{} requests", tally.requests());
    let wide = database.table("plain").unwrap();
    let mut lengths = 0;
    database
        .rows(wide, &["wide", "nothing"], &mut |row| {
            lengths += row.values[0].length();
            assert_eq!(row.values[1], Value::Null);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(lengths > 700_000);
}

/// Reads everything of a database; errors are fine, panics and endless walks are not.
fn exhaust(bytes: &[u8], log: Option<&[u8]>) {
    let tally = Tally::default();
    let bytes = MemoryBytes::new(bytes.to_vec());
    let length = bytes.len();
    let log = log.map(|log| Arc::new(MemoryBytes::new(log.to_vec())) as Arc<dyn ReadAt>);
    let counted = Arc::new(Counted::new(Arc::new(bytes), tally.clone()));
    if let Ok(database) = Database::open(counted, log) {
        for table in database.tables() {
            let _ = database.count(table);
            let columns: Vec<&str> = table.columns().collect();
            let _ = database.rows(table, &columns, &mut |_| ControlFlow::Continue(()));
        }
        let each = tally.bytes() / (database.tables().len() as u64 + 1);
        assert!(each <= 5 * length + (1 << 20), "{each} bytes of {length}");
    }
}

#[test]
fn a_damaged_database_is_an_error_and_no_more() {
    let Some(path) = lidless_kit::fixture("sqlite/key4.db") else { return };
    let sample = std::fs::read(path).unwrap();
    lidless_kit::cut_and_flip(&sample, |bytes| exhaust(bytes, None));
    let Some(path) = lidless_kit::fixture("sqlite/cookies.sqlite") else { return };
    let log = std::fs::read(path.with_file_name("wal.db-wal")).unwrap();
    let base = std::fs::read(path.with_file_name("wal.db")).unwrap();
    let step = log.len() / 60;
    let mut changed = log.clone();
    for place in (0..log.len()).step_by(step).chain(0..56) {
        changed[place] ^= 0x41;
        exhaust(&base, Some(&changed));
        changed[place] ^= 0x41;
    }
}

#[test]
fn pages_that_contain_themselves_are_entered_once() {
    let Some(path) = lidless_kit::fixture("sqlite/pages-512.db") else { return };
    let mut bytes = std::fs::read(path).unwrap();
    let database = Database::open(Arc::new(MemoryBytes::new(bytes.clone())), None).unwrap();
    let table = database.table("plain").unwrap().clone();
    assert!(database.count(&table).is_ok());
    // Every inner page of a table gets itself for its rightmost child.
    for page in 1..bytes.len() / 512 {
        if bytes[page * 512] == 5 {
            let own = (page as u32 + 1).to_be_bytes();
            bytes[page * 512 + 8..page * 512 + 12].copy_from_slice(&own);
        }
    }
    let looped = Database::open(Arc::new(MemoryBytes::new(bytes)), None).unwrap();
    assert!(matches!(looped.count(&table), Err(RecordError::Malformed { .. })));
}

#[test]
fn an_encrypted_database_says_so() {
    let mut state = 1u64;
    let noise: Vec<u8> = (0..8192)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .collect();
    let open = |bytes: Vec<u8>| Database::open(Arc::new(MemoryBytes::new(bytes)), None).err();
    assert!(matches!(open(noise), Some(RecordError::Closed(_))));
    let text = "no database at all, only words ".repeat(100);
    assert!(matches!(open(text.into_bytes()), Some(RecordError::Malformed { .. })));
}

#[test]
fn cells_that_overlap_are_an_error() {
    let Some(path) = lidless_kit::fixture("sqlite/key4.db") else { return };
    let bytes = std::fs::read(path).unwrap();
    let database = Database::open(Arc::new(MemoryBytes::new(bytes.clone())), None).unwrap();
    let table = database.table("logins").or(database.table("metaData")).unwrap().clone();
    // Every page of rows says that it has as many cells as fit, all of them the first one.
    let mut changed = bytes;
    for page in (4096..changed.len()).step_by(4096) {
        if changed[page] == 13 {
            changed[page + 3..page + 5].copy_from_slice(&300u16.to_be_bytes());
            let first = [changed[page + 8], changed[page + 9]];
            let place = usize::from(u16::from_be_bytes(first));
            for cell in (page + 8..page + 8 + 600).step_by(2) {
                if place > 8 + 600 {
                    changed[cell..cell + 2].copy_from_slice(&first);
                }
            }
        }
    }
    let lying = Database::open(Arc::new(MemoryBytes::new(changed)), None).unwrap();
    let read = lying.rows(&table, &["item2"], &mut |_| ControlFlow::Continue(()));
    assert!(matches!(read, Err(RecordError::Malformed { .. })), "{read:?}");
}
