//! Walking a folder in the order of its keys, from any key on, with bounded memory.
//!
//! The order is that of the keys' bytes, as object stores have it: a folder sorts as its name with
//! a slash, so that `a-b`, `a/b` and `ab` come in this order. A folder is read as often as it takes
//! to go through it in pieces of [`PIECE`] names, the smallest first.

use super::address::{name_of, part_of};
use super::refusal::words;
use super::tree::{Kind, Tree, kind, look, names, object};
use lidless_core::{Gap, Object};
use rustix::fs::Stat;
use rustix::io::Errno;
use std::collections::BinaryHeap;
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// Names of one folder that are held at a time: some megabytes.
const PIECE: usize = 50_000;
/// Pieces that all folders on the way hold together.
const HELD: usize = 2;
/// Folders below the root that are followed: no tree of files is deeper.
const DEPTH: usize = 256;

/// What a walk comes to.
pub(crate) enum Item {
    Object(Object),
    /// A folder that was not gone into, as a prefix.
    Prefix(String),
    /// Something that is not listed, and why.
    Gap(Gap),
}

/// A folder on the way.
struct Level {
    /// The key of the folder, with a slash behind it; empty for the root.
    folder: String,
    /// Open once names were read.
    open: Option<OwnedFd>,
    /// Only names that begin like this.
    stem: String,
    /// Names to come, the last one first; folders with a slash.
    names: Vec<String>,
    /// The name before these.
    after: Option<String>,
    /// There are more than these.
    more: bool,
}

/// The names that a request is for and that are still to come.
pub(crate) struct Walk {
    tree: Arc<Tree>,
    folded: bool,
    levels: Vec<Level>,
    piece: usize,
}

impl Walk {
    /// Everything whose key begins with `prefix` and comes after `after`, which does as well.
    pub(crate) fn new(tree: &Arc<Tree>, prefix: &str, folded: bool, after: Option<&str>) -> Self {
        Self::in_pieces(tree, prefix, folded, after, PIECE)
    }

    fn in_pieces(
        tree: &Arc<Tree>,
        prefix: &str,
        folded: bool,
        after: Option<&str>,
        piece: usize,
    ) -> Self {
        let cut = prefix.rfind('/').map_or(0, |at| at.saturating_add(1));
        let (folder, stem) = prefix.split_at_checked(cut).unwrap_or(("", prefix));
        let mut levels = vec![Level::new(folder, stem)];
        let mut rest = after.and_then(|after| after.strip_prefix(folder)).unwrap_or("");
        while let Some(level) = levels.last_mut().filter(|_| !rest.is_empty()) {
            let end = rest.find('/').map_or(rest.len(), |at| at.saturating_add(1));
            let (name, below) = rest.split_at_checked(end).unwrap_or((rest, ""));
            level.after = Some(name.to_owned());
            let inside = format!("{}{name}", level.folder);
            rest = below;
            if !below.is_empty() {
                levels.push(Level::new(&inside, ""));
            }
        }
        Self { tree: Arc::clone(tree), folded, levels, piece }
    }

