//! For a comment on an issue or a pull request.

use crate::amount::{bytes, count, day};
use crate::clean::clean;
use crate::rights;
use crate::story;
use lidless_core::{Grant, Report, Timestamp};
use std::io::{Result, Write};

/// A cell of a table: nothing in it is markup.
fn cell(text: &str) -> String {
    let text = clean(text).replace('|', "\\|").replace('`', "'").replace('<', "&lt;");
    format!("`{text}`")
}

/// What is proved, declared, refused and unknown.
fn known(grant: &Grant, out: &mut dyn Write) -> Result<()> {
    let rows = rights::rows(grant);
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n### What is proved, declared, refused and unknown\n\n| standing | who | what | declared | observed | why |\n| --- | --- | --- | --- | --- | --- |"
    )?;
    for row in rows.iter().take(50) {
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            row.standing(),
            row.who(),
            cell(&row.what()),
            row.declared(),
            row.observed(),
            cell(&row.why())
        )?;
    }
    Ok(())
}

/// Writes exposures, credentials, findings by kind, and what was not seen.
pub(crate) fn write(report: &Report, now: Timestamp, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "# lidless")?;
    for exposure in &report.exposures {
        let Some(grant) = story::grant_of(report, exposure) else { continue };
        writeln!(
            out,
            "\n## {} {} (score {})\n\n{} It is {}.\n",
            exposure.severity.as_str().to_uppercase(),
            cell(&grant.resource),
            story::interval(exposure),
            story::sentence(report, exposure),
            story::times(report, grant)
        )?;
        writeln!(out, "| container | objects | bytes | what |\n| --- | ---: | ---: | --- |")?;
        for container in exposure.containers.iter().take(50) {
            let words = story::annotation(report, exposure, container).join("; ");
            let words = if words.is_empty() { String::new() } else { cell(&words) };
            writeln!(
                out,
                "| {} | {} | {} | {words} |",
                cell(&container.name),
                count(container.objects),
                bytes(container.bytes)
            )?;
        }
        known(grant, out)?;
        writeln!(out, "\nTo close it: {}", grant.revocation.replace('<', "&lt;"))?;
    }
    if !report.leads.is_empty() {
        writeln!(
            out,
            "\n## Leads\n\n| place | what | since | status |\n| --- | --- | --- | --- |"
        )?;
        for lead in report.leads.iter().take(100) {
            let grant = report.grants.iter().find(|grant| Some(&grant.id) == lead.grant.as_ref());
            let fate = grant.map(|grant| story::fate(report, grant, now)).unwrap_or_default();
            let since = lead.committed_at.map(day).unwrap_or_default();
            writeln!(
                out,
                "| {} | {} | {since} | {} |",
                cell(&lead.location),
                cell(&lead.url),
                cell(&fate)
            )?;
        }
    }
    let found = story::found(report.findings.iter());
    if !found.is_empty() {
        writeln!(
            out,
            "\n## Findings\n\n| severity | count | what | example |\n| --- | ---: | --- | --- |"
        )?;
        for row in found.iter().take(100) {
            writeln!(
                out,
                "| {} | {} | {} | {} |",
                row.severity,
                count(row.times),
                cell(&row.words()),
                cell(row.place)
            )?;
        }
    }
    if let Some(line) = crate::suppressed::line(report) {
        writeln!(out, "\nSuppressed: {line}.")?;
        for row in crate::suppressed::rows(report) {
            writeln!(out, "- {}", cell(&row))?;
        }
    }
    for remark in crate::suppressed::remarks(report) {
        writeln!(out, "\nNote: {}.", cell(&remark))?;
    }
    let gaps = story::gaps(&report.gaps);
    if !gaps.is_empty() {
        writeln!(out, "\n## Not seen\n")?;
        for (reason, times, size) in gaps.iter().take(50) {
            writeln!(out, "- {} ({} times, {})", cell(reason), count(*times), bytes(*size))?;
        }
    }
    writeln!(out, "\n{}", story::verdict(report))
}
