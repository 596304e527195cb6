//! Rows of mail and documents.

use crate::measure::{Expected, Holds, Row, Source, fixture, is, lines, words};
use Source::{Fixture, Made};
use serde_json::Value;

fn json(path: &str) -> Value {
    serde_json::from_slice(&fixture(path)).unwrap()
}

/// What Python's parser found in a mail: its texts, and its attachments by their digest.
fn letter(prefix: &str, mail: &Value) -> Expected {
    let mut said = vec![mail["subject"].as_str().unwrap().to_owned()];
    let texts = mail["texts"].as_array().unwrap().iter();
    said.extend(texts.map(|text| text.as_str().unwrap().trim_end().to_owned()));
    let mut expected = vec![(format!("{prefix}text"), Holds::Words(said))];
    let mut seen = Vec::new();
    for file in mail["files"].as_array().unwrap() {
        let (Some(name), Some(digest)) = (file[0].as_str(), file[1].as_str()) else { continue };
        // The second of a name has a number in it, of which another test knows.
        if !seen.contains(&name) {
            expected.push((format!("{prefix}{name}"), Holds::Digest(digest.to_owned())));
        }
        seen.push(name);
    }
    expected
}

fn eml(name: &str) -> Expected {
    letter("", &json("mail/expected.json")["mails"][name])
}

fn many() -> Expected {
    let expected = json("mail/expected.json");
    (1..)
        .zip(expected["many"].as_array().unwrap())
        .flat_map(|(number, mail)| letter(&format!("{number:06}.eml!/"), mail))
        .collect()
}

fn store(path: &str) -> Expected {
    let mut expected = Vec::new();
    for (folder, list) in json(path).as_object().unwrap() {
        for mail in list.as_array().unwrap() {
            let place = format!("{folder}/{}!/", mail["id"]);
            let body = mail["body"].as_str().unwrap().to_owned();
            expected.push((format!("{place}text"), Holds::Words(vec![body])));
            for file in mail["files"].as_array().unwrap() {
                if let (Some(name), Some(digest)) = (file[0].as_str(), file[1].as_str()) {
                    expected.push((format!("{place}{name}"), Holds::Digest(digest.to_owned())));
                }
            }
        }
    }
    expected
}

const PGP: &[u8] = b"From: a@example.com\nTo: b@example.com\n\
    Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=x\n\n\
    --x\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--x\n\
    Content-Type: application/octet-stream; name=encrypted.asc\n\nnoise\n--x--\n";

pub(crate) fn mail() -> Vec<Row> {
    vec![
        Row::new("a mail (.eml)")
            .shows("mail/plain.eml", eml("plain.eml"))
            .shows("mail/nested.eml", eml("nested.eml"))
            .shows("mail/latin.eml", eml("latin.eml"))
            .told(vec![Made("a.eml", PGP.to_vec())], "encrypted"),
        Row::new("mbox").shows("mail/many.mbox", many()),
        Row::new("Apple Mail (.emlx)")
            .shows("mail/one.emlx", is("message.eml", fixture("mail/plain.eml"))),
        Row::new("Outlook message (.msg)").shows(
            "ole/letter.msg",
            [
                lines("text", &["Subject: hello", "The password is Tr0ub4dor&3"]),
                lines("inner!/text", &["a mail inside a mail"]),
                is("inner!/inner.txt", b"inner bytes".to_vec()),
            ]
            .into_iter()
            .flatten()
            .collect(),
        ),
        Row::new("Outlook store (.pst, .ost)")
            .shows("pst/unicode.pst", store("pst/unicode.json"))
            .shows("pst/ansi.pst", store("pst/ansi.json"))
            .shows("pst/cyclic.pst", store("pst/cyclic.json"))
            .shows("pst/large.pst", store("pst/large.json"))
            .deleted_untested(),
        Row::new("winmail.dat (TNEF)").shows(
            "mail/winmail.dat",
            lines("text", &["From: Alice Example", "The password is Tr0ub4dor&3", "<p>html</p>"]),
        ),
    ]
}

