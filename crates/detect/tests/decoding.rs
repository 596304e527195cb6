//! Secrets in encoded text, found at the place of what encodes them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use lidless_core::{
    Artifact, Category, Entry, Finding, FingerprintKey, Layer, Limits, Provenance, Text,
};
use lidless_detect::model::AllowedImports;
use lidless_detect::{Context, Detectors, Output, View};
use lidless_io::MemoryBytes;
use std::io::Write as _;
use std::sync::{Arc, LazyLock};

static DETECTORS: LazyLock<Detectors> = LazyLock::new(Detectors::new);

fn look_all(name: &str, bytes: &[u8]) -> Output {
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
    output.findings.retain(|one| one.category == Category::Secret);
    output
}

fn look(name: &str, text: &str) -> Vec<Finding> {
    look_all(name, text.as_bytes()).findings
}

/// A token of a format that nothing else looks like.
fn token() -> String {
    ["ghp", "_R2D2x7LkQm9Vt4Wz8Nf3Hj6P", "b1Yc5S0tC4Yq"].concat()
}

/// A line of configuration with an AWS key id in it, and text around it.
fn secret() -> String {
    ["aws_access_key_id = AK", "IAZ5KQ7M3XWNR2", "T4VB\nregion = eu-west-1\n"].concat()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn decoded(finding: &Finding) -> Vec<&str> {
    let list = finding.detail.get("decoded").and_then(|value| value.as_array());
    list.map(|list| list.iter().filter_map(|one| one.as_str()).collect()).unwrap_or_default()
}

#[test]
fn every_coding_is_undone_and_named() {
    let plain = secret();
    let fingerprint = look("a.txt", &plain)[0].fingerprint.clone();
    let wide: Vec<u8> = plain.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(plain.as_bytes()).unwrap();
    let once = STANDARD.encode(&plain);
    let long = STANDARD.encode(format!("# {}\n{plain}", "-".repeat(300)));
    let wrap = |text: &str, between: &str| {
        let lines: Vec<_> = text.as_bytes().chunks(64).collect();
        let lines: Vec<_> = lines.iter().map(|line| std::str::from_utf8(line).unwrap()).collect();
        lines.join(between)
    };
    let cases: Vec<(String, &[&str])> = vec![
        (once.clone(), &["base64"]),
        (URL_SAFE_NO_PAD.encode(&plain), &["base64"]),
        (wrap(&long, "\n  "), &["base64"]),
        (wrap(&long, "\" +\n  \""), &["base64"]),
        (wrap(&long, "\\n"), &["base64"]),
        (STANDARD.encode(&once), &["base64", "base64"]),
        (hex(plain.as_bytes()), &["hex"]),
        (hex(plain.as_bytes()).to_uppercase(), &["hex"]),
        (STANDARD.encode(gzip(&plain)), &["base64", "gzip"]),
        (STANDARD.encode(zlib.finish().unwrap()), &["base64", "zlib"]),
        (STANDARD.encode(wide), &["base64", "utf-16"]),
        (plain.bytes().map(|byte| format!("\\u{byte:04x}")).collect(), &["escape"]),
        (plain.bytes().map(|byte| format!("\\x{byte:02x}")).collect(), &["escape"]),
        (plain.trim_end().bytes().map(|b| format!("%{b:02X}")).collect(), &["percent"]),
        (plain.bytes().map(|byte| format!("&#{byte};")).collect(), &["entity"]),
    ];
    for (encoded, codings) in cases {
        let text = format!("// a first line\n\nlet blob = \"{encoded}\";\n");
        let found = look("a.rs", &text);
        assert_eq!(found.len(), 1, "{codings:?}: {text}\n{found:#?}");
        assert_eq!(decoded(&found[0]), codings, "{text}");
        assert_eq!(found[0].fingerprint, fingerprint, "{codings:?}");
        assert_eq!(found[0].line, Some(3), "{codings:?}");
        let offset = found[0].offset.unwrap() as usize;
        assert!(offset >= text.find(&encoded[..8]).unwrap(), "{codings:?}: {offset}");
        assert!(!serde_json::to_string(&found).unwrap().contains(&plain[21..41]));
    }
}

#[test]
fn a_word_with_one_escape_in_it_is_read_whole() {
    let [a, b] = ["ghp", "R2D2x7LkQm9Vt4Wz8Nf3Hj6Pb1Yc5S0tC4Yq"];
    let plain = look("a.txt", &token());
    for between in ["\\u005f", "%5F", "&#95;", "\\x5f"] {
        let found = look("a.txt", &format!("{a}{between}{b}"));
        assert_eq!(found.len(), plain.len(), "{between}");
    }
}

#[test]
fn values_of_a_kubernetes_secret_are_passwords_by_their_names() {
    let value = STANDARD.encode("Tr0ub4dor");
    let yaml = format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ndata:\n  username: YWRtaW4=\n  \
         password: {value}\n"
    );
    let json = format!("{{\"kind\": \"Secret\", \"data\": {{\"db-password\": \"{value}\"}}}}");
    for text in [yaml, json] {
        let found = look("secret.txt", &text);
        assert_eq!(found.len(), 1, "{text}: {found:#?}");
        let plain = look("x.yaml", "password: \"Tr0ub4dor\"");
        if !decoded(&found[0]).is_empty() {
            assert_eq!(found[0].fingerprint, plain[0].fingerprint);
        }
    }
}

#[test]
fn what_is_found_as_it_stands_is_found_once() {
    let Some(path) = lidless_kit::fixture("keys/rsa.pk8.pem") else { return };
    let pem = std::fs::read_to_string(path).unwrap();
    for text in [
        pem.clone(),
        STANDARD.encode(&pem),
        token(),
        format!("Authorization: Basic {}\n", STANDARD.encode("deploy:Zx9pQ2mVt7Lk")),
    ] {
        let found = look("a.txt", &text);
        assert!(found.len() <= 1, "{text}: {found:#?}");
    }
}

#[test]
fn a_key_without_armour_is_the_key_of_the_file() {
    let read = |name: &str| {
        lidless_kit::fixture(&format!("keys/{name}")).map(|path| std::fs::read(path).unwrap())
    };
    let (Some(pem), Some(der)) = (read("rsa.pk8.pem"), read("rsa.pk8.der")) else { return };
    let pem = look("a.pem", std::str::from_utf8(&pem).unwrap());
    for text in [
        format!("signing.key={}\n", STANDARD.encode(&der)),
        format!("store: {}\n", STANDARD.encode(read("open.p12").unwrap())),
        format!("key = \"{}\"\n", hex(&der)),
    ] {
        let found = look("a.properties", &text);
        assert_eq!(found.len(), 1, "{text}: {found:#?}");
        assert_eq!(found[0].fingerprint, pem[0].fingerprint);
    }
}

#[test]
fn a_bomb_and_a_deep_nest_cost_no_more_than_their_bounds() {
    let bomb = STANDARD.encode(gzip(&" ".repeat(200 << 20)));
    let output = look_all("bomb.txt", format!("a {bomb} b {bomb} c").as_bytes());
    assert!(output.findings.is_empty());
    let mut deep = secret();
    for _ in 0..8 {
        deep = STANDARD.encode(&deep);
    }
    assert!(look("deep.txt", &deep).is_empty());
    let many = format!("{}\n", STANDARD.encode("just a line of text")).repeat(40_000);
    let output = look_all("many.txt", many.as_bytes());
    assert_eq!(output.gaps.len(), 1);
}
