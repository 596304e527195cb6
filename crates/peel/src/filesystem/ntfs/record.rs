//! File records.
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 4 | `FILE`; `BAAD` after a failed check |
//! | 4 | 2, 2 | offset and count of the update sequence: a number that ends every 512 bytes, and what stood there |
//! | 16 | 2 | sequence: how often the record was used |
//! | 20 | 2 | offset of the first attribute |
//! | 22 | 2 | bit 0 in use, 1 a directory |
//! | 24 | 4 | bytes used |
//! | 32 | 8 | reference to the record that this one extends, or 0 |
//!
//! An attribute:
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 4 | type; `ff ff ff ff` ends them |
//! | 4 | 4 | length |
//! | 8 | 1 | 1: it lies elsewhere |
//! | 9 | 1, 2 | length and offset of its name |
//! | 12 | 2 | bit 0 compressed, 14 encrypted, 15 sparse |
//! | 16 | 4, 2 | here: length and offset of its content |
//! | 16 | 8, 8 | elsewhere: first and last cluster |
//! | 32 | 2 | elsewhere: offset of mapping pairs |
//! | 34 | 2 | elsewhere: clusters of a compression unit, as a power of two |
//! | 40 | 8, 8, 8 | elsewhere: bytes allocated, length, how much of it was ever written |

use super::fields::{text, u8_at};
use crate::time::filetime;
use lidless_core::Timestamp;
use lidless_io::number::{index, slice, u16_le, u32_le, u64_le};
use lidless_io::utf16::units_le;

/// Types of attributes.
pub(super) const STANDARD: u32 = 0x10;
pub(super) const LIST: u32 = 0x20;
pub(super) const FILE_NAME: u32 = 0x30;
pub(super) const VOLUME_NAME: u32 = 0x60;
pub(super) const DATA: u32 = 0x80;
pub(super) const INDEX_ROOT: u32 = 0x90;
pub(super) const INDEX_ALLOCATION: u32 = 0xa0;
pub(super) const BITMAP: u32 = 0xb0;
pub(super) const REPARSE: u32 = 0xc0;

/// A record and how often it had been used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reference {
    pub(super) number: u64,
    pub(super) sequence: u16,
}

impl Reference {
    pub(super) fn new(raw: u64) -> Self {
        let [.., low, high] = raw.to_le_bytes();
        Self { number: raw & 0xffff_ffff_ffff, sequence: u16::from_le_bytes([low, high]) }
    }

    /// The handle of a node: in the order of records.
    pub(super) fn handle(self) -> u64 {
        self.number.wrapping_shl(16) | u64::from(self.sequence)
    }

    pub(super) fn of_handle(handle: u64) -> Self {
        let [low, high, ..] = handle.to_le_bytes();
        Self { number: handle >> 16, sequence: u16::from_le_bytes([low, high]) }
    }
}

/// A name of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) parent: Reference,
    /// The short name of a file that has a long one.
    pub(super) is_short: bool,
    pub(super) name: String,
}

/// An attribute, or a piece of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) kind: u32,
    pub(super) name: String,
    pub(super) flags: u16,
    pub(super) body: Body,
}

/// Where an attribute's content is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    Resident(Vec<u8>),
    /// In its record, which has to be read again: this many bytes.
    Left(u64),
    Elsewhere(Elsewhere),
}

/// An attribute in clusters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Elsewhere {
    pub(super) first_vcn: u64,
    /// Length and written length in bytes; only the first piece says them.
    pub(super) length: u64,
    pub(super) initialised: u64,
    /// Clusters of a compression unit, as a power of two.
    pub(super) unit: u8,
    pub(super) pairs: Vec<u8>,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) sequence: u16,
    pub(super) in_use: bool,
    pub(super) is_directory: bool,
    /// The record that this one extends.
    pub(super) base: Option<Reference>,
    pub(super) modified: Option<u64>,
    pub(super) names: Vec<Name>,
    pub(super) attributes: Vec<Attribute>,
    /// Something in it did not fit.
    pub(super) is_broken: bool,
}

/// Why there is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Never written.
    Blank,
    Signature,
    Torn,
    Header,
}

impl Fault {
    /// In words that count together.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Blank => "NTFS file record that was never written",
            Self::Signature => "NTFS file record without its signature",
            Self::Torn => "NTFS file record whose update sequence does not match",
            Self::Header => "NTFS file record with a header that does not fit",
        }
    }
}

