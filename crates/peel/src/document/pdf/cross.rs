//! Where objects lie: the cross-reference table and streams (ISO 32000-1, 7.5.4 and 7.5.8), and,
//! where those are broken, a search for what begins like an object.

use super::file::{PdfFile, Spot};
use super::lexer::Lexer;
use super::object::{Dictionary, Object};
use lidless_io::{ReadAt as _, read_vec};
use std::collections::HashSet;
use std::rc::Rc;

/// More objects than any file has.
const MOST: usize = 2_000_000;
/// More updates than any file has.
const MOST_UPDATES: usize = 1000;
/// The largest table: of 400,000 objects.
const LARGEST_TABLE: u64 = 8 << 20;
/// Sections that lead nowhere before the file is searched instead.
const MOST_BROKEN: usize = 3;
/// How much of a broken file is searched.
const SEARCHED: u64 = 64 << 20;

impl PdfFile {
    /// Finds the objects; the newest trailer. False when the tables lead nowhere.
    pub(super) fn find_objects(&mut self) -> bool {
        let length = self.source.len();
        let base = length.saturating_sub(2048);
        let Ok(tail) = read_vec(&*self.source, base, 2048) else { return false };
        let Some(at) = memchr::memmem::rfind(&tail, b"startxref") else { return false };
        let mut lexer = Lexer::new(tail.get(at.saturating_add(9)..).unwrap_or(&[]));
        let mut open: Vec<u64> = lexer.object().and_then(|one| one.whole()).into_iter().collect();
        let (mut seen, mut broken) = (HashSet::new(), 0usize);
        while let Some(offset) = open.pop() {
            if !seen.insert(offset) || seen.len() > MOST_UPDATES {
                continue;
            }
            let Some(trailer) = self.section(offset) else {
                broken = broken.saturating_add(1);
                if broken >= MOST_BROKEN {
                    break;
                }
                continue;
            };
            for name in ["Prev", "XRefStm"] {
                open.extend(trailer.get(name).and_then(Object::whole));
            }
            for (name, value) in trailer.iter() {
                self.trailer.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        self.trailer.contains_key("Root") && !self.spots.is_empty()
    }

    fn section(&mut self, offset: u64) -> Option<Rc<Dictionary>> {
        let head = read_vec(&*self.source, offset, 64).ok()?;
        if head.trim_ascii_start().starts_with(b"xref") {
            self.table(offset)
        } else {
            self.cross_stream(offset)
        }
    }

    fn add(&mut self, number: u32, spot: Spot) {
        if self.spots.len() < MOST {
            self.spots.entry(number).or_insert(spot);
        }
    }

    /// A table of lines of 20 bytes, then its trailer.
    fn table(&mut self, offset: u64) -> Option<Rc<Dictionary>> {
        let mut size = 4096u64;
        loop {
            let bytes = read_vec(&*self.source, offset, size).ok()?;
            let whole = offset.saturating_add(size) >= self.source.len();
            if let Some(at) = memchr::memmem::find(&bytes, b"trailer") {
                let rest = bytes.get(at.saturating_add(7)..).unwrap_or(&[]);
                if let Some(Object::Dictionary(trailer)) = Lexer::new(rest).object() {
                    self.lines(bytes.get(..at).unwrap_or(&[]));
                    return Some(trailer);
                }
            }
            size = size.saturating_mul(4);
            if whole || size > LARGEST_TABLE {
                return None;
            }
        }
    }

    fn lines(&mut self, bytes: &[u8]) {
        let mut lexer = Lexer::new(bytes);
        lexer.object();
        while let (Some(first), Some(count)) =
            (lexer.object().and_then(|one| one.whole()), lexer.object().and_then(|one| one.whole()))
        {
            for number in first..first.saturating_add(count) {
                let Some(offset) = lexer.object().and_then(|one| one.whole()) else { return };
                lexer.object();
                let used = matches!(lexer.object(), Some(Object::Word(word)) if word == b"n");
                if let Ok(number) = u32::try_from(number)
                    && used
                {
                    self.add(number, Spot::At(offset));
                }
            }
        }
    }

    /// A stream of entries, whose fields are as wide as `W` says.
    fn cross_stream(&mut self, offset: u64) -> Option<Rc<Dictionary>> {
        let (_, object) = self.object_at(offset)?;
        let dictionary = object.shared()?;
        let bytes = self.stream_of(&object)?;
        let widths: Vec<usize> = dictionary
            .get("W")?
            .list()?
            .iter()
            .filter_map(|one| usize::try_from(one.whole()?).ok())
            .filter(|width| *width <= 8)
            .collect();
        let [kind, middle, last] = *widths.as_slice() else { return None };
        let size = dictionary.get("Size").and_then(Object::whole).unwrap_or(0);
        let index: Vec<u64> = match dictionary.get("Index").and_then(Object::list) {
            Some(list) => list.iter().filter_map(Object::whole).collect(),
            None => vec![0, size],
        };
        let line = kind.saturating_add(middle).saturating_add(last).max(1);
        let mut entries = bytes.chunks_exact(line);
        for pair in index.chunks_exact(2) {
            let [first, count] = *pair else { continue };
            for number in first..first.saturating_add(count) {
                let Some(entry) = entries.next() else { return Some(dictionary) };
                let field = |from: usize, width: usize| {
                    let bytes = entry.get(from..from.saturating_add(width)).unwrap_or(&[]);
                    bytes.iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte))
                };
                let place = field(kind, middle);
                let spot = match if kind == 0 { 1 } else { field(0, kind) } {
                    1 => Spot::At(place),
                    2 => match u32::try_from(place) {
                        Ok(stream) => Spot::In(stream),
                        Err(_) => continue,
                    },
                    _ => continue,
                };
                if let Ok(number) = u32::try_from(number) {
                    self.add(number, spot);
                }
            }
        }
        Some(dictionary)
    }

