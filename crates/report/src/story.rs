//! What a report has to say, in the order in which it matters; shared by the formats for people.

use crate::amount::{bytes, count, counted, day, percent, score};
use crate::verified;
use lidless_core::{
    Category, ContainerReach, Exposure, Finding, Gap, Grant, GrantStatus, Lead, Permission, Report,
    Severity, Timestamp, Workstation,
};
use std::collections::{BTreeMap, BTreeSet};

/// The grant of an exposure.
pub(crate) fn grant_of<'r>(report: &'r Report, exposure: &Exposure) -> Option<&'r Grant> {
    report.grants.iter().find(|grant| grant.id == exposure.grant)
}

/// The score as one number, or as an interval when something is not known.
pub(crate) fn interval(exposure: &Exposure) -> String {
    if (exposure.score.low - exposure.score.high).abs() < 0.05 {
        return score(exposure.score.high);
    }
    format!("{} to {}", score(exposure.score.low), score(exposure.score.high))
}

/// Where a credential was found.
pub(crate) fn leads_of<'r>(report: &'r Report, grant: &str) -> Vec<&'r Lead> {
    report.leads.iter().filter(|lead| lead.grant.as_deref() == Some(grant)).collect()
}

/// What it is, in a sentence.
pub(crate) fn sentence(report: &Report, exposure: &Exposure) -> String {
    let Some(grant) = grant_of(report, exposure) else { return String::new() };
    let leads = leads_of(report, &grant.id);
    let git = leads.iter().any(|lead| lead.commit.is_some());
    let has = |permission| grant.may(permission) == Some(true);
    let mut verbs = Vec::new();
    if has(Permission::Read) || grant.observed.as_ref().and_then(|seen| seen.can_read) == Some(true)
    {
        verbs.push("read");
    } else if has(Permission::List) {
        verbs.push("list");
    }
    if has(Permission::Write) {
        verbs.push("overwrite");
    }
    if has(Permission::Delete) {
        verbs.push("delete");
    }
    let verbs = match verbs.as_slice() {
        [] => "reach".to_owned(),
        [one] => (*one).to_owned(),
        [front @ .., last] => format!("{} and {last}", front.join(", ")),
    };
    let what = match grant.scope {
        lidless_core::GrantScope::Account => "everything in this storage account",
        lidless_core::GrantScope::Container => "everything in this container",
        lidless_core::GrantScope::Directory => "everything in this folder",
        _ => "what it names",
    };
    let own = !leads.is_empty() && leads.iter().all(|lead| lead.kind == "own_credentials");
    // A web server that was named wants none.
    if own && grant.mechanism != lidless_core::Mechanism::Http {
        let public = grant.observed.as_ref().and_then(|seen| seen.public) == Some(true);
        return if public {
            format!("Strangers get answers without any credential; your own can {verbs} {what}.")
        } else {
            format!("Your own credentials can {verbs} {what}.")
        };
    }
    let place = if git { "A link in a repository" } else { "This link" };
    format!("{place} lets anyone who holds it {verbs} {what}.")
}

/// Since when it stands open and until when.
pub(crate) fn times(report: &Report, grant: &Grant) -> String {
    let first = leads_of(report, &grant.id).iter().filter_map(|lead| lead.committed_at).min();
    let until = match grant.expires {
        Some(end) => format!("until {}", day(end)),
        None => "without an end".to_owned(),
    };
    match first {
        Some(first) => format!("open since {}, {until}", day(first)),
        None => until,
    }
}

/// One kind of finding.
pub(crate) struct FoundRow<'r> {
    pub(crate) severity: Severity,
    pub(crate) title: &'r str,
    /// What is to be said behind the title: how many are different, what issuers say.
    pub(crate) note: String,
    pub(crate) times: u64,
    /// Where one is.
    pub(crate) place: &'r str,
}

impl FoundRow<'_> {
    /// The title with its note.
    pub(crate) fn words(&self) -> String {
        format!("{}{}", self.title, self.note)
    }
}

