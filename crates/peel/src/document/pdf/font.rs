//! What the codes of a font stand for: its map to Unicode (ISO 32000-1, 9.10.3), or the encoding
//! of a simple font (9.6.6).

use super::file::PdfFile;
use super::glyph::character;
use super::lexer::Lexer;
use super::object::{Dictionary, Object};
use encoding_rs::{MACINTOSH, UTF_16BE, WINDOWS_1252};
use std::collections::BTreeMap;

/// More codes than a font has.
const MOST: usize = 70_000;

/// How the text of a font is read.
pub(super) struct Font {
    /// Code and its length in bytes to text.
    map: BTreeMap<(u32, usize), String>,
    /// Lengths of codes that occur, longest first.
    lengths: Vec<usize>,
    /// Codes that stand for another character than in the encoding.
    differences: BTreeMap<u8, char>,
    is_mac: bool,
    /// Codes are of several bytes, and what they stand for is not said.
    is_blind: bool,
    /// How many codes may still be added: ranges may name the same again and again.
    left: usize,
}

impl Font {
    pub(super) fn read(file: &PdfFile, font: &Dictionary) -> Self {
        let mut own = Self {
            map: BTreeMap::new(),
            lengths: Vec::new(),
            differences: BTreeMap::new(),
            is_mac: false,
            is_blind: false,
            left: MOST,
        };
        if let Some(bytes) = font.get("ToUnicode").and_then(|map| file.stream_of(map)) {
            own.unicode_map(&bytes);
        }
        let composite = font.get("Subtype").and_then(Object::name) == Some("Type0");
        if composite {
            own.is_blind = own.map.is_empty();
            if own.lengths.is_empty() {
                own.lengths = vec![2];
            }
        } else {
            own.lengths = vec![1];
            own.encoding(file, font.get("Encoding"));
        }
        own
    }

    fn encoding(&mut self, file: &PdfFile, encoding: Option<&Object>) {
        let Some(encoding) = encoding.map(|one| file.resolve(one)) else { return };
        let base = encoding.name().map(str::to_owned).or_else(|| {
            let base = encoding.dictionary()?.get("BaseEncoding")?;
            file.resolve(base).name().map(str::to_owned)
        });
        self.is_mac = base.as_deref() == Some("MacRomanEncoding");
        let differences = encoding.dictionary().and_then(|one| one.get("Differences"));
        let Some(differences) = differences.map(|one| file.resolve(one)) else { return };
        let mut code = 0u8;
        for one in differences.list().unwrap_or(&[]).iter().take(600) {
            match one {
                Object::Name(name) => {
                    if let Some(one) = character(name) {
                        self.differences.insert(code, one);
                    }
                    code = code.wrapping_add(1);
                }
                other => {
                    let number = other.whole().and_then(|number| u8::try_from(number).ok());
                    code = number.unwrap_or(code);
                }
            }
        }
    }

    /// Reads a map: `beginbfchar <code> <text>`, `beginbfrange <from> <to> <text> or [<text>..]`.
    fn unicode_map(&mut self, bytes: &[u8]) {
        let mut lexer = Lexer::new(bytes);
        let mut held: Vec<Object> = Vec::new();
        while let Some(object) = lexer.object() {
            let Object::Word(word) = &object else {
                if held.len() < 4096 {
                    held.push(object);
                }
                continue;
            };
            match word.as_slice() {
                b"endcodespacerange" => {
                    let lengths = held.iter().filter_map(|one| Some(one.text()?.len()));
                    self.lengths.extend(lengths.filter(|length| (1..=4).contains(length)));
                }
                b"endbfchar" => {
                    for pair in held.chunks_exact(2) {
                        if let [Object::Text(code), Object::Text(text)] = pair {
                            self.add(number(code), code.len(), utf16(text));
                        }
                    }
                }
                b"endbfrange" => held.chunks_exact(3).for_each(|three| self.range(three)),
                _ => {}
            }
            held.clear();
        }
        self.lengths.extend(self.map.keys().map(|(_, length)| *length).take(1));
        self.lengths.sort_unstable_by(|one, other| other.cmp(one));
        self.lengths.dedup();
    }

    fn range(&mut self, three: &[Object]) {
        let [Object::Text(from), Object::Text(to), target] = three else { return };
        let (first, last) = (number(from), number(to));
        for (step, code) in (first..=last).take(MOST).enumerate() {
            let text = match target {
                Object::List(list) => match list.get(step).and_then(Object::text) {
                    Some(text) => utf16(text),
                    None => return,
                },
                Object::Text(text) => {
                    // The last unit counts on.
                    let mut text = text.as_ref().clone();
                    let step = u16::try_from(step).unwrap_or(u16::MAX);
                    let units = text.len();
                    if let Some(end) = units.checked_sub(2).and_then(|at| text.get_mut(at..))
                        && let [high, low] = end
                    {
                        let unit = u16::from_be_bytes([*high, *low]).wrapping_add(step);
                        [*high, *low] = unit.to_be_bytes();
                    }
                    utf16(&text)
                }
                _ => return,
            };
            if self.left == 0 {
                return;
            }
            self.add(code, from.len(), text);
        }
    }

    fn add(&mut self, code: u32, length: usize, text: String) {
        self.left = self.left.saturating_sub(1);
        if self.left > 0 && text.len() < 256 {
            self.map.insert((code, length), text);
        }
    }

    /// Adds what a string shows; false when that is not said.
    pub(super) fn show(&self, bytes: &[u8], out: &mut String) -> bool {
        if self.is_blind {
            return bytes.is_empty();
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let found = self.lengths.iter().find_map(|length| {
                let (code, after) = rest.split_at_checked(*length)?;
                Some((self.map.get(&(number(code), *length))?, after))
            });
            if let Some((text, after)) = found {
                out.push_str(text);
                rest = after;
                continue;
            }
            let length = self.lengths.last().copied().unwrap_or(1);
            let (code, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            if let [byte] = code {
                match self.differences.get(byte) {
                    Some(one) => out.push(*one),
                    None if self.is_mac => out.push_str(&MACINTOSH.decode(code).0),
                    None => out.push_str(&WINDOWS_1252.decode(code).0),
                }
            }
            rest = after;
        }
        true
    }
}

fn number(code: &[u8]) -> u32 {
    code.iter().take(4).fold(0, |value, byte| value << 8 | u32::from(*byte))
}

fn utf16(text: &[u8]) -> String {
    match text {
        [byte] => char::from(*byte).to_string(),
        _ => UTF_16BE.decode_without_bom_handling(text).0.into_owned(),
    }
}