    /// Reads the next names of the deepest folder.
    fn fill(&mut self) -> Result<(), Errno> {
        let Some(level) = self.levels.last_mut() else { return Ok(()) };
        level.more = false;
        if level.open.is_none() {
            level.open = Some(match level.folder.strip_suffix('/') {
                None => self.tree.folder("")?,
                // A key that begins with a slash is nobody's.
                Some("") => return Err(Errno::NOENT),
                Some(key) => self.tree.folder(key)?,
            });
        }
        let Some(open) = &level.open else { return Ok(()) };
        // The largest on top: what is more than a piece falls off there.
        let mut smallest = BinaryHeap::new();
        let mut broken = None;
        for entry in names(open)? {
            let (name, known) = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    broken = Some(error);
                    break;
                }
            };
            let mut part = part_of(&name);
            if !part.starts_with(&level.stem) && !level.stem.starts_with(&part) {
                continue;
            }
            let kind = known.or_else(|| look(open, &name).ok().map(|stat| kind(&stat)));
            if kind == Some(Kind::Folder) {
                part.push('/');
            }
            if !part.starts_with(&level.stem) || level.after.as_ref().is_some_and(|it| part <= *it)
            {
                continue;
            }
            smallest.push(part);
            if smallest.len() > self.piece {
                smallest.pop();
                level.more = true;
            }
        }
        level.names = smallest.into_sorted_vec();
        level.names.reverse();
        self.forget();
        broken.map_or(Ok(()), Err)
    }

    /// Lets go of the names of outer folders when all hold too many; they are read again.
    fn forget(&mut self) {
        let mut held =
            self.levels.iter().map(|level| level.names.len()).fold(0, usize::saturating_add);
        let most = self.piece.saturating_mul(HELD);
        let deepest = self.levels.len().saturating_sub(1);
        for level in self.levels.iter_mut().take(deepest) {
            if held <= most {
                return;
            }
            held = held.saturating_sub(level.names.len());
            level.more |= !level.names.is_empty();
            level.names = Vec::new();
        }
    }

    fn gap(&self, key: &str, reason: String) -> Item {
        Item::Gap(Gap::new(self.tree.place(key), reason, None))
    }

    /// A name of the deepest folder that is not a folder itself, and what a look at it says.
    fn file(&self, key: String, looked: Result<Stat, Errno>) -> Option<Item> {
        match looked {
            Ok(stat) => Some(match kind(&stat) {
                Kind::File => Item::Object(object(key, &stat)),
                Kind::Link => self.gap(&key, "a link, which is not followed".into()),
                Kind::Special => {
                    self.gap(&key, "a pipe, socket or device, which is not read".into())
                }
                Kind::Folder => self.gap(&key, "it became a folder while it was listed".into()),
            }),
            // It went while the folder was listed: there is nothing to name.
            Err(Errno::NOENT) => None,
            Err(error) => Some(self.gap(&key, format!("could not be looked at: {}", words(error)))),
        }
    }
}

impl Level {
    fn new(folder: &str, stem: &str) -> Self {
        Self {
            folder: folder.to_owned(),
            open: None,
            stem: stem.to_owned(),
            names: Vec::new(),
            after: None,
            more: true,
        }
    }
}

impl Iterator for Walk {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        loop {
            let depth = self.levels.len();
            let level = self.levels.last_mut()?;
            let Some(name) = level.names.pop() else {
                if !level.more {
                    self.levels.pop();
                    continue;
                }
                let folder = level.folder.trim_end_matches('/').to_owned();
                match self.fill() {
                    Ok(()) => continue,
                    // What is not there holds nothing; that a prefix leads through a file or a
                    // link is the same.
                    Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => continue,
                    Err(error) => {
                        return Some(
                            self.gap(&folder, format!("could not be listed: {}", words(error))),
                        );
                    }
                }
            };
            let key = format!("{}{name}", level.folder);
            if !name.ends_with('/') {
                let raw = name_of(&name).ok_or(Errno::NOENT);
                let open = level.open.as_ref().ok_or(Errno::NOENT);
                let looked = raw.and_then(|raw| look(open?, &raw));
                level.after = Some(name);
                match self.file(key, looked) {
                    Some(item) => return Some(item),
                    None => continue,
                }
            }
            level.after = Some(name);
            if self.folded {
                return Some(Item::Prefix(key));
            }
            if depth > DEPTH {
                let why = format!("more than {DEPTH} folders deep, and not followed");
                return Some(self.gap(key.trim_end_matches('/'), why));
            }
            self.levels.push(Level::new(&key, ""));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    /// Names whose order as keys is not the order of the folders, and a folder in each.
    const PARTS: [&str; 9] = ["a", "a b", "a-b", "a.b", "a0", "aa", "b", "\u{fc}", "z"];

    fn made() -> (tempfile::TempDir, BTreeSet<String>) {
        let folder = tempfile::tempdir().unwrap();
        let mut keys = BTreeSet::new();
        for (number, outer) in PARTS.iter().enumerate() {
            for (other, inner) in PARTS.iter().enumerate() {
                // Some are folders, some files, some both at different depths.
                let key = match (number % 3, other % 3) {
                    (0, 0) => format!("{outer}/{inner}/x"),
                    (0, _) => format!("{outer}/{inner}"),
                    (1, 1) => format!("{outer}.d/{inner}/{outer}/y"),
                    (1, _) => format!("{outer}.d/{inner}"),
                    _ => (*outer).to_owned(),
                };
                let path = folder.path().join(&key);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, &key).unwrap();
                keys.insert(key);
            }
        }
        (folder, keys)
    }

