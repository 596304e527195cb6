//! Folders by number, each with the one above it: what catalogs give instead of paths.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Deeper than any path: systems take paths of some thousand bytes.
const DEPTH: usize = 512;

/// The folders of a volume.
pub(super) struct Folders {
    root: u64,
    known: HashMap<u64, (u64, String)>,
    paths: HashMap<u64, Option<Arc<str>>>,
}

impl Folders {
    /// None yet but the root.
    pub(super) fn new(root: u64) -> Self {
        Self { root, known: HashMap::new(), paths: HashMap::new() }
    }

    /// Takes a folder; a second one of a number takes the place of the first.
    pub(super) fn insert(&mut self, id: u64, parent: u64, name: String) {
        self.known.insert(id, (parent, name));
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Every folder: its number, the one above it, its name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, u64, &str)> {
        self.known.iter().map(|(id, (parent, name))| (*id, *parent, name.as_str()))
    }

    /// The path of a folder; none when it leads nowhere, or back to itself.
    pub(super) fn path(&mut self, id: u64) -> Option<Arc<str>> {
        let mut chain: Vec<(u64, &str)> = Vec::new();
        let mut seen = HashSet::new();
        let mut at = id;
        let mut above: Option<Arc<str>> = loop {
            if at == self.root {
                break Some(Arc::from(""));
            }
            if let Some(known) = self.paths.get(&at) {
                break known.clone();
            }
            if chain.len() >= DEPTH || !seen.insert(at) {
                break None;
            }
            let Some((parent, name)) = self.known.get(&at) else { break None };
            chain.push((at, name));
            at = *parent;
        };
        for (id, name) in chain.into_iter().rev() {
            above = above.map(|above| Arc::from(join(&above, name)));
            self.paths.insert(id, above.clone());
        }
        above
    }
}

/// A name below a folder.
pub(super) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_below_themselves_have_no_path() {
        let mut folders = Folders::new(2);
        for (id, parent) in [(5, 2), (6, 5), (7, 8), (8, 7), (9, 99)] {
            folders.insert(id, parent, format!("d{id}"));
        }
        assert_eq!(folders.path(6).as_deref(), Some("d5/d6"));
        assert_eq!(folders.path(2).as_deref(), Some(""));
        assert_eq!((folders.path(7), folders.path(8), folders.path(9)), (None, None, None));
    }
}
