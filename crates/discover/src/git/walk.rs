//! From a repository to its content.

use super::commits::{self, Commits};
use super::names::{Blob, HashSet as IdSet, History, Seen, blobs_of, place, tree_of};
use super::origin::{Asked, GitOrigin};
use super::packs::Packs;
use super::submodules;
use super::tips::{self, Tips};
use super::trees::Trees;
use crate::error::DiscoverError;
use crate::folder;
use crate::found::{DiscoverOptions, Found, Summary};
use bytes::Bytes;
use gix::ObjectId;
use gix::objs::Kind;
use lidless_core::{Artifact, Entry, Gap, Layer, Provenance};
use lidless_io::{FileBytes, MemoryBytes, ReadAt as _, read_vec};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Files of the work tree up to this size are compared with the history by their hash.
const COMPARED_BYTES: u64 = 64 << 20;

/// From so many commits on, all trees are read at once.
const MANY_COMMITS: usize = 1000;

/// Everything of a repository that is read, by number: blobs, then commits, then tags.
struct Reading<'a> {
    name: &'a str,
    asked: Arc<Asked>,
    history: History,
    commits: Commits,
    tags: Vec<(ObjectId, Option<u32>)>,
    newest: IdSet<ObjectId>,
    /// Until everything is read.
    packs: Option<Packs>,
}

/// Walks a repository at `path`; `name` is how places call it.
///
/// # Errors
/// `Repository` when it cannot be opened, or when nothing of it can be read, or when a revision
/// that was asked for is none.
pub(crate) fn walk(
    path: &Path,
    name: &str,
    options: &DiscoverOptions,
    threads: usize,
    found: &(dyn Fn(Found) + Sync),
) -> Result<Summary, DiscoverError> {
    let failed = |reason: String| DiscoverError::Repository { path: name.to_owned(), reason };
    // Replaced objects are read as they are, and what replaces them through its reference.
    let open = gix::open::Options::isolated().config_overrides(["core.useReplaceRefs=false"]);
    let repository =
        gix::ThreadSafeRepository::open_opts(path, open).map_err(|e| failed(e.to_string()))?;
    let local = thread_local(&repository);
    let mut wrong = Vec::new();
    let options = &match local.workdir() {
        Some(root) => options.of_root(root, &place(name), &mut wrong),
        None => options.clone(),
    };
    let started = Instant::now();
    let mut reading = Reading::new(&local, name, options, &repository, threads).map_err(failed)?;
    tracing::debug!(seconds = started.elapsed().as_secs_f64(), "names of the history are read");
    let mut summary = Summary {
        container: place(name),
        gaps: wrong,
        skipped: std::mem::take(&mut reading.history.skipped),
        commits: u64::try_from(reading.commits.order.len()).unwrap_or(u64::MAX),
        blobs: u64::try_from(reading.history.blobs.len()).unwrap_or(u64::MAX),
        ..Summary::default()
    };
    let known: HashSet<ObjectId> = match local.workdir() {
        Some(_) => reading.history.blobs.iter().map(|blob| blob.id).collect(),
        None => HashSet::new(),
    };
    reading.read_all(&repository, options, threads, found, &mut summary);
    if reading.history.missing > 0 {
        let reason = "a partial clone: objects that are not here and were not fetched";
        let at = format!("{} ({} objects)", place(name), reading.history.missing);
        summary.gaps.push(Gap::new(at, reason, None));
    }
    summary.gaps.append(&mut reading.history.gaps);
    if let Some(root) = local.workdir().filter(|_| !options.git.is_part()) {
        let kind = local.object_hash();
        let files = folder::files(root, options, &mut summary);
        let same = |_: &Path, file: &FileBytes| is_known(&known, file, kind);
        folder::walk(root, &files, threads, &same, found, &mut summary);
    }
    Ok(summary)
}

/// A handle that does not look for new packs whenever an object is missing.
fn thread_local(repository: &gix::ThreadSafeRepository) -> gix::Repository {
    let mut local = repository.to_thread_local();
    local.objects.refresh_never();
    local
}

/// Whether a file of the work tree is one of the history's blobs.
fn is_known(known: &HashSet<ObjectId>, file: &FileBytes, kind: gix::hash::Kind) -> bool {
    if file.len() > COMPARED_BYTES {
        return false;
    }
    let Ok(content) = read_vec(file, 0, COMPARED_BYTES) else { return false };
    gix::objs::compute_hash(kind, Kind::Blob, &content).is_ok_and(|id| known.contains(&id))
}

