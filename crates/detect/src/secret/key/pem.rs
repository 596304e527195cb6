//! Armoured keys: `-----BEGIN … PRIVATE KEY-----` with headers, in one line, with `\n` spelled out.

use super::found::{Key, Lock};
use super::{openssh, pgp, pkcs, ssh2};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Reads what stands from the first dash of `BEGIN` on.
pub(super) fn read(text: &str) -> Option<Key> {
    let text = text.trim_start_matches('-').trim_start().strip_prefix("BEGIN ")?;
    let (label, rest) = text.split_once("----")?;
    let label = label.trim();
    let body = rest.trim_start_matches('-').split("-----END").next()?;
    let body = body.split("---- END").next()?;
    let spelled = body.replace("\\r", "").replace("\\n", "\n");
    let (headers, packed) = split(&spelled);
    let decoded = ENGINE.decode(&packed).unwrap_or_default();
    match label {
        "PGP PRIVATE KEY BLOCK" => pgp::read(&decoded)
            .into_iter()
            .next()
            .or_else(|| damaged("PGP", Lock::Unknown, &packed)),
        "OPENSSH PRIVATE KEY" => {
            openssh::read(&decoded).or_else(|| damaged("OpenSSH", Lock::Unknown, &packed))
        }
        "SSH2 ENCRYPTED PRIVATE KEY" => {
            ssh2::read(&decoded).or_else(|| damaged("ssh.com", Lock::Unknown, &packed))
        }
        _ if headers
            .iter()
            .any(|line| line.starts_with("Proc-Type:") && line.contains("ENCRYPTED")) =>
        {
            let how = headers.iter().find_map(|line| line.strip_prefix("DEK-Info:"));
            let how = how.and_then(|how| how.split(',').next()).map(|cipher| {
                let cipher: String =
                    cipher.chars().filter(|c| c.is_ascii_graphic()).take(40).collect();
                format!("{cipher}, MD5 once")
            });
            let mut key = Key::new("PEM", Lock::Encrypted(how), &decoded);
            key.algorithm = match label {
                "RSA PRIVATE KEY" => Some("RSA".to_owned()),
                "EC PRIVATE KEY" => Some("EC".to_owned()),
                "DSA PRIVATE KEY" => Some("DSA".to_owned()),
                _ => None,
            };
            Some(key)
        }
        _ => {
            let lock = match label {
                "ENCRYPTED PRIVATE KEY" => Lock::Encrypted(None),
                _ => Lock::Open,
            };
            pkcs::read(&decoded).or_else(|| damaged("PEM", lock, &packed))
        }
    }
}

/// A key of which something is missing or was redacted: known by what is left.
fn damaged(format: &'static str, lock: Lock, packed: &str) -> Option<Key> {
    Some(Key::new(format, lock, packed.as_bytes()))
}

/// Header lines, and the base64 without anything else. Checksums of PGP and what the source code
/// around a key puts on its lines (quotes, plus signs, indents) are left out.
fn split(body: &str) -> (Vec<&str>, String) {
    let mut headers = Vec::new();
    let mut packed = String::with_capacity(body.len());
    let mut continued = false;
    for line in body.lines() {
        let line = line.trim();
        let inner = line.trim_matches(['"', '\'', ',', ';', ' ', '\t', '\\', '#', '*']);
        if continued || inner.contains(": ") || inner.starts_with("Comment:") {
            continued = inner.ends_with('\\') || line.ends_with('\\') && inner.contains(": ");
            headers.push(inner);
            continue;
        }
        if inner.starts_with('=') && inner.len() == 5 {
            continue;
        }
        let of_base64 = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
        // `"…" +` of source code: a sign apart from the rest is none of the key.
        let inner =
            inner.strip_suffix("\" +").or_else(|| inner.strip_suffix("' +")).unwrap_or(inner);
        // What follows a line break that is spelled out at the end of a quoted line.
        if inner == "+" || inner == "." {
            continue;
        }
        packed.extend(inner.chars().filter(of_base64));
    }
    // One line for all, with the headers before it, or padding in its middle, stays as it is.
    (headers, packed)
}
