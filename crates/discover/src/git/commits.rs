//! The commits that were asked for.

use super::names::{History, place};
use super::order::{Node, oldest_first};
use super::packs::Packs;
use super::tips::Tips;
use bytes::Bytes;
use foldhash::quality::RandomState;
use gix::ObjectId;
use gix::objs::{CommitRefIter, Kind};
use lidless_core::{Gap, Timestamp};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

/// The commits of a history, oldest first, and those where reading stopped.
#[derive(Default)]
pub(super) struct Commits {
    /// Parents before their children.
    pub(super) order: Vec<Node>,
    /// Parents of those that were not asked for: what they hold is not new.
    pub(super) boundary: Vec<ObjectId>,
    /// Trees and blobs that references and tags name directly.
    pub(super) bare: Vec<(ObjectId, Kind)>,
}

/// The longest commit that is read with the others of its pack.
const LONGEST: u64 = 1 << 20;

/// Commits by their id.
pub(super) type Packed = HashMap<ObjectId, Node, RandomState>;

/// Reads all commits of the packs, when they are that many, as they lie there.
pub(super) fn packed(
    repository: &gix::Repository,
    packs: &mut Packs,
    many: usize,
    threads: usize,
) -> Packed {
    let ids = packs.all(Kind::Commit);
    if ids.len() < many {
        return Packed::default();
    }
    let kind = repository.object_hash();
    let packed: Mutex<Packed> = Mutex::default();
    let add = |_: usize, number: usize, content: Bytes| {
        let id = ids.get(number).copied();
        if let Some(node) = id.and_then(|id| parse(id, &content, kind)) {
            packed.lock().unwrap_or_else(PoisonError::into_inner).insert(node.id, node);
        }
    };
    packs.read(&ids, LONGEST, threads, &add);
    packed.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Reads commits from the tips on, whatever order they come in. What is not among the packed ones
/// is asked for singly.
pub(super) fn read(
    repository: &gix::Repository,
    name: &str,
    tips: &Tips,
    mut packed: Packed,
    parents: bool,
    since: Option<Timestamp>,
    history: &mut History,
) -> Commits {
    let mut commits = Commits::default();
    let ends: HashSet<ObjectId> = shallow(repository, name, history);
    let gone = ancestors(repository, &tips.not, &ends);
    let mut nodes = Vec::new();
    let mut known: HashSet<ObjectId> = HashSet::new();
    let mut boundary: HashSet<ObjectId> = HashSet::new();
    let mut stack: Vec<ObjectId> = tips.from.clone();
    let mut buffer = Vec::new();
    while let Some(id) = stack.pop() {
        if gone.contains(&id) {
            boundary.insert(id);
            continue;
        }
        if !known.insert(id) {
            continue;
        }
        let mut node = match packed.remove(&id) {
            Some(node) => node,
            None => match single(repository, id, &mut buffer) {
                Single::Commit(node) => node,
                Single::Other(kind) => {
                    commits.bare.push((id, kind));
                    continue;
                }
                Single::Lost => {
                    history.lost(repository, id, || {
                        Gap::new(place(name), "a commit that is missing or broken", None)
                    });
                    continue;
                }
                Single::Broken => {
                    let reason = "a commit without a tree that can be read";
                    history.gaps.push(Gap::new(place(name), reason, None));
                    continue;
                }
            },
        };
        if since.is_some_and(|since| node.seconds < since.as_second()) {
            boundary.insert(id);
            continue;
        }
        if parents && !ends.contains(&id) {
            stack.extend(node.parents.iter().copied());
        } else {
            node.parents.clear();
        }
        nodes.push(node);
    }
    let order = oldest_first(&nodes);
    let mut nodes: Vec<Option<Node>> = nodes.into_iter().map(Some).collect();
    commits.order =
        order.into_iter().filter_map(|at| nodes.get_mut(at).and_then(Option::take)).collect();
    commits.boundary = boundary.into_iter().collect();
    commits.boundary.sort_unstable();
    commits
}

/// What an id turned out to be.
enum Single {
    Commit(Node),
    Other(Kind),
    Lost,
    Broken,
}

fn single(repository: &gix::Repository, id: ObjectId, buffer: &mut Vec<u8>) -> Single {
    match gix::prelude::FindExt::find(&repository.objects, &id, buffer) {
        Err(_) => Single::Lost,
        Ok(object) if object.kind != Kind::Commit => Single::Other(object.kind),
        Ok(object) => {
            let node = parse(id, object.data, repository.object_hash());
            node.map_or(Single::Broken, Single::Commit)
        }
    }
}

fn parse(id: ObjectId, data: &[u8], kind: gix::hash::Kind) -> Option<Node> {
    let tree = CommitRefIter::from_bytes(data, kind).tree_id().ok()?;
    let parents = CommitRefIter::from_bytes(data, kind).parent_ids().collect();
    let time = CommitRefIter::from_bytes(data, kind).committer().ok();
    let seconds = time.and_then(|who| who.time().ok()).map_or(0, |time| time.seconds);
    Some(Node { id, parents, seconds, tree })
}

/// Commits whose parents a shallow clone left out; says so.
fn shallow(repository: &gix::Repository, name: &str, history: &mut History) -> HashSet<ObjectId> {
    match repository.shallow_commits() {
        Ok(Some(ends)) => {
            let ends: HashSet<ObjectId> = ends.iter().copied().collect();
            let reason = "a shallow clone: older commits are not here";
            history.gaps.push(Gap::new(place(name), reason, None));
            ends
        }
        Ok(None) => HashSet::new(),
        Err(_) => {
            let reason = "where the shallow clone ends cannot be read";
            history.gaps.push(Gap::new(place(name), reason, None));
            HashSet::new()
        }
    }
}

/// The commits and all before them.
fn ancestors(
    repository: &gix::Repository,
    of: &[ObjectId],
    ends: &HashSet<ObjectId>,
) -> HashSet<ObjectId> {
    let mut known = HashSet::new();
    let mut stack = of.to_vec();
    let mut buffer = Vec::new();
    while let Some(id) = stack.pop() {
        if !known.insert(id) || ends.contains(&id) {
            continue;
        }
        let found = gix::prelude::FindExt::find_commit_iter(&repository.objects, &id, &mut buffer);
        if let Ok(commit) = found {
            stack.extend(commit.parent_ids());
        }
    }
    known
}
