//! Opens bytes as the peelers do, under a name, and reads the beginning of what is inside.

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

/// Opens `data` under a name.
pub fn peel(name: &str, data: &[u8]) {
    let place = Provenance::new(Layer::File { path: format!("/{name}") });
    let bytes = Arc::new(MemoryBytes::new(data.to_vec()));
    let artifact = Artifact::new(Entry::new(place, None), bytes);
    let head = data.get(..16384).unwrap_or(data);
    let limits = Limits { expansion_bytes: 1 << 20, members: 1000, ..Limits::default() };
    if let Some(peeler) = lidless_peel::Peelers::new().find(&artifact, head) {
        peeler.peel(&artifact, head, &limits, &mut Nothing);
    }
}
