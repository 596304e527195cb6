//! btrfs as a file system.

use super::super::face::{Content, FileSystem, Flow, Format, Node, NodeKind, Swept};
use super::super::names::shown;
use super::item::{
    CHUNK, EXTENT, Extent, FIRST, INODE, NAME, Name, Packing, ROOT, ROOT_BACK, TOP, TreeRoot,
};
use super::packed::{Packed, read_ahead, unpack_kept};
use super::superblock::{Chunks, FORMAT, Superblock, find};
use super::sweep::{Catalogue, sweep};
use super::tree::{Key, Root, Trees};
use crate::error::PeelError;
use lidless_core::Limits;
use lidless_io::number::{index, wide};
use lidless_io::{Extent as Piece, Extents, ReadAt, read_vec};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// How many subvolumes and snapshots are listed.
const MOST_TREES: usize = 4096;
/// The part of a handle that is the inode's number; above it is the tree's.
pub(super) const OBJECT: u64 = (1 << 48) - 1;
/// How many entries a directory may have when it is opened by its path, and inodes; extents may
/// be four times as many.
const LARGEST: usize = 1 << 18;
/// Subvolumes that installers put a system's root into.
const OF_A_SYSTEM: [&str; 2] = ["@", "root"];

/// btrfs on one device, or the part of a larger one that lies on it.
pub(crate) struct Btrfs;

impl Format for Btrfs {
    fn name(&self) -> &'static str {
        FORMAT
    }

    fn recognises(&self, volume: &dyn ReadAt, head: &[u8]) -> bool {
        find(volume, head).is_some()
    }

    fn open(&self, volume: Arc<dyn ReadAt>, _: &Limits) -> Result<Arc<dyn FileSystem>, PeelError> {
        let head = read_vec(&*volume, 0, 72 << 10)?;
        let Some((superblock, is_copy)) = find(&*volume, &head) else {
            return Err(PeelError::malformed(FORMAT, 64 << 10, "a superblock", "none"));
        };
        let mut gaps = Vec::new();
        if is_copy {
            gaps.push("a superblock that is broken, read from its copy");
        }
        if superblock.has_log {
            gaps.push("a log tree of btrfs that was not replayed");
        }
        if superblock.devices > 1 {
            gaps.push("other devices of a btrfs file system");
        } else if superblock.bytes > volume.len() {
            gaps.push("a part of a file system that lies past the end of its volume");
        }
        let chunks = Chunks::of(&superblock);
        let mut files = Files {
            volume,
            superblock,
            chunks,
            roots: Vec::new(),
            inside: BTreeSet::new(),
            gaps,
            catalogue: Mutex::default(),
        };
        files.read_chunks()?;
        files.read_roots()?;
        Ok(Arc::new(files))
    }
}

/// An opened file system.
pub(super) struct Files {
    volume: Arc<dyn ReadAt>,
    superblock: Superblock,
    pub(super) chunks: Chunks,
    /// Trees of files, the top one first.
    pub(super) roots: Vec<TreeRoot>,
    /// Which tree has its place in which other one: a tree, and the one it is in.
    inside: BTreeSet<(u64, u64)>,
    gaps: Vec<&'static str>,
    /// What a sweep learned.
    catalogue: Mutex<Option<Arc<Catalogue>>>,
}

/// What a name in a directory leads to.
pub(super) enum Target {
    /// This handle.
    Found(u64),
    /// A subvolume whose place is in another tree.
    Elsewhere,
    /// Nothing that is there.
    Lost,
}

/// A handle for an inode of a tree.
pub(super) fn handle(tree: u32, object: u64) -> Option<u64> {
    (object <= OBJECT).then_some((u64::from(tree) << 48) | object)
}

