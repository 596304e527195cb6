//! Values as browsers keep them (V8's `ValueSerializer`, wrapped by Blink for IndexedDB): walked
//! object by object, with only the fields asked for kept.
//!
//! | byte | what follows |
//! | --- | --- |
//! | `ff` | a version; `ff 11 01` a value kept in another file, `ff 11 02` one packed with Snappy |
//! | `o` .. `{` | an object: keys and values by turns; the number of them |
//! | `A` .. `$`, `a` .. `@` | arrays, dense and sparse |
//! | `;` .. `:`, `'` .. `,` | maps and sets |
//! | `"`, `c`, `S` | strings of one byte a letter, of two, of UTF-8, behind their length in bytes |
//! | `I`, `U`, `N`, `D`, `n` | numbers and dates |
//! | `T` `F` `0` `_` `-` `x` `y` | constants |
//! | `^` | an object met before |

use crate::leveldb::unsnap;
use lidless_io::utf16;

/// How deep values nest; those of chats have some ten levels.
const DEEPEST: usize = 64;
/// How much a packed value may expand to.
const EXPANDED: usize = 64 << 20;
/// How many fields of one object are kept.
const FIELDS: usize = 64;

/// A field of an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    /// Text.
    Text(String),
    /// A number or a date (milliseconds since 1970).
    Number(f64),
}

impl Field {
    /// The text, when it is text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(_) => None,
        }
    }
}

/// The fields of one object that were asked for, each with the position of its name in the list.
pub type Fields = Vec<(usize, Field)>;

/// What came of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walked {
    /// It was walked to its end.
    Whole,
    /// It broke off at something unknown; what came before was handed out.
    Part,
    /// It lies in another file.
    Elsewhere,
    /// It is no such value.
    Nothing,
}

/// Hands out every object of a value of IndexedDB that has any of the fields named, compared
/// without case, the innermost first.
pub fn v8_objects(value: &[u8], names: &[&str], visit: &mut dyn FnMut(&Fields)) -> Walked {
    // A number of the database's own stands before the value.
    let Some(start) = value.iter().take(11).position(|byte| *byte == 0xff) else {
        return Walked::Nothing;
    };
    let bytes = value.get(start..).unwrap_or(&[]);
    match bytes {
        [0xff, 0x11, 1, ..] => Walked::Elsewhere,
        [0xff, 0x11, 2, packed @ ..] => match unsnap(packed, EXPANDED) {
            Some(bytes) => walk(&bytes, names, visit),
            None => Walked::Part,
        },
        bytes => walk(bytes, names, visit),
    }
}

/// Something that was opened and not closed yet.
struct Level {
    end: u8,
    /// Keys and values by turns.
    keyed: bool,
    /// The next string is a key.
    at_key: bool,
    /// The field that the next value is.
    wanted: Option<usize>,
    fields: Fields,
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    fn number(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, length: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(taken)
    }

    fn double(&mut self) -> Option<f64> {
        self.take(8)?.try_into().ok().map(f64::from_le_bytes)
    }
}

fn walk(bytes: &[u8], names: &[&str], visit: &mut dyn FnMut(&Fields)) -> Walked {
    let mut reader = Reader(bytes);
    let mut levels: Vec<Level> = Vec::new();
    let mut depth_seen = false;
    loop {
        if reader.0.is_empty() || (depth_seen && levels.is_empty()) {
            return if levels.is_empty() { Walked::Whole } else { Walked::Part };
        }
        if step(&mut reader, &mut levels, names, visit).is_none() || levels.len() > DEEPEST {
            // What was gathered of objects that are still open counts.
            for level in levels.iter().rev().filter(|level| !level.fields.is_empty()) {
                visit(&level.fields);
            }
            return Walked::Part;
        }
        depth_seen |= !levels.is_empty();
    }
}

fn open(levels: &mut Vec<Level>, end: u8, keyed: bool) {
    levels.push(Level { end, keyed, at_key: keyed, wanted: None, fields: Vec::new() });
}

