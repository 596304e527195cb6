//! Looks at bytes as the detector of models does, under a name.

use lidless_core::{Artifact, Entry, FingerprintKey, Layer, Limits, Provenance};
use lidless_detect::model::{AllowedImports, ModelDetector};
use lidless_detect::{Context, Detector as _, Head, Output, View, Want};
use lidless_io::MemoryBytes;
use std::sync::Arc;

/// Looks at `magic` and the `data` behind it, which may begin with it already.
pub fn look(name: &str, magic: &[u8], data: &[u8]) {
    let magic = if data.starts_with(magic) { b"" } else { magic };
    let bytes = [magic, data].concat();
    let place = Provenance::new(Layer::File { path: format!("/{name}") });
    let entry = Entry::new(place, Some(bytes.len() as u64));
    let head = bytes.get(..16384).unwrap_or(&bytes).to_vec();
    let artifact = Artifact::new(entry, Arc::new(MemoryBytes::new(bytes)));
    if ModelDetector.wants(&artifact.entry, &Head::new(&head)) == Want::Nothing {
        return;
    }
    let context = Context {
        key: FingerprintKey::from_bytes([0; 32]),
        limits: Limits::default(),
        imports: AllowedImports::default(),
        verify: false,
    };
    let view = View { artifact: &artifact, head: &head, text: None, pieces: None };
    ModelDetector.detect(&view, &context, &mut Output::default());
}
