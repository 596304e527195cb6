//! Opens images, and compares disks.

use crate::disk::image::Disk;
use crate::disk::images;
use crate::error::PeelError;
use bytes::Bytes;
use lidless_core::{Artifact, Entry, Layer, Limits, Provenance, Siblings};
use lidless_io::{BlockCache, Counted, FileBytes, MemoryBytes, ReadAt, Tally, read_vec};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files beside a file of this machine.
struct Folder(PathBuf);

impl Siblings for Folder {
    fn open(&self, path: &str) -> Option<Artifact> {
        let path = self.0.join(path);
        path.is_file().then(|| file(&path))
    }
}

/// Files held in memory, by name.
#[derive(Clone, Default)]
pub(super) struct Shelf(BTreeMap<String, Bytes>);

impl Siblings for Shelf {
    fn open(&self, path: &str) -> Option<Artifact> {
        self.0.contains_key(path).then(|| self.artifact(path))
    }
}

impl Shelf {
    pub(super) fn with(mut self, name: &str, bytes: Vec<u8>) -> Self {
        self.0.insert(name.to_owned(), bytes.into());
        self
    }

    pub(super) fn artifact(&self, name: &str) -> Artifact {
        let place = Provenance::new(Layer::File { path: format!("/{name}") });
        let bytes: Arc<dyn ReadAt> = Arc::new(MemoryBytes::new(self.0[name].clone()));
        Artifact::new(Entry::new(place, Some(bytes.len())), bytes).beside(Arc::new(self.clone()))
    }

    pub(super) fn open(&self, name: &str) -> Result<Disk, PeelError> {
        open(&self.artifact(name)).1
    }
}

/// A file of this machine with its neighbours.
pub(super) fn file(path: &Path) -> Artifact {
    let bytes = Arc::new(FileBytes::open(path).unwrap());
    let place = Provenance::new(Layer::File { path: path.to_string_lossy().into_owned() });
    let folder = Folder(path.parent().unwrap().to_owned());
    Artifact::new(Entry::new(place, Some(bytes.len())), bytes).beside(Arc::new(folder))
}

/// Opens an image as the peeler does, and says by which format.
pub(super) fn open(artifact: &Artifact) -> (&'static str, Result<Disk, PeelError>) {
    let head = read_vec(&*artifact.bytes, 0, 16 << 10).unwrap();
    let image = images().into_iter().find(|image| image.recognises(artifact, &head)).unwrap();
    let cache = BlockCache::new(Arc::clone(&artifact.bytes), 64 << 10, 16 << 20);
    let cached = artifact.over(Arc::new(cache.reading_ahead(1 << 20)));
    (image.name(), image.open(&cached, &head, &Limits::default()))
}

/// The same, with what is read of the file itself counted.
pub(super) fn counted(path: &Path) -> (&'static str, Result<Disk, PeelError>, Tally) {
    let tally = Tally::default();
    let artifact = file(path);
    let bytes = Counted::new(Arc::clone(&artifact.bytes), tally.clone());
    let (name, disk) = open(&artifact.over(Arc::new(bytes)));
    (name, disk, tally)
}

/// Numbers that look random and are the same each time.
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end.max(1)
    }
}

/// Panics unless both hold the same from 0 to `length`, read in one way and another.
pub(super) fn assert_same(disk: &dyn ReadAt, expected: &dyn ReadAt, length: u64) {
    for at in (0..length).step_by(3 << 20) {
        let size = (length - at).min(3 << 20);
        let got = read_vec(disk, at, size).unwrap();
        let wanted = read_vec(expected, at, size).unwrap();
        if got != wanted {
            let differs = got.iter().zip(&wanted).position(|(one, other)| one != other);
            panic!("from {at} on: {differs:?}, {} and {} bytes", got.len(), wanted.len());
        }
    }
    assert_same_at(disk, expected, length, 300);
}

/// The same at random places, alone and in batches.
pub(super) fn assert_same_at(disk: &dyn ReadAt, expected: &dyn ReadAt, length: u64, count: u64) {
    let mut numbers = Numbers(7);
    let mut batch = Vec::new();
    for _ in 0..count {
        let at = numbers.below(length);
        let bits = numbers.below(18);
        let size = numbers.below(1 << bits).min(length - at);
        let got = read_vec(disk, at, size).unwrap();
        assert!(got == read_vec(expected, at, size).unwrap(), "{at}, {size} bytes");
        batch.push(at..at + size);
        if batch.len() == 9 {
            for (range, got) in batch.iter().zip(disk.read_ranges(&batch).unwrap()) {
                let wanted = read_vec(expected, range.start, range.end - range.start).unwrap();
                assert!(got == wanted, "{range:?}");
            }
            batch.clear();
        }
    }
}
