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

/// A primary descriptor that holds, with the root directory behind the descriptors.
fn image(data: &[u8]) -> Option<Vec<u8>> {
    let mut image = vec![0u8; 0x8000];
    image.extend_from_slice(data);
    let first = image.get_mut(0x8000..0x8000 + 190)?;
    first[..7].copy_from_slice(b"\x01CD001\x01");
    first[128..130].copy_from_slice(&2048u16.to_le_bytes());
    first[156] = 34;
    first[181] = 2;
    first[188..190].copy_from_slice(&[1, 0]);
    Some(image)
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(image) = image(data) else { return };
    let place = Provenance::new(Layer::File { path: "/x.iso".into() });
    let bytes = Arc::new(MemoryBytes::new(image.clone()));
    let artifact = Artifact::new(Entry::new(place, None), bytes);
    let head = image.get(..16384).unwrap_or(&image);
    let limits = Limits { expansion_bytes: 1 << 20, members: 1000, ..Limits::default() };
    if let Some(peeler) = lidless_peel::Peelers::new().find(&artifact, head) {
        peeler.peel(&artifact, head, &limits, &mut Nothing);
    }
});
