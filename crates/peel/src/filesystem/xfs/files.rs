//! XFS as a file system.

use super::super::batch::{Piece, read_in_order};
use super::super::face::{Content, FileSystem, Flow, Format, Node, NodeKind, Swept};
use super::super::runs::{Run, Runs};
use super::directory::{Name, block, short};
use super::inode::{Form, Inode};
use super::log;
use super::map::{first_block, resolve};
use super::superblock::{FORMAT, INDEX_AT, Superblock, find};
use super::sweep::{Catalogue, sweep};
use crate::error::PeelError;
use lidless_core::{Limits, Timestamp};
use lidless_io::number::index;
use lidless_io::{Extents, ReadAt, read_vec};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How large a directory may be when it is opened by its path.
const LARGEST_DIRECTORY: u64 = 16 << 20;
/// How many paths of directories are remembered.
const REMEMBERED: usize = 20_000;

/// XFS, versions 4 and 5.
pub(crate) struct Xfs;

impl Format for Xfs {
    fn name(&self) -> &'static str {
        FORMAT
    }

    fn recognises(&self, volume: &dyn ReadAt, head: &[u8]) -> bool {
        find(volume, head).is_some()
    }

    fn open(&self, volume: Arc<dyn ReadAt>, _: &Limits) -> Result<Arc<dyn FileSystem>, PeelError> {
        let head = read_vec(&*volume, 0, 72 << 10)?;
        let Some((superblock, is_copy)) = find(&*volume, &head) else {
            return Err(PeelError::malformed(FORMAT, 0, "a superblock", "none"));
        };
        if superblock.with_old_directories {
            let why = "XFS with directories of version 1";
            return Err(PeelError::Closed(why.to_owned()));
        }
        let (catalogue, paths) = (Mutex::default(), Mutex::default());
        Ok(Arc::new(Files { volume, superblock, is_copy, catalogue, paths }))
    }
}

/// An opened file system.
pub(super) struct Files {
    pub(super) volume: Arc<dyn ReadAt>,
    pub(super) superblock: Superblock,
    is_copy: bool,
    /// What a sweep learned.
    catalogue: Mutex<Option<Arc<Catalogue>>>,
    /// Inodes of directories by path.
    paths: Mutex<HashMap<String, u64>>,
}

/// A name in a directory.
struct Child {
    inode: u64,
    is_directory: bool,
    name: String,
}

impl Files {
    /// Reads inodes, those close to each other in one request. In the order asked for.
    fn inodes(&self, wanted: &[u64]) -> Result<Vec<Option<Inode>>, PeelError> {
        let piece = |(inode, number): (&u64, u64)| Piece {
            start: self.superblock.inode_offset(*inode),
            length: self.superblock.inode_bytes,
            tag: number,
        };
        let pieces = wanted.iter().zip(0u64..).map(piece).collect();
        let mut found = vec![None; wanted.len()];
        read_in_order(&*self.volume, pieces, &mut |tag, _, bytes| {
            if let Some(slot) = found.get_mut(index(tag)) {
                *slot = Inode::parse(bytes).filter(|inode| !inode.is_free());
            }
        })?;
        Ok(found)
    }

    fn runs(&self, form: Form, fork: &[u8]) -> Result<Runs, PeelError> {
        let runs = resolve(&*self.volume, &self.superblock, &[(form, fork)])?.pop();
        Ok(runs.unwrap_or_default())
    }

