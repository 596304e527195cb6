//! Documents: their text, compared with what other programs read from them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

mod suite;

use lidless_core::{Interest, Limits};
use suite::made::zip;
use suite::{Inside, Open, open, open_fixture, torture_at};

fn read(path: &str) -> Option<Vec<u8>> {
    Some(std::fs::read(lidless_kit::fixture(path)?).unwrap())
}

fn text(inside: &Inside) -> String {
    let own = inside.entries.iter().find(|(place, _)| place == "text");
    let (_, text) = own.unwrap_or_else(|| panic!("no text; {:?}", inside.gaps));
    String::from_utf8(text.clone()).unwrap()
}

fn squeezed(text: &str) -> String {
    text.chars().filter(|one| !one.is_whitespace() && *one != '=').collect()
}

#[test]
fn a_letter_reads_as_docx2txt_reads_it() {
    let Some(inside) = open_fixture("office/letter.docx") else { return };
    assert_eq!(inside.peeler, Some("document"));
    assert!(inside.gaps.is_empty(), "{:?}", inside.gaps);
    let ours = text(&inside);
    let theirs = String::from_utf8(read("office/letter.docx.txt").unwrap()).unwrap();
    // Theirs has neither headers nor links, nor anything between cells.
    assert!(squeezed(&ours).starts_with(&squeezed(&theirs)), "{ours}");
    assert!(ours.contains("Tr0ub4dor&3 <naïve>."));
    assert!(ours.contains("\nname\tlogin\tpassword\nuser 0\tuser0@example.com\tSecret-0-ü\n"));
    assert!(ours.contains("Confidential – header\n"));
    assert!(ours.contains("https://contoso.blob.example.com/data?sv=2020-08-04&sig=abc%3D\n"));
    assert!(inside.at("docProps/core.xml").is_some());
    assert!(inside.inert.iter().any(|path| path == "word/styles.xml"));
}

#[test]
fn sheets_read_as_xlsx2csv_reads_them() {
    let Some(inside) = open_fixture("office/list.xlsx") else { return };
    let ours = text(&inside);
    let (first, second) = (read("office/list1.txt").unwrap(), read("office/list2.txt").unwrap());
    let lines = |bytes: &[u8]| {
        // Theirs fills rows up to the widest, and has lines for empty rows.
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.lines()
            .map(|line| line.trim_end().to_owned())
            .filter(|line| !line.is_empty())
            .collect()
    };
    let mut theirs: Vec<String> = vec!["Zugänge".into()];
    theirs.extend::<Vec<String>>(lines(&first));
    theirs.push("Numbers".into());
    theirs.extend::<Vec<String>>(lines(&second));
    // A formula with a link is shown, where theirs has its value, which this one has not.
    // Values below a label are there a second time, with it.
    assert!(ours.contains("\npassword: Secret-7919-ü\n"));
    let rows = ours.lines().filter(|line| !line.starts_with("password: "));
    let ours: Vec<String> =
        rows.map(|line| line.split("\t\tHYPERLINK").next().unwrap().to_owned()).collect();
    assert_eq!(ours, theirs);
    assert!(text(&inside).contains("sig=abc%3D"));
}

#[test]
fn open_documents_read_as_odt2txt_reads_them() {
    let Some(inside) = open_fixture("office/letter.odt") else { return };
    assert_eq!(inside.peeler, Some("document"));
    let theirs = String::from_utf8(read("office/letter.odt.txt").unwrap()).unwrap();
    let ours = text(&inside);
    // Theirs does not show where links lead.
    let link = "https://contoso.blob.example.com/data?sv=2020-08-04&sig=abc%3D";
    assert!(ours.contains(link), "{ours}");
    assert_eq!(squeezed(&ours.replace(link, "")), squeezed(&theirs));
    let inside = open_fixture("office/list.ods").unwrap();
    assert!(
        text(&inside)
            .starts_with("Zugänge\nname\tlogin\tpassword\nuser 0\tuser0@example.com\tSecret-0-ü\n")
    );
}

#[test]
fn slides_come_in_order_and_what_is_embedded_is_handed_on() {
    let Some(path) = lidless_kit::fixture("office/slides.pptx") else { return };
    let interests = [("image1.png".to_owned(), Interest::None)].into();
    let open = Open { deep: true, interests, ..Open::default() };
    let inside = open.artifact(&suite::artifact(&path));
    let ours = text(&inside);
    let slide = |number: u32| format!("Slide {number}\npass&word\ntwo\n");
    // Notes stand beside their slide.
    assert_eq!(ours, ["say it\n".into(), slide(1), slide(2), slide(10)].concat());
    assert!(inside.inert.iter().any(|path| path == "ppt/media/image1.png"));
    let list = inside.at("ppt/embeddings/list.xlsx!/text").unwrap();
    assert!(list.starts_with("Zugänge\nname\tlogin\tpassword\n".as_bytes()));
}

