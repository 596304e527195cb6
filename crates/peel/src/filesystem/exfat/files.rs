//! The files of a volume of exFAT.

use super::super::face::{Content, FileSystem, Format, Node, NodeKind};
use super::super::fat::{Chains, Run};
use super::super::walk::{Child, Lies, Listed, Tree, Walk, list_each, within};
use super::boot::Boot;
use super::directory::{Items, Stream, parse};
use super::upcase::UpCase;
use crate::error::PeelError;
use lidless_core::Limits;
use lidless_io::{Extents, ReadAt, read_vec};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// exFAT.
pub(in crate::filesystem) struct ExFat;

/// A directory holds at most 256 MiB; a hundred thousand files take a tenth of this.
const FOLDER_BYTES: u64 = 64 << 20;
/// The up-case table has an entry for each unit of UTF-16.
const UPCASE_BYTES: u64 = 128 << 10;
/// Of how many clusters of something deleted it is asked whether they are free.
const FREE: u64 = 1 << 28;
/// Set in a handle where the clusters follow each other.
const CONTIGUOUS: u64 = 1 << 32;

impl Format for ExFat {
    fn name(&self) -> &'static str {
        "exFAT"
    }

    fn recognises(&self, _: &dyn ReadAt, head: &[u8]) -> bool {
        Boot::find(head).is_some()
    }

    fn open(&self, volume: Arc<dyn ReadAt>, _: &Limits) -> Result<Arc<dyn FileSystem>, PeelError> {
        let head = read_vec(&*volume, 0, 64 << 10)?;
        let boot = Boot::find(&head)
            .ok_or_else(|| PeelError::malformed("exFAT", 0, "a boot sector", "something else"))?;
        let chains = Chains::new(volume, boot.geometry);
        // The root comes first: what describes the volume stands in it.
        let (runs, _) = chains.runs(boot.root, u64::MAX)?;
        let first = runs.first().map_or(0, |(_, count)| u64::from(*count));
        let first = first.saturating_mul(chains.geometry.cluster_bytes).min(UPCASE_BYTES);
        let bytes = read_vec(&**chains.volume(), chains.geometry.offset(boot.root), first)?;
        let told = parse(&bytes);
        Ok(Arc::new(Walk::new(Files {
            chains,
            root: boot.root,
            label: told.label,
            bitmap: told.bitmap,
            bits: OnceLock::new(),
            upcase: told.upcase,
            table: OnceLock::new(),
            valid: Mutex::new(HashMap::new()),
        })))
    }
}

#[derive(Debug, Clone, Copy)]
struct Folder {
    stream: Stream,
    gone: bool,
}

struct Files {
    chains: Chains,
    root: u32,
    label: Option<String>,
    bitmap: Option<Stream>,
    /// What the bitmap holds.
    bits: OnceLock<Extents>,
    upcase: Option<(Stream, u32)>,
    table: OnceLock<Option<UpCase>>,
    /// By first cluster: how much of a file was ever written, where that is not all of it.
    valid: Mutex<HashMap<u32, u64>>,
}

impl Files {
    fn clusters(&self, bytes: u64) -> u64 {
        bytes.div_ceil(self.chains.geometry.cluster_bytes.max(1))
    }

    /// The clusters of a stream, and whether they are all there.
    fn runs(&self, stream: Stream) -> Result<(Vec<Run>, bool), PeelError> {
        // How long the root directory is, only its chain says.
        let count = if stream.length == u64::MAX { u64::MAX } else { self.clusters(stream.length) };
        if !stream.is_contiguous {
            return self.chains.runs(stream.first, count);
        }
        let geometry = &self.chains.geometry;
        let behind = u64::from(geometry.clusters).saturating_add(2);
        let left = behind.saturating_sub(u64::from(stream.first));
        let there = if geometry.holds(stream.first) { count.min(left) } else { 0 };
        Ok((vec![(stream.first, u32::try_from(there).unwrap_or(0))], there >= count))
    }

    fn lies(&self, folder: Folder) -> Result<Lies, PeelError> {
        let geometry = &self.chains.geometry;
        let most = self.clusters(FOLDER_BYTES).max(1);
        let first = folder.stream.first;
        let (runs, whole) = if folder.gone {
            let count = self.clusters(folder.stream.length).min(most);
            let free = self.is_free(first, count)?;
            (vec![(first, u32::try_from(count).unwrap_or(0))], free)
        } else {
            let (runs, whole) = self.runs(folder.stream)?;
            self.chains.claim(first, runs, whole, most)
        };
        let ranges = runs.iter().map(|(first, count)| {
            let start = geometry.offset(*first);
            start..start.saturating_add(u64::from(*count).saturating_mul(geometry.cluster_bytes))
        });
        Ok(Lies { ranges: ranges.collect(), whole })
    }

    /// Whether no cluster of these is in use, by the bitmap: a bit for each, from cluster 2 on.
    fn is_free(&self, first: u32, count: u64) -> Result<bool, PeelError> {
        let geometry = &self.chains.geometry;
        let behind = u64::from(first).saturating_add(count);
        if !geometry.holds(first) || behind > u64::from(geometry.clusters).saturating_add(2) {
            return Ok(false);
        }
        let bits = match self.bits.get() {
            Some(bits) => bits,
            None => {
                let Some(bitmap) = self.bitmap else { return Ok(false) };
                let (runs, _) = self.runs(bitmap)?;
                self.bits.get_or_init(|| self.chains.extents(&runs, bitmap.length))
            }
        };
        if count > FREE {
            return Err(PeelError::Limit("a deleted file larger than the limit"));
        }
        let from = u64::from(first.saturating_sub(2));
        let to = from.saturating_add(count);
        let read = read_vec(bits, from / 8, (to.div_ceil(8)).saturating_sub(from / 8))?;
        if u64::try_from(read.len()).unwrap_or(0) < to.div_ceil(8).saturating_sub(from / 8) {
            return Ok(false);
        }
        let skip = (from / 8).saturating_mul(8);
        let is_used = |bit: u64| {
            let at = bit.saturating_sub(skip);
            let byte = usize::try_from(at / 8).ok().and_then(|at| read.get(at)).copied();
            byte.unwrap_or(0xff).checked_shr(u32::try_from(at % 8).unwrap_or(0)).unwrap_or(1) & 1
                != 0
        };
        Ok(!(from..to).any(is_used))
    }