    /// The names in a directory, deleted ones left out.
    fn children(&self, directory: &Inode) -> Result<Vec<Child>, PeelError> {
        let mut found = Vec::new();
        let mut broken = 0u64;
        let mut keep = |name: Name<'_>| {
            if !name.deleted && name.name != b"." && name.name != b".." {
                let (inode, is_directory) = (name.inode, name.is_directory);
                found.push(Child { inode, is_directory, name: shown(name.name) });
            }
        };
        if directory.form == Form::Local {
            broken = u64::from(!short(&self.superblock, &directory.fork, &mut keep));
        } else {
            let runs = self.runs(directory.form, &directory.fork)?;
            let (pieces, split) = directory_pieces(&self.superblock, &runs, 0);
            let sum = pieces.iter().fold(0u64, |sum, piece| sum.saturating_add(piece.length));
            if sum > LARGEST_DIRECTORY {
                return Err(PeelError::Limit("a directory larger than the limit"));
            }
            let size = index(self.superblock.directory_bytes());
            read_in_order(&*self.volume, pieces, &mut |_, _, bytes| {
                for bytes in bytes.chunks(size) {
                    let whole = block(&self.superblock, bytes, &mut keep);
                    broken = broken.saturating_add(u64::from(!whole));
                }
            })?;
            for at in split {
                let bytes = self.split_block(&runs, at)?;
                let whole = block(&self.superblock, &bytes, &mut keep);
                broken = broken.saturating_add(u64::from(!whole));
            }
        }
        if broken > 0 && found.is_empty() {
            return Err(PeelError::malformed(FORMAT, 0, "entries of a directory", "other bytes"));
        }
        Ok(found)
    }

    /// A directory block that lies in more than one piece, by its offset in the directory.
    pub(super) fn split_block(&self, runs: &Runs, at: u64) -> Result<Vec<u8>, PeelError> {
        let pieces =
            runs.extents(self.superblock.block_bytes, |block| self.superblock.offset(block));
        let whole = Extents::new(Arc::clone(&self.volume), pieces, INDEX_AT);
        Ok(read_vec(&whole, at, self.superblock.directory_bytes())?)
    }

    /// The inode of the directory at a path.
    fn find(&self, path: &str) -> Result<Option<u64>, PeelError> {
        let known = |path: &str| {
            let paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
            paths.get(path).copied()
        };
        if path.is_empty() {
            return Ok(Some(self.superblock.root));
        }
        let (mut at, mut inode) = (0usize, self.superblock.root);
        for part in path.split('/') {
            at = at.saturating_add(part.len());
            if let Some(known) = path.get(..at).and_then(known) {
                inode = known;
            } else {
                let Some(directory) = self.directory_inode(inode)? else { return Ok(None) };
                let children = self.children(&directory)?;
                let Some(next) = children.iter().find(|child| child.name == part) else {
                    return Ok(None);
                };
                inode = next.inode;
            }
            at = at.saturating_add(1);
        }
        Ok(Some(inode))
    }

    fn directory_inode(&self, inode: u64) -> Result<Option<Inode>, PeelError> {
        let found = self.inodes(&[inode])?.pop().flatten();
        Ok(found.filter(|one| one.kind == NodeKind::Directory))
    }
}

impl Files {
    /// The inodes of files: those that a sweep saw from memory, others read together.
    fn described(&self, nodes: &[Node]) -> Result<Vec<Option<Inode>>, PeelError> {
        let catalogue = self.catalogue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let kept = |node: &Node| catalogue.as_ref().and_then(|known| known.inode(node.handle));
        let mut found: Vec<Option<Inode>> = nodes.iter().map(kept).collect();
        let missing: Vec<usize> = (0..)
            .zip(nodes.iter().zip(&found))
            .filter(|(_, (node, inode))| inode.is_none() && node.handle != 0)
            .map(|(at, _)| at)
            .collect();
        let wanted: Vec<u64> =
            missing.iter().filter_map(|at| nodes.get(*at)).map(|node| node.handle).collect();
        for (at, inode) in missing.into_iter().zip(self.inodes(&wanted)?) {
            if let Some(slot) = found.get_mut(at) {
                *slot = inode;
            }
        }
        let is_file = |inode: &Inode| inode.kind == NodeKind::File;
        Ok(found.into_iter().map(|inode| inode.filter(is_file)).collect())
    }

    fn mapped(&self, inode: &Inode, runs: &Runs) -> Result<Content, PeelError> {
        if inode.is_realtime {
            return Err(PeelError::Closed("a file on the realtime device of XFS".to_owned()));
        }
        if runs.malformed > 0 || runs.missing > 0 {
            let found = "one with parts that are not";
            return Err(PeelError::malformed(FORMAT, 0, "a map of blocks that is whole", found));
        }
        let end = |run: &Run| {
            let length = run.length.saturating_mul(self.superblock.block_bytes);
            self.superblock.offset(run.block).saturating_add(length)
        };
        if runs.runs.iter().any(|run| end(run) > self.volume.len()) {
            let why = "a file with parts past the end of its volume";
            return Err(PeelError::Closed(why.to_owned()));
        }
        let pieces =
            runs.extents(self.superblock.block_bytes, |block| self.superblock.offset(block));
        Ok(Content::Extents(Extents::new(Arc::clone(&self.volume), pieces, inode.size)))
    }
}

impl FileSystem for Files {
    fn label(&self) -> Option<String> {
        self.superblock.label.clone()
    }

