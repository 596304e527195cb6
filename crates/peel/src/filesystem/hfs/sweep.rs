//! Every name of a volume, from the catalog in the order of the disk.

use super::records::{Named, ROOT, What};
use lidless_core::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Where the files that hard links lead to are.
pub(super) const FILES: &str = "\u{2400}\u{2400}\u{2400}\u{2400}HFS+ Private Data";
/// Where the directories that links lead to are.
pub(super) const DIRECTORIES: &str = ".HFS+ Private Directory Data\r";
/// Deeper than any path: macOS takes paths of 1024 bytes.
const DEPTH: usize = 512;

struct Directory {
    parent: u32,
    name: String,
    modified: Option<Timestamp>,
}

/// The names of a catalog, put in their places.
#[derive(Default)]
pub(super) struct Catalog {
    directories: HashMap<u32, Directory>,
    /// Everything that is no directory.
    pub(super) names: Vec<Named>,
    /// Where a directory that links lead to stands: below its first link.
    homes: HashMap<u32, (u32, String)>,
    paths: HashMap<u32, Option<Arc<str>>>,
    /// Files that links lead to, by their number, as places in `names`.
    pub(super) linked: HashMap<u32, usize>,
    files: Option<u32>,
}

impl Catalog {
    /// Takes a record.
    pub(super) fn add(&mut self, named: Named) {
        if matches!(named.what, What::Directory) {
            let Named { parent, name, modified, .. } = named;
            self.directories.insert(named.id, Directory { parent, name, modified });
        } else {
            self.names.push(named);
        }
    }

    /// How many names were taken.
    pub(super) fn len(&self) -> usize {
        self.names.len().saturating_add(self.directories.len())
    }

    /// Finds out where links lead, once everything was taken.
    pub(super) fn link(&mut self) {
        let below = |name: &str| {
            let found = self
                .directories
                .iter()
                .find(|(_, directory)| directory.parent == ROOT && directory.name == name);
            found.map(|(id, _)| *id)
        };
        let (files, directories) = (below(FILES), below(DIRECTORIES));
        self.files = files;
        for (index, named) in self.names.iter().enumerate() {
            let number = named.name.strip_prefix("iNode").filter(|_| Some(named.parent) == files);
            if let Some(number) = number.and_then(|number| number.parse().ok()) {
                self.linked.insert(number, index);
            }
        }
        let numbers: HashMap<u32, u32> = self
            .directories
            .iter()
            .filter(|(_, directory)| Some(directory.parent) == directories)
            .filter_map(|(id, directory)| {
                Some((directory.name.strip_prefix("dir_")?.parse().ok()?, *id))
            })
            .collect();
        for named in &self.names {
            if let What::DirectoryLink(number) = named.what
                && let Some(id) = numbers.get(&number)
            {
                let home = || (named.parent, named.name.clone());
                self.homes.entry(*id).or_insert_with(home);
            }
        }
    }

    /// Whether a name stands in the folder of linked files.
    pub(super) fn is_private(&self, named: &Named) -> bool {
        self.files == Some(named.parent)
    }

    /// Every directory with its path, but the root and those of linked files.
    pub(super) fn directories(&mut self) -> Vec<(u32, String, Option<Timestamp>)> {
        let mut found: Vec<(u32, Option<Timestamp>)> = self
            .directories
            .iter()
            .filter(|(id, directory)| {
                let private = directory.name == FILES || directory.name == DIRECTORIES;
                // A linked directory is named by its links.
                let linked = self.homes.contains_key(id);
                **id != ROOT && !(directory.parent == ROOT && private) && !linked
            })
            .map(|(id, directory)| (*id, directory.modified))
            .collect();
        found.sort_unstable();
        let path = |(id, modified): (u32, Option<Timestamp>)| {
            self.path(id).map(|path| (id, path.to_string(), modified))
        };
        found.into_iter().filter_map(path).collect()
    }

    /// The path of a directory; none when it leads nowhere, or back to itself.
    pub(super) fn path(&mut self, id: u32) -> Option<Arc<str>> {
        if id == ROOT {
            return Some(Arc::from(""));
        }
        let mut chain: Vec<(u32, String)> = Vec::new();
        let mut seen = HashSet::new();
        let mut at = id;
        let mut above: Option<Arc<str>> = loop {
            if at == ROOT {
                break Some(Arc::from(""));
            }
            if let Some(known) = self.paths.get(&at) {
                break known.clone();
            }
            if chain.len() >= DEPTH || !seen.insert(at) {
                break None;
            }
            let (parent, name) = match (self.homes.get(&at), self.directories.get(&at)) {
                (Some((parent, name)), _) => (*parent, name.clone()),
                (None, Some(directory)) => (directory.parent, directory.name.clone()),
                (None, None) => break None,
            };
            chain.push((at, name));
            at = parent;
        };
        for (id, name) in chain.into_iter().rev() {
            above = above.map(|above| Arc::from(join(&above, &name)));
            self.paths.insert(id, above.clone());
        }
        above
    }
}

/// A name below a folder.
pub(super) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}
