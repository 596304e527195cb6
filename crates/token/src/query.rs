//! Query strings read without losing a byte.

use percent_encoding::percent_decode_str;
use std::collections::BTreeMap;

/// One parameter as it stood.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(crate) key: String,
    /// Decoded; what is signed.
    pub(crate) value: String,
}

/// Splits a query string. `+` stays `+`: storage services sign and read it so.
pub(crate) fn parse(query: &str) -> Vec<Parameter> {
    query
        .trim_start_matches('?')
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            Parameter { key: decode(key).to_ascii_lowercase(), value: decode(value) }
        })
        .collect()
}

/// Percent-decodes once; what is no UTF-8 becomes U+FFFD.
pub(crate) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The first value of a key.
pub(crate) fn get<'a>(parameters: &'a [Parameter], key: &str) -> Option<&'a str> {
    parameters.iter().find(|one| one.key == key).map(|one| one.value.as_str())
}

/// Keys that stand more than once, and whether their values differ.
pub(crate) fn repeated(parameters: &[Parameter]) -> BTreeMap<String, bool> {
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    let mut found = BTreeMap::new();
    for one in parameters {
        match first.get(one.key.as_str()) {
            Some(known) => *found.entry(one.key.clone()).or_insert(false) |= *known != one.value,
            None => {
                first.insert(&one.key, &one.value);
            }
        }
    }
    found
}
