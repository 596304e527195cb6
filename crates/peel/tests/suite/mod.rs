//! What every test of a wrapping needs: open it, see what is inside, and be nasty to it.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

pub mod made;

use lidless_core::{Artifact, Entry, Finding, Gap, Interest, Layer, Limits, Provenance, Siblings};
use lidless_io::{Counted, FileBytes, MemoryBytes, ReadAt, Tally, read_vec};
use lidless_peel::{Peelers, Sink};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How much of each entry is kept.
const KEPT: u64 = 16 << 20;

/// What was inside.
#[derive(Default)]
pub struct Inside {
    /// Places below the outermost file (`p2/Users/...`), with content, in the order yielded.
    pub entries: Vec<(String, Vec<u8>)>,
    /// Places of what was listed only.
    pub inert: Vec<String>,
    /// Reasons, each with its place.
    pub gaps: Vec<(String, String)>,
    /// Findings.
    pub findings: Vec<Finding>,
    /// Which peeler opened it.
    pub peeler: Option<&'static str>,
    /// Reads of the source, and their bytes.
    pub requests: u64,
    /// See `requests`.
    pub bytes: u64,
    /// Whether entries are opened in turn.
    deep: bool,
    interests: BTreeMap<String, Interest>,
    limits: Limits,
    depth: usize,
}

impl Inside {
    /// The content at a place that ends with `path` (a whole part of it).
    pub fn at(&self, path: &str) -> Option<&[u8]> {
        self.entries
            .iter()
            .find(|(place, _)| place == path || place.ends_with(&format!("/{path}")))
            .map(|(_, content)| content.as_slice())
    }

    /// Whether a gap's reason contains `words`.
    pub fn has_gap(&self, words: &str) -> bool {
        self.gaps.iter().any(|(reason, _)| reason.contains(words))
    }

    /// Panics unless every file of the fixture tree is there with its content, below `prefix`
    /// (`""`, `p2/`); empty files need not be yielded.
    pub fn assert_tree(&self, prefix: &str) {
        for (path, content) in lidless_kit::tree().unwrap() {
            let place = format!("{prefix}{path}");
            let found = self.entries.iter().find(|(known, _)| *known == place);
            match found {
                Some((_, bytes)) => assert!(*bytes == content, "{place}: another content"),
                None => assert!(
                    content.is_empty(),
                    "{place} is missing; gaps: {:?}; entries: {:?}",
                    self.gaps.iter().take(9).collect::<Vec<_>>(),
                    self.entries.iter().take(9).map(|(place, _)| place).collect::<Vec<_>>()
                ),
            }
        }
    }
}

fn inner(entry: &Entry) -> String {
    let whole = undo(&entry.provenance.to_string());
    whole.split_once("!/").map_or(String::new(), |(_, inside)| inside.to_owned())
}

