//! Property lists of Apple, in XML and in binary (`CFBinaryPList.c` of Core Foundation).
//!
//! | from the end of a binary one | size | field |
//! | --- | --- | --- |
//! | 26 | 1 | length of an offset |
//! | 25 | 1 | length of a reference |
//! | 24 | 8 | objects |
//! | 16 | 8 | which of them is the top |
//! | 8 | 8 | where their offsets lie |
//!
//! Numbers are big-endian. An object begins with its kind (four bits) and its length or size.

use crate::error::RecordError;
use lidless_io::number;
use lidless_io::utf16;

const MAGIC: &[u8] = b"bplist00";
/// How many objects are made: one object may stand in many places.
const OBJECTS: usize = 100_000;
/// How much text and bytes they hold together.
const BYTES: usize = 32 << 20;
const DEEPEST: usize = 32;

/// A property list, or a part of one.
#[derive(Debug, Clone, PartialEq)]
pub enum Plist {
    /// Names with their values, in the order of the file.
    Dictionary(Vec<(String, Plist)>),
    /// Values in order.
    Array(Vec<Plist>),
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Bytes; of a binary list only.
    Data(Vec<u8>),
    /// A truth, a time, a number with a fraction: not kept.
    Other,
}

impl Plist {
    /// What lies below some names, one below the other.
    #[must_use]
    pub fn get(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |at, name| match at {
            Self::Dictionary(row) => {
                row.iter().find(|(own, _)| own == name).map(|(_, value)| value)
            }
            _ => None,
        })
    }

    /// The text, when it is text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The first text of a list of texts, or the text itself.
    #[must_use]
    pub fn first_text(&self) -> Option<&str> {
        match self {
            Self::Array(row) => row.first().and_then(Self::text),
            other => other.text(),
        }
    }
}

/// Reads a property list.
///
/// # Errors
/// `Malformed`, and `Limit` when it has more or deeper objects than any list of settings.
pub fn property_list(bytes: &[u8]) -> Result<Plist, RecordError> {
    if bytes.starts_with(MAGIC) { binary(bytes) } else { xml(bytes) }
}

fn malformed(offset: usize, expected: &str) -> RecordError {
    RecordError::Malformed {
        format: "property list",
        offset: number::wide(offset),
        expected: expected.to_owned(),
        found: "other bytes".to_owned(),
    }
}

struct Binary<'a> {
    bytes: &'a [u8],
    offset_size: usize,
    reference_size: usize,
    offsets: usize,
    left: usize,
    left_bytes: usize,
}

fn number(bytes: &[u8], at: usize, size: usize) -> Option<u64> {
    let bytes = number::slice(bytes, at, size).filter(|_| (1..=8).contains(&size))?;
    Some(bytes.iter().fold(0u64, |value, byte| (value << 8) | u64::from(*byte)))
}

fn binary(bytes: &[u8]) -> Result<Plist, RecordError> {
    let end = bytes.len().checked_sub(32).ok_or_else(|| malformed(0, "a trailer"))?;
    let field = |at: usize, size: usize| {
        let place = end.saturating_add(at);
        number(bytes, place, size).ok_or_else(|| malformed(place, "a trailer"))
    };
    let mut list = Binary {
        bytes,
        offset_size: number::index(field(6, 1)?),
        reference_size: number::index(field(7, 1)?),
        offsets: number::index(field(24, 8)?),
        left: OBJECTS,
        left_bytes: BYTES,
    };
    let top = field(16, 8)?;
    list.object(top, 0)
}

