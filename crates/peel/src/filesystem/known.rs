//! Places that are looked at before anything else is listed.

use super::face::{FileSystem, Node, NodeKind};
use crate::error::PeelError;
use std::collections::{BTreeMap, HashMap};

const PLACES: &str = include_str!("../../../../rules/place/known.toml");

/// How many names one pattern may lead to: folders of users, profiles of browsers.
const MOST: usize = 4_096;

/// The patterns as parts.
pub(super) fn patterns() -> Vec<Vec<String>> {
    let by_system: BTreeMap<String, Vec<String>> = toml::from_str(PLACES).unwrap_or_default();
    by_system
        .into_values()
        .flatten()
        .map(|path| path.split('/').map(str::to_owned).collect())
        .collect()
}

/// The files at known places. Directories are read once each; those that are not there cost what
/// it takes to learn that.
///
/// Errors of single directories are handed to `failed`; only a root that cannot be read ends it.
///
/// # Errors
/// When the root cannot be read.
pub(super) fn find(
    files: &dyn FileSystem,
    failed: &mut dyn FnMut(PeelError),
) -> Result<Vec<Node>, PeelError> {
    let mut known = Directories { files, read: HashMap::new() };
    let root = files.directory("")?.unwrap_or_default();
    known.read.insert(String::new(), root);
    let mut found: BTreeMap<(String, u64), Node> = BTreeMap::new();
    for pattern in patterns() {
        let mut folders = vec![String::new()];
        let Some((last, above)) = pattern.split_last() else { continue };
        for part in above {
            let mut next = Vec::new();
            for folder in &folders {
                for node in known.children(folder, failed) {
                    if node.kind == NodeKind::Directory && matches(part, &node.path) {
                        next.push(node.path.clone());
                    }
                }
            }
            next.truncate(MOST);
            folders = next;
        }
        for folder in folders {
            for node in known.children(&folder, failed) {
                if node.kind == NodeKind::File && matches(last, &node.path) {
                    found.insert((node.path.clone(), node.handle), node.clone());
                }
            }
        }
    }
    Ok(found.into_values().collect())
}

struct Directories<'a> {
    files: &'a dyn FileSystem,
    read: HashMap<String, Vec<Node>>,
}

impl Directories<'_> {
    fn children(&mut self, path: &str, failed: &mut dyn FnMut(PeelError)) -> &[Node] {
        if !self.read.contains_key(path) {
            let children = match self.files.directory(path) {
                Ok(children) => children.unwrap_or_default(),
                Err(error) => {
                    failed(error);
                    Vec::new()
                }
            };
            self.read.insert(path.to_owned(), children);
        }
        self.read.get(path).map_or(&[], Vec::as_slice)
    }
}

/// Whether the last part of `path` is what a part of a pattern says. ASCII case does not count:
/// a file system that tells `ETC` from `etc` has at most one of them with anything in it.
fn matches(part: &str, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    // The subvolumes of btrfs that stand for folders of the root are called `@home` and so on.
    let name = if path.contains('/') { &name } else { name.strip_prefix('@').unwrap_or(&name) };
    let part = part.to_ascii_lowercase();
    match part.split_once('*') {
        None => name == part,
        Some((before, after)) => {
            name.len() >= before.len().saturating_add(after.len())
                && name.starts_with(before)
                && name.ends_with(after)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_there_and_match_whole_names() {
        assert!(patterns().len() > 30);
        assert!(patterns().iter().all(|parts| parts.iter().all(|part| !part.is_empty())));
        for (part, path, is) in [
            ("config", "a/Config", true),
            ("id_*", "x/id_rsa", true),
            ("id_*", "x/kid_rsa", false),
            ("*", "x/y", true),
            ("*.key", "a.key", true),
            ("aa*aa", "aaa", false),
            ("home", "@home", true),
            ("home", "a/@home", false),
        ] {
            assert_eq!(matches(part, path), is, "{part} {path}");
        }
    }
}