/// Takes the percent signs out of a place again.
fn undo(place: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = place.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match code.and_then(|two| u8::from_str_radix(two, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Sink for Inside {
    fn entry(&mut self, artifact: Artifact) {
        let bytes = read_vec(&*artifact.bytes, 0, KEPT).unwrap_or_default();
        self.entries.push((inner(&artifact.entry), bytes));
        if self.deep && self.depth < 8 {
            self.depth += 1;
            look(&artifact, self);
            self.depth -= 1;
        }
    }
    fn inert(&mut self, entry: Entry, _: &'static str) {
        self.inert.push(inner(&entry));
    }
    fn gap(&mut self, gap: Gap) {
        self.gaps.push((gap.reason, gap.location));
    }
    fn finding(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
    fn interest(&self, entry: &Entry) -> Interest {
        self.interests.get(entry.file_name()).copied().unwrap_or(Interest::Medium)
    }
}

fn look(artifact: &Artifact, inside: &mut Inside) -> Option<&'static str> {
    let head = read_vec(&*artifact.bytes, 0, 16 << 10).ok()?;
    let limits = inside.limits;
    let peelers = Peelers::new();
    let peeler = peelers.find(artifact, &head)?;
    peeler.peel(artifact, &head, &limits, inside);
    Some(peeler.name())
}

/// The files beside a file of this machine.
struct Folder(PathBuf);

impl Siblings for Folder {
    fn open(&self, path: &str) -> Option<Artifact> {
        Some(artifact(&self.0.join(path)))
            .filter(|one| !one.bytes.is_empty() || self.0.join(path).exists())
    }
}

/// A file of this machine with its neighbours.
pub fn artifact(path: &Path) -> Artifact {
    let bytes: Arc<dyn ReadAt> = match FileBytes::open(path) {
        Ok(bytes) => Arc::new(bytes),
        Err(_) => Arc::new(MemoryBytes::default()),
    };
    let place = Provenance::new(Layer::File { path: path.to_string_lossy().into_owned() });
    let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
    Artifact::new(Entry::new(place, Some(bytes.len())), bytes).beside(Arc::new(Folder(folder)))
}

/// How something is opened.
#[derive(Default)]
pub struct Open {
    pub limits: Limits,
    /// Opens what is inside as well.
    pub deep: bool,
    /// File names whose interest is not Medium.
    pub interests: BTreeMap<String, Interest>,
}

impl Open {
    /// Opens an artifact.
    pub fn artifact(self, artifact: &Artifact) -> Inside {
        let tally = Tally::default();
        let counted = Counted::new(Arc::clone(&artifact.bytes), tally.clone());
        let mut inside = Inside {
            deep: self.deep,
            limits: self.limits,
            interests: self.interests,
            ..Inside::default()
        };
        inside.peeler = look(&artifact.over(Arc::new(counted)), &mut inside);
        inside.requests = tally.requests();
        inside.bytes = tally.bytes();
        inside
    }

    /// Opens bytes under a name.
    pub fn bytes(self, name: &str, bytes: &[u8]) -> Inside {
        let place = Provenance::new(Layer::File { path: format!("/{name}") });
        let bytes: Arc<dyn ReadAt> = Arc::new(MemoryBytes::new(bytes.to_vec()));
        self.artifact(&Artifact::new(Entry::new(place, Some(bytes.len())), bytes))
    }

    /// Opens a fixture; none where it was not made.
    pub fn fixture(self, path: &str) -> Option<Inside> {
        Some(self.artifact(&artifact(&lidless_kit::fixture(path)?)))
    }
}

/// Opens bytes under a name.
pub fn open(name: &str, bytes: &[u8]) -> Inside {
    Open::default().bytes(name, bytes)
}

/// Opens a fixture; none where it was not made.
pub fn open_fixture(path: &str) -> Option<Inside> {
    Open::default().fixture(path)
}

/// Opens bytes cut at every length and with bits changed (some 4,000 cuts and 16,000 changes,
/// spread evenly): it has to come back each time, without a panic, having read no more than
/// `1000 + 50 per KiB` times. For small samples; see [`torture_at`].
pub fn torture(name: &str, sample: &[u8]) {
    lidless_kit::cut_and_flip(sample, |bytes| hostile(name, bytes));
    without_budget(name, sample);
}

/// As [`torture`] for images too large for that: cut at `count` places spread evenly, and changed
/// at `count` places in each of the half-open ranges, where the metadata lie.
pub fn torture_at(name: &str, sample: &[u8], ranges: &[std::ops::Range<usize>], count: usize) {
    for number in 0..count {
        hostile(name, &sample[..sample.len() * number / count]);
    }
    let mut changed = sample.to_vec();
    for range in ranges {
        let step = (range.len() / count).max(1);
        for place in range.clone().step_by(step) {
            let original = changed[place];
            for value in [original ^ 1, original ^ 0x80, 0, 0xff] {
                changed[place] = value;
                hostile(name, &changed);
            }
            changed[place] = original;
        }
    }
    without_budget(name, sample);
}

fn hostile(name: &str, bytes: &[u8]) {
    let limits = Limits { members: 20_000, expansion_bytes: 4 << 20, ..Limits::default() };
    let allowed = 1000 + 50 * (bytes.len() as u64 / 1024 + 1);
    let place = Provenance::new(Layer::File { path: format!("/{name}") });
    let bytes: Arc<dyn ReadAt> = Arc::new(MemoryBytes::new(bytes.to_vec()));
    let artifact = Artifact::new(Entry::new(place, Some(bytes.len())), bytes);
    let inside = Open { limits, ..Open::default() }.artifact(&artifact);
    assert!(inside.requests <= allowed, "{} reads", inside.requests);
}

fn without_budget(name: &str, sample: &[u8]) {
    // No budget at all is an answer, not a crash.
    let nothing = Limits { members: 0, expansion_bytes: 0, image_bytes: 0, ..Limits::default() };
    let place = Provenance::new(Layer::File { path: format!("/{name}") });
    let bytes: Arc<dyn ReadAt> = Arc::new(MemoryBytes::new(sample.to_vec()));
    let artifact = Artifact::new(Entry::new(place, None), bytes);
    Open { limits: nothing, ..Open::default() }.artifact(&artifact);
}
