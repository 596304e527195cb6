//! Records: a header of varints that say the type of each column, then the columns.

use super::header::TextEncoding;
use lidless_io::number;
use lidless_io::utf16;

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing, or a column that was added after the row.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
    /// Text; what is not text in the database's encoding is replaced.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
    /// Longer than what is read of one row; its length in bytes.
    TooLong(u64),
}

impl Value {
    /// The text, when it is text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, when it is a whole one.
    #[must_use]
    pub fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// The bytes of text or of a blob.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text.as_bytes()),
            Self::Blob(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Length in bytes of text or of a blob, read or not.
    #[must_use]
    pub fn length(&self) -> u64 {
        match self {
            Self::TooLong(length) => *length,
            other => other.bytes().map_or(0, |bytes| number::wide(bytes.len())),
        }
    }
}

/// A varint and how many bytes it took: seven bits a byte, the ninth byte whole.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (index, byte) in bytes.iter().take(9).enumerate() {
        let used = index.saturating_add(1);
        if used == 9 {
            return Some(((value << 8) | u64::from(*byte), used));
        }
        value = (value << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, used));
        }
    }
    None
}

/// Where a column of a record lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    kind: u64,
    at: u64,
}

impl Slot {
    fn length(kind: u64) -> u64 {
        match kind {
            0 | 8 | 9 | 10 | 11 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            _ => kind.saturating_sub(12) / 2,
        }
    }

    /// Offset of the first byte after it.
    pub(super) fn end(self) -> u64 {
        self.at.saturating_add(Self::length(self.kind))
    }

    /// The value, from the first bytes of the record.
    pub(super) fn value(self, record: &[u8], encoding: TextEncoding) -> Value {
        let length = Self::length(self.kind);
        let Some(bytes) = number::slice(record, number::index(self.at), number::index(length))
        else {
            return Value::TooLong(length);
        };
        match self.kind {
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            1..=6 => {
                let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
                let mut wide = if negative { [0xff; 8] } else { [0; 8] };
                if let Some(end) = wide.get_mut(8usize.saturating_sub(bytes.len())..) {
                    end.copy_from_slice(bytes);
                }
                Value::Integer(i64::from_be_bytes(wide))
            }
            7 => Value::Real(f64::from_be_bytes(bytes.try_into().unwrap_or_default())),
            kind if kind >= 13 && kind % 2 == 1 => Value::Text(text(bytes, encoding)),
            kind if kind >= 12 => Value::Blob(bytes.to_vec()),
            _ => Value::Null,
        }
    }
}

fn text(bytes: &[u8], encoding: TextEncoding) -> String {
    match encoding {
        TextEncoding::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
        TextEncoding::Utf16Le => utf16::text(utf16::units_le(bytes)),
        TextEncoding::Utf16Be => utf16::text(utf16::units_be(bytes)),
    }
}

/// The columns of a record, from its first bytes, which have to hold its header; at most
/// `columns` of them.
pub(super) fn slots(record: &[u8], columns: usize) -> Option<Vec<Slot>> {
    let (header, mut place) = varint(record)?;
    let head = record.get(..number::index(header))?;
    let mut content = header;
    let mut slots = Vec::new();
    while place < head.len() && slots.len() < columns {
        let (kind, used) = varint(head.get(place..)?)?;
        place = place.saturating_add(used);
        let slot = Slot { kind, at: content };
        content = slot.end();
        slots.push(slot);
    }
    Some(slots)
}

/// How long the header of a record is.
pub(super) fn header_length(record: &[u8]) -> Option<u64> {
    varint(record).map(|(length, _)| length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_are_read_at_every_length() {
        assert_eq!(varint(&[0x7f]), Some((127, 1)));
        assert_eq!(varint(&[0x81, 0]), Some((128, 2)));
        assert_eq!(varint(&[0xff; 9]), Some((u64::MAX, 9)));
        assert_eq!(varint(&[0xff; 8]), None);
    }

    #[test]
    fn a_record_gives_every_type_of_value() {
        let record = [7, 0, 1, 2, 9, 17, 14, 0xff, 0xff, 0x7f, b'h', b'i', 5];
        let slots = slots(&record, 9).unwrap();
        let values: Vec<Value> =
            slots.iter().map(|slot| slot.value(&record, TextEncoding::Utf8)).collect();
        assert_eq!(
            values,
            [
                Value::Null,
                Value::Integer(-1),
                Value::Integer(-129),
                Value::Integer(1),
                Value::Text("hi".into()),
                Value::Blob(vec![5])
            ]
        );
    }
}
