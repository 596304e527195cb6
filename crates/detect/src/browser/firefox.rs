//! Firefox, Thunderbird and what else keeps logins as Mozilla does.

use super::chromium::{sessions, site};
use super::store::{About, add, each, finding, open, sites, wide};
use crate::names::{host_of, many};
use lidless_core::{Artifact, Finding, Severity, Timestamp};
use lidless_records::RecordError;
use serde::Deserialize;
use std::collections::BTreeMap;

pub(super) const LOGINS: About =
    About { rule: "firefox_logins", severity: Severity::High, title: "passwords saved in Firefox" };
pub(super) const KEYS: About = About {
    rule: "firefox_keys",
    severity: Severity::Medium,
    title: "keys to the passwords saved in Firefox",
};

#[derive(Deserialize)]
struct Logins {
    logins: Vec<Login>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Login {
    hostname: Option<String>,
    time_last_used: Option<i64>,
}

/// `logins.json`.
pub(super) fn logins(artifact: &Artifact, text: &str) -> Option<Finding> {
    let list: Logins = serde_json::from_str(text).ok()?;
    if list.logins.is_empty() {
        return None;
    }
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut last = None;
    for login in &list.logins {
        add(&mut counts, login.hostname.as_deref().and_then(host_of));
        last =
            last.max(login.time_last_used.and_then(|time| Timestamp::from_millisecond(time).ok()));
    }
    let keys = artifact.sibling("key4.db").or_else(|| artifact.sibling("key3.db")).is_some();
    let beside = if keys {
        "; their keys lie beside them, whether a primary password protects those is not known"
    } else {
        ""
    };
    let evidence = format!(
        "{} for {}{beside}",
        many(wide(list.logins.len()), "login", "logins"),
        many(wide(counts.len()), "site", "sites"),
    );
    let finding = finding(&LOGINS, artifact, evidence)
        .with_detail("count", wide(list.logins.len()))
        .with_detail("sites", sites(&counts))
        .with_detail("keys_beside", keys)
        .with_detail("primary_password", "unknown")
        .with_detail("last_used", last.map(|time| time.to_string()));
    Some(finding)
}

/// `key4.db`.
pub(super) fn keys(artifact: &Artifact) -> Result<Vec<Finding>, RecordError> {
    let database = open(artifact)?;
    let Some(table) = database.table("nssPrivate") else { return Ok(Vec::new()) };
    let keys = database.count(table)?;
    if keys == 0 {
        return Ok(Vec::new());
    }
    let evidence = format!(
        "{}; whether a primary password protects them is not known",
        many(keys, "key", "keys")
    );
    Ok(vec![finding(&KEYS, artifact, evidence).with_detail("count", keys)])
}

/// `cookies.sqlite`.
pub(super) fn cookies(artifact: &Artifact) -> Result<Vec<Finding>, RecordError> {
    let database = open(artifact)?;
    let columns = ["host", "expiry", "lastAccessed"];
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut ends: Vec<i64> = Vec::new();
    let mut last = 0i64;
    let whole = each(&database, "moz_cookies", &columns, &mut |row| {
        let [host, expiry, accessed] = row.values.as_slice() else { return };
        add(&mut counts, host.text().map(site));
        ends.push(expiry.integer().unwrap_or(0));
        // Microseconds, where the expiry is in seconds.
        last = last.max(accessed.integer().unwrap_or(0).checked_div(1_000_000).unwrap_or(0));
    });
    let used = Timestamp::from_second(last).ok().filter(|_| last > 0);
    Ok(sessions(artifact, &counts, &ends, last, used, whole).into_iter().collect())
}
