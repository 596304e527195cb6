//! The words without which no text holds a pair that matters, found many bytes at a time.

use aho_corasick::AhoCorasick;
use aho_corasick::packed::{Config, MatchKind, Searcher};
use std::sync::LazyLock;

/// In the cases that people write: `pass`, `Pass`, `PASS`. Short, so that one search in parallel
/// over all of them stays cheap. None goes over the end of a line.
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

static SEARCH: LazyLock<Words> = LazyLock::new(|| Words::new(WORDS));

/// A few short words to find, the first of those that begin at the same place.
pub(super) struct Words {
    quick: Option<Searcher>,
    /// Where the machine cannot search for all of them at once.
    slow: Option<AhoCorasick>,
}

impl Words {
    pub(super) fn new(words: impl IntoIterator<Item = &'static str>) -> Self {
        let words: Vec<&str> = words.into_iter().collect();
        let quick =
            Config::new().match_kind(MatchKind::LeftmostFirst).builder().extend(&words).build();
        let slow = if quick.is_none() { AhoCorasick::new(&words).ok() } else { None };
        Self { quick, slow }
    }

    /// Calls for the start of every one in a text; stops when told to.
    pub(super) fn each(&self, text: &str, mut see: impl FnMut(usize) -> bool) {
        let quick = self.quick.iter().flat_map(|quick| quick.find_iter(text.as_bytes()));
        let slow = self.slow.iter().flat_map(|slow| slow.find_iter(text));
        for found in quick.map(|one| one.start()).chain(slow.map(|one| one.start())) {
            if !see(found) {
                return;
            }
        }
    }
}

/// Calls for the start of every word in a text; stops when told to.
pub(super) fn each(text: &str, see: impl FnMut(usize) -> bool) {
    SEARCH.each(text, see);
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
