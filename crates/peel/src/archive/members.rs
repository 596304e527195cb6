//! Handing out the members of an archive: what is worth it, within the limits.

use super::tape::Tape;
use crate::error::PeelError;
use crate::peeler::Sink;
use lidless_core::{Artifact, Entry, Gap, Interest, Layer, Limits, Provenance, Timestamp};
use lidless_io::ReadAt;
use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

/// What a listing says of a member.
#[derive(Debug, Clone, Default)]
pub(crate) struct About {
    /// Path as it is written in the archive.
    pub(crate) path: String,
    /// Length in bytes.
    pub(crate) length: u64,
    /// When its content was last changed.
    pub(crate) modified: Option<Timestamp>,
}

impl About {
    pub(crate) fn new(path: impl Into<String>, length: u64) -> Self {
        Self { path: path.into(), length, modified: None }
    }

    /// The same, changed at a time in seconds since 1970.
    pub(crate) fn changed_at(mut self, seconds: i64) -> Self {
        self.modified = (seconds != 0).then(|| Timestamp::from_second(seconds).ok()).flatten();
        self
    }
}

/// Receives the members of one archive.
pub(crate) struct Members<'a> {
    place: &'a Provenance,
    limits: &'a Limits,
    pub(crate) sink: &'a mut dyn Sink,
    count: u64,
    /// Digests of the names that were given.
    given: HashSet<u64>,
    /// Members that cannot be opened, by reason: their lengths added up.
    closed: BTreeMap<String, u64>,
}

impl<'a> Members<'a> {
    pub(crate) fn new(place: &'a Provenance, limits: &'a Limits, sink: &'a mut dyn Sink) -> Self {
        Self { place, limits, sink, count: 0, given: HashSet::new(), closed: BTreeMap::new() }
    }

    /// Counts one more member; false, once it is said, when there are more than the limit.
    pub(crate) fn one_more(&mut self, rest: Option<u64>) -> bool {
        self.count = self.count.saturating_add(1);
        if self.count == self.limits.members.saturating_add(1) {
            self.sink.gap(Gap::new(self.place, "more members than the limit", rest));
        }
        self.count <= self.limits.members
    }

    /// The entry of a member; one whose name was given before gets its number.
    pub(crate) fn entry(&mut self, about: &About) -> Entry {
        let mut digest = DefaultHasher::new();
        about.path.hash(&mut digest);
        let again = !self.given.insert(digest.finish());
        let path =
            if again { format!("{}@{}", about.path, self.count) } else { about.path.clone() };
        let mut entry = Entry::new(self.place.child(Layer::Member { path }), Some(about.length));
        entry.modified = about.modified;
        entry
    }

    /// Whether a member is worth opening. One that is not is listed.
    pub(crate) fn wanted(&mut self, about: &About) -> Option<Entry> {
        let entry = self.entry(about);
        if self.sink.interest(&entry) == Interest::None {
            self.sink.inert(entry, "a member of an archive that is listed only");
            return None;
        }
        Some(entry)
    }

    /// Hands out the bytes `start..start + about.length` of a tape, when they are worth it.
    pub(crate) fn stored(
        &mut self,
        tape: &mut dyn Tape,
        about: &About,
        start: u64,
        broken: &'static str,
    ) -> Result<(), PeelError> {
        self.made(about, broken, |length| tape.member(start, length))
    }

    /// Hands out what `open` makes of a member, when it is worth it; `broken` is what is said when
    /// that is shorter than the listing says.
    pub(crate) fn made(
        &mut self,
        about: &About,
        broken: &'static str,
        open: impl FnOnce(u64) -> Result<Arc<dyn ReadAt>, PeelError>,
    ) -> Result<(), PeelError> {
        let Some(entry) = self.wanted(about) else { return Ok(()) };
        let place = entry.provenance.clone();
        let bytes = open(about.length)?;
        let missing = about.length.saturating_sub(bytes.len());
        if missing > 0 {
            self.sink.gap(Gap::new(&place, broken, Some(missing)));
        }
        if !bytes.is_empty() || about.length == 0 {
            self.sink.entry(Artifact::new(entry, bytes));
        }
        Ok(())
    }

    /// Lists a member that cannot be opened, and counts it under `reason`.
    pub(crate) fn closed(&mut self, about: &About, reason: impl Into<String>) {
        let entry = self.entry(about);
        self.sink.inert(entry, "a member of an archive that cannot be opened");
        let sum = self.closed.entry(reason.into()).or_default();
        *sum = sum.saturating_add(about.length);
    }

    /// Something of the archive that cannot be seen.
    pub(crate) fn gap(&mut self, reason: &str, bytes: Option<u64>) {
        self.sink.gap(Gap::new(self.place, reason, bytes));
    }

    /// An error that ends the archive.
    pub(crate) fn fail(&mut self, error: &PeelError, bytes: Option<u64>) {
        error.say(self.place, bytes, self.sink);
    }

    /// Says how much of the archive was closed.
    pub(crate) fn finish(self) {
        for (reason, bytes) in self.closed {
            self.sink.gap(Gap::new(self.place, reason, Some(bytes)));
        }
    }
}
