//! Rich text (RTF 1.9.1): control words, groups, text in a code page or as numbers.

use crate::mail::{code_page, decode_charset};
use crate::peeler::{Peeler, Sink};
use crate::plain::{Attached, give_text, read_whole};
use lidless_core::{Artifact, Gap, Limits};
use lidless_io::{MemoryBytes, ReadAt as _};
use std::sync::Arc;

/// Groups deeper than this share the state of the last one: real files have some thirty.
const DEEPEST: usize = 200;
/// More embedded objects than any document has.
const MOST_OBJECTS: usize = 1000;

/// A rich text document.
pub(crate) struct Rtf;

impl Peeler for Rtf {
    fn name(&self) -> &'static str {
        "RTF"
    }

    fn recognises(&self, _artifact: &Artifact, head: &[u8]) -> bool {
        head.trim_ascii_start().starts_with(b"{\\rt")
    }

    fn peel(&self, artifact: &Artifact, _head: &[u8], limits: &Limits, sink: &mut dyn Sink) {
        let place = &artifact.entry.provenance;
        let length = artifact.bytes.len();
        let Some(bytes) = read_whole(artifact, limits, sink) else { return };
        let read = read(&bytes);
        give_text(place, read.text, sink);
        let mut attached = Attached::new(place.clone());
        for object in read.objects {
            let size = u64::try_from(object.len()).ok();
            attached
                .give("", ".object", size, sink, |_, _| Some(Arc::new(MemoryBytes::new(object))));
        }
        if length > limits.memory_bytes {
            let rest = length.saturating_sub(limits.memory_bytes);
            sink.gap(Gap::new(place, "an RTF document larger than the memory limit", Some(rest)));
        }
    }
}

/// The text of rich text.
pub(crate) fn rtf_text(bytes: &[u8]) -> String {
    read(bytes).text
}

/// What a group does with its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Shown,
    /// Fonts, colours, pictures.
    Skipped,
    /// Hexadecimal digits of an embedded object.
    Object,
}

#[derive(Clone, Copy)]
struct State {
    role: Role,
    /// How many characters stand in for one given as a number.
    fallback: usize,
}

#[derive(Default)]
struct Read {
    text: String,
    objects: Vec<Vec<u8>>,
}

struct Reader {
    out: Read,
    /// Bytes in the code page that were not decoded yet.
    held: Vec<u8>,
    charset: &'static str,
    state: State,
    groups: Vec<State>,
    /// Characters still to be passed over.
    skip: usize,
    /// A half of a character given as two numbers.
    high: Option<u16>,
    hex: Vec<u8>,
}

fn read(bytes: &[u8]) -> Read {
    let mut reader = Reader {
        out: Read::default(),
        held: Vec::new(),
        charset: "windows-1252",
        state: State { role: Role::Shown, fallback: 1 },
        groups: Vec::new(),
        skip: 0,
        high: None,
        hex: Vec::new(),
    };
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        rest = match first {
            b'{' => {
                reader.open();
                after
            }
            b'}' => {
                reader.close();
                after
            }
            b'\\' => reader.control(after),
            b'\r' | b'\n' => after,
            byte => {
                reader.byte(*byte);
                after
            }
        };
    }
    reader.flush();
    reader.out
}

impl Reader {
    fn open(&mut self) {
        self.flush();
        if self.groups.len() < DEEPEST {
            self.groups.push(self.state);
        }
    }

    fn close(&mut self) {
        self.flush();
        if self.state.role == Role::Object && self.out.objects.len() < MOST_OBJECTS {
            let digits = self.hex.iter().filter_map(|byte| char::from(*byte).to_digit(16));
            let digits: Vec<u32> = digits.collect();
            let bytes: Vec<u8> = digits
                .chunks_exact(2)
                .filter_map(|two| Some(two.first()? << 4 | two.get(1)?))
                .map(|byte| byte.to_le_bytes()[0])
                .collect();
            if !bytes.is_empty() {
                self.out.objects.push(bytes);
            }
        }
        self.hex.clear();
        if let Some(state) = self.groups.pop() {
            self.state = state;
        }
    }

    /// Decodes what is held.
    fn flush(&mut self) {
        if !self.held.is_empty() {
            let text = decode_charset(&self.held, Some(self.charset));
            self.out.text.push_str(&text);
            self.held.clear();
        }
    }

    fn byte(&mut self, byte: u8) {
        if self.skip > 0 {
            self.skip = self.skip.saturating_sub(1);
            return;
        }
        match self.state.role {
            Role::Shown => self.held.push(byte),
            Role::Object => self.hex.push(byte),
            Role::Skipped => {}
        }
    }