/// The rows of what was found behind a grant: title, how many, an example.
pub(crate) fn found<'r>(findings: impl Iterator<Item = &'r Finding>) -> Vec<FoundRow<'r>> {
    let mut rows: BTreeMap<(Category, &str), (Severity, u64, &'r str, &'r str)> = BTreeMap::new();
    let mut asked: BTreeMap<(Category, &str), verified::Said> = BTreeMap::new();
    let mut secrets: BTreeMap<(Category, &str), BTreeSet<String>> = BTreeMap::new();
    let mut nameless: BTreeMap<(Category, &str), u64> = BTreeMap::new();
    for finding in findings {
        if let Some(verified) = finding.verified {
            let of_row = asked.entry((finding.category, finding.rule.as_str())).or_default();
            let known = of_row.entry(verified::rank(verified)).or_insert((verified, 0));
            known.1 = known.1.saturating_add(1);
        }
        let row = rows.entry((finding.category, finding.rule.as_str())).or_insert((
            finding.severity,
            0,
            finding.location.as_str(),
            finding.title.as_str(),
        ));
        row.0 = row.0.max(finding.severity);
        row.1 = row.1.saturating_add(1);
        let key = (finding.category, finding.rule.as_str());
        match &finding.fingerprint {
            Some(fingerprint) => {
                secrets.entry(key).or_default().insert(fingerprint.to_string());
            }
            None => {
                let others = nameless.entry(key).or_default();
                *others = others.saturating_add(1);
            }
        }
    }
    let mut list: Vec<FoundRow<'r>> = rows
        .into_iter()
        .map(|(key, (severity, count, place, title))| {
            let said = asked.get(&key).map(|row| verified::suffix(row, count));
            // One secret in two places is one secret.
            let distinct = secrets.get(&key).map_or(0, |all| u64::try_from(all.len()).unwrap_or(0));
            let distinct = distinct.saturating_add(nameless.get(&key).copied().unwrap_or(0));
            let same = if distinct < count {
                format!(", {} different", self::count(distinct))
            } else {
                String::new()
            };
            let note = format!("{same}{}", said.unwrap_or_default());
            FoundRow { severity, title, note, times: count, place }
        })
        .collect();
    list.sort_by(|a, b| {
        b.severity
            .cmp(&a.severity)
            .then_with(|| b.times.cmp(&a.times))
            .then_with(|| a.title.cmp(b.title))
    });
    list
}

/// The store that a grant opens, as places begin: an account is a store of its own, buckets share
/// one.
fn store_of(grant: &Grant) -> String {
    match grant.resource.split_once("://") {
        Some((scheme, _)) if !scheme.starts_with("az") => format!("{scheme}:/"),
        _ => grant.resource.split('/').take(3).collect::<Vec<_>>().join("/"),
    }
}

/// Whether a place lies behind an exposure.
pub(crate) fn is_behind(report: &Report, exposure: &Exposure, location: &str) -> bool {
    let Some(grant) = grant_of(report, exposure) else { return false };
    let store = store_of(grant);
    exposure.containers.iter().any(|container| {
        // What is in another service of the account is named with it.
        let place = match container.name.contains("://") {
            true => container.name.clone(),
            false => format!("{store}/{}", container.name),
        };
        location.strip_prefix(&place).is_some_and(|rest| rest.starts_with('/'))
    })
}

/// A machine with what is known of it:
/// `WS-ALICE-01 (Windows 11 Pro 23H2, CORP, alice; last used 2023-06-20)`.
pub(crate) fn machine(one: &Workstation) -> String {
    let name = one.host.as_deref().unwrap_or("unnamed");
    let users = match one.users.as_slice() {
        [] => None,
        [user] => Some(user.clone()),
        [user, rest @ ..] => Some(format!("{user} and {} more", rest.len())),
    };
    let mut facts: Vec<String> =
        [one.os.clone(), one.domain.clone(), users].into_iter().flatten().collect();
    let mut known = facts.join(", ");
    if let Some(time) = one.last_used {
        facts = vec![known, format!("last used {}", day(time))];
        facts.retain(|fact| !fact.is_empty());
        known = facts.join("; ");
    }
    if known.is_empty() { name.to_owned() } else { format!("{name} ({known})") }
}

/// What opens other doors on a machine, counted by kind.
pub(crate) fn machine_credentials(one: &Workstation) -> String {
    let kinds = one.credentials.iter();
    kinds
        .map(|(kind, many)| {
            let words = kind.replace('_', " ");
            let one = words.strip_suffix('s').unwrap_or(&words).to_owned();
            counted(*many, &one, &words)
        })
        .collect::<Vec<_>>()
        .join(", ")
}

