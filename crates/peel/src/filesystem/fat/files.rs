//! The files of a volume of FAT.

use super::super::face::{Content, FileSystem, Format, Node, NodeKind};
use super::super::walk::{Child, Lies, Listed, Tree, Walk, list_each, within};
use super::boot::{Boot, Root};
use super::chains::{Chains, Run, Width};
use super::directory::{Items, parse};
use crate::error::PeelError;
use lidless_core::Limits;
use lidless_io::{ReadAt, read_merged, read_vec};
use std::sync::{Arc, Mutex, PoisonError};

/// FAT12, FAT16 and FAT32.
pub(in crate::filesystem) struct Fat;

/// Directories hold at most 65,536 entries of 32 bytes.
const FOLDER_BYTES: u64 = 2 << 20;
/// How much of a deleted directory is looked for, in clusters.
const DELETED_CLUSTERS: u64 = 16;

impl Format for Fat {
    fn name(&self) -> &'static str {
        "FAT"
    }

    fn recognises(&self, volume: &dyn ReadAt, head: &[u8]) -> bool {
        Boot::find(volume, head).is_some()
    }

    fn open(&self, volume: Arc<dyn ReadAt>, _: &Limits) -> Result<Arc<dyn FileSystem>, PeelError> {
        let head = read_vec(&*volume, 0, 16 << 10)?;
        let boot = Boot::find(&*volume, &head)
            .ok_or_else(|| PeelError::malformed("FAT", 0, "a boot sector", "something else"))?;
        let boot = boot.sorted(&*volume, &head);
        let chains = Chains::new(volume, boot.geometry);
        let files = Files { chains, root: boot.root, label: Mutex::new(None) };
        files.name_volume();
        Ok(Arc::new(Walk::new(files)))
    }
}

#[derive(Debug, Clone, Copy)]
enum Folder {
    Root,
    At(u32),
    /// Deleted, from this cluster on.
    Gone(u32),
}

struct Files {
    chains: Chains,
    root: Root,
    label: Mutex<Option<String>>,
}

impl Files {
    fn name_volume(&self) {
        let bytes = self.lies(Folder::Root).ok().and_then(|lies| {
            read_merged(&**self.chains.volume(), lies.ranges.get(..1)?).ok()?.pop()
        });
        let label = bytes.and_then(|bytes| parse(&bytes, false).label);
        *self.label.lock().unwrap_or_else(PoisonError::into_inner) = label;
    }

    fn is_32(&self) -> bool {
        self.chains.geometry.width == Width::Bits28
    }

    fn first(&self, folder: Folder) -> u32 {
        match (folder, self.root) {
            (Folder::At(cluster) | Folder::Gone(cluster), _) => cluster,
            (Folder::Root, Root::Cluster(cluster)) => cluster,
            (Folder::Root, Root::Fixed(..)) => 0,
        }
    }

    fn lies(&self, folder: Folder) -> Result<Lies, PeelError> {
        let geometry = &self.chains.geometry;
        let most = FOLDER_BYTES.checked_div(geometry.cluster_bytes).unwrap_or(1).max(1);
        let (runs, whole) = match (folder, self.root) {
            (Folder::Root, Root::Fixed(start, bytes)) => {
                let range = start..start.saturating_add(bytes);
                return Ok(Lies { ranges: vec![range], whole: true });
            }
            (Folder::Gone(first), _) => {
                let free = self.chains.free(first, DELETED_CLUSTERS.min(most))?;
                (vec![(first, u32::try_from(free).unwrap_or(0))], true)
            }
            _ => {
                let (runs, whole) = self.chains.runs(self.first(folder), u64::MAX)?;
                self.chains.claim(self.first(folder), runs, whole, most)
            }
        };
        let range = |(first, count): &Run| {
            let start = geometry.offset(*first);
            let bytes = u64::from(*count).saturating_mul(geometry.cluster_bytes);
            start..start.saturating_add(bytes)
        };
        Ok(Lies { ranges: runs.iter().map(range).collect(), whole })
    }