impl Files {
    pub(super) fn trees(&self) -> Trees<'_> {
        Trees { volume: &*self.volume, superblock: &self.superblock, chunks: &self.chunks }
    }

    fn read_chunks(&mut self) -> Result<(), PeelError> {
        let superblock = &self.superblock;
        let (address, level) = (superblock.chunk_root, superblock.chunk_level);
        let root = Root { tree: 0, address, level };
        let mut chunks = self.chunks.clone();
        let mut found = 0usize;
        let wanted = (0, CHUNK, 0)..=(u64::MAX, CHUNK, u64::MAX);
        let walked = self.trees().read(&[root], &[wanted], &mut |_, item| {
            if item.key.1 == CHUNK {
                chunks.add(superblock, item.key.2, item.data);
                found = found.saturating_add(1);
            }
            found < super::superblock::MOST_CHUNKS
        })?;
        if found == 0 && (walked.malformed > 0 || walked.missing > 0) {
            let found = "nodes that are not its own";
            return Err(PeelError::malformed(FORMAT, address, "a chunk tree", found));
        }
        chunks.settle();
        self.chunks = chunks;
        Ok(())
    }

    fn read_roots(&mut self) -> Result<(), PeelError> {
        let (address, level) = (self.superblock.root, self.superblock.root_level);
        let root = Root { tree: 0, address, level };
        let mut found = Vec::new();
        let wanted = (TOP, ROOT, 0)..=(u64::MAX, ROOT, u64::MAX);
        let mut inside = BTreeSet::new();
        let mut is_over = false;
        self.trees().read(&[root], &[wanted], &mut |_, item| {
            let tree = item.key.0;
            // Trees of the file system itself count down from the highest number.
            let is_of_files = tree == TOP || (FIRST..=super::item::LAST).contains(&tree);
            if item.key.1 == ROOT && is_of_files {
                found.extend(TreeRoot::parse(&item));
            }
            if item.key.1 == ROOT_BACK && inside.len() < MOST_TREES {
                inside.insert((tree, item.key.2));
            }
            is_over = found.len() >= MOST_TREES;
            !is_over
        })?;
        found.sort_by_key(|root| root.tree);
        found.dedup_by_key(|root| root.tree);
        if found.first().is_none_or(|root| root.tree != TOP) {
            let found = "none that can be read";
            return Err(PeelError::malformed(FORMAT, address, "a tree of files", found));
        }
        self.roots = found;
        self.inside = inside;
        Ok(())
    }

    /// What a name leads to.
    pub(super) fn target(&self, tree: u32, name: &Name<'_>) -> Target {
        let found = |handle: Option<u64>| handle.map_or(Target::Lost, Target::Found);
        if !name.is_tree {
            return found(handle(tree, name.object));
        }
        let own = usize::try_from(tree).ok().and_then(|at| self.roots.get(at));
        let own = own.map_or(0, |root| root.tree);
        // A snapshot keeps the names of subvolumes that lie elsewhere.
        let first = self.inside.range((name.object, 0)..).next();
        let is_elsewhere = first.is_some_and(|(known, _)| *known == name.object)
            && !self.inside.contains(&(name.object, own));
        if is_elsewhere {
            return Target::Elsewhere;
        }
        let at = self.roots.binary_search_by_key(&name.object, |root| root.tree);
        found(at.ok().and_then(|at| u32::try_from(at).ok()).and_then(|at| handle(at, FIRST)))
    }

    /// Reads what of one tree lies in ranges of keys.
    fn look(
        &self,
        tree: u32,
        wanted: &[std::ops::RangeInclusive<Key>],
    ) -> Result<Looked, PeelError> {
        let mut looked = Looked::default();
        let at = index(tree);
        let Some(root) = self.roots.get(at) else { return Ok(looked) };
        let root = Root { tree, address: root.address, level: root.level };
        let walked = self.trees().read(&[root], wanted, &mut |tree, item| {
            let Some(own) = handle(tree, item.key.0) else { return true };
            if item.key.1 == NAME
                && let Some(name) = Name::parse(item.data)
                && let Target::Found(child) = self.target(tree, &name)
            {
                looked.names.push((child, name.kind, shown(name.name)));
            }
            looked.names.len() < LARGEST && looked.catalogue.add(own, &item, wide(LARGEST))
        })?;
        if walked.malformed > 0 || walked.missing > 0 {
            let found = "some that are not its own or cannot be read";
            return Err(PeelError::malformed(FORMAT, root.address, "nodes of a tree", found));
        }
        if looked.catalogue.is_full || looked.names.len() >= LARGEST {
            return Err(PeelError::Limit("a directory or a file in more parts than the limit"));
        }
        looked.catalogue.settle();
        Ok(looked)
    }

    fn children(&self, directory: u64) -> Result<Vec<(u64, NodeKind, String)>, PeelError> {
        let (tree, object) = parts(directory);
        Ok(self.look(tree, &[(object, NAME, 0)..=(object, NAME, u64::MAX)])?.names)
    }

    fn nodes(&self, directory: u64, path: &str) -> Result<Vec<Node>, PeelError> {
        let mut children = self.children(directory)?;
        children.sort_by(|one, next| (one.0, &one.2).cmp(&(next.0, &next.2)));
        let mut nodes = Vec::with_capacity(children.len());
        for group in children.chunk_by(|one, next| parts(one.0).0 == parts(next.0).0) {
            let tree = group.first().map_or(0, |(child, ..)| parts(*child).0);
            let mut wanted: Vec<_> = Vec::with_capacity(group.len());
            // Names of one inode stand next to each other.
            for same in group.chunk_by(|one, next| one.0 == next.0) {
                // Of a directory there is nothing more to know than its entry says.
                if same.iter().all(|(_, kind, _)| *kind == NodeKind::Directory) {
                    continue;
                }
                let object = same.first().map_or(0, |(child, ..)| parts(*child).1);
                // The inode, and the first extent, which says where the content lies.
                wanted.push((object, INODE, 0)..=(object, INODE, u64::MAX));
                wanted.push((object, EXTENT, 0)..=(object, EXTENT, 0));
            }
            let looked = self.look(tree, &wanted)?;
            for (child, kind, name) in group {
                let inode = looked.catalogue.inode(*child);
                if inode.is_none() && *kind != NodeKind::Directory {
                    continue;
                }
                let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
                nodes.push(Node {
                    path,
                    kind: inode.map_or(*kind, |inode| inode.kind),
                    size: inode.map_or(0, |inode| inode.size),
                    modified: inode.and_then(super::item::Inode::time),
                    deleted: false,
                    handle: *child,
                    place: looked.catalogue.place(*child, self),
                });
            }
        }
        Ok(nodes)
    }

    /// How the content of a file is stored, from what a sweep learned or else from its tree.
    fn stored(&self, node: &Node) -> Result<Stored, PeelError> {
        if node.handle == 0 {
            return Ok(Stored::Plain(Content::Inline(Vec::new())));
        }
        let catalogue = {
            let kept = self.catalogue.lock().unwrap_or_else(PoisonError::into_inner);
            kept.clone()
        };
        if let Some(catalogue) = catalogue
            && let Some(inode) = catalogue.inode(node.handle)
        {
            return self.content_of(inode.size, catalogue.extents(node.handle));
        }
        let (tree, object) = parts(node.handle);
        let wanted = [
            (object, INODE, 0)..=(object, INODE, u64::MAX),
            (object, EXTENT, 0)..=(object, EXTENT, u64::MAX),
        ];
        let looked = self.look(tree, &wanted)?;
        let Some(inode) = looked.catalogue.inode(node.handle) else {
            return Err(PeelError::malformed(FORMAT, 0, "an inode", "none"));
        };
        self.content_of(inode.size, looked.catalogue.extents(node.handle))
    }

    /// The extents of a file with their content where it lies in leaves.
    fn content_of(
        &self,
        size: u64,
        extents: Vec<(Extent, Option<&[u8]>)>,
    ) -> Result<Stored, PeelError> {
        if let [(extent, Some(kept))] = extents.as_slice()
            && extent.packing != Packing::Unknown
            && let Some(whole) = unpack_kept(extent, kept, size, self.superblock.sector_bytes)
        {
            return Ok(Stored::Plain(Content::Inline(whole)));
        }
        let mut pieces = Vec::with_capacity(extents.len());
        let starts: Vec<u64> = extents.iter().skip(1).map(|(next, _)| next.at).collect();
        let ends = starts.into_iter().chain([u64::MAX]);
        for ((mut extent, _), end) in extents.into_iter().zip(ends) {
            // Each byte is one extent's only.
            extent.length = extent.length.min(end.saturating_sub(extent.at));
            if extent.length == 0 {
                continue;
            }
            if extent.packing == Packing::Unknown {
                let why = "a file encrypted or compressed in a way that is not known";
                return Err(PeelError::Closed(why.to_owned()));
            }
            if !extent.is_inline {
                // Of a plain extent only its part is read, of a compressed one all.
                let (from, length) = match extent.packing {
                    Packing::Plain => (extent.stored.saturating_add(extent.skip), extent.length),
                    _ => (extent.stored, extent.stored_length),
                };
                let Some(place) = self.chunks.place(from, length) else {
                    let why = "a file with parts on another device of a btrfs file system";
                    return Err(PeelError::Closed(why.to_owned()));
                };
                if place.saturating_add(length) > self.volume.len() {
                    let why = "a file with parts past the end of its volume";
                    return Err(PeelError::Closed(why.to_owned()));
                }
                extent.stored = place;
                if extent.packing == Packing::Plain {
                    extent.skip = 0;
                }
            }
            pieces.push(extent);
        }
        if pieces.iter().any(|extent| extent.packing != Packing::Plain) {
            return Ok(Stored::Packed(Packed {
                volume: Arc::clone(&self.volume),
                extents: pieces,
                length: size,
                sector_bytes: self.superblock.sector_bytes,
                last: Mutex::default(),
            }));
        }
        let piece = |extent: &Extent| Piece {
            at: extent.at,
            length: extent.length,
            source: Some(extent.stored),
        };
        let pieces = pieces.iter().map(piece).collect();
        let whole = Extents::new(Arc::clone(&self.volume), pieces, size);
        Ok(Stored::Plain(Content::Extents(whole)))
    }
}

