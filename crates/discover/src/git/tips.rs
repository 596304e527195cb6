//! Where the reading of a history begins, and where it ends.

use super::commits::Packed;
use super::names::place;
use super::options::GitOptions;
use gix::ObjectId;
use lidless_core::Gap;
use std::collections::{BTreeSet, HashSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Reflogs are read up to this size, and this many of them.
const REFLOG_BYTES: u64 = 64 << 20;
const REFLOGS: usize = 20_000;
/// Tags of tags of tags, at most.
const TAG_DEPTH: usize = 16;

/// Where reading begins and ends.
#[derive(Default)]
pub(super) struct Tips {
    /// What HEAD is.
    pub(super) head: Option<ObjectId>,
    /// Commits to begin with.
    pub(super) from: Vec<ObjectId>,
    /// Commits whose ancestors, with themselves, are not asked for.
    pub(super) not: Vec<ObjectId>,
    /// Annotated tags with what they name.
    pub(super) tags: Vec<(ObjectId, ObjectId)>,
    /// Whether every object that lies there is read.
    pub(super) everything: bool,
}

/// Finds the tips that the options ask for; commits that were read already are known.
///
/// # Errors
/// When a revision that was asked for is none.
pub(super) fn find(
    repository: &gix::Repository,
    name: &str,
    history: bool,
    options: &GitOptions,
    known: &Packed,
    gaps: &mut Vec<Gap>,
) -> Result<Tips, String> {
    let head = repository.head_id().ok().map(gix::Id::detach);
    let mut tips = Tips { head, everything: options.unreachable, ..Tips::default() };
    if let Some(since) = &options.since_commit {
        tips.not.push(revision(repository, since)?);
    }
    if let Some(range) = &options.range {
        let (a, b) = range
            .split_once("..")
            .filter(|(_, b)| !b.starts_with('.'))
            .ok_or_else(|| format!("\"{range}\" is no range of the form A..B"))?;
        let end = |side: &str| revision(repository, if side.is_empty() { "HEAD" } else { side });
        tips.not.push(end(a)?);
        tips.from.push(end(b)?);
        return Ok(tips);
    }
    if let Some(branch) = &options.branch {
        tips.from.push(revision(repository, branch)?);
        return Ok(tips);
    }
    tips.from.extend(head);
    // Their files are not read by the library; the objects they name are there all the same.
    if repository.common_dir().join("reftable").is_dir() {
        gaps.push(Gap::new(
            place(name),
            "references in a reftable, which is not read: every object was read instead",
            None,
        ));
        tips.everything = true;
    } else if history || head.is_none() {
        references(repository, name, known, &mut tips, gaps);
    }
    if history {
        other_heads(repository, &mut tips);
    }
    if tips.everything {
        tips.from.extend(logged(repository));
    }
    Ok(tips)
}

/// The commit that a revision names.
fn revision(repository: &gix::Repository, word: &str) -> Result<ObjectId, String> {
    let none = || format!("\"{word}\" names no commit of it");
    let id = repository.rev_parse_single(word).map_err(|_| none())?;
    let commit = id.object().map_err(|_| none())?.peel_to_kind(gix::object::Kind::Commit);
    Ok(commit.map_err(|_| none())?.id)
}

fn references(
    repository: &gix::Repository,
    name: &str,
    known: &Packed,
    tips: &mut Tips,
    gaps: &mut Vec<Gap>,
) {
    let gap = |reason: &str| Gap::new(place(name), reason, None);
    let Ok(platform) = repository.references() else {
        gaps.push(gap("references that cannot be read"));
        return;
    };
    let Ok(all) = platform.all() else {
        gaps.push(gap("references that cannot be read"));
        return;
    };
    let mut tags = HashSet::new();
    for reference in all {
        let Ok(mut reference) = reference else {
            gaps.push(gap("a reference that cannot be read"));
            continue;
        };
        let target = reference.target().try_id().map(ToOwned::to_owned);
        // A hosted repository has one for each request, and nearly all name a commit.
        if let Some(id) = target.filter(|target| known.contains_key(target)) {
            tips.from.push(id);
            continue;
        }
        match reference.peel_to_id() {
            Ok(id) => {
                let id = id.detach();
                tips.from.push(id);
                let mut tag = target.filter(|target| *target != id);
                for _ in 0..TAG_DEPTH {
                    let Some(one) = tag.filter(|one| tags.insert(*one)) else { break };
                    tag = tag_target(repository, one);
                    if tag.is_some() {
                        tips.tags.push((one, id));
                    }
                }
            }
            Err(_) => gaps.push(gap("a reference to an object that is missing")),
        }
    }
}

/// What a tag object names; none when it is no tag.
pub(super) fn tag_target(repository: &gix::Repository, id: ObjectId) -> Option<ObjectId> {
    let object = repository.find_object(id).ok()?;
    if object.kind != gix::object::Kind::Tag {
        return None;
    }
    gix::objs::TagRefIter::from_bytes(&object.data, repository.object_hash()).target_id().ok()
}

/// What other work trees of the repository have checked out, a branch or not.
fn other_heads(repository: &gix::Repository, tips: &mut Tips) {
    let Ok(entries) = std::fs::read_dir(repository.common_dir().join("worktrees")) else { return };
    let heads = entries.filter_map(|entry| Some(entry.ok()?.path().join("HEAD")));
    let main = repository.common_dir().join("HEAD");
    for path in heads.chain(std::iter::once(main)) {
        let mut text = String::new();
        let opened = std::fs::File::open(path);
        let read = opened.and_then(|file| file.take(1024).read_to_string(&mut text));
        if read.is_ok()
            && let Ok(id) = ObjectId::from_hex(text.trim().as_bytes())
            && id.kind() == repository.object_hash()
        {
            tips.from.push(id);
        }
    }
}

/// Every id that a reflog holds and that is still there, stashes among them.
fn logged(repository: &gix::Repository) -> BTreeSet<ObjectId> {
    let mut folders: Vec<PathBuf> = vec![repository.git_dir().join("logs")];
    folders.push(repository.common_dir().join("logs"));
    if let Ok(entries) = std::fs::read_dir(repository.common_dir().join("worktrees")) {
        folders.extend(entries.filter_map(|entry| Some(entry.ok()?.path().join("logs"))));
    }
    folders.sort();
    folders.dedup();
    let mut ids = BTreeSet::new();
    for folder in folders {
        let walk = walkdir::WalkDir::new(folder).follow_links(false).into_iter();
        let files = walk.filter_map(Result::ok).filter(|entry| entry.file_type().is_file());
        for file in files.take(REFLOGS) {
            read_log(file.path(), repository, &mut ids);
        }
    }
    ids
}

/// Lines of `OLD NEW Name <address> seconds zone<TAB>message`.
fn read_log(path: &Path, repository: &gix::Repository, ids: &mut BTreeSet<ObjectId>) {
    let Ok(file) = std::fs::File::open(path) else { return };
    let mut text = Vec::new();
    if file.take(REFLOG_BYTES).read_to_end(&mut text).is_err() {
        return;
    }
    for line in text.split(|byte| *byte == b'\n') {
        for word in line.split(|byte| *byte == b' ').take(2) {
            // Expired entries name what is gone, which is no gap.
            if let Ok(id) = ObjectId::from_hex(word)
                && id.kind() == repository.object_hash()
                && gix::prelude::FindExt::find_commit(&repository.objects, &id, &mut Vec::new())
                    .is_ok()
            {
                ids.insert(id);
            }
        }
    }
}
