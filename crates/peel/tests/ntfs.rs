//! NTFS: every name and every content, as another tool sees them, and what hostile volumes cost.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

mod suite;

use lidless_core::{
    Artifact, Entry, Finding, Gap, ImageReach, Interest, Layer, Limits, Provenance,
};
use lidless_io::{Counted, MemoryBytes, ReadAt, Tally, read_vec};
use lidless_peel::{Peelers, Sink};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use suite::{Open, artifact, torture_at};

const IMAGES: [&str; 5] = ["made", "made4k", "small", "usual", "large"];

/// Opens everything, deleted files too.
#[derive(Default)]
struct All {
    files: BTreeMap<String, Vec<u8>>,
    artifacts: Vec<Artifact>,
    gaps: Vec<Gap>,
    findings: Vec<Finding>,
    requests: u64,
    bytes: u64,
}

impl Sink for All {
    fn entry(&mut self, artifact: Artifact) {
        let path = artifact.entry.provenance.path().to_owned();
        let length = artifact.bytes.len().min(32 << 20);
        // Broken content is an error of the reader, not of the listing.
        let bytes = read_vec(&*artifact.bytes, 0, length).unwrap_or_else(|_| b"unreadable".into());
        assert!(self.files.insert(path.clone(), bytes).is_none(), "{path} twice");
        self.artifacts.push(artifact);
    }
    fn inert(&mut self, entry: Entry, _: &'static str) {
        self.files.insert(entry.provenance.path().to_owned(), Vec::new());
    }
    fn gap(&mut self, gap: Gap) {
        self.gaps.push(gap);
    }
    fn finding(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
    fn interest(&self, _: &Entry) -> Interest {
        Interest::High
    }
}

impl All {
    fn of(bytes: Arc<dyn ReadAt>, limits: &Limits) -> Self {
        let tally = Tally::default();
        let place = Provenance::new(Layer::File { path: "/x.img".into() });
        let bytes = Arc::new(Counted::new(bytes, tally.clone()));
        let artifact = Artifact::new(Entry::new(place, Some(bytes.len())), bytes);
        let head = read_vec(&*artifact.bytes, 0, 16 << 10).unwrap();
        let mut all = Self::default();
        let peelers = Peelers::new();
        peelers.find(&artifact, &head).unwrap().peel(&artifact, &head, limits, &mut all);
        (all.requests, all.bytes) = (tally.requests(), tally.bytes());
        all
    }

    fn open(path: &Path) -> Self {
        Self::of(artifact(path).bytes, &Limits::default())
    }

    fn reasons(&self) -> BTreeSet<&str> {
        self.gaps.iter().map(|gap| gap.reason.as_str()).collect()
    }

    /// A count of the volume, as the finding about the image has it.
    fn count(&self, what: &str) -> u64 {
        let image = self.findings.iter().find(|one| one.rule == "backup.disk_image").unwrap();
        image.detail["volumes"][0][what].as_u64().unwrap()
    }
}

fn image(name: &str) -> Option<PathBuf> {
    lidless_kit::fixture(&format!("ntfs/{name}.img"))
}

/// The files below a folder: path with `/`, content.
fn expected(name: &str) -> Vec<(String, Vec<u8>)> {
    if name.starts_with("made") {
        return Vec::new();
    }
    let root = lidless_kit::fixture(&format!("ntfs/{name}.files"));
    root.map(|root| lidless_kit::files_below(&root)).unwrap_or_default()
}

/// A line of `fls -r -p`.
struct Line {
    path: String,
    address: String,
    is_directory: bool,
}

/// What the Sleuth Kit lists, deleted names as they are told here.
fn fls(image: &Path) -> Vec<Line> {
    let output = Command::new("fls").args(["-r", "-p"]).arg(image).output().unwrap();
    let mut lines = Vec::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let (kind, rest) = line.split_once(' ').unwrap();
        let (address, name) = rest.split_once(":\t").unwrap();
        let deleted = address.starts_with("* ");
        let address = address.trim_start_matches("* ").trim_end_matches("(realloc)").to_owned();
        let path = if deleted { format!("[deleted]/{name}") } else { name.to_owned() };
        // An index or a bitmap of a directory is one, its streams of data are files.
        let is_directory = address.contains("-144-");
        if !kind.starts_with('V') {
            lines.push(Line { path, address, is_directory });
        }
    }
    lines
}

fn icat(image: &Path, address: &str) -> Vec<u8> {
    Command::new("icat").arg(image).arg(address).output().unwrap().stdout
}

