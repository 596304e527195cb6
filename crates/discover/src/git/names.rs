//! What the trees of commits hold: the name of every blob and who brought it first.

use super::commits::Commits;
use super::trees::{TreeEntry, Trees};
use crate::found::DiscoverOptions;
use foldhash::quality::RandomState;
use gix::ObjectId;
use gix::objs::{Kind, tree::EntryKind};
use lidless_core::Gap;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::sync::Arc;

/// Trees nested deeper than this were built to exhaust, not to be checked out.
const TREE_DEPTH: usize = 256;
/// Submodules listed of a whole history.
const SUBMODULES: usize = 1000;

/// A blob and the commit that first brought it.
pub(super) struct Blob {
    pub(super) id: ObjectId,
    pub(super) path: Arc<str>,
    /// Its position in the order of commits; none when no commit that is known holds it.
    pub(super) commit: Option<u32>,
}

/// What is known of a history before any blob is read.
#[derive(Default)]
pub(super) struct History {
    pub(super) blobs: Vec<Blob>,
    pub(super) gaps: Vec<Gap>,
    /// The commit of each submodule, by its path; of the newest tree that has it.
    pub(super) submodules: BTreeMap<String, ObjectId>,
    /// Whether a partial clone is meant to miss objects.
    pub(super) partial: bool,
    /// Objects that the partial clone misses.
    pub(super) missing: u64,
    /// Blobs that the user left out, by reason.
    pub(super) skipped: BTreeMap<String, u64>,
}

impl History {
    /// Counts an object that a partial clone left out, or adds the gap of one that is broken.
    pub(super) fn lost(
        &mut self,
        repository: &gix::Repository,
        id: ObjectId,
        gap: impl FnOnce() -> Gap,
    ) {
        if self.partial && !gix::objs::Exists::exists(&repository.objects, &id) {
            self.missing = self.missing.saturating_add(1);
        } else {
            self.gaps.push(gap());
        }
    }
}

/// The place of a repository as a whole.
pub(super) fn place(name: &str) -> String {
    format!("{}{name}", if name.contains("://") { "git+" } else { "git+file://" })
}

/// Ids are not trusted to be spread evenly.
pub(super) type HashSet<T> = std::collections::HashSet<T, RandomState>;

/// Trees and blobs met so far.
#[derive(Default)]
pub(super) struct Seen {
    /// Where paths decide, the same folder at another path is another one.
    by_path: bool,
    trees: HashSet<(ObjectId, u64)>,
    /// The same of trees that are in `known`, by their position there, where no path decides.
    met: Vec<bool>,
    /// Every path that a blob was found at, once: files have many versions.
    paths: std::collections::HashSet<Arc<str>, RandomState>,
    /// Blobs that were met only where the user left them out.
    left_out: HashSet<ObjectId>,
    pub(super) blobs: HashSet<ObjectId>,
    buffer: Vec<u8>,
    /// The trees of the packs, when all of them are asked for.
    known: Option<Arc<Trees>>,
    /// Entries of those that have nothing new in any tree, by their number.
    done: Vec<bool>,
}

/// A folder that is still to be looked into.
struct Folder {
    id: ObjectId,
    /// Where it stands among the trees that are known.
    position: Option<usize>,
    path: String,
    depth: usize,
}

/// What an entry of a tree turned out to be.
enum Step {
    /// Whatever tree it stands in, it has nothing new.
    Done,
    /// It may have.
    Again,
}

impl Seen {
    pub(super) fn new(options: &DiscoverOptions) -> Self {
        Self { by_path: options.leaves_out(), ..Self::default() }
    }

    /// Takes trees from there where they are there.
    pub(super) fn with(mut self, trees: Option<&Arc<Trees>>) -> Self {
        self.done = vec![false; trees.map_or(0, |trees| trees.count())];
        self.met = vec![false; trees.map_or(0, |trees| trees.positions())];
        self.known = trees.cloned();
        self
    }

    fn path_hash(&self, prefix: &str) -> u64 {
        if !self.by_path {
            return 0;
        }
        let mut hasher = DefaultHasher::new();
        prefix.hash(&mut hasher);
        hasher.finish()
    }

    fn position(&self, tree: &gix::oid) -> Option<usize> {
        self.known.as_ref()?.position(tree)
    }

    fn met(&self, tree: ObjectId, position: Option<usize>, prefix: &str) -> bool {
        match position.filter(|_| !self.by_path) {
            Some(at) => self.met.get(at).copied().unwrap_or(false),
            None => self.trees.contains(&(tree, self.path_hash(prefix))),
        }
    }

