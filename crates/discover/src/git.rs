//! Git histories: every blob once, by the commit that first brought it.
//!
//! Nothing in a repository is trusted: its configuration is not read beyond what opening needs,
//! no hook, filter or command in it runs, and a broken object is a gap.

use crate::error::DiscoverError;
use crate::folder;
use crate::found::{DiscoverOptions, Found, GitOrigin, Summary};
use crate::order::{Node, oldest_first};
use gix::ObjectId;
use lidless_core::{Artifact, Entry, Gap, Layer, Provenance, Timestamp};
use lidless_io::{FileBytes, MemoryBytes, ReadAt as _, read_vec};
use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Decoded trees and delta bases kept by each thread.
const OBJECT_CACHE: usize = 32 << 20;
/// Files of the work tree up to this size are compared with the history by their hash.
const COMPARED_BYTES: u64 = 64 << 20;
/// Trees nested deeper than this were built to exhaust, not to be checked out.
const TREE_DEPTH: usize = 256;

/// What is known of a commit that brought something.
struct Commit {
    id: String,
    author: String,
    committed_at: Option<Timestamp>,
}

/// A blob and the commit that first brought it.
struct Blob {
    id: ObjectId,
    path: String,
    commit: usize,
}

/// A message of a commit or a tag.
struct Message {
    text: Vec<u8>,
    path: &'static str,
    commit: usize,
}

struct History {
    commits: Vec<Commit>,
    blobs: Vec<Blob>,
    messages: Vec<Message>,
    newest: HashSet<ObjectId>,
    gaps: Vec<Gap>,
    /// Blobs that the user left out, by reason.
    skipped: BTreeMap<String, u64>,
}

/// Walks a repository at `path`; `name` is how places call it.
///
/// # Errors
/// `Repository` when it cannot be opened, or when nothing of it can be read.
pub(crate) fn walk(
    path: &Path,
    name: &str,
    options: &DiscoverOptions,
    threads: usize,
    found: &(dyn Fn(Found) + Sync),
) -> Result<Summary, DiscoverError> {
    let failed = |reason: String| DiscoverError::Repository { path: name.to_owned(), reason };
    let open = gix::open::Options::isolated();
    let repository =
        gix::ThreadSafeRepository::open_opts(path, open).map_err(|e| failed(e.to_string()))?;
    let mut local = repository.to_thread_local();
    local.object_cache_size(OBJECT_CACHE);
    let scheme = if name.contains("://") { "git+" } else { "git+file://" };
    let container = format!("{scheme}{name}");
    let mut wrong = Vec::new();
    let options = &match local.workdir() {
        Some(root) => options.of_root(root, &container, &mut wrong),
        None => options.clone(),
    };
    let mut history = read_history(&local, name, options).map_err(failed)?;
    history.gaps.append(&mut wrong);
    let mut summary = Summary {
        container,
        skipped: std::mem::take(&mut history.skipped),
        commits: u64::try_from(history.commits.len()).unwrap_or(u64::MAX),
        blobs: u64::try_from(history.blobs.len()).unwrap_or(u64::MAX),
        gaps: std::mem::take(&mut history.gaps),
        ..Summary::default()
    };
    let bytes = AtomicU64::new(0);
    let gaps = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    let known: HashSet<ObjectId> = history.blobs.iter().map(|blob| blob.id).collect();
    let history = &history;
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                let mut local = repository.to_thread_local();
                local.object_cache_size(OBJECT_CACHE);
                while let Some(blob) = history.blobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match read_blob(&local, history, blob, name, options) {
                        Ok(one) => {
                            bytes.fetch_add(one.artifact.bytes.len(), Ordering::Relaxed);
                            found(one);
                        }
                        Err(gap) => gaps.lock().unwrap_or_else(PoisonError::into_inner).push(gap),
                    }
                }
            });
        }
    });
    for message in &history.messages {
        found(history.found(name, message.path, message.commit, true, message.text.clone()));
    }
    summary.gaps.extend(gaps.into_inner().unwrap_or_else(PoisonError::into_inner));
    summary.bytes = bytes.into_inner();
    if !history.blobs.is_empty() && summary.gaps.len() > history.blobs.len() {
        tracing::info!(repository = name, "most objects of the repository are unreadable");
    }
    if let Some(root) = local.workdir() {
        let files = folder::files(root, options, &mut summary);
        let same = |_: &Path, file: &FileBytes| is_known(&known, file);
        folder::walk(root, &files, threads, &same, found, &mut summary);
    }
    Ok(summary)
}

