//! Account keys, connection strings and pairs of access keys in flattened text.

use super::flat::Flat;
use super::scan::Candidate;
use crate::azure::AzureKey;
use crate::credential::Credential;
use crate::host::Address;
use crate::key_pair::KeyPair;
use lidless_core::{Mechanism, Secret};
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// How far an account's name may stand from its key, and a secret from its id.
const NEAR: usize = 1000;
/// Longest service account file that is read.
const FILE: usize = 6000;

/// 64 bytes in base64 behind a name that says it is a key of storage.
static ACCOUNT_KEY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?ix)
        (?: (?:account|storage|access|shared|primary|secondary|azure|blob)[a-z0-9_\-.\ ]{0,40}?key[a-z0-9_\-.]{0,60}
          | keyname["']?\s*:\s*["']key[12]["'][^{}]{0,120}?value )
        (?:[\s:=>,("'`\\\[\]){}]|%3D){1,24}
        ([a-z0-9+/]{86}==)(?:[^a-z0-9+/=]|$)"#,
    )
    .ok()
});
/// The constructors of the libraries take the account's name and its key, in this order.
static CONSTRUCTOR: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?i)(?:SharedKeyCredential|StorageCredentials?|[A-Za-z]+Service)\s*\(\s*(?:account_name\s*=\s*)?["']([a-z0-9]{3,24})["']\s*,\s*(?:[a-z_]{0,20}\s*=\s*)?["']([A-Za-z0-9+/]{86}==)["']"#,
    )
    .ok()
});
static ACCOUNT_NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)(?:account[_\-]?(?:name)?(?:\\?["']?[\])]?\s*(?:[:=]|=>)\s*|["']\s*,\s*)|--account-name\s+)\\?["']?((?-i:[a-z0-9]{3,24}))(?:[^a-z0-9_\-]|$)"#).ok()
});
static AWS_ID: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b((?:AKIA|ASIA)[A-Z2-7]{16})\b").ok());
static GOOG_ID: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b(GOOG1[A-Z0-9]{56}|GOOG[A-Z0-9]{20})\b").ok());
static LABELLED_SECRET: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)secret[A-Za-z0-9_\-. ]{0,30}["']?\]?\)?(?:\s*(?:[:=]|=>|,)\s*|\s+)\\?["']?([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)"#).ok()
});
/// Right after its id, as exported lists, URLs of `s3a` and command lines have it.
static ADJACENT_SECRET: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"^["']?[\s,:;|]{1,4}["']?([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)"#).ok()
});
static SERVICE_ACCOUNT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#""type"\s*:\s*"service_account""#).ok());
static CLIENT_EMAIL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#""client_email"\s*:\s*"([^"\s]{6,200})""#).ok());
static PRIVATE_KEY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#""private_key"\s*:\s*"(-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----[^"]{200,4000})""#)
        .ok()
});

/// Every key in a flattened text.
pub(crate) fn search(flat: &Flat, original: &str, found: &mut Vec<Candidate>) {
    azure(flat, original, found);
    for (ids, mechanism) in [(&AWS_ID, Mechanism::AwsAccessKey), (&GOOG_ID, Mechanism::GcsHmacKey)]
    {
        if let Some(ids) = ids.as_ref() {
            pairs(flat, original, ids, mechanism, found);
        }
    }
    service_accounts(flat, original, found);
}

/// The part of `text` within reach of a range, and where it begins.
fn around(text: &str, range: &Range<usize>, reach: usize) -> (usize, usize) {
    let mut from = range.start.saturating_sub(reach);
    while !text.is_char_boundary(from) {
        from = from.saturating_sub(1);
    }
    let mut to = range.end.saturating_add(reach).min(text.len());
    while !text.is_char_boundary(to) {
        to = to.saturating_add(1);
    }
    (from, to)
}

