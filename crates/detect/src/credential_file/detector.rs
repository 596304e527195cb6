//! The catalogue of places, matched in one pass, confirmed by content.

use crate::detector::{Context, Detector, Output, View, Want};
use lidless_core::{Category, Confidence, Entry, Finding, Place, Severity, Text};
use regex::{Regex, RegexSet};
use serde::Deserialize;

const CATALOGUE: &str = include_str!("../../../../rules/credential_file/catalogue.toml");

#[derive(Deserialize)]
struct File {
    file: Vec<Kind>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    id: String,
    title: String,
    severity: Severity,
    place: String,
    confirm: Vec<String>,
}

/// Finds credential files.
pub(crate) struct CredentialFileDetector {
    kinds: Vec<Kind>,
    places: Option<RegexSet>,
}

impl CredentialFileDetector {
    pub(crate) fn new() -> Self {
        let kinds: Vec<Kind> = toml::from_str::<File>(CATALOGUE)
            .map(|file| file.file)
            .unwrap_or_default()
            .into_iter()
            .filter(|kind| Regex::new(&kind.place).is_ok())
            .collect();
        let places = RegexSet::new(kinds.iter().map(|kind| &kind.place)).ok();
        Self { kinds, places }
    }

    fn at<'k>(&'k self, path: &str) -> impl Iterator<Item = &'k Kind> {
        let hits: Vec<usize> = self
            .places
            .as_ref()
            .map(|set| set.matches(path).into_iter().collect())
            .unwrap_or_default();
        hits.into_iter().filter_map(|index| self.kinds.get(index))
    }
}

fn magic(word: &str) -> Option<Vec<u8>> {
    let hex = word.strip_prefix("magic:")?;
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

fn by_magic(kind: &Kind, head: &[u8]) -> bool {
    kind.confirm.iter().filter_map(|word| magic(word)).any(|magic| head.starts_with(&magic))
}

impl Detector for CredentialFileDetector {
    fn name(&self) -> &'static str {
        "credential-file"
    }

    fn wants(&self, entry: &Entry, head: &[u8]) -> Want {
        if head.is_empty() {
            return Want::Nothing;
        }
        let path = entry.full_path().to_ascii_lowercase();
        let text = Text::is_text(head);
        let wanted = |kind: &Kind| {
            if text && kind.confirm.iter().any(|word| word.starts_with("text:")) {
                Want::Text
            } else if by_magic(kind, head) || kind.confirm.iter().any(|word| word == "size") {
                Want::Head
            } else {
                Want::Nothing
            }
        };
        self.at(&path).map(wanted).max().unwrap_or(Want::Nothing)
    }

    fn detect(&self, view: &View<'_>, _context: &Context, output: &mut Output) {
        let entry = &view.artifact.entry;
        let path = entry.full_path().to_ascii_lowercase();
        for kind in self.at(&path) {
            let in_text = view.text.is_some_and(|text| {
                kind.confirm
                    .iter()
                    .filter_map(|word| word.strip_prefix("text:"))
                    .any(|part| text.as_str().contains(part))
            });
            let magic = by_magic(kind, view.head);
            let size = kind.confirm.iter().any(|word| word == "size");
            if !(in_text || magic || size) {
                continue;
            }
            let confidence = if in_text || magic { Confidence::High } else { Confidence::Medium };
            let evidence = if in_text {
                "its place and its content"
            } else if magic {
                "its first bytes"
            } else {
                "its place"
            };
            output.findings.push(Finding::new(
                format!("credential_file.{}", kind.id),
                Category::CredentialFile,
                kind.severity,
                confidence,
                kind.title.clone(),
                &Place::whole(entry.provenance.clone()),
                evidence,
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_whole() {
        let file: File = toml::from_str(CATALOGUE).unwrap();
        let detector = CredentialFileDetector::new();
        assert_eq!(detector.kinds.len(), file.file.len());
        for kind in &file.file {
            for word in &kind.confirm {
                let known = word == "size" || word.starts_with("text:") || magic(word).is_some();
                assert!(known, "{}: {word}", kind.id);
            }
        }
        for (path, id) in [
            ("c/home/a/.aws/credentials", "aws_credentials"),
            ("x/.git-credentials", "git_credentials"),
            ("x/.kube/config", "kubeconfig"),
        ] {
            assert!(detector.at(path).any(|kind| kind.id == id), "{path}");
        }
    }
}
