//! Visits to file systems that are made up: what real ones do only when they are broken.

use super::super::face::{Asked, Flow, Listing, Swept};
use super::*;
use lidless_core::{Finding, Siblings};
use lidless_io::{Extent, ReadError};
use std::sync::Mutex;

const KEY: &str = "Users/alice/.ssh/id_ed25519";

/// A file system of files that all lie in the root or below `Users`.
#[derive(Default)]
struct Made {
    files: Vec<Node>,
    volume: Option<Arc<dyn ReadAt>>,
    /// Every file is said to be this long, and is.
    lies: Option<u64>,
    /// Files of which the content cannot be read.
    broken: Vec<u64>,
    /// The root cannot be read.
    is_closed: bool,
    /// How many folders were asked for at once.
    asked: Mutex<Vec<usize>>,
}

fn file(path: &str, handle: u64, size: u64) -> Node {
    Node {
        path: path.to_owned(),
        kind: NodeKind::File,
        size,
        modified: None,
        deleted: false,
        handle,
        place: handle,
    }
}

fn unreadable() -> PeelError {
    PeelError::Read(ReadError::new(ReadErrorKind::Offline, "a bad place".to_owned()))
}

impl FileSystem for Made {
    fn directory(&self, path: &str) -> Result<Option<Vec<Node>>, PeelError> {
        if self.is_closed {
            return Err(unreadable());
        }
        let mut children: BTreeMap<String, Node> = BTreeMap::new();
        for node in self.files.iter().filter(|node| !node.deleted) {
            let below = if path.is_empty() {
                Some(node.path.as_str())
            } else {
                node.path.strip_prefix(path).and_then(|rest| rest.strip_prefix('/'))
            };
            let Some(below) = below else { continue };
            let name = below.split('/').next().unwrap();
            let whole = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
            let kind = if name == below { NodeKind::File } else { NodeKind::Directory };
            children.insert(whole.clone(), Node { path: whole, kind, ..node.clone() });
        }
        Ok(Some(children.into_values().collect()))
    }

    fn listings(&self, asked: &[Asked]) -> Vec<Listing> {
        self.asked.lock().unwrap().push(asked.len());
        let list = |one: &Asked| match self.directory(&one.path) {
            Ok(children) => Listing { children: children.unwrap_or_default(), failed: None },
            Err(error) => Listing { children: Vec::new(), failed: Some(error) },
        };
        asked.iter().map(list).collect()
    }

    fn sweep(&self, _: &Limits, visit: &mut dyn FnMut(Node) -> Flow) -> Result<Swept, PeelError> {
        if self.is_closed {
            return Err(unreadable());
        }
        for node in &self.files {
            if visit(node.clone()) == Flow::Stop {
                break;
            }
        }
        Ok(Swept::default())
    }

    fn content(&self, node: &Node) -> Result<Content, PeelError> {
        if self.broken.contains(&node.handle) {
            return Err(unreadable());
        }
        let (Some(volume), Some(length)) = (&self.volume, self.lies) else {
            return Ok(Content::Inline(node.path.clone().into_bytes()));
        };
        let source = Some(node.handle.saturating_mul(length));
        let pieces = vec![Extent { at: 0, length, source }];
        Ok(Content::Extents(Extents::new(Arc::clone(volume), pieces, length)))
    }

    fn contents(&self, nodes: &[Node]) -> Vec<Result<Content, PeelError>> {
        // As file systems do that read what describes all of them together.
        if nodes.iter().any(|node| self.broken.contains(&node.handle)) {
            return nodes.iter().map(|_| Err(unreadable())).collect();
        }
        nodes.iter().map(|node| self.content(node)).collect()
    }
}

#[derive(Default)]
struct Seen {
    entries: Vec<Artifact>,
    inert: Vec<String>,
    gaps: Vec<(String, String)>,
    /// Of the volume, and what was read of it when the first file was handed out.
    tally: Tally,
    first: Option<u64>,
}

impl Seen {
    fn names(&self) -> Vec<String> {
        self.entries.iter().map(|one| one.entry.provenance.path().to_owned()).collect()
    }
}

impl Sink for Seen {
    fn entry(&mut self, artifact: Artifact) {
        self.first.get_or_insert(self.tally.bytes());
        self.entries.push(artifact);
    }
    fn inert(&mut self, entry: Entry, _: &'static str) {
        self.inert.push(entry.provenance.path().to_owned());
    }
    fn gap(&mut self, gap: Gap) {
        self.gaps.push((gap.reason, gap.location));
    }
    fn finding(&mut self, _: Finding) {}
    fn interest(&self, entry: &Entry) -> Interest {
        if entry.file_name().starts_with("id_") { Interest::High } else { Interest::Medium }
    }
}

fn visit(files: Made, reach: ImageReach) -> (Seen, Toured) {
    let mut seen = Seen::default();
    let place = Provenance::new(Layer::File { path: "/x.img".into() });
    let zeros: Arc<dyn ReadAt> =
        Arc::new(Extents::new(Arc::new(MemoryBytes::default()), vec![], 1 << 40));
    let volume: Arc<dyn ReadAt> = Arc::new(Counted::new(zeros, seen.tally.clone()));
    let files = Arc::new(Made { volume: Some(Arc::clone(&volume)), ..files });
    let limits = Limits { image_reach: reach, ..Limits::default() };
    let tour = Tour { place: &place, volume: &volume, files, format: "made", limits: &limits };
    let toured = tour.run(&mut seen);
    (seen, toured)
}

