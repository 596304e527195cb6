//! XFS as a file system.

use super::super::batch::{Piece, read_in_order};
use super::super::face::{Content, FileSystem, Flow, Format, Node, NodeKind, Swept};
use super::super::inodes::{Child, LARGEST_DIRECTORY, Paths, described};
use super::super::names::{Facts, shown};
use super::super::runs::Runs;
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
use std::sync::{Arc, Mutex, PoisonError};

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
        let (catalogue, paths) = (Mutex::default(), Paths::default());
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
    paths: Paths,
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

    fn directory_inode(&self, inode: u64) -> Result<Option<Inode>, PeelError> {
        let found = self.inodes(&[inode])?.pop().flatten();
        Ok(found.filter(|one| one.kind == NodeKind::Directory))
    }
}

impl Files {
    /// The inodes of files: those that a sweep saw from memory, others read together.
    fn described(&self, nodes: &[Node]) -> Result<Vec<Option<Inode>>, PeelError> {
        let catalogue = self.catalogue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let kept = |node: &Node| catalogue.as_ref()?.inode(node.handle);
        let found = described(nodes, kept, |wanted| self.inodes(wanted))?;
        let is_file = |inode: &Inode| inode.kind == NodeKind::File;
        Ok(found.into_iter().map(|inode| inode.filter(is_file)).collect())
    }

    fn mapped(&self, inode: &Inode, runs: &Runs) -> Result<Content, PeelError> {
        if inode.is_realtime {
            return Err(PeelError::Closed("a file on the realtime device of XFS".to_owned()));
        }
        let block_bytes = self.superblock.block_bytes;
        let offset = |block| self.superblock.offset(block);
        let pieces = runs.content(FORMAT, self.volume.len(), block_bytes, offset)?;
        Ok(Content::Extents(Extents::new(Arc::clone(&self.volume), pieces, inode.size)))
    }
}

impl FileSystem for Files {
    fn label(&self) -> Option<String> {
        self.superblock.label.clone()
    }

    fn directory(&self, path: &str) -> Result<Option<Vec<Node>>, PeelError> {
        let inside = |inode| match self.directory_inode(inode)? {
            Some(directory) => self.children(&directory).map(Some),
            None => Ok(None),
        };
        let Some(inode) = self.paths.find(self.superblock.root, path, inside)? else {
            return Ok(None);
        };
        let Some(children) = inside(inode)? else { return Ok(None) };
        let wanted: Vec<u64> =
            children.iter().filter(|child| !child.is_directory).map(|child| child.inode).collect();
        let facts = |inode: Inode| Facts {
            kind: inode.kind,
            size: inode.size,
            modified: Timestamp::from_second(inode.modified).ok(),
            place: place(&self.superblock, inode.form, &inode.fork),
            deleted: inode.deleted,
        };
        let facts = self.inodes(&wanted)?.into_iter().map(|inode| inode.map(facts)).collect();
        Ok(Some(self.paths.nodes(path, children, facts)))
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
