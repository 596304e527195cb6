//! Entries of directories of FAT, 32 bytes each.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 11 | short name; `00` first: no more entries, `e5`: deleted, `05`: means `e5` |
//! | 11 | 1 | attributes: 8 label, 16 directory, 15 part of a long name |
//! | 12 | 1 | 8: the name is in lower case, 16: its ending is |
//! | 20 | 2 | upper half of the first cluster, FAT32 only |
//! | 22 | 4 | time and date of the last change, as DOS packs them |
//! | 26 | 2 | lower half of the first cluster |
//! | 28 | 4 | length in bytes |
//!
//! Parts of a long name stand before the entry, the last part first: a byte with the number (64
//! added to the last), 5 units of UTF-16 at 1, 6 at 14, 2 at 28, the sum of the short name at 13.

use super::super::number::{le16, le32};
use super::names;
use crate::time::Civil;
use lidless_core::Timestamp;

const LABEL: u8 = 0x08;
const DIRECTORY: u8 = 0x10;
const LONG: u8 = 0x0f;

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) name: String,
    pub(super) is_directory: bool,
    pub(super) is_deleted: bool,
    pub(super) cluster: u32,
    pub(super) size: u32,
    pub(super) modified: Option<Timestamp>,
}

/// What a directory holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Items {
    pub(super) items: Vec<Item>,
    /// The volume's label, which stands in the root directory.
    pub(super) label: Option<String>,
}

/// The parts of a long name read so far.
#[derive(Default)]
struct Long {
    /// Units, the last part's first.
    parts: Vec<[u16; 13]>,
    sum: u8,
    /// The number that the next part must have.
    next: u8,
    deleted: bool,
}

impl Long {
    fn add(&mut self, entry: &[u8; 32]) {
        let [number, rest @ ..] = entry;
        let sum = entry.get(13).copied().unwrap_or(0);
        let mut units = [0u16; 13];
        let units_at = [0usize, 2, 4, 6, 8, 13, 15, 17, 19, 21, 23, 27, 29];
        for (unit, place) in units.iter_mut().zip(units_at) {
            if let Some([low, high]) = rest.get(place..place.saturating_add(2)) {
                *unit = u16::from_le_bytes([*low, *high]);
            }
        }
        let deleted = *number == 0xe5;
        if deleted {
            // The numbers are gone: parts that have the same sum belong together.
            if !self.deleted || self.sum != sum {
                *self = Self { sum, deleted, ..Self::default() };
            }
        } else if number & 0x40 != 0 {
            *self = Self { sum, next: number & 0x1f, ..Self::default() };
        } else if self.deleted || self.parts.is_empty() || *number != self.next || self.sum != sum {
            *self = Self::default();
            return;
        }
        // 20 parts hold the 255 units that a name may have.
        if self.parts.len() >= 20 || (!deleted && self.next == 0) {
            *self = Self::default();
            return;
        }
        self.parts.push(units);
        self.next = self.next.saturating_sub(1);
    }

    /// The name, when it belongs to this short one.
    fn name(&self, short: &[u8; 11], deleted: bool) -> Option<String> {
        if self.parts.is_empty() || self.deleted != deleted || (!deleted && self.next != 0) {
            return None;
        }
        let units: Vec<u16> = self.parts.iter().rev().flatten().copied().collect();
        let name = names::long(&units);
        if !deleted {
            return (names::checksum(short) == self.sum).then_some(name);
        }
        // The first byte is lost; the sum says what it was, which has to make sense.
        let first = names::lost_first(short, self.sum);
        let mut whole = *short;
        if let Some(slot) = whole.first_mut() {
            *slot = first;
        }
        let began = name.chars().find(|c| *c != '.' && *c != ' ')?;
        let fits = if began.is_ascii_alphanumeric() {
            first == u8::try_from(began.to_ascii_uppercase()).unwrap_or(0)
        } else {
            names::is_short(&whole)
        };
        fits.then_some(name)
    }
}

/// Reads a directory's bytes.
pub(super) fn parse(bytes: &[u8], upper_half: bool) -> Items {
    let mut found = Items::default();
    let mut long = Long::default();
    for entry in bytes.as_chunks::<32>().0 {
        let [first, ..] = entry;
        if *first == 0 {
            break;
        }
        let attributes = entry.get(11).copied().unwrap_or(0);
        if attributes & 0x3f == LONG {
            long.add(entry);
            continue;
        }
        let known = std::mem::take(&mut long);
        let Some(raw) = entry.first_chunk::<11>() else { continue };
        if attributes & LABEL != 0 {
            if *first != 0xe5 && found.label.is_none() {
                found.label = Some(names::label(raw)).filter(|label| !label.is_empty());
            }
            continue;
        }
        found.items.extend(item(entry, raw, &known, upper_half));
    }
    found
}

fn item(entry: &[u8; 32], raw: &[u8; 11], long: &Long, upper_half: bool) -> Option<Item> {
    let two = |at: usize| le16(entry, at);
    let [first, ..] = *raw;
    let is_deleted = first == 0xe5;
    let mut short = *raw;
    if let Some(slot) = short.first_mut() {
        match first {
            0xe5 => *slot = b'_',
            0x05 => *slot = 0xe5,
            _ => {}
        }
    }
    let attributes = entry.get(11).copied().unwrap_or(0);
    // What was deleted may be half written over.
    if is_deleted && (!names::is_short(&short) || attributes & 0xc0 != 0) {
        return None;
    }
    let is_directory = attributes & DIRECTORY != 0;
    let case = entry.get(12).copied().unwrap_or(0);
    let name = long
        .name(raw, is_deleted)
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| names::short(&short, case));
    let upper = if upper_half { u32::from(two(20)) } else { 0 };
    let size = le32(entry, 28);
    Some(Item {
        name,
        is_directory,
        is_deleted,
        cluster: upper.wrapping_shl(16) | u32::from(two(26)),
        size: if is_directory { 0 } else { size },
        modified: Civil::of_dos(two(24), two(22)).timestamp(),
    })
}
