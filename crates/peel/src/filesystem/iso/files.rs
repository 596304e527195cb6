//! The files of a volume of ISO 9660.

use super::super::face::{Content, FileSystem, Format, Node, NodeKind};
use super::super::walk::{Child, Lies, Listed, Tree, Walk, list_each, within};
use super::boot;
use super::descriptor::{Descriptors, Volume};
use super::record::{Record, records};
use super::susp::Use;
use super::zisofs;
use crate::error::PeelError;
use lidless_core::Limits;
use lidless_io::number::u32_le;
use lidless_io::{Extent, Extents, ReadAt, read_exact_vec, read_merged, read_vec};
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// ISO 9660.
pub(in crate::filesystem) struct Iso;

const HEAD: u64 = 72 << 10;
/// A directory of a hundred thousand long names.
const FOLDER_BYTES: u64 = 32 << 20;
/// How often entries of Rock Ridge may go on elsewhere.
const CONTINUED: usize = 4;
/// Set in a handle that stands for what was learned of a file, not for its block.
const LEARNED: u64 = 1 << 63;

impl Format for Iso {
    fn name(&self) -> &'static str {
        "ISO 9660"
    }

    fn recognises(&self, _: &dyn ReadAt, head: &[u8]) -> bool {
        Descriptors::parse(head).primary.is_some()
    }

    fn open(&self, volume: Arc<dyn ReadAt>, _: &Limits) -> Result<Arc<dyn FileSystem>, PeelError> {
        let head = read_vec(&*volume, 0, HEAD)?;
        let Descriptors { primary, joliet } = Descriptors::parse(&head);
        let Some(primary) = primary else {
            return Err(PeelError::malformed("ISO 9660", 0x8000, "a descriptor", "none"));
        };
        // Rock Ridge has the names as they were; Joliet has the long ones; else there are short
        // ones only. All of them lead to the same files.
        let start = primary.root.0.saturating_mul(primary.block_bytes);
        let root = read_vec(&*volume, start, 2048)?;
        let mut said = Use::default();
        if let Some((record, _)) = Record::parse(&root) {
            said.add(record.system_use);
        }
        let (tree, names) = match (said.skip, joliet) {
            (Some(skip), _) => (primary, Names::RockRidge { skip }),
            (None, Some(joliet)) => (joliet, Names::Joliet),
            (None, None) => (primary, Names::Plain),
        };
        let catalog = boot::catalog(&head).map(|block| block.saturating_mul(tree.block_bytes));
        let (learned, places) = (Mutex::new(HashMap::new()), Mutex::new(HashSet::new()));
        Ok(Arc::new(Walk::new(Files { volume, tree, names, catalog, learned, places })))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    Plain,
    Joliet,
    /// `skip` bytes of every system use come before Rock Ridge's.
    RockRidge {
        skip: usize,
    },
}

#[derive(Debug, Clone, Copy)]
struct Folder {
    block: u64,
    /// None where only the directory's own record says: it was moved.
    bytes: Option<u64>,
}

/// What a block and a length do not say.
#[derive(Debug, Clone)]
struct Learned {
    /// Offset and bytes of each piece.
    pieces: Vec<(u64, u64)>,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Zisofs,
    OtherPacking,
    Interleaved,
}

struct Files {
    volume: Arc<dyn ReadAt>,
    tree: Volume,
    names: Names,
    /// Where the catalog of what it starts from lies.
    catalog: Option<u64>,
    learned: Mutex<HashMap<u64, Arc<Learned>>>,
    /// Where files begin, when there is a catalog.
    places: Mutex<HashSet<u64>>,
}

impl Files {
    fn offset(&self, block: u64) -> u64 {
        block.saturating_mul(self.tree.block_bytes)
    }

    fn lies(&self, folder: Folder) -> Result<Lies, PeelError> {
        let start = self.offset(folder.block);
        let bytes = match folder.bytes {
            Some(bytes) => bytes,
            None => {
                let first = read_exact_vec(&*self.volume, start, 34)?;
                let own = Record::parse(&first).map(|(record, _)| record.bytes);
                own.or_else(|| {
                    // The record is longer than its first part, whose numbers are enough.
                    u32_le(&first, 10).map(u64::from)
                })
                .unwrap_or(0)
            }
        };
        if start >= self.volume.len() {
            let why = "a directory past the end of its volume";
            return Err(PeelError::Closed(why.into()));
        }
        let there = bytes.min(FOLDER_BYTES).min(self.volume.len().saturating_sub(start));
        let range = start..start.saturating_add(there);
        Ok(Lies { ranges: vec![range], whole: there == bytes })
    }

