//! One visit to a file system: known places, then every name, then what may matter, in the order
//! in which it lies on the disk.

use super::batch::is_scattered;
use super::face::{Content, FileSystem, Flow, Node, NodeKind};
use super::known;
use super::neighbours::Neighbours;
use crate::error::{PeelError, malformed};
use crate::peeler::Sink;
use bytes::Bytes;
use lidless_core::{Artifact, Entry, Gap, ImageReach, Interest, Layer, Limits, Provenance};
use lidless_io::{Apart, Counted, Extents, MemoryBytes, ReadAt, ReadErrorKind, Tally, read_merged};
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

/// Files up to this size are read whole, many in one batch.
const SMALL: u64 = 256 << 10;
/// How much one batch of small files reads.
const BATCH: u64 = 8 << 20;
/// The most that one batch reads, when files are longer than was said.
const MOST: u64 = 16 << 20;
/// How many files one batch has: what describes them is held in memory until they are handed out.
const TOGETHER: usize = 1024;
/// How many files past the small ones one batch has: each may lie in very many pieces.
const LARGE: usize = 64;
/// How often a file is asked for alone, after a batch with it could not be read.
const AGAIN: u32 = 256;
/// Files of which nothing is known are looked into up to this size.
const UNKNOWN: u64 = 1 << 20;
/// At a known place, what is not High is opened early only up to this size.
const EARLY: u64 = 1 << 20;
/// How many files that could not be read are named one by one.
const NAMED: u64 = 100;

/// What a visit needs.
pub(crate) struct Tour<'a> {
    /// The volume's place.
    pub(crate) place: &'a Provenance,
    /// The volume.
    pub(crate) volume: &'a Arc<dyn ReadAt>,
    /// What is on it.
    pub(crate) files: Arc<dyn FileSystem>,
    /// The format's name, for words.
    pub(crate) format: &'static str,
    /// The bounds of the run.
    pub(crate) limits: &'a Limits,
}

/// What a visit saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Toured {
    /// Files, alternate streams included.
    pub(crate) files: u64,
    /// Directories.
    pub(crate) directories: u64,
    /// Names that were deleted and are still described; not in `files`.
    pub(crate) deleted: u64,
    /// Lengths of the files added up.
    pub(crate) bytes: u64,
    /// Files that were opened.
    pub(crate) opened: u64,
    /// A path that only a machine's own disk has was seen.
    pub(crate) is_of_a_machine: bool,
    /// Every name was seen.
    pub(crate) listed: bool,
}

impl Tour<'_> {
    /// Makes the visit.
    pub(crate) fn run(&self, sink: &mut dyn Sink) -> Toured {
        let mut visit = Visit {
            tour: self,
            sink,
            seen: Toured::default(),
            done: HashSet::new(),
            spent: Tally::default(),
            failed: BTreeMap::new(),
            named: 0,
            again: AGAIN,
            said: None,
            ended: None,
        };
        let unread = visit.known_places();
        let goes_on = self.limits.image_reach > ImageReach::Known;
        let candidates = if goes_on { visit.names() } else { Vec::new() };
        // Whoever saw every name has said what kept it from more, and has missed nothing.
        if !visit.seen.listed {
            visit.say_unread(&unread);
        }
        visit.contents(candidates);
        visit.say_failures();
        visit.seen
    }
}

struct Visit<'t, 's> {
    tour: &'t Tour<'t>,
    sink: &'s mut dyn Sink,
    seen: Toured,
    /// Opened at a known place.
    done: HashSet<(u64, String)>,
    spent: Tally,
    /// Errors past those that are named: how often, and bytes.
    failed: BTreeMap<String, (u64, u64)>,
    named: u64,
    /// How many files may still be asked for alone.
    again: u32,
    /// What was said of the volume itself.
    said: Option<PeelError>,
    /// Why nothing more is opened.
    ended: Option<&'static str>,
}

impl Visit<'_, '_> {
    /// Opens what lies at known places; answers what kept it from looking there.
    fn known_places(&mut self) -> Vec<PeelError> {
        let mut unread = Vec::new();
        let mut nodes = known::find(&*self.tour.files, &mut |error| unread.push(error));
        nodes.retain(|node| {
            self.seen.is_of_a_machine |= marks_a_machine(&node.path);
            let entry = self.entry(node);
            match self.sink.interest(&entry) {
                Interest::High => true,
                Interest::Medium => node.size <= EARLY,
                Interest::Low => node.size <= SMALL,
                Interest::None => false,
            }
        });
        nodes.sort_by_key(|node| node.place);
        for node in &nodes {
            self.done.insert((node.handle, node.path.clone()));
        }
        self.open_all(nodes);
        unread
    }

