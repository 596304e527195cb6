//! The files of a volume.

use super::forks::{Forks, Which};
use super::layout::{HFS, Header};
use super::records::{File, Named, ROOT, What, compression};
use super::sweep::{Catalog, DIRECTORIES, FILES};
use super::tree::Tree;
use crate::error::PeelError;
use crate::filesystem::decmpfs::Compression;
use crate::filesystem::face::{Content, FileSystem, Flow, Node, NodeKind, Swept};
use crate::filesystem::folders::join;
use lidless_core::Limits;
use lidless_io::number::{index, u16_be, u32_be};
use lidless_io::{ReadAt, read_exact_vec};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The catalog's and the attributes' own numbers.
const CATALOG: u32 = 4;
const ATTRIBUTES: u32 = 8;
/// A handle is the number of a file, with this for its resource fork.
const RESOURCES: u64 = 1 << 32;
/// The largest attribute that holds a file.
const ATTRIBUTE: u64 = 1 << 20;

/// A file that was named.
#[derive(Clone)]
struct Known {
    file: File,
    /// How it is compressed, and where the attribute that says so stands.
    packed: Option<(Compression, u64, u64)>,
}

/// An opened volume.
pub(super) struct Files {
    forks: Forks,
    catalog: Tree,
    attributes: Option<Tree>,
    /// There are attributes, and they could not be opened.
    unread: bool,
    dirty: bool,
    known: Mutex<HashMap<u32, Known>>,
}

impl Files {
    pub(super) fn open(volume: Arc<dyn ReadAt>, header: &Header) -> Result<Self, PeelError> {
        let forks = Forks::new(volume, header);
        let catalog = Tree::open(forks.open(CATALOG, Which::Data, &header.catalog)?)?;
        // Without attributes everything but compressed files is still there.
        let attributes = if header.attributes.length > 0 {
            let fork = forks.open(ATTRIBUTES, Which::Data, &header.attributes);
            fork.and_then(Tree::open).map(Some)
        } else {
            Ok(None)
        };
        let unread = attributes.is_err();
        Ok(Self {
            forks,
            catalog,
            attributes: attributes.unwrap_or_default(),
            unread,
            dirty: header.dirty_journal,
            known: Mutex::default(),
        })
    }

    fn known(&self) -> MutexGuard<'_, HashMap<u32, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The names in a directory.
    fn children(&self, parent: u32) -> Result<Vec<Named>, PeelError> {
        let mut found = Vec::new();
        let order = |key: &[u8]| u32_be(key, 0).unwrap_or(0).cmp(&parent);
        self.catalog.search(&order, &mut |record| {
            found.extend(Named::parse(&record));
        })?;
        Ok(found)
    }

    /// The name of ASCII letters in a directory.
    fn child(&self, parent: u32, name: &str) -> Result<Option<Named>, PeelError> {
        let mut found = None;
        let wanted: Vec<u16> = name.to_ascii_lowercase().encode_utf16().collect();
        let order = |key: &[u8]| {
            let own = u32_be(key, 0).unwrap_or(0).cmp(&parent);
            own.then_with(|| {
                let units = key.get(6..).unwrap_or(&[]).chunks_exact(2);
                let lower = units.filter_map(|two| u16_be(two, 0)).map(|unit| match unit {
                    0x41..=0x5a => unit | 0x20,
                    _ => unit,
                });
                lower.cmp(wanted.iter().copied())
            })
        };
        self.catalog.search(&order, &mut |record| {
            found = Named::parse(&record).or(found.take());
        })?;
        Ok(found)
    }

    /// What a private folder of the root holds under a name.
    fn private(&self, folder: &str, name: &str) -> Result<Option<Named>, PeelError> {
        let folder = self.children(ROOT)?.into_iter().find(|named| named.name == folder);
        match folder {
            Some(folder) => self.child(folder.id, name),
            None => Ok(None),
        }
    }

