//! Other repositories that a repository names: listed, never followed.

use super::names::{History, place};
use crate::clone::shown;
use gix::ObjectId;
use lidless_core::Gap;
use std::collections::BTreeMap;

/// `.gitmodules` are read up to this length.
const FILE_BYTES: usize = 1 << 20;

/// Adds a gap for every submodule, with its commit and its address when the newest tree has it.
pub(super) fn list(
    repository: &gix::Repository,
    name: &str,
    tree: Option<ObjectId>,
    history: &mut History,
) {
    if history.submodules.is_empty() {
        return;
    }
    let urls = tree.and_then(|tree| {
        let tree = repository.find_tree(tree).ok()?;
        let entry = tree.find_entry(".gitmodules")?;
        let object = entry.object().ok()?;
        object.data.get(..).filter(|data| data.len() <= FILE_BYTES).map(addresses)
    });
    let urls = urls.unwrap_or_default();
    for (path, commit) in &history.submodules {
        let url = urls.get(path).map_or("an address that is not known", String::as_str);
        let at = format!("{}@{commit}:{path} ({url})", place(name));
        history.gaps.push(Gap::new(at, "a submodule: another repository, not followed", None));
    }
}

/// Addresses by path: `[submodule "name"]`, then `path = ` and `url = `. Without userinfo.
fn addresses(data: &[u8]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let (mut path, mut url) = (None, None);
    let text = String::from_utf8_lossy(data);
    for line in text.lines().chain(std::iter::once("[")) {
        let line = line.trim();
        if line.starts_with('[') {
            if let (Some(path), Some(url)) = (path.take(), url.take()) {
                found.insert(path, url);
            }
            (path, url) = (None, None);
        } else if let Some((key, value)) = line.split_once('=') {
            let value = value.trim().trim_matches('"');
            match key.trim() {
                "path" => path = Some(value.to_owned()),
                "url" => url = Some(shown(value)),
                _ => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_submodules_come_without_passwords() {
        let text = "[submodule \"a\"]\n\tpath = lib/a\n\turl = https://me:pw@example.com/a.git\n\
                    [submodule \"b\"]\n\turl = ../b\n[submodule \"c\"]\npath=c\nurl=\"../c\"\n";
        let found = addresses(text.as_bytes());
        assert_eq!(found.get("lib/a").map(String::as_str), Some("https://example.com/a.git"));
        assert_eq!(found.get("c").map(String::as_str), Some("../c"));
        assert_eq!(found.len(), 2);
    }
}