/// Names that only one of the two tells, and why.
fn is_explained(image: &str, path: &str) -> bool {
    // Without content: the clusters that are broken, and links.
    path == "$BadClus:$Bad"
        || path == "link"
        // Indexes of the system, which are no directories. They have no content here.
        || ["$Secure", "$Extend/$ObjId", "$Extend/$Quota", "$Extend/$Reparse"]
            .iter()
            .any(|index| path == *index || path.starts_with(&format!("{index}:$")))
        // Reserved records without name and content.
        || path.starts_with("[deleted]/$OrphanFiles/OrphanFile-")
        // Streams of a folder are told as `FOLDER/.:NAME` there.
        || path == "compressed/.:note"
        || path == "compressed:note"
        // The stored form of what is decoded here.
        || path.ends_with(":WofCompressedData")
        // Closed, each with a gap: see below.
        || (!image.starts_with("made")
            && ["secret.txt", "store.bin", "OneDrive/elsewhere.docx"].contains(&path))
}

#[test]
fn every_name_and_content_is_what_the_sleuth_kit_sees() {
    for name in IMAGES {
        let Some(path) = image(name) else { continue };
        let mut all = All::open(&path);
        let decoded: BTreeSet<String> = expected(name).into_iter().map(|(path, _)| path).collect();
        // One run for the content of all files, single ones for streams and deleted files.
        let folder = tempfile::tempdir().unwrap();
        Command::new("tsk_recover").arg("-a").arg(&path).arg(folder.path()).output().unwrap();
        let (mut compared, mut directories) = (0, 0);
        for line in fls(&path) {
            if line.is_directory {
                directories += u64::from(!line.path.contains(':'));
                continue;
            }
            let Some(bytes) = all.files.remove(&line.path) else {
                assert!(is_explained(name, &line.path), "{name}: only fls: {}", line.path);
                continue;
            };
            // What is compressed above NTFS is a hole there.
            if line.path.starts_with("Windows/") && decoded.contains(&line.path) {
                continue;
            }
            let other = std::fs::read(folder.path().join(&line.path));
            let other = other.unwrap_or_else(|_| icat(&path, &line.address));
            // What could not be opened is listed.
            let is_listed = bytes.is_empty() && is_explained(name, &line.path);
            let (own, their) = (bytes.len(), other.len());
            assert!(bytes == other || is_listed, "{name}: {} {own} {their}", line.path);
            compared += 1;
        }
        for left in all.files.keys() {
            assert!(is_explained(name, left), "{name}: only here: {left}");
        }
        assert!(compared >= 100, "{name}: {compared}");
        assert!(!name.starts_with("made") || all.gaps.is_empty(), "{name}: {:?}", all.gaps);
        let junctions = u64::from(!name.starts_with("made"));
        let deleted = junctions;
        assert_eq!(all.count("directories"), directories - junctions - deleted, "{name}");
    }
}

#[test]
fn files_that_are_stored_in_other_forms_are_decoded() {
    for name in ["small", "usual", "large"] {
        let Some(path) = image(name) else { continue };
        let all = All::open(&path);
        let expected = expected(name);
        assert!(expected.len() >= 11);
        for (path, content) in &expected {
            let found = all.files.get(path).unwrap();
            assert!(found == content, "{name}: {path}");
            // At any offset as well.
            let artifact = all.artifacts.iter().find(|one| one.entry.path() == *path).unwrap();
            for start in (0..content.len()).step_by(content.len() / 7) {
                let part = read_vec(&*artifact.bytes, start as u64, 5_000).unwrap();
                assert_eq!(part, content[start..content.len().min(start + 5_000)]);
            }
        }
        assert!(all.files["compressed/zeros.bin"] == [0; 200_000]);
        assert_eq!(all.files["compressed:note"], b"of a folder\n");
        assert_eq!(all.files["a:b"], b"a colon in the name\n");
        assert!(all.files["OneDrive/here.txt"] == b"fetched\n".repeat(900));
        let names = all.files.keys().filter(|path| path.contains("another name of the same file"));
        assert_eq!(names.count(), 12);
        let mut reasons = BTreeSet::from([
            "a file encrypted with EFS",
            "a file whose content lies in a cloud store (OneDrive or another)",
            "a file whose content lies in the store of Data Deduplication",
        ]);
        if name == "large" {
            reasons.insert("deleted files of NTFS in parts of its table where nothing is in use");
        }
        assert_eq!(all.reasons(), reasons);
        assert_eq!(all.count("deleted"), 4);
        assert!(all.findings.iter().all(|finding| finding.rule == "backup.disk_image"));
    }
}