    fn descend(&self, path: &str) -> Result<Option<u32>, PeelError> {
        let mut id = ROOT;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let children = self.children(id)?;
            let lower = part.to_lowercase();
            let is_it = |named: &&Named| named.name == part;
            let folded = |named: &&Named| named.name.to_lowercase() == lower;
            let exact = children.iter().find(is_it);
            let found =
                exact.or_else(|| children.iter().find(folded).filter(|_| !self.catalog.exact));
            id = match found.map(|named| (&named.what, named.id)) {
                Some((What::Directory, id)) => id,
                Some((What::DirectoryLink(number), _)) => {
                    match self.private(DIRECTORIES, &format!("dir_{number}"))? {
                        Some(Named { what: What::Directory, id, .. }) => id,
                        _ => return Ok(None),
                    }
                }
                _ => return Ok(None),
            };
        }
        Ok(Some(id))
    }

    /// How one file is compressed.
    fn compression_of(&self, file: u32) -> Option<(Compression, u64, u64)> {
        let mut found = None;
        let order = |key: &[u8]| u32_be(key, 2).unwrap_or(0).cmp(&file);
        let search = self.attributes.as_ref()?.search(&order, &mut |record| {
            if let Some((_, how, at, length)) = compression(&record) {
                found = Some((how, at, length));
            }
        });
        search.ok().and(found)
    }

    /// The nodes of a file: its content, and its resource fork where that says more.
    fn nodes(&self, path: String, named: &Named, id: u32, known: &Known) -> Vec<Node> {
        let Known { file, packed } = known;
        let size = packed.map_or(file.data.length, |(how, _, _)| how.size);
        let in_fork = packed.is_some_and(|(how, _, _)| how.is_in_fork());
        let place = if in_fork { &file.resources } else { &file.data };
        let place = if packed.is_some() && !in_fork { 0 } else { place.place(self.forks.block()) };
        let node = Node {
            path,
            kind: NodeKind::File,
            size,
            modified: named.modified,
            deleted: false,
            handle: u64::from(id),
            place,
        };
        let mut nodes = Vec::with_capacity(1);
        if file.resources.length > 0 && !in_fork {
            nodes.push(Node {
                path: format!("{}:rsrc", node.path),
                size: file.resources.length,
                handle: node.handle | RESOURCES,
                place: file.resources.place(self.forks.block()),
                ..node.clone()
            });
        }
        nodes.push(node);
        nodes
    }

    fn other(path: String, named: &Named, kind: NodeKind) -> Node {
        Node {
            path,
            kind,
            size: 0,
            modified: named.modified,
            deleted: false,
            handle: u64::from(named.id),
            place: 0,
        }
    }
}

impl FileSystem for Files {
    fn label(&self) -> Option<String> {
        let root = self.children(1).ok()?.into_iter().find(|named| named.id == ROOT)?;
        Some(root.name).filter(|name| !name.is_empty())
    }

    fn directory(&self, path: &str) -> Result<Option<Vec<Node>>, PeelError> {
        let Some(id) = self.descend(path)? else { return Ok(None) };
        let mut nodes = Vec::new();
        for named in self.children(id)? {
            if id == ROOT && (named.name == FILES || named.name == DIRECTORIES) {
                continue;
            }
            let whole = join(path, &named.name);
            let (file, own) = match &named.what {
                What::Directory | What::DirectoryLink(_) => {
                    nodes.push(Self::other(whole, &named, NodeKind::Directory));
                    continue;
                }
                What::Other => {
                    nodes.push(Self::other(whole, &named, NodeKind::Other));
                    continue;
                }
                What::File(file) => (file.clone(), named.id),
                What::FileLink(number) => match self.private(FILES, &format!("iNode{number}"))? {
                    Some(Named { what: What::File(file), id, .. }) => (file, id),
                    _ => continue,
                },
            };
            let packed = if file.compressed { self.compression_of(own) } else { None };
            let known = Known { file, packed };
            nodes.extend(self.nodes(whole, &named, own, &known));
            self.known().insert(own, known);
        }
        Ok(Some(nodes))
    }

