//! Snippets as they leak, each with what must be recognised, and look-alikes that must stay
//! silent.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lidless_core::Timestamp;
use lidless_token::{Credential, KeyRing, recognise};
use sha2::{Digest as _, Sha256};

/// Bytes that look random, the same in every run.
fn bytes(seed: &str, count: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut block = Sha256::digest(seed.as_bytes()).to_vec();
    while out.len() < count {
        out.extend_from_slice(&block);
        block = Sha256::digest(&block).to_vec();
    }
    out.truncate(count);
    out
}

fn letters(seed: &str, alphabet: &[u8], count: usize) -> String {
    bytes(seed, count).iter().map(|b| alphabet[usize::from(*b) % alphabet.len()] as char).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                (byte as char).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// The snippet with its placeholders filled, and the secrets that were filled in.
fn fill(snippet: &str, seed: &str) -> (String, Vec<String>) {
    let key = |count: usize| STANDARD.encode(bytes(seed, count));
    let upper = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let any = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/+";
    let pem = format!("-----BEGIN PRIVATE KEY-----\\n{}\\n-----END PRIVATE KEY-----\\n", key(1200));
    let values = [
        ("{sig}", encode(&key(32))),
        ("{sig20}", encode(&key(20))),
        ("{sig256}", encode(&key(256))),
        ("{key88}", key(64)),
        ("{hex40}", hex(&bytes(seed, 20))),
        ("{hex64}", hex(&bytes(seed, 32))),
        ("{hex512}", hex(&bytes(seed, 256))),
        ("{akia}", format!("AKIA{}", letters(seed, upper, 16))),
        ("{asia}", format!("ASIA{}", letters(seed, upper, 16))),
        ("{goog}", format!("GOOG1{}", letters(seed, upper, 56))),
        ("{secret40}", letters(&format!("{seed} secret"), any, 40)),
        ("{pem}", pem),
    ];
    let mut text = snippet.to_owned();
    let mut secrets = Vec::new();
    for (name, value) in &values {
        if text.contains(name) {
            text = text.replace(name, value);
            if !["{akia}", "{asia}", "{goog}"].contains(name) {
                secrets.push(value.clone());
            }
        }
    }
    for (name, rounds) in [("{encode:", 1), ("{encode2:", 2)] {
        while let Some(start) = text.find(name) {
            let end = start + text[start..].find('}').unwrap();
            let mut inner = text[start + name.len()..end].to_owned();
            for _ in 0..rounds {
                inner = encode(&inner);
            }
            text.replace_range(start..=end, &inner);
        }
    }
    (text, secrets)
}

/// Heads and bodies of the snippets of a file.
fn snippets(file: &str) -> Vec<(String, String)> {
    file.split("\n##")
        .skip(1)
        .map(|part| {
            let (head, body) = part.split_once('\n').unwrap();
            (head.trim().to_owned(), body.to_owned())
        })
        .collect()
}

#[test]
fn every_leaked_snippet_is_recognised_for_what_it_is() {
    let now: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
    let list = snippets(include_str!("snippets/leaked.txt"));
    assert!(list.len() >= 150, "{}", list.len());
    let mut failed = Vec::new();
    for (number, (head, body)) in list.iter().enumerate() {
        let (text, secrets) = fill(body, &format!("{number} {head}"));
        let (form, rest) = head.split_once(' ').unwrap();
        let resource = rest.split(" | ").next().unwrap();
        let found = recognise(&text);
        let wanted_link = form == "storage_url";
        let held: Vec<_> = found
            .iter()
            .filter(|one| matches!(one.credential, Credential::Link(_)) == wanted_link)
            .collect();
        let told: Vec<String> = held
            .iter()
            .map(|one| {
                let grant = one.credential.grant(now, &KeyRing::default());
                format!("{} {}", one.form, grant.resource)
            })
            .collect();
        let right = told.len() == 1
            && told[0].starts_with(form)
            && (resource == "-" || told[0].contains(resource));
        if !right {
            failed.push(format!("{head}\n  wanted {form} {resource}, told {told:?}\n  {text}"));
        }
        for one in &found {
            let shown = format!(
                "{} {:?} {:?}",
                one.credential.redacted_url(),
                one.credential,
                one.credential.grant(now, &KeyRing::default())
            );
            for secret in &secrets {
                assert!(!shown.contains(secret.as_str()), "{head}: a secret is shown");
            }
        }
    }
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), list.len(), failed.join("\n"));
}

#[test]
fn no_look_alike_is_taken_for_a_credential() {
    let list = snippets(include_str!("snippets/lookalikes.txt"));
    assert!(list.len() >= 150, "{}", list.len());
    let mut failed = Vec::new();
    for (number, (_, body)) in list.iter().enumerate() {
        let (text, _) = fill(body, &format!("look-alike {number}"));
        for one in recognise(&text) {
            if !matches!(one.credential, Credential::Link(_)) {
                failed.push(format!("{} in {text}", one.form));
            }
        }
    }
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), list.len(), failed.join("\n"));
}
