//! One exposure: a live grant and all that was found behind it.

use crate::score::{band, score};
use crate::workstation::workstations;
use lidless_core::{
    Basis, Confidence, ContainerReach, Exposure, Finding, Grant, GrantScope, InputName, Lead, Mark,
    MessageTotals, Permission, ScoreInput, Severity, Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// What lies behind a grant.
#[derive(Debug, Clone, Default)]
pub struct Behind {
    /// Where the credential was found.
    pub leads: Vec<Lead>,
    /// What it reaches.
    pub containers: Vec<ContainerReach>,
    /// What was found there.
    pub findings: Vec<Finding>,
    /// Evidence, each piece with the object it came from.
    pub marks: Vec<(Option<String>, Mark)>,
    /// What was not looked into, in words; empty when everything was.
    pub unseen: Option<String>,
}

/// Judges a grant and what lies behind it.
#[must_use]
pub fn judge(grant: &Grant, behind: &Behind, now: Timestamp) -> Exposure {
    let marks = || behind.marks.iter().map(|(_, mark)| mark);
    let machines = workstations(marks(), &behind.findings);
    let messages = messages(marks());
    let models = models(behind);
    let objects = behind.containers.iter().map(|c| c.objects).fold(0, u64::saturating_add);
    let bytes = behind.containers.iter().map(|c| c.bytes).fold(0, u64::saturating_add);
    let write = write(grant);
    let writable = if grant.may(Permission::Write) == Some(true) { models } else { 0 };
    let (time, short_lived) = time(grant, now);
    let why = vec![
        audience(grant, &behind.leads),
        read(grant),
        write.clone(),
        delete(grant),
        content(behind, machines.len(), messages),
        consumers(&write, writable),
        time,
        ScoreInput {
            input: InputName::Evidence,
            value: 1,
            high: 1,
            evidence: "no access log was read: use is neither shown nor ruled out".into(),
            basis: Basis::Inferred,
        },
    ];
    let (score, arithmetic) = score(&why, short_lived, bytes, messages.count);
    let mut by_category: BTreeMap<String, u64> = BTreeMap::new();
    for finding in &behind.findings {
        let count = by_category.entry(finding.category.as_str().to_owned()).or_default();
        *count = count.saturating_add(1);
    }
    let mut containers = behind.containers.clone();
    containers.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    Exposure {
        grant: grant.id.clone(),
        // What was found about content never lowers what the credential can do.
        severity: band(score.high).max(grant.severity),
        score,
        why,
        arithmetic,
        containers,
        objects,
        bytes,
        findings_by_category: by_category,
        models,
        writable_models: writable,
        workstations: machines,
        messages,
    }
}

fn input(name: InputName, value: u8, basis: Basis, evidence: impl Into<String>) -> ScoreInput {
    ScoreInput { input: name, value, high: value, evidence: evidence.into(), basis }
}

fn audience(grant: &Grant, leads: &[Lead]) -> ScoreInput {
    let name = InputName::Audience;
    if let Some(ip) = &grant.ip {
        return input(name, 0, Basis::Declared, format!("bound to the addresses {ip}"));
    }
    if grant.observed.as_ref().and_then(|seen| seen.public) == Some(true) {
        return input(name, 4, Basis::Tested, "answers to strangers without any credential");
    }
    if !leads.is_empty() && leads.iter().all(|lead| lead.kind == "own_credentials") {
        return input(name, 0, Basis::Declared, "your own credentials: nothing leaked");
    }
    if let Some(lead) = leads.iter().find(|lead| lead.commit.is_some()) {
        let evidence = format!(
            "a bearer link in a git history: whoever reads it holds it ({})",
            lead.location
        );
        return input(name, 4, Basis::Inferred, evidence);
    }
    let evidence = match leads.first() {
        Some(lead) => format!("a bearer link; who can read {} is not known", lead.location),
        None => "a bearer link; where else it stands is not known".into(),
    };
    ScoreInput { input: name, value: 1, high: 4, evidence, basis: Basis::Unknown }
}

/// How far a scope reaches, 1 to 4.
fn breadth(scope: GrantScope) -> (u8, &'static str) {
    match scope {
        GrantScope::Account | GrantScope::Unknown => (4, "the whole account"),
        GrantScope::Container | GrantScope::Share | GrantScope::Table | GrantScope::Queue => {
            (3, "one container")
        }
        GrantScope::Directory => (2, "one directory"),
        GrantScope::Object | GrantScope::Version | GrantScope::Snapshot => (1, "one object"),
    }
}

fn read(grant: &Grant) -> ScoreInput {
    let name = InputName::Read;
    let (reach, what) = breadth(grant.scope);
    let observed = grant.observed.as_ref();
    if observed.and_then(|seen| seen.can_read) == Some(true) {
        return input(name, reach, Basis::Tested, format!("content of {what} was read"));
    }
    match (grant.may(Permission::Read), grant.may(Permission::List)) {
        (Some(true), _) => {
            input(name, reach, Basis::Declared, format!("the credential reads {what}"))
        }
        (Some(false), Some(true)) => {
            input(name, 1, Basis::Declared, format!("names of {what} can be listed, not read"))
        }
        (Some(false), _) => input(name, 0, Basis::Declared, "the credential does not read"),
        (None, _) => ScoreInput {
            input: name,
            value: 0,
            high: reach,
            evidence: "a stored policy decides what may be read; it was not seen".into(),
            basis: Basis::Unknown,
        },
    }
}

fn write(grant: &Grant) -> ScoreInput {
    let name = InputName::Write;
    let (reach, what) = breadth(grant.scope);
    match (grant.may(Permission::Write), grant.may(Permission::Create)) {
        (Some(true), _) => {
            input(name, reach.max(2), Basis::Declared, format!("overwrites in {what}"))
        }
        (Some(false), Some(true)) => input(
            name,
            reach.min(2),
            Basis::Declared,
            format!("creates, not overwrites, in {what}"),
        ),
        (Some(false), _) if grant.may(Permission::Add) == Some(true) => {
            input(name, reach.min(2), Basis::Declared, format!("appends in {what}"))
        }
        (Some(false), _) => input(name, 0, Basis::Declared, "the credential does not write"),
        (None, _) => ScoreInput {
            input: name,
            value: 0,
            high: reach,
            evidence: "a stored policy decides what may be written; it was not seen".into(),
            basis: Basis::Unknown,
        },
    }
}

fn delete(grant: &Grant) -> ScoreInput {
    let name = InputName::Delete;
    let (reach, what) = breadth(grant.scope);
    let deletes = [Permission::Delete, Permission::DeleteVersion, Permission::PermanentDelete];
    match &grant.permissions {
        Some(declared) if deletes.iter().any(|one| declared.contains(one)) => {
            input(name, reach, Basis::Declared, format!("deletes in {what}"))
        }
        Some(_) => input(name, 0, Basis::Declared, "the credential does not delete"),
        None => ScoreInput {
            input: name,
            value: 0,
            high: reach,
            evidence: "a stored policy decides what may be deleted; it was not seen".into(),
            basis: Basis::Unknown,
        },
    }
}

fn content(behind: &Behind, machines: usize, messages: MessageTotals) -> ScoreInput {
    let name = InputName::Content;
    let worst = behind
        .findings
        .iter()
        .filter(|finding| finding.confidence > Confidence::Low)
        .max_by(|a, b| a.severity.cmp(&b.severity).then_with(|| b.location.cmp(&a.location)));
    let (mut value, mut evidence) = match worst {
        Some(finding) => {
            let value = match finding.severity {
                Severity::Critical => 4,
                Severity::High => 3,
                Severity::Medium => 2,
                Severity::Low => 1,
                Severity::Info => 0,
            };
            (value, format!("{} at {}", finding.title, finding.location))
        }
        None => (0, "nothing sensitive was confirmed".to_owned()),
    };
    if messages.count > 0 && value < 3 {
        value = 3;
        evidence = format!("{} messages of {} people", messages.count, messages.people);
    }
    if machines > 0 && value < 4 {
        value = 4;
        evidence = format!("backups of {machines} workstations");
    }
    match &behind.unseen {
        Some(unseen) if value < 4 => ScoreInput {
            input: name,
            value,
            high: 4,
            evidence: format!("{evidence}; not everything was looked into: {unseen}"),
            basis: Basis::Unknown,
        },
        _ => input(name, value, Basis::Tested, evidence),
    }
}

fn consumers(write: &ScoreInput, writable_models: u64) -> ScoreInput {
    let name = InputName::Consumers;
    if write.high == 0 {
        return input(name, 0, Basis::Inferred, "nothing can be overwritten");
    }
    if writable_models > 0 {
        let evidence = format!("{writable_models} model files that others load can be overwritten");
        return input(name, 4, Basis::Inferred, evidence);
    }
    ScoreInput {
        input: name,
        value: 0,
        high: 4,
        evidence: "who loads these bytes is not known".into(),
        basis: Basis::Unknown,
    }
}

const DAY: i64 = 86_400;

/// The time input, and whether the grant is short-lived: it ends within a day.
fn time(grant: &Grant, now: Timestamp) -> (ScoreInput, bool) {
    let name = InputName::Time;
    let Some(expires) = grant.expires else {
        let evidence = if grant.identifier.is_some() {
            "a stored policy decides when it ends; it was not seen"
        } else {
            "it does not end by itself"
        };
        return (input(name, 4, Basis::Declared, evidence), false);
    };
    let left = expires.as_second().saturating_sub(now.as_second()).max(0);
    let value = match left {
        0..=DAY => 0,
        n if n <= DAY.saturating_mul(7) => 1,
        n if n <= DAY.saturating_mul(90) => 2,
        n if n <= DAY.saturating_mul(366) => 3,
        _ => 4,
    };
    let days = left.checked_div(DAY).unwrap_or(0);
    let evidence = format!("{days} days still to run, until {expires}");
    (input(name, value, Basis::Declared, evidence), left <= DAY)
}

fn messages<'a>(marks: impl Iterator<Item = &'a Mark>) -> MessageTotals {
    let mut count = 0u64;
    let mut everyone = BTreeSet::new();
    let mut stores: BTreeMap<&str, u64> = BTreeMap::new();
    for mark in marks {
        if let Mark::Messages { messages, people, store, .. } = mark {
            match store {
                None => count = count.saturating_add(*messages),
                Some(store) => {
                    let most = stores.entry(store).or_default();
                    *most = (*most).max(*messages);
                }
            }
            everyone.extend(people.iter());
        }
    }
    let count = stores.values().fold(count, |count, most| count.saturating_add(*most));
    MessageTotals { count, people: u64::try_from(everyone.len()).unwrap_or(u64::MAX) }
}