    fn parsed(&self, folder: Folder, lies: &Lies, bytes: &[u8]) -> Listed<Folder> {
        let mut listed = Listed::default();
        if folder.gone && !lies.whole {
            return listed;
        }
        let Items { items, broken, .. } = parse(bytes);
        let geometry = &self.chains.geometry;
        for item in items {
            let gone = item.is_deleted || folder.gone;
            let stream = item.stream;
            let holds = geometry.holds(stream.first);
            if gone && !holds && stream.length > 0 {
                continue;
            }
            let inner = Folder { stream, gone };
            let size = if item.is_directory { 0 } else { stream.length };
            if !item.is_directory && item.valid < size {
                let mut valid = self.valid.lock().unwrap_or_else(PoisonError::into_inner);
                valid.insert(stream.first, item.valid);
            }
            let flag = if stream.is_contiguous { CONTIGUOUS } else { 0 };
            let node = Node {
                path: item.name,
                kind: if item.is_directory { NodeKind::Directory } else { NodeKind::File },
                size,
                modified: item.modified,
                deleted: gone,
                handle: u64::from(stream.first) | flag,
                place: if holds && size > 0 { geometry.offset(stream.first) } else { 0 },
            };
            let enters = item.is_directory && holds;
            listed.children.push(Child { node, folder: enters.then_some(inner) });
        }
        if broken && !folder.gone {
            listed.malformed.push("exFAT entries with another sum than they say");
        }
        if !lies.whole {
            listed.malformed.push("exFAT directory whose clusters end early");
        }
        listed
    }

    fn table(&self) -> Option<&UpCase> {
        let read = || {
            let (stream, sum) = self.upcase.filter(|(stream, _)| stream.length <= UPCASE_BYTES)?;
            let (runs, _) = self.runs(stream).ok()?;
            let extents = self.chains.extents(&runs, stream.length);
            UpCase::parse(&read_vec(&extents, 0, stream.length).ok()?, sum)
        };
        self.table.get_or_init(read).as_ref()
    }
}

impl Tree for Files {
    type Folder = Folder;

    fn label(&self) -> Option<String> {
        self.label.clone()
    }

    fn root(&self) -> Folder {
        let stream = Stream { first: self.root, length: u64::MAX, is_contiguous: false };
        Folder { stream, gone: false }
    }

    fn key(&self, folder: &Folder) -> u64 {
        u64::from(folder.stream.first)
    }

    fn weight(&self, folder: &Folder) -> u64 {
        folder.stream.length.min(FOLDER_BYTES)
    }

    fn volume_bytes(&self) -> Option<u64> {
        Some(self.chains.volume().len())
    }

    fn list(&self, folders: &[Folder]) -> Vec<Listed<Folder>> {
        let chained = folders.iter().filter(|folder| !folder.stream.is_contiguous);
        self.chains.expect(chained.map(|folder| folder.stream.first));
        list_each(
            &**self.chains.volume(),
            folders,
            |folder| self.lies(folder),
            |folder, lies, bytes| self.parsed(folder, lies, bytes),
        )
    }

    fn same(&self, one: &str, other: &str) -> bool {
        one == other
            || match self.table() {
                Some(table) => table.folded(one) == table.folded(other),
                None => one.to_uppercase() == other.to_uppercase(),
            }
    }

    fn content(&self, node: &Node) -> Result<Content, PeelError> {
        if node.size == 0 {
            return Ok(Content::Inline(Vec::new()));
        }
        let geometry = &self.chains.geometry;
        let first = u32::try_from(node.handle & u64::from(u32::MAX)).unwrap_or(0);
        let is_contiguous = node.handle & CONTIGUOUS != 0;
        let count = self.clusters(node.size);
        if !geometry.holds(first) || count > u64::from(geometry.clusters) {
            let found = format!("{} bytes from cluster {first} on", node.size);
            return Err(PeelError::malformed("exFAT", 0, "a file inside the volume", found));
        }
        let (runs, whole) = if node.deleted {
            if !self.is_free(first, count)? {
                let why = "a deleted file whose clusters belong to another one now";
                return Err(PeelError::Closed(why.into()));
            }
            (vec![(first, u32::try_from(count).unwrap_or(1))], true)
        } else {
            self.runs(Stream { first, length: node.size, is_contiguous })?
        };
        if !whole {
            let at = geometry.offset(first);
            let expected = format!("a chain of {count} clusters");
            return Err(PeelError::malformed("exFAT", at, expected, "one that ends early"));
        }
        let valid = self.valid.lock().unwrap_or_else(PoisonError::into_inner).get(&first).copied();
        let whole = self.chains.extents(&runs, valid.unwrap_or(node.size).min(node.size));
        let extents = match valid {
            None => whole,
            // Nothing was ever written further on: whatever lies there is not the file's.
            Some(_) => {
                Extents::new(Arc::clone(self.chains.volume()), whole.pieces().to_vec(), node.size)
            }
        };
        within(extents, &**self.chains.volume())
    }
}
