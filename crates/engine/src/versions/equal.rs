//! Versions of texts full of secrets, each looked at twice: by someone who saw the versions before
//! it, and by someone who never saw anything. Both have to say the same.

use crate::inspector::{Inspector, context};
use lidless_core::{Artifact, Entry, FingerprintKey, Layer, Limits, Provenance};
use lidless_detect::model::AllowedImports;
use lidless_detect::{RuleSet, secret_rules};
use lidless_io::MemoryBytes;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

/// Numbers that look random and are the same each time (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ mixed >> 31) % count as u64) as usize
    }
}

fn inspector() -> Inspector {
    let key = FingerprintKey::from_bytes([7; 32]);
    let context = context(&key, Limits::default(), AllowedImports::default(), false);
    Inspector::new(context, RuleSet::default())
}

/// Everything that is said of a text under a name.
fn said(inspector: &Inspector, path: &str, text: &str) -> String {
    let layer = Layer::File { path: path.to_owned() };
    let entry = Entry::new(Provenance::new(layer), Some(text.len() as u64));
    let bytes = MemoryBytes::new(text.as_bytes().to_vec());
    let outcome = inspector.inspect(&Artifact::new(entry, Arc::new(bytes)));
    let mut said = format!("{:#?}\n{:#?}\n", outcome.output.suppressed, outcome.output.gaps);
    let mut lines: Vec<String> = outcome
        .output
        .findings
        .iter()
        .map(|finding| serde_json::to_string(finding).unwrap())
        .chain(outcome.seen.iter().map(|seen| format!("{:?} {:?}", seen.sighting, seen.place)))
        .collect();
    lines.sort();
    for line in lines {
        let _ = writeln!(said, "{line}");
    }
    said
}

fn files(folder: &Path, lines: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, lines);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            // Whole, and line by line: what belongs together is torn apart as well.
            lines.extend(text.lines().map(|line| format!("{line}\n")));
            lines.push(text);
        }
    }
}

/// Parts of texts to build from: half of them hold something.
fn parts() -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for rule in secret_rules() {
        parts.extend(rule.examples.iter().chain(rule.counter).map(|text| format!("{text}\n")));
    }
    let labelled = Path::new(env!("CARGO_MANIFEST_DIR")).join("../detect/tests/labelled/files");
    files(&labelled, &mut parts);
    for number in 0..40 {
        parts.push(format!(
            "  mail{number}@example.com, Ada Example {number}, +44 20 7946 0{number:03}\n"
        ));
        parts.push(format!("password_{number} = \"k9$vQ{number}zR!mW4\"\nkey{number}: \"\"\"\n"));
        parts.push(format!("https://acct{number}.blob.core.windows.net/data?sv=2021-08-06&ss=b&srt=sco&sp=rwl&se=2051-10-06T07:00:00Z&sig=AbC{number}dEfGhIjKlMnOpQrStUvWxYz0123456789abcdE%3D\n"));
        parts.push(
            "Y29uc3QgcGFzc3dvcmQgPSAiazkkdlExelIhbVc0IjsKY29uc3QgdXNlciA9ICJhZG1pbiI7\n"
                .repeat(number % 9 + 1),
        );
        parts.push(format!("4111 1111 1111 1111 | DE89 3704 0044 0532 0130 00 | {number}\n"));
        parts.push(format!("\\u0070assword = \\x27k9$vQ{number}zR!mW4\\x27\n"));
    }
    let filled = parts.len();
    for number in 0..filled {
        parts.push(format!(
            "    value_{number} = compute({number}, other)  # plain line {number}\n"
        ));
        parts.push(format!("def method_{number}(self, name)\n  call(:{number})\nend\n"));
        if number % 7 == 0 {
            parts.push("\n".repeat(number % 30 + 1));
            parts.push(format!("{}\n", "x".repeat(number)));
        }
    }
    parts
}

#[test]
fn what_was_seen_before_changes_nothing_that_is_said() {
    let parts = parts();
    let mut dice = Dice(17);
    let names = [
        "/src/settings.py",
        "/CHANGELOG.md",
        "/conf/app.yaml",
        "/src/lib.rb",
        "/.env",
        "/data/people.csv",
        "/web/index.js",
        "/notes",
        "/conf/app.properties",
        "/web.config",
    ];
    let mut skipped = false;
    for name in names {
        let seen = inspector();
        let mut text: Vec<&str> =
            (0..150).map(|_| parts[dice.below(parts.len())].as_str()).collect();
        for version in 0..12 {
            let whole = text.concat();
            let plain = said(&inspector(), name, &whole);
            assert_eq!(said(&seen, name, &whole), plain, "{name}, version {version}");
            assert_eq!(said(&seen, name, &whole), plain, "{name}, version {version} again");
            skipped |= plain.lines().count() > 20;
            for _ in 0..dice.below(4) + 1 {
                let at = dice.below(text.len());
                match dice.below(5) {
                    0 => drop(text.remove(at)),
                    1 => text.insert(at, &parts[dice.below(parts.len())]),
                    2 => text[at] = &parts[dice.below(parts.len())],
                    3 => text.swap(at, dice.below(150 / 2)),
                    _ => text.rotate_left(at),
                }
            }
        }
    }
    assert!(skipped, "nothing was found anywhere");
}
