//! Names out of content, made fit to be shown: hosts of sites, of servers, of machines.

use std::collections::{BTreeMap, BTreeSet};

/// How many names a finding lists.
const LISTED: usize = 20;
/// How long a name may be: host names have at most 253 characters.
const LONGEST: usize = 253;

/// A name without control characters and of bounded length.
pub(crate) fn shown(name: &str) -> String {
    let name = name.trim();
    name.chars().filter(|letter| !letter.is_control()).take(LONGEST).collect()
}

/// The first names in order, each once.
pub(crate) fn name_list(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let names: BTreeSet<String> = names.into_iter().filter(|name| !name.is_empty()).collect();
    names.into_iter().take(LISTED).collect()
}

/// The names that occur most, with how often.
pub(crate) fn most_frequent(counts: &BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut row: Vec<(&String, &u64)> = counts.iter().collect();
    row.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    row.into_iter().take(LISTED).map(|(name, count)| (name.clone(), *count)).collect()
}

/// The host of a URL: between `://` and what follows it, without user, password and port.
pub(crate) fn host_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    // Chromium keeps logins of Android apps as `android://HASH@com.example.app/`.
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or(""),
        None => host.split(':').next().unwrap_or(""),
    };
    let host = shown(host).to_lowercase();
    (!host.is_empty() && !scheme.is_empty()).then_some(host)
}

/// `1 login`, `2 logins`.
pub(crate) fn many(count: u64, one: &str, more: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {more}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_off_urls_without_who_logs_in() {
        for (url, host) in [
            ("https://Mail.example.com/login?u=a", Some("mail.example.com")),
            ("https://alice:secret@git.example.com:8443", Some("git.example.com")),
            ("http://[2001:db8::1]:80/x", Some("2001:db8::1")),
            ("android://aGFzaA==@com.example.app/", Some("com.example.app")),
            ("chrome://FirefoxAccounts", Some("firefoxaccounts")),
            ("no url", None),
            ("https:///x", None),
        ] {
            assert_eq!(host_of(url).as_deref(), host, "{url}");
        }
    }

    #[test]
    fn names_are_few_and_clean() {
        assert_eq!(shown(" a\u{1b}[2Jb\n"), "a[2Jb");
        assert_eq!(name_list((0..99).map(|number| format!("{number:02}"))).len(), LISTED);
    }
}