#[test]
fn the_standard_tree_is_there_whatever_the_sizes() {
    for name in ["usual", "large"] {
        let Some(inside) = suite::open_fixture(&format!("ntfs/{name}.img")) else { return };
        inside.assert_tree("");
        let label = if name == "usual" { "Überblick" } else { "ARCHIVE" };
        assert_eq!(inside.findings[0].detail["volumes"][0]["label"], label);
    }
}

#[test]
fn known_places_cost_few_requests() {
    let Some(path) = image("usual") else { return };
    let limits = Limits { image_reach: ImageReach::Known, ..Limits::default() };
    let all = All::of(artifact(&path).bytes, &limits);
    let found: Vec<&str> = all.files.keys().map(String::as_str).collect();
    assert_eq!(
        found,
        [
            "Users/alice/.ssh/config",
            "Users/alice/.ssh/id_ed25519",
            "Windows/System32/config/SYSTEM",
            "home/bob/.git-credentials",
        ]
    );
    let tree = lidless_kit::tree().unwrap();
    for (path, content) in tree.iter().filter(|(path, _)| all.files.contains_key(path)) {
        assert_eq!(&all.files[path], content);
    }
    assert!(all.requests <= 20 && all.bytes <= 3 << 20, "{} {}", all.requests, all.bytes);
}

#[test]
fn neighbours_are_found_through_the_index_of_their_folder() {
    let Some(path) = image("usual") else { return };
    let all = All::open(&path);
    let config = all.artifacts.iter().find(|one| one.entry.path().ends_with(".ssh/config"));
    let config = config.unwrap();
    let read = |path: &str| {
        let found = config.sibling(path)?;
        read_vec(&*found.bytes, 0, 1 << 20).ok()
    };
    assert!(read("ID_ED25519").unwrap().starts_with(b"-----BEGIN OPENSSH"));
    for number in [0, 1, 499, 500, 998, 999] {
        let path =
            format!("../../../windows/SYSTEM32/Name number {number:05} of a large folder.txt");
        assert_eq!(read(&path).unwrap(), format!("{number}\n").as_bytes());
    }
    let long = read("../Documents/Überraschung – naïve.txt").unwrap();
    assert_eq!(long, b"a name outside of ASCII\n");
    for missing in ["none", "../../../windows/none/x", "../../../../../../none", ""] {
        assert_eq!(read(missing), None, "{missing}");
    }
}

/// Where file records stand in an image with 512-byte clusters.
fn records(image: &[u8]) -> Vec<usize> {
    (0..image.len()).step_by(512).filter(|at| image[*at..].starts_with(b"FILE")).collect()
}

#[test]
fn broken_beginnings_are_replaced_by_their_copies() {
    let Some(path) = image("small") else { return };
    let whole = std::fs::read(&path).unwrap();
    let of = |image: Vec<u8>| {
        let mut all = All::of(Arc::new(MemoryBytes::new(image)), &Limits::default());
        // The first sector as a file.
        all.files.remove("$Boot");
        all
    };
    let files = of(whole.clone()).files;
    // The first sector overwritten, and one whose numbers cannot be.
    for (range, value) in [(0..512, 0), (13..14, 3), (48..56, 0x7f), (64..65, 1)] {
        let mut image = whole.clone();
        image[range].fill(value);
        assert!(of(image).files == files, "{value}");
    }
    // The record of $MFT.
    let first = 512 * u64::from_le_bytes(whole[48..56].try_into().unwrap()) as usize;
    for place in [first, first + 510, first + 20] {
        let mut image = whole.clone();
        image[place] ^= 0x55;
        let all = of(image);
        assert!(all.files.len() >= files.len() - 1, "{place}");
        assert!(all.files["pieces.bin"] == files["pieces.bin"]);
    }
    // The record of the root: paths still begin there.
    let mut image = whole.clone();
    assert!(image[first + 5 * 1024..].starts_with(b"FILE"));
    image[first + 5 * 1024..][..1024].fill(0xff);
    let all = of(image);
    assert!(all.files["pieces.bin"] == files["pieces.bin"]);
    assert_eq!(all.files.len(), files.len() - 1, "the stream of the root");
    assert!(all.reasons().contains("NTFS file record without its signature"));
    // Any other record that does not check is told, and costs its own file only.
    let mut image = whole.clone();
    let place = records(&whole)
        .into_iter()
        .find(|at| {
            let name: Vec<u8> = "pieces.bin".encode_utf16().flat_map(u16::to_le_bytes).collect();
            whole[*at..at + 1024].windows(name.len()).any(|window| window == name)
        })
        .unwrap();
    image[place + 510] ^= 1;
    let all = of(image);
    assert_eq!(all.files.len(), files.len() - 1);
    assert!(all.reasons().contains("NTFS file record whose update sequence does not match"));
    assert!(all.findings.iter().any(|finding| finding.rule == "malformed.ntfs"));
}

