//! Records of the catalog and of the attributes.

use super::layout::Fork;
use super::tree::Record;
use crate::filesystem::decmpfs::{self, Compression};
use lidless_core::Timestamp;
use lidless_io::number::{u16_be, u32_be};
use lidless_io::utf16::units_be;
use unicode_normalization::UnicodeNormalization as _;

/// Seconds between 1904 and 1970.
const EPOCH: i64 = 2_082_844_800;
/// The root directory.
pub(super) const ROOT: u32 = 2;

/// A name in a directory.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) parent: u32,
    pub(super) name: String,
    pub(super) id: u32,
    pub(super) modified: Option<Timestamp>,
    pub(super) what: What,
}

/// What a name stands for.
#[derive(Debug, Clone)]
pub(super) enum What {
    Directory,
    File(File),
    /// A link to the file `iNode` with this number.
    FileLink(u32),
    /// A link to the directory `dir_` with this number.
    DirectoryLink(u32),
    /// A symbolic link, a device, a pipe.
    Other,
}

/// A file.
#[derive(Debug, Clone, Default)]
pub(super) struct File {
    pub(super) data: Fork,
    pub(super) resources: Fork,
    /// Its content is compressed elsewhere, as an attribute says.
    pub(super) compressed: bool,
}

impl Named {
    /// Reads a record of the catalog; none for the threads, which say the same again.
    pub(super) fn parse(record: &Record<'_>) -> Option<Self> {
        let parent = u32_be(record.key, 0)?;
        let data = record.data;
        let name = name(record.key.get(4..)?)?;
        let id = u32_be(data, 8)?;
        let modified = time(u32_be(data, 16)?);
        let what = match u16_be(data, 0)? {
            1 => What::Directory,
            2 => {
                let (kind, creator) = (data.get(48..52)?, data.get(52..56)?);
                let number = u32_be(data, 44)?;
                match (kind, creator, u16_be(data, 42)? & 0xf000) {
                    (b"hlnk", b"hfs+", _) => What::FileLink(number),
                    (b"fdrp", b"MACS", _) if u16_be(data, 2)? & 0x20 != 0 => {
                        What::DirectoryLink(number)
                    }
                    (_, _, 0 | 0x8000) => What::File(File {
                        data: Fork::parse(data, 88)?,
                        resources: Fork::parse(data, 168)?,
                        compressed: data.get(41)? & 0x20 != 0,
                    }),
                    _ => What::Other,
                }
            }
            _ => return None,
        };
        Some(Self { parent, name, id, modified, what })
    }
}

/// A length in 16 bits and that many UTF-16 units. A `/` of the catalog is a `:` in paths, and
/// letters with accents are put together, as nearly everything else writes them.
fn name(bytes: &[u8]) -> Option<String> {
    let count = usize::from(u16_be(bytes, 0)?);
    let units = bytes.get(2..count.checked_mul(2)?.checked_add(2)?)?;
    let units = units_be(units);
    let text = char::decode_utf16(units).map(|unit| match unit {
        Ok('/') => ':',
        Ok('\0') => '\u{2400}',
        Ok(letter) => letter,
        Err(_) => char::REPLACEMENT_CHARACTER,
    });
    Some(text.nfc().collect())
}

fn time(seconds: u32) -> Option<Timestamp> {
    let seconds = i64::from(seconds).checked_sub(EPOCH)?;
    Timestamp::from_second(seconds).ok().filter(|_| seconds > 0)
}

/// The file and what its attribute about compression says, and where in the attributes file that
/// stands; none for another attribute.
pub(super) fn compression(record: &Record<'_>) -> Option<(u32, Compression, u64, u64)> {
    let file = u32_be(record.key, 2)?;
    if name(record.key.get(10..)?)? != decmpfs::ATTRIBUTE || u32_be(record.data, 0)? != 0x10 {
        return None;
    }
    let length = u32_be(record.data, 12)?;
    let size = usize::try_from(length).ok()?.checked_add(16)?;
    let value = record.data.get(16..size)?;
    let compression = Compression::parse(value)?;
    Some((file, compression, record.offset.checked_add(16)?, u64::from(length)))
}
