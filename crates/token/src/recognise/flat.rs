//! Text with its escapes undone and its broken lines joined, and the way back to where it stood.

use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// How the surroundings of an anchor are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Undo line breaks inside strings, notebooks, shells and hard-wrapped text.
    pub(crate) join: bool,
    /// Undo quoted-printable.
    pub(crate) quoted_printable: bool,
    /// How often to undo percent-encoding of the whole.
    pub(crate) percent: u8,
}

/// Flattened text; `places[i]` is where byte `i` stood, counted from `base` of the original.
pub(crate) struct Flat {
    pub(crate) text: String,
    places: Vec<u32>,
    base: usize,
}

/// What stands between two halves of a broken link, newline included; the first that fits is
/// taken: notebooks' arrays of lines, strings put together, call chains, shells, plain wraps.
static BREAKS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)^(?:
            (?: \\?["'`] )? [\ \t]* [+.&]? [\ \t]* (?:\\\\)? \\n ["'] [\ \t]* , [\ \t\r\n]* ["'] [\ \t]* [+.&]? [\ \t]* (?: [frbu]{0,2} \\?["'`] )?
          | (?:\\n)? \\?["'`] [\ \t]* [+.,&_]? [\ \t]* [\\`_]? \r?\n [\ \t]* [+.&]? [\ \t]* [frbuFRBU@$]{0,2} \\?["'`]
          | \\?["'`] [\ \t]* [+.&] [\ \t]* [frbuFRBU@$]{0,2} \\?["'`]
          | \\?["'] [\ \t]* \) [\ \t\r\n]* \. [Aa]ppend \( [\ \t]* \\?["']
          | [\\`^=] \r?\n [\ \t]*
          | \r?\n [\ \t]* (?: (?: // | \#+ | > | \* | -- | ; | \| ) [\ \t]* )?
        )"#,
    )
    .ok()
});

/// Parameters of a SAS that no other parameter ends with.
const SHORT_PARAMETERS: [&str; 10] =
    ["sv", "ss", "srt", "sp", "se", "st", "spr", "sip", "sr", "sig"];

/// Parameters long enough to look like the name of a variable.
const LONG_PARAMETERS: [&str; 24] = [
    "skoid",
    "sktid",
    "saoid",
    "suoid",
    "scid",
    "sduoid",
    "skdutid",
    "rscc",
    "rscd",
    "rsce",
    "rscl",
    "rsct",
    "snapshot",
    "versionid",
    "restype",
    "comp",
    "timeout",
    "prefix",
    "delimiter",
    "expires",
    "signature",
    "include",
    "maxresults",
    "marker",
];

impl Flat {
    /// Flattens `raw`, which begins at `base` of the whole text and is shorter than 4 GiB.
    pub(crate) fn new(raw: &str, base: usize, reading: Reading) -> Self {
        let identity = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
        let mut flat = Self::unescaped(raw, identity, base, reading.join, reading.quoted_printable);
        for _ in 0..reading.percent {
            flat = flat.percent_decoded();
            let places = std::mem::take(&mut flat.places);
            let place = |index: usize| places.get(index).or(places.last()).copied().unwrap_or(0);
            flat = Self::unescaped(&flat.text, place, base, false, false);
        }
        flat
    }

    fn empty(capacity: usize, base: usize) -> Self {
        Self {
            text: String::with_capacity(capacity),
            places: Vec::with_capacity(capacity.saturating_add(1)),
            base,
        }
    }

    fn unescaped(
        raw: &str,
        place: impl Fn(usize) -> u32,
        base: usize,
        join: bool,
        quoted_printable: bool,
    ) -> Self {
        let mut flat = Self::empty(raw.len(), base);
        let mut index = 0usize;
        while let Some(rest) = raw.get(index..).filter(|rest| !rest.is_empty()) {
            let plain = rest.bytes().take_while(|byte| !is_special(*byte)).count();
            flat.text.push_str(rest.get(..plain).unwrap_or(""));
            flat.places.extend((index..index.saturating_add(plain)).map(&place));
            index = index.saturating_add(plain);
            let Some(rest) = rest.get(plain..).filter(|rest| !rest.is_empty()) else { continue };
            let at = place(index);
            let before = flat.text.bytes().next_back();
            let (taken, shown) = step(rest, before, join, quoted_printable);
            if let Some(shown) = shown {
                flat.text.push(shown);
                flat.places.push(at);
            }
            index = index.saturating_add(taken.max(1));
        }
        flat.places.push(place(raw.len()));
        flat
    }

    fn percent_decoded(self) -> Self {
        let mut flat = Self::empty(self.text.len(), self.base);
        let mut index = 0usize;
        while let Some(rest) = self.text.get(index..).filter(|rest| !rest.is_empty()) {
            let plain = memchr::memchr(b'%', rest.as_bytes()).unwrap_or(rest.len());
            flat.text.push_str(rest.get(..plain).unwrap_or(""));
            let end = index.saturating_add(plain);
            flat.places.extend(self.places.get(index..end).unwrap_or(&[]));
            index = end;
            let Some(rest) = rest.get(plain..).filter(|rest| !rest.is_empty()) else { continue };
            let code = hex_byte(rest, 1).filter(u8::is_ascii);
            flat.text.push(char::from(code.unwrap_or(b'%')));
            flat.places.push(self.places.get(index).copied().unwrap_or(0));
            index = index.saturating_add(if code.is_some() { 3 } else { 1 });
        }
        flat.places.push(self.places.last().copied().unwrap_or(0));
        flat
    }

    /// Where a byte stood in the original.
    pub(crate) fn place(&self, index: usize) -> usize {
        let offset = self.places.get(index).or(self.places.last()).copied().unwrap_or(0);
        self.base.saturating_add(usize::try_from(offset).unwrap_or(usize::MAX))
    }

    /// Where a range stood in the original; `original` is the whole text.
    pub(crate) fn span(&self, range: &Range<usize>, original: &str) -> Range<usize> {
        let start = self.place(range.start);
        let last = self.place(range.end.saturating_sub(1));
        // What is written with an escape ends where the escape ends, never past what comes next.
        let next = self.place(range.end).max(last);
        let escaped = original.get(last..next).unwrap_or("");
        let width = match escaped.bytes().next() {
            Some(b'%' | b'&' | b'\\' | b'=') => {
                escaped.bytes().take_while(|byte| !byte.is_ascii_whitespace()).count()
            }
            _ => escaped.chars().next().map_or(1, char::len_utf8),
        };
        start..last.saturating_add(width.max(1)).min(original.len())
    }

    /// True when the byte at `index` did not follow the one before it in the original, but came
    /// after a line break or the end of a quoted string.
    pub(crate) fn is_joined(&self, index: usize, original: &str) -> bool {
        let (before, at) = (self.place(index.saturating_sub(1)), self.place(index));
        at > before.saturating_add(1)
            && original
                .get(before..at)
                .is_some_and(|gap| gap.bytes().skip(1).any(|byte| b"\n\"'`".contains(&byte)))
    }
}

fn is_special(byte: u8) -> bool {
    matches!(byte, b'&' | b'=' | b'\\' | b'"' | b'\'' | b'`' | b'^' | b'\r' | b'\n')
}

fn hex_byte(text: &str, at: usize) -> Option<u8> {
    let hex = text.get(at..at.checked_add(2)?)?;
    hex.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(())?;
    u8::from_str_radix(hex, 16).ok()
}

/// Names of characters in HTML that can stand in or right after a link.
const ENTITIES: [(&str, char); 12] = [
    ("&amp;", '&'),
    ("&AMP;", '&'),
    ("&equals;", '='),
    ("&quest;", '?'),
    ("&percnt;", '%'),
    ("&sol;", '/'),
    ("&quot;", '"'),
    ("&apos;", '\''),
    ("&lt;", '<'),
    ("&gt;", '>'),
    ("&nbsp;", ' '),
    ("&colon;", ':'),
];

/// How many bytes to take and the ASCII character they stand for, if any.
fn step(rest: &str, before: Option<u8>, join: bool, quoted: bool) -> (usize, Option<char>) {
    let first = rest.bytes().next().map_or('\0', char::from);
    match first {
        '&' => return entity(rest).map_or((1, Some('&')), |(taken, shown)| (taken, Some(shown))),
        '^' if rest.starts_with("^&") => return (2, Some('&')),
        '=' if quoted => {
            if let Some(code) = hex_byte(rest, 1).filter(u8::is_ascii_graphic) {
                return (3, Some(char::from(code)));
            }
        }
        '\\' => {
            if let Some((taken, shown)) = backslash(rest) {
                return (taken, Some(shown));
            }
        }
        _ => {}
    }
    // Outside of quoted-printable an `=` at the end of a line belongs to the link.
    let joins = join && (first != '=' || quoted);
    if joins && let Some(found) = BREAKS.as_ref().and_then(|regex| regex.find(rest)) {
        let next = rest.get(found.end()..).unwrap_or("");
        if !begins_anew(before, next) {
            return (found.end(), None);
        }
        if matches!(first, '\r' | '\n') {
            return (found.end(), Some('\n'));
        }
    }
    (1, Some(first))
}

fn entity(rest: &str) -> Option<(usize, char)> {
    for (name, shown) in ENTITIES {
        if rest.starts_with(name) {
            let mut taken = name.len();
            // Escaped again and again: &amp;amp;
            while shown == '&' && rest.get(taken..).is_some_and(|more| more.starts_with("amp;")) {
                taken = taken.saturating_add(4);
            }
            return Some((taken, shown));
        }
    }
    let number = rest.strip_prefix("&#")?;
    let end = number.get(..number.len().min(7)).unwrap_or(number).find(';')?;
    let digits = number.get(..end)?;
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u8::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    (code.is_ascii_graphic() || code == b' ').then_some((end.saturating_add(3), char::from(code)))
}

/// `\u0026`, `\x26`, `\/`, `\&`, after any number of backslashes up to eight.
fn backslash(rest: &str) -> Option<(usize, char)> {
    let run = rest.bytes().take(8).take_while(|byte| *byte == b'\\').count();
    let after = rest.get(run..)?;
    let shown = |code: u8| code.is_ascii_graphic().then_some(char::from(code));
    match after.bytes().next()? {
        b'u' if after.get(1..3) == Some("00") => {
            Some((run.saturating_add(5), shown(hex_byte(after, 3)?)?))
        }
        b'x' => Some((run.saturating_add(3), shown(hex_byte(after, 1)?)?)),
        escaped @ (b'/' | b'&' | b'=' | b'?' | b'_' | b'%' | b'-' | b'.' | b'~' | b'+') => {
            Some((run.saturating_add(1), char::from(escaped)))
        }
        _ => None,
    }
}

/// Whether what follows a line break is a thing of its own: an assignment, a field, another URL.
/// After `&`, `?`, `%` or `=` nothing is.
fn begins_anew(before: Option<u8>, next: &str) -> bool {
    if matches!(before, Some(b'&' | b'?' | b'%' | b'=')) {
        return false;
    }
    let word = next
        .bytes()
        .take(64)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        .count();
    let name = next.get(..word).unwrap_or("");
    let mark = next.as_bytes().get(word).copied();
    // A parameter that no `&` stands before is the first of a token.
    if mark == Some(b'=') && SHORT_PARAMETERS.contains(&name) {
        return true;
    }
    word >= 4
        && matches!(mark, Some(b'=' | b':'))
        && !LONG_PARAMETERS.iter().any(|known| name.eq_ignore_ascii_case(known))
        && !name.get(..2).is_some_and(|head| head.eq_ignore_ascii_case("x-"))
}
