//! Mails and files of mails, compared with what Python's parser finds in them.
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
use std::fmt::Write as _;
use suite::{Inside, Open, open, open_fixture, torture};

fn expected() -> Option<Value> {
    let path = lidless_kit::fixture("mail/expected.json")?;
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Compares what came out below `prefix` with what Python found.
fn compare(inside: &Inside, prefix: &str, wanted: &Value) {
    let text = inside.at(&format!("{prefix}text")).unwrap();
    let text = String::from_utf8(text.to_vec()).unwrap();
    assert!(text.contains(wanted["subject"].as_str().unwrap()), "{text}");
    for part in wanted["texts"].as_array().unwrap() {
        let part = part.as_str().unwrap().trim_end();
        assert!(text.replace("\r\n", "\n").contains(part), "{part} in {text}");
    }
    let mut ours: Vec<_> = inside
        .entries
        .iter()
        .filter_map(|(place, content)| Some((place.strip_prefix(prefix)?, content)))
        .filter(|(place, _)| *place != "text" && !place.contains("!/"))
        .map(|(place, content)| (place.split('@').next().unwrap().to_owned(), digest(content)))
        .filter(|(place, _)| !place.starts_with("part-"))
        .collect();
    let files = wanted["files"].as_array().unwrap();
    let mut theirs: Vec<_> = files
        .iter()
        .filter_map(|one| Some((one[0].as_str()?.to_owned(), one[1].as_str()?.to_owned())))
        .collect();
    ours.sort();
    theirs.sort();
    assert_eq!(ours, theirs);
}

#[test]
fn mails_hold_what_python_finds_in_them() {
    let Some(expected) = expected() else { return };
    for (name, wanted) in expected["mails"].as_object().unwrap() {
        let inside = open_fixture(&format!("mail/{name}")).unwrap();
        assert_eq!(inside.peeler, Some("mail"), "{name}");
        assert!(inside.gaps.is_empty(), "{:?}", inside.gaps);
        assert!(inside.requests <= 2, "{} requests", inside.requests);
        // Line ends inside of texts are those of the mail.
        if name != "crlf.eml" {
            compare(&inside, "", wanted);
        } else {
            assert_eq!(inside.entries.len(), 6);
        }
    }
}

#[test]
fn a_mail_inside_a_mail_is_opened_in_turn() {
    let Some(path) = lidless_kit::fixture("mail/nested.eml") else { return };
    let inside = Open { deep: true, ..Open::default() }.artifact(&suite::artifact(&path));
    let text = inside.at("part-5.eml!/text").unwrap();
    assert!(String::from_utf8_lossy(text).contains("a mail inside\n"));
    assert_eq!(inside.at("part-5.eml!/inner.dat").unwrap(), b"inner bytes");
}

#[test]
fn a_file_of_mails_gives_each_and_is_read_once() {
    let Some(expected) = expected() else { return };
    let path = lidless_kit::fixture("mail/many.mbox").unwrap();
    let inside = Open { deep: true, ..Open::default() }.artifact(&suite::artifact(&path));
    assert!(inside.gaps.is_empty(), "{:?}", inside.gaps);
    let many = expected["many"].as_array().unwrap();
    let mails = inside.entries.iter().filter(|(place, _)| !place.contains("!/")).count();
    assert_eq!(mails, many.len());
    for (number, wanted) in (1..).zip(many) {
        compare(&inside, &format!("{number:06}.eml!/"), wanted);
    }
    let length = std::fs::metadata(&path).unwrap().len();
    assert!(inside.bytes < length + 100_000, "{} of {length}", inside.bytes);
    assert!(inside.requests < 8, "{} requests", inside.requests);
}

#[test]
fn a_mail_larger_than_what_is_held_is_a_window() {
    let line = b"0123456789 0123456789 0123456789 0123456789\n";
    let from = b"From a@example.com Mon Sep 14 10:20:30 2020\n";
    let head = b"From: a@example.com\nTo: b@example.com\n\n";
    let mut bytes = Vec::new();
    for size in [3usize, 600_000, 2, 1] {
        bytes.extend_from_slice(from);
        bytes.extend_from_slice(head);
        bytes.extend(line.iter().cycle().take(size * line.len()));
    }
    let limits = Limits { memory_bytes: 1 << 20, ..Limits::default() };
    let place = lidless_core::Provenance::new(lidless_core::Layer::File { path: "/m".into() });
    let source = std::sync::Arc::new(lidless_io::MemoryBytes::new(bytes));
    let artifact = lidless_core::Artifact::new(lidless_core::Entry::new(place, None), source);
    let inside = Open { limits, ..Open::default() }.artifact(&artifact);
    let sizes: Vec<usize> = inside.entries.iter().map(|(_, content)| content.len()).collect();
    // The kit keeps 16 MiB of each.
    let expected = [3, 600_000, 2, 1].map(|size| (head.len() + size * line.len()).min(16 << 20));
    assert_eq!(sizes, expected);
}

#[test]
fn apple_mail_and_patches_are_mail_too() {
    let Some(inside) = open_fixture("mail/one.emlx") else { return };
    assert_eq!(inside.peeler, Some("emlx"));
    let plain = lidless_kit::fixture("mail/plain.eml").unwrap();
    assert_eq!(inside.at("message.eml").unwrap(), std::fs::read(plain).unwrap());
    assert!(inside.at("flags.plist").unwrap().starts_with(b"<?xml"));
    let patch = b"From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n\
        From: Alice <alice@example.com>\nDate: Mon, 14 Sep 2020 10:20:30 +0000\n\
        Subject: [PATCH] change\n\n---\n a | 1 +\n";
    let inside = open("0001.patch", patch);
    assert_eq!((inside.peeler, inside.entries.len()), (Some("mbox"), 1));
    assert_eq!(open("x.nsf", b"\x1a\0\0\x04\0\0\0").gaps.len(), 1);
}

#[test]
fn encrypted_mail_is_said_and_inert_attachments_are_not_opened() {
    let mail = b"From: a@example.com\nTo: b@example.com\n\
        Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=x\n\n\
        --x\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--x\n\
        Content-Type: application/octet-stream; name=encrypted.asc\n\nnoise\n--x--\n";
    assert!(open("a.eml", mail).has_gap("an encrypted mail"));
    let mail =
        b"From: a@example.com\nTo: b@example.com\nContent-Type: multipart/mixed; boundary=x\n\n\
        --x\nContent-Type: image/png; name=logo.png\n\nnoise\n--x--\n";
    let interests = [("logo.png".to_owned(), Interest::None)].into();
    let place = lidless_core::Provenance::new(lidless_core::Layer::File { path: "/m".into() });
    let source = std::sync::Arc::new(lidless_io::MemoryBytes::new(&mail[..]));
    let artifact = lidless_core::Artifact::new(lidless_core::Entry::new(place, None), source);
    let inside = Open { interests, ..Open::default() }.artifact(&artifact);
    assert_eq!(inside.inert, ["logo.png"]);
}

#[test]
fn parts_nested_without_end_are_bounded() {
    let mut mail = b"From: a@example.com\nTo: b@example.com\n".to_vec();
    for depth in 0..3000 {
        mail.extend(
            format!("Content-Type: multipart/mixed; boundary=b{depth}\n\n--b{depth}\n").bytes(),
        );
    }
    assert!(open("a.eml", &mail).has_gap("nested deeper than the limit"));
    let mut mail =
        b"From: a@example.com\nTo: b@example.com\nContent-Type: multipart/mixed; boundary=x\n\n"
            .to_vec();
    for _ in 0..30_000 {
        mail.extend(b"--x\n\na\n");
    }
    assert!(open("a.eml", &mail).has_gap("more parts than the limit"));
}

#[test]
fn cut_and_changed_mails_are_survived() {
    let mail = b"From: =?utf-8?B?w7w=?= <a@example.com>\nTo: b@example.com\n\
        Content-Type: multipart/mixed; boundary=\"x\"\n\n--x\nContent-Type: text/plain; charset=gbk\n\
        Content-Transfer-Encoding: quoted-printable\n\na=20b=\nc\n--x\nContent-Transfer-Encoding: base64\n\
        Content-Disposition: attachment; filename*0*=utf-8''a%20; filename*1=b.bin\n\naGVsbG8=\n--x\n\
        \nbegin 644 u.txt\n%:&5L;&\\\n`\nend\n--x--\nend\n";
    assert_eq!(open("a.eml", mail).entries.len(), 3);
    torture("a.eml", mail);
    let from = b"From a@example.com Mon Sep 14 10:20:30 2020\n";
    torture("a.mbox", &[&from[..], &mail[..], &from[..], &mail[..]].concat());
    torture("a.emlx", &[&b"500   \n"[..], &mail[..]].concat());
}

/// The program tnef extracts the attachments; it shows no text.
#[test]
fn winmail_holds_what_tnef_takes_out_of_it() {
    let Some(inside) = open_fixture("mail/winmail.dat") else { return };
    assert_eq!(inside.peeler, Some("TNEF"));
    assert!(inside.gaps.is_empty(), "{:?}", inside.gaps);
    let out = tempfile::tempdir().unwrap();
    let path = lidless_kit::fixture("mail/winmail.dat").unwrap();
    let mut command = std::process::Command::new("tnef");
    command.arg("-C").arg(out.path()).arg("-f").arg(path);
    assert!(command.status().unwrap().success());
    let mut compared = 0;
    for entry in std::fs::read_dir(out.path()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert_eq!(inside.at(&name).unwrap(), std::fs::read(&path).unwrap());
        compared += 1;
    }
    assert_eq!((compared, inside.entries.len()), (2, 3));
    let text = String::from_utf8(inside.at("text").unwrap().to_vec()).unwrap();
    for line in [
        "Subject: hello – über",
        "From: Alice Example",
        "The password is Tr0ub4dor&3",
        "<p>html</p>",
    ] {
        assert!(text.lines().any(|known| known == line), "{text}");
    }
}

#[test]
fn cut_and_changed_winmail_is_survived() {
    let Some(path) = lidless_kit::fixture("mail/winmail.dat") else { return };
    let bytes = std::fs::read(path).unwrap();
    torture("a.dat", &bytes[..1000]);
    assert!(open("a.dat", &bytes[..1000]).has_gap("a TNEF file that breaks off"));
}
