//! Text with its escapes undone and its broken lines joined, and the way back to where it stood.

use regex::Regex;
use std::sync::LazyLock;

/// How the surroundings of an anchor are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Undo line breaks inside strings, notebooks, shells and hard-wrapped text.
    pub(crate) join: bool,
    /// How often to undo percent-encoding of the whole.
    pub(crate) percent: u8,
    /// Undo quoted-printable.
    pub(crate) quoted_printable: bool,
}

/// Flattened text; `places[i]` is where byte `i` stood in the original.
pub(crate) struct Flat {
    pub(crate) text: String,
    places: Vec<usize>,
}

/// What stands between two halves of a broken link, newline included; the longest fits first.
static BREAKS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)^(?:
            \\?["'] [\ \t]* (?:\\\\)? \\n ["'] [\ \t]* , [\ \t]* \r?\n [\ \t]* ["'] (?:[\ \t]* \\?["'])?
          | (?:\\n)? \\?["'`] [\ \t]* [+.,&_]? [\ \t]* \\? \r?\n [\ \t]* [+.&]? [\ \t]* [frbuFRBU]{0,2} \\?["'`]
          | \\?["'] [\ \t]* [+.&] [\ \t]* [frbuFRBU]{0,2} \\?["']
          | \\n \\?["'] [\ \t]* , [\ \t]* \\?["']
          | [\\`^=] \r?\n [\ \t]*
          | \r?\n [\ \t]* (?: (?: // | \#+ | > | \* | -- | ; ) [\ \t]* )?
        )"#,
    )
    .ok()
});

impl Flat {
    /// Flattens `raw`, which begins at `base` of the whole text.
    pub(crate) fn new(raw: &str, base: usize, reading: Reading) -> Self {
        let mut flat = Self { text: String::with_capacity(raw.len()), places: Vec::new() };
        let mut rest = raw;
        let mut offset = base;
        while let Some(first) = rest.chars().next() {
            let (taken, shown) = step(rest, first, reading);
            if let Some(shown) = shown {
                flat.push(shown, offset);
            }
            offset = offset.saturating_add(taken);
            rest = rest.get(taken..).unwrap_or("");
        }
        flat.places.push(offset);
        for _ in 0..reading.percent {
            flat = flat.percent_decoded();
        }
        flat
    }

    fn push(&mut self, character: char, place: usize) {
        self.text.push(character);
        self.places.extend(std::iter::repeat_n(place, character.len_utf8()));
    }

    fn percent_decoded(self) -> Self {
        let mut flat = Self { text: String::with_capacity(self.text.len()), places: Vec::new() };
        let mut index = 0usize;
        while let Some(character) = self.text.get(index..).and_then(|rest| rest.chars().next()) {
            let place = self.place(index);
            let code = (character == '%')
                .then(|| self.text.get(index.saturating_add(1)..index.saturating_add(3)))
                .flatten()
                .and_then(|hex| u8::from_str_radix(hex, 16).ok())
                .filter(u8::is_ascii);
            match code {
                Some(code) => {
                    flat.push(char::from(code), place);
                    index = index.saturating_add(3);
                }
                None => {
                    flat.push(character, place);
                    index = index.saturating_add(character.len_utf8());
                }
            }
        }
        flat.places.push(self.places.last().copied().unwrap_or(0));
        flat
    }

    /// Where a byte stood in the original.
    pub(crate) fn place(&self, index: usize) -> usize {
        self.places.get(index).or(self.places.last()).copied().unwrap_or(0)
    }

    /// The byte that stood at or right after a place of the original.
    pub(crate) fn index_of(&self, place: usize) -> usize {
        self.places.partition_point(|known| *known < place).min(self.text.len())
    }
}

/// How many bytes to take and the character they stand for, if any.
fn step(rest: &str, first: char, reading: Reading) -> (usize, Option<char>) {
    if first == '&' {
        for escape in ["&amp;", "&#38;", "&#x26;", "&AMP;"] {
            if rest.starts_with(escape) {
                return (escape.len(), Some('&'));
            }
        }
    }
    if reading.quoted_printable && first == '=' {
        let hex = rest.get(1..3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if let Some(code) = hex.filter(|code| code.is_ascii_graphic()) {
            return (3, Some(char::from(code)));
        }
    }
    if first == '\\' {
        let code = |start: usize, end: usize| {
            rest.get(start..end)
                .and_then(|hex| u32::from_str_radix(hex, 16).ok())
                .and_then(char::from_u32)
                .filter(char::is_ascii_graphic)
        };
        if rest.starts_with("\\u")
            && let Some(character) = code(2, 6)
        {
            return (6, Some(character));
        }
        if rest.starts_with("\\x")
            && let Some(character) = code(2, 4)
        {
            return (4, Some(character));
        }
        for escaped in ["\\/", "\\&", "\\=", "\\?", "\\_", "\\%"] {
            if rest.starts_with(escaped) {
                return (2, escaped.chars().nth(1));
            }
        }
    }
    let may_break = matches!(first, '"' | '\'' | '`' | '\\' | '^' | '=' | '\r' | '\n');
    if reading.join
        && may_break
        && let Some(found) = BREAKS.as_ref().and_then(|regex| regex.find(rest))
    {
        return (found.end().max(first.len_utf8()), None);
    }
    (first.len_utf8(), Some(first))
}