fn azure(flat: &Flat, original: &str, found: &mut Vec<Candidate>) {
    let text = flat.text.as_str();
    if let Some(regex) = CONSTRUCTOR.as_ref() {
        for captures in regex.captures_iter(text) {
            let (Some(name), Some(value)) = (captures.get(1), captures.get(2)) else { continue };
            let name = Some(name.as_str().to_ascii_lowercase());
            let Some(key) = account_key(name, value.as_str()) else { continue };
            let start = captures.get(0).map_or(value.start(), |whole| whole.start());
            found.push(Candidate {
                span: flat.span(&(start..value.end()), original),
                form: "account_key",
                rank: (true, true),
                credential: Credential::AzureKey(key),
            });
        }
    }
    let Some(regex) = ACCOUNT_KEY.as_ref() else { return };
    for captures in regex.captures_iter(text) {
        let (Some(whole), Some(value)) = (captures.get(0), captures.get(1)) else { continue };
        let Some(mut key) = account_key(None, value.as_str()) else { continue };
        let string = connection_string(text, &(whole.start()..value.end()));
        let fields = text.get(string.clone()).unwrap_or("");
        if is_other_service(fields) {
            continue;
        }
        let field = |name: &str| {
            fields.split(';').find_map(|part| {
                let (key, value) = part.trim().split_once('=')?;
                key.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            })
        };
        let is_string = fields.contains(';') && field("AccountKey").is_some();
        if is_string {
            key.account = field("AccountName");
            key.suffix = field("EndpointSuffix");
            key.scheme = field("DefaultEndpointsProtocol").map(|word| word.to_ascii_lowercase());
            key.endpoint = field("BlobEndpoint").and_then(|url| Address::parse(&url));
        }
        if key.account.is_none() {
            key.account = key.endpoint.as_ref().and_then(|endpoint| endpoint.account.clone());
        }
        if key.account.is_none() {
            key.account = nearest_account(text, &whole.range());
        }
        let (form, range) = if is_string {
            ("connection_string", string)
        } else {
            ("account_key", whole.start()..value.end())
        };
        let known = key.account.is_some();
        found.push(Candidate {
            span: flat.span(&range, original),
            form,
            rank: (true, known),
            credential: Credential::AzureKey(key),
        });
    }
}

/// A key of 64 bytes that is no row of one letter, as examples have it.
fn account_key(account: Option<String>, value: &str) -> Option<AzureKey> {
    let first = value.bytes().next()?;
    let row = value.trim_end_matches('=').bytes().filter(|byte| *byte == first).count() >= 84;
    if row { None } else { AzureKey::new(account, value) }
}

/// Other services of the same cloud write their keys in the same shape.
fn is_other_service(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["documents.azure.", "accountendpoint=", "cosmos", "batch.azure.", "servicebus", ".redis."]
        .iter()
        .any(|word| lower.contains(word))
}

/// The `name=value;` list around a key, as far as it goes on one line.
fn connection_string(text: &str, key: &Range<usize>) -> Range<usize> {
    let (base, end) = around(text, key, NEAR);
    let inside = |c: char| !matches!(c, '"' | '\'' | '\n' | '\r' | '<' | '>' | '`' | '\\');
    let before = text.get(base..key.start).unwrap_or("");
    let from = before
        .char_indices()
        .rev()
        .find(|(_, c)| !inside(*c))
        .map_or(0, |(i, c)| i.saturating_add(c.len_utf8()));
    let after = text.get(key.end..end).unwrap_or("");
    let to = after
        .char_indices()
        .find(|(_, c)| !inside(*c) || c.is_whitespace() || matches!(c, ')' | ','))
        .map_or(after.len(), |(i, _)| i);
    let (from, to) = (base.saturating_add(from), key.end.saturating_add(to));
    // A variable name and spaces before it are not part of it.
    let lower = text.get(from..to).unwrap_or("").to_ascii_lowercase();
    let names = ["defaultendpointsprotocol=", "accountname=", "endpoint=", "accountkey="];
    let skip = names.iter().filter_map(|name| lower.find(name)).min().unwrap_or(0);
    // `BlobEndpoint=` and its like begin before the word that they share.
    let head = lower.get(..skip).unwrap_or("");
    let word = head.bytes().rev().take_while(u8::is_ascii_alphabetic).count();
    let own = lower.get(skip..).is_some_and(|rest| rest.starts_with("endpoint="));
    let skip = if own { skip.saturating_sub(word) } else { skip };
    from.saturating_add(skip)..to
}