    /// What Rock Ridge says of each record.
    fn uses(&self, found: &[(usize, Record<'_>)]) -> Result<Vec<Use>, PeelError> {
        let Names::RockRidge { skip } = self.names else {
            return Ok(vec![Use::default(); found.len()]);
        };
        let mut uses: Vec<Use> = found
            .iter()
            .map(|(_, record)| {
                let mut said = Use::default();
                said.add(record.system_use.get(skip..).unwrap_or(&[]));
                said
            })
            .collect();
        for _ in 0..CONTINUED {
            let (waiting, wanted): (Vec<&mut Use>, Vec<Range<u64>>) = uses
                .iter_mut()
                .filter_map(|said| {
                    let (block, offset, length) = said.more.take()?;
                    let start = self.offset(block).saturating_add(offset);
                    let end = start.saturating_add(length.min(8 << 10));
                    Some((said, start..end))
                })
                .unzip();
            if waiting.is_empty() {
                break;
            }
            let areas = read_merged(&*self.volume, &wanted)?;
            for (said, area) in waiting.into_iter().zip(areas) {
                said.add(&area);
            }
        }
        Ok(uses)
    }

    fn parsed(&self, start: u64, lies: &Lies, bytes: &[u8]) -> Listed<Folder> {
        let mut listed = Listed::default();
        let (found, sound) = records(bytes);
        if !sound {
            listed.malformed.push("ISO 9660 directory record that is malformed");
        }
        if !lies.whole {
            let is_large = u64::try_from(bytes.len()).is_ok_and(|length| length >= FOLDER_BYTES);
            listed.gaps.push(if is_large {
                "directories larger than the limit"
            } else {
                "directories past the end of their volume"
            });
        }
        let uses = match self.uses(&found) {
            Ok(uses) => uses,
            Err(error) => {
                listed.failed = Some(error);
                vec![Use::default(); found.len()]
            }
        };
        let mut rest = found.iter().zip(uses).peekable();
        while let Some(((at, record), said)) = rest.next() {
            if record.is_dot() || said.is_moved_here {
                continue;
            }
            // A file of several extents has a record for each.
            let mut pieces = vec![(self.offset(record.block), record.bytes)];
            let mut last = record;
            while last.goes_on() && !record.is_directory() {
                let Some(((_, next), _)) = rest.next_if(|((_, next), _)| next.id == record.id)
                else {
                    listed.malformed.push("ISO 9660 file whose last part is missing");
                    break;
                };
                pieces.push((self.offset(next.block), next.bytes));
                last = next;
            }
            let handle = LEARNED | start.saturating_add(u64::try_from(*at).unwrap_or(0));
            listed.children.push(self.child(handle, record, &said, pieces));
        }
        listed
    }

    fn child(
        &self,
        handle: u64,
        record: &Record<'_>,
        said: &Use,
        pieces: Vec<(u64, u64)>,
    ) -> Child<Folder> {
        let stored = pieces.iter().fold(0u64, |sum, (_, bytes)| sum.saturating_add(*bytes));
        let place = pieces.first().map_or(0, |(at, _)| *at);
        let folder = match said.moved_to {
            Some(block) => Some(Folder { block, bytes: None }),
            None if record.is_directory() => {
                Some(Folder { block: record.block, bytes: Some(record.bytes) })
            }
            None => None,
        };
        let kind = match &folder {
            Some(_) => NodeKind::Directory,
            None if said.is_special() => NodeKind::Other,
            None => NodeKind::File,
        };
        let form = match said.packed {
            _ if record.is_interleaved => Form::Interleaved,
            Some(_) if said.is_zisofs => Form::Zisofs,
            Some(_) => Form::OtherPacking,
            None => Form::Plain,
        };
        let mut name = said.name().unwrap_or_else(|| record.name(self.names == Names::Joliet));
        if record.flags & 4 != 0 {
            name.push_str(":associated");
        }
        let size = if kind == NodeKind::File { said.packed.unwrap_or(stored) } else { 0 };
        if self.catalog.is_some() && kind == NodeKind::File {
            self.places.lock().unwrap_or_else(PoisonError::into_inner).insert(place);
        }
        let is_simple = pieces.len() == 1 && form == Form::Plain;
        let handle = if is_simple || kind != NodeKind::File { place } else { handle };
        if handle & LEARNED != 0 {
            let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
            learned.insert(handle, Arc::new(Learned { pieces, form }));
        }
        let node = Node {
            path: name,
            kind,
            size,
            modified: record.modified,
            deleted: false,
            handle,
            place: if size > 0 { place } else { 0 },
        };
        Child { node, folder }
    }

    fn extents(&self, pieces: &[(u64, u64)]) -> Extents {
        let mut at = 0u64;
        let pieces = pieces.iter().map(|(source, length)| {
            let piece = Extent { at, length: *length, source: Some(*source) };
            at = at.saturating_add(*length);
            piece
        });
        let pieces = pieces.collect();
        Extents::new(Arc::clone(&self.volume), pieces, at)
    }
}

impl Tree for Files {
    type Folder = Folder;

    fn label(&self) -> Option<String> {
        self.tree.label.clone()
    }

    fn root(&self) -> Folder {
        Folder { block: self.tree.root.0, bytes: Some(self.tree.root.1) }
    }

    fn key(&self, folder: &Folder) -> u64 {
        folder.block
    }

    fn weight(&self, folder: &Folder) -> u64 {
        folder.bytes.unwrap_or(2048).min(FOLDER_BYTES)
    }

    fn volume_bytes(&self) -> Option<u64> {
        Some(self.volume.len())
    }

    fn list(&self, folders: &[Folder]) -> Vec<Listed<Folder>> {
        list_each(
            &*self.volume,
            folders,
            |folder| self.lies(folder),
            |folder, lies, bytes| self.parsed(self.offset(folder.block), lies, bytes),
        )
    }

    fn same(&self, one: &str, other: &str) -> bool {
        one == other
            || (!matches!(self.names, Names::RockRidge { .. })
                && one.to_uppercase() == other.to_uppercase())
    }

    fn content(&self, node: &Node) -> Result<Content, PeelError> {
        if node.size == 0 {
            return Ok(Content::Inline(Vec::new()));
        }
        if node.handle & LEARNED == 0 {
            return within(self.extents(&[(node.handle, node.size)]), &*self.volume);
        }
        let learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        let learned = learned.get(&node.handle).cloned().ok_or_else(|| {
            PeelError::malformed("ISO 9660", node.place, "a file that was listed", "none")
        })?;
        match learned.form {
            Form::Interleaved => Err(PeelError::Closed("an interleaved file".into())),
            Form::OtherPacking => {
                Err(PeelError::Closed("a file of a packing that is not read".into()))
            }
            Form::Plain => within(self.extents(&learned.pieces), &*self.volume),
            Form::Zisofs => {
                let stored = self.extents(&learned.pieces);
                Ok(Content::Decoded(zisofs::unpacked(stored, node.size)?))
            }
        }
    }

    fn beside(&self) -> Vec<Node> {
        let Some(catalog) = self.catalog else { return Vec::new() };
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let images = boot::images(&*self.volume, catalog, self.tree.block_bytes).into_iter();
        images
            .filter(|(at, length)| *length > 0 && !places.contains(at))
            .enumerate()
            .map(|(number, (at, length))| Node {
                path: format!("[boot]/{}.img", number.saturating_add(1)),
                kind: NodeKind::File,
                size: length,
                modified: None,
                deleted: false,
                handle: at,
                place: at,
            })
            .collect()
    }

    fn gaps(&self) -> Vec<String> {
        let said = self.tree.blocks.saturating_mul(self.tree.block_bytes);
        // Tools leave out up to 150 sectors of padding at the end.
        match said > self.volume.len().saturating_add(300 << 10) {
            true => vec!["a disc that was cut off before its end".into()],
            false => Vec::new(),
        }
    }
}
