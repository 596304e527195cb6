//! Account keys, connection strings and pairs of access keys.

use crate::azure::AzureKey;
use crate::credential::{Credential, Sighting};
use crate::host::Address;
use crate::key_pair::KeyPair;
use lidless_core::{Mechanism, Secret};
use regex::Regex;
use std::sync::LazyLock;

/// How far an account's name may stand from its key.
const NEAR: usize = 1000;

static ACCOUNT_KEY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)(?:account[_\-]?|storage[_\-]?|access[_\-]?)key["']?[\])]?\s*(?:[:=]|=>|,)\s*\\?["']?([A-Za-z0-9+/]{86}==)"#).ok()
});
static ACCOUNT_NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)account[_\-]?(?:name)?["']?[\])]?\s*(?:[:=]|=>|,)\s*\\?["']?([a-z0-9]{3,24})(?:[^a-z0-9]|$)"#).ok()
});
static AWS_ID: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b((?:AKIA|ASIA)[A-Z2-7]{16})\b").ok());
static AWS_SECRET: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)secret[A-Za-z_\-. ]{0,30}["']?\s*(?:[:=]|=>|,)\s*\\?["']?([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)"#).ok()
});

/// The part of `text` within reach of a range, and where it begins.
fn around(text: &str, start: usize, end: usize) -> (usize, &str) {
    let mut from = start.saturating_sub(NEAR);
    while !text.is_char_boundary(from) {
        from = from.saturating_sub(1);
    }
    let mut to = end.saturating_add(NEAR).min(text.len());
    while !text.is_char_boundary(to) {
        to = to.saturating_add(1);
    }
    (from, text.get(from..to).unwrap_or(""))
}

/// Every account key in the text, alone or in a connection string.
pub(crate) fn azure(text: &str) -> Vec<Sighting> {
    let Some(regex) = ACCOUNT_KEY.as_ref() else { return Vec::new() };
    let mut found = Vec::new();
    for captures in regex.captures_iter(text) {
        let (Some(whole), Some(value)) = (captures.get(0), captures.get(1)) else { continue };
        let Some(mut key) = AzureKey::new(None, value.as_str()) else { continue };
        let (start, string) = connection_string(text, whole.start(), value.end());
        let field = |name: &str| {
            string.split(';').find_map(|part| {
                let (key, value) = part.trim().split_once('=')?;
                key.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            })
        };
        let is_string = string.contains(';') && field("AccountKey").is_some();
        if is_string {
            key.account = field("AccountName");
            key.suffix = field("EndpointSuffix");
            key.scheme = field("DefaultEndpointsProtocol");
            key.endpoint = field("BlobEndpoint").and_then(|url| Address::parse(&url));
        }
        if key.account.is_none() {
            key.account = key.endpoint.as_ref().and_then(|endpoint| endpoint.account.clone());
        }
        if key.account.is_none() {
            key.account = nearest_account(text, whole.start(), value.end());
        }
        let (form, span) = if is_string {
            ("connection_string", start..start.saturating_add(string.len()))
        } else {
            ("account_key", whole.start()..value.end())
        };
        found.push(Sighting { span, form, credential: Credential::AzureKey(key) });
    }
    found
}

/// The `name=value;` list around a key, as far as it goes on one line.
fn connection_string(text: &str, start: usize, end: usize) -> (usize, &str) {
    let (base, near) = around(text, start, end);
    let inside = |c: char| !matches!(c, '"' | '\'' | '\n' | '\r' | '<' | '>' | '`' | '\\');
    let (at, stop) = (start.saturating_sub(base), end.saturating_sub(base));
    let from = near.get(..at).unwrap_or("");
    let from = from
        .char_indices()
        .rev()
        .find(|(_, c)| !inside(*c))
        .map_or(0, |(i, c)| i.saturating_add(c.len_utf8()));
    let to = near.get(stop..).unwrap_or("");
    let to = to.char_indices().find(|(_, c)| !inside(*c) || *c == ' ').map_or(to.len(), |(i, _)| i);
    let string = near.get(from..stop.saturating_add(to)).unwrap_or("");
    // A variable name and spaces before it are not part of it.
    let skip = ["DefaultEndpointsProtocol", "AccountName", "BlobEndpoint", "AccountKey"]
        .iter()
        .filter_map(|name| string.find(name))
        .min()
        .unwrap_or(0);
    (base.saturating_add(from).saturating_add(skip), string.get(skip..).unwrap_or(string))
}

fn nearest_account(text: &str, start: usize, end: usize) -> Option<String> {
    let (base, near) = around(text, start, end);
    let regex = ACCOUNT_NAME.as_ref()?;
    let named = regex
        .captures_iter(near)
        .filter_map(|captures| captures.get(1))
        .filter(|name| !["key", "name", "none", "null", "true", "false"].contains(&name.as_str()))
        .min_by_key(|name| base.saturating_add(name.start()).abs_diff(start))
        .map(|name| name.as_str().to_ascii_lowercase());
    named.or_else(|| super::link::only_account(text))
}

/// Every pair of an AWS access id and a secret near it.
pub(crate) fn aws(text: &str) -> Vec<Sighting> {
    let (Some(ids), Some(secrets)) = (AWS_ID.as_ref(), AWS_SECRET.as_ref()) else {
        return Vec::new();
    };
    let mut found: Vec<Sighting> = Vec::new();
    for id in ids.captures_iter(text).filter_map(|captures| captures.get(1)) {
        let (base, near) = around(text, id.start(), id.end());
        let nearest = secrets
            .captures_iter(near)
            .filter_map(|captures| captures.get(1))
            .min_by_key(|secret| base.saturating_add(secret.start()).abs_diff(id.start()));
        let Some(secret) = nearest else { continue };
        if secret.as_str().bytes().all(|b| b.is_ascii_hexdigit())
            || id.as_str().ends_with("EXAMPLE")
        {
            continue;
        }
        found.push(Sighting {
            span: id.start()..id.end(),
            form: "access_key",
            credential: Credential::KeyPair(KeyPair {
                access_id: id.as_str().to_owned(),
                secret: Secret::new(secret.as_str()),
                mechanism: Mechanism::AwsAccessKey,
            }),
        });
    }
    found
}
