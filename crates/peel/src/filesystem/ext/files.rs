//! ext2, ext3 and ext4 as file systems.

use super::super::batch::{Piece, read_in_order};
use super::super::face::{Content, FileSystem, Flow, Format, Node, NodeKind, Swept};
use super::super::inodes::{Child, LARGEST_DIRECTORY, Paths};
use super::super::names::{Facts, shown};
use super::super::number::le32;
use super::super::runs::Runs;
use super::directory::{Form, names};
use super::inode::{Inode, flag};
use super::journal::{Outcome, Replayed, replay};
use super::map::{first_block, resolve};
use super::superblock::{FORMAT, Group, Superblock, feature, find, groups};
use super::sweep::{Catalogue, sweep};
use crate::error::PeelError;
use lidless_core::Limits;
use lidless_io::number::{index, wide};
use lidless_io::{Extents, ReadAt, read_vec};
use std::sync::{Arc, Mutex, PoisonError};

pub(super) const ROOT: u32 = 2;

/// The family, by its generations: they share one layout and differ in features.
pub(crate) enum Ext {
    /// Without a journal.
    Two,
    /// With a journal.
    Three,
    /// With extents, checksums of groups and whatever came later.
    Four,
}

impl Format for Ext {
    fn name(&self) -> &'static str {
        match self {
            Self::Two => "ext2",
            Self::Three => "ext3",
            Self::Four => "ext4",
        }
    }

    fn recognises(&self, volume: &dyn ReadAt, head: &[u8]) -> bool {
        let own = match self {
            Self::Two => 2,
            Self::Three => 3,
            Self::Four => 4,
        };
        find(volume, head).is_some_and(|(superblock, _)| superblock.generation() == own)
    }

    fn open(&self, volume: Arc<dyn ReadAt>, _: &Limits) -> Result<Arc<dyn FileSystem>, PeelError> {
        let head = read_vec(&*volume, 0, 72 << 10)?;
        let Some((superblock, copy)) = find(&*volume, &head) else {
            return Err(PeelError::malformed(FORMAT, 1024, "a superblock", "none"));
        };
        if superblock.incompatible & feature::JOURNAL_DEVICE != 0 {
            return Err(PeelError::Closed("the journal of another ext file system".to_owned()));
        }
        let groups = groups(&*volume, &superblock, copy)?;
        let mut files = Files {
            volume: Arc::clone(&volume),
            raw: volume,
            replayed: None,
            superblock,
            groups,
            gaps: Vec::new(),
            catalogue: Mutex::default(),
            paths: Paths::default(),
        };
        if copy > 0 {
            files.gaps.push("a superblock that is broken, read from its copy");
        }
        if files.superblock.incompatible & feature::RECOVER != 0 {
            files.replay(copy)?;
        }
        Ok(Arc::new(files))
    }
}

/// An opened file system.
pub(super) struct Files {
    /// With what the journal holds in place.
    pub(super) volume: Arc<dyn ReadAt>,
    /// As it lies on the disk.
    pub(super) raw: Arc<dyn ReadAt>,
    pub(super) replayed: Option<Arc<Replayed>>,
    pub(super) superblock: Superblock,
    pub(super) groups: Vec<Group>,
    /// What is to be said of it when it is swept.
    pub(super) gaps: Vec<&'static str>,
    /// What a sweep learned.
    catalogue: Mutex<Option<Arc<Catalogue>>>,
    paths: Paths,
}

