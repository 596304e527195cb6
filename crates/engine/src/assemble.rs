//! From the case to the report. Needs no network and no target.

use crate::answers::{self, Verdicts};
use crate::baseline;
use crate::error::EngineError;
use crate::order::kind;
use lidless_core::{
    ContainerReach, Coverage, Exposure, Finding, Gap, Grant, GrantStatus, Lead, Mark, ModelRow,
    Reason, Report, Run, SCHEMA, Suppressions, Timestamp, Tool,
};
use lidless_judge::{Behind, judge};
use lidless_ledger::{Case, ContainerRow, SkippedRow};
use std::collections::BTreeMap;

/// Builds the report of a case as it is now. The same case gives the same report.
///
/// # Errors
/// When the case cannot be read, or holds no run yet.
pub fn assemble(case: &Case, now: Timestamp) -> Result<Report, EngineError> {
    let mut leads = case.leads()?;
    leads.sort_by(|a, b| {
        // What stands in a history comes first, the oldest before all.
        let key = |lead: &Lead| (lead.committed_at.is_none(), lead.committed_at);
        key(a).cmp(&key(b)).then_with(|| (&a.location, &a.id).cmp(&(&b.location, &b.id)))
    });
    let mut grants = case.grants()?;
    grants.sort_by(|a, b| {
        b.severity
            .cmp(&a.severity)
            .then_with(|| a.resource.cmp(&b.resource))
            .then_with(|| a.id.cmp(&b.id))
    });
    let answers = answers::read(case)?;
    let mut findings = case.findings()?;
    let (mut suppressed, mut counts) = case.suppressed()?;
    let (accepted, told) = baseline::apply(case, &mut findings, now)?;
    if !accepted.is_empty() {
        counts.insert(Reason::Baseline, u64::try_from(accepted.len()).unwrap_or(u64::MAX));
    }
    suppressed.extend(accepted.into_iter().take(Suppressions::LISTED));
    suppressed.sort_by(lidless_core::Suppressed::order);
    let mut remarks = case.remarks()?;
    remarks.extend(told);
    remarks.sort();
    let verdicts = Verdicts::new(&answers, &grants, &findings.clone());
    findings.iter_mut().for_each(|finding| verdicts.apply(finding));
    findings.sort_by(Finding::order);
    same_secrets(&mut findings);
    let containers = case.containers()?;
    let skipped = case.skipped()?;
    let mut gaps = case.gaps()?;
    gaps.extend(skipped_gaps(&containers, &skipped));
    gaps.extend(containers.iter().filter_map(changed_gap));
    gaps.sort();
    gaps.dedup();
    let mut coverage: Vec<Coverage> = case.sources()?;
    coverage.extend(containers.iter().map(|row| coverage_of(row, &skipped)));
    coverage.sort_by(|a, b| a.container.cmp(&b.container));
    let mut exposures = Vec::new();
    let live = grants.iter().filter(|grant| grant.status == GrantStatus::Live);
    for grant in live.filter(|grant| was_probed(grant)) {
        exposures.push(exposure(
            case,
            grant,
            (&leads, &verdicts),
            &containers,
            &skipped,
            &gaps,
            now,
        )?);
    }
    exposures.sort_by(|a, b| {
        b.severity
            .cmp(&a.severity)
            .then_with(|| b.score.high.total_cmp(&a.score.high))
            .then_with(|| b.bytes.cmp(&a.bytes))
            .then_with(|| a.grant.cmp(&b.grant))
    });
    let run = run(case, &containers, &gaps, counts)?;
    Ok(Report {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: "lidless".into(), version: env!("CARGO_PKG_VERSION").into() },
        run,
        leads,
        grants,
        exposures,
        findings,
        coverage,
        gaps,
        models: models(case)?,
        suppressed,
        remarks,
    })
}

/// Other places of the same secret that a finding names.
const SAME_PLACES: usize = 5;

