//! The catalogue of places, matched in one pass, confirmed by content.

use super::header::describe;
use super::key_file::{by_key, is_key_file};
use super::kind::{Catalogue, Kind, Proof, Row, lower};
use crate::detector::{Context, Detector, Output, View, Want};
use crate::head::Head;
use crate::pattern::PathPatterns;
use lidless_core::{Confidence, Entry, Finding, Place, Text};

const CATALOGUE: &str = include_str!("../../../../rules/credential_file/catalogue.toml");

/// Finds credential files.
pub(crate) struct CredentialFileDetector {
    kinds: Vec<Kind>,
    places: PathPatterns,
}

fn rows() -> Vec<Row> {
    toml::from_str::<Catalogue>(CATALOGUE).map(|file| file.file).unwrap_or_default()
}

impl CredentialFileDetector {
    pub(crate) fn new() -> Self {
        let (places, kinds): (Vec<String>, Vec<Kind>) =
            rows().into_iter().filter_map(|row| Some((row.place.clone(), Kind::new(row)?))).unzip();
        let places = PathPatterns::new(places);
        Self { kinds, places }
    }

    fn at<'k>(&'k self, path: &str) -> impl Iterator<Item = &'k Kind> {
        let hits = self.places.matches(path);
        hits.into_iter().filter_map(|index| self.kinds.get(index))
    }
}

impl Detector for CredentialFileDetector {
    fn name(&self) -> &'static str {
        "credential-file"
    }

    fn wants(&self, entry: &Entry, head: &Head<'_>) -> Want {
        if head.is_empty() {
            return Want::Nothing;
        }
        let path = entry.lower_full_path();
        let text = head.is_text();
        let wanted = |kind: &Kind| {
            if text && kind.wants_text() {
                Want::Text
            } else if kind.may_be(head) {
                Want::Head
            } else {
                Want::Nothing
            }
        };
        self.at(path).map(wanted).max().unwrap_or(Want::Nothing)
    }

    fn detect(&self, view: &View<'_>, context: &Context, output: &mut Output) {
        let entry = &view.artifact.entry;
        let path = entry.lower_full_path();
        let text = view.text.map(Text::as_str);
        let proven = |kind| Some((kind, Kind::proof(kind, view.head, text)?));
        let mut kinds: Vec<(&Kind, Proof)> = self.at(path).filter_map(proven).collect();
        if kinds.iter().filter(|(kind, _)| is_key_file(&kind.id)).count() > 1 {
            // Its name says more than its structure alone.
            kinds.retain(|(kind, _)| kind.id != "private_key_file");
        }
        for (kind, proof) in kinds {
            let (confidence, evidence) = match proof {
                Proof::Content => (Confidence::High, "its place and its content"),
                Proof::Bytes => (Confidence::High, "its first bytes"),
                Proof::Place => (Confidence::Medium, "its place"),
            };
            let encrypted = kind.is_encrypted(view.head, text);
            let (severity, title) = if encrypted {
                (lower(kind.severity), format!("{} (encrypted)", kind.title))
            } else {
                (kind.severity, kind.title.clone())
            };
            let place = Place::whole(entry.provenance.clone());
            let rule = kind.rule();
            let mut finding =
                Finding::new(rule, kind.category, severity, confidence, title, &place, evidence);
            describe(&kind.id, view, &mut finding);
            output.findings.extend(by_key(&kind.id, view, context, finding));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    #[test]
    fn the_catalogue_is_whole_and_every_row_matches_its_examples() {
        let rows = toml::from_str::<Catalogue>(CATALOGUE).unwrap().file;
        let detector = CredentialFileDetector::new();
        assert!(rows.len() > 140);
        for row in &rows {
            assert!(Regex::new(&row.place).is_ok(), "{}", row.id);
            let kind = Kind::new(row.clone());
            assert!(kind.is_some_and(|kind| kind.is_valid()), "{}: a word that is none", row.id);
            assert!(!row.examples.is_empty(), "{}", row.id);
            for path in &row.examples {
                assert!(detector.at(path).any(|kind| kind.id == row.id), "{}: {path}", row.id);
                assert_eq!(
                    *path,
                    path.to_lowercase(),
                    "{}: paths are compared in lower case",
                    row.id
                );
            }
        }
        assert_eq!(detector.kinds.len(), rows.len());
    }

    #[test]
    fn ordinary_paths_match_no_place_but_those_of_magic() {
        let detector = CredentialFileDetector::new();
        for path in [
            "usr/share/doc/openssl/readme.txt",
            "users/a/pictures/holiday.jpg",
            "src/main.rs",
            "windows/system32/kernel32.dll",
            "home/a/passport.js",
            "models/resnet50.ckpt",
        ] {
            let ids: Vec<&str> = detector
                .at(path)
                .map(|kind| kind.id.as_str())
                .filter(|id| {
                    !["keepass", "java_keystore", "outlook", "dicom", "private_key_file"]
                        .contains(id)
                })
                .collect();
            assert!(ids.is_empty(), "{path}: {ids:?}");
        }
    }
}