/// A package of deflated parts.
fn packed(parts: &[(&str, &[u8])]) -> Vec<u8> {
    zip(&parts.iter().map(|(name, content)| (*name, *content, 8)).collect::<Vec<_>>())
}

#[test]
fn strings_that_are_repeated_without_end_are_bounded() {
    let string = "x".repeat(1 << 20);
    let strings = format!("<sst><si><t>{string}</t></si></sst>");
    let cells = "<c t=\"s\"><v>0</v></c>".repeat(500);
    let sheet = format!("<sheetData><row>{cells}</row></sheetData>");
    let bomb = packed(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("xl/sharedStrings.xml", strings.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ]);
    let inside = open("bomb.xlsx", &bomb);
    assert!(inside.has_gap("a document whose text is larger than the limit"));
    assert!(inside.at("text").is_some());
}

#[test]
fn parts_larger_than_memory_are_handed_on_as_they_are() {
    let xml = format!("<w:document><w:p><w:t>{}</w:t></w:p></w:document>", "a b ".repeat(100_000));
    let pack =
        packed(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", xml.as_bytes())]);
    let limits = Limits { memory_bytes: 1000, ..Limits::default() };
    let place = lidless_core::Provenance::new(lidless_core::Layer::File { path: "/m".into() });
    let source = std::sync::Arc::new(lidless_io::MemoryBytes::new(pack));
    let artifact = lidless_core::Artifact::new(lidless_core::Entry::new(place, None), source);
    let inside = Open { limits, ..Open::default() }.artifact(&artifact);
    assert_eq!(inside.at("word/document.xml").unwrap(), xml.as_bytes());
}

#[test]
fn an_encrypted_open_document_is_said() {
    // Its first member is stored, so that its kind can be seen.
    let kind = b"application/vnd.oasis.opendocument.text";
    let mut pack = b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    pack.extend((kind.len() as u32).to_le_bytes());
    pack.extend((kind.len() as u32).to_le_bytes());
    pack.extend([8, 0, 0, 0]);
    pack.extend(b"mimetype");
    pack.extend(kind);
    pack.extend(packed(&[(
        "META-INF/manifest.xml",
        b"<m:manifest><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>",
    )]));
    let inside = open("a.odt", &pack);
    assert!(inside.has_gap("an encrypted document"), "{:?}", inside.gaps);
}

#[test]
fn cut_and_changed_packages_are_survived() {
    let Some(bytes) = read("office/letter.odt") else { return };
    torture_at("a.odt", &bytes, &[0..1000, 1000..bytes.len()], 100);
    let sheet = "<row r=\"1\"><c r=\"B1\" t=\"s\"><v>0</v></c><c t=\"inlineStr\"><is><t>a&#65;</t></is></c></row>";
    let pack = packed(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("xl/sharedStrings.xml", b"<sst><si><t>shared</t><rPh><t>no</t></rPh></si></sst>"),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
        ("xl/workbook.xml", b"<sheets><sheet name=\"One\"/></sheets>"),
    ]);
    assert_eq!(open("a.xlsx", &pack).at("text").unwrap(), b"One\n\tshared\taA\n");
    torture_at("a.xlsx", &pack, &[0..100, 100..pack.len()], 200);
}

#[test]
fn rich_text_reads_as_unrtf_reads_it() {
    let Some(inside) = open_fixture("office/letter.rtf") else { return };
    assert_eq!(inside.peeler, Some("RTF"));
    let ours = text(&inside);
    let theirs = read("office/letter.rtf.txt").unwrap();
    // Theirs is Latin-1, shows what stands in for characters given by number, and has a head of
    // its own, up to a line of dashes.
    let theirs: String = theirs.iter().map(|byte| char::from(*byte)).collect();
    let (_, theirs) = theirs.split_once("-----------------\n").unwrap();
    assert_eq!(squeezed(&ours.replace('€', "?")), squeezed(theirs), "{ours}");
    assert!(ours.ends_with("€uro bold text\nname\tlogin\t\nlast line\n"), "{ours:?}");
    suite::torture("a.rtf", &read("office/letter.rtf").unwrap());
}

#[test]
fn groups_without_end_in_rich_text_are_bounded() {
    let mut bytes = b"{\\rtf1 ".to_vec();
    bytes.extend(std::iter::repeat_n(b'{', 1_000_000));
    bytes.extend(b"deep\\'zz\\u99999999999?\\bin99999999999 ");
    let inside = open("a.rtf", &bytes);
    assert_eq!(text(&inside).trim(), "deepzz");
}