    /// Notes a tree; says whether it was not met before.
    fn meet(&mut self, tree: ObjectId, position: Option<usize>, prefix: &str) -> bool {
        match position.filter(|_| !self.by_path).and_then(|at| self.met.get_mut(at)) {
            Some(met) => !std::mem::replace(met, true),
            None => {
                let path = self.path_hash(prefix);
                self.trees.insert((tree, path))
            }
        }
    }

    /// Adds every blob of the commits, and not those of commits that were not asked for.
    pub(super) fn all(
        &mut self,
        repository: &gix::Repository,
        name: &str,
        commits: &Commits,
        options: &DiscoverOptions,
        history: &mut History,
    ) {
        for id in &commits.boundary {
            if let Some(tree) = tree_of(repository, *id) {
                self.walk(repository, tree, &mut |_, _| {}, &mut |_, _, _| {}, &mut |_, _| true);
            }
        }
        for (number, commit) in commits.order.iter().enumerate() {
            let number = u32::try_from(number).ok();
            self.add(
                repository,
                name,
                commit.tree,
                &commit.id.to_string(),
                number,
                options,
                history,
            );
        }
        for (id, kind) in &commits.bare {
            match kind {
                Kind::Tree => self.add(repository, name, *id, "", None, options, history),
                Kind::Blob if self.blobs.insert(*id) => {
                    let path = format!("objects/{id}").into();
                    history.blobs.push(Blob { id: *id, path, commit: None });
                }
                _ => {}
            }
        }
    }

    /// Adds what lies there and no commit reaches: trees that no other one names first.
    pub(super) fn rest(
        &mut self,
        repository: &gix::Repository,
        name: &str,
        trees: &[ObjectId],
        blobs: &[ObjectId],
        options: &DiscoverOptions,
        history: &mut History,
    ) {
        let trees: Vec<ObjectId> =
            trees.iter().filter(|id| !self.met(**id, self.position(id), "")).copied().collect();
        let mut named = HashSet::default();
        for id in &trees {
            let mut buffer = Vec::new();
            let found = gix::prelude::FindExt::find_tree_iter(&repository.objects, id, &mut buffer);
            for entry in found.into_iter().flatten().flatten() {
                if entry.mode.is_tree() {
                    named.insert(entry.oid.to_owned());
                }
            }
        }
        let (below, top): (Vec<ObjectId>, Vec<ObjectId>) =
            trees.into_iter().partition(|id| named.contains(id));
        for id in top.into_iter().chain(below) {
            self.add(repository, name, id, "", None, options, history);
        }
        for id in blobs {
            if self.blobs.insert(*id) {
                let path = format!("objects/{id}").into();
                history.blobs.push(Blob { id: *id, path, commit: None });
            }
        }
    }

    /// Adds what a tree holds and was not met before.
    #[expect(clippy::too_many_arguments, reason = "one place calls a tree by all its names")]
    pub(super) fn add(
        &mut self,
        repository: &gix::Repository,
        name: &str,
        tree: ObjectId,
        commit: &str,
        number: Option<u32>,
        options: &DiscoverOptions,
        history: &mut History,
    ) {
        let mut blobs = Vec::new();
        let mut left_out = std::mem::take(&mut self.left_out);
        let skipped = &mut history.skipped;
        let mut lost = Vec::new();
        let mut submodules = Vec::new();
        self.walk(
            repository,
            tree,
            &mut |id, path| submodules.push((path, id)),
            &mut |prefix, id, breaks_off| lost.push((prefix, id, breaks_off)),
            &mut |id, path| {
                // The same content at another path is looked into there.
                let reason = options.left_out(Path::new(&path));
                if let Some(reason) = reason {
                    if left_out.insert(id) {
                        let count = skipped.entry(reason).or_default();
                        *count = count.saturating_add(1);
                    }
                    return false;
                }
                blobs.push((id, path));
                true
            },
        );
        self.left_out = left_out;
        for (id, path) in blobs {
            let path = match self.paths.get(path.as_str()) {
                Some(known) => Arc::clone(known),
                None => {
                    let path: Arc<str> = path.into();
                    self.paths.insert(Arc::clone(&path));
                    path
                }
            };
            history.blobs.push(Blob { id, path, commit: number });
        }
        for (path, id) in submodules {
            let room = history.submodules.len() < SUBMODULES;
            if room || history.submodules.contains_key(&path) {
                history.submodules.insert(path, id);
            }
        }
        for (prefix, id, breaks_off) in lost {
            let at = format!("{}@{commit}:{prefix}", place(name));
            if breaks_off {
                let reason = "a folder of the history that breaks off";
                history.gaps.push(Gap::new(at, reason, None));
            } else {
                history.lost(repository, id, || {
                    Gap::new(at, "a folder of the history that is missing or broken", None)
                });
            }
        }
    }