    fn say_unread(&mut self, unread: &[PeelError]) {
        let said = self.said.take();
        for error in unread.iter().filter(|error| said.as_ref() != Some(error)) {
            self.fail(self.tour.place.clone(), None, error);
        }
    }

    /// Lists everything, and keeps what is to be opened.
    fn names(&mut self) -> Vec<(Interest, Node)> {
        let mut candidates = Vec::new();
        let mut left_out = (0u64, 0u64);
        let mut count = 0u64;
        let mut over = false;
        let tour = self.tour;
        let swept = {
            let visit = &mut *self;
            tour.files.sweep(tour.limits, &mut |node| {
                count = count.saturating_add(1);
                if count > tour.limits.members {
                    over = true;
                    return Flow::Stop;
                }
                visit.note(node, &mut candidates, &mut left_out);
                Flow::Continue
            })
        };
        self.seen.listed = !over && swept.is_ok();
        match swept {
            Ok(swept) => {
                for reason in swept.gaps {
                    self.sink.gap(Gap::new(self.tour.place, reason, None));
                }
                for (what, times) in swept.malformed {
                    self.sink.gap(Gap::new(self.tour.place, what.clone(), None));
                    let evidence = format!("{what} ({times} times)");
                    self.sink.finding(malformed(self.tour.format, self.tour.place, &evidence));
                }
            }
            Err(error) => {
                error.say(self.tour.place, None, self.sink);
                self.said = Some(error);
            }
        }
        if over {
            let reason = "more files in a file system than the limit";
            self.sink.gap(Gap::new(self.tour.place, reason, None));
        }
        if left_out.0 > 0 {
            let reason = "large files of unknown kinds in an image, listed and not looked into";
            self.sink.gap(Gap::new(self.tour.place, reason, Some(left_out.1)));
        }
        candidates
    }

    fn note(
        &mut self,
        node: Node,
        candidates: &mut Vec<(Interest, Node)>,
        left_out: &mut (u64, u64),
    ) {
        if node.deleted {
            self.seen.deleted = self.seen.deleted.saturating_add(1);
            let entry = self.entry(&node);
            if node.kind != NodeKind::File || self.sink.interest(&entry) != Interest::High {
                return;
            }
            if self.tour.limits.image_reach == ImageReach::All {
                candidates.push((Interest::Low, node));
            } else {
                self.sink.inert(entry, "a deleted file of an image that is listed only");
            }
            return;
        }
        match node.kind {
            NodeKind::Directory => {
                self.seen.directories = self.seen.directories.saturating_add(1);
                return;
            }
            NodeKind::Other => return,
            NodeKind::File => {}
        }
        self.seen.files = self.seen.files.saturating_add(1);
        self.seen.bytes = self.seen.bytes.saturating_add(node.size);
        self.seen.is_of_a_machine |= marks_a_machine(&node.path);
        if self.done.contains(&(node.handle, node.path.clone())) {
            return;
        }
        let entry = self.entry(&node);
        let interest = self.sink.interest(&entry);
        let opened = match interest {
            Interest::High | Interest::Medium => true,
            Interest::Low => node.size <= UNKNOWN,
            Interest::None => false,
        };
        if opened && self.tour.limits.image_reach == ImageReach::All && node.size > 0 {
            candidates.push((interest, node));
            return;
        }
        if interest == Interest::Low && !opened {
            left_out.0 = left_out.0.saturating_add(1);
            left_out.1 = left_out.1.saturating_add(node.size);
        }
        self.sink.inert(entry, "a file of an image that is listed only");
    }

    fn contents(&mut self, candidates: Vec<(Interest, Node)>) {
        let mut by_interest: BTreeMap<Interest, Vec<Node>> = BTreeMap::new();
        for (interest, node) in candidates {
            by_interest.entry(interest).or_default().push(node);
        }
        for (_, mut nodes) in by_interest {
            nodes.sort_by_key(|node| (node.place, node.handle));
            self.open_all(nodes);
        }
    }

