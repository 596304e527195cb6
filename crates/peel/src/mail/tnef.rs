//! `winmail.dat` (MS-OXTNEF): what Outlook puts around the attachments of a mail that leaves it.
//!
//! 4 bytes `78 9f 3e 22`, 2 bytes key, then attributes: 1 byte level, 2 bytes number, 2 bytes
//! type, 4 bytes length, content, 2 bytes checksum. The properties in an attribute: 4 bytes
//! number, then 2 bytes type, 2 bytes number, for named ones 16 bytes and a name, and the value.

use super::charset::{code_page, decode};
use super::letter::Letter;
use crate::peeler::{Peeler, Sink};
use crate::plain::{Attached, give_text, read_whole};
use lidless_core::{Artifact, Gap, Limits};
use lidless_io::number::{index, u16_le, u32_le};
use lidless_io::utf16::{text_to_zero, units_le};
use lidless_io::{Cursor, CursorError, MemoryBytes, ReadAt as _};
use std::collections::BTreeMap;
use std::sync::Arc;

const MAGIC: &[u8] = b"\x78\x9f\x3e\x22";
const SUBJECT: u16 = 0x8004;
const BODY: u16 = 0x800c;
const CONTENT: u16 = 0x800f;
const TITLE: u16 = 0x8010;
const BEGIN: u16 = 0x9002;
const PROPERTIES: u16 = 0x9003;
const PROPERTIES_OF_ATTACHMENT: u16 = 0x9005;
const CODE_PAGE: u16 = 0x9007;
/// More attachments than a mail has, and more properties than a message.
const MOST_ATTACHMENTS: usize = 10_000;
const MOST_PROPERTIES: u32 = 10_000;

/// What Outlook puts around attachments.
pub(crate) struct Tnef;

impl Peeler for Tnef {
    fn name(&self) -> &'static str {
        "TNEF"
    }

    fn recognises(&self, _artifact: &Artifact, head: &[u8]) -> bool {
        head.starts_with(MAGIC)
    }

    fn peel(&self, artifact: &Artifact, _head: &[u8], limits: &Limits, sink: &mut dyn Sink) {
        let place = &artifact.entry.provenance;
        let length = artifact.bytes.len();
        let Some(bytes) = read_whole(artifact, limits, sink) else { return };
        let mut letter = Letter::default();
        let mut files = Vec::new();
        let whole = attributes(&bytes, &mut letter, &mut files, limits);
        give_text(place, letter.into_text(), sink);
        let mut attached = Attached::new(place.clone());
        for file in files.into_iter().filter(|file| !file.bytes.is_empty()) {
            let size = u64::try_from(file.bytes.len()).ok();
            attached.give(&file.name, ".bin", size, sink, |_, _| {
                Some(Arc::new(MemoryBytes::new(file.bytes)))
            });
        }
        if whole.is_err() || length > limits.memory_bytes {
            sink.gap(Gap::new(place, "a TNEF file that breaks off", None));
        }
    }
}

#[derive(Default)]
struct File {
    name: String,
    bytes: Vec<u8>,
}

