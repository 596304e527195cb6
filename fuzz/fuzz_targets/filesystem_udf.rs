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

/// A sequence of recognition and an anchor, with the blocks behind it from the input; the tags of
/// all of them hold.
fn image(data: &[u8]) -> Option<Vec<u8>> {
    let mut image = vec![0u8; 257 * 512];
    image.get_mut(0x8001..0x8006)?.copy_from_slice(b"NSR02");
    image.get_mut(256 * 512..256 * 512 + 32)?.copy_from_slice(&[
        2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 32, 0, 0, 1, 1, 0, 0, 0, 32, 0, 0, 1, 1, 0, 0,
    ]);
    image.extend_from_slice(data);
    for block in image.chunks_mut(512).skip(256) {
        let sum = block.iter().take(16).enumerate().filter(|(at, _)| *at != 4);
        let sum = sum.fold(0u8, |sum, (_, byte)| sum.wrapping_add(*byte));
        *block.get_mut(4)? = sum;
    }
    Some(image)
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(image) = image(data) else { return };
    let place = Provenance::new(Layer::File { path: "/x.udf".into() });
    let bytes = Arc::new(MemoryBytes::new(image.clone()));
    let artifact = Artifact::new(Entry::new(place, None), bytes);
    let head = image.get(..16384).unwrap_or(&image);
    let limits = Limits { expansion_bytes: 1 << 20, members: 1000, ..Limits::default() };
    if let Some(peeler) = lidless_peel::Peelers::new().find(&artifact, head) {
        peeler.peel(&artifact, head, &limits, &mut Nothing);
    }
});
