//! An entry that was opened.

use crate::entry::Entry;
use lidless_io::ReadAt;
use std::sync::Arc;

/// What lies beside an artifact: the parent of a differencing disk, the next segment of an image,
/// the bands of a bundle.
pub trait Siblings: Send + Sync {
    /// Opens what a relative path with `/` between its parts names, from the folder of the
    /// artifact; none when there is nothing, or nothing that may be read.
    fn open(&self, path: &str) -> Option<Artifact>;
}

/// An [`Entry`] and its bytes. Lives in one process and crosses no queue.
#[derive(Clone)]
pub struct Artifact {
    /// What it is and where.
    pub entry: Entry,
    /// Its bytes.
    pub bytes: Arc<dyn ReadAt>,
    siblings: Option<Arc<dyn Siblings>>,
}

impl Artifact {
    /// Joins an entry and its bytes.
    pub fn new(entry: Entry, bytes: Arc<dyn ReadAt>) -> Self {
        Self { entry, bytes, siblings: None }
    }

    /// The same, with what lies beside it.
    #[must_use]
    pub fn beside(mut self, siblings: Arc<dyn Siblings>) -> Self {
        self.siblings = Some(siblings);
        self
    }

    /// The same entry over other bytes, with the same neighbours.
    #[must_use]
    pub fn over(&self, bytes: Arc<dyn ReadAt>) -> Self {
        Self { entry: self.entry.clone(), bytes, siblings: self.siblings.clone() }
    }

    /// Opens what lies at a relative path (`/` between its parts) from the artifact's folder;
    /// none when there is nothing there, or nothing is known of its neighbours.
    #[must_use]
    pub fn sibling(&self, path: &str) -> Option<Self> {
        self.siblings.as_ref().and_then(|siblings| siblings.open(path))
    }
}

impl std::fmt::Debug for Artifact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Artifact").field("entry", &self.entry).finish_non_exhaustive()
    }
}