impl Files {
    fn replay(&mut self, copy: u64) -> Result<(), PeelError> {
        const UNKNOWN: &str = "a journal that was not found, so not replayed";
        let journal = self.inodes(&[self.superblock.journal])?.pop().flatten();
        let Some(journal) = journal else {
            self.gaps.push(UNKNOWN);
            return Ok(());
        };
        let runs = self.runs(&journal.map, journal.flags, journal.size)?;
        if runs.runs.is_empty() {
            self.gaps.push(UNKNOWN);
            return Ok(());
        }
        let pieces =
            runs.extents(self.superblock.block_bytes, |block| self.superblock.offset(block));
        let log = Extents::new(Arc::clone(&self.raw), pieces, journal.size);
        match replay(&self.raw, log, &self.superblock)? {
            Outcome::Clean => {}
            Outcome::Left(why) => self.gaps.push(why),
            Outcome::Replayed(replayed, more) => {
                self.gaps.extend(more);
                self.volume = Arc::clone(&replayed) as Arc<dyn ReadAt>;
                self.replayed = Some(replayed);
                self.groups = groups(&*self.volume, &self.superblock, copy)?;
            }
        }
        Ok(())
    }

    /// Where an inode lies in the volume.
    fn place(&self, inode: u32) -> Option<u64> {
        let before = inode.checked_sub(1)?;
        let group = before.checked_div(self.superblock.inodes_per_group)?;
        let within = before.checked_rem(self.superblock.inodes_per_group)?;
        let group = self.groups.get(index(u64::from(group)))?;
        let start = self.superblock.offset(group.table);
        Some(start.saturating_add(u64::from(within).saturating_mul(self.superblock.inode_bytes)))
    }

    /// Reads inodes, those close to each other in one request. In the order asked for.
    pub(super) fn inodes(&self, wanted: &[u32]) -> Result<Vec<Option<Inode>>, PeelError> {
        let mut pieces = Vec::with_capacity(wanted.len());
        for (number, inode) in wanted.iter().enumerate() {
            if let Some(start) = self.place(*inode) {
                let length = self.superblock.inode_bytes;
                pieces.push(Piece { start, length, tag: wide(number) });
            }
        }
        let mut found = vec![None; wanted.len()];
        read_in_order(&*self.volume, pieces, &mut |tag, _, bytes| {
            if let Some(slot) = found.get_mut(index(tag)) {
                *slot = Inode::parse(bytes);
            }
        })?;
        Ok(found)
    }

    /// What a sweep learned.
    pub(super) fn catalogue(&self) -> Option<Arc<Catalogue>> {
        self.catalogue.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn runs(&self, map: &[u8], flags: u32, size: u64) -> Result<Runs, PeelError> {
        let runs = resolve(&*self.volume, &self.superblock, &[(map, flags, size)])?.pop();
        Ok(runs.unwrap_or_default())
    }

    pub(super) fn form(&self, flags: u32) -> Form {
        Form {
            with_kinds: self.superblock.incompatible & feature::FILE_TYPE != 0,
            is_indexed: flags & flag::INDEXED != 0,
            inodes: self.superblock.inodes,
        }
    }

    /// The names in a directory, deleted ones left out.
    fn children(&self, directory: &Inode) -> Result<Vec<Child>, PeelError> {
        let mut found = Vec::new();
        let form = self.form(directory.flags);
        let mut broken = 0u64;
        let mut block = |bytes: &[u8]| {
            let whole = names(bytes, form, &mut |name| {
                if !name.deleted && name.name != b"." && name.name != b".." {
                    let shown = shown(&told(name.name, directory.flags));
                    let is_directory = name.kind == NodeKind::Directory;
                    found.push(Child { inode: u64::from(name.inode), is_directory, name: shown });
                }
            });
            broken = broken.saturating_add(u64::from(!whole));
        };
        if directory.flags & flag::INLINE != 0 {
            inline_blocks(&directory.map).for_each(&mut block);
        } else {
            let runs = self.runs(&directory.map, directory.flags, directory.size)?;
            let pieces = directory_pieces(&self.superblock, &runs, directory.size, 0);
            let sum = pieces.iter().fold(0u64, |sum, piece| sum.saturating_add(piece.length));
            if sum > LARGEST_DIRECTORY {
                return Err(PeelError::Limit("a directory larger than the limit"));
            }
            let size = index(self.superblock.block_bytes);
            read_in_order(&*self.volume, pieces, &mut |_, _, bytes| {
                bytes.chunks(size).for_each(&mut block);
            })?;
        }
        if broken > 0 && found.is_empty() {
            return Err(PeelError::malformed(FORMAT, 0, "entries of a directory", "other bytes"));
        }
        Ok(found)
    }

    fn directory_inode(&self, inode: u32) -> Result<Option<Inode>, PeelError> {
        let found = self.inodes(&[inode])?.pop().flatten();
        Ok(found.filter(|one| one.kind == NodeKind::Directory && !one.deleted))
    }
}

impl FileSystem for Files {
    fn label(&self) -> Option<String> {
        self.superblock.label.clone()
    }

