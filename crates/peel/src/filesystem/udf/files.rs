//! The files of a volume of UDF.

use super::super::face::{Content, FileSystem, Format, Node, NodeKind};
use super::super::walk::{Child, Listed, Tree, Walk, within};
use super::descriptor::{ExtentKind, INDIRECT, Place, kind};
use super::entry::{Entry, Form, Name, names};
use super::extents::extents_of;
use super::volume::{Volume, anchor, recognised};
use crate::error::PeelError;
use lidless_core::Limits;
use lidless_io::{Extent, Extents, ReadAt, read_merged, read_vec};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// UDF.
pub(in crate::filesystem) struct Udf;

/// How many bytes of names one directory may have.
const FOLDER_BYTES: u64 = 32 << 20;
/// How many entries are read at once.
const ENTRIES: usize = 1_024;
/// How often an entry may be followed by a newer one.
const NEWER: usize = 32;

impl Format for Udf {
    fn name(&self) -> &'static str {
        "UDF"
    }

    fn recognises(&self, volume: &dyn ReadAt, head: &[u8]) -> bool {
        match recognised(head) {
            None => false,
            Some(false) => true,
            // The same files are there as ISO 9660: whichever can be read.
            Some(true) => anchor(volume).is_some(),
        }
    }

    fn open(&self, source: Arc<dyn ReadAt>, _: &Limits) -> Result<Arc<dyn FileSystem>, PeelError> {
        let volume = Volume::open(&source)?;
        let learned = Mutex::new(HashMap::new());
        let mut files = Files { source, volume, root: Folder { at: 0, entry: None }, learned };
        let root = files
            .entries(&[files.volume.root])
            .pop()
            .unwrap_or_else(|| Err(PeelError::malformed("UDF", 0, "a root directory", "none")))?;
        files.root = Folder { at: root.at, entry: Some(Arc::new(root.entry)) };
        Ok(Arc::new(Walk::new(files)))
    }
}

/// An entry, and where it lies in the volume.
struct Found {
    at: u64,
    entry: Entry,
}

#[derive(Debug, Clone)]
struct Folder {
    /// Offset of its entry.
    at: u64,
    entry: Option<Arc<Entry>>,
}

struct Files {
    source: Arc<dyn ReadAt>,
    volume: Volume,
    root: Folder,
    /// By offset of the entry: files that do not lie in one piece.
    learned: Mutex<HashMap<u64, Arc<Entry>>>,
}

/// Set in a handle that is the offset of an entry, not of content.
const LEARNED: u64 = 1 << 63;

impl Files {
    /// The entries at places, all in as few reads as they take.
    fn entries(&self, places: &[Place]) -> Vec<Result<Found, PeelError>> {
        let size = self.volume.space.block_bytes;
        let mut answers: Vec<Result<Found, PeelError>> = Vec::with_capacity(places.len());
        for places in places.chunks(ENTRIES) {
            let ranges: Vec<Result<Range<u64>, PeelError>> =
                places.iter().map(|place| self.volume.space.block(*place)).collect();
            let wanted: Vec<Range<u64>> =
                ranges.iter().map(|range| range.clone().unwrap_or(0..0)).collect();
            let read = read_merged(&*self.source, &wanted);
            for (number, (place, range)) in places.iter().zip(ranges).enumerate() {
                let block = match (&read, &range) {
                    (_, Err(error)) => Err(error.clone()),
                    (Ok(read), _) => Ok(read.get(number).map(|b| b.to_vec()).unwrap_or_default()),
                    // A bad place spoils its own entry only.
                    (Err(_), Ok(range)) => {
                        read_vec(&*self.source, range.start, size).map_err(PeelError::from)
                    }
                };
                let at = range.map_or(0, |range| range.start);
                answers.push(block.and_then(|block| self.entry(at, *place, &block)));
            }
        }
        answers
    }

    fn entry(&self, at: u64, place: Place, block: &[u8]) -> Result<Found, PeelError> {
        let bad = |at: u64| PeelError::malformed("UDF", at, "a file entry", "something else");
        let mut found =
            Found { at, entry: Entry::parse(block, place.partition).ok_or_else(|| bad(at))? };
        let size = self.volume.space.block_bytes;
        let mut place = place;
        // On media that are written once, the block behind an entry may lead to a newer one.
        for _ in 0..NEWER {
            if !found.entry.is_strategy_4096 {
                break;
            }
            place.block = place.block.saturating_add(1);
            let Ok(range) = self.volume.space.block(place) else { break };
            let block = read_vec(&*self.source, range.start, size)?;
            if kind(&block) != Some(INDIRECT) {
                break;
            }
            place = Place::parse(block.get(36..52).unwrap_or(&[]), false, 0);
            let range = self.volume.space.block(place)?;
            let block = read_vec(&*self.source, range.start, size)?;
            let Some(entry) = Entry::parse(&block, place.partition) else { break };
            found = Found { at: range.start, entry };
        }
        Ok(found)
    }

    fn extents(&self, at: u64, entry: &Entry) -> Result<Extents, PeelError> {
        extents_of(&self.source, &self.volume.space, at, entry)
    }

