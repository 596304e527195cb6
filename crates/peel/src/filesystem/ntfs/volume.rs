//! An opened volume.

use super::boot::Geometry;
use super::content::{content, is_left};
use super::fields::text;
use super::file::File;
use super::index::Wanted;
use super::listing::{self, Plan};
use super::record::{Body, Reference, VOLUME_NAME};
use super::sweep::Records;
use super::table::Table;
use super::walk::{ROOT, reused, stream_name, walk};
use crate::error::PeelError;
use crate::filesystem::face::{Asked, Content, FileSystem, Flow, Listing, Node, NodeKind, Swept};
use lidless_core::Limits;
use lidless_io::ReadAt;
use lidless_io::utf16::units_le;
use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The record with the volume's name.
const VOLUME: u64 = 3;
/// How much of files read one by one is kept.
const KEPT_BYTES: usize = 16 << 20;
/// How many directories' places are kept.
const KEPT_FOLDERS: usize = 1 << 16;

/// The volume.
pub(super) struct Volume {
    table: Table,
    /// All records, once they were swept.
    records: OnceLock<Records>,
    /// Files that were read by themselves.
    files: Mutex<Kept>,
    /// Where directories are, by path.
    folders: Mutex<HashMap<String, Reference>>,
    /// How many bytes of indexes were read.
    indexed: AtomicU64,
}

#[derive(Default)]
struct Kept {
    files: HashMap<u64, Arc<File>>,
    bytes: usize,
}

impl Volume {
    /// Opens it.
    pub(super) fn open(bytes: Arc<dyn ReadAt>, geometry: Geometry) -> Result<Self, PeelError> {
        Ok(Self {
            table: Table::open(bytes, geometry)?,
            records: OnceLock::new(),
            files: Mutex::default(),
            folders: Mutex::default(),
            indexed: AtomicU64::new(0),
        })
    }

