//! Images and files that recipes make from other tools: see `fixtures/build`.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/fixtures");
    std::env::var_os("LIDLESS_FIXTURES").map_or(own, PathBuf::from)
}

/// A file that the recipe `path` begins with made: `fixture("ntfs/basic.img")`.
///
/// None, with a word on standard error, where it was not made; with CI set that fails the test.
#[must_use]
pub fn fixture(path: &str) -> Option<PathBuf> {
    let whole = root().join(path);
    if whole.exists() {
        return Some(whole);
    }
    let recipe = path.split('/').next().unwrap_or(path);
    assert!(std::env::var_os("CI").is_none(), "{path} was not made: run fixtures/build {recipe}");
    eprintln!("left out: {path} was not made; run fixtures/build {recipe}");
    None
}

/// The files of the tree that recipes put into images: path with `/`, content. In order of path.
#[must_use]
pub fn tree() -> Option<Vec<(String, Vec<u8>)>> {
    fixture("tree").map(|root| files_below(&root))
}

/// The files below a folder: path with `/`, content. In order of path.
///
/// # Panics
/// When one cannot be read.
#[must_use]
pub fn files_below(root: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                files.push((name, std::fs::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}
