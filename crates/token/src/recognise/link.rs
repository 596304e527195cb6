//! Storage URLs without a credential, and the account a bare token belongs to.

use crate::credential::{Credential, Sighting};
use crate::link::Link;
use regex::Regex;
use std::collections::BTreeSet;
use std::sync::LazyLock;

static URL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?i)https?://[a-z0-9][a-z0-9.\-]{2,200}\.(?:core\.windows\.net|storage\.azure\.net|core\.chinacloudapi\.cn|core\.usgovcloudapi\.net|core\.cloudapi\.de|amazonaws\.com(?:\.cn)?|r2\.cloudflarestorage\.com|r2\.dev|digitaloceanspaces\.com|googleapis\.com|cloud\.google\.com)(?::\d{1,5})?(?:/[^\s"'<>`\\|{}()\[\],;]{0,2000})?"#,
    )
    .ok()
});
static HOST: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\b([a-z0-9]{3,24})(?:-secondary)?\.(?:z\d{1,2}\.)?(?:blob|dfs|file|queue|table)\.(?:core\.windows\.net|storage\.azure\.net|core\.chinacloudapi\.cn|core\.usgovcloudapi\.net|core\.cloudapi\.de)").ok()
});
static NAMED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)account[_\-]?name["']?[\])]?\s*(?:[:=]|=>|,)\s*\\?["']?([a-z0-9]{3,24})(?:[^a-z0-9]|$)"#).ok()
});

/// Every storage URL in the text.
pub(crate) fn links(text: &str) -> Vec<Sighting> {
    let Some(regex) = URL.as_ref() else { return Vec::new() };
    regex
        .find_iter(text)
        .filter_map(|found| {
            let url = found.as_str().trim_end_matches(['.', ',', ':', '!', '*', '?']);
            let link = Link::parse(url)?;
            let end = found.start().saturating_add(url.len());
            Some(Sighting {
                span: found.start()..end,
                form: "storage_url",
                credential: Credential::Link(link),
            })
        })
        .collect()
}

/// The one Azure account a text names; none when it names none or several.
pub(crate) fn only_account(text: &str) -> Option<String> {
    let mut accounts = BTreeSet::new();
    for regex in [HOST.as_ref(), NAMED.as_ref()].into_iter().flatten() {
        for captures in regex.captures_iter(text) {
            accounts.extend(captures.get(1).map(|name| name.as_str().to_ascii_lowercase()));
            if accounts.len() > 1 {
                return None;
            }
        }
    }
    accounts.into_iter().next()
}
