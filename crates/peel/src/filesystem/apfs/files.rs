//! The files of a volume.

use super::gathered::{File, Gathered, Named, stream_of_handle};
use super::layout::APFS;
use super::records::{self, Extent, Value, number, parse, plain_number, sealed_extent};
use super::tree::Tree;
use crate::error::PeelError;
use crate::filesystem::face::{Content, FileSystem, Flow, Node, NodeKind, Swept};
use crate::filesystem::folders::{Folders, join};
use lidless_core::Limits;
use lidless_io::number::index;
use lidless_io::{Extents, ReadAt, read_exact_vec};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The number of the root directory.
const ROOT: u64 = 2;
/// The largest attribute that holds a file.
const ATTRIBUTE: u64 = 1 << 20;
/// Records about one file or directory that are read at once.
const RECORDS: usize = 1_000_000;

/// An opened volume.
pub(super) struct Files {
    pub(super) label: Option<String>,
    pub(super) tree: Tree,
    /// The extents of a sealed volume.
    pub(super) extents: Option<Tree>,
    /// Names have their hash before them.
    pub(super) hashed: bool,
    pub(super) snapshots: u64,
    pub(super) known: Mutex<Gathered>,
}

impl Files {
    fn known(&self) -> MutexGuard<'_, Gathered> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads every record about a number; names are answered.
    fn gather(&self, id: u64) -> Result<Vec<Named>, PeelError> {
        let mut names = Vec::new();
        let mut known = self.known();
        // What a search finds again takes the place of what was known.
        known.extents.remove(&id);
        known.files.remove(&id);
        let mut count = 0usize;
        self.tree.search(id, number, &mut |key, value, offset| {
            if let Some(record) = parse(key, value, offset, self.hashed) {
                names.extend(known.add(id, record, value));
            }
            count = count.saturating_add(1);
            count < RECORDS
        })?;
        Ok(names)
    }

    /// Reads what is needed to name a file and to read it.
    fn gather_file(&self, id: u64) -> Result<(), PeelError> {
        if self.known().files.contains_key(&id) {
            return Ok(());
        }
        self.gather(id)?;
        let file = self.known().files.get(&id).cloned().unwrap_or_default();
        let private = file.inode.private;
        let mut streams = Vec::new();
        if private != id && private != 0 {
            streams.push(private);
        }
        for value in [file.resources, file.packed.map(|(_, value)| value)].into_iter().flatten() {
            if let Value::Stream(id, _) = value {
                streams.push(id);
            }
        }
        for stream in streams {
            if !self.known().extents.contains_key(&stream) {
                self.gather_extents(stream)?;
            }
        }
        if self.extents.is_some() {
            self.gather_extents(private)?;
        }
        Ok(())
    }

    fn gather_extents(&self, id: u64) -> Result<(), PeelError> {
        let mut known = self.known();
        let mut count = 0usize;
        if let Some(tree) = &self.extents {
            known.extents.remove(&id);
            return tree.search(id, plain_number, &mut |key, value, _| {
                if let Some((id, extent)) = sealed_extent(key, value) {
                    known.extent(id, extent);
                }
                count = count.saturating_add(1);
                count < RECORDS
            });
        }
        self.tree.search(id, number, &mut |key, value, offset| {
            if let Some(records::Record::Extent { id, extent }) =
                parse(key, value, offset, self.hashed)
            {
                known.extent(id, extent);
            }
            count = count.saturating_add(1);
            count < RECORDS
        })
    }

    fn descend(&self, path: &str) -> Result<Option<Vec<Named>>, PeelError> {
        let mut names = self.gather(ROOT)?;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let lower = part.to_lowercase();
            let exact = names.iter().find(|named| named.name == part);
            let folded = || names.iter().find(|named| named.name.to_lowercase() == lower);
            let found = exact.or_else(|| folded().filter(|_| self.hashed));
            let Some(id) = found.filter(|named| named.what == 4).map(|named| named.id) else {
                return Ok(None);
            };
            names = self.gather(id)?;
        }
        Ok(Some(names))
    }

    /// The bytes of extents by their number.
    fn open(&self, id: u64, size: u64) -> Extents {
        let block = self.tree.block;
        let extents = self.known().extents.get(&id).cloned().unwrap_or_default();
        let piece = |extent: Extent| lidless_io::Extent {
            at: extent.at,
            length: extent.length,
            source: (extent.block != 0).then(|| extent.block.saturating_mul(block)),
        };
        let pieces = extents.into_iter().map(piece).collect();
        Extents::new(Arc::clone(&self.tree.volume), pieces, size)
    }

    fn value(&self, value: Value) -> Result<Vec<u8>, PeelError> {
        match value {
            Value::Embedded(offset, length) => {
                Ok(read_exact_vec(&*self.tree.volume, offset, length.min(ATTRIBUTE))?)
            }
            Value::Stream(id, size) => {
                let size = size.min(ATTRIBUTE);
                Ok(read_exact_vec(&self.open(id, size), 0, size)?)
            }
        }
    }

    fn content_of(&self, file: &File) -> Result<Content, PeelError> {
        let Some((how, value)) = file.packed.filter(|_| file.inode.compressed) else {
            return Ok(Content::Extents(self.open(file.inode.private, file.inode.size)));
        };
        if !how.is_in_fork() {
            return how.inline(&self.value(value)?);
        }
        let fork: Arc<dyn ReadAt> = match file.resources {
            Some(Value::Stream(id, size)) => Arc::new(self.open(id, size)),
            Some(embedded) => Arc::new(lidless_io::MemoryBytes::new(self.value(embedded)?)),
            None => {
                let why = "a file compressed by macOS whose resource fork is missing";
                return Err(PeelError::Closed(why.into()));
            }
        };
        how.in_fork(fork)
    }
}

