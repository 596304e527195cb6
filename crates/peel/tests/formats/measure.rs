//! What a row of the table says, and how each of its cells is measured.

use crate::suite::{Inside, Open};
use lidless_core::Interest;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// What a place is expected to hold.
pub(crate) enum Holds {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Bytes with this digest, in hexadecimal.
    Digest(String),
    /// A text in which each of these stands.
    Words(Vec<String>),
}

/// A place below the outermost file, and what is expected there.
pub(crate) type Expected = Vec<(String, Holds)>;

/// Where a sample comes from.
pub(crate) enum Source {
    /// A recipe made it.
    Fixture(&'static str),
    /// No tool at hand makes it: a file name, and its bytes made by hand.
    Made(&'static str, Vec<u8>),
}

impl Source {
    /// Opens it, and what lies in it, with files of these names worth the most.
    fn open(&self, worth: &[&str]) -> Inside {
        let last = |path: &&str| path.rsplit('/').next().unwrap_or(path).to_owned();
        let mut interests: BTreeMap<String, Interest> =
            worth.iter().map(|path| (last(path), Interest::High)).collect();
        // A table of NTFS itself; no run opens these.
        interests.insert("$Boot".to_owned(), Interest::None);
        let open = Open { deep: true, interests, ..Open::default() };
        match self {
            Self::Fixture(path) => open.fixture(path).unwrap(),
            Self::Made(name, bytes) => open.bytes(name, bytes),
        }
    }

    /// The recipe, or a word.
    fn shown(&self) -> &str {
        match self {
            Self::Fixture(path) => path.split('/').next().unwrap(),
            Self::Made(..) => "by hand",
        }
    }
}

struct Sample {
    source: Source,
    expected: Expected,
    /// Whether the format keeps names, or is one stream.
    has_names: bool,
}

/// A cell that is not about every file.
enum Cell {
    /// The format has no such thing.
    None,
    /// No sample has it.
    Untested,
    /// A sample, and names of what was deleted in it.
    Names(Source, Vec<&'static str>),
    /// Samples, and a word that a gap of each has to say.
    Told(Vec<Source>, &'static str),
}

/// A format.
pub(crate) struct Row {
    name: &'static str,
    samples: Vec<Sample>,
    deleted: Cell,
    encrypted: Cell,
    /// Whether the volumes of a disk say what it was opened as.
    is_on_disk: bool,
}

impl Row {
    /// A format that keeps nothing that was deleted and encrypts nothing, until said otherwise.
    pub(crate) fn new(name: &'static str) -> Self {
        let (deleted, encrypted) = (Cell::None, Cell::None);
        Self { name, samples: Vec::new(), deleted, encrypted, is_on_disk: false }
    }

    /// As [`Row::new`], of what lies on a disk: what it was opened as is told by the finding about
    /// the disk.
    pub(crate) fn on_disk(name: &'static str) -> Self {
        Self { is_on_disk: true, ..Self::new(name) }
    }

    /// A sample of it.
    pub(crate) fn shows(self, path: &'static str, expected: Expected) -> Self {
        self.sample(Source::Fixture(path), expected, true)
    }

    /// Bytes of it, under a name.
    pub(crate) fn made(self, name: &'static str, bytes: Vec<u8>, expected: Expected) -> Self {
        self.sample(Source::Made(name, bytes), expected, true)
    }

    /// A sample of a format that has no names inside.
    pub(crate) fn stream(self, path: &'static str, expected: Expected) -> Self {
        self.sample(Source::Fixture(path), expected, false)
    }

    fn sample(mut self, source: Source, expected: Expected, has_names: bool) -> Self {
        self.samples.push(Sample { source, expected, has_names });
        self
    }

    /// A sample in which these were deleted.
    pub(crate) fn deleted(mut self, source: Source, names: &[&'static str]) -> Self {
        self.deleted = Cell::Names(source, names.to_vec());
        self
    }

    /// Samples of which a gap has to say this.
    pub(crate) fn told(mut self, sources: Vec<Source>, word: &'static str) -> Self {
        self.encrypted = Cell::Told(sources, word);
        self
    }

    /// The format keeps deleted names for a while; there is no sample.
    pub(crate) fn deleted_untested(mut self) -> Self {
        self.deleted = Cell::Untested;
        self
    }

    /// The format can be encrypted; there is no sample.
    pub(crate) fn encrypted_untested(mut self) -> Self {
        self.encrypted = Cell::Untested;
        self
    }

    fn line(&self) -> String {
        let (mut names, mut contents) = (Share::default(), Share::default());
        let mut has_names = self.samples.is_empty();
        let (mut openers, mut shown) = (BTreeSet::new(), BTreeSet::new());
        for sample in &self.samples {
            let inside = sample.source.open(&[]);
            let kinds = if self.is_on_disk { kinds(&inside) } else { BTreeSet::new() };
            if kinds.is_empty() {
                openers.insert(inside.peeler.unwrap_or("nothing").to_owned());
            }
            openers.extend(kinds);
            shown.insert(format!("`{}`", sample.source.shown()));
            has_names |= sample.has_names;
            for (place, holds) in &sample.expected {
                let entry = inside.entries.iter().find(|(known, _)| known == place);
                let is_empty = matches!(holds, Holds::Bytes(bytes) if bytes.is_empty());
                let named = entry.is_some() || inside.inert.contains(place);
                names.count(named, place);
                if !is_empty {
                    contents.count(entry.is_some_and(|(_, bytes)| holds.is(bytes)), place);
                }
            }
        }
        for source in self.deleted.sources().iter().chain(&self.encrypted.sources()) {
            shown.insert(format!("`{}`", source.shown()));
        }
        let openers: Vec<String> = openers.into_iter().collect();
        let shown: Vec<String> =
            shown.into_iter().map(|one| one.replace("`by hand`", "bytes made by hand")).collect();
        format!(
            "| {} | {} | {} | {} | {} | {} | {} |\n",
            self.name,
            if openers.is_empty() { "-".to_owned() } else { openers.join(", ") },
            if has_names { names.say(self.name) } else { "-".to_owned() },
            contents.say(self.name),
            self.deleted.say(self.name),
            self.encrypted.say(self.name),
            shown.join(", "),
        )
    }
}

/// What lies on a disk, by the finding about it; a disc that is handed out is none.
fn kinds(inside: &Inside) -> BTreeSet<String> {
    let disk = inside.findings.iter().find(|one| one.rule == "backup.disk_image");
    let volumes = disk.and_then(|disk| disk.detail["volumes"].as_array());
    let kind = |volume: &serde_json::Value| volume["kind"].as_str().unwrap().to_owned();
    volumes.into_iter().flatten().map(kind).collect()
}

impl Holds {
    fn is(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Bytes(wanted) => wanted == bytes,
            Self::Digest(wanted) => {
                let digest = Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
                    write!(text, "{byte:02x}").unwrap();
                    text
                });
                *wanted == digest
            }
            Self::Words(words) => {
                let text = String::from_utf8_lossy(bytes);
                words.iter().all(|word| text.contains(word.as_str()))
            }
        }
    }
}

/// How many of how many.
#[derive(Default)]
struct Share {
    found: usize,
    wanted: usize,
    missing: Vec<String>,
}

impl Share {
    fn count(&mut self, found: bool, place: &str) {
        self.wanted += 1;
        if found {
            self.found += 1;
        } else {
            self.missing.push(place.to_owned());
        }
    }

    fn say(&self, row: &str) -> String {
        for place in self.missing.iter().take(3) {
            eprintln!("{row}: not {place}");
        }
        match (self.found, self.wanted) {
            (_, 0) => "-".to_owned(),
            (0, _) => "no".to_owned(),
            (found, wanted) if found == wanted => "yes".to_owned(),
            (found, wanted) => format!("partly ({found} of {wanted})"),
        }
    }
}

impl Cell {
    fn sources(&self) -> Vec<&Source> {
        match self {
            Self::Names(source, _) => vec![source],
            Self::Told(sources, _) => sources.iter().collect(),
            Self::None | Self::Untested => Vec::new(),
        }
    }

    fn say(&self, row: &str) -> String {
        match self {
            Self::None => "-".to_owned(),
            Self::Untested => "not tested".to_owned(),
            Self::Names(source, names) => {
                let inside = source.open(names);
                let found: Vec<&String> = inside
                    .entries
                    .iter()
                    .map(|(place, _)| place)
                    .chain(&inside.inert)
                    .filter(|place| place.starts_with("[deleted]/"))
                    .collect();
                let mut share = Share::default();
                for name in names {
                    let place = format!("[deleted]/{name}");
                    share.count(found.contains(&&place), &place);
                }
                if !share.missing.is_empty() {
                    eprintln!("{row}: {found:?}");
                }
                share.say(row)
            }
            Self::Told(sources, word) => {
                let mut said = BTreeSet::new();
                for source in sources {
                    let inside = source.open(&[]);
                    let gap = inside.gaps.iter().find(|(reason, _)| reason.contains(word));
                    match gap {
                        Some((reason, _)) => said.insert(format!("\"{reason}\"")),
                        None => said.insert("no".to_owned()),
                    };
                    if gap.is_none() {
                        eprintln!(
                            "{row}: told {:?}",
                            inside.gaps.iter().take(3).collect::<Vec<_>>()
                        );
                    }
                }
                let said: Vec<String> = said.into_iter().collect();
                if said.contains(&"no".to_owned()) { "no".into() } else { said.join("; ") }
            }
        }
    }
}

/// A part of the table in Markdown.
pub(crate) fn table(heading: &str, rows: &[Row]) -> String {
    let mut text = format!(
        "### {heading}\n\n\
         | format | opened as | names | contents | deleted names | encryption told | shown by |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n"
    );
    for row in rows {
        text += &row.line();
    }
    text + "\n"
}

/// The bytes of a fixture.
pub(crate) fn fixture(path: &str) -> Vec<u8> {
    std::fs::read(lidless_kit::fixture(path).unwrap()).unwrap()
}

/// The content of a file of the tree.
pub(crate) fn of_tree(wanted: &str) -> Vec<u8> {
    lidless_kit::tree().unwrap().into_iter().find(|(path, _)| path == wanted).unwrap().1
}

/// The files of the tree whose path begins with one of these, as they lie below each prefix.
pub(crate) fn part(prefixes: &[&str], roots: &[&str]) -> Expected {
    let files = lidless_kit::tree().unwrap();
    let mut expected = Vec::new();
    for prefix in prefixes {
        for (path, content) in &files {
            if roots.iter().any(|root| path.starts_with(root)) {
                expected.push((format!("{prefix}{path}"), Holds::Bytes(content.clone())));
            }
        }
    }
    expected
}

/// The whole tree below each prefix.
pub(crate) fn tree(prefixes: &[&str]) -> Expected {
    part(prefixes, &[""])
}

/// One place and its bytes.
pub(crate) fn is(place: &str, bytes: Vec<u8>) -> Expected {
    vec![(place.to_owned(), Holds::Bytes(bytes))]
}

/// One place with words: the words of a text that another program wrote, as far as they are
/// plain letters and digits.
pub(crate) fn words(place: &str, text: &str) -> Expected {
    let plain = |word: &&str| word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let words: Vec<String> = text.split_whitespace().filter(plain).map(str::to_owned).collect();
    assert!(words.len() > 2, "{place}");
    vec![(place.to_owned(), Holds::Words(words))]
}

/// One place with lines that were put into it.
pub(crate) fn lines(place: &str, lines: &[&str]) -> Expected {
    vec![(place.to_owned(), Holds::Words(lines.iter().map(|line| (*line).to_owned()).collect()))]
}