    fn push(&mut self, one: char) {
        if self.state.role == Role::Shown {
            self.flush();
            self.out.text.push(one);
        }
    }

    /// A control word or symbol; returns what follows it.
    fn control<'a>(&mut self, after: &'a [u8]) -> &'a [u8] {
        let Some((first, rest)) = after.split_first() else { return after };
        if !first.is_ascii_alphabetic() {
            match first {
                b'\'' => {
                    let digits = rest.get(..2).and_then(|two| std::str::from_utf8(two).ok());
                    let Some(byte) = digits.and_then(|two| u8::from_str_radix(two, 16).ok()) else {
                        return rest;
                    };
                    self.byte(byte);
                    return rest.get(2..).unwrap_or(&[]);
                }
                // A destination that may be passed over by who does not know it.
                b'*' => self.state.role = Role::Skipped,
                b'~' => self.push(' '),
                b'_' => self.push('-'),
                b'\r' | b'\n' => self.push('\n'),
                b'\\' | b'{' | b'}' => self.byte(*first),
                _ => {}
            }
            return rest;
        }
        let length = after.iter().take_while(|byte| byte.is_ascii_alphabetic()).count().min(40);
        let (word, rest) = after.split_at_checked(length).unwrap_or((after, &[]));
        let signed = usize::from(rest.first() == Some(&b'-'));
        let digits = rest.iter().skip(signed).take_while(|byte| byte.is_ascii_digit()).count();
        let end = if digits > 0 { signed.saturating_add(digits) } else { 0 };
        let (number, rest) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        let number = std::str::from_utf8(number).ok().and_then(|text| text.parse::<i64>().ok());
        let rest = rest.strip_prefix(b" ").unwrap_or(rest);
        if word == b"bin" {
            let count = number.and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
            return rest.get(count.min(rest.len())..).unwrap_or(&[]);
        }
        self.word(word, number);
        rest
    }

    fn word(&mut self, word: &[u8], number: Option<i64>) {
        match word {
            b"par" | b"line" | b"row" | b"sect" | b"page" => self.push('\n'),
            b"tab" | b"cell" | b"nestcell" => self.push('\t'),
            b"emdash" => self.push('—'),
            b"endash" => self.push('–'),
            b"bullet" => self.push('•'),
            b"lquote" | b"rquote" => self.push('\''),
            b"ldblquote" | b"rdblquote" => self.push('"'),
            b"ansicpg" => {
                self.flush();
                let page = number.and_then(|page| u32::try_from(page).ok()).and_then(code_page);
                self.charset = page.unwrap_or("windows-1252");
            }
            b"uc" => {
                let count = number.and_then(|count| usize::try_from(count).ok());
                self.state.fallback = count.unwrap_or(1).min(16);
            }
            b"u" => {
                if let Some(number) = number.filter(|number| (-32_768..=65_535).contains(number)) {
                    self.character(number);
                }
                self.skip = self.state.fallback;
            }
            b"objdata" => self.state.role = Role::Object,
            // Where links lead stands in a group that may be passed over.
            b"fldinst" | b"htmltag" | b"shptxt" | b"result" => self.state.role = Role::Shown,
            b"fonttbl" | b"colortbl" | b"stylesheet" | b"pict" | b"themedata" | b"datastore"
            | b"latentstyles" | b"listtable" | b"rsidtbl" => self.state.role = Role::Skipped,
            _ => {}
        }
    }

    /// A character as a signed 16-bit number, or one half of one.
    fn character(&mut self, number: i64) {
        let [low, high, ..] = number.to_le_bytes();
        let unit = u16::from_le_bytes([low, high]);
        let units = [self.high.take(), Some(unit)];
        let decoded = char::decode_utf16(units.into_iter().flatten()).last();
        match decoded {
            Some(Ok(one)) => self.push(one),
            _ => self.high = Some(unit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_out_and_fonts_do_not() {
        let text = rtf_text(
            b"{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0 Arial;}}\\f0 caf\\'e9 \\u8364?\\u-10179?\\u-8704? a\\\\b\
            {\\*\\generator x;}\\par{\\field{\\*\\fldinst HYPERLINK \"x\"}{\\fldrslt y}}\\bin3 \x01\x02\x03z}",
        );
        assert_eq!(text, "café €😀 a\\b\nHYPERLINK \"x\"yz");
        let read = read(b"{\\rtf1{\\object{\\*\\objdata 01 02\n0a}}t}");
        assert_eq!((read.objects, read.text), (vec![vec![1, 2, 10]], "t".to_owned()));
    }
}
