//! Looks at bytes as every detector does, as text when they are.

use lidless_core::{Artifact, Entry, FingerprintKey, Layer, Limits, Provenance, Text};
use lidless_detect::model::AllowedImports;
use lidless_detect::{Context, Detectors, Output, View};
use lidless_io::MemoryBytes;
use std::sync::{Arc, LazyLock};

static DETECTORS: LazyLock<Detectors> = LazyLock::new(Detectors::new);

/// Looks at `bytes` under a name.
pub fn look_at_text(name: &str, bytes: Vec<u8>) {
    let place = Provenance::new(Layer::File { path: format!("/{name}") });
    let entry = Entry::new(place, Some(bytes.len() as u64));
    let head = bytes.get(..16384).unwrap_or(&bytes).to_vec();
    let text = Text::decode(&bytes);
    let artifact = Artifact::new(entry, Arc::new(MemoryBytes::new(bytes)));
    let context = Context {
        key: FingerprintKey::from_bytes([0; 32]),
        limits: Limits::default(),
        imports: AllowedImports::default(),
        verify: false,
    };
    let view = View { artifact: &artifact, head: &head, text: text.as_ref(), pieces: None };
    DETECTORS.detect(&view, &context, &mut Output::default());
}