    fn sweep(
        &self,
        limits: &Limits,
        visit: &mut dyn FnMut(Node) -> Flow,
    ) -> Result<Swept, PeelError> {
        let mut swept = Swept::default();
        if self.dirty {
            swept.gaps.push("the journal of an HFS+ volume, which was not replayed".into());
        }
        if self.unread {
            swept.gaps.push("the attributes of an HFS+ volume, which could not be read".into());
        }
        let mut catalog = Catalog::new();
        // One more than is wanted, so that the end of the list is seen to be cut.
        let most = index(limits.members).saturating_add(3);
        let mut unread = 0u64;
        let mut malformed = self.catalog.sweep(&mut |record| {
            match Named::parse(&record) {
                Some(named) => catalog.add(named),
                // Threads say again what names say.
                None if matches!(u16_be(record.data, 0), Some(3 | 4)) => {}
                None => unread = unread.saturating_add(1),
            }
            catalog.len() <= most
        })?;
        catalog.link();
        let mut packed: HashMap<u32, (Compression, u64, u64)> = HashMap::new();
        let any = catalog.names.iter().any(|named| match &named.what {
            What::File(file) => file.compressed,
            _ => false,
        });
        if let Some(attributes) = self.attributes.as_ref().filter(|_| any) {
            let more = attributes.sweep(&mut |record| {
                if let Some((file, how, at, length)) = compression(&record) {
                    packed.insert(file, (how, at, length));
                }
                packed.len() <= most
            });
            malformed = malformed.saturating_add(more.unwrap_or(1));
        }
        for (id, path, modified) in catalog.directories() {
            let named =
                Named { parent: 0, name: String::new(), id, modified, what: What::Directory };
            if visit(Self::other(path, &named, NodeKind::Directory)) == Flow::Stop {
                return Ok(swept);
            }
        }
        let (mut lost, mut bare) = (0u64, 0u64);
        let mut used: Vec<bool> = vec![false; catalog.names.len()];
        let mut names = std::mem::take(&mut catalog.names);
        // Linked files last: by then it is known which of them have a name.
        let (private, open): (Vec<usize>, Vec<usize>) = (0..names.len())
            .partition(|index| names.get(*index).is_some_and(|named| catalog.is_private(named)));
        for index in open.into_iter().chain(private) {
            let Some(named) = names.get_mut(index) else { continue };
            let in_private = catalog.is_private(named);
            // Only linked files are asked for again.
            let what = if in_private {
                named.what.clone()
            } else {
                std::mem::replace(&mut named.what, What::Other)
            };
            let Some(named) = names.get(index) else { continue };
            let Some(folder) = catalog.path(named.parent) else {
                lost = lost.saturating_add(1);
                continue;
            };
            let path = join(&folder, &named.name);
            let (file, own) = match what {
                What::Directory => continue,
                What::DirectoryLink(_) => {
                    if visit(Self::other(path, named, NodeKind::Directory)) == Flow::Stop {
                        return Ok(swept);
                    }
                    continue;
                }
                What::Other => {
                    if visit(Self::other(path, named, NodeKind::Other)) == Flow::Stop {
                        return Ok(swept);
                    }
                    continue;
                }
                What::File(file) => {
                    if used.get(index).copied().unwrap_or(false) {
                        continue;
                    }
                    (file, named.id)
                }
                What::FileLink(number) => {
                    let target = catalog.linked.get(&number).copied();
                    if let Some(slot) = target.and_then(|target| used.get_mut(target)) {
                        *slot = true;
                    }
                    match target.and_then(|target| names.get(target)) {
                        Some(Named { what: What::File(file), id, .. }) => (file.clone(), *id),
                        _ => {
                            lost = lost.saturating_add(1);
                            continue;
                        }
                    }
                }
            };
            let known =
                Known { packed: packed.get(&own).copied().filter(|_| file.compressed), file };
            let nodes = self.nodes(path, named, own, &known);
            let Known { file, packed } = &known;
            let lacks = file.compressed && packed.is_none() && file.data.length == 0;
            bare = bare.saturating_add(u64::from(lacks));
            self.known().insert(own, known);
            for mut node in nodes {
                // A linked file without a link was deleted while it was open.
                node.deleted = in_private;
                if visit(node) == Flow::Stop {
                    return Ok(swept);
                }
            }
        }
        for (what, times) in [
            ("an HFS+ catalog with nodes or records that are malformed", malformed),
            ("a record of an HFS+ catalog of unknown kind", unread),
            ("a file of HFS+ whose folder or target is missing", lost),
            ("a compressed file of HFS+ without the attribute that says how", bare),
        ] {
            swept.count(what, times);
        }
        Ok(swept)
    }

    fn content(&self, node: &Node) -> Result<Content, PeelError> {
        let id = u32::try_from(node.handle & u64::from(u32::MAX)).unwrap_or(0);
        let known = self.known().get(&id).cloned();
        let Some(Known { file, packed }) = known else {
            return Err(PeelError::malformed(HFS, 0, "a file that was listed", id));
        };
        if node.handle & RESOURCES != 0 {
            let fork = self.forks.open(id, Which::Resources, &file.resources)?;
            return Ok(Content::Extents(fork));
        }
        match (packed, &self.attributes) {
            (Some((how, _, _)), _) if how.is_in_fork() => {
                let fork = self.forks.open(id, Which::Resources, &file.resources)?;
                how.in_fork(Arc::new(fork))
            }
            (Some((how, at, length)), Some(attributes)) => {
                let value = read_exact_vec(attributes.bytes(), at, length.min(ATTRIBUTE))?;
                how.inline(&value)
            }
            _ => Ok(Content::Extents(self.forks.open(id, Which::Data, &file.data)?)),
        }
    }
}
