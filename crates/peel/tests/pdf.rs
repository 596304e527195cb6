//! PDFs: their text, compared with what poppler reads, their links and attached files.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

mod suite;

use suite::{Inside, open, open_fixture, torture, torture_at};

fn read(path: &str) -> Option<Vec<u8>> {
    Some(std::fs::read(lidless_kit::fixture(path)?).unwrap())
}

fn text(inside: &Inside) -> String {
    let text = inside.at("text").unwrap_or_else(|| panic!("no text; {:?}", inside.gaps));
    String::from_utf8(text.to_vec()).unwrap()
}

const LINK: &str = "https://contoso.blob.example.com/data?sv=2020-08-04&sig=abc%3D\n";

/// The words of the pages: without the link of each page, and what stands in front.
fn words(text: &str) -> Vec<String> {
    let text = text.replace(LINK, "").replace('\u{c}', "\n");
    let (_, pages) = text.split_once("Page 0").unwrap();
    pages.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn pages_read_as_poppler_reads_them() {
    for (name, theirs) in [
        ("list", "list"),
        ("plain", "list"),
        ("attached", "list"),
        ("packed", "list"),
        ("broken", "list"),
        ("broken_packed", "list"),
        ("letter", "letter"),
    ] {
        let Some(inside) = open_fixture(&format!("pdf/{name}.pdf")) else { return };
        assert_eq!(inside.peeler, Some("PDF"));
        assert!(inside.gaps.is_empty(), "{name}: {:?}", inside.gaps);
        let ours = text(&inside);
        let theirs = String::from_utf8(read(&format!("pdf/{theirs}.txt")).unwrap()).unwrap();
        // Codes that mean nothing show as a bullet there.
        let shown = ours.replace(['\u{81}', '\u{8d}', '\u{8f}', '\u{90}', '\u{9d}'], "•");
        let (mut ours_words, mut theirs_words) = (words(&shown), words(&theirs));
        if name == "broken_packed" {
            // The pages are found, in the order of their numbers.
            ours_words.sort();
            theirs_words.sort();
        }
        for (ours, theirs) in ours_words.iter().zip(&theirs_words) {
            assert_eq!(ours, theirs, "{name}");
        }
        assert_eq!(ours_words.len(), theirs_words.len(), "{name}");
        assert_eq!(ours.matches(LINK).count(), 30, "{name}");
        let length = read(&format!("pdf/{name}.pdf")).unwrap().len();
        eprintln!("{name}: {} requests, {} of {length} bytes", inside.requests, inside.bytes);
        assert!(inside.requests <= 3);
    }
}

#[test]
fn attached_files_come_out() {
    for name in ["attached", "packed", "broken_packed"] {
        let Some(inside) = open_fixture(&format!("pdf/{name}.pdf")) else { return };
        assert_eq!(inside.at("notes.txt").unwrap(), b"attached to the document\n", "{name}");
    }
}

#[test]
fn an_encrypted_pdf_is_said() {
    let Some(inside) = open_fixture("pdf/locked.pdf") else { return };
    assert!(inside.has_gap("an encrypted document") && inside.entries.is_empty());
}

/// A PDF of one page by hand, with a right table or none.
fn by_hand(objects: &[&str], with_table: bool) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in (1..).zip(objects) {
        places.push(out.len());
        out.extend(format!("{number} 0 obj\n{object}\nendobj\n").bytes());
    }
    let at = out.len();
    if with_table {
        out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
        for place in places {
            out.extend(format!("{place:010} 00000 n \n").bytes());
        }
    }
    out.extend(b"trailer\n<</Root 1 0 R>>\n");
    out.extend(format!("startxref\n{at}\n%%EOF\n").bytes());
    out
}

fn stream(content: &str) -> String {
    format!("<</Length {}>>stream\n{content}\nendstream", content.len())
}

#[test]
fn fonts_forms_fields_and_scripts_are_read() {
    let content = stream(
        "BT /F1 9 Tf <00010002>Tj 0 -10 Td /F2 9 Tf [(A) -300 (\\001b)] TJ ET /X Do \
         BI /W 1 ID (\u{1}Tj EI BT (end) ' ET",
    );
    let map = stream(
        "begincodespacerange <0000> <ffff> endcodespacerange 1 beginbfchar <0001> <0416> endbfchar \
         1 beginbfrange <0002> <0003> <20AC> endbfrange",
    );
    let form = "<</Subtype/Form/Resources<</Font<</F2 6 0 R>>>>/Length 28>>stream\nBT /F2 9 Tf (in a form) Tj ET\nendstream";
    let objects = [
        "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[9 0 R]>>/Names<</JavaScript<</Names[(x) <</JS (var password)>>]>>>>>>",
        "<</Kids[3 0 R 2 0 R]/Resources<</Font<</F1 5 0 R/F2 6 0 R>>/XObject<</X 8 0 R>>>>>>",
        "<</Contents 4 0 R>>",
        &content,
        "<</Subtype/Type0/ToUnicode 7 0 R>>",
        "<</Subtype/Type1/Encoding<</Differences[1/Euro]>>>>",
        &map,
        form,
        "<</T(user)/V(alice)/Kids[9 0 R]>>",
    ];
    for with_table in [true, false] {
        let inside = open("a.pdf", &by_hand(&objects, with_table));
        assert_eq!(text(&inside), "Ж€\nA €b\nin a form\nend\nuser: alice\nvar password\n");
        assert!(inside.gaps.is_empty(), "{:?}", inside.gaps);
    }
    torture("a.pdf", &by_hand(&objects, true));
}

#[test]
fn text_that_cannot_be_known_is_said() {
    let content = stream("BT /F1 9 Tf <00010002>Tj ET");
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Kids[3 0 R]/Resources<</Font<</F1 5 0 R>>>>>>",
        "<</Contents 4 0 R>>",
        &content,
        "<</Subtype/Type0>>",
    ];
    assert!(open("a.pdf", &by_hand(&objects, true)).has_gap("do not say their characters"));
    let scanned = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Kids[3 0 R]>>",
        "<</Contents 4 0 R>>",
        &stream("/Im Do"),
    ];
    assert!(open("a.pdf", &by_hand(&scanned, true)).has_gap("only pictures of pages"));
}

#[test]
fn loops_and_bombs_end() {
    // Forms that show themselves and each other, pages that are their own kids.
    let shows = "/X Do ".repeat(200);
    let form = format!(
        "<</Subtype/Form/Resources<</XObject<</X 5 0 R>>>>/Length {}>>stream\n{shows}\nendstream",
        shows.len()
    );
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Kids[2 0 R 3 0 R 2 0 R]/Resources<</XObject<</X 5 0 R>>>>>>",
        "<</Contents 4 0 R>>",
        &stream(&shows),
        &form,
        "6 0 R",
    ];
    let inside = open("a.pdf", &by_hand(&objects, true));
    assert!(inside.entries.is_empty());
    // A table that is its own predecessor, an object that is itself.
    let mut looped = by_hand(&objects, true);
    let at = looped.windows(7).position(|seven| seven == b"trailer").unwrap();
    let table = looped.windows(4).position(|four| four == b"xref").unwrap();
    looped.splice(at + 10..at + 10, format!("/Prev {table}/Info 6 0 R").bytes());
    open("a.pdf", &looped);
}

#[test]
fn cut_and_changed_pdfs_are_survived() {
    let Some(bytes) = read("pdf/packed.pdf") else { return };
    torture_at("a.pdf", &bytes, &[0..2000, bytes.len() - 3000..bytes.len()], 12);
}