    fn node(&self, folder: Folder, found: Items) -> Listed<Folder> {
        let geometry = &self.chains.geometry;
        let mut listed = Listed::default();
        for item in found.items {
            let gone = item.is_deleted || matches!(folder, Folder::Gone(_));
            let holds = geometry.holds(item.cluster);
            if gone && !holds && (item.cluster != 0 || item.is_directory) {
                continue;
            }
            let inner = match (item.is_directory && item.name != "." && item.name != "..", gone) {
                (false, _) => None,
                (true, true) => Some(Folder::Gone(item.cluster)),
                (true, false) if holds => Some(Folder::At(item.cluster)),
                (true, false) => {
                    listed.malformed.push("FAT directory without a cluster");
                    None
                }
            };
            let place = if holds && item.size > 0 { geometry.offset(item.cluster) } else { 0 };
            let kind = if item.is_directory { NodeKind::Directory } else { NodeKind::File };
            let node = Node {
                path: item.name,
                kind,
                size: u64::from(item.size),
                modified: item.modified,
                deleted: gone,
                handle: u64::from(item.cluster),
                place,
            };
            listed.children.push(Child { node, folder: inner });
        }
        listed
    }

    fn parsed(&self, folder: Folder, lies: &Lies, bytes: &[u8]) -> Listed<Folder> {
        // A deleted directory begins with its own name, or its clusters hold something else now.
        let is_own =
            bytes.starts_with(b".          ") && bytes.get(11).is_some_and(|a| a & 0x10 != 0);
        if matches!(folder, Folder::Gone(_)) && !is_own {
            return Listed::default();
        }
        let mut listed = self.node(folder, parse(bytes, self.is_32()));
        if !lies.whole {
            listed.malformed.push("FAT directory whose clusters end early");
        }
        listed
    }
}

impl Tree for Files {
    type Folder = Folder;

    fn label(&self) -> Option<String> {
        self.label.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn root(&self) -> Folder {
        Folder::Root
    }

    fn key(&self, folder: &Folder) -> u64 {
        u64::from(self.first(*folder))
    }

    fn weight(&self, _: &Folder) -> u64 {
        self.chains.geometry.cluster_bytes
    }

    fn volume_bytes(&self) -> Option<u64> {
        Some(self.chains.volume().len())
    }

    fn list(&self, folders: &[Folder]) -> Vec<Listed<Folder>> {
        self.chains.expect(folders.iter().map(|folder| self.first(*folder)));
        list_each(
            &**self.chains.volume(),
            folders,
            |folder| self.lies(folder),
            |folder, lies, bytes| self.parsed(folder, lies, bytes),
        )
    }

    fn same(&self, one: &str, other: &str) -> bool {
        one == other || one.to_uppercase() == other.to_uppercase()
    }

    fn content(&self, node: &Node) -> Result<Content, PeelError> {
        let geometry = &self.chains.geometry;
        if node.size == 0 {
            return Ok(Content::Inline(Vec::new()));
        }
        let first = u32::try_from(node.handle).unwrap_or(0);
        let count = node.size.div_ceil(geometry.cluster_bytes.max(1));
        if !geometry.holds(first) || count > u64::from(geometry.clusters) {
            let found = format!("{} bytes from cluster {first} on", node.size);
            return Err(PeelError::malformed("FAT", 0, "a file inside the volume", found));
        }
        if node.deleted {
            if !self.chains.are_free(first, count)? {
                let why = "a deleted file whose clusters belong to another one now";
                return Err(PeelError::Closed(why.into()));
            }
            let runs = [(first, u32::try_from(count).unwrap_or(1))];
            return within(self.chains.extents(&runs, node.size), &**self.chains.volume());
        }
        let (runs, whole) = self.chains.runs(first, count)?;
        if !whole {
            let at = geometry.offset(first);
            let expected = format!("a chain of {count} clusters");
            return Err(PeelError::malformed("FAT", at, expected, "one that ends early"));
        }
        within(self.chains.extents(&runs, node.size), &**self.chains.volume())
    }
}
