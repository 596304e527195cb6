//! Looking into listed objects, what matters most first.

use crate::beside::Beside;
use crate::book::Book;
use crate::error::EngineError;
use crate::expect::points;
use crate::follow::Doors;
use crate::inspector::{GONE, Inspector, Outcome, reason};
use crate::local::is_harmless_model;
use crate::metered::Metered;
use crate::order::{class, kind};
use crate::progress::Progress;
use crate::queue::Queue;
use crate::settings::ScanSettings;
use lidless_core::{Artifact, AzureService, Entry, Layer, Mark, Provenance, Remark, RemarkKind};
use lidless_detect::Output;
use lidless_io::{BlockCache, Budget, MemoryBytes, ReadAt, ReadErrorKind, Tally, read_exact_vec};
use lidless_ledger::{Case, ContainerId, Inspection, LedgerError, PendingObject};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

/// Objects up to this size are read whole, in one request: two requests cost more than the bytes.
const WHOLE_BYTES: u64 = 64 << 10;
/// Blocks of this size are what a parser's small reads cost.
const BLOCK_BYTES: u64 = 4 << 10;
/// How much of one large object is kept while it is looked into.
const CACHE_BYTES: u64 = 16 << 20;
/// How many objects are named that a run without bounds would look into next.
const TOLD: usize = 5;

/// Under which name the case keeps that a grant has read content.
pub(crate) fn read_mark(grant: &str) -> String {
    format!("can_read/{grant}")
}

/// The same for another service of the grant's account.
pub(crate) fn service_read_mark(grant: &str, service: AzureService) -> String {
    format!("can_read/{grant}/{}", service.label())
}

/// What the workers share.
pub(crate) struct Objects<'a> {
    pub(crate) settings: &'a ScanSettings,
    pub(crate) case: &'a Case,
    pub(crate) doors: &'a Doors,
    pub(crate) inspector: &'a Inspector,
    pub(crate) book: &'a Mutex<Book>,
    pub(crate) budget: &'a Budget,
    pub(crate) progress: &'a Progress,
    /// Marks of workstations met before: thousands of files say the same.
    pub(crate) marks: Mutex<HashSet<u64>>,
}

