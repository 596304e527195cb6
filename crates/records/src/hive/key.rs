//! Keys: what they are called, and the lists of what is below them.

use super::base::malformed;
use super::cells::Cells;
use super::value::RegistryValue;
use crate::error::RecordError;
use bytes::Bytes;
use lidless_io::number;
use lidless_io::utf16::{text_to_zero, units_le};

/// How many subkeys of one key are handed out. The longest lists of real hives (classes, user
/// choices) have some 10,000.
const SUBKEYS: usize = 65_536;
/// How many values of one key are handed out.
const VALUES: usize = 16_384;
const LATIN: u16 = 0x20;

/// Whether the hint of an entry fits a name.
type Hint = fn(&[u8], &str) -> bool;

/// A key of a hive.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its name.
    pub name: String,
    /// When it or its values were last written: 100 ns since 1601.
    pub written: u64,
    /// How many subkeys it says it has.
    pub subkeys: u32,
    /// How many values it says it has.
    pub values: u32,
    subkey_list: u32,
    value_list: u32,
    class: (u32, u16),
}

impl Key {
    pub(super) fn read(cells: &Cells, offset: u32) -> Result<Self, RecordError> {
        let cell = cells.cell(offset)?;
        let bad = |found: &str| malformed(u64::from(offset), "a key", found);
        if !cell.starts_with(b"nk") {
            return Err(bad("another cell"));
        }
        let short = || bad("a cell that is too short");
        let number = |at: usize| number::u32_le(&cell, at).ok_or_else(short);
        let flags = number::u16_le(&cell, 2).ok_or_else(short)?;
        let length = usize::from(number::u16_le(&cell, 72).ok_or_else(short)?);
        let name = number::slice(&cell, 76, length).ok_or_else(short)?;
        Ok(Self {
            name: name_of(name, flags & LATIN != 0),
            written: number::u64_le(&cell, 4).ok_or_else(short)?,
            subkeys: number(20)?,
            values: number(36)?,
            subkey_list: number(28)?,
            value_list: number(40)?,
            class: (number(48)?, number::u16_le(&cell, 74).ok_or_else(short)?),
        })
    }

    /// The class name, where a few keys hide data.
    pub(super) fn class(&self, cells: &Cells) -> Result<Option<String>, RecordError> {
        let (offset, length) = self.class;
        if offset == u32::MAX || length == 0 {
            return Ok(None);
        }
        let cell = cells.cell(offset)?;
        Ok(Some(text_to_zero(units_le(cell.get(..usize::from(length)).unwrap_or(&cell)))))
    }

    /// The subkey of a name, or none.
    pub(super) fn child(&self, cells: &Cells, name: &str) -> Result<Option<Self>, RecordError> {
        let mut found = None;
        self.each(cells, Some(name), &mut |key| {
            let is = same(&key.name, name);
            if is {
                found = Some(key);
            }
            !is
        })?;
        Ok(found)
    }

    /// Every subkey.
    pub(super) fn children(&self, cells: &Cells) -> Result<Vec<Self>, RecordError> {
        let mut found = Vec::new();
        self.each(cells, None, &mut |key| {
            found.push(key);
            true
        })?;
        Ok(found)
    }

    /// Reads subkeys until `visit` says no; with a name, only those whose hint fits it.
    fn each(
        &self,
        cells: &Cells,
        name: Option<&str>,
        visit: &mut dyn FnMut(Self) -> bool,
    ) -> Result<(), RecordError> {
        if self.subkeys == 0 {
            return Ok(());
        }
        let top = cells.cell(self.subkey_list)?;
        // A list of lists is one level, never more.
        let lists = if top.starts_with(b"ri") {
            let mut lists = Vec::new();
            for offset in entries(&top, 4).map(|entry| number::u32_le(entry, 0).unwrap_or(u32::MAX))
            {
                lists.push(offset);
            }
            lists
        } else {
            vec![self.subkey_list]
        };
        let mut left = SUBKEYS.min(number::index(self.subkeys));
        for offset in lists {
            let list = if offset == self.subkey_list { top.clone() } else { cells.cell(offset)? };
            let (size, hint): (usize, Hint) = match list.get(..2) {
                Some(b"lf") => (8, by_first_letters),
                Some(b"lh") => (8, by_hash),
                Some(b"li") => (4, |_, _| true),
                _ => return Err(malformed(u64::from(offset), "a list of keys", "another cell")),
            };
            for entry in entries(&list, size) {
                if left == 0 {
                    return Ok(());
                }
                left = left.saturating_sub(1);
                let fits = name.is_none_or(|name| entry.get(4..).is_none_or(|own| hint(own, name)));
                if fits {
                    let key = Self::read(cells, number::u32_le(entry, 0).unwrap_or(u32::MAX))?;
                    if !visit(key) {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// The offsets of the values.
    fn value_offsets(&self, cells: &Cells) -> Result<Vec<u32>, RecordError> {
        if self.values == 0 {
            return Ok(Vec::new());
        }
        let list = cells.cell(self.value_list)?;
        let count = number::index(self.values).min(VALUES);
        let offsets = list.chunks_exact(4).take(count);
        Ok(offsets.map(|offset| number::u32_le(offset, 0).unwrap_or(u32::MAX)).collect())
    }

    pub(super) fn values(&self, cells: &Cells) -> Result<Vec<RegistryValue>, RecordError> {
        let offsets = self.value_offsets(cells)?;
        offsets.into_iter().map(|offset| RegistryValue::read(cells, offset)).collect()
    }

    pub(super) fn value(
        &self,
        cells: &Cells,
        name: &str,
    ) -> Result<Option<RegistryValue>, RecordError> {
        for offset in self.value_offsets(cells)? {
            let head = RegistryValue::head(cells, offset)?;
            if same(&head.name, name) {
                return head.with_data(cells).map(Some);
            }
        }
        Ok(None)
    }
}

/// The entries of a list, as many as it says and has.
fn entries(list: &Bytes, size: usize) -> impl Iterator<Item = &[u8]> {
    let count = number::u16_le(list, 2).map_or(0, usize::from);
    list.get(4..).unwrap_or(&[]).chunks_exact(size).take(count)
}

pub(super) fn name_of(bytes: &[u8], latin: bool) -> String {
    if latin {
        bytes.iter().map(|byte| char::from(*byte)).collect()
    } else {
        text_to_zero(units_le(bytes))
    }
}

/// Names are compared without case, letter by letter.
fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
        || (!one.is_ascii() && one.chars().map(upper).eq(other.chars().map(upper)))
}

fn upper(letter: char) -> char {
    let mut upper = letter.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) => one,
        _ => letter,
    }
}

/// Whether the first four letters of a name in an `lf` list fit; they are zero when it is not
/// Latin-1.
fn by_first_letters(hint: &[u8], name: &str) -> bool {
    let mut letters = name.bytes();
    !name.is_ascii()
        || hint.iter().take_while(|own| **own != 0).all(|own| {
            letters.next().is_some_and(|byte| !own.is_ascii() || byte.eq_ignore_ascii_case(own))
        })
}

/// Whether the hash of a name in an `lh` list fits. What upper case is outside of ASCII depends on
/// who wrote the hive, so that other names are compared themselves.
fn by_hash(hint: &[u8], name: &str) -> bool {
    if !name.is_ascii() {
        return true;
    }
    let hash = name
        .to_uppercase()
        .encode_utf16()
        .fold(0u32, |hash, unit| hash.wrapping_mul(37).wrapping_add(u32::from(unit)));
    number::u32_le(hint, 0) == Some(hash)
}