/// Where objects lie: here, and in the repositories this one borrows from.
fn folders(repository: &gix::Repository) -> Vec<PathBuf> {
    let mut folders = vec![repository.objects.store_ref().path().to_owned()];
    folders.extend(repository.objects.store_ref().alternate_db_paths().unwrap_or_default());
    folders
}

/// Whether a clone was told to leave objects out: a pack of it says so.
fn is_partial(repository: &gix::Repository) -> bool {
    let Ok(entries) = std::fs::read_dir(repository.objects.store_ref().path().join("pack")) else {
        return false;
    };
    entries
        .filter_map(Result::ok)
        .any(|entry| Path::new(&entry.file_name()).extension().is_some_and(|e| e == "promisor"))
}

/// Objects that lie there, reached or not.
#[derive(Default)]
struct Lying {
    trees: Vec<ObjectId>,
    blobs: Vec<ObjectId>,
}

/// Lists every object; commits and tags among them become tips.
fn lying(repository: &gix::Repository, tips: &mut Tips) -> Lying {
    let mut lying = Lying::default();
    let mut tags: HashSet<ObjectId> = tips.tags.iter().map(|(tag, _)| *tag).collect();
    let mut commits = Vec::new();
    let mut once = HashSet::new();
    for id in repository.objects.iter().into_iter().flatten().flatten() {
        let Ok(header) = repository.find_header(id) else { continue };
        if !once.insert(id) {
            continue;
        }
        match header.kind() {
            Kind::Commit => commits.push(id),
            Kind::Tree => lying.trees.push(id),
            Kind::Blob => lying.blobs.push(id),
            Kind::Tag => {
                if tags.insert(id) {
                    let target = tips::tag_target(repository, id).unwrap_or(id);
                    tips.tags.push((id, target));
                }
            }
        }
    }
    commits.sort_unstable();
    tips.from.extend(commits);
    lying.trees.sort_unstable();
    lying.blobs.sort_unstable();
    lying
}

impl<'a> Reading<'a> {
    /// Reads commits and trees, not yet blobs.
    fn new(
        repository: &gix::Repository,
        name: &'a str,
        options: &DiscoverOptions,
        shared: &gix::ThreadSafeRepository,
        threads: usize,
    ) -> Result<Self, String> {
        let mut history = History { partial: is_partial(repository), ..History::default() };
        let all = options.history;
        let kind = repository.object_hash();
        let mut packs = Packs::open(&folders(repository), kind);
        let whole = all && !options.git.is_part();
        let packed = if whole {
            commits::packed(repository, &mut packs, MANY_COMMITS, threads)
        } else {
            commits::Packed::default()
        };
        let gaps = &mut history.gaps;
        let mut tips = tips::find(repository, name, all, &options.git, &packed, gaps)?;
        let lying = if tips.everything { lying(repository, &mut tips) } else { Lying::default() };
        let since = options.git.since;
        let commits = commits::read(repository, name, &tips, packed, all, since, &mut history);
        let many = whole && commits.order.len() >= MANY_COMMITS;
        let trees = many.then(|| Arc::new(Trees::read(&mut packs, kind, threads)));
        let trees = trees.as_ref();
        let mut seen = Seen::new(options).with(trees);
        seen.all(repository, name, &commits, options, &mut history);
        seen.rest(repository, name, &lying.trees, &lying.blobs, options, &mut history);
        let newest = tips.head.or_else(|| commits.order.last().map(|node| node.id));
        let tree = newest.and_then(|id| tree_of(repository, id));
        submodules::list(repository, name, tree, &mut history);
        let named: HashSet<ObjectId> = tips.tags.iter().map(|(_, of)| *of).collect();
        let order = commits.order.iter().enumerate().filter(|(_, node)| named.contains(&node.id));
        let numbers: HashMap<ObjectId, u32> =
            order.filter_map(|(at, node)| Some((node.id, u32::try_from(at).ok()?))).collect();
        let tags = tips.tags.iter().map(|(tag, of)| (*tag, numbers.get(of).copied())).collect();
        let newest = newest.map(|id| blobs_of(repository, trees, id)).unwrap_or_default();
        let asked = Asked::new(shared.clone(), trees);
        Ok(Self { name, asked, history, commits, tags, newest, packs: Some(packs) })
    }

