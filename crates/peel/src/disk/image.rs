//! The face of every disk image.

use crate::error::PeelError;
use lidless_core::{Artifact, Limits};
use lidless_io::ReadAt;
use serde_json::Value;
use std::sync::Arc;

/// A disk image that was opened: the disk inside it.
pub(crate) struct Disk {
    /// The disk as its machine saw it. Unallocated parts read as zeros and cost nothing.
    pub(crate) bytes: Arc<dyn ReadAt>,
    /// What the image says of itself, for the report: `created_by`, `parent`, `examiner`, ...
    pub(crate) facts: Vec<(&'static str, Value)>,
    /// What of the disk cannot be seen, in words that count together, with the bytes if known.
    pub(crate) gaps: Vec<(String, Option<u64>)>,
}

impl Disk {
    /// A disk about which there is nothing more to say.
    pub(crate) fn new(bytes: Arc<dyn ReadAt>) -> Self {
        Self { bytes, facts: Vec::new(), gaps: Vec::new() }
    }
}

/// One format of disk images. A new one is one new file and one line in `table.rs`.
pub(crate) trait Image: Send + Sync {
    /// `VHDX`, `QCOW2`, ...
    fn name(&self) -> &'static str;

    /// Whether the bytes are of this format: by content. `head` is the first 16 KiB, or all when
    /// shorter. Where the magic stands at the end, the name says whether a request is worth it.
    fn recognises(&self, artifact: &Artifact, head: &[u8]) -> bool;

    /// Opens it. Small structures of the image itself are read here; the disk is read on demand.
    ///
    /// # Errors
    /// `Malformed`, `Closed` (encrypted, a parent that is missing), `Read`.
    fn open(&self, artifact: &Artifact, head: &[u8], limits: &Limits) -> Result<Disk, PeelError>;

    /// Whether the file is a part of another one that is read through that: a later segment, a
    /// band, an extent. It is then passed over without a gap.
    fn is_part(&self, artifact: &Artifact, head: &[u8]) -> bool {
        let _ = (artifact, head);
        false
    }

    /// Whether it is made to hand out software or files, and says nothing of a machine by itself.
    fn is_distribution(&self) -> bool {
        false
    }
}
