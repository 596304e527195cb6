//! The directory (MS-CFB 2.6): a flat list of entries, tied together as trees.
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 64 | name, UTF-16 |
//! | 64 | 2 | length of the name in bytes, with its zero |
//! | 66 | 1 | kind: 1 storage, 2 stream, 5 root, 0 unused |
//! | 68 | 4 | left sibling |
//! | 72 | 4 | right sibling |
//! | 76 | 4 | first child |
//! | 80 | 16 | class id |
//! | 108 | 8 | when it was changed, in 100 ns since 1601 |
//! | 116 | 4 | first sector |
//! | 120 | 8 | length in bytes; of version 3 the lower half |

use lidless_io::number::{u16_le, u32_le, u64_le};
use lidless_io::utf16::{text_to_zero, units_le};
use std::collections::HashSet;

/// Size of an entry.
const ENTRY: usize = 128;
/// Folders deeper than this are listed beside their parent: real files have three or four.
const DEEPEST: usize = 32;

/// What an entry of the directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredKind {
    /// A folder.
    Storage,
    /// A file.
    Stream,
}

/// An entry of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Path with `/` between its parts; the first characters of names below U+0020 are kept.
    pub path: String,
    /// Folder or file.
    pub kind: StoredKind,
    /// Length in bytes as the directory says.
    pub length_bytes: u64,
    /// The class of a storage: which program made it.
    pub class_id: [u8; 16],
    /// When it was changed, in 100 ns since 1601; 0 when not said.
    pub modified: u64,
    /// Whether the tree leads to it; what it does not was deleted or is hidden.
    pub is_reached: bool,
    pub(super) start: u32,
}

/// The root entry: where the mini stream lies, and the class of the whole file.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Root {
    pub(super) start: u32,
    pub(super) length_bytes: u64,
    pub(super) class_id: [u8; 16],
}

struct Raw<'a> {
    bytes: &'a [u8],
    wide: bool,
}

impl Raw<'_> {
    fn kind(&self) -> u8 {
        self.bytes.get(66).copied().unwrap_or(0)
    }
    fn link(&self, at: usize) -> u32 {
        u32_le(self.bytes, at).unwrap_or(u32::MAX)
    }
    fn name(&self) -> String {
        let length = usize::from(u16_le(self.bytes, 64).unwrap_or(0)).min(64);
        let name = text_to_zero(units_le(self.bytes.get(..length).unwrap_or(&[])));
        name.replace('/', "_")
    }
    fn length(&self) -> u64 {
        let length = u64_le(self.bytes, 120).unwrap_or(0);
        // Version 3 leaves whatever was there in the upper half.
        if self.wide { length } else { length & 0xffff_ffff }
    }
    fn stored(&self, path: String, is_reached: bool) -> Stored {
        Stored {
            path,
            kind: if self.kind() == 2 { StoredKind::Stream } else { StoredKind::Storage },
            length_bytes: if self.kind() == 2 { self.length() } else { 0 },
            class_id: self.class_id(),
            modified: u64_le(self.bytes, 108).unwrap_or(0),
            is_reached,
            start: self.link(116),
        }
    }
    fn class_id(&self) -> [u8; 16] {
        self.bytes.get(80..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default()
    }
}

/// Reads the directory: the root, and everything else with its path. Every entry is visited once
/// at most, whatever the links say.
pub(super) fn read(directory: &[u8], version: u16) -> (Root, Vec<Stored>) {
    let raw: Vec<Raw<'_>> =
        directory.chunks_exact(ENTRY).map(|bytes| Raw { bytes, wide: version >= 4 }).collect();
    let Some(first) = raw.first() else { return (Root::default(), Vec::new()) };
    let root =
        Root { start: first.link(116), length_bytes: first.length(), class_id: first.class_id() };
    let mut found = Vec::new();
    let mut visited = HashSet::from([0u32]);
    // Entries to visit with the path of their folder and its depth.
    let mut open: Vec<(u32, String, usize)> = vec![(first.link(76), String::new(), 0)];
    while let Some((number, folder, depth)) = open.pop() {
        let entry = usize::try_from(number).ok().and_then(|index| raw.get(index));
        let Some(entry) = entry.filter(|entry| matches!(entry.kind(), 1 | 2)) else { continue };
        if !visited.insert(number) {
            continue;
        }
        let path = format!("{folder}{}", entry.name());
        if entry.kind() == 1 {
            let inner = if depth < DEEPEST { format!("{path}/") } else { folder.clone() };
            open.push((entry.link(76), inner, depth.saturating_add(1)));
        }
        open.push((entry.link(72), folder.clone(), depth));
        open.push((entry.link(68), folder, depth));
        found.push(entry.stored(path, true));
    }
    for (number, entry) in (0u32..).zip(&raw) {
        if entry.kind() == 2 && !visited.contains(&number) {
            found.push(entry.stored(format!("unlinked/{}", entry.name()), false));
        }
    }
    (root, found)
}
