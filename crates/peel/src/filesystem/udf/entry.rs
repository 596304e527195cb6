//! File entries (ECMA-167, sections 4/14.9 and 4/14.17) and names in directories (4/14.4).
//!
//! | offset | size | field of a file entry |
//! |---|---|---|
//! | 20 | 2 | strategy: 4, or 4096 where entries may be followed by newer ones |
//! | 27 | 1 | kind: 4 directory, 5 file, 12 link, ... |
//! | 34 | 2 | flags; bits 0-2: extents are short, long, extended, or the content stands here |
//! | 56 | 8 | length |
//! | 84 or 92 | 12 | last change; 92 in an extended file entry |
//! | 168 or 208 | 4 | bytes of attributes |
//! | 172 or 212 | 4 | bytes of extents |
//! | 176 or 216 | | attributes, then extents |
//!
//! | offset | size | field of a name |
//! |---|---|---|
//! | 18 | 1 | 2 directory, 4 deleted, 8 the directory above |
//! | 19 | 1 | bytes of the name |
//! | 20 | 16 | where its file entry lies |
//! | 36 | 2 | bytes for other use |
//! | 38 | | other use, then the name, filled up to 4 bytes |

use super::super::number::{le16, le32, le64};
use super::descriptor::{EXTENDED_FILE, FILE, FILE_NAME, Place, kind, moment, text};
use lidless_core::Timestamp;

/// How a file's extents are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Short,
    Long,
    Extended,
    /// The content stands in the entry: from this offset on.
    Inline(usize),
}

/// A file entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) file_kind: u8,
    pub(super) is_strategy_4096: bool,
    pub(super) length: u64,
    pub(super) modified: Option<Timestamp>,
    pub(super) form: Form,
    /// The extents as they are written down.
    pub(super) extents: Vec<u8>,
    /// The partition that it stands in.
    pub(super) partition: u16,
}

impl Entry {
    /// Reads the file entry in a block.
    pub(super) fn parse(block: &[u8], partition: u16) -> Option<Self> {
        let (modified, sizes) = match kind(block)? {
            FILE => (84, 168usize),
            EXTENDED_FILE => (92, 208),
            _ => return None,
        };
        let attributes = usize::try_from(le32(block, sizes)).ok()?;
        let extents = usize::try_from(le32(block, sizes.saturating_add(4))).ok()?;
        let start = sizes.saturating_add(8).checked_add(attributes)?;
        let own = block.get(start..start.checked_add(extents)?)?;
        let form = match le16(block, 34) & 7 {
            0 => Form::Short,
            1 => Form::Long,
            2 => Form::Extended,
            3 => Form::Inline(start),
            _ => return None,
        };
        Some(Self {
            file_kind: *block.get(27)?,
            is_strategy_4096: le16(block, 20) == 4096,
            length: le64(block, 56),
            modified: moment(block.get(modified..).unwrap_or(&[])),
            form,
            extents: own.to_vec(),
            partition,
        })
    }

    /// The extents written down in `bytes`, up to the first without a length.
    pub(super) fn places(&self, bytes: &[u8]) -> Vec<Place> {
        let (size, is_short) = match self.form {
            Form::Short => (8, true),
            Form::Long => (16, false),
            Form::Extended => (20, false),
            Form::Inline(_) => return Vec::new(),
        };
        bytes
            .chunks_exact(size)
            .map(|place| match self.form {
                // Length, recorded length and information length come before the place.
                Form::Extended => {
                    let own = [place.get(..4), place.get(12..18)].map(Option::unwrap_or_default);
                    Place::parse(&own.concat(), false, 0)
                }
                _ => Place::parse(place, is_short, self.partition),
            })
            .take_while(|place| place.bytes > 0)
            .collect()
    }

    pub(super) fn is_directory(&self) -> bool {
        self.file_kind == 4
    }

    pub(super) fn is_file(&self) -> bool {
        matches!(self.file_kind, 0 | 5)
    }
}

/// A name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) name: String,
    pub(super) is_deleted: bool,
    /// Where its file entry lies.
    pub(super) entry: Place,
}

/// The names in a directory's content, and whether all of it made sense.
pub(super) fn names(bytes: &[u8]) -> (Vec<Name>, bool) {
    let mut found = Vec::new();
    let mut rest = bytes;
    while rest.len() >= 38 {
        if kind(rest) != Some(FILE_NAME) {
            // What is left may be room that is not used yet.
            return (found, rest.iter().take(16).all(|byte| *byte == 0));
        }
        let flags = rest.get(18).copied().unwrap_or(0);
        let length = usize::from(rest.get(19).copied().unwrap_or(0));
        let start = 38usize.saturating_add(usize::from(le16(rest, 36)));
        let end = start.saturating_add(length);
        let Some(name) = rest.get(start..end) else { return (found, false) };
        if flags & 8 == 0 {
            found.push(Name {
                name: text(name),
                is_deleted: flags & 4 != 0,
                entry: Place::parse(rest.get(20..36).unwrap_or(&[]), false, 0),
            });
        }
        rest = rest.get(end.next_multiple_of(4)..).unwrap_or(&[]);
    }
    (found, true)
}
