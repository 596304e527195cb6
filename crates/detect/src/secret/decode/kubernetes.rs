//! Secrets of Kubernetes: values of any length under `data:`, in base64, with their names.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// How many values of one file are read.
const VALUES: usize = 2000;
/// The longest value that is read with its name.
const LONGEST: usize = 200;

static PAIR: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?m)(?:^[ \t]{1,40}|[{,]\s{0,40})"?([A-Za-z0-9._\-]{1,80})"?:[ \t]{0,8}"?([A-Za-z0-9+/]{4,400}={0,2})"?[ \t\r]{0,8}(?:,|\}|$)"#,
    )
    .ok()
});

/// A decoded value as a line of configuration, and where the encoded one stands.
pub(super) fn values(text: &str) -> Vec<(String, Range<usize>)> {
    let is_secret = memchr::memmem::find_iter(text.as_bytes(), b"Secret").any(|place| {
        let before = text.get(..place).unwrap_or("").trim_end_matches(['"', ' ']);
        let before = before.strip_suffix(':').unwrap_or("").trim_end_matches(['"', ' ']);
        before.ends_with("kind") && !text.get(place..).unwrap_or("").starts_with("SecretL")
    });
    let Some(regex) = PAIR.as_ref().filter(|_| is_secret) else { return Vec::new() };
    let mut found = Vec::new();
    for captures in regex.captures_iter(text).take(VALUES) {
        let (Some(name), Some(value)) = (captures.get(1), captures.get(2)) else { continue };
        let Ok(bytes) = STANDARD.decode(value.as_str()) else { continue };
        let Ok(plain) = String::from_utf8(bytes) else { continue };
        let plain = plain.trim_end();
        let shown = |c: char| !c.is_control() && c != '"' && c.is_ascii();
        if plain.len() <= LONGEST && plain.len() >= 3 && plain.chars().all(shown) {
            found.push((format!("{}: \"{plain}\"\n", name.as_str()), value.range()));
        }
    }
    found
}
