//! An entry that was opened.

use crate::entry::Entry;
use lidless_io::ReadAt;
use std::sync::Arc;

/// An [`Entry`] and its bytes. Lives in one process and crosses no queue.
#[derive(Clone)]
pub struct Artifact {
    /// What it is and where.
    pub entry: Entry,
    /// Its bytes.
    pub bytes: Arc<dyn ReadAt>,
}

impl Artifact {
    /// Joins an entry and its bytes.
    pub fn new(entry: Entry, bytes: Arc<dyn ReadAt>) -> Self {
        Self { entry, bytes }
    }
}

impl std::fmt::Debug for Artifact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Artifact").field("entry", &self.entry).finish_non_exhaustive()
    }
}
