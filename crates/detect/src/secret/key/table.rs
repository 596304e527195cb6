//! The formats, by the rule that found one in a text and by the first bytes of a file.

use super::found::Key;
use super::{java, jwk, pem, pgp, pkcs, pkcs12, putty, short};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::ops::Range;

/// The first bytes that decide.
const HEAD: usize = 64;

/// The key that a rule found in a text: `whole` is its match, `secret` stands at `place`.
pub(crate) fn read_text(
    rule: &str,
    whole: &str,
    secret: &str,
    text: &str,
    place: Range<usize>,
) -> Option<Key> {
    match rule {
        "private_key" | "ssh2_key" => pem::read(whole),
        "putty_key" => putty::read(secret),
        "private_key_base64" => {
            let bytes = STANDARD_NO_PAD.decode(secret.trim_end_matches('=')).ok()?;
            pem::read(&String::from_utf8_lossy(&bytes))
        }
        "age_secret_key" => short::age(secret),
        "wireguard_key" => short::wireguard(secret),
        "minisign_key" => short::minisign(secret),
        "signify_key" => short::signify(secret),
        "jwk_private" => jwk::read(text, place),
        _ => None,
    }
}

/// What kind of binary key file begins like this; cheap for what is none.
pub(crate) fn kind_of(head: &[u8]) -> Option<&'static str> {
    match head.first()? {
        0x30 if pkcs12::is_store(head.get(..HEAD).unwrap_or(head)) => Some("PKCS#12"),
        0x30 => pkcs::may_be(head).then_some("DER"),
        0xfe | 0xce
            if head.starts_with(&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0])
                || head.starts_with(&[0xce, 0xce, 0xce, 0xce, 0, 0, 0]) =>
        {
            Some("JKS")
        }
        0 => java::is_bks(head).then_some("BKS"),
        0x94..=0x97 | 0xc5 => pgp::is_keyring(head).then_some("PGP"),
        _ => None,
    }
}

/// Every key of a binary file; empty when it is none.
pub(crate) fn read_bytes(bytes: &[u8]) -> Vec<Key> {
    match kind_of(bytes) {
        Some("PKCS#12") => pkcs12::read(bytes),
        Some("DER") => pkcs::read(bytes).into_iter().collect(),
        Some("JKS") => java::jks(bytes),
        Some("BKS") => java::bks(bytes),
        Some("PGP") => pgp::read(bytes),
        _ if bytes.starts_with(b"openssh-key-v1\0") => {
            super::openssh::read(bytes).into_iter().collect()
        }
        _ => Vec::new(),
    }
}