/// One secret in several places is told at each: how many there are, and where some of them are.
fn same_secrets(findings: &mut [Finding]) {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for finding in &*findings {
        if let Some(fingerprint) = &finding.fingerprint {
            let at = places.entry(fingerprint.to_string()).or_default();
            if !at.contains(&finding.location) {
                at.push(finding.location.clone());
            }
        }
    }
    places.retain(|_, at| at.len() > 1);
    for finding in findings {
        let Some(fingerprint) = &finding.fingerprint else { continue };
        let Some(at) = places.get(&fingerprint.to_string()) else { continue };
        let others = at.iter().filter(|place| **place != finding.location);
        let others: Vec<&String> = others.take(SAME_PLACES).collect();
        let same = serde_json::json!({ "places": at.len(), "others": others });
        finding.detail.insert("same_secret".to_owned(), same);
    }
}

/// Whether the store itself was asked: an issuer's word that a key is live says nothing of what
/// lies behind it.
fn was_probed(grant: &Grant) -> bool {
    grant.observed.as_ref().is_some_and(|seen| {
        let asked = [seen.can_list_containers, seen.can_list, seen.can_read, seen.public];
        seen.http_status.is_some() || asked.iter().any(Option::is_some)
    })
}

/// Every model file once, with the worst that was said of it and of what is inside it.
fn models(case: &Case) -> Result<Vec<ModelRow>, EngineError> {
    let mut files: BTreeMap<String, ModelRow> = BTreeMap::new();
    for mark in case.model_marks()? {
        let Mark::Model { format, verdict, location } = mark else { continue };
        if location.is_empty() {
            continue;
        }
        let file = location.split_once("!/").map_or(location.as_str(), |(file, _)| file).to_owned();
        let row = ModelRow { location: file.clone(), format, verdict };
        match files.get_mut(&file) {
            Some(known) if known.verdict >= verdict => {}
            Some(known) => *known = row,
            None => {
                files.insert(file, row);
            }
        }
    }
    let mut rows: Vec<ModelRow> = files.into_values().collect();
    rows.sort_by(|a, b| b.verdict.cmp(&a.verdict).then_with(|| a.location.cmp(&b.location)));
    Ok(rows)
}

fn run(
    case: &Case,
    containers: &[ContainerRow],
    gaps: &[Gap],
    suppressed: BTreeMap<Reason, u64>,
) -> Result<Run, EngineError> {
    let sum = |of: fn(&ContainerRow) -> u64| containers.iter().map(of).fold(0, u64::saturating_add);
    let local: u64 = case.meta("entries")?.unwrap_or(0);
    let (bytes_read, requests): (u64, u64) = case.meta("traffic")?.unwrap_or_default();
    let stored: Option<Run> = case.meta("run")?;
    let started = case.meta("started")?;
    let (Some(started), id, targets) =
        (started, case.meta("run_id")?.unwrap_or_default(), case.meta("targets")?)
    else {
        return Err(EngineError::NothingScanned("the case holds no run yet".into()));
    };
    Ok(Run {
        id,
        started,
        finished: stored.as_ref().and_then(|run| run.finished),
        targets: targets.unwrap_or_default(),
        // A run that was stopped saw not everything, whatever it noted.
        complete: stored.is_some() && gaps.is_empty(),
        exit_code: stored.as_ref().and_then(|run| run.exit_code),
        objects: sum(|row| row.objects),
        entries: local.saturating_add(sum(|row| row.entries)),
        bytes_listed: sum(|row| row.bytes),
        bytes_read,
        requests,
        gaps: u64::try_from(gaps.len()).unwrap_or(u64::MAX),
        suppressed,
    })
}

fn place(row: &ContainerRow) -> String {
    format!("{}/{}", row.store, row.name)
}

fn skipped_gaps(containers: &[ContainerRow], skipped: &[SkippedRow]) -> Vec<Gap> {
    skipped
        .iter()
        .filter_map(|row| {
            let container = containers.iter().find(|one| one.id == row.container)?;
            let objects = if row.objects == 1 { "object" } else { "objects" };
            let reason = format!("{} {objects} not looked into: {}", row.objects, row.reason);
            Some(Gap::new(place(container), reason, Some(row.bytes)))
        })
        .collect()
}

