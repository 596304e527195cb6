//! The files of a volume of SquashFS.

use super::super::blocks::{Blocks, Packed};
use super::super::face::{Content, FileSystem, Format, Node, NodeKind};
use super::super::walk::{Child, Listed, Tree, Walk};
use super::inode::{Inode, Kind, Names, Stored, names};
use super::packing::Packing;
use super::superblock::{Superblock, is_squashfs};
use super::table::{Table, part};
use crate::error::PeelError;
use bytes::Bytes;
use lidless_core::Limits;
use lidless_io::number::{index, u64_le};
use lidless_io::{ReadAt, read_exact_vec, read_vec};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// SquashFS.
pub(in crate::filesystem) struct SquashFs;

/// How many bytes of names one directory may have.
const FOLDER_BYTES: usize = 16 << 20;
/// Set in the size of a block that is stored as it is.
const STORED: u32 = 1 << 24;
/// How many unpacked fragments are kept: files that lie close share them.
const FRAGMENTS: usize = 4;

impl Format for SquashFs {
    fn name(&self) -> &'static str {
        "SquashFS"
    }

    fn recognises(&self, _: &dyn ReadAt, head: &[u8]) -> bool {
        is_squashfs(head)
    }

    fn open(
        &self,
        volume: Arc<dyn ReadAt>,
        limits: &Limits,
    ) -> Result<Arc<dyn FileSystem>, PeelError> {
        let head = read_vec(&*volume, 0, 96)?;
        let own = Superblock::parse(&head)?;
        if own.used > volume.len() {
            return Err(PeelError::Closed("SquashFS that was cut off before its tables".into()));
        }
        // All tables lie together at the end: one read, of which nearly all is needed.
        let most = limits.memory_bytes.max(1 << 20);
        let length = own.used.saturating_sub(own.inodes);
        if length > most {
            let why = "tables of SquashFS larger than the memory for one entry";
            return Err(PeelError::Limit(why));
        }
        let tables = read_exact_vec(&*volume, own.inodes, length)?;
        let most = index(most);
        let of = |range: Range<u64>| part(&tables, own.inodes, range);
        // A table ends where the next one's first part begins, which that one's list says.
        let first_of = |list: &u64| u64_le(of(*list..list.saturating_add(8)), 0);
        let ends: Vec<u64> = own.behind.iter().filter_map(first_of).collect();
        let behind = |place: u64| {
            let lists = own.behind.iter().copied();
            let next = ends.iter().copied().chain(lists).filter(|end| *end > place).min();
            next.unwrap_or(own.used)
        };
        let packing = own.packing;
        let inodes = Table::unpack(of(own.inodes..own.directories), packing, most);
        let directories = of(own.directories..behind(own.directories));
        let directories = Table::unpack(directories, packing, most);
        let fragments = match (own.fragments, ends.first()) {
            (1.., Some(first)) => Table::unpack(of(*first..behind(*first)), packing, most),
            _ => Table::unpack(&[], packing, most),
        };
        let places = fragments.bytes().as_chunks::<16>().0.iter().map(|entry| {
            let [a, b, c, d, e, f, g, h, size @ .., _, _, _, _] = *entry;
            (u64::from_le_bytes([a, b, c, d, e, f, g, h]), u32::from_le_bytes(size))
        });
        let whole = inodes.whole && directories.whole && fragments.whole;
        let blocks = Arc::new(Stores {
            volume,
            packing,
            block_bytes: own.block_bytes,
            places: places.collect(),
            kept: Mutex::new(VecDeque::new()),
        });
        Ok(Arc::new(Walk::new(Files { root: own.root, inodes, directories, whole, blocks })))
    }
}

/// What all files share.
struct Stores {
    volume: Arc<dyn ReadAt>,
    packing: Packing,
    block_bytes: u64,
    /// Fragments: where each begins, and its size as that of a block.
    places: Vec<(u64, u32)>,
    kept: Mutex<VecDeque<(u32, Bytes)>>,
}