/// Model files: an object counts once however many pickles it holds.
fn models(behind: &Behind) -> u64 {
    let mut objects = BTreeSet::new();
    let mut loose = 0u64;
    for (object, mark) in &behind.marks {
        if matches!(mark, Mark::Model { .. }) {
            match object {
                Some(object) => {
                    objects.insert(object);
                }
                None => loose = loose.saturating_add(1),
            }
        }
    }
    loose.saturating_add(u64::try_from(objects.len()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_core::{GrantStatus, Mechanism, ModelVerdict, Provider, SignatureCheck};

    fn grant(scope: GrantScope, permissions: &[Permission], expires: &str) -> Grant {
        Grant {
            id: "g".into(),
            provider: Provider::Azure,
            mechanism: Mechanism::AzureAccountSas,
            resource: "az://contoso".into(),
            scope,
            permissions: Some(permissions.to_vec()),
            operations: Vec::new(),
            starts: None,
            expires: Some(expires.parse().unwrap()),
            protocols: Vec::new(),
            ip: None,
            identifier: None,
            key_hint: None,
            services: Vec::new(),
            version: None,
            signature: SignatureCheck::default(),
            status: GrantStatus::Live,
            observed: None,
            revocation: String::new(),
            problems: Vec::new(),
            severity: Severity::Low,
            why: Vec::new(),
        }
    }

    fn now() -> Timestamp {
        "2023-06-22T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn writable_models_make_consumers_four_and_are_counted_once_an_object() {
        let all = [Permission::Read, Permission::List, Permission::Write, Permission::Delete];
        let grant = grant(GrantScope::Account, &all, "2051-10-06T07:00:00Z");
        let model = Mark::Model {
            format: "pickle".into(),
            verdict: ModelVerdict::Safe,
            location: String::new(),
        };
        let behind = Behind {
            marks: vec![(Some("a".into()), model.clone()), (Some("a".into()), model)],
            ..Behind::default()
        };
        let exposure = judge(&grant, &behind, now());
        assert_eq!((exposure.models, exposure.writable_models), (1, 1));
        assert_eq!(exposure.severity, Severity::Critical);
        assert_eq!(exposure.score.high, 100.0);
    }

    #[test]
    fn what_was_not_looked_at_widens_and_never_lowers() {
        let grant = grant(GrantScope::Container, &[Permission::Read], "2030-01-01T00:00:00Z");
        let seen = judge(&grant, &Behind::default(), now());
        let behind = Behind { unseen: Some("3 objects".into()), ..Behind::default() };
        let unseen = judge(&grant, &behind, now());
        assert!(unseen.score.high > seen.score.high);
        assert!(unseen.score.low >= seen.score.low);
    }

    #[test]
    fn harmless_content_never_lowers_the_severity_of_the_grant() {
        let mut grant = grant(GrantScope::Account, &[Permission::List], "2051-01-01T00:00:00Z");
        grant.severity = Severity::High;
        assert_eq!(judge(&grant, &Behind::default(), now()).severity, Severity::High);
    }
}
