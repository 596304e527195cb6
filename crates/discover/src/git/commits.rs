//! The commits that were asked for.

use super::names::{History, place};
use super::order::{Node, oldest_first};
use super::tips::Tips;
use gix::ObjectId;
use gix::objs::{CommitRefIter, Kind};
use lidless_core::{Gap, Timestamp};
use std::collections::HashSet;

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

/// Reads commits from the tips on, whatever order they come in.
pub(super) fn read(
    repository: &gix::Repository,
    name: &str,
    tips: &Tips,
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
        let found = gix::prelude::FindExt::find(&repository.objects, &id, &mut buffer);
        let Ok(object) = found else {
            history.lost(repository, id, || {
                Gap::new(place(name), "a commit that is missing or broken", None)
            });
            continue;
        };
        if object.kind != Kind::Commit {
            commits.bare.push((id, object.kind));
            continue;
        }
        let Some(mut node) = parse(id, object.data, repository) else {
            history.gaps.push(Gap::new(
                place(name),
                "a commit without a tree that can be read",
                None,
            ));
            continue;
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

fn parse(id: ObjectId, data: &[u8], repository: &gix::Repository) -> Option<Node> {
    let kind = repository.object_hash();
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