    /// Reads every object that was chosen and hands it on.
    fn read_all(
        &mut self,
        repository: &gix::ThreadSafeRepository,
        options: &DiscoverOptions,
        threads: usize,
        found: &(dyn Fn(Found) + Sync),
        summary: &mut Summary,
    ) {
        let mut ids: Vec<ObjectId> = self.history.blobs.iter().map(|blob| blob.id).collect();
        ids.extend(self.commits.order.iter().map(|node| node.id));
        ids.extend(self.tags.iter().map(|(id, _)| *id));
        let bytes = AtomicU64::new(0);
        let packs = self.packs.take();
        let give = |_: usize, number: usize, content: Bytes| {
            if let Some(one) = self.found(number, content) {
                bytes.fetch_add(one.artifact.bytes.len(), Ordering::Relaxed);
                found(one);
            }
        };
        let limit = options.largest_blob_bytes;
        let local = thread_local(repository);
        let read = packs.map(|mut packs| packs.read_much(&ids, limit, threads, &give));
        let left = read.unwrap_or_else(|| (0..ids.len()).collect());
        // What no pack gave: loose objects, and whatever is wrong with the others.
        let lost: Mutex<Vec<(ObjectId, Gap)>> = Mutex::default();
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..threads.clamp(1, left.len().max(1)) {
                scope.spawn(|| {
                    let local = thread_local(repository);
                    while let Some(number) = left.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let Some(id) = ids.get(*number) else { continue };
                        match read_singly(&local, *id, limit) {
                            Ok(content) => give(0, *number, content),
                            Err((reason, length)) => {
                                let gap = Gap::new(self.place_of(*number), reason, length);
                                let mut lost = lost.lock().unwrap_or_else(PoisonError::into_inner);
                                lost.push((*id, gap));
                            }
                        }
                    }
                });
            }
        });
        for (id, gap) in lost.into_inner().unwrap_or_else(PoisonError::into_inner) {
            self.history.lost(&local, id, || gap);
        }
        summary.bytes = bytes.into_inner();
    }

    fn blob(&self, number: usize) -> Option<&Blob> {
        self.history.blobs.get(number)
    }

    /// The commit of an item, and what its place calls it.
    fn named(&self, number: usize) -> (Option<u32>, &str) {
        if let Some(blob) = self.blob(number) {
            return (blob.commit, &blob.path);
        }
        let number = number.saturating_sub(self.history.blobs.len());
        match number.checked_sub(self.commits.order.len()) {
            None => (u32::try_from(number).ok(), "COMMIT_MESSAGE"),
            Some(tag) => (self.tags.get(tag).and_then(|(_, of)| *of), "TAG_MESSAGE"),
        }
    }

    fn commit(&self, number: Option<u32>) -> Option<(ObjectId, i64)> {
        let node = self.commits.order.get(usize::try_from(number?).ok()?)?;
        Some((node.id, node.seconds))
    }

    fn place_of(&self, number: usize) -> Provenance {
        let (commit, path) = self.named(number);
        Provenance::new(Layer::Git {
            repository: self.name.to_owned(),
            commit: self.commit(commit).map(|(id, _)| id.to_string()).unwrap_or_default(),
            path: path.to_owned(),
        })
    }

    /// An item that was read; none for a commit that says nothing.
    fn found(&self, number: usize, content: Bytes) -> Option<Found> {
        let (at, path) = self.named(number);
        let blob = self.blob(number).map(|blob| blob.id);
        let content = if blob.is_none() && path == "COMMIT_MESSAGE" {
            let end = content.windows(2).position(|two| two == b"\n\n")?;
            content.slice(end.saturating_add(2).min(content.len())..)
        } else {
            content
        };
        if blob.is_none() && content.is_empty() {
            return None;
        }
        let commit = self.commit(at);
        let newest = blob.is_none_or(|id| self.newest.contains(&id));
        let length = u64::try_from(content.len()).ok();
        let entry = Entry::new(self.place_of(number), length);
        let artifact = Artifact::new(entry, Arc::new(MemoryBytes::new(content)));
        let git = GitOrigin::new(&self.asked, commit, blob, newest, at);
        Some(Found { artifact, git: Some(git) })
    }
}

/// Asks for one object, wherever it lies.
fn read_singly(
    repository: &gix::Repository,
    id: ObjectId,
    limit: u64,
) -> Result<Bytes, (&'static str, Option<u64>)> {
    let broken = "a broken object of the history";
    let header = repository.find_header(id).map_err(|_| (broken, None))?;
    if header.size() > limit {
        return Err(("larger than a blob that is read", Some(header.size())));
    }
    let object = repository.find_object(id).map_err(|_| (broken, None))?;
    Ok(Bytes::from(object.detach().data))
}
