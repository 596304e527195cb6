//! Characters spelled out: `%2B`, `\u002b`, `\x2b`, `&#43;`, `&amp;`.

use std::ops::Range;

/// How far a word with escapes reaches.
const BEFORE: usize = 1 << 12;
const AFTER: usize = 1 << 14;
/// The shortest word that may hold a secret.
const SHORTEST: usize = 16;

/// Words with their escapes undone, a line each, with the way back.
#[derive(Debug, Default)]
pub(super) struct Unescaped {
    pub(super) text: String,
    /// Places in `text` and where they come from, at each escape and each beginning of a word.
    map: Vec<(usize, usize)>,
    pub(super) kinds: Vec<&'static str>,
}

impl Unescaped {
    /// Where a part of the text comes from.
    pub(super) fn origin(&self, part: &Range<usize>) -> Range<usize> {
        let back = |place: usize| {
            let before = self.map.partition_point(|(own, _)| *own <= place);
            let (own, outer) =
                before.checked_sub(1).and_then(|at| self.map.get(at)).copied().unwrap_or((0, 0));
            outer.saturating_add(place.saturating_sub(own))
        };
        let start = back(part.start);
        start..back(part.end).max(start.saturating_add(1))
    }
}

/// Undoes the escapes of every word that has one in some parts of a text, up to `budget` bytes; says
/// whether all went in, and calls for each.
pub(super) fn unescape(
    text: &str,
    parts: &[Range<usize>],
    budget: usize,
    note: &dyn Fn(&Range<usize>),
) -> (Unescaped, bool) {
    let bytes = text.as_bytes();
    let mut out = Unescaped::default();
    let mut done = 0;
    let places = parts.iter().flat_map(|part| {
        let body = bytes.get(part.clone()).unwrap_or(&[]);
        memchr::memchr3_iter(b'%', b'\\', b'&', body).map(|at| part.start.saturating_add(at))
    });
    for place in places {
        if place < done || escape(bytes, place).is_none() {
            continue;
        }
        let low = place.saturating_sub(BEFORE).max(done);
        let before = bytes.get(low..place).unwrap_or(&[]);
        let start = before.iter().rposition(|byte| ends_word(*byte));
        let start = start.map_or(low, |at| low.saturating_add(at).saturating_add(1));
        let rest = bytes.get(place..).unwrap_or(&[]);
        let rest = rest.get(..AFTER.min(rest.len())).unwrap_or(rest);
        let length = rest.iter().position(|byte| ends_word(*byte)).unwrap_or(rest.len());
        done = place.saturating_add(length);
        if done.saturating_sub(start) < SHORTEST {
            continue;
        }
        note(&(start..done));
        if out.text.len().saturating_add(length) > budget {
            return (out, false);
        }
        word(bytes, start..done, &mut out);
    }
    (out, true)
}

fn ends_word(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'`')
}

fn word(bytes: &[u8], range: Range<usize>, out: &mut Unescaped) {
    let mut plain = Vec::with_capacity(range.len());
    let start = out.text.len();
    out.map.push((start, range.start));
    let mut place = range.start;
    while place < range.end {
        let Some(byte) = bytes.get(place) else { break };
        match escape(bytes, place) {
            Some((character, length, kind)) => {
                plain.push(character);
                place = place.saturating_add(length);
                out.map.push((start.saturating_add(plain.len()), place));
                if !out.kinds.contains(&kind) {
                    out.kinds.push(kind);
                }
            }
            None => {
                plain.push(*byte);
                place = place.saturating_add(1);
            }
        }
    }
    // A word may have been cut inside a character; `?` keeps the places right.
    match std::str::from_utf8(&plain) {
        Ok(plain) => out.text.push_str(plain),
        Err(_) => {
            out.text.extend(plain.iter().map(|b| if b.is_ascii() { char::from(*b) } else { '?' }))
        }
    }
    out.text.push('\n');
}

/// The printable character that an escape at a place stands for, how long it is, and its kind.
fn escape(bytes: &[u8], place: usize) -> Option<(u8, usize, &'static str)> {
    let rest = bytes.get(place..)?;
    let (value, length, kind) = match rest {
        [b'%', high, low, ..] => (digits(&[*high, *low], 16)?, 3, "percent"),
        [b'\\', b'x', high, low, ..] => (digits(&[*high, *low], 16)?, 4, "escape"),
        [b'\\', b'u', b'{', rest @ ..] => {
            let length = rest.iter().take(7).position(|byte| *byte == b'}')?;
            (digits(rest.get(..length)?, 16)?, length.checked_add(4)?, "escape")
        }
        [b'\\', b'u', rest @ ..] => (digits(rest.get(..4)?, 16)?, 6, "escape"),
        [b'&', b'#', b'x' | b'X', rest @ ..] => {
            let length = rest.iter().take(7).position(|byte| *byte == b';')?;
            (digits(rest.get(..length)?, 16)?, length.checked_add(4)?, "entity")
        }
        [b'&', b'#', rest @ ..] => {
            let length = rest.iter().take(7).position(|byte| *byte == b';')?;
            (digits(rest.get(..length)?, 10)?, length.checked_add(3)?, "entity")
        }
        [b'&', rest @ ..] => {
            const NAMES: [(&[u8], u8); 6] = [
                (b"amp;", b'&'),
                (b"quot;", b'"'),
                (b"apos;", b'\''),
                (b"lt;", b'<'),
                (b"gt;", b'>'),
                (b"equals;", b'='),
            ];
            let (name, value) = NAMES.iter().find(|(name, _)| rest.starts_with(name))?;
            (u32::from(*value), name.len().checked_add(1)?, "entity")
        }
        _ => return None,
    };
    let value = u8::try_from(value).ok().filter(|value| matches!(value, b' '..=b'~'))?;
    Some((value, length, kind))
}

fn digits(digits: &[u8], radix: u32) -> Option<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_character_is_undone_and_found_again() {
        for spelled in ["%2B", "\\u002b", "\\x2b", "&#43;", "&#x2B;", "\\u{2b}"] {
            let text = format!("before \"0123456789{spelled}abcdef\" after");
            let (out, all) =
                unescape(&text, std::slice::from_ref(&(0..text.len())), 1 << 20, &|_| {});
            assert!(all);
            assert_eq!(out.text, "0123456789+abcdef\n", "{spelled}");
            let part = out.origin(&(11..17));
            assert_eq!(&text[part], "abcdef", "{spelled}");
            let part = out.origin(&(0..10));
            assert_eq!(&text[part], "0123456789", "{spelled}");
        }
    }

    #[test]
    fn what_is_no_escape_of_a_printable_character_costs_nothing() {
        let text = "printf(\"%d%%\\n\\x1b[0m%zz&nbsp;é%C3%A9aaaaaaaaaaaaaaaa\")";
        let (out, _) = unescape(text, std::slice::from_ref(&(0..text.len())), 1 << 20, &|_| {});
        assert_eq!(out.text, "");
    }
}
