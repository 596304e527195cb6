//! Reads objects from bytes (ISO 32000-1, 7.2 and 7.3), leniently.

use super::object::{Dictionary, Object};
use lidless_io::number::wide;
use std::rc::Rc;

/// Lists in lists deeper than this are not read.
const DEEPEST: usize = 40;

/// Reads front to back.
pub(super) struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | 9 | 10 | 12 | 13 | 32)
}

fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit.to_le_bytes()[0])
}

impl<'a> Lexer<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or(&[])
    }

    pub(super) fn skip(&mut self, count: usize) {
        self.at = self.at.saturating_add(count).min(self.bytes.len());
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn bump(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at = self.at.saturating_add(1);
        Some(byte)
    }

    fn skip_space(&mut self) {
        while let Some(byte) = self.peek() {
            if byte == b'%' {
                while self.peek().is_some_and(|byte| byte != b'\n' && byte != b'\r') {
                    self.skip(1);
                }
            } else if is_space(byte) {
                self.skip(1);
            } else {
                return;
            }
        }
    }

    /// The next object; none at the end. What is no object is passed over.
    pub(super) fn object(&mut self) -> Option<Object> {
        self.nested(0)
    }

    fn nested(&mut self, depth: usize) -> Option<Object> {
        loop {
            self.skip_space();
            let first = self.peek()?;
            match first {
                b'/' => {
                    self.skip(1);
                    return Some(Object::Name(self.name()));
                }
                b'(' => {
                    self.skip(1);
                    return Some(Object::Text(Rc::new(self.literal())));
                }
                b'<' if self.rest().starts_with(b"<<") => {
                    self.skip(2);
                    return if depth < DEEPEST { self.dictionary(depth) } else { None };
                }
                b'<' => {
                    self.skip(1);
                    return Some(Object::Text(Rc::new(self.hexadecimal())));
                }
                b'[' => {
                    self.skip(1);
                    return if depth < DEEPEST { self.list(depth) } else { None };
                }
                b']' | b'>' | b')' | b'{' | b'}' => {
                    self.skip(1);
                    return Some(Object::Word(vec![first]));
                }
                _ => {
                    let word = self.word();
                    if word.is_empty() {
                        self.skip(1);
                        continue;
                    }
                    return Some(self.of_word(word));
                }
            }
        }
    }

    fn word(&mut self) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().take_while(|byte| !is_space(**byte) && !is_delimiter(**byte));
        let (word, _) = rest.split_at_checked(length.count()).unwrap_or((rest, &[]));
        self.skip(word.len());
        word
    }

    fn of_word(&mut self, word: &[u8]) -> Object {
        match word {
            b"null" => return Object::Null,
            b"true" => return Object::Boolean(true),
            b"false" => return Object::Boolean(false),
            _ => {}
        }
        let numeric = word.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.'));
        let number = std::str::from_utf8(word).ok().filter(|_| numeric);
        let Some(number) = number.and_then(|text| text.parse::<f64>().ok()) else {
            return Object::Word(word.to_vec());
        };
        // `12 0 R` is one object.
        if let Some(target) = Object::Number(number).whole().filter(|_| !word.contains(&b'.'))
            && let Ok(target) = u32::try_from(target)
            && let Some(length) = reference(self.rest())
        {
            self.skip(length);
            return Object::Reference(target);
        }
        Object::Number(number)
    }

    fn name(&mut self) -> String {
        let word = self.word();
        let mut name = Vec::with_capacity(word.len());
        let mut rest = word;
        while let Some((first, after)) = rest.split_first() {
            let code =
                after.first().copied().and_then(hex).zip(after.get(1).copied().and_then(hex));
            match code {
                Some((high, low)) if *first == b'#' => {
                    name.push(high << 4 | low);
                    rest = after.get(2..).unwrap_or(&[]);
                }
                _ => {
                    name.push(*first);
                    rest = after;
                }
            }
        }
        String::from_utf8_lossy(&name).into_owned()
    }

    fn literal(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut open = 1usize;
        while let Some(byte) = self.bump() {
            match byte {
                b'(' => open = open.saturating_add(1),
                b')' => {
                    open = open.saturating_sub(1);
                    if open == 0 {
                        break;
                    }
                }
                b'\\' => {
                    self.escape(&mut text);
                    continue;
                }
                _ => {}
            }
            text.push(byte);
        }
        text
    }

    fn escape(&mut self, text: &mut Vec<u8>) {
        let Some(byte) = self.bump() else { return };
        match byte {
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            b'b' => text.push(8),
            b'f' => text.push(12),
            b'\r' => {
                if self.peek() == Some(b'\n') {
                    self.skip(1);
                }
            }
            b'\n' => {}
            b'0'..=b'7' => {
                let mut value = u16::from(byte.saturating_sub(b'0'));
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.peek() else { break };
                    value = value << 3 | u16::from(digit.saturating_sub(b'0'));
                    self.skip(1);
                }
                text.push(value.to_le_bytes()[0]);
            }
            other => text.push(other),
        }
    }

    fn hexadecimal(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut high: Option<u8> = None;
        while let Some(byte) = self.bump() {
            if byte == b'>' {
                break;
            }
            let Some(digit) = hex(byte) else { continue };
            match high.take() {
                Some(first) => text.push(first << 4 | digit),
                None => high = Some(digit),
            }
        }
        text.extend(high.map(|first| first << 4));
        text
    }

    fn list(&mut self, depth: usize) -> Option<Object> {
        let mut list = Vec::new();
        loop {
            match self.nested(depth.saturating_add(1)) {
                None => return None,
                Some(Object::Word(word)) if word == b"]" => {
                    return Some(Object::List(Rc::new(list)));
                }
                // Only a broken list has the end of an object in it.
                Some(Object::Word(word)) if word == b"endobj" => {
                    return Some(Object::List(Rc::new(list)));
                }
                Some(one) => list.push(one),
            }
        }
    }

    fn dictionary(&mut self, depth: usize) -> Option<Object> {
        let mut dictionary = Dictionary::new();
        loop {
            match self.nested(depth.saturating_add(1))? {
                Object::Name(key) => {
                    let value = self.nested(depth.saturating_add(1))?;
                    if matches!(&value, Object::Word(word) if word == b">") {
                        break;
                    }
                    dictionary.entry(key).or_insert(value);
                }
                Object::Word(word) if word == b">" || word == b"endobj" => break,
                _ => {}
            }
        }
        if self.peek() == Some(b'>') {
            self.skip(1);
        }
        // The bytes of a stream follow its dictionary.
        let before = self.at;
        self.skip_space();
        if let Some(rest) = self.rest().strip_prefix(b"stream") {
            let line = match rest {
                [b'\r', b'\n', ..] => 2usize,
                [b'\n' | b'\r', ..] => 1,
                _ => 0,
            };
            self.skip(line.saturating_add(6));
            let start = wide(self.at);
            return Some(Object::Stream(Rc::new(dictionary), start));
        }
        self.at = before;
        Some(Object::Dictionary(Rc::new(dictionary)))
    }
}

