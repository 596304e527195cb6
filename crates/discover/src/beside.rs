//! The files beside a file: parents and segments of disk images.

use crate::folder::absolute;
use lidless_core::{Artifact, Entry, Layer, Provenance, Siblings};
use lidless_io::{FileBytes, ReadAt as _};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// The neighbours of the files in one folder, no further up than the target that was named: an
/// image that names `/etc/shadow` as its parent does not get it.
pub(crate) struct Beside {
    /// The target, with every link resolved.
    pub(crate) root: Arc<Path>,
    /// The folder.
    pub(crate) folder: PathBuf,
}

impl Siblings for Beside {
    fn open(&self, path: &str) -> Option<Artifact> {
        let relative = Path::new(path);
        let plain = |part: Component<'_>| {
            matches!(part, Component::Normal(_) | Component::CurDir | Component::ParentDir)
        };
        if path.is_empty() || !relative.components().all(plain) {
            return None;
        }
        let named = self.folder.join(relative);
        let found = std::fs::canonicalize(&named).ok().or_else(|| other_case(&named))?;
        if !found.starts_with(&self.root) || !found.is_file() {
            return None;
        }
        let bytes = FileBytes::open(&found).ok()?;
        let place = Provenance::new(Layer::File { path: absolute(&found) });
        let folder = found.parent()?.to_owned();
        let beside = Self { root: Arc::clone(&self.root), folder };
        let entry = Entry::new(place, Some(bytes.len()));
        Some(Artifact::new(entry, Arc::new(bytes)).beside(Arc::new(beside)))
    }
}

/// The same name in other letters: images made on Windows name their parents as they like.
fn other_case(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let folder = std::fs::read_dir(path.parent()?).ok()?;
    let found = folder.flatten().find(|entry| {
        entry.file_name().to_str().is_some_and(|known| known.eq_ignore_ascii_case(name))
    })?;
    std::fs::canonicalize(found.path()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_end_at_the_target() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("target/sub")).unwrap();
        std::fs::write(root.join("secret"), "x").unwrap();
        std::fs::write(root.join("target/Base.VHD"), "base").unwrap();
        std::os::unix::fs::symlink("../../secret", root.join("target/sub/link")).unwrap();
        let beside = Beside { root: root.join("target").into(), folder: root.join("target/sub") };
        assert_eq!(beside.open("../Base.VHD").unwrap().bytes.len(), 4);
        assert_eq!(beside.open("../base.vhd").unwrap().bytes.len(), 4);
        let again = beside.open("../base.vhd").unwrap();
        assert!(again.sibling("Base.VHD").is_some());
        for outside in ["../../secret", "link", "/etc/passwd", "", "nothing", ".."] {
            assert!(beside.open(outside).is_none(), "{outside}");
        }
    }
}
