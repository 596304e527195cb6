//! The words without which no text holds a pair that matters, found many bytes at a time.

use aho_corasick::AhoCorasick;
use aho_corasick::packed::{Config, MatchKind, Searcher};
use std::sync::OnceLock;

/// In the cases that people write: `pass`, `Pass`, `PASS`. Short, so that one search in parallel
/// over all of them stays cheap.
const WORDS: [&str; 40] = [
    "pass",
    "Pass",
    "PASS",
    "pwd",
    "Pwd",
    "PWD",
    "secret",
    "Secret",
    "SECRET",
    "token",
    "Token",
    "TOKEN",
    "api_key",
    "apiKey",
    "API_KEY",
    "api-key",
    "ApiKey",
    "apikey",
    "access_key",
    "accessKey",
    "AccessKey",
    "ACCESS_KEY",
    "kennwort",
    "Kennwort",
    "login(",
    "_KEY",
    "_SALT",
    "BasicAuth(",
    "://",
    "senha",
    "contrase",
    "Credential",
    "_auth",
    "\"auth\"",
    "jdbc:",
    "oauth",
    "psk",
    "mdp",
    "authtok",
    "bindpw",
];

static SEARCH: OnceLock<Option<Searcher>> = OnceLock::new();
static SLOW: OnceLock<Option<AhoCorasick>> = OnceLock::new();

/// Calls for the start of every word in a text; stops when told to.
pub(super) fn each(text: &str, mut see: impl FnMut(usize) -> bool) {
    let quick = SEARCH.get_or_init(|| {
        Config::new().match_kind(MatchKind::LeftmostFirst).builder().extend(WORDS).build()
    });
    if let Some(quick) = quick {
        for found in quick.find_iter(text.as_bytes()) {
            if !see(found.start()) {
                return;
            }
        }
        return;
    }
    let slow = SLOW.get_or_init(|| AhoCorasick::new(WORDS).ok());
    for found in slow.iter().flat_map(|slow| slow.find_iter(text)) {
        if !see(found.start()) {
            return;
        }
    }
}

/// Whether there is any.
pub(super) fn any(text: &str) -> bool {
    let mut found = false;
    each(text, |_| {
        found = true;
        false
    });
    found
}