#[test]
fn a_file_that_cannot_be_read_spoils_no_other_of_its_batch() {
    let mut files: Vec<Node> = (1..=50).map(|n| file(&format!("file{n}"), n, 10)).collect();
    files.push(file(KEY, 100, 10));
    files.push(file("Users/alice/.ssh/id_rsa", 101, 10));
    let made = Made { files, broken: vec![7, 101], ..Made::default() };
    let (seen, toured) = visit(made, ImageReach::All);
    assert_eq!((seen.entries.len(), toured.opened), (50, 50));
    assert!(seen.names().iter().any(|name| name.ends_with("id_ed25519")));
    let mut places: Vec<_> = seen.gaps.iter().map(|(_, place)| &**place).collect();
    places.sort_unstable();
    assert_eq!(places, ["file:///x.img!/Users/alice/.ssh/id_rsa", "file:///x.img!/file7"]);
}

#[test]
fn a_root_that_cannot_be_read_is_said_once() {
    for reach in [ImageReach::Known, ImageReach::Names, ImageReach::All] {
        let (seen, toured) = visit(Made { is_closed: true, ..Made::default() }, reach);
        assert_eq!(seen.gaps.len(), 1, "{reach:?}: {:?}", seen.gaps);
        assert!(!toured.listed);
    }
}

#[test]
fn a_deleted_file_of_interest_is_listed_where_only_names_are_wanted() {
    let gone = || Node { deleted: true, ..file("home/bob/id_rsa", 1, 10) };
    let (seen, _) = visit(Made { files: vec![gone()], ..Made::default() }, ImageReach::Names);
    assert_eq!((seen.inert.len(), seen.entries.len()), (1, 0));
    let (seen, toured) = visit(Made { files: vec![gone()], ..Made::default() }, ImageReach::All);
    assert_eq!((seen.inert.len(), seen.entries.len(), toured.deleted), (0, 1, 1));
    assert_eq!(seen.names(), ["[deleted]/home/bob/id_rsa"]);
}

#[test]
fn files_that_are_longer_than_was_said_are_not_all_held_at_once() {
    let files: Vec<Node> = (0..3000).map(|n| file(&format!("file{n}"), n, 1)).collect();
    let made = Made { files, lies: Some(200 << 10), ..Made::default() };
    let (seen, _) = visit(made, ImageReach::All);
    assert_eq!(seen.entries.len(), 3000);
    let first = seen.first.unwrap();
    assert!(first <= MOST + (1 << 20), "{first} bytes before the first file");
    // All of them have their content, whether it was read before or is now.
    assert!(seen.entries.iter().all(|one| one.bytes.len() == 200 << 10));
}

#[test]
fn what_is_read_on_demand_counts_for_its_own_batch() {
    /// Reads everything that it is given.
    struct Reads(Seen);
    impl Sink for Reads {
        fn entry(&mut self, artifact: Artifact) {
            let mut buffer = vec![0u8; 1 << 20];
            artifact.bytes.read_at(0, &mut buffer).unwrap();
            self.0.entry(artifact);
        }
        fn inert(&mut self, entry: Entry, reason: &'static str) {
            self.0.inert(entry, reason);
        }
        fn gap(&mut self, gap: Gap) {
            self.0.gap(gap);
        }
        fn finding(&mut self, _: Finding) {}
    }
    let place = Provenance::new(Layer::File { path: "/x.img".into() });
    let zeros: Arc<dyn ReadAt> = Arc::new(MemoryBytes::new(vec![0u8; 40 << 20]));
    let files: Vec<Node> = (0..20).map(|n| file(&format!("file{n}"), n, 1 << 20)).collect();
    let made =
        Made { files, volume: Some(Arc::clone(&zeros)), lies: Some(1 << 20), ..Made::default() };
    let limits = Limits { image_bytes: 5 << 20, ..Limits::default() };
    let tour = Tour {
        place: &place,
        volume: &zeros,
        files: Arc::new(made),
        format: "made",
        limits: &limits,
    };
    let mut reads = Reads(Seen::default());
    let toured = tour.run(&mut reads);
    assert_eq!(toured.opened, 5);
    let reasons: Vec<_> = reads.0.gaps.iter().map(|(reason, _)| &**reason).collect();
    assert_eq!(reasons, ["files of an image, past the limit of what is read of one"]);
}

#[test]
fn folders_at_known_places_are_listed_a_few_at_a_time_and_not_without_end() {
    let files: Vec<Node> =
        (0..5000).map(|n| file(&format!("Users/user{n}/.ssh/id_rsa"), n, 10)).collect();
    let files = Arc::new(Made { files, ..Made::default() });
    let mut failed = Vec::new();
    let found = known::find(&*files, &mut |error| failed.push(error));
    assert!(!found.is_empty() && found.len() <= 4096);
    assert!(matches!(failed[..], [PeelError::Limit("more files at known places than the limit")]));
    assert!(files.asked.lock().unwrap().iter().all(|asked| *asked <= 32));
}

#[test]
fn a_neighbour_is_found_by_its_very_name_first() {
    let files = vec![file("disks/A.vmdk", 1, 1), file("disks/a.vmdk", 2, 1)];
    let files = Arc::new(Made { files, ..Made::default() });
    let place = Provenance::new(Layer::File { path: "/x.img".into() });
    let beside = Neighbours { files, place, folder: "disks".into() };
    let read = |path: &str| {
        let found = beside.open(path)?;
        let mut bytes = vec![0u8; 12];
        found.bytes.read_at(0, &mut bytes).ok()?;
        Some(String::from_utf8(bytes).unwrap())
    };
    assert_eq!(read("a.vmdk").as_deref(), Some("disks/a.vmdk"));
    assert_eq!(read("./A.vmdk").as_deref(), Some("disks/A.vmdk"));
    assert_eq!(read("../disks/a.VMDK").as_deref(), Some("disks/A.vmdk"));
    assert_eq!(read("b.vmdk"), None);
}