/// What is worth saying beside a container.
pub(crate) fn annotation(
    report: &Report,
    exposure: &Exposure,
    container: &ContainerReach,
) -> Vec<String> {
    let Some(grant) = grant_of(report, exposure) else { return Vec::new() };
    let store = store_of(grant);
    let place = format!("{store}/{}", container.name);
    let inside = |location: &str| {
        location == place || location.strip_prefix(&place).is_some_and(|rest| rest.starts_with('/'))
    };
    let mut words = Vec::new();
    let machines: Vec<&str> = exposure
        .workstations
        .iter()
        .filter(|one| one.places.iter().any(|at| inside(at)))
        .map(|one| one.host.as_deref().unwrap_or("unnamed"))
        .collect();
    if !machines.is_empty() {
        let many = u64::try_from(machines.len()).unwrap_or(0);
        words.push(format!(
            "{}: {}",
            counted(many, "workstation", "workstations"),
            machines.join(", ")
        ));
    }
    let here = || report.findings.iter().filter(|finding| inside(&finding.location));
    let messages: u64 = here()
        .filter(|finding| finding.category == Category::Message)
        .filter_map(|finding| finding.detail.get("count")?.as_u64())
        .fold(0, u64::saturating_add);
    if messages > 0 {
        let people = if messages == exposure.messages.count {
            format!(" of {} people", count(exposure.messages.people))
        } else {
            String::new()
        };
        words.push(format!("{} messages{people}", count(messages)));
    }
    let evil = here().filter(|finding| finding.rule == "model.dangerous").count();
    if evil > 0 {
        let all = if exposure.writable_models > 0 { ", all can be overwritten" } else { "" };
        words.push(format!(
            "{}, {evil} runs code{all}",
            counted(exposure.models, "model", "models")
        ));
    }
    let keys = here().filter(|finding| finding.rule == "secret.private_key").count();
    if keys > 0 {
        words.push(counted(u64::try_from(keys).unwrap_or(0), "private key", "private keys"));
    }
    if matches!(
        container.public,
        Some(lidless_core::PublicAccess::Blob | lidless_core::PublicAccess::Container)
    ) {
        words.push("public".to_owned());
    }
    words
}

/// What was not seen: a reason with how often and how much.
pub(crate) fn gaps(gaps: &[Gap]) -> Vec<(String, u64, u64)> {
    let mut rows: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for gap in gaps {
        let row = rows.entry(gap.reason.as_str()).or_default();
        row.0 = row.0.saturating_add(1);
        row.1 = row.1.saturating_add(gap.bytes.unwrap_or(0));
    }
    let mut list: Vec<(String, u64, u64)> =
        rows.into_iter().map(|(reason, (n, bytes))| (reason.to_owned(), n, bytes)).collect();
    list.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| b.1.cmp(&a.1)).then_with(|| a.0.cmp(&b.0)));
    list
}

/// What was read of what there is.
pub(crate) fn read_line(report: &Report) -> String {
    let run = &report.run;
    let mut parts = Vec::new();
    if run.bytes_listed > 0 {
        let share = percent(run.bytes_read, run.bytes_listed);
        parts.push(format!("{} of {} ({share})", bytes(run.bytes_read), bytes(run.bytes_listed)));
    }
    if run.requests > 0 {
        parts.push(counted(run.requests, "request", "requests"));
    }
    parts.push(counted(run.entries, "entry opened", "entries opened"));
    if let Some(finished) = run.finished {
        parts.push(crate::amount::span(run.started, finished));
    }
    parts.join(" · ")
}

/// The last line: what it all means for whoever goes by the exit code.
pub(crate) fn verdict(report: &Report) -> String {
    match (report.run.exit_code, report.run.complete) {
        (None, _) => "The run was stopped before its end: resume it to see the rest.".into(),
        (Some(1), true) => "Something is at or above the threshold (exit code 1).".into(),
        (Some(1), false) => "Something is at or above the threshold (exit code 1), and not \
                             everything was seen."
            .into(),
        (Some(3), _) => "Nothing at or above the threshold, but not everything was seen (exit \
                         code 3)."
            .into(),
        (Some(_), true) => "Nothing at or above the threshold; everything was seen.".into(),
        (Some(_), false) => "Not everything was seen.".into(),
    }
}

/// The other grants: those that are no exposure.
pub(crate) fn others(report: &Report) -> Vec<&Grant> {
    report
        .grants
        .iter()
        .filter(|grant| report.exposures.iter().all(|exposure| exposure.grant != grant.id))
        .collect()
}

/// What the service's answer means, where that says more than the grant's status does.
pub(crate) fn answer(grant: &Grant) -> Option<&str> {
    let told = !matches!(grant.status, GrantStatus::Expired);
    let meaning = grant.observed.as_ref().filter(|_| told)?.meaning.as_deref()?;
    (!meaning.ends_with("it works")).then_some(meaning)
}

/// What became of a grant that is no exposure, in words.
pub(crate) fn fate(report: &Report, grant: &Grant, now: Timestamp) -> String {
    let left = leads_of(report, &grant.id).into_iter().find_map(|lead| lead.left_alone.clone());
    match grant.status {
        GrantStatus::Expired => match grant.expires {
            Some(end) => format!("expired {}", day(end)),
            None => "expired".into(),
        },
        GrantStatus::Revoked => "revoked".into(),
        GrantStatus::Denied => "denied".into(),
        GrantStatus::Live => "live".into(),
        GrantStatus::Unknown => match (left, grant.expires) {
            (Some(reason), _) => format!("left alone: {reason}"),
            (None, Some(end)) if end > now => format!("not known; would run until {}", day(end)),
            (None, _) => "not known".into(),
        },
    }
}