    /// Files by their records; those not kept are read in one batch.
    fn files(&self, numbers: &[u64]) -> Vec<Result<Arc<File>, PeelError>> {
        let mut found: HashMap<u64, Result<Arc<File>, PeelError>> = HashMap::new();
        {
            let kept = self.files.lock().unwrap_or_else(PoisonError::into_inner);
            for number in numbers {
                if let Some(file) = kept.files.get(number) {
                    found.insert(*number, Ok(Arc::clone(file)));
                }
            }
        }
        let mut missing: Vec<u64> =
            numbers.iter().copied().filter(|number| !found.contains_key(number)).collect();
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            match self.table.files(&missing) {
                Ok(read) => {
                    for (number, file) in missing.into_iter().zip(read) {
                        found.insert(number, file.map(|file| self.keep(number, file)));
                    }
                }
                Err(error) => {
                    found.extend(missing.into_iter().map(|number| (number, Err(error.clone()))));
                }
            }
        }
        let unread = || Err(PeelError::malformed("NTFS", 0, "a record", "none"));
        numbers.iter().map(|number| found.get(number).cloned().unwrap_or_else(unread)).collect()
    }

    fn keep(&self, number: u64, file: File) -> Arc<File> {
        let bytes = file.attributes.iter().map(|attribute| match &attribute.body {
            Body::Resident(bytes) => bytes.len(),
            Body::Left(_) => 0,
            Body::Elsewhere(elsewhere) => elsewhere.pairs.len(),
        });
        let bytes = bytes.sum::<usize>().saturating_add(512);
        let file = Arc::new(file);
        let mut kept = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes = kept.bytes.saturating_add(bytes);
        if kept.bytes > KEPT_BYTES {
            kept.files.clear();
            kept.bytes = bytes;
        }
        kept.files.insert(number, Arc::clone(&file));
        file
    }

    /// A file as a sweep left it in memory.
    fn swept(&self, number: u64) -> Option<Arc<File>> {
        let file = self.records.get()?.file(number)?;
        (!is_left(&file)).then_some(file)
    }

    fn content_of(
        &self,
        node: &Node,
        file: Result<Arc<File>, PeelError>,
    ) -> Result<Content, PeelError> {
        let file = current(file?, Reference::of_handle(node.handle))?;
        let name = stream_name(&file, &node.path);
        content(&self.table.volume, &self.table.geometry, &file, name)
    }

    fn file(&self, reference: Reference) -> Result<Arc<File>, PeelError> {
        let file = match self.swept(reference.number) {
            Some(file) => file,
            None => self
                .files(&[reference.number])
                .pop()
                .unwrap_or_else(|| Err(reused(reference.number)))?,
        };
        if file.reference.sequence != reference.sequence {
            return Err(reused(reference.number));
        }
        Ok(file)
    }

    /// Where a directory is; none when there is no such one.
    fn folder(&self, path: &str) -> Result<Option<Reference>, PeelError> {
        if path.is_empty() {
            return Ok(Some(self.root()));
        }
        let known = |path: &str| {
            let folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
            folders.get(path).copied()
        };
        if let Some(reference) = known(path) {
            return Ok(Some(reference));
        }
        let mut at = self.root();
        let mut above = String::new();
        for part in path.split('/') {
            let wanted = Wanted::new(part);
            let asked = [(above.clone(), at, Some(vec![part.to_owned()]))];
            let Some(listing) = self.list(&asked).pop() else { return Ok(None) };
            let child = listing.children.iter().find(|node| {
                let own = node.path.rsplit('/').next().unwrap_or(&node.path);
                node.kind == NodeKind::Directory && wanted.is(own)
            });
            match (child, listing.failed) {
                (Some(node), _) => {
                    at = Reference::of_handle(node.handle);
                    above.clone_from(&node.path);
                }
                (None, Some(error)) => return Err(error),
                (None, None) => return Ok(None),
            }
        }
        self.remember(path, at);
        Ok(Some(at))
    }

    fn root(&self) -> Reference {
        Reference { number: ROOT, sequence: 0 }
    }

    fn remember(&self, path: &str, reference: Reference) {
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        if folders.len() >= KEPT_FOLDERS {
            folders.clear();
        }
        folders.insert(path.to_owned(), reference);
    }

    /// Lists directories, each by its path, its record and the names wanted.
    fn list(&self, asked: &[(String, Reference, Option<Vec<String>>)]) -> Vec<Listing> {
        let numbers: Vec<u64> = asked.iter().map(|(_, reference, _)| reference.number).collect();
        let mut plans = Vec::with_capacity(asked.len());
        let mut failed: Vec<Option<PeelError>> = Vec::with_capacity(asked.len());
        for ((_, reference, names), file) in asked.iter().zip(self.files(&numbers)) {
            let file = file.and_then(|file| {
                let same = reference.sequence == file.reference.sequence
                    || (reference.sequence == 0 && reference.number == ROOT);
                if same && file.in_use { Ok(file) } else { Err(reused(reference.number)) }
            });
            match file {
                Ok(file) => {
                    let names = names
                        .as_ref()
                        .map(|names| names.iter().map(|name| Wanted::new(name)).collect());
                    plans.push(Plan::new(&self.table, &file, names));
                    failed.push(None);
                }
                Err(error) => failed.push(Some(error)),
            }
        }
        listing::read(&self.table, &mut plans, &self.indexed);
        let mut plans = plans.into_iter();
        let mut listings = Vec::with_capacity(asked.len());
        for ((path, reference, _), failed) in asked.iter().zip(failed) {
            if failed.is_some() {
                listings.push(Listing { children: Vec::new(), failed });
                continue;
            }
            let Some(plan) = plans.next() else { break };
            let mut children = Vec::with_capacity(plan.found.len());
            for child in plan.found {
                // The root lies in itself.
                if child.reference.number == reference.number {
                    continue;
                }
                let path = match path.as_str() {
                    "" => child.name,
                    path => format!("{path}/{}", child.name),
                };
                if child.kind == NodeKind::Directory {
                    self.remember(&path, child.reference);
                }
                children.push(Node {
                    path,
                    kind: child.kind,
                    size: child.size,
                    modified: child.modified,
                    deleted: false,
                    handle: child.reference.handle(),
                    place: 0,
                });
            }
            listings.push(Listing { children, failed: plan.failed });
        }
        listings
    }
}

impl FileSystem for Volume {
    fn label(&self) -> Option<String> {
        let file = self.files(&[VOLUME]).pop()?.ok()?;
        let name = file.attributes.iter().find(|attribute| attribute.kind == VOLUME_NAME)?;
        match &name.body {
            Body::Resident(bytes) => Some(text(units_le(bytes))).filter(|name| !name.is_empty()),
            _ => None,
        }
    }

    fn directory(&self, path: &str) -> Result<Option<Vec<Node>>, PeelError> {
        let Some(reference) = self.folder(path)? else { return Ok(None) };
        let Some(listing) = self.list(&[(path.to_owned(), reference, None)]).pop() else {
            return Ok(None);
        };
        match listing.failed {
            Some(error) if listing.children.is_empty() => Err(error),
            _ => Ok(Some(listing.children)),
        }
    }

    fn listings(&self, asked: &[Asked]) -> Vec<Listing> {
        let mut places = Vec::with_capacity(asked.len());
        let mut answers: Vec<Option<Listing>> = Vec::with_capacity(asked.len());
        for one in asked {
            answers.push(match self.folder(&one.path) {
                Ok(Some(reference)) => {
                    places.push((one.path.clone(), reference, one.names.clone()));
                    None
                }
                Ok(None) => Some(Listing::default()),
                Err(error) => Some(Listing { children: Vec::new(), failed: Some(error) }),
            });
        }
        let mut listed = self.list(&places).into_iter();
        answers
            .into_iter()
            .map(|answer| answer.or_else(|| listed.next()).unwrap_or_default())
            .collect()
    }

