//! Looks at a file with all detectors, as a scan would.

use lidless_core::{
    Artifact, Entry, Finding, FingerprintKey, Layer, Limits, Mark, Provenance, Siblings, Text,
};
use lidless_detect::model::AllowedImports;
use lidless_detect::{Context, Detectors, Head, Output, View, Want};
use lidless_io::{MemoryBytes, ReadAt, read_vec};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Files by their paths, in which the files of one folder are neighbours.
#[derive(Clone, Default)]
pub(crate) struct Disk(BTreeMap<String, Vec<u8>>);

struct Folder(Disk, String);

impl Siblings for Folder {
    fn open(&self, path: &str) -> Option<Artifact> {
        let whole = format!("{}/{path}", self.1);
        let known = self.0.0.keys().find(|known| known.eq_ignore_ascii_case(&whole))?;
        Some(self.0.artifact(known))
    }
}

impl Disk {
    pub(crate) fn with(mut self, path: &str, bytes: Vec<u8>) -> Self {
        self.0.insert(path.to_owned(), bytes);
        self
    }

    /// With a fixture at a path; none where it was not made.
    pub(crate) fn fixture(self, path: &str, fixture: &str) -> Option<Self> {
        let bytes = std::fs::read(lidless_kit::fixture(fixture)?).unwrap();
        Some(self.with(path, bytes))
    }

    /// Paths and contents.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&String, &Vec<u8>)> {
        self.0.iter()
    }

    fn artifact(&self, path: &str) -> Artifact {
        let disk = Provenance::new(Layer::Object {
            store: "az://contoso".into(),
            container: "backups".into(),
            key: "alice.vhdx".into(),
        });
        let place = disk
            .child(Layer::Partition { number: 2 })
            .child(Layer::Member { path: path.to_owned() });
        let bytes: Arc<dyn ReadAt> = Arc::new(MemoryBytes::new(self.0[path].clone()));
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        Artifact::new(Entry::new(place, Some(bytes.len())), bytes)
            .beside(Arc::new(Folder(self.clone(), folder.to_owned())))
    }

    /// What all detectors say of one file.
    pub(crate) fn look(&self, path: &str) -> Output {
        thread_local! {
            static DETECTORS: Detectors = Detectors::new();
        }
        let artifact = self.artifact(path);
        let context = Context {
            key: FingerprintKey::from_bytes([7; 32]),
            limits: Limits::default(),
            imports: AllowedImports::default(),
            verify: false,
        };
        let mut output = Output::default();
        DETECTORS.with(|detectors| {
            detectors.names(&artifact.entry, &context, &mut output);
            let head = read_vec(&*artifact.bytes, 0, 16 << 10).unwrap();
            let wanted = detectors.wants(&artifact.entry, &Head::new(&head)).most;
            let text = if wanted < Want::Random { Text::decode(&self.0[path]) } else { None };
            if wanted > Want::Nothing {
                let view =
                    View { artifact: &artifact, head: &head, text: text.as_ref(), pieces: None };
                detectors.detect(&view, &context, &mut output);
            }
        });
        output
    }

    /// What all detectors say of every file.
    pub(crate) fn look_at_all(&self) -> Output {
        let mut all = Output::default();
        for path in self.0.keys() {
            let output = self.look(path);
            all.findings.extend(output.findings);
            all.marks.extend(output.marks);
            all.gaps.extend(output.gaps);
        }
        all
    }
}

/// The finding of a rule.
pub(crate) fn finding<'o>(output: &'o Output, rule: &str) -> &'o Finding {
    output.findings.iter().find(|finding| finding.rule == rule).unwrap_or_else(|| {
        let rules: Vec<&str> = output.findings.iter().map(|one| one.rule.as_str()).collect();
        panic!("no {rule} in {rules:?}; gaps: {:?}", output.gaps)
    })
}

/// The marks of machines.
pub(crate) fn machines(output: &Output) -> impl Iterator<Item = &Mark> {
    output.marks.iter().filter(|mark| matches!(mark, Mark::Workstation { .. }))
}

/// Panics when any of some words is anywhere in what was said.
pub(crate) fn assert_silent(output: &Output, words: &[&str]) {
    let said = format!("{output:?}");
    for word in words {
        assert!(!said.contains(word), "{word}");
    }
}
