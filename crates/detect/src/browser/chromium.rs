//! Chrome, Edge, Brave, Opera, Vivaldi and what else is made of Chromium.

use super::store::{About, add, each, finding, open, sites, wide};
use crate::names::{host_of, many, shown};
use lidless_core::{Artifact, Finding, Severity, Timestamp};
use lidless_records::RecordError;
use lidless_records::sqlite::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const LOGINS: About = About {
    rule: "browser_logins",
    severity: Severity::High,
    title: "passwords saved in a browser",
};
pub(super) const COOKIES: About =
    About { rule: "browser_cookies", severity: Severity::High, title: "sessions of a browser" };
const CARDS: About = About {
    rule: "browser_cards",
    severity: Severity::High,
    title: "payment cards saved in a browser",
};
pub(super) const HISTORY: About = About {
    rule: "browser_history",
    severity: Severity::Medium,
    title: "pages that a browser visited",
};

/// Up to this size the pages of a history are counted: that reads all of it.
const COUNTED_BYTES: u64 = 16 << 20;

/// Chromium counts microseconds since 1601.
pub(super) fn instant(microseconds: i64) -> Option<Timestamp> {
    let seconds = microseconds.checked_div(1_000_000)?.checked_sub(11_644_473_600)?;
    (0..4_102_444_800).contains(&seconds).then(|| Timestamp::from_second(seconds).ok()).flatten()
}

/// What a finding says when not every row could be read.
pub(super) fn least(whole: bool) -> &'static str {
    if whole { "" } else { "at least " }
}

pub(super) fn logins(artifact: &Artifact) -> Result<Vec<Finding>, RecordError> {
    let database = open(artifact)?;
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut forms: BTreeSet<String> = BTreeSet::new();
    let (mut logins, mut last) = (0u64, None);
    let columns = ["origin_url", "password_value", "blacklisted_by_user", "date_last_used"];
    let whole = each(&database, "logins", &columns, &mut |row| {
        let [url, password, never, used] = row.values.as_slice() else { return };
        // "Never for this site" is kept as a login without a password.
        if never.integer() == Some(1) || password.length() == 0 {
            return;
        }
        logins = logins.saturating_add(1);
        add(&mut counts, url.text().and_then(host_of));
        forms.insert(form(password));
        last = last.max(used.integer().and_then(instant));
    });
    if logins == 0 {
        return Ok(Vec::new());
    }
    let forms: Vec<String> = forms.into_iter().collect();
    let evidence = format!(
        "{}{} for {} ({} values)",
        least(whole),
        many(logins, "login", "logins"),
        many(wide(counts.len()), "site", "sites"),
        forms.join(", ")
    );
    let finding = finding(&LOGINS, artifact, evidence)
        .with_detail("count", logins)
        .with_detail("sites", sites(&counts))
        .with_detail("values", forms)
        .with_detail("last_used", last.map(|time| time.to_string()));
    Ok(vec![finding])
}

/// How a value is protected: by which version of Chromium's own scheme, or by Windows alone.
fn form(password: &Value) -> String {
    let bytes = password.bytes().unwrap_or(&[]);
    match bytes {
        [b'v', a, b, ..] if a.is_ascii_digit() && b.is_ascii_digit() => {
            format!("v{}{}", char::from(*a), char::from(*b))
        }
        [1, 0, 0, 0, 0xd0, 0x8c, ..] => "DPAPI".into(),
        _ => "other".into(),
    }
}

pub(super) fn cookies(artifact: &Artifact) -> Result<Vec<Finding>, RecordError> {
    let database = open(artifact)?;
    let columns = ["host_key", "expires_utc", "last_access_utc"];
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut ends: Vec<i64> = Vec::new();
    let mut last = 0i64;
    let whole = each(&database, "cookies", &columns, &mut |row| {
        let [host, expires, accessed] = row.values.as_slice() else { return };
        add(&mut counts, host.text().map(site));
        ends.push(expires.integer().unwrap_or(0));
        last = last.max(accessed.integer().unwrap_or(0));
    });
    Ok(sessions(artifact, &counts, &ends, last, instant(last), whole).into_iter().collect())
}

/// `.example.com` is the site `example.com`.
pub(super) fn site(host: &str) -> String {
    shown(host.trim_start_matches('.')).to_lowercase()
}

/// The finding about cookies: how many were still good when the browser was last used.
pub(super) fn sessions(
    artifact: &Artifact,
    counts: &BTreeMap<String, u64>,
    ends: &[i64],
    last: i64,
    last_used: Option<Timestamp>,
    whole: bool,
) -> Option<Finding> {
    if ends.is_empty() {
        return None;
    }
    // Those without an end last as long as the browser runs, or is restored.
    let good = ends.iter().filter(|end| **end == 0 || **end > last).count();
    let evidence = format!(
        "{}{} of {}, {good} of them good when last used",
        least(whole),
        many(wide(ends.len()), "cookie", "cookies"),
        many(wide(counts.len()), "site", "sites"),
    );
    let finding = finding(&COOKIES, artifact, evidence)
        .with_detail("count", wide(ends.len()))
        .with_detail("unexpired", wide(good))
        .with_detail("sites", sites(counts))
        .with_detail("last_used", last_used.map(|time| time.to_string()));
    Some(finding)
}

pub(super) fn web_data(artifact: &Artifact) -> Result<Vec<Finding>, RecordError> {
    let database = open(artifact)?;
    let Some(table) = database.table("credit_cards") else { return Ok(Vec::new()) };
    let cards = database.count(table)?;
    if cards == 0 {
        return Ok(Vec::new());
    }
    let finding = finding(&CARDS, artifact, many(cards, "card", "cards"));
    Ok(vec![finding.with_detail("count", cards)])
}

pub(super) fn history(artifact: &Artifact, table: &str) -> Result<Vec<Finding>, RecordError> {
    let database = open(artifact)?;
    let Some(table) = database.table(table) else { return Ok(Vec::new()) };
    if artifact.bytes.len() > COUNTED_BYTES {
        let finding = finding(&HISTORY, artifact, "too many to count");
        return Ok(vec![finding.with_detail("count", serde_json::Value::Null)]);
    }
    let pages = database.count(table)?;
    if pages == 0 {
        return Ok(Vec::new());
    }
    let finding = finding(&HISTORY, artifact, many(pages, "page", "pages"));
    Ok(vec![finding.with_detail("count", pages)])
}
