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

/// The first byte says which of the two it is.
fn image(data: &[u8]) -> Option<Vec<u8>> {
    let (which, rest) = data.split_first()?;
    let mut image = rest.to_vec();
    if which & 1 == 0 {
        image.get_mut(..4)?.copy_from_slice(&[0x45, 0x3d, 0xcd, 0x28]);
        image.get_mut(16..32)?.copy_from_slice(b"Compressed ROMFS");
    } else {
        image.get_mut(..8)?.copy_from_slice(b"-rom1fs-");
    }
    Some(image)
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(image) = image(data) else { return };
    let place = Provenance::new(Layer::File { path: "/x.img".into() });
    let bytes = Arc::new(MemoryBytes::new(image.clone()));
    let artifact = Artifact::new(Entry::new(place, None), bytes);
    let head = image.get(..16384).unwrap_or(&image);
    let limits = Limits { expansion_bytes: 1 << 20, members: 1000, ..Limits::default() };
    if let Some(peeler) = lidless_peel::Peelers::new().find(&artifact, head) {
        peeler.peel(&artifact, head, &limits, &mut Nothing);
    }
});
