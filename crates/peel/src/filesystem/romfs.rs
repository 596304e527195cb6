//! ROM file systems of devices (Documentation/filesystems/romfs.rst of the Linux kernel). All
//! numbers have their upper half first.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 8 | `-rom1fs-` |
//! | 8 | 4 | length in bytes |
//! | 16 | | label, filled up to 16 bytes; then the first header of the root directory |
//!
//! | offset | size | field of a header |
//! |---|---|---|
//! | 0 | 4 | next header of the directory; lowest bits: 0 other name of a file, 1 directory, 2 file, ... |
//! | 4 | 4 | first header of the directory; or header of the file that it is another name of |
//! | 8 | 4 | length |
//! | 16 | | name, filled up to 16 bytes; then the content |

use super::face::{Content, FileSystem, Format, Node, NodeKind};
use super::walk::{Child, Listed, Tree, Walk, within};
use crate::error::PeelError;
use lidless_core::Limits;
use lidless_io::{Extent, Extents, ReadAt, read_vec};
use std::collections::HashSet;
use std::sync::Arc;

const MAGIC: &[u8] = b"-rom1fs-";
/// The longest name, with its fill.
const NAME: usize = 272;
/// How many names one directory may have.
const NAMES: usize = 50_000;

/// romfs.
pub(super) struct RomFs;

impl Format for RomFs {
    fn name(&self) -> &'static str {
        "romfs"
    }

    fn recognises(&self, _: &dyn ReadAt, head: &[u8]) -> bool {
        head.starts_with(MAGIC)
    }

    fn open(&self, volume: Arc<dyn ReadAt>, _: &Limits) -> Result<Arc<dyn FileSystem>, PeelError> {
        let head = read_vec(&*volume, 0, 16 + 272)?;
        let (label, filled) = text(head.get(16..).unwrap_or(&[]))
            .filter(|_| head.starts_with(MAGIC))
            .ok_or_else(|| PeelError::malformed("romfs", 16, "a label", "none"))?;
        let root = u64::try_from(filled.saturating_add(16)).unwrap_or(0);
        let label = Some(label).filter(|label| !label.is_empty());
        Ok(Arc::new(Walk::new(Files { volume, root, label })))
    }
}

/// Text that ends with a zero, and how long it is with its fill.
fn text(bytes: &[u8]) -> Option<(String, usize)> {
    let bytes = bytes.get(..NAME).unwrap_or(bytes);
    let end = bytes.iter().position(|byte| *byte == 0)?;
    let text = String::from_utf8_lossy(bytes.get(..end)?).into_owned();
    Some((text, end.saturating_add(1).next_multiple_of(16)))
}

struct Header {
    next: u64,
    kind: u32,
    special: u64,
    length: u64,
    name: String,
    content: u64,
}

struct Files {
    volume: Arc<dyn ReadAt>,
    root: u64,
    label: Option<String>,
}

impl Files {
    fn header(&self, at: u64) -> Result<Header, PeelError> {
        let bad = || PeelError::malformed("romfs", at, "a header", "less");
        let bytes = read_vec(&*self.volume, at, 16 + 272)?;
        let [a, b, c, d, e, f, g, h, i, j, k, l] = *bytes.first_chunk::<12>().ok_or_else(bad)?;
        let next = u32::from_be_bytes([a, b, c, d]);
        let (name, filled) = text(bytes.get(16..).unwrap_or(&[])).ok_or_else(bad)?;
        let behind = u64::try_from(filled.saturating_add(16)).unwrap_or(0);
        Ok(Header {
            next: u64::from(next & !0xf),
            kind: next & 7,
            special: u64::from(u32::from_be_bytes([e, f, g, h])),
            length: u64::from(u32::from_be_bytes([i, j, k, l])),
            name,
            content: at.saturating_add(behind),
        })
    }

    fn child(&self, own: Header) -> Result<Child<u64>, PeelError> {
        let name = own.name.clone();
        // Another name of a file leads to that, not further.
        let own = if own.kind == 0 { self.header(own.special & !0xf)? } else { own };
        let kind = match own.kind {
            1 => NodeKind::Directory,
            2 => NodeKind::File,
            _ => NodeKind::Other,
        };
        let is_file = kind == NodeKind::File && own.length > 0;
        let node = Node {
            path: name,
            kind,
            size: if is_file { own.length } else { 0 },
            modified: None,
            deleted: false,
            handle: own.content,
            place: if is_file { own.content } else { 0 },
        };
        let enters = kind == NodeKind::Directory && own.special > 0;
        Ok(Child { node, folder: enters.then_some(own.special & !0xf) })
    }
}

impl Tree for Files {
    type Folder = u64;

    fn label(&self) -> Option<String> {
        self.label.clone()
    }

    fn root(&self) -> u64 {
        self.root
    }

    fn key(&self, folder: &u64) -> u64 {
        *folder
    }

    fn weight(&self, _: &u64) -> u64 {
        // How long a list is, only its end says.
        1 << 20
    }

    fn list(&self, folders: &[u64]) -> Vec<Listed<u64>> {
        let list = |folder: &u64| {
            let mut listed = Listed::default();
            let mut seen = HashSet::new();
            let mut at = *folder;
            while at != 0 && seen.insert(at) && seen.len() <= NAMES {
                let header = match self.header(at) {
                    Ok(header) => header,
                    Err(error) => {
                        listed.failed = Some(error);
                        break;
                    }
                };
                at = header.next;
                // The names of a directory itself and of the one above lead back.
                if header.name == "." || header.name == ".." {
                    continue;
                }
                match self.child(header) {
                    Ok(child) => listed.children.push(child),
                    Err(_) => listed.malformed.push("romfs name without its file"),
                }
            }
            if at != 0 && listed.failed.is_none() {
                listed.malformed.push("romfs directory that never ends");
            }
            listed
        };
        folders.iter().map(list).collect()
    }

    fn same(&self, one: &str, other: &str) -> bool {
        one == other
    }

    fn content(&self, node: &Node) -> Result<Content, PeelError> {
        if node.size == 0 {
            return Ok(Content::Inline(Vec::new()));
        }
        let piece = Extent { at: 0, length: node.size, source: Some(node.handle) };
        let extents = Extents::new(Arc::clone(&self.volume), vec![piece], node.size);
        within(extents, &*self.volume)
    }
}