    /// Opens files in the order given, in batches: small ones are read with each other, large ones
    /// on demand. While one batch is looked into, the next one is on its way, where that waits.
    fn open_all(&mut self, nodes: Vec<Node>) {
        let cached = &**self.tour.volume;
        let apart = Apart(cached);
        let waits = cached.lanes() > 1;
        let mut before: Option<(Planned, Option<Vec<Bytes>>)> = None;
        for nodes in batches(nodes) {
            let planned = self.plan(nodes);
            let volume: &dyn ReadAt =
                if is_scattered(planned.wanted.len()) { &apart } else { cached };
            let read = std::thread::scope(|scope| {
                // Once more, one by one, where it fails: a bad place spoils its own file only.
                let read = || read_merged(volume, &planned.wanted).ok();
                let reading = waits.then(|| scope.spawn(read));
                if let Some((planned, read)) = before.take() {
                    self.hand_out_all(planned, read.as_deref());
                }
                reading.map_or_else(read, |reading| reading.join().ok().flatten())
            });
            if let Some(read) = &read {
                let bytes = read.iter().map(|part| u64::try_from(part.len()).unwrap_or(0)).sum();
                self.spent.add(bytes, 1);
            }
            if waits {
                before = Some((planned, read));
            } else {
                self.hand_out_all(planned, read.as_deref());
            }
        }
        if let Some((planned, read)) = before {
            self.hand_out_all(planned, read.as_deref());
        }
    }

    /// Finds out where the files of a batch lie.
    fn plan(&mut self, mut nodes: Vec<Node>) -> Planned {
        nodes.retain(|node| !self.is_over(node.size));
        let contents = self.contents_of(&nodes);
        let mut wanted: Vec<Range<u64>> = Vec::new();
        let mut planned = 0u64;
        let mut plans: Vec<(Node, Plan)> = Vec::new();
        for (node, content) in nodes.into_iter().zip(contents) {
            let plan = match content {
                Ok(Content::Inline(bytes)) => Plan::Ready(Arc::new(MemoryBytes::new(bytes))),
                Ok(Content::Decoded(bytes)) => Plan::Ready(self.counted(bytes)),
                // It may be longer than its directory said.
                Ok(Content::Extents(extents))
                    if extents.len() > SMALL || planned.saturating_add(extents.len()) > MOST =>
                {
                    Plan::Ready(self.counted(Arc::new(extents)))
                }
                Ok(Content::Extents(extents)) => {
                    planned = planned.saturating_add(extents.len());
                    let first = wanted.len();
                    let pieces = extents.located(0, extents.len());
                    let places = pieces.iter().map(|(at, _)| *at).collect();
                    wanted.extend(pieces.into_iter().map(|(_, range)| range));
                    Plan::Read { first, places, extents }
                }
                Err(error) => {
                    let entry = self.entry(&node);
                    self.sink.inert(entry.clone(), "a file of an image that could not be opened");
                    self.fail(entry.provenance, Some(node.size), &error);
                    continue;
                }
            };
            plans.push((node, plan));
        }
        Planned { plans, wanted }
    }

    /// Hands out the files of a batch, of which `read` was read; each reads its own where that
    /// failed.
    fn hand_out_all(&mut self, planned: Planned, read: Option<&[Bytes]>) {
        for (node, plan) in planned.plans {
            let bytes: Arc<dyn ReadAt> = match (plan, read) {
                // What is read on demand counts while others of its batch are looked into.
                (Plan::Ready(_), _) if self.is_over(node.size) => continue,
                (Plan::Ready(bytes), _) => bytes,
                (Plan::Read { extents, .. }, None) => self.counted(Arc::new(extents)),
                (Plan::Read { first, places, extents }, Some(read)) => {
                    let size = usize::try_from(extents.len()).unwrap_or(0);
                    let mut whole = vec![0u8; size];
                    for (at, part) in places.iter().zip(read.get(first..).unwrap_or(&[])) {
                        let from = usize::try_from(*at).unwrap_or(usize::MAX);
                        if let Some(to) = whole.get_mut(from..from.saturating_add(part.len())) {
                            to.copy_from_slice(part);
                        }
                    }
                    Arc::new(MemoryBytes::new(whole))
                }
            };
            self.hand_out(&node, bytes);
        }
    }

    /// The contents of a batch. What describes its files is read together; where that fails, each
    /// is asked for alone, so that a bad place spoils its own file only.
    fn contents_of(&mut self, nodes: &[Node]) -> Vec<Result<Content, PeelError>> {
        let files = &self.tour.files;
        let mut contents = files.contents(nodes);
        if nodes.len() > 1 {
            for (node, content) in nodes.iter().zip(&mut contents) {
                let Err(PeelError::Read(error)) = &*content else { continue };
                if error.kind == ReadErrorKind::OutOfBudget {
                    break;
                }
                let Some(left) = self.again.checked_sub(1) else { break };
                self.again = left;
                *content = files.content(node);
            }
        }
        contents
    }