/// How the content of a file is stored.
enum Stored {
    Plain(Content),
    Packed(Packed),
}

impl Stored {
    fn into_content(self) -> Content {
        match self {
            Self::Plain(content) => content,
            Self::Packed(packed) => Content::Decoded(Arc::new(packed)),
        }
    }
}

/// What was found in ranges of a tree.
#[derive(Default)]
struct Looked {
    names: Vec<(u64, NodeKind, String)>,
    catalogue: Catalogue,
}

/// The tree and the inode of a handle.
fn parts(handle: u64) -> (u32, u64) {
    (u32::try_from(handle >> 48).unwrap_or(u32::MAX), handle & OBJECT)
}

impl FileSystem for Files {
    fn label(&self) -> Option<String> {
        self.superblock.label.clone()
    }

    /// Below the root, what the subvolume of a system's root holds is there as well, under its
    /// own path: known places are counted from there.
    fn directory(&self, path: &str) -> Result<Option<Vec<Node>>, PeelError> {
        if path.is_empty() {
            let mut nodes = self.nodes(FIRST, "")?;
            let systems: Vec<Node> = nodes
                .iter()
                .filter(|node| parts(node.handle).0 > 0 && OF_A_SYSTEM.contains(&&*node.path))
                .cloned()
                .collect();
            for system in systems {
                nodes.extend(self.nodes(system.handle, &system.path)?);
            }
            return Ok(Some(nodes));
        }
        let mut at = FIRST;
        for part in path.split('/') {
            let children = self.children(at)?;
            let next = children.into_iter().find(|(.., name)| name == part);
            let Some((next, NodeKind::Directory, _)) = next else { return Ok(None) };
            at = next;
        }
        Ok(Some(self.nodes(at, path)?))
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
        let facts = |handle: u64| catalogue.facts(handle, self);
        let rest = || catalogue.rest();
        // Of a file that snapshots share only the first is handed out.
        let mut seen = HashMap::new();
        let shares = self.roots.len() > 1;
        let walked = names.walk(FIRST, &facts, &rest, &mut |node| {
            if shares && catalogue.is_repeated(node.handle, &mut seen) {
                return Flow::Continue;
            }
            visit(node)
        });
        walked.say(FORMAT, &mut swept);
        Ok(swept)
    }

    fn content(&self, node: &Node) -> Result<Content, PeelError> {
        self.stored(node).map(Stored::into_content)
    }

    fn contents(&self, nodes: &[Node]) -> Vec<Result<Content, PeelError>> {
        let mut found: Vec<_> = nodes.iter().map(|node| self.stored(node)).collect();
        let mut packed: Vec<&mut Packed> = found
            .iter_mut()
            .filter_map(|stored| match stored {
                Ok(Stored::Packed(packed)) => Some(packed),
                _ => None,
            })
            .collect();
        if let Err(error) = read_ahead(&self.volume, &mut packed) {
            return nodes.iter().map(|_| Err(error.clone().into())).collect();
        }
        found.into_iter().map(|stored| stored.map(Stored::into_content)).collect()
    }
}