fn attributes(
    bytes: &[u8],
    letter: &mut Letter,
    files: &mut Vec<File>,
    limits: &Limits,
) -> Result<(), CursorError> {
    let mut cursor = Cursor::new(bytes);
    cursor.skip(6)?;
    let mut page = None;
    while !cursor.is_at_end() {
        cursor.skip(1)?;
        let number = cursor.u16_le()?;
        cursor.skip(2)?;
        let length = index(cursor.u32_le()?);
        let content = cursor.take(length)?;
        cursor.skip(2)?;
        let text = || decode(content, page).trim_end_matches('\0').to_owned();
        match number {
            CODE_PAGE => page = u32_le(content, 0).and_then(code_page),
            SUBJECT => letter.field("Subject", Some(&text())),
            BODY => letter.body(&text()),
            BEGIN if files.len() < MOST_ATTACHMENTS => files.push(File::default()),
            TITLE | CONTENT => {
                let Some(file) = files.last_mut() else { continue };
                match number {
                    TITLE if file.name.is_empty() => file.name = text(),
                    CONTENT => file.bytes = content.to_vec(),
                    _ => {}
                }
            }
            PROPERTIES => add_message(content, page, letter, limits),
            PROPERTIES_OF_ATTACHMENT => {
                let values = properties(content);
                let Some(file) = files.last_mut() else { continue };
                if let Some(name) = values.get(&0x3707).and_then(|value| value.text(page)) {
                    file.name = name;
                }
                if let Some(value) = values.get(&0x3701) {
                    // An object has the id of its interface in front; a message is TNEF again.
                    let skip = if value.kind == 0x0d { 16 } else { 0 };
                    file.bytes = value.bytes.get(skip..).unwrap_or(&[]).to_vec();
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn add_message(content: &[u8], page: Option<&str>, letter: &mut Letter, limits: &Limits) {
    let values = properties(content);
    let text = |number: u16| values.get(&number).and_then(|value| value.text(page));
    letter.field("Message-Class", text(0x001a).as_deref());
    let (sender, address) = (text(0x0c1a).unwrap_or_default(), text(0x0c1f).unwrap_or_default());
    letter.person("From", &sender, &address);
    letter.field("To", text(0x0e04).as_deref());
    letter.field("Subject", text(0x0037).as_deref());
    for number in [0x007d, 0x1000] {
        if let Some(text) = text(number) {
            letter.body(&text);
        }
    }
    if let Some(html) = values.get(&0x1013) {
        letter.html(html.bytes, None);
    }
    if let Some(rich) = values.get(&0x1009) {
        let most = index(limits.memory_bytes / 4);
        letter.rich(rich.bytes, most);
    }
}

struct Property<'a> {
    kind: u16,
    bytes: &'a [u8],
}

impl Property<'_> {
    fn text(&self, page: Option<&str>) -> Option<String> {
        match self.kind {
            0x1f => Some(text_to_zero(units_le(self.bytes))),
            0x1e => Some(decode(self.bytes, page).trim_end_matches('\0').to_owned()),
            _ => None,
        }
    }
}

/// The longer properties by their numbers; up to where they break off.
fn properties(content: &[u8]) -> BTreeMap<u16, Property<'_>> {
    let mut found = BTreeMap::new();
    let mut cursor = Cursor::new(content);
    let count = cursor.u32_le().unwrap_or(0).min(MOST_PROPERTIES);
    for _ in 0..count {
        match property(&mut cursor) {
            Ok((number, Some(property))) => {
                found.entry(number).or_insert(property);
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    found
}

fn padded<'a>(cursor: &mut Cursor<'a>, length: u32) -> Result<&'a [u8], CursorError> {
    let length = index(length);
    let bytes = cursor.take(length)?;
    let padding = length.next_multiple_of(4).saturating_sub(length).min(cursor.remaining().len());
    cursor.skip(padding)?;
    Ok(bytes)
}

fn property<'a>(cursor: &mut Cursor<'a>) -> Result<(u16, Option<Property<'a>>), CursorError> {
    let tag = cursor.take(4)?;
    let kind = u16_le(tag, 0).unwrap_or(0);
    let number = u16_le(tag, 2).unwrap_or(0);
    if number >= 0x8000 {
        cursor.skip(16)?;
        if cursor.u32_le()? == 0 {
            cursor.skip(4)?;
        } else {
            let length = cursor.u32_le()?;
            padded(cursor, length)?;
        }
    }
    let many = kind & 0x1000 != 0;
    let base = kind & 0xfff;
    let fixed = match base {
        0x02 | 0x03 | 0x04 | 0x0a | 0x0b => Some(4usize),
        0x05..=0x07 | 0x14 | 0x40 => Some(8),
        0x48 => Some(16),
        _ => None,
    };
    if let Some(size) = fixed {
        let count = if many { cursor.u32_le()? } else { 1 };
        let count = index(count);
        cursor.skip(size.saturating_mul(count))?;
        return Ok((number, None));
    }
    let mut first = None;
    for _ in 0..cursor.u32_le()? {
        let length = cursor.u32_le()?;
        let bytes = padded(cursor, length)?;
        first.get_or_insert(Property { kind, bytes });
    }
    Ok((number, first))
}
