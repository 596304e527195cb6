//! Private keys of every format, held against what the tools that wrote them say.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

use lidless_core::{
    Artifact, Category, Entry, Finding, FingerprintKey, Layer, Limits, Provenance, Severity, Text,
};
use lidless_detect::model::AllowedImports;
use lidless_detect::{Context, Detectors, Output, View};
use lidless_io::MemoryBytes;
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

static DETECTORS: LazyLock<Detectors> = LazyLock::new(Detectors::new);

/// Every finding with a public key or a lock in a file.
fn look(name: &str, bytes: &[u8]) -> Vec<Finding> {
    let place = Provenance::new(Layer::File { path: format!("/data/{name}") });
    let head = bytes[..bytes.len().min(16 << 10)].to_vec();
    let artifact = Artifact::new(
        Entry::new(place, Some(bytes.len() as u64)),
        Arc::new(MemoryBytes::new(bytes.to_vec())),
    );
    let context = Context {
        key: FingerprintKey::from_bytes([7; 32]),
        limits: Limits::default(),
        imports: AllowedImports::default(),
        verify: false,
    };
    let text = Text::decode(bytes);
    let mut output = Output::default();
    let view = View { artifact: &artifact, head: &head, text: text.as_ref(), pieces: None };
    DETECTORS.detect(&view, &context, &mut output);
    let of_keys = |one: &Finding| {
        matches!(one.category, Category::Secret | Category::CredentialFile)
            && one.detail.contains_key("public_fingerprint")
    };
    output.findings.retain(of_keys);
    output.findings
}

fn read(name: &str) -> Option<Vec<u8>> {
    Some(std::fs::read(lidless_kit::fixture(&format!("keys/{name}"))?).unwrap())
}

/// The one finding in a file of the recipe.
fn key_of(name: &str) -> Option<Finding> {
    let found = look(name, &read(name)?);
    assert_eq!(found.len(), 1, "{name}: {found:#?}");
    found.into_iter().next()
}

#[test]
fn fingerprints_are_those_that_the_tools_print() {
    let Some(facts) = read("facts") else { return };
    let facts = String::from_utf8(facts).unwrap();
    let mut rsa = BTreeSet::new();
    let first = facts.lines().next().unwrap().split_once('\t').unwrap().1;
    let mut count = 0;
    for line in facts.lines() {
        let (file, expected) = line.split_once('\t').unwrap();
        let finding = key_of(file).unwrap();
        assert_eq!(finding.detail["public_fingerprint"], expected, "{file}");
        assert!(finding.evidence.contains(expected), "{file}: {}", finding.evidence);
        if expected == first {
            assert_eq!(finding.detail["algorithm"], "RSA 2048", "{file}");
            rsa.insert(finding.fingerprint.unwrap().to_string());
            count += 1;
        }
    }
    assert!(count >= 17, "{count}");
    assert_eq!(rsa.len(), 1, "one key in {count} files is one secret");
}

#[test]
fn a_key_says_how_it_is_locked() {
    for (file, encrypted, words) in [
        ("rsa.pk8.pem", Some(false), "not encrypted"),
        ("rsa.openssh.locked", Some(true), "aes256-ctr, bcrypt with "),
        ("rsa.locked.ppk", Some(true), "aes256-cbc, Argon2id"),
        ("rsa.v2.ppk", Some(false), "not encrypted"),
        ("rsa.sshcom", Some(false), "RSA 2048, ssh.com, not encrypted"),
        ("locked.legacy.pem", Some(true), "AES-128-CBC"),
        ("locked.pk8.pem", Some(true), "AES-256-CBC, PBKDF2 with "),
        ("locked.scrypt.der", Some(true), "AES-256-CBC, scrypt with cost "),
        ("locked.pbe.pem", Some(true), "3DES, PKCS#12"),
        ("ed.openssh", Some(false), "Ed25519, OpenSSH"),
        ("ec.P-521.pem", Some(false), "P-521, SEC 1"),
        ("locked.p12", Some(true), "AES-256-CBC, PBKDF2"),
        ("empty.p12", Some(true), "its password is empty"),
        ("open.p12", Some(false), "not encrypted"),
        ("default.jks", Some(true), "the default, changeit"),
        ("locked.jks", Some(true), "JKS protection"),
        ("alice.gpg", Some(false), "RSA 2048, PGP, not encrypted"),
        ("bob.asc", Some(false), "Ed25519, PGP"),
        ("carol.gpg", Some(true), "AES-"),
        ("age.txt", Some(false), "X25519, age"),
        ("minisign.key", Some(false), "Ed25519, minisign"),
        ("minisign.locked.key", Some(true), "scrypt"),
        ("signify.sec", Some(false), "Ed25519, signify"),
    ] {
        let Some(finding) = key_of(file) else { return };
        let said = finding.detail["encrypted"].as_bool();
        assert_eq!(said, encrypted, "{file}: {}", finding.evidence);
        assert!(finding.evidence.contains(words), "{file}: {}", finding.evidence);
        let closed =
            encrypted == Some(true) && !words.contains("password") && !words.contains("default");
        assert_eq!(finding.title.ends_with("(encrypted)"), closed, "{file}: {}", finding.title);
    }
}

#[test]
fn names_of_keys_are_told() {
    for (file, name) in [
        ("ed.openssh", "alice@example.com"),
        ("carol.asc", "Carol <carol@example.com>"),
        ("open.p12", "web"),
        ("default.jks", "web"),
    ] {
        let Some(finding) = key_of(file) else { return };
        assert_eq!(finding.detail["name"], name, "{file}");
    }
}

#[test]
fn certificates_alone_are_no_key() {
    for file in ["certificates.p12", "trusted.jks"] {
        let Some(bytes) = read(file) else { return };
        assert_eq!(look(file, &bytes), Vec::new(), "{file}");
    }
}

/// The body of a key is the same whatever stands around its lines.
#[test]
fn a_key_in_source_code_is_the_key_of_the_file() {
    let Some(pem) = read("rsa.pk8.pem") else { return };
    let pem = String::from_utf8(pem).unwrap();
    let alone = look("a.pem", pem.as_bytes())[0].fingerprint.clone();
    let quoted: String = pem.lines().map(|line| format!("    \"{line}\\n\" +\n")).collect();
    let json = format!("{{\"private_key\": \"{}\"}}", pem.replace('\n', "\\n"));
    let yaml: String = pem.lines().map(|line| format!("      {line}\n")).collect();
    for text in [quoted, json, yaml] {
        let found = look("a.txt", text.as_bytes());
        assert_eq!(found.len(), 1, "{text}");
        assert_eq!(found[0].fingerprint, alone, "{text}");
    }
}

/// Vector of RFC 8037, A.1: an Ed25519 key that everybody has.
#[test]
fn a_published_key_is_told_as_one() {
    let jwk = concat!(
        r#"{"kty":"OKP","crv":"Ed25519","#,
        r#""d":"nWGxne_9WmC6hEr0kuwsxERJxWl7"#,
        r#"MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#
    );
    let found = look("key.json", jwk.as_bytes());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].severity, Severity::Info);
    assert!(found[0].title.ends_with("(published test key)"), "{}", found[0].title);
    assert!(found[0].evidence.contains("RFC 8037"), "{}", found[0].evidence);
}