#[test]
fn what_cannot_be_true_is_told_and_the_rest_is_read() {
    let Some(path) = image("twisted") else { return };
    let all = All::open(&path);
    assert_eq!(all.files["plain.txt"], b"still here\n".repeat(100));
    assert_eq!(all.files["reused.txt"], b"another\n");
    assert_eq!(all.files["$OrphanFiles/lost.txt"], b"without a way to the root\n");
    let caught = all.files.iter().find(|(path, _)| path.ends_with("caught.txt")).unwrap();
    assert!(caught.0.starts_with("$OrphanFiles/") && caught.1 == b"in a circle\n");
    // The sweep needs no index.
    assert_eq!(all.files["broken/inside.txt"], b"in a folder whose nodes lead to themselves\n");
    for name in ["noise.bin", "table.bin", "chunks.bin"] {
        assert!(all.files[name] == b"unreadable", "{name}");
    }
    let past = all.gaps.iter().filter(|gap| gap.reason.contains("past the end of its volume"));
    assert_eq!(past.count(), 2);
    assert!(all.reasons().contains("a file compressed by Windows in a way that is not known"));
}

#[test]
fn hostile_volumes_cost_little() {
    let Some(path) = image("twisted") else { return };
    let image = std::fs::read(&path).unwrap();
    let records = records(&image);
    let some = records.iter().step_by(records.len() / 12);
    let mut ranges: Vec<Range<usize>> = some.map(|at| *at..at + 420).collect();
    ranges.push(0..96);
    for at in (0..image.len()).step_by(512).filter(|at| image[*at..].starts_with(b"INDX")).take(3) {
        ranges.push(at..at + 256);
    }
    torture_at("x.img", &image, &ranges, 9);
}

#[test]
fn a_sweep_stops_at_the_limit_and_says_so() {
    let Some(path) = image("usual") else { return };
    let limits = Limits { members: 100, ..Limits::default() };
    let all = All::of(artifact(&path).bytes, &limits);
    assert!(all.reasons().contains("more files in a file system than the limit"));
    assert!(all.files.len() <= 110);
}

#[test]
fn the_file_table_is_read_in_large_pieces_and_only_where_it_is_used() {
    // Tables of 1.5 MiB in 40 pieces, and of 15 MiB of which the first fifth is in use.
    for (name, requests, bytes) in [("usual", 60, 4 << 20), ("large", 20, 10 << 20)] {
        let Some(path) = image(name) else { return };
        let limits = Limits { image_reach: ImageReach::Names, ..Limits::default() };
        let inside = Open { limits, ..Open::default() }.artifact(&artifact(&path));
        let files = inside.findings[0].detail["volumes"][0]["files"].as_u64().unwrap();
        let known = inside.entries.len() as u64;
        assert_eq!(inside.inert.len() as u64 + known, files, "{name}");
        assert!(inside.requests <= requests, "{name}: {} requests", inside.requests);
        assert!(inside.bytes <= bytes, "{name}: {} bytes", inside.bytes);
    }
}

#[test]
fn content_that_does_not_fit_into_memory_is_read_again() {
    let Some(path) = image("usual") else { return };
    let limits = Limits { memory_bytes: 1_000, ..Limits::default() };
    let small = All::of(artifact(&path).bytes, &limits);
    let whole = All::open(&path);
    assert!(small.files == whole.files);
    // In batches.
    assert!(small.requests <= whole.requests + 60, "{} {}", small.requests, whole.requests);
}

#[test]
fn a_volume_that_is_cut_off_says_so() {
    let Some(path) = image("made") else { return };
    let whole = std::fs::read(&path).unwrap();
    let all = All::of(Arc::new(MemoryBytes::new(whole[..16 << 20].to_vec())), &Limits::default());
    assert!(all.reasons().contains("the end of an NTFS volume, which is cut off"));
    let files = All::open(&path).files;
    for (path, content) in &all.files {
        assert!(files[path] == *content || path == "noise.bin", "{path}");
    }
    // Listed, and not opened.
    assert!(!files["noise.bin"].is_empty() && all.files["noise.bin"].is_empty());
    assert!(all.reasons().contains("a file that reaches past the end of its volume"));
}
