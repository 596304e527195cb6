//! SARIF 2.1.0. A link in a repository is the physical location; what lies in a store is named
//! by its URI. At most 5,000 results, the worst, as code scanning keeps them.

use lidless_core::{Finding, Lead, Reason, Report, Severity, Suppressed};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Result, Write};

const RESULTS: usize = 5_000;

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// The scale of code scanning, 0 to 10.
fn scale(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Info => "0.0",
    }
}

/// The path inside a repository, or the whole URI.
fn uri(location: &str) -> String {
    let location = location.split('#').next().unwrap_or("");
    if location.starts_with("git+") {
        let inside = location.rsplit_once('@').and_then(|(_, rest)| rest.split_once(':'));
        if let Some((_, path)) = inside {
            return path.to_owned();
        }
    }
    location.to_owned()
}

fn location(place: &str, line: Option<u64>) -> Value {
    let mut physical = json!({ "artifactLocation": { "uri": uri(place) } });
    if let (Some(line), Value::Object(map)) = (line, &mut physical) {
        map.insert("region".into(), json!({ "startLine": line.max(1) }));
    }
    json!({
        "physicalLocation": physical,
        "logicalLocations": [{ "fullyQualifiedName": place, "kind": "resource" }],
    })
}

fn result(finding: &Finding) -> Value {
    json!({
        "ruleId": finding.rule,
        "level": level(finding.severity),
        "message": { "text": format!("{}: {}", finding.title, finding.evidence) },
        "locations": [location(&finding.location, finding.line)],
        "partialFingerprints": { "lidlessFinding/v1": finding.id },
        "properties": {
            "severity": finding.severity,
            "confidence": finding.confidence,
            "category": finding.category,
            "verified": finding.verified,
        },
    })
}

/// What a person decided to leave out, as a result that says so.
fn accepted(one: &Suppressed) -> (Severity, Value) {
    let kind = if one.reason == Reason::InlineAllow { "inSource" } else { "external" };
    let value = json!({
        "ruleId": one.rule,
        "level": "none",
        "message": { "text": format!("accepted: {}", one.note.as_deref().unwrap_or("no reason")) },
        "locations": [location(&one.location, one.line)],
        "partialFingerprints": { "lidlessFinding/v1": one.id },
        "suppressions": [{ "kind": kind, "status": "accepted", "justification": one.note }],
    });
    (Severity::Info, value)
}

fn lead_result(report: &Report, lead: &Lead) -> Option<(Severity, Value)> {
    let grant = report.grants.iter().find(|grant| Some(&grant.id) == lead.grant.as_ref())?;
    let rule = format!("grant.{}", grant.mechanism.as_str());
    // Most leads are findings already; these were named by the user, or are bare links.
    if report.findings.iter().any(|one| one.rule == rule && one.location == lead.location) {
        return None;
    }
    let text = format!("{} for {}: {}", grant.mechanism.words(), grant.resource, lead.url);
    let value = json!({
        "ruleId": rule,
        "level": level(grant.severity),
        "message": { "text": text },
        "locations": [location(&lead.location, lead.line)],
        "partialFingerprints": { "lidlessLead/v1": lead.id },
        "properties": { "severity": grant.severity, "status": grant.status },
    });
    Some((grant.severity, value))
}

/// Writes one run.
pub(crate) fn write(report: &Report, out: &mut dyn Write) -> Result<()> {
    let mut results: Vec<(Severity, Value)> =
        report.leads.iter().filter_map(|lead| lead_result(report, lead)).collect();
    results.extend(report.findings.iter().map(|finding| (finding.severity, result(finding))));
    results.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
    results.extend(report.suppressed.iter().filter(|one| one.reason.is_a_decision()).map(accepted));
    let cut = results.len().saturating_sub(RESULTS);
    results.truncate(RESULTS);
    let mut rules: BTreeMap<String, (Severity, String)> = BTreeMap::new();
    for (severity, value) in &results {
        let id = value.get("ruleId").and_then(Value::as_str).unwrap_or("").to_owned();
        let title = report
            .findings
            .iter()
            .find(|finding| finding.rule == id)
            .map_or_else(|| "credential for storage".to_owned(), |finding| finding.title.clone());
        let known = rules.entry(id).or_insert((*severity, title));
        known.0 = known.0.max(*severity);
    }
    let rules: Vec<Value> = rules
        .into_iter()
        .map(|(id, (severity, title))| {
            json!({
                "id": id,
                "shortDescription": { "text": title },
                "help": { "text": format!("{title}. See the human report for what to do.") },
                "properties": { "security-severity": scale(severity), "tags": ["security"] },
            })
        })
        .collect();
    let mut notes: Vec<Value> = crate::story::gaps(&report.gaps)
        .into_iter()
        .map(|(reason, times, _)| {
            json!({ "level": "warning", "message": { "text": format!("not seen, {times} times: {reason}") } })
        })
        .collect();
    if cut > 0 {
        let text = format!("{cut} results of lower severity were left out; use --format jsonl");
        notes.push(json!({ "level": "warning", "message": { "text": text } }));
    }
    let value = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": report.tool.name,
                "version": report.tool.version,
                "semanticVersion": report.tool.version,
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": report.run.exit_code.is_some(),
                "exitCode": report.run.exit_code.unwrap_or(2),
                "startTimeUtc": report.run.started,
                "toolExecutionNotifications": notes,
            }],
            "results": results.into_iter().map(|(_, value)| value).collect::<Vec<_>>(),
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &value)?;
    writeln!(out)
}
