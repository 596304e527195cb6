//! Opens bytes as the peelers do, under a name, and reads the beginning of what is inside.

use lidless_core::{Artifact, Entry, Finding, Gap, Layer, Limits, Provenance, Siblings};
use lidless_io::{MemoryBytes, read_vec};
use std::sync::Arc;

struct Opened;

impl lidless_peel::Sink for Opened {
    fn entry(&mut self, artifact: Artifact) {
        let _ = read_vec(&*artifact.bytes, 0, 1 << 16);
        let _ = artifact.sibling("../x");
    }
    fn inert(&mut self, _: Entry, _: &'static str) {}
    fn gap(&mut self, _: Gap) {}
    fn finding(&mut self, _: Finding) {}
}

/// Opens `magic` and the `data` behind it, which may begin with it already.
pub fn peel(name: &str, magic: &[u8], data: &[u8]) {
    if data.starts_with(magic) {
        open(artifact(name, data), data);
    } else {
        peel(name, b"", &[magic, data].concat());
    }
}

/// Opens an image that was made of the input, if it was long enough for one.
pub fn peel_image(name: &str, image: Option<Vec<u8>>) {
    if let Some(image) = image {
        peel(name, b"", &image);
    }
}

/// Opens `data`, with a file beside it under every name that is asked for.
pub fn peel_beside(name: &str, data: &[u8], beside: &[u8]) {
    let beside = Arc::new(Beside(Arc::new(beside.to_vec())));
    open(artifact(name, data).beside(beside), data);
}

/// `data` with each of `fields` at its offset, so that changes go to what lies behind it.
pub fn with(data: &[u8], fields: &[(usize, &[u8])]) -> Option<Vec<u8>> {
    let mut image = data.to_vec();
    for (at, field) in fields {
        image.get_mut(*at..at + field.len())?.copy_from_slice(field);
    }
    Some(image)
}

fn open(artifact: Artifact, data: &[u8]) {
    let head = data.get(..16384).unwrap_or(data);
    let limits = Limits {
        expansion_bytes: 1 << 20,
        image_bytes: 1 << 20,
        members: 1000,
        ..Limits::default()
    };
    if let Some(peeler) = lidless_peel::Peelers::new().find(&artifact, head) {
        peeler.peel(&artifact, head, &limits, &mut Opened);
    }
}

fn artifact(name: &str, data: &[u8]) -> Artifact {
    let place = Provenance::new(Layer::File { path: format!("/{name}") });
    Artifact::new(Entry::new(place, None), Arc::new(MemoryBytes::new(data.to_vec())))
}

#[derive(Clone)]
struct Beside(Arc<Vec<u8>>);

impl Siblings for Beside {
    fn open(&self, path: &str) -> Option<Artifact> {
        Some(artifact(path, &self.0).beside(Arc::new(self.clone())))
    }
}
