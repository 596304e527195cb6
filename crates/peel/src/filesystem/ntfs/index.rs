//! Indexes of directories: B+ trees of names.
//!
//! A node, at 16 in the attribute `$INDEX_ROOT` and at 24 in an `INDX` record:
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 4 | offset of the first entry, from here |
//! | 4 | 4 | end of the entries, from here |
//! | 12 | 1 | 1: there are nodes below |
//!
//! An entry:
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 8 | reference of the file |
//! | 8 | 2, 2 | length of the entry and of its name |
//! | 12 | 2 | bit 0 a node below, whose number ends the entry; bit 1 the last one, without a name |
//! | 16 | | the name as in a file name attribute: times from 8, size at 48, flags at 56, reparse tag at 60, name from 64 |

use super::content::tag_is_link;
use super::fields::{text, u8_at};
use super::record::Reference;
use crate::filesystem::face::NodeKind;
use crate::time::filetime;
use lidless_core::Timestamp;
use lidless_io::number::{index, slice, u16_le, u32_le, u64_le};
use lidless_io::utf16::units_le;
use std::cmp::Ordering;

const DIRECTORY: u32 = 0x1000_0000;
const REPARSE_POINT: u32 = 0x400;

/// A name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Child {
    pub(super) reference: Reference,
    pub(super) name: String,
    pub(super) kind: NodeKind,
    pub(super) size: u64,
    pub(super) modified: Option<Timestamp>,
}

/// An entry of a node.
pub(super) struct Entry<'a> {
    reference: Reference,
    /// None in the last one.
    key: Option<&'a [u8]>,
    /// The number of the node with what comes before it.
    below: Option<u64>,
}

/// The entries of a node that begins at `node`.
pub(super) fn entries(bytes: &[u8], node: usize) -> Option<Vec<Entry<'_>>> {
    let node = bytes.get(node..)?;
    let end = index(u32_le(node, 4)?).min(node.len());
    let node = node.get(..end)?;
    let mut place = index(u32_le(node, 0)?);
    let mut entries = Vec::new();
    loop {
        let length = usize::from(u16_le(node, place.checked_add(8)?)?);
        let entry = slice(node, place, length).filter(|_| length >= 16)?;
        let flags = u16_le(entry, 12)?;
        let below = if flags & 1 == 0 { None } else { u64_le(entry, length.checked_sub(8)?) };
        let is_last = flags & 2 != 0;
        let key = slice(entry, 16, usize::from(u16_le(entry, 10)?));
        let key = if is_last { None } else { Some(key?) };
        entries.push(Entry { reference: Reference::new(u64_le(entry, 0)?), key, below });
        if is_last {
            return Some(entries);
        }
        place = place.checked_add(length)?;
    }
}

impl Entry<'_> {
    fn name(&self) -> Option<Vec<u16>> {
        let key = self.key?;
        let length = usize::from(u8_at(key, 64)?).saturating_mul(2);
        Some(units_le(slice(key, 66, length)?).collect())
    }

    /// The name it stands for; none for short names beside long ones.
    pub(super) fn child(&self) -> Option<Child> {
        let key = self.key?;
        if u8_at(key, 65)? == 2 {
            return None;
        }
        let flags = u32_le(key, 56)?;
        let is_link = flags & REPARSE_POINT != 0 && u32_le(key, 60).is_some_and(tag_is_link);
        let kind = match (is_link, flags & DIRECTORY != 0) {
            (true, _) => NodeKind::Other,
            (false, true) => NodeKind::Directory,
            (false, false) => NodeKind::File,
        };
        Some(Child {
            reference: self.reference,
            name: text(self.name()?),
            kind,
            size: if kind == NodeKind::File { u64_le(key, 48)? } else { 0 },
            modified: u64_le(key, 16).and_then(filetime),
        })
    }
}

/// A name to look for, as indexes compare names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wanted(Vec<u16>);

impl Wanted {
    pub(super) fn new(name: &str) -> Self {
        Self(name.encode_utf16().map(upper).collect())
    }

    /// Whether the index is in the same order as far as this name goes: every volume keeps a
    /// table of its own for letters outside of ASCII.
    pub(super) fn is_sure(&self) -> bool {
        self.0.iter().all(|unit| *unit < 0x80)
    }

    pub(super) fn is(&self, name: &str) -> bool {
        name.encode_utf16().map(upper).eq(self.0.iter().copied())
    }

    /// Whether the name is in the node, or the node below in which it would be.
    pub(super) fn find(&self, entries: &[Entry]) -> Found {
        for entry in entries {
            let order = match entry.name() {
                None => Ordering::Less,
                Some(key) => self.0.iter().copied().cmp(key.into_iter().map(upper)),
            };
            match order {
                Ordering::Greater => {}
                Ordering::Equal => match entry.child() {
                    Some(child) => return Found::Here(child),
                    None => return Found::Nowhere,
                },
                Ordering::Less => return entry.below.map_or(Found::Nowhere, Found::Below),
            }
        }
        Found::Nowhere
    }
}

/// Where a name is.
pub(super) enum Found {
    Here(Child),
    Below(u64),
    Nowhere,
}

/// Upper case as file systems do it: one unit for one unit, and no letter becomes one of ASCII.
fn upper(unit: u16) -> u16 {
    let Some(letter) = char::from_u32(u32::from(unit)) else { return unit };
    let mut upper = letter.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) if one.is_ascii() == letter.is_ascii() => {
            u16::try_from(u32::from(one)).unwrap_or(unit)
        }
        _ => unit,
    }
}