    fn child(&self, name: Name, found: Found) -> Child<Folder> {
        let Found { at, entry } = found;
        let kind = match () {
            () if entry.is_directory() => NodeKind::Directory,
            () if entry.is_file() => NodeKind::File,
            () => NodeKind::Other,
        };
        let mut node = Node {
            path: name.name,
            kind,
            size: if kind == NodeKind::File { entry.length } else { 0 },
            modified: entry.modified,
            deleted: name.is_deleted,
            handle: LEARNED | at,
            place: 0,
        };
        if kind == NodeKind::Directory {
            let folder = Folder { at, entry: Some(Arc::new(entry)) };
            return Child { node, folder: (!name.is_deleted).then_some(folder) };
        }
        // Most files lie in one piece: nothing more has to be kept of them.
        let first = match entry.form {
            Form::Inline(from)
                if u64::try_from(entry.extents.len()).is_ok_and(|n| n >= entry.length) =>
            {
                Some(at.saturating_add(u64::try_from(from).unwrap_or(0)))
            }
            Form::Inline(_) => None,
            _ => match *entry.places(&entry.extents) {
                [place] if u64::from(place.bytes) >= entry.length => {
                    match (place.kind, self.volume.space.ranges(place, entry.length)) {
                        (ExtentKind::Recorded, Ok(ranges)) if ranges.len() == 1 => {
                            ranges.first().map(|range| range.start)
                        }
                        _ => None,
                    }
                }
                _ => None,
            },
        };
        match first {
            Some(first) => (node.handle, node.place) = (first, first),
            None if kind == NodeKind::File && entry.length > 0 => {
                node.place = at;
                let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
                learned.insert(node.handle, Arc::new(entry));
            }
            None => {}
        }
        Child { node, folder: None }
    }

    /// The names of a directory.
    fn names(&self, folder: &Folder, bytes: &[u8], listed: &mut Listed<Folder>) -> Vec<Name> {
        let length = folder.entry.as_ref().map_or(0, |entry| entry.length);
        let (found, sound) = names(bytes);
        if !sound {
            listed.malformed.push("UDF directory that is malformed");
        }
        if length > FOLDER_BYTES {
            listed.gaps.push("directories larger than the limit");
        }
        found
    }
}

impl Tree for Files {
    type Folder = Folder;

    fn label(&self) -> Option<String> {
        self.volume.label.clone()
    }

    fn root(&self) -> Folder {
        self.root.clone()
    }

    fn key(&self, folder: &Folder) -> u64 {
        folder.at
    }

    fn weight(&self, folder: &Folder) -> u64 {
        // Each name leads to an entry, a block of its own.
        let length = folder.entry.as_ref().map_or(0, |entry| entry.length);
        length.min(FOLDER_BYTES).saturating_mul(self.volume.space.block_bytes / 64)
    }

    fn volume_bytes(&self) -> Option<u64> {
        Some(self.source.len())
    }

    fn list(&self, folders: &[Folder]) -> Vec<Listed<Folder>> {
        // All directories at once, then all the entries that their names lead to.
        let mut wanted: Vec<Range<u64>> = Vec::new();
        let mut lies = Vec::new();
        for folder in folders {
            let extents = match &folder.entry {
                Some(entry) => self.extents(folder.at, entry),
                None => Err(PeelError::malformed("UDF", folder.at, "a directory", "none")),
            };
            lies.push(extents.map(|extents| {
                let first = wanted.len();
                let pieces = extents.located(0, extents.len().min(FOLDER_BYTES));
                wanted.extend(pieces.into_iter().map(|(_, range)| range));
                (first..wanted.len(), extents)
            }));
        }
        let read = read_merged(&*self.source, &wanted).ok();
        let mut answers: Vec<Listed<Folder>> = Vec::new();
        let mut known: Vec<(usize, Name)> = Vec::new();
        for (number, (folder, lies)) in folders.iter().zip(lies).enumerate() {
            let bytes = lies.and_then(|(parts, extents)| match &read {
                Some(read) => Ok(read.get(parts).unwrap_or(&[]).concat()),
                None => Ok(read_vec(&extents, 0, FOLDER_BYTES)?),
            });
            let mut listed = Listed::default();
            match bytes {
                Ok(bytes) => {
                    let names = self.names(folder, &bytes, &mut listed);
                    known.extend(names.into_iter().map(|name| (number, name)));
                }
                Err(error) => listed.failed = Some(error),
            }
            answers.push(listed);
        }
        let places: Vec<Place> = known.iter().map(|(_, name)| name.entry).collect();
        for ((number, name), found) in known.into_iter().zip(self.entries(&places)) {
            let Some(listed) = answers.get_mut(number) else { continue };
            match found {
                Ok(found) => listed.children.push(self.child(name, found)),
                // What was deleted may be gone.
                Err(_) if name.is_deleted => {}
                Err(PeelError::Malformed { .. }) => {
                    listed.malformed.push("UDF name without its file entry");
                }
                Err(error) => listed.failed = Some(error),
            }
        }
        answers
    }

    fn same(&self, one: &str, other: &str) -> bool {
        one == other
    }

    fn content(&self, node: &Node) -> Result<Content, PeelError> {
        if node.size == 0 {
            return Ok(Content::Inline(Vec::new()));
        }
        if node.handle & LEARNED == 0 {
            let piece = Extent { at: 0, length: node.size, source: Some(node.handle) };
            let extents = Extents::new(Arc::clone(&self.source), vec![piece], node.size);
            return within(extents, &*self.source);
        }
        let learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = learned.get(&node.handle).cloned();
        drop(learned);
        let at = node.handle & !LEARNED;
        let entry = entry
            .ok_or_else(|| PeelError::malformed("UDF", at, "a file that was listed", "none"))?;
        within(self.extents(at, &entry)?, &*self.source)
    }

    fn gaps(&self) -> Vec<String> {
        self.volume.gaps.clone()
    }
}
