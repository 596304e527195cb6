//! File systems whose names lie in directories: walked breadth first, many directories at once.

use super::face::{Content, FileSystem, Flow, Node};
use crate::error::PeelError;
use lidless_core::Limits;
use lidless_io::{Extent, Extents, ReadAt, read_merged};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How many bytes of directories one step reads, and how many directories.
const STEP_BYTES: u64 = 8 << 20;
const STEP_FOLDERS: usize = 1_024;
/// Longer paths than any system allows are a loop or a trick.
const PATH_BYTES: usize = 4_096;
/// Directories take a small part of a volume; they are read twice at most, but for those that
/// are looked up again.
const ALL_BYTES: u64 = 16 << 30;
const FREE_BYTES: u64 = 128 << 20;
const TOO_MUCH: &str = "directories larger than their volume can have";
/// How many names of directories that were asked for one by one are kept.
const KEPT: usize = 100_000;

/// A name in a directory.
#[derive(Debug, Clone)]
pub(super) struct Child<F> {
    /// Its `path` is the name alone here.
    pub(super) node: Node,
    /// What leads into it, when it is a directory that can be entered.
    pub(super) folder: Option<F>,
}

/// What one directory held.
#[derive(Debug, Clone)]
pub(super) struct Listed<F> {
    /// Its names.
    pub(super) children: Vec<Child<F>>,
    /// What of it did not parse, in words that count together.
    pub(super) malformed: Vec<&'static str>,
    /// What of it was not seen, in words that count together.
    pub(super) gaps: Vec<&'static str>,
    /// What kept it from being read, or read to its end.
    pub(super) failed: Option<PeelError>,
}

impl<F> Default for Listed<F> {
    fn default() -> Self {
        Self { children: Vec::new(), malformed: Vec::new(), gaps: Vec::new(), failed: None }
    }
}

impl<F> Listed<F> {
    /// A directory of which nothing could be read.
    pub(super) fn failed(error: impl Into<PeelError>) -> Self {
        Self { failed: Some(error.into()), ..Self::default() }
    }
}

/// A file system with directories.
pub(super) trait Tree: Send + Sync {
    /// What leads into a directory.
    type Folder: Clone + Send + Sync;

