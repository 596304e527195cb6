//! Files of the kinds that people leave lying about, each risky line labelled: how many are found,
//! and that no other line is called one.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic
)]

use lidless_core::{
    Artifact, Confidence, Entry, Finding, FingerprintKey, Layer, Limits, Provenance, Text,
};
use lidless_detect::model::AllowedImports;
use lidless_detect::{Context, Detectors, Output, View};
use lidless_io::MemoryBytes;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn here(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/labelled").join(part)
}

fn look(detectors: &Detectors, name: &str, content: &str) -> Vec<Finding> {
    let place = Provenance::new(Layer::File { path: format!("/backup/{name}") });
    let bytes = content.as_bytes().to_vec();
    let head = bytes[..bytes.len().min(16 << 10)].to_vec();
    let text = Text::decode(content.as_bytes());
    let entry = Entry::new(place, Some(bytes.len() as u64));
    let artifact = Artifact::new(entry, Arc::new(MemoryBytes::new(bytes)));
    let context = Context {
        key: FingerprintKey::from_bytes([7; 32]),
        limits: Limits::default(),
        imports: AllowedImports::default(),
        verify: false,
    };
    let mut output = Output::default();
    detectors.detect(
        &View { artifact: &artifact, head: &head, text: text.as_ref(), pieces: None },
        &context,
        &mut output,
    );
    output.findings.retain(|finding| finding.rule.starts_with("secret."));
    output.findings
}

fn lines(findings: &[Finding], least: Confidence) -> BTreeSet<u64> {
    findings.iter().filter(|one| one.confidence >= least).filter_map(|one| one.line).collect()
}

/// File, and the numbers of its risky lines.
fn labels() -> BTreeMap<String, BTreeSet<u64>> {
    std::fs::read_to_string(here("labels.csv"))
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with('#') && *line != "file,lines")
        .map(|line| {
            let (file, numbers) = line.split_once(',').unwrap();
            let numbers = numbers.split_whitespace().map(|number| number.parse().unwrap());
            (file.to_owned(), numbers.collect())
        })
        .collect()
}

fn content(file: &str) -> String {
    std::fs::read_to_string(here("files").join(file)).unwrap().replace("{+}", "")
}

#[test]
fn at_least_85_of_96_risky_lines_are_found_and_no_other_line_is_called_one() {
    let detectors = Detectors::new();
    let labels = labels();
    let all: usize = labels.values().map(BTreeSet::len).sum();
    assert_eq!((labels.len(), all), (44, 96));
    let (mut found, mut surely) = (0, 0);
    let mut missed = Vec::new();
    let mut wrong = Vec::new();
    for (file, risky) in &labels {
        let findings = look(&detectors, file, &content(file));
        let seen = lines(&findings, Confidence::Low);
        let sure = lines(&findings, Confidence::Medium);
        found += risky.intersection(&seen).count();
        surely += risky.intersection(&sure).count();
        missed.extend(risky.difference(&sure).map(|line| {
            (file.clone(), *line, if seen.contains(line) { "low" } else { "not at all" })
        }));
        wrong.extend(sure.difference(risky).map(|line| (file.clone(), *line)));
    }
    eprintln!(
        "{found} of {all} lines, {surely} of them at medium confidence or above: {missed:#?}"
    );
    assert!(wrong.is_empty(), "not labelled: {wrong:?}");
    assert!(surely >= 85, "{surely} of {all}: {missed:#?}");
}

/// What a finding found, by its place: as many characters as it counted, or the lines of a key,
/// whose evidence says what kind of key it is.
fn secrets(finding: &Finding, text: &str) -> Vec<String> {
    let rest = &text[usize::try_from(finding.offset.unwrap()).unwrap()..];
    if let Some((before, _)) = finding.evidence.split_once(" characters") {
        let counted = before.rsplit(['(', ' ']).next().unwrap();
        return vec![rest.chars().take(counted.parse().unwrap()).collect()];
    }
    let end = match finding.rule.as_str() {
        "secret.private_key" => "-----END",
        "secret.putty_key" => "Private-MAC",
        other => panic!("{other}: {}", finding.evidence),
    };
    let (key, _) = rest.split_once(end).unwrap();
    let lines: Vec<String> =
        key.lines().skip(1).filter(|line| line.len() >= 60).map(str::to_owned).collect();
    assert!(lines.len() > 3, "{key}");
    lines
}

#[test]
fn no_finding_shows_what_it_found() {
    let detectors = Detectors::new();
    let mut looked = 0;
    for file in labels().keys() {
        let text = content(file);
        let findings = look(&detectors, file, &text);
        let shown = serde_json::to_string(&findings).unwrap();
        for finding in &findings {
            for secret in secrets(finding, &text) {
                // One of them is the word that its own name is.
                if secret != "password" {
                    let escaped = serde_json::to_string(&secret).unwrap();
                    let shows = shown.contains(escaped.trim_matches('"'));
                    assert!(!shows, "{file}: {}", finding.evidence);
                    looked += 1;
                }
            }
        }
    }
    assert!(looked > 80, "{looked}");
}