fn nearest_account(text: &str, key: &Range<usize>) -> Option<String> {
    let (base, end) = around(text, key, NEAR);
    ACCOUNT_NAME
        .as_ref()?
        .captures_iter(text.get(base..end)?)
        .filter_map(|captures| captures.get(1))
        .filter(|name| {
            let word = name.as_str();
            !["key", "keys", "name", "none", "null", "true", "false", "and", "the", "for", "with"]
                .contains(&word)
        })
        .min_by_key(|name| base.saturating_add(name.start()).abs_diff(key.start))
        .map(|name| name.as_str().to_owned())
}

/// Every pair of an access id and the secret nearest to it.
fn pairs(
    flat: &Flat,
    original: &str,
    ids: &Regex,
    mechanism: Mechanism,
    found: &mut Vec<Candidate>,
) {
    let (Some(labelled), Some(adjacent)) = (LABELLED_SECRET.as_ref(), ADJACENT_SECRET.as_ref())
    else {
        return;
    };
    let text = flat.text.as_str();
    for id in ids.captures_iter(text).filter_map(|captures| captures.get(1)) {
        let (base, end) = around(text, &id.range(), NEAR);
        let after = text.get(id.end()..end).unwrap_or("");
        let nearest = adjacent.captures(after).and_then(|captures| captures.get(1)).or_else(|| {
            labelled
                .captures_iter(text.get(base..end).unwrap_or(""))
                .filter_map(|captures| captures.get(1))
                .min_by_key(|secret| base.saturating_add(secret.start()).abs_diff(id.start()))
        });
        let Some(secret) = nearest.map(|secret| secret.as_str()) else { continue };
        // A digest, a row of one letter and the examples of the documentation are no secrets.
        let first = secret.bytes().next().unwrap_or(0);
        if secret.bytes().all(|byte| byte.is_ascii_hexdigit())
            || secret.bytes().all(|byte| byte == first)
            || id.as_str().ends_with("EXAMPLE")
        {
            continue;
        }
        found.push(Candidate {
            span: flat.span(&id.range(), original),
            form: "access_key",
            rank: (true, true),
            credential: Credential::KeyPair(KeyPair {
                access_id: id.as_str().to_owned(),
                secret: Secret::new(secret),
                mechanism,
            }),
        });
    }
}

/// Key files of Google's service accounts.
fn service_accounts(flat: &Flat, original: &str, found: &mut Vec<Candidate>) {
    let (Some(types), Some(emails), Some(keys)) =
        (SERVICE_ACCOUNT.as_ref(), CLIENT_EMAIL.as_ref(), PRIVATE_KEY.as_ref())
    else {
        return;
    };
    let text = flat.text.as_str();
    for mark in types.find_iter(text) {
        let (mut base, end) = around(text, &mark.range(), FILE);
        // Only the object that the mark stands in: another file may come before or after.
        base = text
            .get(base..mark.start())
            .and_then(|t| t.rfind('{'))
            .map_or(base, |at| base.saturating_add(at));
        let near = text.get(base..end).unwrap_or("");
        let near = near.find('}').and_then(|at| near.get(..at)).unwrap_or(near);
        let (Some(email), Some(key)) = (emails.captures(near), keys.captures(near)) else {
            continue;
        };
        let (Some(email), Some(key)) = (email.get(1), key.get(1)) else { continue };
        found.push(Candidate {
            span: flat.span(&mark.range(), original),
            form: "service_account_key",
            rank: (true, true),
            credential: Credential::KeyPair(KeyPair {
                access_id: email.as_str().to_owned(),
                secret: Secret::new(key.as_str()),
                mechanism: Mechanism::GcsServiceAccount,
            }),
        });
    }
}
