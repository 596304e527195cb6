//! Credentials of nobody, for nothing: each has the right form and random digits.
//!
//! Their marks are put together from pieces, so that this source trips no scanner.

use crate::random::Random;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;

const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// The digits of a forge token's checksum.
const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const WILD: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789!#%+-=_";

fn armoured(label: &str, bytes: &[u8], width: usize) -> String {
    let text = STANDARD.encode(bytes);
    let mut out = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(width) {
        out.push_str(&String::from_utf8_lossy(line));
        out.push('\n');
    }
    let _ = writeln!(out, "-----END {label}-----");
    out
}

fn private_key(kind: &str) -> String {
    let label = ["PRIVATE", "KEY"].join(" ");
    if kind.is_empty() { label } else { format!("{kind} {label}") }
}

fn field(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}

/// An unprotected Ed25519 key as OpenSSH writes it (openssh, `PROTOCOL.key`).
pub(super) fn ssh_ed25519(random: &mut Random, comment: &str) -> String {
    let public = random.bytes(32);
    let mut blob = Vec::new();
    field(&mut blob, b"ssh-ed25519");
    field(&mut blob, &public);
    let check = random.bytes(4);
    let mut private = [check.as_slice(), &check].concat();
    private.extend_from_slice(&blob);
    field(&mut private, &[random.bytes(32), public].concat());
    field(&mut private, comment.as_bytes());
    for pad in 1..=8_u8 {
        if private.len().is_multiple_of(8) {
            break;
        }
        private.push(pad);
    }
    let mut out = b"openssh-key-v1\0".to_vec();
    field(&mut out, b"none");
    field(&mut out, b"none");
    field(&mut out, b"");
    out.extend_from_slice(&1_u32.to_be_bytes());
    field(&mut out, &blob);
    field(&mut out, &private);
    armoured(&private_key("OPENSSH"), &out, 70)
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut out = vec![tag];
    match length {
        [0, short] if short < 128 => out.push(short),
        [0, long] => out.extend_from_slice(&[0x81, long]),
        [high, low] => out.extend_from_slice(&[0x82, high, low]),
    }
    out.extend_from_slice(content);
    out
}

/// An unprotected RSA key of the size of 2048 bits (RFC 8017, A.1.2).
pub(super) fn rsa(random: &mut Random) -> String {
    let mut number = |length: usize| {
        let mut bytes = random.bytes(length);
        if let Some(first) = bytes.first_mut() {
            *first = *first & 0x7f | 0x40; // positive, and of full length
        }
        der(2, &bytes)
    };
    let mut content = der(2, &[0]);
    content.extend(number(256));
    content.extend(der(2, &[1, 0, 1]));
    for length in [256, 128, 128, 128, 128, 128] {
        content.extend(number(length));
    }
    armoured(&private_key("RSA"), &der(0x30, &content), 64)
}

/// `~/.aws/credentials` with two profiles.
pub(super) fn aws(random: &mut Random) -> String {
    let mut out = String::new();
    for profile in ["default", "training"] {
        let _ = write!(
            out,
            "[{profile}]\naws_access_key_id = {}{}\naws_secret_access_key = {}\n\n",
            ["AK", "IA"].concat(),
            random.text(UPPER, 16),
            random.base62(40)
        );
    }
    out
}

/// A token of a forge or a registry: `ghp` and `npm` have the same form.
pub(super) fn forge_token(prefix: &str, random: &mut Random) -> String {
    let random = random.base62(36);
    let body = random.get(..30).unwrap_or_default();
    // The last six characters are the CRC-32 of the rest in base 62, as the forge makes them.
    let mut crc = flate2::Crc::new();
    crc.update(body.as_bytes());
    let mut left = crc.sum();
    let mut check = Vec::new();
    for _ in 0..6 {
        let at = usize::try_from(left % 62).unwrap_or(0);
        check.push(DIGITS.get(at).map_or('0', |byte| char::from(*byte)));
        left /= 62;
    }
    let check: String = check.iter().rev().collect();
    format!("{prefix}_{body}{check}")
}

/// A password that a person might have been given.
pub(super) fn password(random: &mut Random) -> String {
    random.text(WILD, 14)
}

/// `.env` of a service.
pub(super) fn dot_env(random: &mut Random) -> String {
    let key = STANDARD.encode(random.bytes(64));
    format!(
        "APP_ENV=production\nDATABASE_URL=postgres://app:{}@db.example.com:5432/app\n\
         SECRET_KEY={}\nAZURE_STORAGE_CONNECTION_STRING=DefaultEndpointsProtocol=https;\
         AccountName=labscratch;{}={key};EndpointSuffix=core.windows.net\n",
        random.base62(20),
        random.hex(64),
        ["Account", "Key"].concat(),
    )
}

/// `passwords.txt`: `count` lines of places, users and passwords.
pub(super) fn passwords(random: &mut Random, user: &str, count: usize) -> String {
    (0..count)
        .map(|number| {
            format!("host{number:02}.example.com  user: {user}  password: {}\r\n", password(random))
        })
        .collect()
}

/// `~/.kube/config` of a cluster's administrator.
pub(super) fn kube_config(random: &mut Random, user: &str) -> String {
    let key = STANDARD.encode(rsa(random));
    let certificate = STANDARD.encode(armoured("CERTIFICATE", &random.bytes(600), 64));
    format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n    server: \
         https://k8s.example.com:6443\n  name: lab\ncontexts:\n- context:\n    cluster: lab\n    \
         user: {user}\n  name: lab\ncurrent-context: lab\nusers:\n- name: {user}\n  user:\n    \
         client-certificate-data: {certificate}\n    client-key-data: {key}\n"
    )
}
