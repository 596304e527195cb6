#![no_main]
//! A disk image and one other file that lies beside it under every name.
use lidless_core::{Artifact, Entry, Finding, Gap, Layer, Limits, Provenance, Siblings};
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

#[derive(Clone)]
struct Beside(Arc<Vec<u8>>);
impl Siblings for Beside {
    fn open(&self, path: &str) -> Option<Artifact> {
        Some(artifact(path, &self.0).beside(Arc::new(self.clone())))
    }
}

fn artifact(path: &str, data: &[u8]) -> Artifact {
    let place = Provenance::new(Layer::File { path: format!("/{path}") });
    Artifact::new(Entry::new(place, None), Arc::new(MemoryBytes::new(data.to_vec())))
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((first, data)) = data.split_first_chunk::<2>() else { return };
    let cut = usize::from(u16::from_le_bytes(*first)) * 16;
    let (data, beside) = data.split_at(cut.min(data.len()));
    let beside = Arc::new(Beside(Arc::new(beside.to_vec())));
    for name in ["x.vhd", "x-flat.vmdk"] {
        let artifact = artifact(name, data).beside(beside.clone());
        let head = data.get(..16384).unwrap_or(data);
        let limits = Limits { image_bytes: 1 << 20, members: 1000, ..Limits::default() };
        if let Some(peeler) = lidless_peel::Peelers::new().find(&artifact, head) {
            peeler.peel(&artifact, head, &limits, &mut Nothing);
        }
    }
});
