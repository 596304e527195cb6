//! The tree of one image: its metadata resource.
//!
//! Security descriptors come first: their length in all (4 bytes), which the root follows,
//! aligned to 8. A file or folder:
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 8 | its length; 0 ends a folder |
//! | 8 | 4 | attributes of Windows |
//! | 16 | 8 | a folder: offset of its first child |
//! | 56 | 8 | time of the last change, 100 ns since 1601 |
//! | 64 | 20 | SHA-1 of its content |
//! | 96 | 2 | number of streams that follow it |
//! | 98, 100 | 2 | lengths of its short name and its name |
//! | 102 | | its name in UTF-16 |
//!
//! A stream has its length at 0, its SHA-1 at 16, the length of its name at 36 and the name at
//! 38. Where there are streams, the one without a name is the content.

use crate::error::PeelError;
use crate::filesystem::{Node, NodeKind};
use crate::time::filetime_seconds;
use lidless_io::Cursor;
use lidless_io::number::{index, u64_le, wide};
use lidless_io::utf16;
use std::collections::{BTreeMap, HashSet, VecDeque};

const DIRECTORY: u32 = 0x10;
const REPARSE: u32 = 0x400;
const ENCRYPTED: u32 = 0x4000;
/// How many bytes of paths are kept: a million files have some 100 MB of them. Deep folders with
/// long names would need far more than they take in the file.
const MOST_PATHS: usize = 256 << 20;
/// Longer paths are made to exhaust.
const LONGEST_PATH: usize = 32 << 10;

/// A name in an image, and the SHA-1 of what it holds.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) node: Node,
    pub(super) hash: [u8; 20],
    /// Encrypted by Windows: the content is a backup of what only its user can read.
    pub(super) is_encrypted: bool,
}

/// The tree of an image.
#[derive(Default)]
pub(super) struct Tree {
    pub(super) names: Vec<Named>,
    /// Children by the path of their folder, in lower case.
    pub(super) folders: BTreeMap<String, Range>,
    /// Parts that did not parse.
    pub(super) broken: u64,
    /// More names than are kept.
    pub(super) is_cut: bool,
}

/// Which of the names are the children of a folder.
pub(super) type Range = std::ops::Range<usize>;

impl Tree {
    /// Reads at most one name more than `most`.
    pub(super) fn read(metadata: &[u8], most: u64) -> Result<Self, PeelError> {
        let mut cursor = Cursor::new(metadata);
        let security = cursor.u32_le().map_err(|error| PeelError::cursor("WIM", 0, &error))?;
        let root = u64::from(security).max(8).next_multiple_of(8);
        let mut tree = Self::default();
        let Some((root, _, _)) = entry(metadata, root, "") else {
            return Err(PeelError::malformed("WIM", root, "the root of an image", "none"));
        };
        let mut waiting = VecDeque::from([(root.children, String::new())]);
        let mut entered = HashSet::new();
        let (most, mut paths) = (index(most), 0usize);
        while let Some((mut at, folder)) = waiting.pop_front() {
            // A folder that contains itself is entered once.
            if at == 0 || !entered.insert(at) {
                continue;
            }
            let first = tree.names.len();
            loop {
                match length(metadata, at) {
                    Some(0) => break,
                    Some(_) => {}
                    None => {
                        tree.broken = tree.broken.saturating_add(1);
                        break;
                    }
                }
                let Some((one, streams, next)) = entry(metadata, at, &folder) else {
                    tree.broken = tree.broken.saturating_add(1);
                    break;
                };
                at = next;
                paths = paths.saturating_add(one.named.node.path.len().saturating_mul(2));
                if tree.names.len() > most || paths > MOST_PATHS {
                    tree.is_cut = true;
                    waiting.clear();
                    break;
                }
                if one.named.node.kind == NodeKind::Directory && one.children != 0 {
                    waiting.push_back((one.children, one.named.node.path.clone()));
                }
                tree.names.push(one.named);
                tree.names.extend(streams);
            }
            tree.folders.insert(folder.to_lowercase(), first..tree.names.len());
        }
        for (handle, named) in tree.names.iter_mut().enumerate() {
            named.node.handle = wide(handle);
        }
        Ok(tree)
    }
}

struct One {
    named: Named,
    children: u64,
}

fn length(metadata: &[u8], at: u64) -> Option<u64> {
    u64_le(metadata, usize::try_from(at).ok()?)
}

/// The entry at an offset, its named streams, and where the next one begins.
fn entry(metadata: &[u8], at: u64, folder: &str) -> Option<(One, Vec<Named>, u64)> {
    let size = length(metadata, at)?;
    let bytes = metadata.get(usize::try_from(at).ok()?..)?;
    let mut cursor = Cursor::new(bytes.get(..usize::try_from(size).ok()?)?);
    cursor.skip(8).ok()?;
    let attributes = cursor.u32_le().ok()?;
    cursor.skip(4).ok()?;
    let children = cursor.u64_le().ok()?;
    cursor.skip(32).ok()?;
    let written = cursor.u64_le().ok()?;
    let mut hash: [u8; 20] = cursor.array().ok()?;
    cursor.skip(12).ok()?;
    let count = cursor.u16_le().ok()?;
    cursor.skip(2).ok()?;
    let name_length = usize::from(cursor.u16_le().ok()?);
    let name = step(cursor.take(name_length).ok()?);
    if folder.len().saturating_add(name.len()) > LONGEST_PATH {
        return None;
    }
    let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
    let kind = match attributes {
        _ if attributes & REPARSE != 0 => NodeKind::Other,
        _ if attributes & DIRECTORY != 0 => NodeKind::Directory,
        _ => NodeKind::File,
    };
    let node = Node {
        path: path.clone(),
        kind,
        size: 0,
        modified: filetime_seconds(written),
        deleted: false,
        handle: 0,
        place: 0,
    };
    let is_encrypted = attributes & ENCRYPTED != 0;
    let mut next = at.checked_add(size.max(1).next_multiple_of(8))?;
    let mut streams = Vec::new();
    for _ in 0..count {
        let size = length(metadata, next)?;
        let bytes = metadata.get(usize::try_from(next).ok()?..)?;
        let mut cursor = Cursor::new(bytes.get(..usize::try_from(size).ok()?)?);
        cursor.skip(16).ok()?;
        let own: [u8; 20] = cursor.array().ok()?;
        let length = usize::from(cursor.u16_le().ok()?);
        let name = step(cursor.take(length).ok()?);
        if name.is_empty() {
            hash = own;
        } else {
            let node =
                Node { path: format!("{path}:{name}"), kind: NodeKind::File, ..node.clone() };
            streams.push(Named { node, hash: own, is_encrypted });
        }
        next = next.checked_add(size.max(1).next_multiple_of(8))?;
    }
    Some((One { named: Named { node, hash, is_encrypted }, children }, streams, next))
}

fn step(bytes: &[u8]) -> String {
    // A name is one step of a path, whatever stands in it.
    utf16::text(utf16::units_le(bytes)).replace(['/', '\\', '\0'], "_")
}