    /// The volume's label.
    fn label(&self) -> Option<String>;
    /// The root directory.
    fn root(&self) -> Self::Folder;
    /// The same for the same directory, and in the order of the disk.
    fn key(&self, folder: &Self::Folder) -> u64;
    /// About how many bytes listing it reads.
    fn weight(&self, folder: &Self::Folder) -> u64;
    /// The bytes of the volume, when directories are read from it: what is read of them altogether
    /// is bounded by that, so that directories that lie in each other cost no more.
    fn volume_bytes(&self) -> Option<u64> {
        None
    }
    /// Lists directories, in the order given, in as few reads as it takes.
    fn list(&self, folders: &[Self::Folder]) -> Vec<Listed<Self::Folder>>;
    /// Whether two names are the same to the file system.
    fn same(&self, one: &str, other: &str) -> bool;
    /// See [`FileSystem::content`].
    fn content(&self, node: &Node) -> Result<Content, PeelError>;
    /// What lies on the volume beside its directories; asked when all of those were listed. The
    /// paths are whole.
    fn beside(&self) -> Vec<Node> {
        Vec::new()
    }
    /// What of the whole volume is not seen, in words that count together.
    fn gaps(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Where a directory lies.
#[derive(Debug, Clone)]
pub(super) struct Lies {
    /// Half-open ranges of the volume, in order.
    pub(super) ranges: Vec<Range<u64>>,
    /// Whether that is all of it.
    pub(super) whole: bool,
}

/// Lists directories of which it is known, or cheap to learn, where they lie: what lies close
/// together is read at once. A place that cannot be read spoils its own directory only.
pub(super) fn list_each<F: Copy>(
    volume: &dyn ReadAt,
    folders: &[F],
    lies: impl Fn(F) -> Result<Lies, PeelError>,
    parse: impl Fn(F, &Lies, &[u8]) -> Listed<F>,
) -> Vec<Listed<F>> {
    let mut answers = Vec::with_capacity(folders.len());
    let mut waiting: Vec<(F, Result<Lies, PeelError>)> = Vec::new();
    let mut held = 0u64;
    for (number, folder) in folders.iter().enumerate() {
        let lies = lies(*folder);
        if let Ok(lies) = &lies {
            let bytes = lies.ranges.iter().map(|range| range.end.saturating_sub(range.start));
            held = held.saturating_add(bytes.sum());
        }
        waiting.push((*folder, lies));
        if held < STEP_BYTES && number.saturating_add(1) < folders.len() {
            continue;
        }
        held = 0;
        let wanted: Vec<Range<u64>> = waiting
            .iter()
            .filter_map(|(_, lies)| lies.as_ref().ok())
            .flat_map(|lies| lies.ranges.iter().cloned())
            .collect();
        let read = read_merged(volume, &wanted).ok();
        let mut next = 0usize;
        for (folder, lies) in waiting.drain(..) {
            let lies = match lies {
                Ok(lies) => lies,
                Err(error) => {
                    answers.push(Listed::failed(error));
                    continue;
                }
            };
            let end = next.saturating_add(lies.ranges.len());
            let own = match &read {
                Some(read) => Ok(read.get(next..end).unwrap_or(&[]).to_vec()),
                None => read_merged(volume, &lies.ranges),
            };
            next = end;
            answers.push(match own {
                Ok(parts) => parse(folder, &lies, &parts.concat()),
                Err(error) => Listed::failed(error),
            });
        }
    }
    answers
}

/// The content that `extents` of `volume` hold.
///
/// # Errors
/// `Closed` when some of it would lie behind the end of the volume: an image that was cut.
pub(super) fn within(extents: Extents, volume: &dyn ReadAt) -> Result<Content, PeelError> {
    let end = volume.len();
    let is_out = |piece: &Extent| {
        piece.source.is_some_and(|source| source.saturating_add(piece.length) > end)
    };
    if extents.pieces().iter().any(is_out) {
        return Err(PeelError::Closed("a file past the end of its volume".into()));
    }
    Ok(Content::Extents(extents))
}

type Kept<F> = HashMap<String, Arc<Vec<Child<F>>>>;

/// A [`Tree`] as a file system.
pub(super) struct Walk<T: Tree> {
    tree: T,
    kept: Mutex<Kept<T::Folder>>,
    /// Bytes of directories that may still be read.
    left: AtomicU64,
}

impl<T: Tree> Walk<T> {
    pub(super) fn new(tree: T) -> Self {
        let most = tree.volume_bytes().map_or(u64::MAX, |bytes| {
            bytes.saturating_mul(4).min(ALL_BYTES).saturating_add(FREE_BYTES)
        });
        Self { tree, kept: Mutex::new(HashMap::new()), left: AtomicU64::new(most) }
    }

    /// Takes the bytes of directories from what may be read; false when that is too much.
    fn spend(&self, folders: &[T::Folder]) -> bool {
        let bytes =
            folders.iter().fold(0u64, |sum, folder| sum.saturating_add(self.tree.weight(folder)));
        let take = |left: u64| if left == u64::MAX { Some(left) } else { left.checked_sub(bytes) };
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    fn children(&self, path: &str, folder: &T::Folder) -> Result<Kids<T>, PeelError> {
        let kept = |kept: &Kept<T::Folder>| kept.get(path).cloned();
        if let Some(known) = kept(&self.kept.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(known);
        }
        if !self.spend(std::slice::from_ref(folder)) {
            return Err(PeelError::Limit(TOO_MUCH));
        }
        let listed = self.tree.list(std::slice::from_ref(folder)).pop().unwrap_or_default();
        if let Some(error) = listed.failed.filter(|_| listed.children.is_empty()) {
            return Err(error);
        }
        let mut children = listed.children;
        children.retain(|child| !child.node.deleted);
        children.retain_mut(|child| clean(&mut child.node.path));
        let children = Arc::new(children);
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if all.values().map(|names| names.len()).sum::<usize>() > KEPT {
            all.clear();
        }
        all.insert(path.to_owned(), Arc::clone(&children));
        Ok(children)
    }
}

type Kids<T> = Arc<Vec<Child<<T as Tree>::Folder>>>;

/// Makes a name one part of a path; false for the names of a directory itself and of the one
/// above it.
fn clean(name: &mut String) -> bool {
    if name.contains(['/', '\0']) {
        *name = name.replace(['/', '\0'], "_");
    }
    if name.is_empty() {
        name.push('_');
    }
    name != "." && name != ".."
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") }
}

impl<T: Tree> FileSystem for Walk<T> {
    fn label(&self) -> Option<String> {
        self.tree.label()
    }

    fn directory(&self, path: &str) -> Result<Option<Vec<Node>>, PeelError> {
        let mut folder = self.tree.root();
        let mut at = String::new();
        let mut children = self.children(&at, &folder)?;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let found = children.iter().find_map(|child| {
                let inner = child.folder.as_ref()?;
                self.tree.same(&child.node.path, part).then(|| (child.node.path.clone(), inner))
            });
            let Some((name, inner)) = found else { return Ok(None) };
            at = below(&at, &name);
            if at.len() > PATH_BYTES {
                return Ok(None);
            }
            folder = inner.clone();
            children = self.children(&at, &folder)?;
        }
        let nodes = children.iter().map(|child| {
            let path = below(&at, &child.node.path);
            Node { path, ..child.node.clone() }
        });
        Ok(Some(nodes.collect()))
    }

    fn sweep(
        &self,
        limits: &Limits,
        visit: &mut dyn FnMut(Node) -> Flow,
    ) -> Result<super::face::Swept, PeelError> {
        let mut malformed: BTreeMap<String, u64> = BTreeMap::new();
        let mut gaps: BTreeSet<String> = self.tree.gaps().into_iter().collect();
        let mut broken: Option<PeelError> = None;
        let root = self.tree.root();
        let mut entered = HashSet::from([self.tree.key(&root)]);
        let mut level = vec![(String::new(), false, root)];
        let mut count = 0u64;
        'walk: while !level.is_empty() {
            level.sort_by_key(|(_, _, folder)| self.tree.key(folder));
            let mut next = Vec::new();
            let mut rest = level.as_slice();
            while !rest.is_empty() {
                let mut bytes = 0u64;
                let fits = |(_, _, folder): &&(String, bool, T::Folder)| {
                    bytes = bytes.saturating_add(self.tree.weight(folder));
                    bytes <= STEP_BYTES
                };
                let step = rest.iter().take(STEP_FOLDERS).take_while(fits).count().max(1);
                let (now, after) = rest.split_at_checked(step).unwrap_or((rest, &[]));
                rest = after;
                let folders: Vec<T::Folder> =
                    now.iter().map(|(_, _, folder)| folder.clone()).collect();
                if !self.spend(&folders) {
                    gaps.insert(TOO_MUCH.into());
                    break 'walk;
                }
                let listed = self.tree.list(&folders);
                for ((path, deleted, _), listed) in now.iter().zip(listed) {
                    for what in listed.malformed {
                        let times = malformed.entry(what.to_owned()).or_default();
                        *times = times.saturating_add(1);
                    }
                    gaps.extend(listed.gaps.into_iter().map(str::to_owned));
                    match listed.failed {
                        Some(PeelError::Malformed { format, .. }) if !path.is_empty() => {
                            let what = format!("{format} directory that is malformed");
                            let times = malformed.entry(what).or_default();
                            *times = times.saturating_add(1);
                        }
                        Some(error) => broken = broken.or(Some(error)),
                        None => {}
                    }
                    for Child { mut node, folder } in listed.children {
                        if !clean(&mut node.path) {
                            continue;
                        }
                        node.path = below(path, &node.path);
                        if node.path.len() > PATH_BYTES {
                            gaps.insert("paths longer than the limit".into());
                            continue;
                        }
                        node.deleted |= *deleted;
                        if let Some(folder) = folder {
                            if !entered.insert(self.tree.key(&folder)) {
                                let what = "a directory that stands in several places".to_owned();
                                if !node.deleted {
                                    let times = malformed.entry(what).or_default();
                                    *times = times.saturating_add(1);
                                }
                            } else {
                                next.push((node.path.clone(), node.deleted, folder));
                            }
                        }
                        count = count.saturating_add(1);
                        // One more than the limit is shown, so that who counts says so.
                        if visit(node) == Flow::Stop || count > limits.members {
                            break 'walk;
                        }
                    }
                }
            }
            level = next;
            if level.is_empty() {
                for node in self.tree.beside() {
                    if visit(node) == Flow::Stop {
                        break;
                    }
                }
            }
        }
        match broken {
            Some(error) => Err(error),
            None => Ok(super::face::Swept {
                malformed: malformed.into_iter().collect(),
                gaps: gaps.into_iter().collect(),
            }),
        }
    }

    fn content(&self, node: &Node) -> Result<Content, PeelError> {
        self.tree.content(node)
    }
}