/// Checks the update sequence of a record (`FILE`, `INDX`) and puts back what it replaced.
pub(super) fn mend(record: &mut [u8], signature: [u8; 4]) -> Result<(), Fault> {
    if record.get(..4) != Some(&signature[..]) {
        let blank = record.iter().all(|byte| *byte == 0);
        return Err(if blank { Fault::Blank } else { Fault::Signature });
    }
    let offset = usize::from(u16_le(record, 4).ok_or(Fault::Header)?);
    let count = usize::from(u16_le(record, 6).ok_or(Fault::Header)?);
    let blocks = count.checked_sub(1).filter(|blocks| *blocks > 0).ok_or(Fault::Header)?;
    // 512 bytes a block, whatever the sectors of the disk.
    let stride = record.len().checked_div(blocks).unwrap_or(0);
    if stride < 512 || stride.checked_mul(blocks) != Some(record.len()) {
        return Err(Fault::Header);
    }
    let sequence = slice(record, offset, count.saturating_mul(2)).ok_or(Fault::Header)?.to_vec();
    let mut parts = sequence.chunks_exact(2);
    let number = parts.next().ok_or(Fault::Header)?;
    for (block, original) in record.chunks_exact_mut(stride).zip(parts) {
        let end = block.last_chunk_mut::<2>().ok_or(Fault::Header)?;
        if end.as_slice() != number {
            return Err(Fault::Torn);
        }
        end.copy_from_slice(original);
    }
    Ok(())
}

impl Record {
    /// Reads a record as it stands on the disk.
    pub(super) fn parse(raw: &[u8]) -> Result<Self, Fault> {
        let mut bytes = raw.to_vec();
        mend(&mut bytes, *b"FILE")?;
        Self::parse_mended(&bytes).ok_or(Fault::Header)
    }

    fn parse_mended(bytes: &[u8]) -> Option<Self> {
        let flags = u16_le(bytes, 22)?;
        let used = index(u32_le(bytes, 24)?).min(bytes.len());
        let base = Some(u64_le(bytes, 32)?).filter(|base| *base != 0).map(Reference::new);
        let mut record = Self {
            sequence: u16_le(bytes, 16)?,
            in_use: flags & 1 != 0,
            is_directory: flags & 2 != 0,
            base,
            modified: None,
            names: Vec::new(),
            attributes: Vec::new(),
            is_broken: false,
        };
        let bytes = bytes.get(..used)?;
        let mut place = usize::from(u16_le(bytes, 20)?);
        while let Some(kind) = u32_le(bytes, place).filter(|kind| *kind != u32::MAX) {
            let length = index(u32_le(bytes, place.saturating_add(4)).unwrap_or(0));
            let whole = slice(bytes, place, length).filter(|_| length >= 24);
            if whole.and_then(|attribute| record.take(kind, attribute)).is_none() {
                record.is_broken = true;
                break;
            }
            place = place.saturating_add(length);
        }
        Some(record)
    }

    fn take(&mut self, kind: u32, bytes: &[u8]) -> Option<()> {
        if !matches!(kind, STANDARD | LIST | FILE_NAME | VOLUME_NAME | DATA..=REPARSE) {
            return Some(());
        }
        let name = match usize::from(u8_at(bytes, 9)?) {
            0 => String::new(),
            length => {
                let offset = usize::from(u16_le(bytes, 10)?);
                text(units_le(slice(bytes, offset, length.saturating_mul(2))?))
            }
        };
        let flags = u16_le(bytes, 12)?;
        if u8_at(bytes, 8)? != 0 {
            let pairs = bytes.get(usize::from(u16_le(bytes, 32)?)..)?;
            let elsewhere = Elsewhere {
                first_vcn: u64_le(bytes, 16)?,
                length: u64_le(bytes, 48)?,
                initialised: u64_le(bytes, 56)?,
                unit: u8_at(bytes, 34)?,
                pairs: trimmed(pairs).to_vec(),
            };
            let body = Body::Elsewhere(elsewhere);
            self.attributes.push(Attribute { kind, name, flags, body });
            return Some(());
        }
        let length = index(u32_le(bytes, 16)?);
        let value = slice(bytes, usize::from(u16_le(bytes, 20)?), length)?;
        match kind {
            STANDARD => self.modified = u64_le(value, 8),
            FILE_NAME => self.names.push(file_name(value)?),
            _ => {
                let body = Body::Resident(value.to_vec());
                self.attributes.push(Attribute { kind, name, flags, body });
            }
        }
        Some(())
    }

    /// When its content was last changed.
    pub(super) fn changed(&self) -> Option<Timestamp> {
        self.modified.and_then(filetime)
    }
}

/// Mapping pairs up to the byte that ends them.
fn trimmed(pairs: &[u8]) -> &[u8] {
    let mut end = 0usize;
    while let Some(head) = pairs.get(end).filter(|head| **head != 0) {
        let more = usize::from(head & 15).saturating_add(usize::from(head >> 4));
        end = end.saturating_add(more).saturating_add(1);
    }
    pairs.get(..end).unwrap_or(pairs)
}

/// The content of a file name attribute: parent at 0, length of the name at 64, its kind at 65
/// (2: short), the name at 66.
fn file_name(value: &[u8]) -> Option<Name> {
    let length = usize::from(u8_at(value, 64)?).saturating_mul(2);
    Some(Name {
        parent: Reference::new(u64_le(value, 0)?),
        is_short: u8_at(value, 65)? == 2,
        name: text(units_le(slice(value, 66, length)?)),
    })
}
