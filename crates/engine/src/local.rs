//! Targets on this machine: files, folders and git histories.

use crate::book::{Book, Origin};
use crate::decisions::Markers;
use crate::error::EngineError;
use crate::inspector::{Inspector, Outcome};
use crate::progress::Progress;
use crate::settings::ScanSettings;
use crate::suppress::Gathering;
use lidless_core::{Coverage, Finding, Gap, Mark, Remark};
use lidless_discover::{DiscoverOptions, Found, Source};
use lidless_io::{Counted, Tally};
use lidless_ledger::Case;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Branches named of one finding at most.
const BRANCHES: usize = 16;

/// What local targets gave, until it is written to the case.
#[derive(Default)]
struct Gathered {
    /// One finding in one file is one, however many versions of the file hold it.
    findings: BTreeMap<String, (u64, Finding)>,
    marks: Vec<Mark>,
    gaps: Vec<Gap>,
    suppressed: Gathering,
    remarks: Vec<Remark>,
}

/// Reads one local target to its end.
///
/// # Errors
/// When there is nothing there or it cannot be read at all.
pub(crate) fn read(
    source: &Source,
    settings: &ScanSettings,
    inspector: &Inspector,
    case: &Case,
    book: &Mutex<Book>,
    progress: &Progress,
) -> Result<u64, EngineError> {
    let gathered = Mutex::new(Gathered::default());
    let entries = AtomicU64::new(0);
    let bytes = AtomicU64::new(0);
    let looked = AtomicU64::new(0);
    let options = DiscoverOptions {
        history: settings.history,
        git: settings.git.clone(),
        exclude: settings.exclude.clone(),
        ignore: settings.decisions.ignore.clone(),
        heed_ignore_file: settings.decisions.markers != Markers::None,
        ..DiscoverOptions::default()
    };
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let read = Tally::default();
    let top = match source {
        Source::Repository(path) => std::fs::canonicalize(path).unwrap_or_default(),
        _ => PathBuf::new(),
    };
    let top = top.to_string_lossy();
    let found = |found: Found| {
        // Of a disk image only a part is read; what memory holds was read by whoever filled it.
        let outcome = if let Some(all) = found.artifact.bytes.memory() {
            read.add(u64::try_from(all.len()).unwrap_or(u64::MAX), 1);
            inspector.inspect(&found.artifact)
        } else {
            let counted = Counted::new(Arc::clone(&found.artifact.bytes), read.clone());
            inspector.inspect(&found.artifact.over(Arc::new(counted)))
        };
        progress.entry();
        looked.fetch_add(1, Ordering::Relaxed);
        entries.fetch_add(outcome.entries, Ordering::Relaxed);
        bytes.fetch_add(found.artifact.bytes.len(), Ordering::Relaxed);
        let Outcome { output, seen, unreadable, remarks, .. } = outcome;
        let nothing = output.findings.is_empty()
            && output.suppressed.is_empty()
            && remarks.is_empty()
            && output.marks.is_empty()
            && output.gaps.is_empty()
            && seen.is_empty()
            && unreadable.is_none();
        if nothing {
            return;
        }
        // Who brought it is looked up only where there is something to say.
        let told = !output.findings.is_empty() || !seen.is_empty();
        let newest = found.git.as_ref().is_none_or(|git| git.in_newest_tree);
        let order = found.git.as_ref().map_or(0, |git| git.order);
        let origin = found.git.filter(|_| told).map(|git| Origin {
            commit: git.commit(),
            author: git.author(),
            committed_at: git.committed_at,
            in_newest_tree: git.in_newest_tree,
            branches: git.branches(),
            order: git.order,
        });
        let path = found.artifact.entry.full_path();
        let mut gathered = gathered.lock().unwrap_or_else(PoisonError::into_inner);
        progress.found(output.findings.len(), seen.len());
        for finding in output.findings {
            if !settings.all && is_harmless_model(&finding) {
                continue;
            }
            keep(&mut gathered.findings, path, order, finding, origin.as_ref());
        }
        gathered.suppressed.add(relative(path, &top), order, newest, &output.suppressed);
        if newest {
            gathered.remarks.extend(remarks);
        }
        gathered.marks.extend(output.marks);
        gathered.gaps.extend(output.gaps);
        if let Some(reason) = unreadable {
            let place = &found.artifact.entry.provenance;
            gathered.gaps.push(Gap::new(place, reason, Some(found.artifact.bytes.len())));
        }
        drop(gathered);
        if !seen.is_empty() {
            book.lock().unwrap_or_else(PoisonError::into_inner).add(
                seen,
                origin.as_ref(),
                None,
                false,
            );
        }
    };
    let summary = source
        .walk(&options, threads, &found)
        .map_err(|error| EngineError::Target(error.to_string()))?;
    let gathered = gathered.into_inner().unwrap_or_else(PoisonError::into_inner);
    let suppressed = gathered.suppressed;
    let findings: Vec<Finding> = gathered
        .findings
        .into_iter()
        .filter(|(key, (_, finding))| {
            let path = key.split('\u{0}').next().unwrap_or("");
            !suppressed.allows(relative(path, &top), finding)
        })
        .map(|(_, (_, finding))| finding)
        .collect();
    let (listed_apart, counts) = suppressed.finish();
    case.put_suppressed(&summary.container, &listed_apart, &counts)?;
    case.put_remarks(&gathered.remarks)?;
    let mut gaps = gathered.gaps;
    gaps.extend(summary.gaps);
    case.put_local(&findings, &gathered.marks, &gaps)?;
    let left_out = summary.skipped.values().copied().fold(0, u64::saturating_add);
    let listed = summary.files.saturating_add(summary.blobs);
    let inspected = bytes.into_inner();
    let looked = looked.into_inner();
    case.put_source(&Coverage {
        container: summary.container,
        objects_listed: listed.max(looked).saturating_add(left_out),
        objects_inspected: looked,
        bytes_listed: summary.bytes.max(inspected),
        bytes_inspected: inspected,
        bytes_read: read.bytes(),
        skipped: summary.skipped,
    })?;
    Ok(entries.into_inner())
}

