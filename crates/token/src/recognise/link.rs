//! Storage URLs without a credential, and the account a bare token belongs to.

use crate::credential::{Credential, Sighting};
use crate::link::Link;
use regex::Regex;
use std::collections::BTreeSet;
use std::sync::LazyLock;

static URL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?ix)
        (?: https?:(?:\\?/){2} | (?:abfs|wasb)s?://[a-z0-9$][a-z0-9\-]{0,62}@ )
        [a-z0-9][a-z0-9.\-]{2,200}
        \.(?:core\.windows\.net|storage\.azure\.net|core\.chinacloudapi\.cn|core\.usgovcloudapi\.net
            |core\.cloudapi\.de|fabric\.microsoft\.com|amazonaws\.com(?:\.cn)?
            |r2\.cloudflarestorage\.com|r2\.dev|digitaloceanspaces\.com|aliyuncs\.com
            |googleapis\.com|cloud\.google\.com)
        (?::\d{1,5})?(?:\\?/(?:[^\s"'<>`\\|{}()\[\],;]|\\/){0,2000})?"#,
    )
    .ok()
});
static HOST: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\b([a-z0-9]{3,24})(?:-secondary)?\.(?:z\d{1,2}\.)?(?:blob|dfs|file|queue|table)\.(?:core\.windows\.net|storage\.azure\.net|core\.chinacloudapi\.cn|core\.usgovcloudapi\.net|core\.cloudapi\.de)").ok()
});
static NAMED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)(?:(?:account[_\-]?name|storage[_\-]?account|azure[_\-]?account)(?:\\?["']?[\])]?\s*(?:[:=]|=>)\s*|["']\s*,\s*)|--account-name\s+)\\?["']?((?-i:[a-z0-9]{3,24}))(?:[^a-z0-9_\-.]|$)"#).ok()
});

/// Every storage URL in the text.
pub(crate) fn links(text: &str) -> Vec<Sighting> {
    let Some(regex) = URL.as_ref() else { return Vec::new() };
    regex
        .find_iter(text)
        .filter_map(|found| {
            let url = found.as_str().trim_end_matches(['.', ',', ':', '!', '*', '?']);
            let link = Link::parse(&as_https(&url.replace("\\/", "/")))?;
            let end = found.start().saturating_add(url.len());
            Some(Sighting {
                span: found.start()..end,
                form: "storage_url",
                credential: Credential::Link(link),
            })
        })
        .collect()
}

/// `abfss://CONTAINER@HOST/PATH` as the URL it stands for.
fn as_https(url: &str) -> String {
    let rest = url.split_once("://").filter(|(scheme, _)| {
        scheme.get(..4).is_some_and(|head| {
            head.eq_ignore_ascii_case("abfs") || head.eq_ignore_ascii_case("wasb")
        })
    });
    match rest.and_then(|(_, rest)| rest.split_once('@')) {
        Some((container, rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            format!("https://{host}/{container}/{path}")
        }
        None => url.to_owned(),
    }
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