    fn directory(&self, path: &str) -> Result<Option<Vec<Node>>, PeelError> {
        let Some(inode) = self.find(path)? else { return Ok(None) };
        let Some(directory) = self.directory_inode(inode)? else { return Ok(None) };
        let children = self.children(&directory)?;
        // Of a directory there is nothing more to know than its entry says.
        let wanted: Vec<u64> =
            children.iter().filter(|child| !child.is_directory).map(|child| child.inode).collect();
        let mut inodes = self.inodes(&wanted)?.into_iter();
        let mut nodes = Vec::with_capacity(children.len());
        let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        for child in children {
            let Child { inode: handle, name, is_directory } = child;
            let path = if path.is_empty() { name } else { format!("{path}/{name}") };
            let kind = NodeKind::Directory;
            let (modified, deleted, place, size) = (None, false, 0, 0);
            let mut node = Node { path, kind, size, modified, deleted, handle, place };
            if !is_directory {
                let inode = inodes.next().flatten().filter(|inode| !inode.deleted);
                let Some(inode) = inode else { continue };
                node.kind = inode.kind;
                node.size = inode.size;
                node.modified = Timestamp::from_second(inode.modified).ok();
                node.place = self::place(&self.superblock, inode.form, &inode.fork);
            }
            if node.kind == NodeKind::Directory && paths.len() < REMEMBERED {
                paths.insert(node.path.clone(), handle);
            }
            nodes.push(node);
        }
        Ok(Some(nodes))
    }

    fn sweep(
        &self,
        limits: &Limits,
        visit: &mut dyn FnMut(Node) -> Flow,
    ) -> Result<Swept, PeelError> {
        let (catalogue, names, mut swept) = sweep(self, limits)?;
        if self.is_copy {
            swept.gaps.push("a superblock that is broken, read from its copy".to_owned());
        }
        if let Some(gap) = log::gap(&self.volume, &self.superblock)? {
            swept.gaps.push(gap.to_owned());
        }
        let catalogue = Arc::new(catalogue);
        let kept = Arc::clone(&catalogue);
        *self.catalogue.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        let facts = |inode: u64| catalogue.facts(inode, &self.superblock);
        let rest = || catalogue.rest(&self.superblock);
        names.walk(self.superblock.root, &facts, &rest, visit).say(FORMAT, &mut swept);
        Ok(swept)
    }

    fn content(&self, node: &Node) -> Result<Content, PeelError> {
        let content = self.contents(std::slice::from_ref(node)).pop();
        content.unwrap_or_else(|| Ok(Content::Inline(Vec::new())))
    }

    fn contents(&self, nodes: &[Node]) -> Vec<Result<Content, PeelError>> {
        let inodes = match self.described(nodes) {
            Ok(inodes) => inodes,
            Err(error) => return nodes.iter().map(|_| Err(error.clone())).collect(),
        };
        let forks: Vec<(Form, &[u8])> =
            inodes.iter().flatten().map(|inode| (inode.form, inode.fork.as_slice())).collect();
        let mut resolved = match resolve(&*self.volume, &self.superblock, &forks) {
            Ok(resolved) => resolved.into_iter(),
            Err(error) => return nodes.iter().map(|_| Err(error.clone().into())).collect(),
        };
        let content = |(node, inode): (&Node, &Option<Inode>)| match inode {
            Some(inode) => self.mapped(inode, &resolved.next().unwrap_or_default()),
            None if node.handle == 0 => Ok(Content::Inline(Vec::new())),
            None => Err(PeelError::malformed(FORMAT, 0, "an inode", "none of a file")),
        };
        nodes.iter().zip(&inodes).map(content).collect()
    }
}

/// The data blocks of a directory as pieces of the volume, and the offsets of those that lie in
/// more than one piece.
pub(super) fn directory_pieces(
    superblock: &Superblock,
    runs: &Runs,
    tag: u64,
) -> (Vec<Piece>, Vec<u64>) {
    let (mut pieces, mut split) = (Vec::new(), Vec::new());
    let size = superblock.directory_blocks;
    let data = INDEX_AT.checked_div(superblock.block_bytes).unwrap_or(0);
    for run in runs.runs.iter().filter(|run| run.at < data) {
        let end = run.at.saturating_add(run.length);
        let from = run.at.next_multiple_of(size);
        let whole = end.saturating_sub(from).checked_div(size).unwrap_or(0);
        let to = from.saturating_add(whole.saturating_mul(size));
        if whole > 0 {
            let block = run.block.saturating_add(from.saturating_sub(run.at));
            let length = to.saturating_sub(from).saturating_mul(superblock.block_bytes);
            pieces.push(Piece { start: superblock.offset(block), length, tag });
        }
        let bytes = |block: u64| {
            let first = block.checked_div(size).unwrap_or(0).saturating_mul(size);
            first.saturating_mul(superblock.block_bytes)
        };
        if run.at < from {
            split.push(bytes(run.at));
        }
        if from <= to && to < end {
            split.push(bytes(to));
        }
    }
    split.sort_unstable();
    split.dedup();
    (pieces, split)
}

/// Where a content begins in the volume.
pub(super) fn place(superblock: &Superblock, form: Form, fork: &[u8]) -> u64 {
    first_block(form, fork).map_or(0, |block| superblock.offset(block))
}

fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).replace(['/', '\0'], "_")
}
