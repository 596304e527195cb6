//! From records to paths.

use super::boot::Geometry;
use super::content::{WOF_STREAM, reparse_tag, tag_is_link, tag_is_wof};
use super::file::{self, File};
use super::record::{Attribute, DATA, Name, Reference};
use super::sweep::Records;
use crate::error::PeelError;
use crate::filesystem::face::{Flow, Node, NodeKind, Swept};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// The record of the root.
pub(super) const ROOT: u64 = 5;
/// Where files without a way to the root are put.
const ORPHANS: &str = "$OrphanFiles";
/// Records up to this one are the file system's own or kept back for it.
const RESERVED: u64 = 24;
/// How many names and how many streams of one file are told; Windows makes at most 1,024 names.
const NAMES: usize = 4_096;
/// How many directories may lie in each other: paths of Windows have 32,767 characters.
const DEPTH: usize = 1_024;
/// The longest path, in bytes.
const PATH_BYTES: usize = 32 << 10;
/// How many bytes all paths together may have.
const PATHS_BYTES: usize = 512 << 20;
/// How many bytes of paths of directories are remembered.
const REMEMBERED_BYTES: usize = 8 << 20;
/// What remembering one costs beside its path.
const ENTRY_BYTES: usize = 64;

/// Walks over what was swept and hands every name out.
pub(super) fn walk(
    records: &Records,
    geometry: &Geometry,
    visit: &mut dyn FnMut(Node) -> Flow,
) -> Swept {
    let mut paths = Paths { records, known: HashMap::new(), bytes: 0 };
    let mut swept = Swept::default();
    let mut malformed = records.malformed.clone();
    let mut bytes = 0usize;
    'records: for number in records.numbers() {
        let slot = records.slot(number).filter(|slot| !slot.is_extension);
        if slot.is_none() {
            continue;
        }
        let Some(file) = records.file(number) else { continue };
        let (nodes, faults) = nodes(&file, geometry, &mut |name| paths.of(&file, name));
        if faults > 0 && file.in_use {
            let times = malformed.entry("NTFS file whose clusters are not described").or_default();
            *times = times.saturating_add(faults);
        }
        for node in nodes {
            // The root by itself; only other streams of it are worth telling.
            if number == ROOT && !node.path.contains(':') {
                continue;
            }
            bytes = bytes.saturating_add(node.path.len());
            if bytes > PATHS_BYTES {
                swept.gaps.push("more names in NTFS than the limit".into());
                break 'records;
            }
            if visit(node) == Flow::Stop {
                break 'records;
            }
        }
    }
    swept.gaps.extend(records.gaps.iter().map(|gap| (*gap).to_owned()));
    swept.malformed = malformed.into_iter().map(|(what, n)| (what.to_owned(), n)).collect();
    swept
}

/// The nodes of a file: one for every path, and one for every other stream under its first path.
/// Beside them, how many streams do not fit together.
fn nodes(
    file: &File,
    geometry: &Geometry,
    path: &mut dyn FnMut(&Name) -> Arc<str>,
) -> (Vec<Node>, u64) {
    let tag = reparse_tag(file);
    let is_wof = tag.is_some_and(tag_is_wof);
    let mut faults = 0u64;
    let mut pieces: BTreeMap<&str, Vec<&Attribute>> = BTreeMap::new();
    for attribute in file.attributes.iter().filter(|attribute| attribute.kind == DATA) {
        pieces.entry(&attribute.name).or_default().push(attribute);
    }
    let mut stream = |name: &str| match file::stream(pieces.get(name).map_or(&[], Vec::as_slice)) {
        Ok(stream) => stream,
        Err(_) => {
            faults = faults.saturating_add(1);
            None
        }
    };
    let kind = match (tag.is_some_and(tag_is_link), file.is_directory) {
        (true, _) => NodeKind::Other,
        (false, true) => NodeKind::Directory,
        (false, false) => NodeKind::File,
    };
    let main = if file.is_directory { None } else { stream("") };
    let size = main.as_ref().map_or(0, |stream| stream.length);
    let stored = if is_wof { stream(WOF_STREAM) } else { main };
    let place = stored.map_or(0, |stream| stream.first_byte(geometry));
    let node = |path: String, kind, size, place| Node {
        path,
        kind,
        size,
        modified: file.modified,
        deleted: !file.in_use,
        handle: file.reference.handle(),
        place,
    };
    let mut seen: BTreeSet<Arc<str>> = file.best_names().take(NAMES).map(path).collect();
    let number = file.reference.number;
    let named = pieces.keys().copied().filter(|name| !name.is_empty());
    let streams: Vec<&str> =
        named.filter(|name| !(is_wof && *name == WOF_STREAM)).take(NAMES).collect();
    if seen.is_empty() && number >= RESERVED && (size > 0 || !streams.is_empty()) {
        seen.insert(format!("{ORPHANS}/record-{number}").into());
    }
    let mut nodes: Vec<Node> =
        seen.iter().map(|path| node(path.to_string(), kind, size, place)).collect();
    if let Some(first) = seen.first() {
        for name in streams {
            let Some(found) = stream(name) else { continue };
            let path = format!("{first}:{name}");
            // The clusters that are broken: as long as the volume, and nothing to read.
            let kind = if &*path == "$BadClus:$Bad" { NodeKind::Other } else { NodeKind::File };
            nodes.push(node(path, kind, found.length, found.first_byte(geometry)));
        }
    }
    (nodes, faults)
}

