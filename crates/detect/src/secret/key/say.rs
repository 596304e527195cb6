//! A key as a finding shows it.

use super::found::{Key, Lock};
use super::published::published;
use crate::detector::Context;
use lidless_core::{Finding, Severity};

/// Adds to a finding what the key says: its kind, its lock, its fingerprints.
pub(crate) fn describe(key: &Key, context: &Context, finding: Finding) -> Finding {
    let mut finding = finding.with_fingerprint(context.key.of(&key.identity()));
    let (locked, how) = match &key.lock {
        Lock::Open => (Some(false), Some("not encrypted".to_owned())),
        Lock::Encrypted(how) => {
            let by = how.as_ref().map(|how| format!("encrypted ({how})"));
            (Some(true), by.or_else(|| Some("encrypted".to_owned())))
        }
        Lock::Default(what) => (Some(true), Some(what.clone())),
        Lock::Partly(what) => (Some(false), Some(what.clone())),
        Lock::Elsewhere(place) => (None, Some(format!("the key itself is {place}"))),
        Lock::Unknown => (None, None),
    };
    let mut words = vec![match &key.algorithm {
        Some(algorithm) => format!("{algorithm}, {}", key.format),
        None => key.format.to_owned(),
    }];
    words.extend(how.clone());
    words.extend(key.public_fingerprint());
    finding.evidence = words.join(", ");
    let detail = &mut finding.detail;
    detail.insert("format".into(), key.format.into());
    detail.insert("algorithm".into(), key.algorithm.clone().into());
    detail.insert("encrypted".into(), locked.into());
    if let Lock::Encrypted(how) = &key.lock {
        detail.insert("encrypted_with".into(), how.clone().into());
    }
    detail.insert("public_fingerprint".into(), key.public_fingerprint().into());
    if let Some(fingerprint) = key.ssh_fingerprint() {
        detail.insert("ssh_fingerprint".into(), fingerprint.into());
    }
    if let Some(fingerprint) = key.spki_fingerprint() {
        detail.insert("spki_sha256".into(), fingerprint.into());
    }
    if let Some(name) = &key.name {
        detail.insert("name".into(), name.clone().into());
    }
    if key.subkeys > 0 {
        detail.insert("subkeys".into(), key.subkeys.into());
    }
    if key.is_closed() {
        finding.severity = lower(finding.severity);
        if matches!(key.lock, Lock::Encrypted(_)) && !finding.title.ends_with("(encrypted)") {
            finding.title.push_str(" (encrypted)");
        }
    }
    let known = [key.ssh_fingerprint(), key.spki_fingerprint()];
    if let Some(row) = known.iter().flatten().find_map(|one| published(one)) {
        finding.severity = Severity::Info;
        finding.title.push_str(" (published test key)");
        finding.evidence = format!("published test key: {}; {}", row.what, finding.evidence);
        finding.detail.insert("published".into(), row.what.clone().into());
        finding.detail.insert("published_at".into(), row.reference.clone().into());
    }
    finding
}

/// One step less severe.
fn lower(severity: Severity) -> Severity {
    match severity {
        Severity::Critical => Severity::High,
        Severity::High => Severity::Medium,
        Severity::Medium => Severity::Low,
        Severity::Low | Severity::Info => Severity::Info,
    }
}
