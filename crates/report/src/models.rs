//! The model files of a report: counted, the worst named.

use crate::amount::counted;
use crate::clean::clean;
use crate::layout::{elide, pad, wrap};
use crate::style::{Style, Tone};
use lidless_core::{Finding, ModelRow, ModelVerdict, Report, Severity};
use std::io::{Result, Write};

/// Files that are named one by one; the rest is counted.
const ROWS: usize = 40;
const VERDICTS: [ModelVerdict; 5] = [
    ModelVerdict::Dangerous,
    ModelVerdict::Suspicious,
    ModelVerdict::UnknownImport,
    ModelVerdict::WeightsOnly,
    ModelVerdict::Safe,
];

/// `14 model files: 2 dangerous, 12 safe`.
pub(crate) fn sum(report: &Report) -> String {
    let counts: Vec<String> = VERDICTS
        .iter()
        .filter_map(|verdict| {
            let count = report.models.iter().filter(|row| row.verdict == *verdict).count();
            (count > 0).then(|| format!("{count} {verdict}"))
        })
        .collect();
    let all = u64::try_from(report.models.len()).unwrap_or(u64::MAX);
    format!("{}: {}", counted(all, "model file", "model files"), counts.join(", "))
}

/// What was found in a model file, the worst first.
pub(crate) fn findings_of<'r>(report: &'r Report, row: &ModelRow) -> Vec<&'r Finding> {
    report
        .findings
        .iter()
        .filter(|finding| {
            finding
                .location
                .strip_prefix(row.location.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with("!/"))
        })
        .collect()
}

/// The location without what every file of the run has in front.
pub(crate) fn short<'r>(report: &Report, row: &'r ModelRow) -> &'r str {
    let path = row.location.strip_prefix("file://").unwrap_or(&row.location);
    report
        .run
        .targets
        .iter()
        .filter_map(|target| path.strip_prefix(target.trim_end_matches('/')))
        .map(|rest| rest.trim_start_matches('/'))
        .find(|rest| !rest.is_empty())
        .unwrap_or(path)
}

/// Writes the table of models: each that is not harmless with what it would do.
pub(crate) fn write(
    report: &Report,
    style: &Style,
    width: usize,
    out: &mut dyn Write,
) -> Result<()> {
    if report.models.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    writeln!(out, "  {}", style.paint(Tone::Bold, &sum(report)))?;
    writeln!(out)?;
    let harmful = |row: &&ModelRow| row.verdict > ModelVerdict::WeightsOnly;
    let (bad, good): (Vec<&ModelRow>, Vec<&ModelRow>) = report.models.iter().partition(harmful);
    let room = width.saturating_sub(2);
    for row in bad.iter().take(ROWS) {
        let findings = findings_of(report, row);
        let severity = findings.iter().map(|finding| finding.severity).max();
        line(style, row, severity.unwrap_or(Severity::Medium), report, room, out)?;
        for finding in findings.iter().take(2) {
            let text = format!("{}: {}", finding.title, finding.evidence);
            let text = clean(if finding.title.contains(&finding.evidence) {
                &finding.title
            } else {
                &text
            });
            for part in wrap(&text, room.saturating_sub(18)).iter().take(3) {
                writeln!(out, "  {:17}{part}", "")?;
            }
        }
    }
    if bad.len() > ROWS {
        writeln!(out, "  and {} more", bad.len().saturating_sub(ROWS))?;
    }
    for row in good.iter().take(ROWS.saturating_sub(bad.len())) {
        line(style, row, Severity::Info, report, room, out)?;
    }
    Ok(())
}

fn line(
    style: &Style,
    row: &ModelRow,
    severity: Severity,
    report: &Report,
    room: usize,
    out: &mut dyn Write,
) -> Result<()> {
    let verdict = match row.verdict {
        ModelVerdict::WeightsOnly => "weights_only",
        other => other.as_str(),
    };
    let word = style.paint(Tone::Of(severity), &pad(verdict, 17));
    let name = elide(&clean(short(report, row)), room.saturating_sub(42));
    let format = style.paint(Tone::Dim, &row.format);
    writeln!(out, "  {word}{name}  {format}")
}
