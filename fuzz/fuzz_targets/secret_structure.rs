//! Every format of keys and values: the first byte chooses the name of the file.
#![no_main]
use lidless_core::{Artifact, Entry, FingerprintKey, Layer, Limits, Provenance, Text};
use lidless_detect::model::AllowedImports;
use lidless_detect::{Context, Detectors, Output, View};
use lidless_io::MemoryBytes;
use std::sync::{Arc, LazyLock};

static DETECTORS: LazyLock<Detectors> = LazyLock::new(Detectors::new);

const NAMES: [&str; 16] = [
    ".env", "a.ini", "a.toml", "a.yaml", "a.json", "a.ipynb", "a.xml", "a.properties", "a.php",
    "a.sh", ".netrc", ".pgpass", ".htpasswd", "a.sql", "a.tf", "notes",
];

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((first, data)) = data.split_first() else { return };
    let name = NAMES[usize::from(*first) % NAMES.len()];
    let place = Provenance::new(Layer::File { path: format!("/{name}") });
    let entry = Entry::new(place, Some(data.len() as u64));
    let Some(text) = Text::decode(data) else { return };
    let head = data.get(..16384).unwrap_or(data).to_vec();
    let artifact = Artifact::new(entry, Arc::new(MemoryBytes::new(data.to_vec())));
    let context = Context {
        key: FingerprintKey::from_bytes([0; 32]),
        limits: Limits::default(),
        imports: AllowedImports::default(),
    };
    let view = View { artifact: &artifact, head: &head, text: Some(&text) };
    DETECTORS.detect(&view, &context, &mut Output::default());
});
