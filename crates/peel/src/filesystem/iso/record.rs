//! Records of directories of ISO 9660 (ECMA-119, section 9.1). None reaches over the end of a
//! sector: a length of 0 means that the next one begins with the next sector.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 1 | length of the record |
//! | 1 | 1 | blocks of extended attributes before the content |
//! | 2 | 4 | first block (and again, the other way round) |
//! | 10 | 4 | length in bytes (and again) |
//! | 18 | 7 | date: years since 1900, month, day, hour, minute, second, zone in quarters of an hour |
//! | 25 | 1 | flags: 2 directory, 4 associated file, 128 goes on in the next record |
//! | 26 | 1 | blocks between which another file lies, when not 0 |
//! | 32 | 1 | length of the name |
//! | 33 | | name; `00`: the directory itself, `01`: the one above |
//! | | | from the next even offset: system use |

use crate::time::Civil;
use lidless_core::Timestamp;
use lidless_io::number::u32_le;
use lidless_io::utf16;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) block: u64,
    pub(super) bytes: u64,
    pub(super) flags: u8,
    pub(super) is_interleaved: bool,
    pub(super) modified: Option<Timestamp>,
    pub(super) id: &'a [u8],
    pub(super) system_use: &'a [u8],
}

impl<'a> Record<'a> {
    /// Reads the record at the start of `bytes`, and says how long it is.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<(Self, usize)> {
        let length = usize::from(*bytes.first()?);
        let record = bytes.get(..length)?;
        let four = |at: usize| u32_le(record, at);
        let attributes = u64::from(*record.get(1)?);
        let id_length = usize::from(*record.get(32)?);
        let id = record.get(33..33usize.saturating_add(id_length))?;
        let behind = 33usize.saturating_add(id_length).next_multiple_of(2);
        let [year, month, day, hour, minute, second, zone] =
            *record.get(18..)?.first_chunk::<7>()?;
        let zone = i8::from_le_bytes([zone]);
        let civil = Civil {
            year: u16::from(year).saturating_add(1900),
            month,
            day,
            hour,
            minute,
            second,
            offset_minutes: i16::from(zone).saturating_mul(15),
        };
        let own = Self {
            block: u64::from(four(2)?).saturating_add(attributes),
            bytes: u64::from(four(10)?),
            flags: *record.get(25)?,
            is_interleaved: *record.get(26)? != 0,
            modified: civil.timestamp(),
            id,
            system_use: record.get(behind..).unwrap_or(&[]),
        };
        Some((own, length))
    }

    pub(super) fn is_directory(&self) -> bool {
        self.flags & 2 != 0
    }

    pub(super) fn goes_on(&self) -> bool {
        self.flags & 0x80 != 0
    }

    /// Whether it stands for the directory itself or the one above.
    pub(super) fn is_dot(&self) -> bool {
        matches!(self.id, [0 | 1])
    }

    /// The name as the tree writes it, without the number of its version.
    pub(super) fn name(&self, is_joliet: bool) -> String {
        let name = if is_joliet {
            text_of_joliet(self.id)
        } else {
            String::from_utf8_lossy(self.id).into_owned()
        };
        let name = match name.rsplit_once(';') {
            Some((name, version)) if version.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => &name,
        };
        // A plain name without an ending still has its dot.
        match name.strip_suffix('.') {
            Some(bare) if !is_joliet && !bare.is_empty() => bare.to_owned(),
            _ => name.to_owned(),
        }
    }
}

/// Text of Joliet: UTF-16, the upper half first.
pub(super) fn text_of_joliet(bytes: &[u8]) -> String {
    utf16::text(utf16::units_be(bytes))
}

/// The records of a directory with their offsets, and whether all of it made sense.
pub(super) fn records(bytes: &[u8]) -> (Vec<(usize, Record<'_>)>, bool) {
    const SECTOR: usize = 2048;
    let mut found = Vec::new();
    let mut at = 0usize;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.first() == Some(&0) {
            at = at.saturating_add(1).next_multiple_of(SECTOR);
            continue;
        }
        let left = SECTOR.saturating_sub(at % SECTOR);
        let Some((record, length)) = Record::parse(rest.get(..left).unwrap_or(rest)) else {
            return (found, false);
        };
        if length < 34 {
            return (found, false);
        }
        found.push((at, record));
        at = at.saturating_add(length);
    }
    (found, true)
}