/// How long ` 0 R` is, when that is what follows.
fn reference(rest: &[u8]) -> Option<usize> {
    let spaces = |bytes: &[u8]| bytes.iter().take_while(|byte| is_space(**byte)).count();
    let first = spaces(rest);
    let digits = rest.get(first..)?.iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
    let middle = first.saturating_add(digits);
    let second = spaces(rest.get(middle..)?);
    let end = middle.saturating_add(second);
    let ends =
        rest.get(end.saturating_add(1)).is_none_or(|byte| is_space(*byte) || is_delimiter(*byte));
    let fits = first > 0 && digits > 0 && second > 0 && rest.get(end) == Some(&b'R') && ends;
    fits.then(|| end.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_read() {
        let text = b"<</A#20B[1 -2.5 (a\\(b\\051\\061)<414>]/R 12 0 R/T true>>stream\r\nXYZ";
        let Some(Object::Stream(dictionary, start)) = Lexer::new(text).object() else { panic!() };
        assert_eq!(&text[start as usize..], b"XYZ");
        let list = dictionary["A B"].list().unwrap();
        assert_eq!(list[1], Object::Number(-2.5));
        assert_eq!((list[2].text().unwrap(), list[3].text().unwrap()), (&b"a(b)1"[..], &b"A@"[..]));
        assert_eq!(dictionary["R"], Object::Reference(12));
        let deep = vec![b'['; 100_000];
        assert_eq!(Lexer::new(&deep).object(), None);
    }
}
