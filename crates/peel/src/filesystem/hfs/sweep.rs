//! Every name of a volume, from the catalog in the order of the disk.

use super::records::{Named, ROOT, What};
use crate::filesystem::folders::Folders;
use lidless_core::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Where the files that hard links lead to are.
pub(super) const FILES: &str = "\u{2400}\u{2400}\u{2400}\u{2400}HFS+ Private Data";
/// Where the directories that links lead to are.
pub(super) const DIRECTORIES: &str = ".HFS+ Private Directory Data\r";

/// The names of a catalog, put in their places.
pub(super) struct Catalog {
    folders: Folders,
    times: HashMap<u32, Option<Timestamp>>,
    /// Everything that is no directory.
    pub(super) names: Vec<Named>,
    /// Files that links lead to, by their number, as places in `names`.
    pub(super) linked: HashMap<u32, usize>,
    files: Option<u64>,
    /// Directories that are not listed as what they are: the private ones, and those that are
    /// named by their links.
    hidden: HashSet<u64>,
}

impl Catalog {
    /// An empty one.
    pub(super) fn new() -> Self {
        Self {
            folders: Folders::new(u64::from(ROOT)),
            times: HashMap::new(),
            names: Vec::new(),
            linked: HashMap::new(),
            files: None,
            hidden: HashSet::new(),
        }
    }

    /// Takes a record.
    pub(super) fn add(&mut self, named: Named) {
        if matches!(named.what, What::Directory) {
            self.times.insert(named.id, named.modified);
            self.folders.insert(u64::from(named.id), u64::from(named.parent), named.name);
        } else {
            self.names.push(named);
        }
    }

    /// How many names were taken.
    pub(super) fn len(&self) -> usize {
        self.names.len().saturating_add(self.folders.len())
    }

    /// Finds out where links lead, once everything was taken.
    pub(super) fn link(&mut self) {
        let root = u64::from(ROOT);
        let below = |wanted: &str| {
            let mut all = self.folders.iter();
            let found = all.find(|(_, parent, name)| *parent == root && *name == wanted);
            found.map(|(id, _, _)| id)
        };
        let (files, directories) = (below(FILES), below(DIRECTORIES));
        self.files = files;
        self.hidden.extend([Some(root), files, directories].into_iter().flatten());
        for (index, named) in self.names.iter().enumerate() {
            let inside = Some(u64::from(named.parent)) == files;
            let number = named.name.strip_prefix("iNode").filter(|_| inside);
            if let Some(number) = number.and_then(|number| number.parse().ok()) {
                self.linked.insert(number, index);
            }
        }
        let numbers: HashMap<u32, u64> = self
            .folders
            .iter()
            .filter(|(_, parent, _)| Some(*parent) == directories)
            .filter_map(|(id, _, name)| Some((name.strip_prefix("dir_")?.parse().ok()?, id)))
            .collect();
        for named in &self.names {
            if let What::DirectoryLink(number) = named.what
                && let Some(id) = numbers.get(&number)
                && self.hidden.insert(*id)
            {
                // It stands where its first link does.
                self.folders.insert(*id, u64::from(named.parent), named.name.clone());
            }
        }
    }

    /// Whether a name stands in the folder of linked files.
    pub(super) fn is_private(&self, named: &Named) -> bool {
        self.files == Some(u64::from(named.parent))
    }

    /// Every directory with its path, but the root and those of linked files.
    pub(super) fn directories(&mut self) -> Vec<(u32, String, Option<Timestamp>)> {
        let mut found: Vec<u32> = self
            .times
            .keys()
            .copied()
            .filter(|id| !self.hidden.contains(&u64::from(*id)))
            .collect();
        found.sort_unstable();
        let mut directories = Vec::with_capacity(found.len());
        for id in found {
            if let Some(path) = self.path(id) {
                let modified = self.times.get(&id).copied().flatten();
                directories.push((id, path.to_string(), modified));
            }
        }
        directories
    }

    /// The path of a directory; none when it leads nowhere, or back to itself.
    pub(super) fn path(&mut self, id: u32) -> Option<Arc<str>> {
        self.folders.path(u64::from(id))
    }
}