impl Stores {
    fn unpacked(&self, size: u32, packed: &[u8]) -> std::io::Result<Vec<u8>> {
        let most = usize::try_from(self.block_bytes).unwrap_or(0);
        if size & STORED != 0 {
            return Ok(packed.to_vec());
        }
        self.packing.unpack(packed, most)
    }

    /// The fragment's bytes, unpacked once while it is kept.
    fn fragment(&self, number: u32, size: u32, packed: &[u8]) -> std::io::Result<Bytes> {
        let lock = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, bytes)) = lock().iter().find(|(own, _)| *own == number) {
            return Ok(bytes.clone());
        }
        let bytes = Bytes::from(self.unpacked(size, packed)?);
        let mut kept = lock();
        kept.truncate(FRAGMENTS.saturating_sub(1));
        kept.push_front((number, bytes.clone()));
        Ok(bytes)
    }

    fn place(&self, fragment: u32) -> Option<(u64, u32)> {
        self.places.get(usize::try_from(fragment).ok()?).copied()
    }
}

fn stored_bytes(size: u32) -> u64 {
    u64::from(size & (STORED - 1))
}

/// One file's blocks.
struct File {
    blocks: Arc<Stores>,
    stored: Stored,
    /// Where each block begins.
    starts: Vec<u64>,
}

impl File {
    fn size(&self, block: u64) -> Option<u32> {
        self.stored.sizes.get(usize::try_from(block).ok()?).copied()
    }
}

impl Packed for File {
    fn source(&self) -> &dyn ReadAt {
        &*self.blocks.volume
    }

    fn range(&self, block: u64) -> Range<u64> {
        let start = usize::try_from(block).ok().and_then(|at| self.starts.get(at).copied());
        let found = match (start, self.size(block), self.stored.tail) {
            (Some(start), Some(size), _) => Some((start, size)),
            (_, _, Some((fragment, _))) => self.blocks.place(fragment),
            _ => None,
        };
        let (start, size) = found.unwrap_or((0, 0));
        start..start.saturating_add(stored_bytes(size))
    }

    fn unpack(&self, block: u64, packed: &[u8], _: usize) -> std::io::Result<Vec<u8>> {
        if let Some(size) = self.size(block) {
            return self.blocks.unpacked(size, packed);
        }
        let tail = self.stored.tail.and_then(|(fragment, offset)| {
            Some((fragment, usize::try_from(offset).ok()?, self.blocks.place(fragment)?.1))
        });
        let Some((fragment, offset, size)) = tail else { return Ok(Vec::new()) };
        let whole = self.blocks.fragment(fragment, size, packed)?;
        Ok(whole.get(offset..).unwrap_or(&[]).to_vec())
    }
}

struct Files {
    root: u64,
    inodes: Table,
    directories: Table,
    whole: bool,
    blocks: Arc<Stores>,
}

#[derive(Debug, Clone, Copy)]
struct Folder {
    inode: u64,
    names: Option<Names>,
}

impl Files {
    fn inode(&self, reference: u64) -> Result<Inode, PeelError> {
        let block = reference >> 16;
        let offset = index(reference & 0xffff);
        let bytes = self
            .inodes
            .from(block, offset)
            .ok_or_else(|| PeelError::malformed("SquashFS", block, "a block of inodes", "none"))?;
        Inode::parse(bytes, self.blocks.block_bytes)
            .map_err(|error| PeelError::cursor("SquashFS", block, &error))
    }

    fn child(&self, name: String, reference: u64) -> Result<Child<Folder>, PeelError> {
        let Inode { modified, kind } = self.inode(reference)?;
        let mut node = Node {
            path: name,
            kind: NodeKind::Other,
            size: 0,
            modified,
            deleted: false,
            handle: reference,
            place: 0,
        };
        let folder = match kind {
            Kind::Directory(names) => {
                node.kind = NodeKind::Directory;
                Some(Folder { inode: reference, names: Some(names) })
            }
            Kind::File(stored) => {
                node.kind = NodeKind::File;
                node.size = stored.length;
                let fragment = stored.tail.and_then(|(fragment, _)| self.blocks.place(fragment));
                node.place = match (stored.sizes.is_empty(), fragment) {
                    (true, Some((start, _))) => start,
                    _ => stored.start,
                };
                None
            }
            Kind::Other => None,
        };
        Ok(Child { node, folder })
    }