impl FileSystem for Files {
    fn label(&self) -> Option<String> {
        self.label.clone()
    }

    fn directory(&self, path: &str) -> Result<Option<Vec<Node>>, PeelError> {
        let Some(names) = self.descend(path)? else { return Ok(None) };
        let mut nodes = Vec::new();
        for named in names {
            if named.what == 8 {
                self.gather_file(named.id)?;
            }
            nodes.extend(self.known().nodes(path, &named, self.tree.block));
        }
        Ok(Some(nodes))
    }

    fn sweep(
        &self,
        limits: &Limits,
        visit: &mut dyn FnMut(Node) -> Flow,
    ) -> Result<Swept, PeelError> {
        let mut swept = Swept::default();
        if self.snapshots > 0 {
            swept.gaps.push("snapshots of an APFS volume, not looked into".into());
        }
        let most = index(limits.members).saturating_add(1);
        let mut gathered = Gathered::default();
        let mut names: Vec<Named> = Vec::new();
        let mut malformed = self.tree.sweep(&mut |key, value, offset| {
            if let Some(record) = parse(key, value, offset, self.hashed) {
                names.extend(gathered.add(number(key), record, value));
            }
            names.len() <= most
        })?;
        if let Some(tree) = &self.extents {
            malformed = malformed.saturating_add(tree.sweep(&mut |key, value, _| {
                if let Some((id, extent)) = sealed_extent(key, value) {
                    gathered.extent(id, extent);
                }
                true
            })?);
        }
        let mut folders = Folders::new(ROOT);
        for named in names.iter().filter(|named| named.what == 4) {
            folders.insert(named.id, named.parent, named.name.clone());
        }
        *self.known() = gathered;
        let (mut lost, mut bare) = (0u64, 0u64);
        let mut directories = HashSet::new();
        for named in &names {
            // Beside the root stands a folder of the system's own, without names that matter.
            let Some(folder) = folders.path(named.parent) else {
                lost = lost.saturating_add(u64::from(named.parent > 15));
                continue;
            };
            if named.what == 4 {
                // A folder stands where its last name says, once.
                let own =
                    folders.path(named.id).is_some_and(|own| *own == join(&folder, &named.name));
                if !own || !directories.insert(named.id) {
                    continue;
                }
            }
            let lacks = |file: &File| {
                file.inode.compressed && file.packed.is_none() && file.inode.size == 0
            };
            let mut nodes = {
                let known = self.known();
                bare =
                    bare.saturating_add(u64::from(known.files.get(&named.id).is_some_and(lacks)));
                known.nodes(&folder, named, self.tree.block)
            };
            for node in &mut nodes {
                if node.kind == NodeKind::Directory {
                    node.modified = self.known().modified(named.id);
                }
            }
            for node in nodes {
                if visit(node) == Flow::Stop {
                    return Ok(swept);
                }
            }
        }
        for (what, times) in [
            ("an APFS tree with nodes that are missing or malformed", malformed),
            ("a file of APFS whose folder is missing", lost),
            ("a compressed file of APFS without the attribute that says how", bare),
        ] {
            swept.count(what, times);
        }
        Ok(swept)
    }

    fn content(&self, node: &Node) -> Result<Content, PeelError> {
        if let Some(id) = stream_of_handle(node.handle) {
            return Ok(Content::Extents(self.open(id, node.size)));
        }
        let file = self.known().files.get(&node.handle).cloned();
        let file = file
            .ok_or_else(|| PeelError::malformed(APFS, 0, "a file that was listed", node.handle))?;
        self.content_of(&file)
    }
}