    fn counted(&self, bytes: Arc<dyn ReadAt>) -> Arc<dyn ReadAt> {
        Arc::new(Counted::new(bytes, self.spent.clone()))
    }

    fn hand_out(&mut self, node: &Node, bytes: Arc<dyn ReadAt>) {
        self.seen.opened = self.seen.opened.saturating_add(1);
        let folder = node.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let beside = Neighbours {
            files: Arc::clone(&self.tour.files),
            place: self.tour.place.clone(),
            folder: folder.to_owned(),
        };
        let artifact = Artifact::new(self.entry(node), bytes).beside(Arc::new(beside));
        self.sink.entry(artifact);
    }

    /// Whether nothing more is opened; what is left out then is counted.
    fn is_over(&mut self, size: u64) -> bool {
        if self.ended.is_none() && self.spent.bytes() >= self.tour.limits.image_bytes {
            self.ended = Some("files of an image, past the limit of what is read of one");
        }
        let Some(reason) = self.ended else { return false };
        let (times, bytes) = self.failed.entry(reason.to_owned()).or_default();
        *times = times.saturating_add(1);
        *bytes = bytes.saturating_add(size);
        true
    }

    fn entry(&self, node: &Node) -> Entry {
        let path =
            if node.deleted { format!("[deleted]/{}", node.path) } else { node.path.clone() };
        let place = self.tour.place.child(Layer::Member { path });
        let mut entry = Entry::new(place, Some(node.size));
        entry.modified = node.modified;
        entry
    }

    fn fail(&mut self, place: Provenance, bytes: Option<u64>, error: &PeelError) {
        if matches!(error, PeelError::Read(error) if error.kind == ReadErrorKind::OutOfBudget) {
            self.ended = Some("budget spent");
        }
        self.named = self.named.saturating_add(1);
        if self.named <= NAMED && self.ended.is_none() {
            error.say(&place, bytes, self.sink);
            return;
        }
        let reason = match error {
            PeelError::Read(_) if self.ended.is_some() => "budget spent".to_owned(),
            _ => "more files of an image that could not be read".to_owned(),
        };
        let (times, sum) = self.failed.entry(reason).or_default();
        *times = times.saturating_add(1);
        *sum = sum.saturating_add(bytes.unwrap_or(0));
    }

    fn say_failures(&mut self) {
        for (reason, (_, bytes)) in std::mem::take(&mut self.failed) {
            self.sink.gap(Gap::new(self.tour.place, reason, Some(bytes)));
        }
    }
}

/// A batch of files, and what is to be read for it.
struct Planned {
    plans: Vec<(Node, Plan)>,
    wanted: Vec<Range<u64>>,
}

enum Plan {
    Ready(Arc<dyn ReadAt>),
    Read { first: usize, places: Vec<u64>, extents: Extents },
}

/// Cuts files into batches, the order kept.
fn batches(nodes: Vec<Node>) -> Vec<Vec<Node>> {
    let mut batches = Vec::new();
    let mut batch: Vec<Node> = Vec::new();
    let (mut size, mut large) = (0u64, 0usize);
    for node in nodes {
        if node.size > SMALL {
            large = large.saturating_add(1);
        } else {
            size = size.saturating_add(node.size);
        }
        batch.push(node);
        if size >= BATCH || large >= LARGE || batch.len() >= TOGETHER {
            batches.push(std::mem::take(&mut batch));
            (size, large) = (0, 0);
        }
    }
    batches.push(batch);
    batches
}

/// Whether only the disk of a machine has such a path.
fn marks_a_machine(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let lower = lower.strip_prefix("@/").or(lower.strip_prefix("root/")).unwrap_or(&lower);
    lower == "windows/system32/config/system"
        || lower == "windows/system32/config/sam"
        || lower == "etc/shadow"
        || lower.starts_with("private/var/db/dslocal/")
        || (lower.starts_with("users/") && lower.ends_with("/ntuser.dat"))
        || (lower.starts_with("documents and settings/") && lower.ends_with("/ntuser.dat"))
        || (lower.starts_with("home/") && lower.contains("/.ssh/"))
}

#[cfg(test)]
mod tests;
