//! Outlook stores as wrappings, compared with what was put in and with what pffexport takes out.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

mod suite;

use lidless_core::{Interest, Limits};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use suite::{Inside, Open, open_fixture, torture_at};

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn text(inside: &Inside, place: &str) -> String {
    let found = inside.entries.iter().find(|(known, _)| known == place);
    let (_, text) = found.unwrap_or_else(|| panic!("no {place}"));
    String::from_utf8(text.clone()).unwrap()
}

#[test]
fn stores_of_all_layouts_give_every_message_and_attachment() {
    for name in ["unicode", "ansi", "cyclic", "large"] {
        let Some(inside) = open_fixture(&format!("pst/{name}.pst")) else { return };
        assert_eq!(inside.peeler, Some("PST"));
        assert!(inside.gaps.is_empty(), "{:?}", inside.gaps);
        let path = lidless_kit::fixture(&format!("pst/{name}.json")).unwrap();
        let expected: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let (mut messages, mut files) = (0, 0);
        for (folder, list) in expected.as_object().unwrap() {
            for wanted in list.as_array().unwrap() {
                let place = format!("{folder}/{}", wanted["id"]);
                let ours = text(&inside, &format!("{place}!/text"));
                assert!(ours.contains(wanted["body"].as_str().unwrap()), "{ours}");
                let class = wanted["class"].as_str().unwrap();
                assert!(ours.starts_with(&format!("Message-Class: {class}\nFrom: ")), "{ours}");
                assert!(ours.contains("\nDate: 2020-09-13T"), "{ours}");
                messages += 1;
                for file in wanted["files"].as_array().unwrap() {
                    let place = format!("{place}!/{}", file[0].as_str().unwrap());
                    match file[1].as_str() {
                        Some(wanted) => assert_eq!(digest(inside.at(&place).unwrap()), wanted),
                        None => {
                            let inner = text(&inside, &format!("{place}!/text"));
                            assert!(inner.contains("a mail inside a mail"));
                            let file = inside.at(&format!("{place}!/inner.txt")).unwrap();
                            assert_eq!(file, b"inner bytes");
                        }
                    }
                    files += 1;
                }
            }
        }
        // Beside those, the file of the message inside a message, and the list for counting.
        assert_eq!(inside.entries.len(), messages + files + 2, "{name}");
        let finding = &inside.findings[0];
        assert_eq!(finding.rule, "message.mailbox");
        assert_eq!(finding.detail["messages"], messages);
        let teams = expected["TeamsMessagesData"].as_array().unwrap().len();
        assert_eq!(finding.detail["teams_messages"], teams);
        assert_eq!(finding.detail["teams_people"], 7);
        assert_eq!(finding.detail["classes"]["IPM.SkypeTeams.Message"], teams);
        let list = text(&inside, "teams messages");
        assert_eq!(list.lines().count(), teams);
        assert!(list.starts_with("{\"createdDateTime\":\"2020-09-13T19:46:40Z\",\"from\":"));
        eprintln!("{name}: {} requests, {} bytes", inside.requests, inside.bytes);
    }
}

/// The files below a folder, by their path.
fn below(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_string_lossy());
        if path.is_dir() {
            below(&path, &format!("{name}/"), found);
        } else {
            found.insert(name, std::fs::read(&path).unwrap());
        }
    }
}

