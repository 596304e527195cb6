//! The disk that a differencing one was made from, found beside it.

use super::image::Disk;
use super::table::images;
use lidless_core::{Artifact, Limits, Siblings};
use lidless_io::{BlockCache, read_vec};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const HEAD: u64 = 16 << 10;
/// The longest chain of snapshots that VMware makes.
const MOST_ANCESTORS: usize = 32;
/// How many files a chain may lead to in all: ancestors that each name many parents, or that
/// consist of many extents.
const MOST_FILES: usize = 2048;
/// How many of the paths that a child has are tried.
const MOST_PATHS: usize = 8;
/// The cache in front of each ancestor.
const BLOCK_BYTES: u64 = 64 << 10;
const CACHE_BYTES: u64 = 2 << 20;

/// The name of the fact by which a child knows its parent.
pub(super) const IDENTITY: &str = "disk_id";

const MISSING: &str = "a parent disk that is missing: only what differs from it was read";
const ANOTHER: &str = "a parent disk that has changed or is another: only what differs was read";
const UNREADABLE: &str = "a parent disk that cannot be opened: only what differs was read";

/// Whether a parent may be a disk without a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Raw {
    /// It is of a format with a container.
    Never,
    /// It is, when its bytes are of no other format.
    Perhaps,
    /// It is, whatever its bytes look like.
    Always,
}

/// Which disk is looked for.
pub(super) struct Wanted {
    /// Paths as the child has them, the likeliest first.
    pub(super) paths: Vec<String>,
    /// What its [`IDENTITY`] has to be one of, when the child says.
    pub(super) identities: Vec<String>,
    /// Whether it may be a disk without a container.
    pub(super) raw: Raw,
}

impl Wanted {
    /// Adds it to the facts and the gaps of its child; none when it is not there or not the one.
    pub(super) fn find(
        self,
        artifact: &Artifact,
        limits: &Limits,
        child: &mut Disk,
    ) -> Option<Disk> {
        let mut reason = MISSING;
        if let Some(path) = self.paths.first() {
            child.facts.push(("parent", short(&last_name(path)).into()));
        }
        for path in self.candidates().into_iter().take(MOST_PATHS) {
            let Some(found) = artifact.sibling(&path) else { continue };
            let Some(disk) = self.open(&found, limits) else {
                reason = UNREADABLE;
                continue;
            };
            let own = disk.facts.iter().find(|(name, _)| *name == IDENTITY);
            let own = own.and_then(|(_, value)| value.as_str()).unwrap_or("");
            let is_it = self.identities.is_empty()
                || self.identities.iter().any(|wanted| wanted.eq_ignore_ascii_case(own));
            if is_it {
                child.gaps.extend(disk.gaps.iter().cloned());
                return Some(disk);
            }
            reason = ANOTHER;
        }
        child.gaps.push((reason.to_owned(), None));
        None
    }

    /// Relative paths to try: as written, then the name alone.
    fn candidates(&self) -> Vec<String> {
        let mut all = Vec::new();
        for path in &self.paths {
            let path = path.replace('\\', "/");
            let path = path.strip_prefix("file://").unwrap_or(&path);
            let is_absolute = path.starts_with('/') || path.get(1..2) == Some(":");
            let relative = path.trim_start_matches("./");
            let name = last_name(path);
            for one in [(!is_absolute).then_some(relative), Some(&*name)].into_iter().flatten() {
                if !one.is_empty() && !all.iter().any(|known| known == one) {
                    all.push(one.to_owned());
                }
            }
        }
        all
    }

    fn open(&self, found: &Artifact, limits: &Limits) -> Option<Disk> {
        let head = read_vec(&*found.bytes, 0, HEAD).ok()?;
        let cache = BlockCache::new(Arc::clone(&found.bytes), BLOCK_BYTES, CACHE_BYTES);
        let files = Arc::new(AtomicUsize::new(MOST_FILES));
        let below = Ancestors { child: found.clone(), left: MOST_ANCESTORS, files };
        let cached = found.over(Arc::new(cache)).beside(Arc::new(below));
        if self.raw == Raw::Always {
            return Some(Disk::new(Arc::clone(&cached.bytes)));
        }
        match images().into_iter().find(|image| image.recognises(&cached, &head)) {
            Some(image) => image.open(&cached, &head, limits).ok(),
            None if self.raw == Raw::Perhaps => Some(Disk::new(Arc::clone(&cached.bytes))),
            None => None,
        }
    }
}

/// The last part of a path of Windows or Unix.
pub(super) fn last_name(path: &str) -> String {
    path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned()
}

/// The neighbours of an ancestor: as many generations and files as are left, so that disks that
/// name each other as parents end.
struct Ancestors {
    child: Artifact,
    left: usize,
    /// Shared by all that descend from one child.
    files: Arc<AtomicUsize>,
}

impl Siblings for Ancestors {
    fn open(&self, path: &str) -> Option<Artifact> {
        let left = self.left.checked_sub(1)?;
        let take = |files: usize| files.checked_sub(1);
        self.files.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).ok()?;
        let found = self.child.sibling(path)?;
        let below = Self { child: found.clone(), left, files: Arc::clone(&self.files) };
        Some(found.beside(Arc::new(below)))
    }
}

/// By what its children know a disk.
pub(super) fn identity(text: &str) -> (&'static str, Value) {
    (IDENTITY, short(text).into())
}

/// A text for a report, no longer than a name can be.
pub(super) fn short(text: &str) -> String {
    text.chars().take(255).collect()
}
