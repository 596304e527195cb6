//! What issuers said of the credentials that were found, for a terminal.

use crate::amount::count;
use crate::clean::clean;
use lidless_core::{Category, Finding, Report, Verified};
use serde_json::Value;
use std::collections::BTreeMap;

/// `live`, `dead`, `not known`.
fn word(verified: Verified) -> &'static str {
    match verified {
        Verified::Live => "live",
        Verified::Dead => "dead",
        Verified::Unknown => "not known",
    }
}

/// How many of a row are live, dead, not known; by rank.
pub(crate) type Said = BTreeMap<u8, (Verified, u64)>;

/// How many of a row are what, for its title: ` · live`, ` · 2 live, 1 dead`; empty when none of
/// them was asked about.
pub(crate) fn suffix(asked: &Said, all: u64) -> String {
    if asked.is_empty() {
        return String::new();
    }
    let words: Vec<String> = asked
        .values()
        .map(|(verified, times)| {
            let word = word(*verified);
            if *times == all { word.to_owned() } else { format!("{} {word}", count(*times)) }
        })
        .collect();
    format!(" · {}", words.join(", "))
}

/// Live before dead before not known.
pub(crate) fn rank(verified: Verified) -> u8 {
    match verified {
        Verified::Live => 0,
        Verified::Dead => 1,
        Verified::Unknown => 2,
    }
}

fn meaning(finding: &Finding) -> Option<&str> {
    finding.detail.get("verification")?.get("meaning")?.as_str()
}

/// `login octo, scopes repo workflow`.
fn identity(finding: &Finding) -> String {
    let Some(Value::Object(identity)) = finding.detail.get("identity") else {
        return String::new();
    };
    let value = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(row) => {
            let row: Vec<String> = row
                .iter()
                .map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned))
                .collect();
            row.join(" ")
        }
        other => other.to_string(),
    };
    let words: Vec<String> = identity
        .iter()
        .map(|(name, one)| format!("{} {}", clean(name), clean(&value(one))))
        .collect();
    words.join(", ")
}

/// A line for each credential that an issuer said something of: the word, what it is and where,
/// and who it belongs to or why nothing is known.
pub(crate) fn lines(report: &Report) -> Vec<(String, String)> {
    // One credential in many places was asked about once.
    let mut order: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut row: BTreeMap<(u8, usize), (&Finding, u64)> = BTreeMap::new();
    for (index, finding) in report.findings.iter().enumerate() {
        let fingerprint = finding.fingerprint.as_ref().map_or("", |one| one.as_str());
        let rank = match (finding.verified, meaning(finding)) {
            (Some(verified), Some(_)) => rank(verified),
            (None, Some(_)) => 3,
            (_, None) => continue,
        };
        // Fingerprints differ from case to case; the order of the findings does not.
        let first = *order.entry((fingerprint, finding.rule.as_str())).or_insert(index);
        let known = row.entry((rank, first)).or_insert((finding, 0));
        known.1 = known.1.saturating_add(1);
    }
    row.into_values()
        .map(|(finding, times)| {
            let said = finding.verified.map_or("not asked", word);
            let more = match times {
                1 => String::new(),
                times => format!(" and {} more places", count(times.saturating_sub(1))),
            };
            let line = finding.line.map(|line| format!(":{line}")).unwrap_or_default();
            let location = finding.location.split('#').next().unwrap_or("");
            let who = match finding.verified {
                Some(Verified::Live) => identity(finding),
                _ => clean(meaning(finding).unwrap_or("")),
            };
            let who = if who.is_empty() { who } else { format!(" · {who}") };
            let text = format!("{} · {}{line}{more}{who}", clean(&finding.title), clean(location));
            (said.to_owned(), text)
        })
        .collect()
}

/// Whether there are secrets and nobody was asked about any.
pub(crate) fn nobody_asked(report: &Report) -> bool {
    let mut secrets = report.findings.iter().filter(|one| one.category == Category::Secret);
    let asked = |one: &Finding| one.verified.is_some() || meaning(one).is_some();
    report.findings.iter().any(|one| one.category == Category::Secret) && !secrets.any(asked)
}
