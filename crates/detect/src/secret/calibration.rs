//! How often a confidence is right, on texts with labels: the examples and counter-examples of the
//! rules, and `fixtures/labelled/secrets.txt`. docs/secrets.md has the figures.

use super::detector::SecretDetector;
use super::own::RuleSet;
use super::rule::secret_rules;
use crate::detector::{Context, Detector as _, Output, View};
use crate::model::AllowedImports;
use lidless_core::{
    Artifact, Confidence, Encoding, Entry, FingerprintKey, Layer, Limits, Provenance, Text,
};
use std::collections::BTreeMap;
use std::sync::Arc;

const LABELLED: &str = include_str!("../../../../fixtures/labelled/secrets.txt");

/// Numbers that look random and are the same on every run.
struct Noise(u64);

impl Noise {
    fn text(&mut self, length: usize, signs: &str) -> String {
        let signs: Vec<char> = signs.chars().collect();
        (0..length)
            .map(|_| {
                self.0 = self
                    .0
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                signs[(self.0 >> 33) as usize % signs.len()]
            })
            .collect()
    }

    /// Fills in what a line leaves to chance.
    fn fill(&mut self, line: &str) -> String {
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut out = String::new();
        let mut rest = line;
        while let Some(at) = rest.find('{') {
            out.push_str(&rest[..at]);
            let end = rest[at..].find('}').map(|end| at + end);
            let word = end.map_or("", |end| &rest[at + 1..end]);
            let length = word.get(1..).and_then(|digits| digits.parse::<usize>().ok());
            let made = match (word.chars().next(), length) {
                (Some('a'), Some(length)) => self.text(length, letters),
                (Some('h'), Some(length)) => self.text(length, "0123456789abcdef"),
                (Some('b'), Some(length)) => self.text(length, &format!("{letters}+/")),
                (Some('p'), None) if word == "p" => {
                    self.text(7, letters) + &self.text(1, "!#%+") + &self.text(4, "0123456789")
                }
                (Some('w'), None) if word == "w" => {
                    let part = self.text(3, "bcdfgklmnprst");
                    format!("horse-{part}-{}{}", self.text(4, "aeioumnr"), self.text(2, "23456789"))
                }
                (Some('u'), None) if word == "u" => {
                    let hex = self.text(32, "0123456789abcdef");
                    format!(
                        "{}-{}-4{}-a{}-{}",
                        &hex[..8],
                        &hex[8..12],
                        &hex[13..16],
                        &hex[17..20],
                        &hex[20..]
                    )
                }
                _ => {
                    out.push('{');
                    rest = &rest[at + 1..];
                    continue;
                }
            };
            out.push_str(&made);
            rest = &rest[end.unwrap_or(at) + 1..];
        }
        out.push_str(rest);
        out.replace("\\n", "\n")
    }
}

fn look(detector: &SecretDetector, path: &str, content: &str) -> Output {
    let provenance = Provenance::new(Layer::File { path: format!("/t/{path}") });
    let entry = Entry::new(provenance, u64::try_from(content.len()).ok());
    let bytes = Arc::new(lidless_io::MemoryBytes::new(content.as_bytes().to_vec()));
    let artifact = Artifact::new(entry, bytes);
    let text = Text::from_string(content.to_owned(), Encoding::Utf8);
    let head = &content.as_bytes()[..content.len().min(16_384)];
    let context = Context {
        key: FingerprintKey::from_bytes([1; 32]),
        limits: Limits::default(),
        imports: AllowedImports::default(),
        verify: false,
    };
    let mut output = Output::default();
    detector.detect(
        &View { artifact: &artifact, head, text: Some(&text), pieces: None },
        &context,
        &mut output,
    );
    output
}

/// Of each confidence: right and all.
type Tally = BTreeMap<Confidence, (usize, usize)>;

fn add(tally: &mut Tally, output: &Output, is_secret: bool) {
    for finding in &output.findings {
        let row = tally.entry(finding.confidence).or_default();
        row.0 += usize::from(is_secret);
        row.1 += 1;
    }
}

fn precision(tally: &Tally, confidence: Confidence) -> f64 {
    let (right, all) = tally.get(&confidence).copied().unwrap_or_default();
    right as f64 / all.max(1) as f64
}

/// The labelled texts, each many times over with other values; how many of `yes` were found.
fn labelled(detector: &SecretDetector, tally: &mut Tally) -> (usize, usize) {
    let mut noise = Noise(11);
    let (mut found, mut wanted) = (0, 0);
    for line in LABELLED.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let [label, path, text] = line.splitn(3, '\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        assert!(matches!(label, "yes" | "no"), "{line}");
        let mut hit = 0;
        for _ in 0..10 {
            let output = look(detector, path, &noise.fill(text));
            hit += usize::from(!output.findings.is_empty());
            add(tally, &output, label == "yes");
        }
        if label == "yes" {
            wanted += 10;
            found += hit;
        }
        if (label == "yes") != (hit > 0) {
            eprintln!("{label} but {hit} of 10: {path}: {text}");
        }
    }
    (found, wanted)
}

#[test]
fn a_higher_confidence_is_more_often_right() {
    let detector = SecretDetector::new(RuleSet::default());
    let mut tally = Tally::new();
    for rule in secret_rules() {
        for text in rule.examples {
            add(&mut tally, &look(&detector, "example", text), true);
        }
        for text in rule.counter {
            let output = look(&detector, "counter", text);
            for found in output.findings.iter().filter(|one| one.confidence > Confidence::Low) {
                let (by, sure, shown) = (&found.rule, found.confidence, &found.evidence);
                eprintln!("{}: counter-example is {by} at {sure:?}: {shown}", rule.id);
            }
            add(&mut tally, &output, false);
        }
    }
    eprintln!("examples and counter-examples of rules: {tally:?}");
    let mut lines = Tally::new();
    let (found, wanted) = labelled(&detector, &mut lines);
    eprintln!("labelled texts: {lines:?}; {found} of {wanted} secrets found");
    for (confidence, (right, all)) in lines {
        let row = tally.entry(confidence).or_default();
        *row = (row.0 + right, row.1 + all);
    }
    let [high, medium, low] =
        [Confidence::High, Confidence::Medium, Confidence::Low].map(|one| precision(&tally, one));
    eprintln!("all: {tally:?}: high {high:.3}, medium {medium:.3}, low {low:.3}");
    assert!(high > medium && medium > low, "{high} {medium} {low}");
    assert!(high >= HIGH && medium >= MEDIUM, "{high} {medium}");
    assert!(found * 100 >= wanted * FOUND, "{found} of {wanted}");
}

/// The least that docs/secrets.md promises.
const HIGH: f64 = 0.98;
const MEDIUM: f64 = 0.90;
/// Of a hundred labelled secrets.
const FOUND: usize = 85;
