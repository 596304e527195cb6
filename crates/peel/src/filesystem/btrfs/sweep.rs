//! Every tree of files: subvolumes and snapshots, their nodes in the order of the disk, nodes that
//! they share once.

use super::super::face::{NodeKind, Swept};
use super::super::names::{Facts, Names, most};
use super::files::{Files, OBJECT, Target, handle};
use super::item::{EXTENT, Extent, FIRST, INODE, Inode, LAST, NAME, Name, Packing};
use super::superblock::FORMAT;
use super::tree::{ALL, Item, Root};
use crate::error::PeelError;
use lidless_core::Limits;
use lidless_io::number::{index, wide};
use std::collections::HashMap;
use std::num::NonZeroU32;

const FULL: &str = "more of a file system's metadata than the limit";
/// How much content that lies in leaves is kept; more is read again with its neighbours.
const INLINE: usize = 16 << 20;

#[derive(Debug, Clone, Copy)]
struct Row {
    handle: u64,
    inode: Inode,
}

/// A piece of a file, packed: a million of them have to fit.
#[derive(Debug, Clone, Copy)]
struct Part {
    handle: u64,
    at: u64,
    stored: u64,
    length: u32,
    stored_length: u32,
    skip: u32,
    decoded: u32,
    /// Where its content begins among all that is kept, when it lay in a leaf.
    kept: Option<NonZeroU32>,
    packing: Packing,
    is_inline: bool,
}

impl Part {
    /// Packs an extent; none when it is longer than one can be.
    fn pack(handle: u64, extent: &Extent, kept: Option<NonZeroU32>) -> Option<Self> {
        let short = |length: u64| u32::try_from(length).ok();
        Some(Self {
            handle,
            at: extent.at,
            stored: extent.stored,
            length: short(extent.length)?,
            stored_length: short(extent.stored_length)?,
            skip: short(extent.skip)?,
            decoded: short(extent.decoded)?,
            kept,
            packing: extent.packing,
            is_inline: extent.is_inline,
        })
    }

    fn extent(&self) -> Extent {
        Extent {
            at: self.at,
            length: u64::from(self.length),
            packing: self.packing,
            stored: self.stored,
            stored_length: u64::from(self.stored_length),
            skip: u64::from(self.skip),
            decoded: u64::from(self.decoded),
            is_inline: self.is_inline,
        }
    }
}

/// Inodes and extents by handle.
#[derive(Default)]
pub(super) struct Catalogue {
    rows: Vec<Row>,
    parts: Vec<Part>,
    inline: Vec<u8>,
    /// There was more than may be kept.
    pub(super) is_full: bool,
    /// Extents longer than one can be.
    too_long: u64,
}

impl Catalogue {
    /// Takes an item in; false when no more can be kept.
    pub(super) fn add(&mut self, handle: u64, item: &Item<'_>, most: u64) -> bool {
        if wide(self.rows.len().max(self.parts.len() / 4)) >= most {
            self.is_full = true;
            return false;
        }
        match item.key.1 {
            INODE => {
                if let Some(inode) = Inode::parse(item.data) {
                    self.rows.push(Row { handle, inode });
                }
            }
            EXTENT => {
                if let Some(extent) = Extent::parse(item) {
                    let kept = extent.is_inline.then(|| self.keep(&extent, item.data)).flatten();
                    match Part::pack(handle, &extent, kept) {
                        Some(part) => self.parts.push(part),
                        None => self.too_long = self.too_long.saturating_add(1),
                    }
                }
            }
            _ => {}
        }
        true
    }

    fn keep(&mut self, extent: &Extent, data: &[u8]) -> Option<NonZeroU32> {
        let content = data.get(21..)?;
        if self.inline.is_empty() {
            // Places count from 1.
            self.inline.push(0);
        }
        let room = INLINE.saturating_sub(self.inline.len());
        let at = NonZeroU32::new(u32::try_from(self.inline.len()).ok()?)?;
        (content.len() <= room && wide(content.len()) == extent.stored_length).then(|| {
            self.inline.extend_from_slice(content);
            at
        })
    }

    /// Puts everything in order, once all was taken in.
    pub(super) fn settle(&mut self) {
        self.rows.sort_unstable_by_key(|row| row.handle);
        self.rows.dedup_by_key(|row| row.handle);
        self.parts.sort_unstable_by_key(|part| (part.handle, part.at));
    }

    pub(super) fn inode(&self, handle: u64) -> Option<&Inode> {
        let at = self.rows.binary_search_by_key(&handle, |row| row.handle).ok()?;
        self.rows.get(at).map(|row| &row.inode)
    }

