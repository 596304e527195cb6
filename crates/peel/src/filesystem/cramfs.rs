//! Compressed ROM file systems of devices (Documentation/filesystems/cramfs.rst of the Linux
//! kernel and `include/uapi/linux/cramfs_fs.h` describe them). They begin at 0 or at 512.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | `45 3d cd 28` |
//! | 4 | 4 | length in bytes |
//! | 8 | 4 | flags; `800`: pointers of another form |
//! | 16 | 16 | `Compressed ROMFS` |
//! | 48 | 16 | label |
//! | 64 | 12 | inode of the root directory |
//!
//! An inode has its mode in the lower 16 bits of the first word, its length in the lower 24 of
//! the second, and in the third the length of its name in words (6 bits) and its place in words
//! (26 bits). A directory is a row of inodes, each with its name. A file is a list of where its
//! blocks of 4 KiB end, 4 bytes each, and the blocks: zlib streams, none of which is zeros.

use super::blocks::{Blocks, Packed};
use super::face::{Content, FileSystem, Format, Node, NodeKind};
use super::number::le32;
use super::walk::{Child, Lies, Listed, Tree, Walk, list_each};
use crate::error::PeelError;
use lidless_core::Limits;
use lidless_io::number::{index, wide};
use lidless_io::{ReadAt, read_exact_vec};
use std::io::Read as _;
use std::ops::Range;
use std::sync::Arc;

const MAGIC: [u8; 4] = [0x45, 0x3d, 0xcd, 0x28];
const SIGNATURE: &[u8] = b"Compressed ROMFS";
/// The flag of pointers that say more than where a block ends.
const OTHER_POINTERS: u32 = 0x800;
const BLOCK: u64 = 4096;

/// cramfs.
pub(super) struct CramFs;

/// Where it begins in a volume.
fn start(head: &[u8]) -> Option<usize> {
    [0usize, 512].into_iter().find(|at| {
        let own = head.get(*at..).unwrap_or(&[]);
        let magic = own.starts_with(&MAGIC) || own.starts_with(&[0x28, 0xcd, 0x3d, 0x45]);
        magic && own.get(16..32) == Some(SIGNATURE)
    })
}

impl Format for CramFs {
    fn name(&self) -> &'static str {
        "cramfs"
    }

    fn recognises(&self, _: &dyn ReadAt, head: &[u8]) -> bool {
        start(head).is_some()
    }

    fn open(&self, volume: Arc<dyn ReadAt>, _: &Limits) -> Result<Arc<dyn FileSystem>, PeelError> {
        let head = read_exact_vec(&*volume, 0, 76 + 512)?;
        let start = start(&head)
            .ok_or_else(|| PeelError::malformed("cramfs", 0, "a superblock", "something else"))?;
        let own = head.get(start..).unwrap_or(&[]);
        if !own.starts_with(&MAGIC) {
            return Err(PeelError::Closed("cramfs of the other byte order".into()));
        }
        if le32(own, 8) & OTHER_POINTERS != 0 {
            return Err(PeelError::Closed("cramfs with pointers of another form".into()));
        }
        let label = String::from_utf8_lossy(own.get(48..64).unwrap_or(&[])).into_owned();
        let label = label.trim_end_matches('\0').to_owned();
        let root = Inode::parse(own.get(64..76).unwrap_or(&[]));
        Ok(Arc::new(Walk::new(Files {
            // All places count from the start of the volume.
            bytes: volume,
            root: Folder { at: root.at, length: root.length },
            label: Some(label).filter(|label| !label.is_empty()),
        })))
    }
}

#[derive(Debug, Clone, Copy)]
struct Inode {
    mode: u32,
    length: u64,
    name_bytes: usize,
    at: u64,
}