/// The head of an OpenDocument of which a part is encrypted: its first member is stored, so that
/// its kind can be seen.
fn locked_open_document() -> Vec<u8> {
    let kind = b"application/vnd.oasis.opendocument.text";
    let list = b"<m:manifest><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>";
    let mut pack = Vec::new();
    let mut directory = Vec::new();
    for (name, content) in [("mimetype", &kind[..]), ("META-INF/manifest.xml", &list[..])] {
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let mut fields = vec![0u8; 8];
        fields.extend(crc.sum().to_le_bytes());
        fields.extend((content.len() as u32).to_le_bytes());
        fields.extend((content.len() as u32).to_le_bytes());
        fields.extend((name.len() as u16).to_le_bytes());
        fields.extend([0, 0]);
        directory.extend(b"PK\x01\x02\x14\0\x14\0");
        directory.extend(&fields);
        directory.extend([0; 10]);
        directory.extend((pack.len() as u32).to_le_bytes());
        directory.extend(name.as_bytes());
        pack.extend(b"PK\x03\x04\x14\0");
        pack.extend(&fields);
        pack.extend(name.as_bytes());
        pack.extend(content);
    }
    let at = pack.len() as u32;
    pack.extend(&directory);
    pack.extend(b"PK\x05\x06\0\0\0\0\x02\0\x02\0");
    pack.extend((directory.len() as u32).to_le_bytes());
    pack.extend(at.to_le_bytes());
    pack.extend([0, 0]);
    pack
}

fn said(place: &str, path: &str) -> Expected {
    words(place, &String::from_utf8_lossy(&fixture(path)))
}

pub(crate) fn rows() -> Vec<Row> {
    let rich = fixture("office/letter.rtf.txt");
    let rich = String::from_utf8_lossy(&rich).into_owned();
    let (_, rich) = rich.split_once("-----------------\n").unwrap();
    let locked = || vec![Fixture("ole/locked.xlsx")];
    vec![
        Row::new("Word (.docx)")
            .stream("office/letter.docx", said("text", "office/letter.docx.txt"))
            .told(locked(), "encrypted"),
        Row::new("Excel (.xlsx)")
            .stream("office/list.xlsx", said("text", "office/list1.txt"))
            .told(locked(), "encrypted"),
        Row::new("PowerPoint (.pptx)")
            .stream("office/slides.pptx", lines("text", &["Slide 1\n", "Slide 10\n", "say it\n"])),
        Row::new("OpenDocument (.odt, .ods)")
            .stream("office/letter.odt", said("text", "office/letter.odt.txt"))
            .stream("office/list.ods", lines("text", &["user 0\tuser0@example.com\tSecret-0-ü"]))
            .told(vec![Made("a.odt", locked_open_document())], "encrypted"),
        Row::new("Word (.doc)")
            .stream("ole/letter.doc", said("text", "ole/letter.doc.txt"))
            .told(vec![Fixture("ole/locked.doc")], "encrypted"),
        Row::new("Excel (.xls)")
            .stream("office/list.xls", said("text", "office/list.xls.txt"))
            .encrypted_untested(),
        Row::new("PowerPoint (.ppt)")
            .stream("ole/slides.ppt", said("text", "ole/slides.ppt.txt"))
            .encrypted_untested(),
        Row::new("macros (VBA)")
            .shows("ole/macros.bin", is("Module1.bas!/text", fixture("ole/macros.txt"))),
        Row::new("rich text (.rtf)").stream("office/letter.rtf", words("text", rich)),
        Row::new("PDF")
            .stream("pdf/list.pdf", said("text", "pdf/list.txt"))
            .stream("pdf/letter.pdf", said("text", "pdf/letter.txt"))
            .shows("pdf/attached.pdf", is("notes.txt", b"attached to the document\n".to_vec()))
            .told(vec![Fixture("pdf/locked.pdf")], "encrypted"),
        Row::new("other compound files")
            .shows("cfb/v3.cfb", is("folder/inner/deep.txt", b"deep down\n".to_vec())),
    ]
}
