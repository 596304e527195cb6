#![no_main]
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

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let data = [&b"\x78\x9f\x3e\x22"[..], data].concat();
    let place = Provenance::new(Layer::File { path: "/x.dat".into() });
    let bytes = Arc::new(MemoryBytes::new(data.clone()));
    let artifact = Artifact::new(Entry::new(place, None), bytes);
    let head = data.get(..16384).unwrap_or(&data);
    let limits = Limits { expansion_bytes: 1 << 20, members: 1000, ..Limits::default() };
    if let Some(peeler) = lidless_peel::Peelers::new().find(&artifact, head) {
        peeler.peel(&artifact, head, &limits, &mut Nothing);
    }
});