/// pffexport writes a folder for each message, numbered from 1 within its folder. It skips Teams
/// messages, whose class it does not know, and writes `/` in names as `_`, as is done here.
#[test]
fn pffexport_takes_out_the_same_messages() {
    for name in ["unicode", "ansi", "cyclic", "large"] {
        let Some(inside) = open_fixture(&format!("pst/{name}.pst")) else { return };
        let path = lidless_kit::fixture(&format!("pst/{name}.pst")).unwrap();
        let out = tempfile::tempdir().unwrap();
        let target = out.path().join("x");
        let status = Command::new("pffexport")
            .args(["-q", "-m", "items", "-f", "text", "-t"])
            .arg(&target)
            .arg(&path)
            .output()
            .unwrap();
        assert!(status.status.success());
        let mut theirs = BTreeMap::new();
        below(&out.path().join("x.export"), "", &mut theirs);
        let ours: Vec<&(String, Vec<u8>)> = inside.entries.iter().collect();
        let mut counts: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (place, content) in &theirs {
            // Contacts have files of their own.
            let Some((folder, rest)) = place.split_once("/Message0") else { continue };
            if rest.len() == "0001/Message.txt".len() && rest.ends_with("/Message.txt") {
                let body = String::from_utf8(content.clone()).unwrap().replace("\r\n", "\n");
                counts.entry(folder.to_owned()).or_default().push(body);
            }
        }
        let mut compared = 0;
        for (folder, bodies) in counts {
            let mut wanted: Vec<String> = ours
                .iter()
                .filter_map(|(place, content)| {
                    let rest = place.strip_prefix(&format!("{folder}/"))?;
                    let id = rest.strip_suffix("!/text")?;
                    let own = !id.contains('/') && !id.contains('!');
                    own.then(|| String::from_utf8(content.clone()).unwrap().replace("\r\n", "\n"))
                })
                .filter(|text| text.starts_with("Message-Class: IPM.Note\n"))
                .collect();
            for body in bodies {
                let body = format!("\n\n{}\n", body.trim_end_matches('\n'));
                let at = wanted
                    .iter()
                    .position(|text| text.contains(&body))
                    .unwrap_or_else(|| panic!("{name} {folder}: {body:?}"));
                wanted.remove(at);
                compared += 1;
            }
            assert!(wanted.is_empty(), "{folder}: {wanted:?}");
        }
        assert!(compared >= 47, "{compared}");
        let is_file = |place: &str| {
            let (_, name) = place.rsplit_once("/Attachments/").unwrap_or_default();
            name.starts_with(|one: char| one.is_ascii_digit()) && !name.contains('/')
        };
        let attachments: Vec<_> = theirs.iter().filter(|(place, _)| is_file(place)).collect();
        assert!(attachments.len() >= 3, "{:?}", theirs.keys().collect::<Vec<_>>());
        for (place, content) in attachments {
            assert!(inside.entries.iter().any(|(_, own)| own == content), "{place}");
        }
    }
}

#[test]
fn limits_leave_out_messages_and_say_so() {
    let Some(path) = lidless_kit::fixture("pst/ansi.pst") else { return };
    let limits = Limits { members: 10, ..Limits::default() };
    let inside = Open { limits, ..Open::default() }.artifact(&suite::artifact(&path));
    assert!(inside.has_gap("messages of an Outlook store past the limit"));
    assert!(inside.entries.len() <= 15, "{}", inside.entries.len());
    // They are counted all the same.
    assert_eq!(inside.findings[0].detail["teams_messages"], 20);
    let interests = [("noise.bin".to_owned(), Interest::None)].into();
    let inside = Open { interests, ..Open::default() }.artifact(&suite::artifact(&path));
    assert!(inside.inert.iter().any(|place| place.ends_with("/noise.bin")));
}

#[test]
fn a_folder_that_cannot_be_read_does_not_hide_its_messages() {
    let Some(path) = lidless_kit::fixture("pst/tiny.pst") else { return };
    let mut bytes = std::fs::read(path).unwrap();
    let whole = suite::open("a.pst", &bytes);
    assert_eq!(whole.entries.len(), 3);
    // The table of contents of the only folder: its node is made to have no readable data.
    let mut changed = 0;
    let own = (0x401u64 << 5 | 0x0e).to_le_bytes();
    for at in (0x4600..bytes.len() - 32).step_by(8) {
        if bytes[at..at + 8] == own {
            bytes[at + 8..at + 16].copy_from_slice(&0xffff_0000u64.to_le_bytes());
            changed += 1;
        }
    }
    assert_eq!(changed, 1);
    let damaged = suite::open("a.pst", &bytes);
    assert_eq!(damaged.entries.len(), 3);
    assert!(damaged.entries[0].0.starts_with("unlisted/"));
    assert!(damaged.has_gap("PST that is malformed"));
}

#[test]
fn cut_and_changed_stores_are_survived() {
    let Some(path) = lidless_kit::fixture("pst/tiny.pst") else { return };
    let bytes = std::fs::read(path).unwrap();
    torture_at("a.pst", &bytes, &[0..564, 0x4600..bytes.len()], 100);
}
