//! Files in memory that lie beside each other, for tests.

use lidless_core::{Artifact, Entry, Layer, Provenance, Siblings};
use lidless_io::{Counted, MemoryBytes, ReadAt, Tally};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Files by their path, and the reads of all of them counted.
#[derive(Clone, Default)]
pub(super) struct Beside {
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) tally: Tally,
}

impl Beside {
    /// The files of a fixture's folder whose names begin with `prefix`.
    pub(super) fn fixture(folder: &str, prefix: &str) -> Option<Self> {
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(lidless_kit::fixture(folder)?).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(prefix) {
                files.insert(name, std::fs::read(entry.path()).unwrap());
            }
        }
        Some(Self { files, tally: Tally::default() })
    }

    /// One of them, beside the others.
    pub(super) fn artifact(&self, path: &str) -> Artifact {
        let bytes: Arc<dyn ReadAt> = Arc::new(MemoryBytes::new(self.files[path].clone()));
        let counted: Arc<dyn ReadAt> = Arc::new(Counted::new(bytes, self.tally.clone()));
        let place = Provenance::new(Layer::File { path: format!("/{path}") });
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        Artifact::new(Entry::new(place, Some(counted.len())), counted)
            .beside(Arc::new(Folder { beside: self.clone(), folder }))
    }
}

struct Folder {
    beside: Beside,
    folder: String,
}

impl Siblings for Folder {
    fn open(&self, path: &str) -> Option<Artifact> {
        let whole = if self.folder.is_empty() {
            path.to_owned()
        } else {
            format!("{}/{path}", self.folder)
        };
        self.beside.files.contains_key(&whole).then(|| self.beside.artifact(&whole))
    }
}
