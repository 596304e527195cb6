//! Outlook stores: folders, lists of messages, messages, of stores that a writer following
//! MS-PST made in three layouts.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

use lidless_io::{Counted, FileBytes, MemoryBytes, Tally, read_vec};
use lidless_records::{Folder, Message, PstFile, RecordError};
use serde_json::Value;
use std::process::Command;
use std::sync::Arc;

fn folders(file: &PstFile) -> Vec<Folder> {
    let mut found = Vec::new();
    let mut visit = |folder: &Folder| {
        found.push(folder.clone());
        true
    };
    file.folders(&mut visit, &mut |error| panic!("{error}")).unwrap();
    found
}

fn open(name: &str) -> Option<(PstFile, Value, Tally)> {
    let path = lidless_kit::fixture(&format!("pst/{name}.pst"))?;
    let expected = std::fs::read(path.with_extension("json")).unwrap();
    let tally = Tally::default();
    let source = Counted::new(Arc::new(FileBytes::open(&path).unwrap()), tally.clone());
    let file = PstFile::open(Arc::new(source)).unwrap();
    Some((file, serde_json::from_slice(&expected).unwrap(), tally))
}

#[test]
fn folders_list_what_was_put_into_them() {
    for name in ["unicode", "ansi", "cyclic", "large"] {
        let Some((file, expected, _)) = open(name) else { return };
        let expected = expected.as_object().unwrap();
        assert!(!file.asks_for_password().unwrap());
        let found = folders(&file);
        assert_eq!(found.len(), expected.len(), "{name}");
        for folder in found {
            let wanted = expected[&folder.path].as_array().unwrap();
            assert_eq!(folder.messages, wanted.len() as u64, "{}", folder.path);
            let listed = file.messages(&folder).unwrap();
            assert_eq!(listed.len(), wanted.len(), "{name} {}", folder.path);
            for (one, wanted) in listed.iter().zip(wanted) {
                assert_eq!(u64::from(one.id), wanted["id"].as_u64().unwrap());
                assert_eq!(one.class, wanted["class"].as_str().unwrap());
                assert!(one.sender.is_some() && one.delivered.is_some() && one.size == Some(1000));
            }
        }
        let all = file.all_messages(usize::MAX).unwrap();
        let sum: usize = expected.values().map(|list| list.as_array().unwrap().len()).sum();
        assert_eq!(all.len(), sum);
    }
}

#[test]
fn messages_hold_what_was_put_into_them() {
    for name in ["unicode", "ansi", "cyclic", "large"] {
        let Some((file, expected, _)) = open(name) else { return };
        for list in expected.as_object().unwrap().values() {
            for wanted in list.as_array().unwrap() {
                let id = wanted["id"].as_u64().unwrap() as u32;
                let message = file.message(id).unwrap();
                let text = |property| message.long_text(property, 1 << 20).unwrap_or_default();
                assert_eq!(text(0x1000), wanted["body"].as_str().unwrap());
                assert_eq!(text(0x0037), wanted["subject"].as_str().unwrap());
                let many = wanted["subject"] == "to many";
                let recipients = message.recipients().unwrap();
                assert_eq!(recipients.len(), if many { 300 } else { 1 });
                assert!(recipients[0].address.ends_with("@example.com"));
                let files = wanted["files"].as_array().unwrap();
                assert_eq!(message.attachments().unwrap().len(), files.len());
            }
        }
    }
}

#[test]
fn listing_the_folders_of_a_large_store_costs_little() {
    let Some((file, _, tally)) = open("unicode") else { return };
    let length = std::fs::metadata(lidless_kit::fixture("pst/unicode.pst").unwrap()).unwrap().len();
    let found = folders(&file);
    eprintln!("{} folders of {length} bytes: {tally:?}", found.len());
    assert!(tally.requests() <= 16 && tally.bytes() <= 1 << 20, "{tally:?}");
    let before = tally.bytes();
    let teams = found.iter().find(|folder| folder.path == "TeamsMessagesData").unwrap();
    let listed = file.messages(teams).unwrap();
    let teams = listed.iter().filter(|one| one.class == "IPM.SkypeTeams.Message").count();
    assert_eq!(teams, 450);
    assert!(tally.bytes() - before < 400_000, "{tally:?}");
}

