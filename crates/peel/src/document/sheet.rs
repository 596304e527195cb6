//! Cells of SpreadsheetML as lines: a line for a row, tabs between its cells.

use super::markup::{Markup, Token, attribute};

/// Empty cells in front of a cell are tabs, up to this many: a far column is no reason for
/// thousands.
const WIDEST_GAP: usize = 64;

/// The strings that cells refer to by number.
#[derive(Default)]
pub(super) struct SharedStrings {
    text: String,
    /// Where each string ends in `text`.
    ends: Vec<usize>,
}

impl SharedStrings {
    pub(super) fn parse(xml: &str) -> Self {
        let mut strings = Self::default();
        let (mut in_text, mut phonetic) = (false, false);
        for token in Markup::new(xml) {
            match token {
                Token::Open("t", _) => in_text = !phonetic,
                Token::Close("t") => in_text = false,
                // How a word is read aloud repeats it.
                Token::Open("rPh", _) => phonetic = true,
                Token::Close("rPh") => phonetic = false,
                Token::Text(text) if in_text => strings.text.push_str(&text),
                Token::Close("si") => strings.ends.push(strings.text.len()),
                _ => {}
            }
        }
        strings
    }

    fn get(&self, number: usize) -> Option<&str> {
        let end = *self.ends.get(number)?;
        let start = match number.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.text.get(start..end)
    }
}

/// Adds the rows of a sheet, up to `most` bytes of `out`; false when there was more.
pub(super) fn rows(xml: &str, strings: &SharedStrings, out: &mut String, most: usize) -> bool {
    let mut kind = String::new();
    let mut value = String::new();
    let (mut in_value, mut in_formula) = (false, false);
    // The next column, and how many tabs the row has so far; `started` once it has a value.
    let (mut column, mut filled, mut started) = (0usize, 0usize, false);
    for token in Markup::new(xml) {
        if out.len() >= most {
            return false;
        }
        match token {
            Token::Open("row", _) => (column, filled, started) = (0, 0, false),
            Token::Close("row") if started => out.push('\n'),
            Token::Open("c", attributes) => {
                kind = attribute(attributes, "t").unwrap_or_default();
                let at = attribute(attributes, "r").and_then(|place| column_of(&place));
                column = at.unwrap_or(column);
                value.clear();
            }
            Token::Open("v" | "t", _) => in_value = true,
            Token::Close("v" | "t") => in_value = false,
            Token::Open("f", _) => in_formula = true,
            Token::Close("f") => in_formula = false,
            Token::Text(text) if in_value => value.push_str(&text),
            // A formula may hold a link that its value does not show.
            Token::Text(text) if in_formula && text.contains("://") => {
                value.push_str(&text);
                value.push(' ');
            }
            Token::Close("c") => {
                let shared = if kind == "s" {
                    value.trim().parse().ok().and_then(|number| strings.get(number))
                } else {
                    None
                };
                let shown = shared.unwrap_or(&value);
                if !shown.is_empty() {
                    let gap = column.saturating_sub(filled).min(WIDEST_GAP);
                    out.extend(std::iter::repeat_n('\t', gap));
                    // A line is a row, whatever a cell holds.
                    out.extend(shown.chars().map(|one| if one == '\n' { ' ' } else { one }));
                    filled = column.max(filled);
                    started = true;
                }
                column = column.saturating_add(1);
            }
            _ => {}
        }
    }
    true
}

/// The column, from 0, of a place like `AB12`.
fn column_of(place: &str) -> Option<usize> {
    let letters = place.bytes().take_while(u8::is_ascii_alphabetic);
    let column = letters.take(4).fold(0usize, |column, letter| {
        let digit = usize::from(letter.to_ascii_uppercase().saturating_sub(b'A'));
        column.saturating_mul(26).saturating_add(digit).saturating_add(1)
    });
    column.checked_sub(1)
}

/// The names of the sheets, in order.
pub(super) fn names(workbook: &str) -> Vec<String> {
    Markup::new(workbook)
        .filter_map(|token| match token {
            Token::Open("sheet", attributes) => attribute(attributes, "name"),
            _ => None,
        })
        .take(10_000)
        .collect()
}