    fn tree(root: &Path) -> Arc<Tree> {
        let shown = root.to_string_lossy().into_owned();
        Arc::new(Tree { root: root.to_owned(), shown })
    }

    fn all(walk: Walk) -> Vec<String> {
        walk.map(|item| match item {
            Item::Object(object) => object.key,
            Item::Prefix(prefix) => prefix,
            Item::Gap(gap) => format!("{gap:?}"),
        })
        .collect()
    }

    #[test]
    fn the_order_is_that_of_keys_whatever_the_size_of_a_piece_and_wherever_it_begins() {
        let (folder, keys) = made();
        let tree = tree(folder.path());
        let whole: Vec<String> = keys.iter().cloned().collect();
        for piece in [1, 2, 3, 1000] {
            let walk = Walk::in_pieces(&tree, "", false, None, piece);
            assert_eq!(all(walk), whole, "{piece}");
            for (number, after) in whole.iter().enumerate() {
                let walk = Walk::in_pieces(&tree, "", false, Some(after), piece);
                assert_eq!(all(walk), &whole[number + 1..], "{piece} after {after}");
            }
            // Also after what is not there, or is no more.
            for after in ["a!", "a/a/w", "a/zzz", "nothing", "a.d", "zz"] {
                let wanted: Vec<_> = keys.iter().filter(|key| key.as_str() > after).collect();
                let found = all(Walk::in_pieces(&tree, "", false, Some(after), piece));
                assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{piece} after {after}");
            }
        }
    }

    #[test]
    fn outer_folders_whose_names_were_let_go_are_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let mut keys = BTreeSet::new();
        let mut at = String::new();
        for _ in 0..12 {
            std::fs::create_dir_all(folder.path().join(&at)).unwrap();
            for name in ["a", "b", "d", "e"] {
                let key = format!("{at}{name}");
                std::fs::write(folder.path().join(&key), "").unwrap();
                keys.insert(key);
            }
            at.push_str("c/");
        }
        let tree = tree(folder.path());
        for piece in [1, 2, 4, 5, 1000] {
            let mut walk = Walk::in_pieces(&tree, "", false, None, piece);
            let (mut found, mut most) = (Vec::new(), 0);
            while let Some(item) = walk.next() {
                let Item::Object(object) = item else { panic!("something that is no file") };
                found.push(object.key);
                most = most.max(walk.levels.iter().map(|level| level.names.len()).sum());
            }
            assert!(found.iter().eq(&keys), "{piece}: {found:?}");
            assert!(most <= piece * HELD, "{piece}: {most} names at once");
        }
    }

    #[test]
    fn a_prefix_is_kept_to_and_folded_as_object_stores_do() {
        let (folder, keys) = made();
        let tree = tree(folder.path());
        for prefix in ["", "a", "a/", "a/a", "a/a/", "a b.d/a", "aa", "zz", "\u{fc}"] {
            let below: Vec<&String> = keys.iter().filter(|key| key.starts_with(prefix)).collect();
            let found = all(Walk::in_pieces(&tree, prefix, false, None, 2));
            assert_eq!(found.iter().collect::<Vec<_>>(), below, "{prefix}");
            let mut folded: BTreeMap<String, ()> = BTreeMap::new();
            for key in below {
                let rest = key.strip_prefix(prefix).unwrap();
                let end = rest.find('/').map_or(key.len(), |at| prefix.len() + at + 1);
                folded.insert(key[..end].to_owned(), ());
            }
            let wanted: Vec<String> = folded.into_keys().collect();
            assert_eq!(all(Walk::in_pieces(&tree, prefix, true, None, 2)), wanted, "{prefix}");
            for (number, after) in wanted.iter().enumerate() {
                let rest = all(Walk::in_pieces(&tree, prefix, true, Some(after), 2));
                assert_eq!(rest, &wanted[number + 1..], "{prefix} after {after}");
            }
        }
    }
}
