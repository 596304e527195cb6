//! What stands beside objects in a listing: metadata and tags, looked into as text.

use crate::book::Book;
use crate::inspector::Inspector;
use lidless_core::{Artifact, Entry, Layer, Object, Provenance};
use lidless_io::MemoryBytes;
use lidless_ledger::{Case, ContainerId, LedgerError};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

/// What it takes to look into metadata.
pub(crate) struct Metadata<'a> {
    pub(crate) case: &'a Case,
    pub(crate) inspector: &'a Inspector,
    pub(crate) book: &'a Mutex<Book>,
}

impl Metadata<'_> {
    /// Looks into the metadata of the objects of one page, which the case holds already.
    ///
    /// # Errors
    /// When the case cannot be written.
    pub(crate) fn look(
        &self,
        container: ContainerId,
        (store, name): (&str, &str),
        objects: &[(Object, i64)],
    ) -> Result<(), LedgerError> {
        for (object, _) in objects.iter().filter(|(object, _)| !object.metadata.is_empty()) {
            let mut text = String::new();
            for (key, value) in &object.metadata {
                let _ = writeln!(text, "{key}: {value}");
            }
            let mut place = Provenance::new(Layer::Object {
                store: store.to_owned(),
                container: name.to_owned(),
                key: object.key.clone(),
            });
            if let Some(version) = &object.version {
                place = place.child(Layer::Version { id: version.query() });
            }
            let place = place.child(Layer::Member { path: "metadata".into() });
            let length = u64::try_from(text.len()).ok();
            let bytes = Arc::new(MemoryBytes::new(text.into_bytes()));
            let artifact = Artifact::new(Entry::new(place, length), bytes);
            let outcome = self.inspector.inspect(&artifact);
            if outcome.output.findings.is_empty() && outcome.seen.is_empty() {
                continue;
            }
            let id = self.case.object_id(container, object)?;
            for finding in &outcome.output.findings {
                self.case.put_finding(finding, id)?;
            }
            let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
            book.add(outcome.seen, None, id, false);
        }
        Ok(())
    }
}
