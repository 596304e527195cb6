//! Places that are looked at before anything else is listed.

use super::face::{Asked, FileSystem, Node, NodeKind};
use crate::error::PeelError;
use std::collections::BTreeMap;

const PLACES: &str = include_str!("../../../../rules/place/known.toml");

/// How many folders of one depth are looked into: folders of users, profiles of browsers.
const MOST: usize = 4_096;
/// How many folders are listed at once: folders that share what they hold cost memory for each.
const TOGETHER: usize = 32;
/// How many names are looked at in all, and how many files are kept of them.
const MOST_NAMES: usize = 1 << 20;
const MOST_FILES: usize = 1 << 16;
const TOO_MANY: PeelError = PeelError::Limit("more files at known places than the limit");

/// The patterns as parts.
pub(super) fn patterns() -> Vec<Vec<String>> {
    let by_system: BTreeMap<String, Vec<String>> = toml::from_str(PLACES).unwrap_or_default();
    by_system
        .into_values()
        .flatten()
        .map(|path| path.split('/').map(str::to_owned).collect())
        .collect()
}

/// The files at known places. Each directory is read once, and all those of one depth together;
/// those that are not there cost nothing more. What kept directories from being read, and what
/// lies past the limits, is handed to `failed`.
pub(super) fn find(files: &dyn FileSystem, failed: &mut dyn FnMut(PeelError)) -> Vec<Node> {
    let patterns = patterns();
    let mut found: BTreeMap<(String, u64), Node> = BTreeMap::new();
    let mut left = MOST_NAMES;
    // Folders, and what may lead on from each.
    let mut level: BTreeMap<String, Vec<&[String]>> = BTreeMap::new();
    level.insert(String::new(), patterns.iter().map(Vec::as_slice).collect());
    while !level.is_empty() {
        let mut is_over = false;
        let mut next: BTreeMap<String, Vec<&[String]>> = BTreeMap::new();
        let folders: Vec<(String, Vec<&[String]>)> = level.into_iter().collect();
        for group in folders.chunks(TOGETHER) {
            let asked: Vec<Asked> = group
                .iter()
                .map(|(path, ways)| Asked { path: path.clone(), names: names(ways) })
                .collect();
            for ((_, ways), listing) in group.iter().zip(files.listings(&asked)) {
                if let Some(error) = listing.failed {
                    failed(error);
                }
                for node in listing.children {
                    let Some(fewer) = left.checked_sub(1) else {
                        failed(TOO_MANY);
                        return found.into_values().collect();
                    };
                    left = fewer;
                    for (part, rest) in ways.iter().filter_map(|way| way.split_first()) {
                        if !matches(part, &node.path) {
                            continue;
                        }
                        match (node.kind, rest.is_empty()) {
                            (NodeKind::File, true) if found.len() < MOST_FILES => {
                                found.insert((node.path.clone(), node.handle), node.clone());
                            }
                            (NodeKind::Directory, false)
                                if next.len() < MOST || next.contains_key(&node.path) =>
                            {
                                next.entry(node.path.clone()).or_default().push(rest);
                            }
                            (NodeKind::File, true) | (NodeKind::Directory, false) => is_over = true,
                            _ => {}
                        }
                    }
                }
            }
        }
        if is_over {
            failed(TOO_MANY);
        }
        level = next;
    }
    found.into_values().collect()
}

/// The names that lead on, when all of them are whole.
fn names(ways: &[&[String]]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for part in ways.iter().filter_map(|way| way.first()) {
        if part.contains('*') {
            return None;
        }
        if !names.contains(part) {
            names.push(part.clone());
        }
    }
    Some(names)
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