/// Paths of directories, those asked for lately remembered.
struct Paths<'a> {
    records: &'a Records,
    known: HashMap<u64, Option<Arc<str>>>,
    bytes: usize,
}

impl Paths<'_> {
    /// The path of a file by one of its names.
    fn of(&mut self, file: &File, name: &Name) -> Arc<str> {
        let folder = if self.is_parent(name.parent, !file.in_use) {
            self.folder(name.parent.number)
        } else {
            None
        };
        match folder {
            Some(folder) if folder.is_empty() => name.name.as_str().into(),
            Some(folder) => format!("{folder}/{}", name.name).into(),
            None => format!("{ORPHANS}/{}", name.name).into(),
        }
    }

    /// Whether a reference still means the directory it was made for.
    fn is_parent(&self, reference: Reference, of_deleted: bool) -> bool {
        // There is one root, even where its record is broken.
        if reference.number == ROOT {
            return true;
        }
        let Some(slot) = self.records.slot(reference.number) else { return false };
        let same = slot.sequence == reference.sequence || reference.sequence == 0;
        // Deleting counts on.
        let deleted = slot.sequence == reference.sequence.wrapping_add(1);
        !slot.is_extension && if slot.is_in_use { same } else { of_deleted && (same || deleted) }
    }

    /// The path of a directory; none when it has no way to the root.
    fn folder(&mut self, number: u64) -> Option<Arc<str>> {
        let mut chain: Vec<(u64, String)> = Vec::new();
        let mut met = HashSet::new();
        let mut bytes = 0usize;
        let mut at = number;
        let top: Option<Arc<str>> = loop {
            if at == ROOT {
                break Some("".into());
            }
            if let Some(known) = self.known.get(&at) {
                break known.clone();
            }
            if !met.insert(at) {
                break None;
            }
            let Some(file) = self.records.file(at).filter(|file| file.is_directory) else {
                break None;
            };
            let Some(name) = file.best_names().next().cloned() else { break None };
            bytes = bytes.saturating_add(name.name.len()).saturating_add(1);
            if chain.len() >= DEPTH || bytes > PATH_BYTES {
                break None;
            }
            let goes_on = self.is_parent(name.parent, !file.in_use);
            chain.push((at, name.name));
            if !goes_on {
                break None;
            }
            at = name.parent.number;
        };
        let mut path = top;
        for (number, name) in chain.into_iter().rev() {
            path = match path {
                Some(above) if above.is_empty() => Some(name.into()),
                Some(above) if above.len().saturating_add(name.len()) < PATH_BYTES => {
                    Some(format!("{above}/{name}").into())
                }
                Some(_) => None,
                // What is below a lost directory keeps its way from there.
                None => Some(format!("{ORPHANS}/{name}").into()),
            };
            self.remember(number, path.clone());
        }
        path
    }

    fn remember(&mut self, number: u64, path: Option<Arc<str>>) {
        let length = path.as_ref().map_or(0, |path| path.len());
        self.bytes = self.bytes.saturating_add(length).saturating_add(ENTRY_BYTES);
        if self.bytes > REMEMBERED_BYTES {
            self.known.clear();
            self.bytes = 0;
        }
        self.known.insert(number, path);
    }
}

/// A node's stream: `""` for its main one.
pub(super) fn stream_name<'a>(file: &File, path: &'a str) -> &'a str {
    let own = path.rsplit('/').next().unwrap_or(path);
    let is_name = |name: &str| file.names.iter().any(|known| known.name == name);
    if is_name(own) {
        return "";
    }
    // A colon may stand in a name as well.
    own.match_indices(':')
        .find(|(at, _)| own.get(..*at).is_some_and(is_name))
        .or_else(|| own.match_indices(':').next_back())
        .and_then(|(at, _)| own.get(at.saturating_add(1)..))
        .unwrap_or("")
}

/// The error of a node whose record is used by another file now.
pub(super) fn reused(number: u64) -> PeelError {
    let found = format!("record {number} in use for another");
    PeelError::malformed("NTFS", 0, "the file of a name", found)
}