/// Whether a file of the work tree is one of the history's blobs.
fn is_known(known: &HashSet<ObjectId>, file: &FileBytes) -> bool {
    if file.len() > COMPARED_BYTES {
        return false;
    }
    let Ok(content) = read_vec(file, 0, COMPARED_BYTES) else { return false };
    gix::objs::compute_hash(gix::hash::Kind::Sha1, gix::objs::Kind::Blob, &content)
        .is_ok_and(|id| known.contains(&id))
}

impl History {
    fn found(
        &self,
        name: &str,
        path: &str,
        commit: usize,
        in_newest_tree: bool,
        content: Vec<u8>,
    ) -> Found {
        let (id, author, committed_at) = match self.commits.get(commit) {
            Some(known) => (known.id.clone(), known.author.clone(), known.committed_at),
            None => Default::default(),
        };
        let provenance = Provenance::new(Layer::Git {
            repository: name.to_owned(),
            commit: id.clone(),
            path: path.to_owned(),
        });
        let length = u64::try_from(content.len()).ok();
        let artifact =
            Artifact::new(Entry::new(provenance, length), Arc::new(MemoryBytes::new(content)));
        let order = u64::try_from(commit).unwrap_or(u64::MAX);
        Found {
            artifact,
            git: Some(GitOrigin { commit: id, author, committed_at, in_newest_tree, order }),
        }
    }
}

fn read_blob(
    repository: &gix::Repository,
    history: &History,
    blob: &Blob,
    name: &str,
    options: &DiscoverOptions,
) -> Result<Found, Gap> {
    let place = || {
        Provenance::new(Layer::Git {
            repository: name.to_owned(),
            commit: history.commits.get(blob.commit).map(|c| c.id.clone()).unwrap_or_default(),
            path: blob.path.clone(),
        })
    };
    let broken = |_| Gap::new(place(), "a broken object of the history", None);
    let header = repository.find_header(blob.id).map_err(|e| broken(e.to_string()))?;
    if header.size() > options.largest_blob_bytes {
        return Err(Gap::new(place(), "larger than a blob that is read", Some(header.size())));
    }
    let object = repository.find_object(blob.id).map_err(|e| broken(e.to_string()))?;
    let content = object.detach().data;
    let newest = history.newest.contains(&blob.id);
    Ok(history.found(name, &blob.path, blob.commit, newest, content))
}

/// Reads commits and trees, not yet blobs.
fn read_history(
    repository: &gix::Repository,
    name: &str,
    options: &DiscoverOptions,
) -> Result<History, String> {
    let mut history = empty();
    let gap = |reason: &str| Gap::new(format!("git+file://{name}"), reason, None);
    let mut tips: Vec<ObjectId> = Vec::new();
    let mut tags: Vec<Vec<u8>> = Vec::new();
    let head = repository.head_id().ok().map(gix::Id::detach);
    tips.extend(head);
    if options.history || head.is_none() {
        let platform = repository.references().map_err(|error| error.to_string())?;
        let all = platform.all().map_err(|error| error.to_string())?;
        for reference in all {
            match reference {
                Ok(mut reference) => {
                    if let Some(id) = reference.target().try_id() {
                        read_tag(repository, id.to_owned(), &mut tags);
                    }
                    match reference.peel_to_id() {
                        Ok(id) => tips.push(id.detach()),
                        Err(_) => {
                            history.gaps.push(gap("a reference to an object that is missing"))
                        }
                    }
                }
                Err(_) => history.gaps.push(gap("a reference that cannot be read")),
            }
        }
    }
    if repository.is_shallow().unwrap_or(false) {
        history.gaps.push(gap("a shallow clone: older commits are not here"));
    }
    let nodes = read_commits(repository, tips, options.history, &mut history.gaps, &gap);
    let mut seen = Seen::default();
    for at in oldest_first(&nodes) {
        let Some(node) = nodes.get(at) else { continue };
        let Ok(commit) = repository.find_commit(node.id) else { continue };
        let author = match commit.author() {
            Ok(author) => format!("{} <{}>", author.name, author.email),
            Err(_) => "unknown".to_owned(),
        };
        let number = history.commits.len();
        let message = commit.message_raw_sloppy().to_vec();
        history.commits.push(Commit {
            id: node.id.to_string(),
            author,
            committed_at: Timestamp::from_second(node.seconds).ok(),
        });
        if !message.is_empty() {
            history.messages.push(Message {
                text: message,
                path: "COMMIT_MESSAGE",
                commit: number,
            });
        }
        match commit.tree_id() {
            Ok(tree) => {
                seen.walk(repository, tree.detach(), number, options, &mut history);
            }
            Err(_) => history.gaps.push(gap("a commit without a tree that can be read")),
        }
    }
    for text in tags {
        history.messages.push(Message { text, path: "TAG_MESSAGE", commit: 0 });
    }
    let newest = head
        .or_else(|| nodes.iter().max_by_key(|node| (node.seconds, node.id)).map(|node| node.id));
    if let Some(tree) = newest
        .and_then(|id| repository.find_commit(id).ok())
        .and_then(|commit| commit.tree_id().ok().map(gix::Id::detach))
    {
        let mut all = Seen::default();
        let mut scratch = History { newest: HashSet::new(), ..empty() };
        all.walk(repository, tree, 0, &DiscoverOptions::default(), &mut scratch);
        history.newest = all.blobs;
    }
    Ok(history)
}