/// The path of a file as the history of its repository calls it.
fn relative<'p>(path: &'p str, top: &str) -> &'p str {
    let below = path.strip_prefix(top).filter(|_| !top.is_empty());
    below.and_then(|rest| rest.strip_prefix('/')).unwrap_or(path)
}

pub(crate) fn is_harmless_model(finding: &Finding) -> bool {
    matches!(finding.rule.as_str(), "model.safe" | "model.weights_only")
}

fn keep(
    findings: &mut BTreeMap<String, (u64, Finding)>,
    path: &str,
    order: u64,
    mut finding: Finding,
    origin: Option<&Origin>,
) {
    if let Some(origin) = origin {
        finding = finding.with_detail(
            "git",
            serde_json::json!({
                "commit": origin.commit,
                "author": origin.author,
                "committed_at": origin.committed_at.map(|time| time.to_string()),
                "in_newest_tree": origin.in_newest_tree,
                "branches": origin.branches,
            }),
        );
    }
    let what = match &finding.fingerprint {
        Some(fingerprint) => fingerprint.to_string(),
        None => format!("{}\u{0}{}", finding.title, finding.evidence),
    };
    let inside = finding.location.split_once("!/").map_or("", |(_, inside)| inside);
    let inside = inside.split('#').next().unwrap_or("");
    let key = format!("{path}\u{0}{inside}\u{0}{}\u{0}{what}", finding.rule);
    match findings.get_mut(&key) {
        None => {
            findings.insert(key, (order, finding));
        }
        Some((known, kept)) => {
            let branches = joined(kept, &finding);
            let newest = [&*kept, &finding].iter().any(|one| {
                one.detail.get("git").and_then(|git| git.get("in_newest_tree"))
                    == Some(&Value::Bool(true))
            });
            if (order, &finding.location, finding.offset) < (*known, &kept.location, kept.offset) {
                *known = order;
                *kept = finding;
            }
            if let Some(Value::Object(git)) = kept.detail.get_mut("git") {
                git.insert("in_newest_tree".into(), newest.into());
                git.insert("branches".into(), branches.into());
            }
        }
    }
}

/// The branches that hold one of two versions, each once.
fn joined(a: &Finding, b: &Finding) -> Vec<String> {
    let lists = [a, b].into_iter().filter_map(|one| one.detail.get("git")?.get("branches"));
    let names = lists.filter_map(Value::as_array).flatten().filter_map(Value::as_str);
    let mut all: Vec<String> = names.map(str::to_owned).collect();
    all.sort();
    all.dedup();
    all.truncate(BRANCHES);
    all
}
