//! Records of the tree of files.

use lidless_core::Timestamp;
use lidless_io::number::{u16_le, u32_le, u64_le};

/// The number of the object that a key is about.
pub(super) fn number(key: &[u8]) -> u64 {
    u64_le(key, 0).unwrap_or(0) & 0x0fff_ffff_ffff_ffff
}

/// A number as it is: in the tree of extents of a sealed volume.
pub(super) fn plain_number(key: &[u8]) -> u64 {
    u64_le(key, 0).unwrap_or(0)
}

/// A record.
pub(super) enum Record {
    Inode(Inode),
    Attribute { name: String, value: Value },
    Extent { id: u64, extent: Extent },
    Name { name: String, id: u64, what: u16 },
}

/// What an inode says.
#[derive(Debug, Clone, Default)]
pub(super) struct Inode {
    /// The number that its extents go by.
    pub(super) private: u64,
    pub(super) modified: Option<Timestamp>,
    pub(super) mode: u16,
    /// Its content is in an attribute or in its resource fork.
    pub(super) compressed: bool,
    /// Length in bytes.
    pub(super) size: u64,
}

/// Where the value of an attribute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    /// On the volume, first byte and length.
    Embedded(u64, u64),
    /// In extents of its own, by their number; length.
    Stream(u64, u64),
}

/// A part of a file: where in the file, length, and its first block; 0 is a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) at: u64,
    pub(super) length: u64,
    pub(super) block: u64,
}

/// Reads a record; none for what is not about names or contents. `offset` is where on the volume
/// the value begins; `hashed` whether names have their hash before them.
pub(super) fn parse(key: &[u8], value: &[u8], offset: u64, hashed: bool) -> Option<Record> {
    match u64_le(key, 0)?.wrapping_shr(60) {
        3 => inode(value).map(Record::Inode),
        4 => {
            let length = usize::from(u16_le(key, 8)?);
            let name = text(key.get(10..length.checked_add(10)?)?);
            let length = u64::from(u16_le(value, 2)?);
            let value = if u16_le(value, 0)? & 1 != 0 {
                Value::Stream(u64_le(value, 4)?, u64_le(value, 12)?)
            } else {
                Value::Embedded(offset.checked_add(4)?, length)
            };
            Some(Record::Attribute { name, value })
        }
        8 => Some(Record::Extent {
            id: number(key),
            extent: Extent {
                at: u64_le(key, 8)?,
                length: u64_le(value, 0)? & 0x00ff_ffff_ffff_ffff,
                block: u64_le(value, 8)?,
            },
        }),
        9 => {
            let (length, from) = if hashed {
                (usize::try_from(u32_le(key, 8)? & 0x3ff).ok()?, 12usize)
            } else {
                (usize::from(u16_le(key, 8)?), 10)
            };
            let name = text(key.get(from..from.checked_add(length)?)?);
            Some(Record::Name { name, id: u64_le(value, 0)?, what: u16_le(value, 16)? & 0xf })
        }
        _ => None,
    }
}

/// An extent of the tree that sealed volumes have for them.
pub(super) fn sealed_extent(key: &[u8], value: &[u8]) -> Option<(u64, Extent)> {
    let extent = Extent {
        at: u64_le(key, 8)?,
        length: u64_le(value, 0)? & 0x00ff_ffff_ffff_ffff,
        block: u64_le(value, 8)?,
    };
    Some((plain_number(key), extent))
}

fn inode(value: &[u8]) -> Option<Inode> {
    let time = i64::try_from(u64_le(value, 24)?).ok()?;
    let modified = Timestamp::from_nanosecond(i128::from(time)).ok();
    Some(Inode {
        private: u64_le(value, 8)?,
        modified: modified.filter(|_| time > 0),
        mode: u16_le(value, 80)?,
        compressed: u32_le(value, 68)? & 0x20 != 0,
        size: stream_size(value.get(92..).unwrap_or(&[])).unwrap_or(0),
    })
}

/// The length of the content, among the fields behind an inode: a count of fields, the bytes that
/// they take, type, flags and size of each, and their contents, each padded to eight bytes.
fn stream_size(fields: &[u8]) -> Option<u64> {
    let count = usize::from(u16_le(fields, 0)?);
    let mut at = count.checked_mul(4)?.checked_add(4)?;
    for index in 0..count {
        let place = index.checked_mul(4)?.checked_add(4)?;
        let kind = *fields.get(place)?;
        if kind == 8 {
            return u64_le(fields, at);
        }
        let size = usize::from(u16_le(fields, place.checked_add(2)?)?);
        at = at.checked_add(size.checked_next_multiple_of(8)?)?;
    }
    None
}

/// A name: it ends at its first zero; `/` in it is a `:` in paths.
fn text(bytes: &[u8]) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    let name = bytes.split(|byte| *byte == 0).next().unwrap_or(&[]);
    String::from_utf8_lossy(name)
        .chars()
        .map(|one| if one == '/' { ':' } else { one })
        .nfc()
        .collect()
}