    fn directory(&self, path: &str) -> Result<Option<Vec<Node>>, PeelError> {
        let inside = |inode| match self.directory_inode(number(inode))? {
            Some(directory) => self.children(&directory).map(Some),
            None => Ok(None),
        };
        let Some(inode) = self.paths.find(u64::from(ROOT), path, inside)? else {
            return Ok(None);
        };
        let Some(children) = inside(inode)? else { return Ok(None) };
        let wanted: Vec<u32> = children
            .iter()
            .filter(|child| !child.is_directory)
            .map(|child| number(child.inode))
            .collect();
        let facts = |inode: Inode| Facts {
            kind: inode.kind,
            size: inode.size,
            modified: Inode::modified(inode.modified),
            place: self.superblock.offset(first_block(&inode.map, inode.flags)),
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
        swept.gaps.extend(self.gaps.iter().map(|&gap| gap.to_owned()));
        let catalogue = Arc::new(catalogue);
        let kept = Arc::clone(&catalogue);
        *self.catalogue.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        let facts = |inode: u64| catalogue.facts(inode, &self.superblock);
        let rest = || catalogue.rest(&self.superblock);
        names.walk(u64::from(ROOT), &facts, &rest, visit).say(FORMAT, &mut swept);
        Ok(swept)
    }

    fn content(&self, node: &Node) -> Result<Content, PeelError> {
        let content = self.contents_of(std::slice::from_ref(node)).pop();
        content.unwrap_or_else(|| Ok(Content::Inline(Vec::new())))
    }

    fn contents(&self, nodes: &[Node]) -> Vec<Result<Content, PeelError>> {
        self.contents_of(nodes)
    }
}

/// The blocks of a directory as pieces of the volume; the lowest bit of `tag` is set for the one
/// that holds its first block.
pub(super) fn directory_pieces(
    superblock: &Superblock,
    runs: &Runs,
    size: u64,
    tag: u64,
) -> Vec<Piece> {
    let blocks = size.div_ceil(superblock.block_bytes.max(1));
    let piece = |run: &super::super::runs::Run| {
        let length = run.length.min(blocks.saturating_sub(run.at));
        let tag = (tag << 1) | u64::from(run.at == 0);
        let start = superblock.offset(run.block);
        (length > 0).then(|| Piece { start, length: superblock.offset(length), tag })
    };
    runs.runs.iter().filter_map(piece).collect()
}

/// A directory whose entries lie in its inode: the number of its parent, then two parts.
pub(super) fn inline_blocks(map: &[u8]) -> impl Iterator<Item = &[u8]> {
    let first = map.get(4..map.len().min(60)).unwrap_or(&[]);
    [first, map.get(60..).unwrap_or(&[])].into_iter().filter(|block| le32(block, 4) != 0)
}

/// A name as it is told: those of an encrypted directory as digits.
pub(super) fn told(name: &[u8], flags: u32) -> Vec<u8> {
    if flags & flag::ENCRYPTED == 0 {
        return name.to_vec();
    }
    let mut told = b"encrypted-".to_vec();
    for byte in name {
        told.extend_from_slice(format!("{byte:02x}").as_bytes());
    }
    told
}

/// An inode of ext: 0, which is none, for a number that cannot be one.
pub(super) fn number(inode: u64) -> u32 {
    u32::try_from(inode).unwrap_or(0)
}