/// A value ended: whatever holds it goes on.
fn done(levels: &mut [Level], field: Option<Field>) {
    let Some(level) = levels.last_mut().filter(|level| level.keyed) else { return };
    if let (false, Some(name), Some(field)) = (level.at_key, level.wanted.take(), field)
        && level.fields.len() < FIELDS
    {
        level.fields.push((name, field));
    }
    level.at_key = !level.at_key;
}

/// One tag with what belongs to it; none when it is not known.
fn step(
    reader: &mut Reader<'_>,
    levels: &mut Vec<Level>,
    names: &[&str],
    visit: &mut dyn FnMut(&Fields),
) -> Option<()> {
    let tag = reader.byte()?;
    if let Some(level) = levels.last().filter(|level| level.end == tag) {
        // Counts of what was inside; arrays have two.
        let counts = if matches!(tag, b'$' | b'@') { 2 } else { 1 };
        for _ in 0..counts {
            reader.number()?;
        }
        if !level.fields.is_empty() {
            visit(&level.fields);
        }
        levels.pop();
        done(levels, None);
        return Some(());
    }
    match tag {
        // Padding, which aligns strings of two bytes a letter.
        0 => {}
        0xff => {
            reader.number()?;
        }
        // Where a trailer lies: offset and length.
        0xfe => {
            reader.take(12)?;
        }
        b'o' => open(levels, b'{', true),
        b';' => open(levels, b':', true),
        b'\'' => open(levels, b',', false),
        b'A' => {
            reader.number()?;
            open(levels, b'$', false);
        }
        b'a' => {
            reader.number()?;
            open(levels, b'@', true);
        }
        b'"' | b'c' | b'S' => {
            let length = reader.number()?;
            let bytes = reader.take(length)?;
            string(tag, bytes, levels, names);
        }
        b's' => {
            let tag = reader.byte()?;
            let length = reader.number()?;
            let bytes = reader.take(length)?;
            string(tag, bytes, levels, names);
        }
        b'I' => {
            let value = u32::try_from(reader.number()?).ok()?;
            let value = (value >> 1).cast_signed() ^ (value & 1).cast_signed().wrapping_neg();
            done(levels, Some(Field::Number(f64::from(value))));
        }
        b'U' => {
            let value = u32::try_from(reader.number()?).ok()?;
            done(levels, Some(Field::Number(f64::from(value))));
        }
        b'N' | b'D' | b'n' => {
            let value = reader.double()?;
            done(levels, Some(Field::Number(value)));
        }
        b'T' | b'F' | b'0' | b'_' | b'-' | b'x' | b'y' => done(levels, None),
        b'^' => {
            reader.number()?;
            done(levels, None);
        }
        // A large number, or a buffer of bytes.
        b'Z' | b'z' => {
            let length = reader.number()? >> 1;
            reader.take(length)?;
            done(levels, None);
        }
        b'B' => {
            let length = reader.number()?;
            reader.take(length)?;
            // A view of it follows and takes its place.
            if reader.0.first() == Some(&b'V') {
                reader.take(2)?;
                for _ in 0..3 {
                    reader.number()?;
                }
            }
            done(levels, None);
        }
        _ => return None,
    }
    Some(())
}

/// A string is a key or a value of what holds it.
fn string(tag: u8, bytes: &[u8], levels: &mut [Level], names: &[&str]) {
    let text = || match tag {
        b'c' => utf16::text(utf16::units_le(bytes)),
        b'S' => String::from_utf8_lossy(bytes).into_owned(),
        _ => bytes.iter().map(|byte| char::from(*byte)).collect(),
    };
    let Some(level) = levels.last_mut().filter(|level| level.keyed) else { return };
    if level.at_key {
        // Keys are short; the content of messages is never copied.
        let key = if bytes.len() <= 128 { text() } else { String::new() };
        level.wanted = names.iter().position(|name| name.eq_ignore_ascii_case(&key));
        level.at_key = false;
        return;
    }
    let field = level.wanted.map(|_| Field::Text(text()));
    done(levels, field);
}
