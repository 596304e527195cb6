//! Text taken out of a wrapping, and things attached to it, as entries.

use crate::peeler::Sink;
use lidless_core::{Artifact, Entry, Gap, Interest, Layer, Limits, Provenance};
use lidless_io::{MemoryBytes, ReadAt, read_vec};
use std::collections::HashSet;
use std::sync::Arc;

/// The name of the decoding step.
const ENCODING: &str = "text";

/// The beginning of a thing, as far as memory may hold it; none when it cannot be read, which is
/// said then.
pub(crate) fn read_whole(
    artifact: &Artifact,
    limits: &Limits,
    sink: &mut dyn Sink,
) -> Option<Vec<u8>> {
    match read_vec(&*artifact.bytes, 0, limits.memory_bytes) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            let reason = format!("could not be read: {error}");
            let length = Some(artifact.bytes.len());
            sink.gap(Gap::new(&artifact.entry.provenance, reason, length));
            None
        }
    }
}

/// The text of a thing, for detectors to search. Nothing is yielded for empty text.
pub(crate) fn give_text(place: &Provenance, text: String, sink: &mut dyn Sink) {
    if text.trim().is_empty() {
        return;
    }
    let place = place.child(Layer::Decoded { encoding: ENCODING.to_owned() });
    let bytes: Arc<dyn ReadAt> = Arc::new(MemoryBytes::new(text.into_bytes()));
    sink.entry(Artifact::new(Entry::new(place, Some(bytes.len())), bytes));
}

/// Whether an artifact is text that was taken out of a wrapping. What it looks like is then what
/// somebody wrote, and is not opened again.
pub(crate) fn is_given_text(artifact: &Artifact) -> bool {
    matches!(artifact.entry.provenance.layers().last(),
        Some(Layer::Decoded { encoding }) if encoding == ENCODING)
}

/// Hands out what is attached to or embedded in one thing, each under a name of its own.
pub(crate) struct Attached {
    place: Provenance,
    names: HashSet<String>,
    count: u64,
}

impl Attached {
    pub(crate) fn new(place: Provenance) -> Self {
        Self { place, names: HashSet::new(), count: 0 }
    }

    /// The entry for the next one. A name that is missing becomes `part-N` with `ending`; one
    /// that was given before gets its number.
    pub(crate) fn entry(&mut self, name: &str, ending: &str, length: Option<u64>) -> Entry {
        self.count = self.count.saturating_add(1);
        let count = self.count;
        let name = name.trim().trim_matches('\0').replace(['\r', '\n'], " ");
        let mut path = if name.is_empty() { format!("part-{count}{ending}") } else { name };
        if !self.names.insert(path.clone()) {
            path = format!("{path}@{count}");
        }
        Entry::new(self.place.child(Layer::Member { path }), length)
    }

    /// Hands one out, unless its name says that it holds nothing. `bytes` is asked for what is
    /// wanted only; none when it cannot be had, which it has said itself then.
    pub(crate) fn give(
        &mut self,
        name: &str,
        ending: &str,
        length: Option<u64>,
        sink: &mut dyn Sink,
        bytes: impl FnOnce(&Provenance, &mut dyn Sink) -> Option<Arc<dyn ReadAt>>,
    ) {
        let mut entry = self.entry(name, ending, length);
        if sink.interest(&entry) == Interest::None {
            sink.inert(entry, "an attachment that holds nothing by its kind");
            return;
        }
        let Some(bytes) = bytes(&entry.provenance, sink) else { return };
        entry.length_bytes = Some(bytes.len());
        sink.entry(Artifact::new(entry, bytes));
    }
}