    /// Searches the file for objects and trailers; the last of a number wins.
    pub(super) fn rebuild(&mut self) {
        self.spots.clear();
        self.trailer.clear();
        let Ok(bytes) = read_vec(&*self.source, 0, SEARCHED) else { return };
        let mut packed = Vec::new();
        for at in memchr::memmem::find_iter(&bytes, b" obj").take(MOST) {
            let Some((number, start)) = header_before(&bytes, at) else { continue };
            let Ok(offset) = u64::try_from(start) else { continue };
            if self.spots.len() < MOST {
                self.spots.insert(number, Spot::At(offset));
            }
            let near = bytes.get(at..at.saturating_add(300).min(bytes.len())).unwrap_or(&[]);
            let near = near.split(|byte| *byte == b'\n').take(8).collect::<Vec<_>>().concat();
            if memchr::memmem::find(&near, b"/ObjStm").is_some() && packed.len() < 100_000 {
                packed.push(number);
            }
            let catalog = [&b"/Type/Catalog"[..], b"/Type /Catalog"];
            if catalog.iter().any(|mark| memchr::memmem::find(&near, mark).is_some()) {
                self.trailer.insert("Root".to_owned(), Object::Reference(number));
            }
        }
        for stream in packed {
            for number in self.packed_numbers(stream) {
                self.add(number, Spot::In(stream));
            }
        }
        for at in memchr::memmem::find_iter(&bytes, b"trailer").take(MOST_UPDATES) {
            let rest = bytes.get(at.saturating_add(7)..).unwrap_or(&[]);
            if let Some(Object::Dictionary(trailer)) = Lexer::new(rest).object() {
                self.trailer.extend(trailer.iter().map(|(name, one)| (name.clone(), one.clone())));
            }
        }
        // The catalog of a file whose trailer is a stream.
        if !self.trailer.contains_key("Root") {
            let numbers: Vec<u32> = self.spots.keys().copied().take(10_000).collect();
            let is_catalog = |object: &Object| {
                let kind = object.dictionary().and_then(|one| one.get("Type"));
                kind.and_then(Object::name) == Some("Catalog")
            };
            let found = numbers.into_iter().find(|number| is_catalog(&self.object(*number)));
            if let Some(number) = found {
                self.trailer.insert("Root".to_owned(), Object::Reference(number));
            }
        }
    }
}

/// The number in front of ` obj`, and where it begins: `12 0`.
fn header_before(bytes: &[u8], at: usize) -> Option<(u32, usize)> {
    let before = bytes.get(at.saturating_sub(20)..at)?;
    let digits = |bytes: &[u8]| bytes.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let second = digits(before);
    let middle = before.get(..before.len().checked_sub(second)?)?;
    let middle = middle.strip_suffix(b" ")?;
    let first = digits(middle);
    if first == 0 || second == 0 {
        return None;
    }
    let number = middle.get(middle.len().checked_sub(first)?..)?;
    let number = std::str::from_utf8(number).ok()?.parse().ok()?;
    let length = first.saturating_add(second).saturating_add(1);
    Some((number, at.checked_sub(length)?))
}