    /// Calls for every blob and submodule below a tree that was not met before; a blob counts as
    /// met when the call says so.
    fn walk(
        &mut self,
        repository: &gix::Repository,
        root: ObjectId,
        submodule: &mut dyn FnMut(ObjectId, String),
        lost: &mut dyn FnMut(String, ObjectId, bool),
        blob: &mut dyn FnMut(ObjectId, String) -> bool,
    ) {
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut list = Vec::new();
        let position = self.position(&root);
        let mut stack = vec![Folder { id: root, position, path: String::new(), depth: 0 }];
        while let Some(Folder { id, position, path: prefix, depth }) = stack.pop() {
            if !self.meet(id, position, &prefix) {
                continue;
            }
            let trees = self.known.clone();
            let known = trees.as_ref().filter(|trees| {
                position.and_then(|position| trees.list(position, &mut list)).is_some()
            });
            if let Some(trees) = known {
                for number in &list {
                    let at = usize::try_from(*number).unwrap_or(usize::MAX);
                    if self.done.get(at).copied().unwrap_or(false) {
                        continue;
                    }
                    let Some(entry) = trees.entry(*number) else { continue };
                    let step = self.step((&prefix, depth), &entry, &mut stack, submodule, blob);
                    if let (Step::Done, Some(done)) = (step, self.done.get_mut(at)) {
                        *done = true;
                    }
                }
                continue;
            }
            let found =
                gix::prelude::FindExt::find_tree_iter(&repository.objects, &id, &mut buffer);
            let Ok(tree) = found else {
                lost(prefix, id, false);
                continue;
            };
            for entry in tree {
                let Ok(entry) = entry else {
                    lost(prefix.clone(), id, true);
                    break;
                };
                let (kind, name, id) = (entry.mode.kind(), entry.filename, entry.oid.to_owned());
                let entry = TreeEntry { kind, name, id };
                self.step((&prefix, depth), &entry, &mut stack, submodule, blob);
            }
        }
        self.buffer = buffer;
    }

    /// Looks at one entry of the tree at a path: a folder is put on the stack.
    fn step(
        &mut self,
        (prefix, depth): (&str, usize),
        entry: &TreeEntry<'_>,
        stack: &mut Vec<Folder>,
        submodule: &mut dyn FnMut(ObjectId, String),
        blob: &mut dyn FnMut(ObjectId, String) -> bool,
    ) -> Step {
        // Most entries were met before: their names are not even made.
        let name = || format!("{prefix}{}", String::from_utf8_lossy(entry.name));
        match entry.kind {
            EntryKind::Tree => {
                // Where only the tree counts, not even its name is made.
                let (id, position) = (entry.id, self.position(&entry.id));
                if !self.by_path && self.met(id, position, "") {
                    return Step::Done;
                }
                if depth < TREE_DEPTH {
                    let path = format!("{}/", name());
                    stack.push(Folder { id, position, path, depth: depth.saturating_add(1) });
                }
                Step::Again
            }
            // A submodule is another repository.
            EntryKind::Commit => {
                submodule(entry.id, name());
                Step::Again
            }
            EntryKind::Blob | EntryKind::BlobExecutable | EntryKind::Link => {
                if self.blobs.contains(&entry.id) {
                    return Step::Done;
                }
                if blob(entry.id, name()) {
                    self.blobs.insert(entry.id);
                    return Step::Done;
                }
                Step::Again
            }
        }
    }
}

/// The tree of a commit.
pub(super) fn tree_of(repository: &gix::Repository, commit: ObjectId) -> Option<ObjectId> {
    let mut buffer = Vec::new();
    let found = gix::prelude::FindExt::find_commit_iter(&repository.objects, &commit, &mut buffer);
    found.ok()?.tree_id().ok()
}

/// The blobs of one commit.
pub(super) fn blobs_of(
    repository: &gix::Repository,
    trees: Option<&Arc<Trees>>,
    commit: ObjectId,
) -> HashSet<ObjectId> {
    let mut seen = Seen::default().with(trees);
    if let Some(tree) = tree_of(repository, commit) {
        seen.walk(repository, tree, &mut |_, _| {}, &mut |_, _, _| {}, &mut |_, _| true);
    }
    seen.blobs
}