    fn listed(&self, folder: &Folder) -> Listed<Folder> {
        let mut listed = Listed::default();
        let names_of = match folder.names {
            Some(names) => names,
            None => match self.inode(folder.inode) {
                Ok(Inode { kind: Kind::Directory(names), .. }) => names,
                Ok(_) => {
                    let error =
                        PeelError::malformed("SquashFS", 32, "a directory as root", "another kind");
                    return Listed::failed(error);
                }
                Err(error) => return Listed::failed(error),
            },
        };
        let length = names_of.length.saturating_sub(3);
        if length == 0 {
            return listed;
        }
        let bytes = self.directories.from(names_of.block, names_of.offset).unwrap_or(&[]);
        let own = bytes.get(..length.min(FOLDER_BYTES)).unwrap_or(bytes);
        let (found, sound) = names(own);
        if !sound || own.len() < length {
            listed.malformed.push("SquashFS directory that ends early");
        }
        for name in found {
            match self.child(name.name, name.inode) {
                Ok(child) => listed.children.push(child),
                Err(_) => listed.malformed.push("SquashFS name without its inode"),
            }
        }
        listed
    }
}

impl Tree for Files {
    type Folder = Folder;

    fn label(&self) -> Option<String> {
        None
    }

    fn root(&self) -> Folder {
        Folder { inode: self.root, names: None }
    }

    fn key(&self, folder: &Folder) -> u64 {
        folder.inode
    }

    fn weight(&self, folder: &Folder) -> u64 {
        // Names in memory take several times their bytes.
        let length = folder.names.map_or(0, |names| names.length.min(FOLDER_BYTES));
        u64::try_from(length).unwrap_or(0).saturating_mul(8)
    }

    fn list(&self, folders: &[Folder]) -> Vec<Listed<Folder>> {
        folders.iter().map(|folder| self.listed(folder)).collect()
    }

    fn same(&self, one: &str, other: &str) -> bool {
        one == other
    }

    fn content(&self, node: &Node) -> Result<Content, PeelError> {
        let Inode { kind: Kind::File(stored), .. } = self.inode(node.handle)? else {
            return Err(PeelError::malformed("SquashFS", node.place, "a file", "another kind"));
        };
        if stored.length == 0 {
            return Ok(Content::Inline(Vec::new()));
        }
        let block_bytes = self.blocks.block_bytes;
        let mut next = stored.start;
        let mut starts = Vec::with_capacity(stored.sizes.len());
        for size in &stored.sizes {
            if stored_bytes(*size) > block_bytes {
                let expected = "a block of at most its size";
                return Err(PeelError::malformed("SquashFS", next, expected, "a larger one"));
            }
            starts.push(next);
            next = next.saturating_add(stored_bytes(*size));
        }
        let tail = stored.tail.map(|(fragment, _)| self.blocks.place(fragment));
        if tail.is_some_and(|tail| tail.is_none_or(|(_, size)| stored_bytes(size) > block_bytes)) {
            return Err(PeelError::malformed("SquashFS", next, "a fragment", "none"));
        }
        let end = tail.flatten().map_or(0, |(at, size)| at.saturating_add(stored_bytes(size)));
        if next.max(end) > self.blocks.volume.len() {
            return Err(PeelError::Closed("a file past the end of its volume".into()));
        }
        let length = stored.length;
        let file = File { blocks: Arc::clone(&self.blocks), stored, starts };
        Ok(Content::Decoded(Arc::new(Blocks::new(file, block_bytes, length))))
    }

    fn gaps(&self) -> Vec<String> {
        match self.whole {
            true => Vec::new(),
            false => vec!["parts of the tables of SquashFS that could not be unpacked".into()],
        }
    }
}