impl Binary<'_> {
    fn object(&mut self, index: u64, depth: usize) -> Result<Plist, RecordError> {
        self.left = self
            .left
            .checked_sub(1)
            .filter(|_| depth < DEEPEST)
            .ok_or(RecordError::Limit("a property list of more objects than any"))?;
        let entry = number::index(index).checked_mul(self.offset_size);
        let entry = entry.and_then(|entry| entry.checked_add(self.offsets));
        let bad = || malformed(number::index(index), "an object");
        let place = entry.and_then(|entry| number(self.bytes, entry, self.offset_size));
        let place = number::index(place.ok_or_else(bad)?);
        let mark = *self.bytes.get(place).ok_or_else(bad)?;
        let (kind, low) = (mark >> 4, mark & 15);
        let mut content = place.saturating_add(1);
        let mut length = usize::from(low);
        if low == 15 && matches!(kind, 4..=6 | 10..=13) {
            // The length is a number object of its own.
            let size = *self.bytes.get(content).ok_or_else(bad)?;
            let size = 1usize.checked_shl(u32::from(size & 15)).unwrap_or(0);
            let start = content.saturating_add(1);
            length = number::index(number(self.bytes, start, size).ok_or_else(bad)?);
            content = start.saturating_add(size);
        }
        if matches!(kind, 4..=6) {
            let size = if kind == 6 { length.saturating_mul(2) } else { length };
            self.left_bytes = self
                .left_bytes
                .checked_sub(size)
                .ok_or(RecordError::Limit("a property list of more text than any"))?;
        }
        let take = |length: usize| number::slice(self.bytes, content, length).ok_or_else(bad);
        match kind {
            1 => {
                let size = 1usize.checked_shl(u32::from(low)).unwrap_or(0);
                let value = number(self.bytes, content, size).ok_or_else(bad)?;
                Ok(Plist::Integer(value.cast_signed()))
            }
            4 => Ok(Plist::Data(take(length)?.to_vec())),
            5 => Ok(Plist::Text(take(length)?.iter().map(|byte| char::from(*byte)).collect())),
            6 => Ok(Plist::Text(utf16::text(utf16::units_be(take(length.saturating_mul(2))?)))),
            10..=12 => {
                let row = self.references(content, length).ok_or_else(bad)?;
                let below = depth.saturating_add(1);
                let row = row.into_iter().map(|index| self.object(index, below));
                Ok(Plist::Array(row.collect::<Result<_, _>>()?))
            }
            13 => {
                let row = self.references(content, length.saturating_mul(2)).ok_or_else(bad)?;
                let (names, values) = row.split_at_checked(length).ok_or_else(bad)?;
                let below = depth.saturating_add(1);
                let mut found = Vec::with_capacity(names.len());
                for (name, value) in names.iter().zip(values) {
                    if let Plist::Text(name) = self.object(*name, below)? {
                        found.push((name, self.object(*value, below)?));
                    }
                }
                Ok(Plist::Dictionary(found))
            }
            _ => Ok(Plist::Other),
        }
    }

    fn references(&self, content: usize, count: usize) -> Option<Vec<u64>> {
        let size = self.reference_size;
        let bytes = number::slice(self.bytes, content, count.checked_mul(size)?)?;
        bytes.chunks_exact(size.max(1)).map(|one| number(one, 0, size)).collect()
    }
}

/// What is open in an XML list.
enum Open {
    Dictionary(Vec<(String, Plist)>, Option<String>),
    Array(Vec<Plist>),
}

