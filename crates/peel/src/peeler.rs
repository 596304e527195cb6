//! The face of every peeler.

use lidless_core::{Artifact, Entry, Finding, Gap, Interest, Limits};

/// Receives what a peeler finds inside a wrapping.
pub trait Sink {
    /// An entry inside, ready to be read.
    fn entry(&mut self, artifact: Artifact);
    /// An entry inside that is listed and not opened: it holds nothing to look into by its role
    /// (the raw tensors of a checkpoint, a program), or what was left out is said as a gap by
    /// the peeler itself. Its name still counts.
    fn inert(&mut self, entry: Entry, reason: &'static str);
    /// Something inside that could not be seen.
    fn gap(&mut self, gap: Gap);
    /// Something about the wrapping itself that is wrong: two views of one archive that differ.
    fn finding(&mut self, finding: Finding);
    /// How much an entry inside promises by its name, place and size: what to open, and what
    /// first. Everything is worth a look by default.
    fn interest(&self, entry: &Entry) -> Interest {
        let _ = entry;
        Interest::Medium
    }
}

/// Opens one kind of wrapping.
pub trait Peeler: Send + Sync {
    /// `zip`, `tar`, `gzip`, ...
    fn name(&self) -> &'static str;
    /// Whether the bytes are of this kind: by content, never by name alone. `head` is the first
    /// 16 KiB, or all when shorter.
    fn recognises(&self, artifact: &Artifact, head: &[u8]) -> bool;
    /// Yields what is inside. Ends at the first limit, with a gap that says so; what was yielded
    /// before stays.
    fn peel(&self, artifact: &Artifact, head: &[u8], limits: &Limits, sink: &mut dyn Sink);
}