    fn sweep(
        &self,
        limits: &Limits,
        visit: &mut dyn FnMut(Node) -> Flow,
    ) -> Result<Swept, PeelError> {
        let records = self.records.get_or_init(|| Records::read(&self.table, limits));
        let swept = walk(records, &self.table.geometry, visit);
        match &records.failed {
            Some(error) => Err(error.clone()),
            None => Ok(swept),
        }
    }

    fn content(&self, node: &Node) -> Result<Content, PeelError> {
        self.content_of(node, self.file(Reference::of_handle(node.handle)))
    }

    fn contents(&self, nodes: &[Node]) -> Vec<Result<Content, PeelError>> {
        let number = |node: &Node| Reference::of_handle(node.handle).number;
        let swept: Vec<Option<Arc<File>>> =
            nodes.iter().map(|node| self.swept(number(node))).collect();
        let missing: Vec<u64> = nodes
            .iter()
            .zip(&swept)
            .filter(|(_, file)| file.is_none())
            .map(|(node, _)| number(node))
            .collect();
        let mut read = self.files(&missing).into_iter();
        let content = |(node, file): (&Node, Option<Arc<File>>)| {
            let file = file.map(Ok).or_else(|| read.next());
            self.content_of(node, file.unwrap_or_else(|| Err(reused(number(node)))))
        };
        nodes.iter().zip(swept).map(content).collect()
    }
}

/// The file, unless its record is another's by now.
fn current(file: Arc<File>, reference: Reference) -> Result<Arc<File>, PeelError> {
    if file.reference.sequence == reference.sequence {
        Ok(file)
    } else {
        Err(reused(reference.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filesystem::face::Format as _;
    use crate::filesystem::ntfs::Ntfs;
    use lidless_io::FileBytes;
    use std::collections::{BTreeMap, BTreeSet};

    fn opened(image: &str) -> Option<Arc<dyn FileSystem>> {
        let path = lidless_kit::fixture(&format!("ntfs/{image}.img"))?;
        let bytes = Arc::new(FileBytes::open(&path).unwrap());
        Some(Ntfs.open(bytes, &Limits::default()).unwrap())
    }

    #[test]
    fn directories_list_what_a_sweep_finds() {
        for image in ["made", "made4k", "small", "usual", "large"] {
            let Some(files) = opened(image) else { return };
            let mut swept: BTreeMap<String, BTreeSet<(String, u64, bool)>> = BTreeMap::new();
            let mut folders = vec![String::new()];
            let is_directory = |node: &Node| node.kind == NodeKind::Directory;
            files
                .sweep(&Limits::default(), &mut |node| {
                    let name = node.path.rsplit('/').next().unwrap_or("");
                    let is_stream = name.contains(':') && name != "a:b";
                    if node.deleted || is_stream {
                        return Flow::Continue;
                    }
                    if is_directory(&node) {
                        folders.push(node.path.clone());
                    }
                    let folder = node.path.rsplit_once('/').map_or("", |(folder, _)| folder);
                    let names = swept.entry(folder.to_owned()).or_default();
                    names.insert((node.path.clone(), node.handle, is_directory(&node)));
                    Flow::Continue
                })
                .unwrap();
            // Without what the sweep learned, and one after the other as well as all in one go.
            let files = opened(image).unwrap();
            let asked: Vec<Asked> =
                folders.iter().map(|path| Asked { path: path.clone(), names: None }).collect();
            for (folder, listing) in folders.iter().zip(files.listings(&asked)) {
                assert_eq!(listing.failed, None, "{image}: {folder}");
                let single = files.directory(&folder.to_uppercase()).unwrap().unwrap();
                assert_eq!(single.len(), listing.children.len());
                let listed: BTreeSet<_> = listing
                    .children
                    .iter()
                    .map(|node| (node.path.clone(), node.handle, is_directory(node)))
                    .collect();
                let expected = swept.remove(folder).unwrap_or_default();
                assert!(listed == expected, "{image}: {folder}");
                // Every name by itself.
                for (path, handle, _) in expected.iter().step_by(expected.len() / 40 + 1) {
                    let name = path.rsplit('/').next().unwrap().to_uppercase();
                    let asked = Asked { path: folder.clone(), names: Some(vec![name]) };
                    let found = files.listings(&[asked]).pop().unwrap();
                    assert!(found.children.iter().any(|node| node.handle == *handle), "{path}");
                }
            }
            assert!(swept.is_empty(), "{image}: {swept:?}");
            assert_eq!(files.directory("Windows/none").unwrap(), None);
        }
    }
}
