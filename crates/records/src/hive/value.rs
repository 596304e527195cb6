//! Values of keys.
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 2 | `vk` |
//! | 2 | 2 | length of the name |
//! | 4 | 4 | length of the data; with the highest bit set the data are the next field itself |
//! | 8 | 4 | the data's cell |
//! | 12 | 4 | type |
//! | 16 | 2 | flags: 1 the name is Latin-1 |
//! | 20 | | name |

use super::base::malformed;
use super::cells::Cells;
use super::key::name_of;
use crate::error::RecordError;
use lidless_io::number;
use lidless_io::utf16::{text_to_zero, units_le};

/// How much of one value is read.
const DATA: usize = 1 << 20;
/// Longer values lie in pieces of this length.
const SEGMENT: usize = 16_344;
const IN_PLACE: u32 = 0x8000_0000;

/// A value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryValue {
    /// Its name; empty for the default value.
    pub name: String,
    /// Its type: 1 text, 2 text with variables, 3 bytes, 4 a number, 7 texts, 11 a long number.
    pub kind: u32,
    /// Length of the data in bytes, as stored.
    pub length: u64,
    /// The data, up to its first MiB.
    pub data: Vec<u8>,
    place: u32,
}

impl RegistryValue {
    /// A value without its data.
    pub(super) fn head(cells: &Cells, offset: u32) -> Result<Self, RecordError> {
        let cell = cells.cell(offset)?;
        let bad = || malformed(u64::from(offset), "a value", "another cell");
        if !cell.starts_with(b"vk") {
            return Err(bad());
        }
        let length = usize::from(number::u16_le(&cell, 2).ok_or_else(bad)?);
        let latin = number::u16_le(&cell, 16).ok_or_else(bad)? & 1 != 0;
        let size = number::u32_le(&cell, 4).ok_or_else(bad)?;
        let name = number::slice(&cell, 20, length).ok_or_else(bad)?;
        let mut value = Self {
            name: name_of(name, latin),
            kind: number::u32_le(&cell, 12).ok_or_else(bad)?,
            length: u64::from(size & !IN_PLACE),
            data: Vec::new(),
            place: number::u32_le(&cell, 8).ok_or_else(bad)?,
        };
        if size & IN_PLACE != 0 {
            value.length = value.length.min(4);
            let own = cell.get(8..12).unwrap_or(&[]);
            value.data = own.get(..number::index(value.length)).unwrap_or(own).to_vec();
        }
        Ok(value)
    }

    /// The value with its data.
    pub(super) fn with_data(mut self, cells: &Cells) -> Result<Self, RecordError> {
        if self.data.is_empty() && self.length > 0 {
            let length = number::index(self.length).min(DATA);
            let cell = cells.cell(self.place)?;
            if length > SEGMENT && cell.starts_with(b"db") {
                self.data = pieces(cells, &cell, length)?;
            } else {
                self.data = cell.get(..length).unwrap_or(&cell).to_vec();
            }
        }
        Ok(self)
    }

    pub(super) fn read(cells: &Cells, offset: u32) -> Result<Self, RecordError> {
        Self::head(cells, offset)?.with_data(cells)
    }

    /// The text of a value that is text, up to its first zero.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        matches!(self.kind, 1 | 2 | 6).then(|| text_to_zero(units_le(&self.data)))
    }

    /// The texts of a value that is several.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        if self.kind != 7 {
            return self.text().into_iter().collect();
        }
        let units: Vec<u16> = units_le(&self.data).collect();
        let texts = units.split(|unit| *unit == 0).filter(|units| !units.is_empty());
        texts.map(String::from_utf16_lossy).collect()
    }

    /// The number of a value that is one; times (8 bytes) as well.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        match (self.kind, self.data.len()) {
            (5, 4) => number::u32_be(&self.data, 0).map(u64::from),
            (3 | 4, 4) => number::u32_le(&self.data, 0).map(u64::from),
            (3 | 11, 8) => number::u64_le(&self.data, 0),
            _ => None,
        }
    }
}

fn pieces(cells: &Cells, head: &[u8], length: usize) -> Result<Vec<u8>, RecordError> {
    let count = number::u16_le(head, 2).map_or(0, usize::from);
    let list = cells.cell(number::u32_le(head, 4).unwrap_or(u32::MAX))?;
    let mut data = Vec::new();
    for offset in list.chunks_exact(4).take(count) {
        if data.len() >= length {
            break;
        }
        let piece = cells.cell(number::u32_le(offset, 0).unwrap_or(u32::MAX))?;
        let wanted = SEGMENT.min(length.saturating_sub(data.len()));
        data.extend_from_slice(piece.get(..wanted).unwrap_or(&piece));
    }
    Ok(data)
}
