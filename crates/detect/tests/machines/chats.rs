//! The caches of invented chat programs.

use crate::look::{Disk, assert_silent, finding};
use lidless_core::Mark;
use lidless_detect::Output;

const FOLDER: &str = "Users/alice/AppData/Local/Packages/MSTeams_8wekyb3d8bbwe/LocalCache/Microsoft/MSTeams/EBWebView/Default/IndexedDB/https_teams.microsoft.com_0.indexeddb.leveldb";

fn disk() -> Option<Disk> {
    let folder = lidless_kit::fixture("leveldb/https_teams.microsoft.com_0.indexeddb.leveldb")?;
    let mut disk = Disk::default();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        disk = disk.with(&format!("{FOLDER}/{name}"), std::fs::read(&path).unwrap());
    }
    Some(disk)
}

fn largest(output: &Output) -> u64 {
    let counts = output.marks.iter().filter_map(|mark| match mark {
        Mark::Messages { messages, store, .. } => {
            let store = store.as_deref().unwrap();
            assert!(store.ends_with("https_teams.microsoft.com_0.indexeddb.leveldb"), "{store}");
            Some(*messages)
        }
        _ => None,
    });
    counts.max().unwrap()
}

#[test]
fn messages_of_a_cache_are_counted_once_whatever_repeats_them() {
    let Some(disk) = disk() else { return };
    let output = disk.look_at_all();
    assert!(output.gaps.is_empty(), "{:?}", output.gaps);
    // 408 were written, a quarter of them says that somebody joined; those of a chain that was
    // deleted are in a table no more when it was compacted since.
    let found = finding(&output, "message.teams_cache");
    let count = found.detail["count"].as_u64().unwrap();
    assert!((298..=306).contains(&count), "{count}");
    assert_eq!(found.detail["people"], 9);
    assert_eq!(found.detail["first"], "2022-06-12T02:13:20Z");
    assert!(found.evidence.starts_with("at least "), "{}", found.evidence);
    assert_eq!(output.findings.len(), 1, "the files are counted with their database");
    assert_eq!(largest(&output), count);
    assert_silent(&output, &["anary", "canary", "8:orgid"]);
}

#[test]
fn files_whose_database_is_out_of_reach_are_counted_each_for_itself() {
    let Some(whole) = disk() else { return };
    let all = whole.look_at_all();
    let most = largest(&all);
    let mut alone = Output::default();
    for (path, bytes) in whole.files() {
        if !path.ends_with("CURRENT") {
            let output = Disk::default().with(path, bytes.clone()).look(path);
            alone.findings.extend(output.findings);
            alone.marks.extend(output.marks);
        }
    }
    assert!(alone.findings.len() > 1);
    let largest = largest(&alone);
    assert!(largest > 50 && largest <= most, "{largest} of {most}: a lower bound");
}

#[test]
fn a_damaged_cache_is_a_gap_and_no_more() {
    let Some(disk) = disk() else { return };
    for (path, bytes) in disk.files() {
        for cut in [0, bytes.len() / 3, bytes.len().saturating_sub(1)] {
            disk.clone().with(path, bytes[..cut].to_vec()).look_at_all();
        }
        let mut changed = bytes.clone();
        for place in (0..bytes.len()).step_by((bytes.len() / 3).max(1)) {
            changed[place] ^= 0x55;
            disk.clone().with(path, changed.clone()).look_at_all();
        }
    }
}