impl Inode {
    fn parse(bytes: &[u8]) -> Self {
        let last = le32(bytes, 8);
        Self {
            mode: le32(bytes, 0) & 0xffff,
            length: u64::from(le32(bytes, 4) & 0x00ff_ffff),
            name_bytes: usize::try_from((last & 0x3f).saturating_mul(4)).unwrap_or(0),
            at: u64::from(last >> 6).saturating_mul(4),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Folder {
    at: u64,
    length: u64,
}

struct Files {
    bytes: Arc<dyn ReadAt>,
    root: Folder,
    label: Option<String>,
}

impl Files {
    fn parsed(&self, bytes: &[u8]) -> Listed<Folder> {
        let mut listed = Listed::default();
        let mut rest = bytes;
        while let Some((inode, after)) = rest.split_at_checked(12) {
            let Inode { mode, length, name_bytes, at } = Inode::parse(inode);
            let Some((name, after)) = after.split_at_checked(name_bytes).filter(|_| name_bytes > 0)
            else {
                listed.malformed.push("cramfs directory that is malformed");
                break;
            };
            rest = after;
            let name = String::from_utf8_lossy(name).trim_end_matches('\0').to_owned();
            let kind = match mode & 0o170_000 {
                0o040_000 => NodeKind::Directory,
                0o100_000 => NodeKind::File,
                _ => NodeKind::Other,
            };
            let is_file = kind == NodeKind::File && length > 0;
            let node = Node {
                path: name,
                kind,
                size: if is_file { length } else { 0 },
                modified: None,
                deleted: false,
                handle: at,
                place: if is_file { at } else { 0 },
            };
            // Empty directories lie nowhere.
            let enters = kind == NodeKind::Directory && length > 0;
            listed.children.push(Child { node, folder: enters.then_some(Folder { at, length }) });
        }
        listed
    }
}

impl Tree for Files {
    type Folder = Folder;

    fn label(&self) -> Option<String> {
        self.label.clone()
    }

    fn root(&self) -> Folder {
        self.root
    }

    fn key(&self, folder: &Folder) -> u64 {
        folder.at
    }

    fn weight(&self, folder: &Folder) -> u64 {
        folder.length
    }

    fn volume_bytes(&self) -> Option<u64> {
        Some(self.bytes.len())
    }

    fn list(&self, folders: &[Folder]) -> Vec<Listed<Folder>> {
        let lies = |folder: Folder| {
            let range = folder.at..folder.at.saturating_add(folder.length);
            let whole = range.end <= self.bytes.len();
            Ok(Lies { ranges: vec![range], whole })
        };
        list_each(&*self.bytes, folders, lies, |_, lies, bytes| {
            let mut listed = self.parsed(bytes);
            if !lies.whole {
                listed.gaps.push("directories past the end of their volume");
            }
            listed
        })
    }

    fn same(&self, one: &str, other: &str) -> bool {
        one == other
    }

    fn content(&self, node: &Node) -> Result<Content, PeelError> {
        if node.size == 0 {
            return Ok(Content::Inline(Vec::new()));
        }
        let table = node.size.div_ceil(BLOCK).saturating_mul(4);
        let list = read_exact_vec(&*self.bytes, node.handle, table)?;
        let ends = list.as_chunks::<4>().0.iter().map(|end| u32::from_le_bytes(*end)).collect();
        let first = node.handle.saturating_add(table);
        let file = File { bytes: Arc::clone(&self.bytes), first, ends };
        Ok(Content::Decoded(Arc::new(Blocks::new(file, BLOCK, node.size))))
    }
}

struct File {
    bytes: Arc<dyn ReadAt>,
    first: u64,
    ends: Vec<u32>,
}

impl Packed for File {
    fn source(&self) -> &dyn ReadAt {
        &*self.bytes
    }

    fn range(&self, block: u64) -> Range<u64> {
        let at = index(block);
        let before = at.checked_sub(1).and_then(|before| self.ends.get(before));
        let start = before.map_or(self.first, |end| u64::from(*end));
        let end = self.ends.get(at).map_or(start, |end| u64::from(*end));
        // A stream of zlib is never twice as long as what it holds.
        start..end.clamp(start, start.saturating_add(BLOCK * 2))
    }

    fn unpack(&self, _: u64, packed: &[u8], length: usize) -> std::io::Result<Vec<u8>> {
        let mut whole = Vec::with_capacity(length);
        let most = wide(length);
        flate2::read::ZlibDecoder::new(packed).take(most).read_to_end(&mut whole)?;
        Ok(whole)
    }
}