fn empty() -> History {
    History {
        commits: Vec::new(),
        blobs: Vec::new(),
        messages: Vec::new(),
        newest: HashSet::new(),
        gaps: Vec::new(),
        skipped: BTreeMap::new(),
    }
}

/// The message of an annotated tag, when the reference names one.
fn read_tag(repository: &gix::Repository, id: ObjectId, tags: &mut Vec<Vec<u8>>) {
    if let Ok(object) = repository.find_object(id)
        && object.kind == gix::objs::Kind::Tag
    {
        tags.push(object.detach().data);
    }
}

fn read_commits(
    repository: &gix::Repository,
    tips: Vec<ObjectId>,
    history: bool,
    gaps: &mut Vec<Gap>,
    gap: &dyn Fn(&str) -> Gap,
) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut known: HashSet<ObjectId> = HashSet::new();
    let mut stack: Vec<ObjectId> = tips;
    while let Some(id) = stack.pop() {
        if !known.insert(id) {
            continue;
        }
        let object = match repository.find_object(id) {
            Ok(object) => object,
            Err(_) => {
                gaps.push(gap("a commit that is missing or broken"));
                continue;
            }
        };
        // Tags may name trees and blobs; those have no history.
        if object.kind != gix::objs::Kind::Commit {
            continue;
        }
        let Ok(commit) = object.try_into_commit() else { continue };
        let parents: Vec<ObjectId> = commit.parent_ids().map(gix::Id::detach).collect();
        let seconds = commit.time().map_or(0, |time| time.seconds);
        if history {
            stack.extend(parents.iter().copied());
        }
        nodes.push(Node { id, parents, seconds });
    }
    nodes
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Trees and blobs met so far.
#[derive(Default)]
struct Seen {
    trees: HashSet<(ObjectId, u64)>,
    blobs: HashSet<ObjectId>,
    /// Blobs that were met only where the user left them out.
    left_out: HashSet<ObjectId>,
}

impl Seen {
    /// Adds every blob below a tree that was not met before.
    fn walk(
        &mut self,
        repository: &gix::Repository,
        root: ObjectId,
        commit: usize,
        options: &DiscoverOptions,
        history: &mut History,
    ) {
        let mut stack: Vec<(ObjectId, String, usize)> = vec![(root, String::new(), 0)];
        while let Some((id, prefix, depth)) = stack.pop() {
            // Where paths decide, the same folder at another path is another one.
            let path = if options.leaves_out() { hash(&prefix) } else { 0 };
            if !self.trees.insert((id, path)) {
                continue;
            }
            let Ok(tree) = repository.find_tree(id) else {
                let reason = "a folder of the history that is missing or broken";
                let commit = history.commits.get(commit).map_or("", |known| known.id.as_str());
                history.gaps.push(Gap::new(format!("{commit}:{prefix}"), reason, None));
                continue;
            };
            for entry in tree.iter() {
                let Ok(entry) = entry else {
                    let reason = "a folder of the history that breaks off";
                    let commit = history.commits.get(commit).map_or("", |known| known.id.as_str());
                    history.gaps.push(Gap::new(format!("{commit}:{prefix}"), reason, None));
                    break;
                };
                let path = format!("{prefix}{}", String::from_utf8_lossy(entry.filename()));
                let mode = entry.mode();
                if mode.is_tree() {
                    if depth < TREE_DEPTH {
                        let below = depth.saturating_add(1);
                        stack.push((entry.object_id(), format!("{path}/"), below));
                    }
                } else if mode.is_commit() {
                    // A submodule is another repository.
                } else if !self.blobs.contains(&entry.object_id()) {
                    // The same content at another path is looked into there.
                    match options.left_out(Path::new(&path)) {
                        None => {
                            self.blobs.insert(entry.object_id());
                            history.blobs.push(Blob { id: entry.object_id(), path, commit });
                        }
                        Some(reason) => {
                            if self.left_out.insert(entry.object_id()) {
                                let count = history.skipped.entry(reason).or_default();
                                *count = count.saturating_add(1);
                            }
                        }
                    }
                }
            }
        }
    }
}