    /// The extents of a file in order, with what is kept of those that lie in leaves.
    pub(super) fn extents(&self, handle: u64) -> Vec<(Extent, Option<&[u8]>)> {
        let first = self.parts.partition_point(|part| part.handle < handle);
        let own = self.parts.get(first..).unwrap_or(&[]).iter();
        own.take_while(|part| part.handle == handle)
            .map(|part| {
                let kept = part.kept.and_then(|at| {
                    let from = index(u64::from(at.get()));
                    let length = index(u64::from(part.stored_length));
                    self.inline.get(from..from.saturating_add(length))
                });
                (part.extent(), kept)
            })
            .collect()
    }

    fn first_extent(&self, handle: u64) -> Option<Extent> {
        let first = self.parts.partition_point(|part| part.handle < handle);
        let part = self.parts.get(first).filter(|part| part.handle == handle);
        part.map(Part::extent)
    }

    /// Where the content of a file begins in the volume.
    pub(super) fn place(&self, handle: u64, files: &Files) -> u64 {
        match self.first_extent(handle) {
            Some(extent) if extent.is_inline => extent.stored,
            Some(extent) => files.chunks.place(extent.stored, 1).unwrap_or(0),
            None => 0,
        }
    }

    pub(super) fn facts(&self, handle: u64, files: &Files) -> Option<Facts> {
        let inode = self.inode(handle)?;
        Some(Facts {
            kind: inode.kind,
            size: inode.size,
            modified: inode.time(),
            place: self.place(handle, files),
            deleted: inode.deleted,
        })
    }

    /// Inodes that should have a name, with whether each is a directory.
    pub(super) fn rest(&self) -> Vec<(u64, bool)> {
        let rows = self.rows.iter();
        rows.map(|row| (row.handle, row.inode.kind == NodeKind::Directory)).collect()
    }

    /// Whether the same file, unchanged, was handed out as one of another tree already: what
    /// snapshots share. `seen` holds which tree what was handed out was in.
    pub(super) fn is_repeated(
        &self,
        handle: u64,
        seen: &mut HashMap<(u64, u64, u64), u64>,
    ) -> bool {
        let (Some(inode), Some(first)) = (self.inode(handle), self.first_extent(handle)) else {
            return false;
        };
        let (tree, object) = (handle >> 48, handle & OBJECT);
        let known = *seen.entry((object, inode.transaction, first.stored)).or_insert(tree);
        inode.kind == NodeKind::File && known != tree
    }
}

/// Reads all trees of files.
pub(super) fn sweep(
    files: &Files,
    limits: &Limits,
) -> Result<(Catalogue, Names, Swept), PeelError> {
    let mut swept = Swept::default();
    let mut catalogue = Catalogue::default();
    let most = most(limits.members);
    let mut names = Names::new(most);
    let roots: Vec<Root> = files
        .roots
        .iter()
        .zip(0u32..)
        .map(|(root, tree)| Root { tree, address: root.address, level: root.level })
        .collect();
    let mut unknown = 0u64;
    let mut outside = 0u64;
    let walked = files.trees().read(&roots, &[ALL], &mut |tree, item| {
        if !(FIRST..=LAST).contains(&item.key.0) {
            return true;
        }
        let Some(own) = handle(tree, item.key.0) else {
            outside = outside.saturating_add(1);
            return true;
        };
        match item.key.1 {
            NAME => {
                let Some(name) = Name::parse(item.data) else { return true };
                match files.target(tree, &name) {
                    Target::Found(child) => names.add(own, child, name.kind, false, name.name),
                    Target::Elsewhere => {}
                    Target::Lost => unknown = unknown.saturating_add(1),
                }
                !names.is_full
            }
            INODE | EXTENT => catalogue.add(own, &item, most),
            _ => true,
        }
    })?;
    catalogue.settle();
    let packed = catalogue.parts.iter().any(|part| part.packing == Packing::Unknown);
    for (count, what) in [
        (walked.malformed, "node of a tree that does not parse"),
        (outside, "inode number out of range"),
        (catalogue.too_long, "extent longer than one can be"),
    ] {
        swept.count(format!("{FORMAT} {what}"), count);
    }
    for (is_so, gap) in [
        (catalogue.is_full || names.is_full, FULL),
        (walked.missing > 0, "metadata of a file system that could not be read"),
        (unknown > 0, "subvolumes of btrfs that are not there or past the limit"),
        (packed, "files of btrfs that are encrypted or compressed in an unknown way"),
    ] {
        if is_so {
            swept.gaps.push(gap.to_owned());
        }
    }
    Ok((catalogue, names, swept))
}