impl Objects<'_> {
    /// Looks into every object that waits.
    ///
    /// # Errors
    /// When the case cannot be written. An object that cannot be read is counted.
    pub(crate) fn inspect_all(&self) -> Result<(), EngineError> {
        let queue = Mutex::new(Queue::new());
        let failed: Mutex<Option<LedgerError>> = Mutex::new(None);
        let lock = || queue.lock().unwrap_or_else(PoisonError::into_inner);
        let keep = |error| *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        std::thread::scope(|scope| {
            for _ in 0..self.settings.jobs.max(1) {
                scope.spawn(|| {
                    loop {
                        if self.spent().is_some() {
                            break;
                        }
                        // Held only while it is chosen.
                        let next = lock().next(self.case);
                        match next {
                            Ok(Some(waiting)) => match self.inspect(&waiting.object) {
                                Ok(found) => lock().learn(&waiting.promise, found),
                                Err(error) => break keep(error),
                            },
                            Ok(None) => break,
                            Err(error) => break keep(error),
                        }
                    }
                });
            }
        });
        if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error.into());
        }
        let mut queue = queue.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.spent().map_or(Ok(()), |why| self.leave(&mut queue, why))
    }

    /// Why nothing more is looked into; none while something is.
    fn spent(&self) -> Option<&'static str> {
        if self.budget.left() < BLOCK_BYTES {
            return Some("budget spent");
        }
        self.settings.allowance.spent().map(lidless_storage::Spent::words)
    }

    /// Leaves what is not looked into, and tells what would come next.
    fn leave(&self, queue: &mut Queue, why: &str) -> Result<(), EngineError> {
        let mut next = Vec::new();
        for waiting in queue.ahead(self.case)?.iter().take(TOLD) {
            let object = &waiting.object.object;
            let Some((store, container)) = self.doors.name(waiting.object.container) else {
                continue;
            };
            let layer = Layer::Object {
                store: store.clone(),
                container: container.clone(),
                key: object.key.clone(),
            };
            let mut place = Provenance::new(layer);
            if let Some(version) = &object.version {
                place = place.child(Layer::Version { id: version.query() });
            }
            let class = class(&object.key.to_ascii_lowercase());
            let message = format!("{}, {} bytes", kind(class), object.size);
            next.push(Remark {
                kind: RemarkKind::WouldBeNext,
                location: place.to_string(),
                message,
            });
        }
        self.case.skip_pending(why)?;
        Ok(self.case.put_remarks(&next)?)
    }

    /// Looks into one object; the points of severity of what was found.
    fn inspect(&self, pending: &PendingObject) -> Result<f64, LedgerError> {
        let Some((store, container)) = self.doors.name(pending.container) else { return Ok(0.0) };
        let again = self.doors.is_inventoried(pending.container);
        if let Some(found) = self.inspect_as(pending, store, container, again)? {
            return Ok(found);
        }
        // An inventory is older than a listing: what the object is now decides.
        let object = &pending.object;
        let doors = self.doors.for_key(pending.container, &object.key);
        let now = doors.iter().find_map(|door| door.store.head(container, &object.key).ok());
        let mut pending = pending.clone();
        if let Some(now) = now.filter(|now| now.key == pending.object.key) {
            let priority = pending.priority;
            self.case.put_objects(pending.container, &[(now.clone(), priority)])?;
            pending.object = now;
        }
        Ok(self.inspect_as(&pending, store, container, false)?.unwrap_or(0.0))
    }

    /// Looks into one object; none, and nothing is kept, when it is not the one that was named
    /// and `again` says that it can be looked up.
    fn inspect_as(
        &self,
        pending: &PendingObject,
        store: &str,
        container: &str,
        again: bool,
    ) -> Result<Option<f64>, LedgerError> {
        let mut provenance = Provenance::new(Layer::Object {
            store: store.to_owned(),
            container: container.to_owned(),
            key: pending.object.key.clone(),
        });
        if let Some(version) = &pending.object.version {
            provenance = provenance.child(Layer::Version { id: version.query() });
        }
        let mut entry = Entry::new(provenance, Some(pending.object.size));
        entry.modified = pending.object.modified;
        entry.etag.clone_from(&pending.object.etag);
        let tally = Tally::default();
        let outcome = self.look(pending, container, &entry, &tally);
        if again && pending.object.version.is_none() && matches!(&outcome, Err(why) if why == GONE)
        {
            return Ok(None);
        }
        self.progress.inspected();
        let inspection = match outcome {
            Ok(outcome) => {
                if !outcome.seen.is_empty() {
                    let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
                    book.add(outcome.seen, None, Some(pending.id), false);
                }
                self.inspection(pending, outcome.entries, outcome.output, None, &tally)
            }
            Err(skipped) => {
                let mut output = Output::default();
                self.inspector.names(&entry, &mut output);
                self.inspection(pending, 0, output, Some(skipped), &tally)
            }
        };
        self.progress.found(inspection.findings.len(), 0);
        self.case.put_inspection(pending, &inspection)?;
        Ok(Some(inspection.findings.iter().map(|finding| points(finding.severity)).sum()))
    }

    fn inspection(
        &self,
        pending: &PendingObject,
        entries: u64,
        output: Output,
        skipped: Option<String>,
        tally: &Tally,
    ) -> Inspection {
        let mut findings = output.findings;
        findings.retain(|finding| self.settings.all || !is_harmless_model(finding));
        let mut marks = output.marks;
        marks.retain(|mark| self.is_news(pending.container, mark));
        Inspection {
            skipped,
            entries,
            bytes_read: tally.bytes(),
            requests: tally.requests(),
            findings,
            marks,
            gaps: output.gaps,
            suppressed: output.suppressed,
        }
    }

    fn is_news(&self, container: ContainerId, mark: &Mark) -> bool {
        let Mark::Workstation { .. } = mark else { return true };
        let mut hasher = DefaultHasher::new();
        container.hash(&mut hasher);
        format!("{mark:?}").hash(&mut hasher);
        self.marks.lock().unwrap_or_else(PoisonError::into_inner).insert(hasher.finish())
    }

    /// Reads the object through the first door that opens; the reason when none does.
    fn look(
        &self,
        pending: &PendingObject,
        container: &str,
        entry: &Entry,
        tally: &Tally,
    ) -> Result<Outcome, String> {
        let object = &pending.object;
        if let Some(why) = object.unreadable() {
            return Err(why.into());
        }
        if object.size > 0
            && let Some(why) = self.spent()
        {
            return Err(why.into());
        }
        let doors = self.doors.for_key(pending.container, &object.key);
        let mut refused = "no grant reads it".to_owned();
        for door in doors {
            let remote = door.store.open(container, object);
            let metered: Arc<dyn ReadAt> =
                Arc::new(Metered::new(remote, self.budget.clone(), tally.clone()));
            let bytes: Arc<dyn ReadAt> = if object.size <= WHOLE_BYTES {
                match read_exact_vec(&*metered, 0, object.size) {
                    Ok(bytes) => Arc::new(MemoryBytes::new(bytes)),
                    Err(error) => {
                        refused = reason(&error);
                        if error.kind == ReadErrorKind::Denied {
                            continue;
                        }
                        return Err(refused);
                    }
                }
            } else {
                Arc::new(BlockCache::new(metered, BLOCK_BYTES, CACHE_BYTES))
            };
            let folder = object.key.rsplit_once('/').map_or("", |(folder, _)| folder);
            let beside = Beside {
                store: Arc::clone(&door.store),
                name: door.store.name().to_owned(),
                container: container.to_owned(),
                folder: folder.to_owned(),
                budget: self.budget.clone(),
                tally: tally.clone(),
            };
            let artifact = Artifact::new(entry.clone(), bytes).beside(Arc::new(beside));
            let mut outcome = self.inspector.inspect(&artifact);
            match outcome.unreadable.take() {
                Some(why) => refused = why,
                None => {
                    if object.size > 0 && !door.has_read.swap(true, Ordering::Relaxed) {
                        // Kept at once: a resumed run may have nothing left to read.
                        if let Err(error) = self.case.set_meta(&door.mark, &true) {
                            return Err(format!("the case could not be written: {error}"));
                        }
                    }
                    return Ok(outcome);
                }
            }
        }
        Err(refused)
    }
}
