//! Requests signed with an account key: the `SharedKey` scheme.

use crate::account::Account;
use crate::refusal::Refusal;
use crate::request::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use lidless_core::Secret;
use sha2::Sha256;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Whether `signature` over `text` was made with one of the account's keys.
pub(crate) fn signed_by(account: &Account, text: &str, signature: &str) -> bool {
    let given = STANDARD.decode(signature).unwrap_or_default();
    let matches = |key: &Secret| {
        let Ok(key) = STANDARD.decode(key.expose()) else {
            return false;
        };
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else {
            return false;
        };
        mac.update(text.as_bytes());
        mac.verify_slice(&given).is_ok()
    };
    matches(&account.key1) || matches(&account.key2)
}

/// Verifies `authorization`, which grants everything. The age of `x-ms-date` is not looked at: the
/// replica's clock may be another than the client's.
///
/// Source: "Authorize with Shared Key", version 2009-09-19 and later.
pub(crate) fn verify(
    account: &Account,
    request: &Request,
    authorization: &str,
) -> Result<(), Refusal> {
    let expected = string_to_sign(account, request);
    let valid =
        authorization.strip_prefix("SharedKey ").and_then(|rest| rest.split_once(':')).is_some_and(
            |(name, signature)| name == account.name && signed_by(account, &expected, signature),
        );
    if valid {
        return Ok(());
    }
    Err(Refusal::authentication(format!(
        "The MAC signature found in the HTTP request is not the same as any computed signature. \
         Server used following string to sign: '{expected}'."
    )))
}

fn string_to_sign(account: &Account, request: &Request) -> String {
    let mut text = request.method.clone();
    for name in [
        "content-encoding",
        "content-language",
        "content-length",
        "content-md5",
        "content-type",
        "date",
        "if-modified-since",
        "if-match",
        "if-none-match",
        "if-unmodified-since",
        "range",
    ] {
        let value = request.header(name).unwrap_or_default();
        text.push('\n');
        // A length of zero is left out since 2015-02-21.
        if (name, value) != ("content-length", "0") {
            text.push_str(value);
        }
    }
    let own: BTreeMap<&str, &str> = request
        .headers
        .iter()
        .filter(|(name, _)| name.starts_with("x-ms-"))
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    for (name, value) in own {
        let _ = write!(text, "\n{name}:{value}");
    }
    // Path-style: the account's name stands twice, once for the account and once in the path.
    let _ = write!(text, "\n/{}{}", account.name, request.path);
    let mut parameters: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (name, value) in &request.query {
        parameters.entry(name.to_ascii_lowercase()).or_default().push(value);
    }
    for (name, mut values) in parameters {
        values.sort_unstable();
        let _ = write!(text, "\n{name}:{}", values.join(","));
    }
    text
}