fn xml(bytes: &[u8]) -> Result<Plist, RecordError> {
    let text =
        std::str::from_utf8(bytes).map_err(|error| malformed(error.valid_up_to(), "text"))?;
    let mut rest = text.split_once("<plist").ok_or_else(|| malformed(0, "<plist"))?.1;
    let mut open: Vec<Open> = Vec::new();
    let mut left = OBJECTS;
    loop {
        let here = || malformed(text.len().saturating_sub(rest.len()), "an element");
        let start = rest.find('<').ok_or_else(here)?;
        rest = rest.get(start.saturating_add(1)..).unwrap_or("");
        let (tag, after) = rest.split_once('>').ok_or_else(here)?;
        left = left
            .checked_sub(1)
            .filter(|_| open.len() < DEEPEST)
            .ok_or(RecordError::Limit("a property list of more objects than any"))?;
        rest = after;
        let name = tag.trim_end_matches('/').trim();
        let closed = tag.ends_with('/');
        let value = match (name, closed) {
            ("dict", false) => {
                open.push(Open::Dictionary(Vec::new(), None));
                continue;
            }
            ("array", false) => {
                open.push(Open::Array(Vec::new()));
                continue;
            }
            ("dict", true) => Plist::Dictionary(Vec::new()),
            ("array", true) => Plist::Array(Vec::new()),
            _ if tag.starts_with('/') => match open.pop() {
                Some(Open::Dictionary(row, _)) => Plist::Dictionary(row),
                Some(Open::Array(row)) => Plist::Array(row),
                None => return Err(here()),
            },
            ("key" | "string" | "integer" | "real" | "date" | "data", false) => {
                let (content, after) = rest.split_once("</").ok_or_else(here)?;
                rest = after.split_once('>').ok_or_else(here)?.1;
                let content = unescape(content);
                if let ("key", Some(Open::Dictionary(_, key))) = (name, open.last_mut()) {
                    *key = Some(content);
                    continue;
                }
                match name {
                    "integer" => content.trim().parse().map_or(Plist::Other, Plist::Integer),
                    "string" => Plist::Text(content),
                    _ => Plist::Other,
                }
            }
            ("string", true) => Plist::Text(String::new()),
            // Comments, and what is true or false.
            _ if name.starts_with(['!', '?']) => continue,
            _ => Plist::Other,
        };
        match open.last_mut() {
            None => return Ok(value),
            Some(Open::Dictionary(row, key)) => {
                if let Some(key) = key.take() {
                    row.push((key, value));
                }
            }
            Some(Open::Array(row)) => row.push(value),
        }
    }
}

fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let named = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    named.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    const XML: &str = "<?xml version=\"1.0\"?><!DOCTYPE plist PUBLIC \"x\" \"y\"><plist version=\"1.0\">
        <dict><key>System</key><dict><key>Name</key><string>Alice&#8217;s &lt;Mac&gt; &amp; co</string>
        <key>n</key><integer>42</integer><key>on</key><true/></dict>
        <key>names</key><array><string>alice</string><string>al</string></array>
        <key>none</key><array/></dict></plist>";

    fn check(list: &Plist) {
        let name = list.get(&["System", "Name"]).and_then(Plist::text).unwrap();
        assert!(name.ends_with("s <Mac> & co"), "{name}");
        assert_eq!(list.get(&["System", "n"]), Some(&Plist::Integer(42)));
        assert_eq!(list.get(&["names"]).and_then(Plist::first_text), Some("alice"));
        assert_eq!(list.get(&["none"]), Some(&Plist::Array(Vec::new())));
        assert_eq!(list.get(&["System", "missing"]), None);
    }

    #[test]
    fn both_forms_say_the_same() {
        check(&property_list(XML.as_bytes()).unwrap());
        lidless_kit::cut_and_flip(XML.as_bytes(), |bytes| {
            let _ = property_list(bytes);
        });
        let script = "import plistlib,sys; d=plistlib.loads(sys.stdin.buffer.read()); \
                      sys.stdout.buffer.write(plistlib.dumps(d, fmt=plistlib.FMT_BINARY))";
        let python = Command::new("python3")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut python) = python else {
            eprintln!("left out: no python3 here");
            return;
        };
        std::io::Write::write_all(&mut python.stdin.take().unwrap(), XML.as_bytes()).unwrap();
        let bytes = python.wait_with_output().unwrap().stdout;
        check(&property_list(&bytes).unwrap());
        lidless_kit::cut_and_flip(&bytes, |bytes| {
            let _ = property_list(bytes);
        });
    }

    #[test]
    fn a_list_that_contains_itself_is_a_limit() {
        // One array whose only member is itself.
        let mut bytes = b"bplist00".to_vec();
        bytes.extend([0xa2, 0, 0, 8]);
        bytes.extend([0; 6]);
        bytes.extend([1, 1]);
        bytes.extend(1u64.to_be_bytes());
        bytes.extend(0u64.to_be_bytes());
        bytes.extend(11u64.to_be_bytes());
        assert!(matches!(property_list(&bytes), Err(RecordError::Limit(_))));
        let deep = format!("<plist>{}", "<array>".repeat(10_000));
        assert!(matches!(property_list(deep.as_bytes()), Err(RecordError::Limit(_))));
    }
}