/// A container whose listing did what no listing of a container at rest does.
fn changed_gap(row: &ContainerRow) -> Option<Gap> {
    let odd = row.oddities;
    let told = [
        (odd.repeated, "came twice"),
        (odd.disordered, "came out of order"),
        (odd.foreign, "lay outside of what was asked for"),
    ];
    let told: Vec<String> = told
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| {
            format!("{count} {} {what}", if *count == 1 { "name" } else { "names" })
        })
        .collect();
    (!told.is_empty()).then(|| {
        let reason =
            format!("the listing changed under way, and may lack names: {}", told.join(", "));
        Gap::new(place(row), reason, None)
    })
}

fn coverage_of(row: &ContainerRow, skipped: &[SkippedRow]) -> Coverage {
    Coverage {
        container: place(row),
        objects_listed: row.objects,
        objects_inspected: row.inspected,
        bytes_listed: row.bytes,
        bytes_inspected: row.bytes_inspected,
        bytes_read: row.bytes_read,
        skipped: skipped
            .iter()
            .filter(|one| one.container == row.id)
            .map(|one| (one.reason.clone(), one.objects))
            .collect(),
    }
}

fn exposure(
    case: &Case,
    grant: &Grant,
    (leads, verdicts): (&[Lead], &Verdicts<'_>),
    containers: &[ContainerRow],
    skipped: &[SkippedRow],
    gaps: &[Gap],
    now: Timestamp,
) -> Result<Exposure, EngineError> {
    let mut behind = Behind {
        leads: leads
            .iter()
            .filter(|lead| lead.grant.as_deref() == Some(grant.id.as_str()))
            .cloned()
            .collect(),
        ..Behind::default()
    };
    let mut unseen_objects = 0u64;
    let mut unseen_gaps = 0usize;
    let mut reached: BTreeMap<String, ContainerReach> = BTreeMap::new();
    for reach in case.reach(&grant.id)? {
        let Some(row) = containers.iter().find(|row| row.id == reach.container) else { continue };
        let (objects, bytes) = case.reach_totals(&reach)?;
        // What is in another service than the grant's own is named with it.
        let own = grant.resource == row.store
            || grant.resource.strip_prefix(&row.store).is_some_and(|rest| rest.starts_with('/'));
        let name = if own { row.name.clone() } else { place(row) };
        let entry = reached.entry(name.clone()).or_insert_with(|| ContainerReach {
            name,
            objects: 0,
            bytes: 0,
            public: row.public,
            kinds: BTreeMap::new(),
        });
        for (class, bytes) in case.reach_classes(&reach)? {
            let kind = entry.kinds.entry(kind(class).to_owned()).or_default();
            *kind = kind.saturating_add(bytes);
        }
        entry.objects = entry.objects.saturating_add(objects);
        entry.bytes = entry.bytes.saturating_add(bytes);
        let mut findings = case.findings_in(&reach)?;
        findings.iter_mut().for_each(|finding| verdicts.apply(finding));
        behind.findings.extend(findings);
        for (object, mark) in case.marks_in(&reach)? {
            behind.marks.push((object.map(|id| format!("{id:?}")), mark));
        }
        let here = skipped.iter().filter(|one| one.container == row.id);
        unseen_objects = here.map(|one| one.objects).fold(unseen_objects, u64::saturating_add);
        let prefix = place(row);
        let below = gaps.iter().filter(|gap| {
            gap.location == prefix
                || gap.location.strip_prefix(&prefix).is_some_and(|rest| rest.starts_with('/'))
        });
        unseen_gaps = unseen_gaps.saturating_add(below.count());
    }
    behind.containers = reached.into_values().collect();
    behind.unseen = match (unseen_objects, unseen_gaps) {
        (0, 0) if behind.containers.is_empty() => Some("nothing could be listed".into()),
        (0, 0) => None,
        (0, gaps) => Some(format!("{gaps} gaps")),
        (objects, gaps) => Some(format!("{objects} objects, {gaps} gaps")),
    };
    Ok(judge(grant, &behind, now))
}
