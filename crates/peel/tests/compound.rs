//! Compound files as wrappings: old documents, messages, macros, compared with what other
//! programs read from them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

mod suite;

use suite::{Inside, Open, open_fixture, torture_at};

fn read(path: &str) -> Option<Vec<u8>> {
    Some(std::fs::read(lidless_kit::fixture(path)?).unwrap())
}

fn text(inside: &Inside, place: &str) -> String {
    let found = inside.entries.iter().find(|(known, _)| known == place);
    let (_, text) = found.unwrap_or_else(|| {
        panic!("no {place}: {:?} {:?}", inside.gaps, inside.entries.iter().map(|one| &one.0))
    });
    String::from_utf8(text.clone()).unwrap()
}

#[test]
fn a_workbook_reads_as_xls2csv_reads_it() {
    let Some(inside) = open_fixture("office/list.xls") else { return };
    assert_eq!(inside.peeler, Some("compound file"));
    assert!(inside.gaps.is_empty(), "{:?}", inside.gaps);
    let ours = text(&inside, "text");
    let theirs = String::from_utf8(read("office/list.xls.txt").unwrap()).unwrap();
    // Theirs has no names of sheets, ends sheets with a form feed, and has a line for an empty
    // row, of which nothing is shown here.
    let lines = |text: &str| -> Vec<String> {
        let lines =
            text.lines().map(|line| line.trim_end_matches('\t').trim_matches('\u{c}').to_owned());
        lines.filter(|line| !line.trim_matches('\u{c}').is_empty()).collect()
    };
    // Values below a label are there a second time, with it.
    assert!(ours.contains("\npassword: Secret-7919-ü\n"), "{}", &ours[ours.len() - 300..]);
    let ours: Vec<String> = lines(&ours)
        .into_iter()
        .filter(|line| line != "Zugänge" && line != "Numbers" && !line.starts_with("password: "))
        .collect();
    assert_eq!(ours, lines(&theirs));
    assert_eq!(ours.len(), 404);
    eprintln!("{} requests, {} bytes", inside.requests, inside.bytes);
}

#[test]
fn a_letter_reads_as_catdoc_reads_it_and_gives_what_was_dropped_into_it() {
    let Some(inside) = open_fixture("ole/letter.doc") else { return };
    let ours = text(&inside, "text");
    assert!(
        ours.starts_with("The password of the cluster is Tr0ub4dor&3 naïve.\nЖ wide"),
        "{ours}"
    );
    // Theirs reads single bytes only, so the second paragraph is missing.
    let theirs = String::from_utf8(read("ole/letter.doc.txt").unwrap()).unwrap();
    let words =
        |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
    let (ours, theirs) = (words(&ours), words(&theirs));
    assert_eq!(ours[..8], theirs[..8]);
    assert_eq!(ours[ours.len() - 605..], theirs[theirs.len() - 605..]);
    assert_eq!(
        inside.at("key.txt").unwrap(),
        b"dropped into the letter",
        "{:?}",
        inside.entries.iter().map(|one| &one.0).collect::<Vec<_>>()
    );
}

#[test]
fn slides_read_as_catppt_reads_them() {
    let Some(inside) = open_fixture("ole/slides.ppt") else { return };
    let theirs = String::from_utf8(read("ole/slides.ppt.txt").unwrap()).unwrap();
    assert_eq!(text(&inside, "text").trim_end(), theirs.replace('\u{c}', "").trim_end());
}

#[test]
fn encrypted_documents_are_said() {
    for name in ["locked.doc", "locked.xlsx"] {
        let Some(inside) = open_fixture(&format!("ole/{name}")) else { return };
        assert!(inside.has_gap("an encrypted document"), "{:?}", inside.gaps);
        assert!(inside.entries.is_empty());
    }
}

#[test]
fn macros_are_text() {
    let Some(inside) = open_fixture("ole/macros.bin") else { return };
    let source = read("ole/macros.txt").unwrap();
    assert_eq!(text(&inside, "Module1.bas!/text").as_bytes(), source);
    assert!(inside.at("PROJECT").is_some());
}

/// msgconvert writes a message as a mail, which is opened here as mails are.
#[test]
fn a_message_holds_what_msgconvert_takes_out_of_it() {
    let Some(inside) = open_fixture("ole/letter.msg") else { return };
    let mail = Open { deep: true, ..Open::default() }
        .artifact(&suite::artifact(&lidless_kit::fixture("ole/letter.msg.eml").unwrap()));
    let theirs = text(&mail, "text");
    let ours = text(&inside, "text");
    for line in [
        "Message-Class: IPM.Note",
        "From: Alice Example <alice@example.com>",
        "To: Bob Example <bob@example.com>",
        "Date: 2020-09-13T19:46:40Z",
        "Subject: hello",
    ] {
        assert!(ours.lines().any(|known| known == line), "{ours}");
    }
    for line in ["The password is Tr0ub4dor&3", "<p>The password is Tr0ub4dor&3 ü</p>"] {
        assert!(ours.contains(line) && theirs.contains(line), "{theirs}");
    }
    for name in ["notes of the meeting.txt", "large.bin"] {
        assert_eq!(inside.at(name).unwrap(), mail.at(name).unwrap());
    }
    assert!(text(&inside, "inner!/text").contains("a mail inside a mail"));
    assert_eq!(inside.at("inner!/inner.txt").unwrap(), b"inner bytes");
    assert!(mail.entries.iter().any(|(_, content)| content == b"inner bytes"));
    assert!(inside.gaps.is_empty(), "{:?}", inside.gaps);
}

#[test]
fn other_compound_files_give_their_streams() {
    let Some(inside) = open_fixture("cfb/v3.cfb") else { return };
    assert_eq!(inside.at("folder/inner/deep.txt").unwrap(), b"deep down\n");
    // All but an empty one and the one with properties.
    assert_eq!(inside.entries.len(), 66);
}

#[test]
fn cut_and_changed_documents_are_survived() {
    let Some(message) = read("ole/tiny.msg") else { return };
    torture_at("a.msg", &message, &[0..512, 512..message.len()], 100);
    let document = read("ole/letter.doc").unwrap();
    torture_at("a.doc", &document, &[0..512, 512..document.len()], 50);
    let macros = read("ole/macros.bin").unwrap();
    torture_at("a.bin", &macros, &[0..512, 512..macros.len()], 50);
    let slides = read("ole/slides.ppt").unwrap();
    torture_at("a.ppt", &slides, &[0..512, 512..slides.len()], 50);
    let book = read("office/list.xls").unwrap();
    torture_at("a.xls", &book, &[0..1024, 1024..book.len()], 50);
}