/// pffinfo counts the folders; it names them in no list.
#[test]
fn pffinfo_says_the_same_of_the_file() {
    for (name, kind, own) in [
        ("unicode", "64-bit", "PST"),
        ("ansi", "32-bit", "PST (ANSI)"),
        ("cyclic", "64-bit", "PST"),
        ("large", "64-bit with 4k page", "OST"),
    ] {
        let Some((file, _, _)) = open(name) else { return };
        let path = lidless_kit::fixture(&format!("pst/{name}.pst")).unwrap();
        let output = Command::new("pffinfo").arg(path).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text.lines().find(|line| line.contains("File type:")).unwrap();
        assert!(line.trim_end().ends_with(kind), "{line}");
        assert_eq!(file.kind(), own);
    }
}

fn everything(file: &PstFile) {
    let mut found = Vec::new();
    let mut visit = |folder: &Folder| {
        found.push(folder.clone());
        found.len() < 50
    };
    let _ = file.folders(&mut visit, &mut |_| {});
    for folder in found {
        for one in file.messages(&folder).unwrap_or_default().iter().take(20) {
            if let Ok(message) = file.message(one.id) {
                look(&message, 0);
            }
        }
    }
    let _ = file.all_messages(1000);
    let _ = file.asks_for_password();
}

fn look(message: &Message, depth: usize) {
    let _ = message.long_text(0x1000, 1 << 16);
    let _ = message.recipients();
    for id in message.attachments().unwrap_or_default().into_iter().take(20) {
        if let Ok(Some(attached)) = message.attachment(id) {
            if let Some(bytes) = attached.bytes {
                let _ = read_vec(&*bytes, 0, 1 << 16);
            }
            if let Some(inner) = attached.message.filter(|_| depth < 3) {
                look(&inner, depth + 1);
            }
        }
    }
}

fn hostile(bytes: &[u8]) {
    let tally = Tally::default();
    let source = Counted::new(Arc::new(MemoryBytes::new(bytes.to_vec())), tally.clone());
    if let Ok(file) = PstFile::open(Arc::new(source)) {
        everything(&file);
    }
    assert!(tally.requests() < 500, "{tally:?}");
}

#[test]
fn cut_and_changed_stores_are_survived() {
    let Some(path) = lidless_kit::fixture("pst/tiny.pst") else { return };
    let sample = std::fs::read(path).unwrap();
    // The first 0x4600 bytes but the header are empty.
    let mut changed = sample.clone();
    for place in (0..600).chain(0x4600..sample.len()).step_by(17) {
        let original = changed[place];
        for value in [original ^ 1, original ^ 0x80, 0xff] {
            changed[place] = value;
            hostile(&changed);
        }
        changed[place] = original;
    }
    for cut in (0..sample.len()).step_by(64) {
        hostile(&sample[..cut]);
    }
}

#[test]
fn trees_that_lead_to_themselves_end() {
    let Some(path) = lidless_kit::fixture("pst/unicode.pst") else { return };
    let good = std::fs::read(path).unwrap();
    for root in [224usize, 240] {
        let offset = u64::from_le_bytes(good[root..root + 8].try_into().unwrap()) as usize;
        let mut looped = good.clone();
        // Each entry of the root page leads to the root page.
        for entry in 0..20 {
            let place = offset + entry * 24 + 16;
            looped[place..place + 8].copy_from_slice(&(offset as u64).to_le_bytes());
        }
        let file = PstFile::open(Arc::new(MemoryBytes::new(looped))).unwrap();
        let mut problems = Vec::new();
        let walked = file.folders(&mut |_| true, &mut |error| problems.push(error));
        problems.extend(walked.err());
        assert!(matches!(problems[..], [RecordError::Malformed { format: "PST", .. }]));
        assert!(file.all_messages(1 << 20).unwrap().len() < 2000);
    }
}

#[test]
fn a_store_encrypted_by_windows_is_said_and_lies_about_versions_too() {
    let Some(path) = lidless_kit::fixture("pst/tiny.pst") else { return };
    let mut bytes = std::fs::read(path).unwrap();
    bytes[513] = 16;
    let closed = PstFile::open(Arc::new(MemoryBytes::new(bytes.clone())));
    assert!(matches!(closed, Err(RecordError::Closed(_))));
    bytes[10] = 20;
    let malformed = PstFile::open(Arc::new(MemoryBytes::new(bytes)));
    assert!(matches!(malformed, Err(RecordError::Malformed { offset: 10, .. })));
}
