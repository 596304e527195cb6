//! Who brought something into a history, looked up only for what turned out to matter.

use super::names::{HashSet, blobs_of, tree_of};
use super::trees::Trees;
use gix::ObjectId;
use gix::objs::CommitRefIter;
use lidless_core::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// Branches looked at to say which still hold something, and of these named at most.
const BRANCHES: usize = 64;
const BRANCHES_NAMED: usize = 16;

/// A repository that questions about origins are put to.
pub(super) struct Asked {
    repository: gix::ThreadSafeRepository,
    /// For every blob of a branch's tree the branches, a bit each.
    branches: OnceLock<(Vec<String>, HashMap<ObjectId, u64>)>,
}

impl Asked {
    /// While all trees are in memory, the branches are looked at without asking for any again.
    pub(super) fn new(
        repository: gix::ThreadSafeRepository,
        trees: Option<&Arc<Trees>>,
    ) -> Arc<Self> {
        let branches = OnceLock::new();
        if trees.is_some() {
            branches.get_or_init(|| read_branches(&repository.to_thread_local(), trees));
        }
        Arc::new(Self { repository, branches })
    }

    fn branches(&self) -> &(Vec<String>, HashMap<ObjectId, u64>) {
        self.branches.get_or_init(|| read_branches(&self.repository.to_thread_local(), None))
    }
}

/// Which commit first brought a blob or a message. Author and branches are looked up when asked
/// for: most of a history is asked nothing.
#[derive(Clone)]
pub struct GitOrigin {
    asked: Arc<Asked>,
    commit: Option<ObjectId>,
    blob: Option<ObjectId>,
    /// When it was committed; none when no commit is known to hold it, or the date is none.
    pub committed_at: Option<Timestamp>,
    /// Whether the newest tree still holds the same content.
    pub in_newest_tree: bool,
    /// Position of the commit, oldest first, parents always before their children.
    pub order: u64,
}

impl GitOrigin {
    pub(super) fn new(
        asked: &Arc<Asked>,
        commit: Option<(ObjectId, i64)>,
        blob: Option<ObjectId>,
        in_newest_tree: bool,
        order: Option<u32>,
    ) -> Self {
        Self {
            asked: Arc::clone(asked),
            commit: commit.map(|(id, _)| id),
            blob,
            committed_at: commit.and_then(|(_, seconds)| Timestamp::from_second(seconds).ok()),
            in_newest_tree,
            order: order.map_or(u64::MAX, u64::from),
        }
    }

    /// The full id of the commit; empty when no commit is known to hold it.
    #[must_use]
    pub fn commit(&self) -> String {
        self.commit.map(|id| id.to_string()).unwrap_or_default()
    }

    /// `Name <address>`; empty when no commit is known to hold it.
    #[must_use]
    pub fn author(&self) -> String {
        let Some(commit) = self.commit else { return String::new() };
        let repository = self.asked.repository.to_thread_local();
        let found = repository.find_object(commit);
        let author = found.as_ref().ok().and_then(|object| {
            CommitRefIter::from_bytes(&object.data, repository.object_hash()).author().ok()
        });
        author.map_or_else(
            || "unknown".to_owned(),
            |author| format!("{} <{}>", author.name, author.email),
        )
    }

    /// Branches whose newest tree still holds it, the first few by name; of the first 64 looked
    /// at. Messages are in no tree.
    #[must_use]
    pub fn branches(&self) -> Vec<String> {
        let Some(blob) = self.blob else { return Vec::new() };
        let (names, of) = self.asked.branches();
        let bits = of.get(&blob).copied().unwrap_or(0);
        let held = names.iter().enumerate().filter(|(at, _)| bits & bit(*at) != 0);
        held.map(|(_, name)| name.clone()).take(BRANCHES_NAMED).collect()
    }
}

impl std::fmt::Debug for GitOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GitOrigin").field("commit", &self.commit).finish_non_exhaustive()
    }
}

fn bit(at: usize) -> u64 {
    u32::try_from(at).ok().and_then(|at| 1u64.checked_shl(at)).unwrap_or(0)
}

/// Local branches and those of remotes; the one that is checked out first, the others by name.
fn read_branches(
    repository: &gix::Repository,
    trees: Option<&Arc<Trees>>,
) -> (Vec<String>, HashMap<ObjectId, u64>) {
    let mut tips: Vec<(bool, String, ObjectId)> = Vec::new();
    let head = repository.head_name().ok().flatten().map(|name| name.shorten().to_string());
    if let Ok(platform) = repository.references() {
        let all = [platform.local_branches(), platform.remote_branches()];
        for mut reference in all.into_iter().filter_map(Result::ok).flatten().flatten() {
            let name = reference.name().shorten().to_string();
            if let Ok(id) = reference.peel_to_id() {
                tips.push((head.as_ref() != Some(&name), name, id.detach()));
            }
        }
    }
    tips.sort();
    tips.truncate(BRANCHES);
    let mut of: HashMap<ObjectId, u64> = HashMap::new();
    let mut known: HashMap<ObjectId, HashSet<ObjectId>> = HashMap::new();
    for (at, (_, _, tip)) in tips.iter().enumerate() {
        // Branches that were never moved share their tree.
        let Some(tree) = tree_of(repository, *tip) else { continue };
        if !known.contains_key(&tree) {
            known.clear();
            known.insert(tree, blobs_of(repository, trees, *tip));
        }
        for blob in known.get(&tree).into_iter().flatten() {
            *of.entry(*blob).or_default() |= bit(at);
        }
    }
    (tips.into_iter().map(|(_, name, _)| name).collect(), of)
}
