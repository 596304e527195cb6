//! Entries of directories of exFAT, 32 bytes each (specification, section 7).
//!
//! | type | entry | fields: offset, size |
//! |---|---|---|
//! | `00` | no more entries | |
//! | `81` | bitmap of the clusters | first cluster 20, 4; length 24, 8 |
//! | `82` | up-case table | sum 4, 4; first cluster 20, 4; length 24, 8 |
//! | `83` | label | units 1, 1; UTF-16 2, 22 |
//! | `85` | file | further entries 1, 1; sum of the set 2, 2; attributes 4, 2 (16: directory); changed 12, 4, its zone 23, 1 |
//! | `c0` | stream | flags 1, 1 (2: its clusters follow each other); units of the name 3, 1; valid length 8, 8; first cluster 20, 4; length 24, 8 |
//! | `c1` | name | UTF-16 2, 30 |
//!
//! The highest bit of the type is cleared where the entry was deleted.

use super::super::number::{le16, le32, le64};
use crate::time::Civil;
use lidless_core::Timestamp;
use lidless_io::utf16;

/// The bit of a type that says that the entry is in use.
const IN_USE: u8 = 0x80;

/// Clusters of something: the first, the length in bytes, and whether they follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stream {
    pub(super) first: u32,
    pub(super) length: u64,
    pub(super) is_contiguous: bool,
}

/// A file or directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) name: String,
    pub(super) is_directory: bool,
    pub(super) is_deleted: bool,
    pub(super) stream: Stream,
    /// What lies beyond reads as zeros.
    pub(super) valid: u64,
    pub(super) modified: Option<Timestamp>,
}

/// What a directory holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Items {
    pub(super) items: Vec<Item>,
    pub(super) bitmap: Option<Stream>,
    pub(super) upcase: Option<(Stream, u32)>,
    pub(super) label: Option<String>,
    /// A set that is in use has another sum than it says, or is not whole.
    pub(super) broken: bool,
}

type Raw = [u8; 32];

fn stream(entry: &Raw) -> Stream {
    Stream {
        first: le32(entry, 20),
        length: le64(entry, 24),
        is_contiguous: entry.get(1).is_some_and(|flags| flags & 2 != 0),
    }
}

fn units(entry: &Raw, count: usize) -> Vec<u16> {
    let text = entry.get(2..).unwrap_or(&[]);
    utf16::units_le(text).take(count).collect()
}

/// Reads a directory's bytes.
pub(super) fn parse(bytes: &[u8]) -> Items {
    let mut found = Items::default();
    let mut rest = bytes.as_chunks::<32>().0;
    while let Some((entry, after)) = rest.split_first() {
        rest = after;
        let [kind, second, ..] = *entry;
        match kind {
            0 => break,
            // With two FATs there are two bitmaps; the first belongs to the first.
            0x81 if found.bitmap.is_none() => found.bitmap = Some(stream(entry)),
            0x82 => found.upcase = Some((stream(entry), le32(entry, 4))),
            0x83 => {
                let label = utf16::text(units(entry, usize::from(second.min(11))));
                found.label = Some(label).filter(|label| !label.is_empty());
            }
            0x85 | 0x05 => {
                let deleted = kind & IN_USE == 0;
                let count = usize::from(second);
                let set = rest.get(..count).filter(|_| (2..=18).contains(&count));
                match set.and_then(|set| item(entry, set, deleted)) {
                    Some((item, sums)) if sums || !deleted => {
                        found.broken |= !sums;
                        found.items.push(item);
                        rest = rest.get(count..).unwrap_or(&[]);
                    }
                    _ => found.broken |= !deleted,
                }
            }
            _ => {}
        }
    }
    found
}

/// The file that a set describes, and whether its sum is right.
fn item(file: &Raw, set: &[Raw], is_deleted: bool) -> Option<(Item, bool)> {
    let (about, names) = set.split_first()?;
    let kind = |entry: &Raw| entry.first().copied().unwrap_or(0) | IN_USE;
    if kind(about) != 0xc0 || set.iter().any(|entry| (entry.first() >= Some(&IN_USE)) == is_deleted)
    {
        return None;
    }
    let length = usize::from(about.get(3).copied().unwrap_or(0));
    let name: Vec<u16> = names
        .iter()
        .take_while(|entry| kind(entry) == 0xc1)
        .flat_map(|entry| units(entry, 15))
        .take(length)
        .collect();
    if name.is_empty() || name.len() < length {
        return None;
    }
    // The sum leaves itself out, and was made while the entries were in use.
    let sum = std::iter::once(file).chain(set).enumerate().fold(0u16, |sum, (number, entry)| {
        entry.iter().enumerate().fold(sum, |sum, (at, byte)| match (number, at) {
            (0, 2 | 3) => sum,
            (_, 0) => sum.rotate_right(1).wrapping_add(u16::from(byte | IN_USE)),
            _ => sum.rotate_right(1).wrapping_add(u16::from(*byte)),
        })
    });
    let sums = sum == le16(file, 2);
    let attributes = le16(file, 4);
    let mut civil = Civil::of_dos(le16(file, 14), le16(file, 12));
    let zone = file.get(23).copied().unwrap_or(0);
    if zone & 0x80 != 0 {
        // Seven bits with a sign, in quarters of an hour.
        let quarters = i16::from(zone & 0x7f);
        let quarters = if quarters >= 64 { quarters.saturating_sub(128) } else { quarters };
        civil.offset_minutes = quarters.saturating_mul(15);
    }
    let item = Item {
        name: utf16::text(name),
        is_directory: attributes & 0x10 != 0,
        is_deleted,
        stream: stream(about),
        valid: le64(about, 8),
        modified: civil.timestamp(),
    };
    Some((item, sums))
}
