use lidless_core::{Artifact, Entry, Finding, Gap, Layer, Limits, Provenance};
use lidless_io::{MemoryBytes, read_vec};
use std::sync::Arc;

struct Nothing;

impl lidless_peel::Sink for Nothing {
    fn entry(&mut self, artifact: Artifact) {
        let _ = read_vec(&*artifact.bytes, 0, 1 << 16);
    }
    fn inert(&mut self, _: Entry, _: &'static str) {}
    fn gap(&mut self, _: Gap) {}
    fn finding(&mut self, _: Finding) {}
}

/// Opens what begins with `magic` and goes on with `data`.
pub fn open(name: &str, magic: &[u8], data: &[u8]) {
    let place = Provenance::new(Layer::File { path: name.into() });
    let whole = [magic, data].concat();
    let bytes = Arc::new(MemoryBytes::new(whole.clone()));
    let artifact = Artifact::new(Entry::new(place, None), bytes);
    let head = whole.get(..16384).unwrap_or(&whole);
    let limits = Limits { expansion_bytes: 1 << 20, members: 1000, ..Limits::default() };
    if let Some(peeler) = lidless_peel::Peelers::new().find(&artifact, head) {
        peeler.peel(&artifact, head, &limits, &mut Nothing);
    }
}
