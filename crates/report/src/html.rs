//! One page without script: readable on a phone, on paper, in the dark. Everything that comes
//! from data is escaped, and a content policy forbids what is not in the page.

use crate::amount::{bytes, count, counted, day, minute, percent};
use crate::clean::clean;
use crate::rights;
use crate::story;
use crate::treemap::{Area, Part, squarify};
use lidless_core::{Exposure, Grant, Report, Timestamp};
use std::io::{Result, Write};

const CSS: &str = include_str!("page.css");
/// Rows of a table that are shown; the rest is counted.
const ROWS: usize = 200;

fn escape(text: &str) -> String {
    clean(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// Writes the page.
pub(crate) fn write(report: &Report, now: Timestamp, out: &mut dyn Write) -> Result<()> {
    let title = match report.exposures.first().and_then(|one| story::grant_of(report, one)) {
        Some(grant) => format!("lidless: {}", grant.resource),
        None => "lidless".to_owned(),
    };
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src \
         'unsafe-inline'\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"referrer\" content=\"no-referrer\"><title>{}</title>\n<style>{CSS}</style>\
         </head><body><main>\n",
        escape(&title)
    )?;
    if report.exposures.is_empty() {
        writeln!(
            out,
            "<header><h1>No open storage was found</h1><p>{}</p></header>",
            escape(&story::verdict(report))
        )?;
    }
    for exposure in &report.exposures {
        if let Some(grant) = story::grant_of(report, exposure) {
            block(report, exposure, grant, now, out)?;
        }
    }
    grants(report, now, out)?;
    findings(report, out)?;
    coverage(report, out)?;
    writeln!(
        out,
        "<footer><p>{}</p><p>{}</p><p>lidless {} · {}</p></footer></main></body></html>",
        escape(&story::read_line(report)),
        escape(&story::verdict(report)),
        escape(&report.tool.version),
        minute(report.run.finished.unwrap_or(report.run.started))
    )
}

fn block(
    report: &Report,
    exposure: &Exposure,
    grant: &Grant,
    now: Timestamp,
    out: &mut dyn Write,
) -> Result<()> {
    let severity = exposure.severity.as_str();
    writeln!(
        out,
        "<section class=\"exposure\"><header><p><span class=\"badge {severity}\">{severity}</span> \
         score {}</p><h1>{}</h1><p class=\"lead\">{}</p><p>{}</p></header>",
        story::interval(exposure),
        escape(&grant.resource),
        escape(&story::sentence(report, exposure)),
        escape(&story::times(report, grant))
    )?;
    writeln!(out, "<dl class=\"facts\">")?;
    let fact = |name: &str, value: String, out: &mut dyn Write| {
        writeln!(out, "<div><dt>{name}</dt><dd>{}</dd></div>", escape(&value))
    };
    fact("Reached", bytes(exposure.bytes), out)?;
    fact("Objects", count(exposure.objects), out)?;
    fact("Workstations", count(u64::try_from(exposure.workstations.len()).unwrap_or(0)), out)?;
    let messages = &exposure.messages;
    fact(
        "Messages",
        format!("{} of {} people", count(messages.count), count(messages.people)),
        out,
    )?;
    fact("Models that can be overwritten", count(exposure.writable_models), out)?;
    writeln!(out, "</dl>")?;
    treemap(report, exposure, out)?;
    timeline(report, grant, now, out)?;
    writeln!(out, "<h2>Who holds it</h2><ul>")?;
    for lead in story::leads_of(report, &grant.id).iter().take(50) {
        let since = lead.committed_at.map(|at| format!(", since {}", day(at))).unwrap_or_default();
        let author = lead.author.as_ref().map(|who| format!(", by {who}")).unwrap_or_default();
        writeln!(
            out,
            "<li><code>{}</code>{}</li>",
            escape(&lead.location),
            escape(&format!("{since}{author}"))
        )?;
    }
    writeln!(out, "</ul><h2>What it can do</h2><ul class=\"columns\">")?;
    for operation in &grant.operations {
        writeln!(out, "<li>{}</li>", escape(operation))?;
    }
    writeln!(out, "</ul>")?;
    known(grant, out)?;
    writeln!(out, "<h2>What to do now</h2><p>{}</p>", escape(&grant.revocation))?;
    writeln!(
        out,
        "<p><code>lidless plan CASE</code> prints every step with its commands; <code>lidless check CASE</code> proves that it is closed.</p>"
    )?;
    writeln!(out, "<h2>What is wrong with it</h2><table><tbody>")?;
    for problem in &grant.problems {
        let word = problem.severity.as_str();
        writeln!(
            out,
            "<tr><td><span class=\"badge {word}\">{word}</span></td><td>{}</td></tr>",
            escape(&problem.message)
        )?;
    }
    writeln!(
        out,
        "</tbody></table><h2>How the score came about</h2><div class=\"wide\"><table><thead><tr><th>input</th><th>value</th><th>known by</th><th>evidence</th></tr></thead><tbody>"
    )?;
    for input in &exposure.why {
        let value = if input.value == input.high {
            input.value.to_string()
        } else {
            format!("{} to {}", input.value, input.high)
        };
        let name = format!("{:?}", input.input).to_lowercase();
        let basis = format!("{:?}", input.basis).to_lowercase();
        writeln!(
            out,
            "<tr><td>{name}</td><td>{value}</td><td>{basis}</td><td>{}</td></tr>",
            escape(&input.evidence)
        )?;
    }
    writeln!(out, "</tbody></table></div><pre>{}</pre>", escape_lines(&exposure.arithmetic))?;
    if !exposure.workstations.is_empty() {
        writeln!(out, "<h2>Workstations</h2><ul>")?;
        for one in &exposure.workstations {
            writeln!(
                out,
                "<li><strong>{}</strong> · users {} · {} · {}</li>",
                escape(&story::machine(one)),
                escape(&one.users.join(", ")),
                escape(&story::machine_credentials(one)),
                escape(&one.places.join(", "))
            )?;
        }
        writeln!(out, "</ul>")?;
    }
    writeln!(out, "</section>")
}

/// What is proved, declared, refused and unknown.
fn known(grant: &Grant, out: &mut dyn Write) -> Result<()> {
    let rows = rights::rows(grant);
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<h2>What is proved, declared, refused and unknown</h2><div class=\"wide\"><table><thead><tr><th>standing</th><th>who</th><th>what</th><th>declared</th><th>observed</th><th>why</th></tr></thead><tbody>"
    )?;
    for row in rows.iter().take(ROWS) {
        writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            row.standing(),
            row.who(),
            escape(&row.what()),
            row.declared(),
            row.observed(),
            escape(&row.why())
        )?;
    }
    writeln!(out, "</tbody></table></div>")
}

fn escape_lines(lines: &[String]) -> String {
    lines.iter().map(|line| escape(line)).collect::<Vec<_>>().join("\n")
}

/// Parts smaller than this share are drawn together.
const SMALLEST: f64 = 0.004;

/// What is exposed, by container and in it by kind.
fn treemap(report: &Report, exposure: &Exposure, out: &mut dyn Write) -> Result<()> {
    const CLASSES: [&str; 6] = ["c0", "c1", "c2", "c3", "c4", "c5"];
    let as_float = |value: u64| value.to_string().parse::<f64>().unwrap_or(0.0);
    let total = as_float(exposure.bytes);
    if total <= 0.0 {
        return Ok(());
    }
    let mut parts: Vec<Part> = Vec::new();
    let (mut small, mut small_bytes) = (0u64, 0u64);
    for (index, container) in exposure.containers.iter().enumerate() {
        let value = as_float(container.bytes);
        if value / total < SMALLEST || index >= 40 {
            small = small.saturating_add(1);
            small_bytes = small_bytes.saturating_add(container.bytes);
            continue;
        }
        let words = story::annotation(report, exposure, container).join(" · ");
        let note = format!(
            "{} · {}",
            bytes(container.bytes),
            counted(container.objects, "object", "objects")
        );
        let note = if words.is_empty() { note } else { format!("{note} · {words}") };
        let class = CLASSES.iter().cycle().nth(index).copied().unwrap_or("c0");
        let kinds = kinds(container);
        parts.push(Part { label: container.name.clone(), note, value, class, kinds });
    }
    if small > 0 {
        let note = bytes(small_bytes);
        let names: Vec<String> = exposure
            .containers
            .iter()
            .rev()
            .take(usize::try_from(small).unwrap_or(0))
            .map(|one| one.name.clone())
            .collect();
        let label = if small <= 3 { names.join(", ") } else { format!("{small} others") };
        let value = as_float(small_bytes).max(total * SMALLEST);
        parts.push(Part { label, note, value, class: "c5", kinds: Vec::new() });
    }
    parts.sort_by(|a, b| b.value.total_cmp(&a.value));
    let values: Vec<f64> = parts.iter().map(|part| part.value).collect();
    let whole = Area { x: 0.0, y: 0.0, width: 960.0, height: 340.0 };
    writeln!(
        out,
        "<h2>What is exposed</h2><svg class=\"treemap\" viewBox=\"0 0 960 340\" role=\"img\" aria-label=\"Bytes by container and kind\">"
    )?;
    for (part, area) in parts.iter().zip(squarify(&values, whole)) {
        writeln!(out, "<g><title>{}: {}</title>", escape(&part.label), escape(&part.note))?;
        cells(part, area, out)?;
        // Some seven units a letter, so that a label never leaves its rectangle.
        let fits = |text: &str, size: f64| {
            let letters: f64 = text.chars().map(|_| size * 0.56).sum();
            letters + 16.0 < area.width
        };
        if area.height > 26.0 && fits(&part.label, 16.0) {
            writeln!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                area.x + 10.0,
                area.y + 24.0,
                escape(&part.label)
            )?;
            let mut y = area.y + 44.0;
            for line in part.note.split(" · ") {
                if y + 6.0 < area.y + area.height && fits(line, 13.0) {
                    writeln!(
                        out,
                        "<text class=\"small\" x=\"{:.1}\" y=\"{y:.1}\">{}</text>",
                        area.x + 10.0,
                        escape(line)
                    )?;
                    y += 18.0;
                }
            }
        }
        writeln!(out, "</g>")?;
    }
    writeln!(
        out,
        "</svg><div class=\"wide\"><table><thead><tr><th>container</th><th>objects</th><th>bytes</th><th>what</th></tr></thead><tbody>"
    )?;
    for container in exposure.containers.iter().take(ROWS) {
        let words = story::annotation(report, exposure, container).join(" · ");
        writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(&container.name),
            count(container.objects),
            bytes(container.bytes),
            escape(&words)
        )?;
    }
    writeln!(out, "</tbody></table></div>")
}

/// The rectangle of one container, divided by the kinds of what lies in it.
fn cells(part: &Part, area: Area, out: &mut dyn Write) -> Result<()> {
    let inner = Area {
        x: area.x + 1.0,
        y: area.y + 1.0,
        width: (area.width - 2.0).max(0.5),
        height: (area.height - 2.0).max(0.5),
    };
    let values: Vec<f64> = part.kinds.iter().map(|(_, value)| *value).collect();
    let mut cells = squarify(&values, inner);
    if cells.is_empty() {
        cells.push(inner);
    }
    for (index, cell) in cells.iter().enumerate() {
        // Each kind a little lighter than the one before.
        let shade = match index {
            0 => "",
            1 => " k1",
            2 => " k2",
            _ => " k3",
        };
        let title = match part.kinds.get(index) {
            Some((kind, _)) => format!("<title>{}: {}</title>", escape(&part.label), escape(kind)),
            None => String::new(),
        };
        writeln!(
            out,
            "<rect class=\"{}{shade}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\">{title}</rect>",
            part.class, cell.x, cell.y, cell.width, cell.height
        )?;
        if let Some((kind, _)) = part.kinds.get(index).filter(|_| part.kinds.len() > 1) {
            let letters: f64 = kind.chars().map(|_| 7.3).sum();
            if letters + 12.0 < cell.width && cell.height > 24.0 {
                writeln!(
                    out,
                    "<text class=\"small\" text-anchor=\"end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                    cell.x + cell.width - 8.0,
                    cell.y + cell.height - 9.0,
                    escape(kind)
                )?;
            }
        }
    }
    Ok(())
}

/// The kinds of a container with their bytes, largest first; what is too small to see is left to
/// the table.
fn kinds(container: &lidless_core::ContainerReach) -> Vec<(String, f64)> {
    let as_float = |value: u64| value.to_string().parse::<f64>().unwrap_or(0.0);
    let total = as_float(container.bytes).max(1.0);
    let mut kinds: Vec<(String, f64)> = container
        .kinds
        .iter()
        .map(|(kind, value)| (format!("{kind} {}", bytes(*value)), as_float(*value)))
        .filter(|(_, value)| value / total > 0.01)
        .collect();
    kinds.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    kinds
}

/// From when it stood open until when, and where in between we are.
fn timeline(report: &Report, grant: &Grant, now: Timestamp, out: &mut dyn Write) -> Result<()> {
    let first =
        story::leads_of(report, &grant.id).iter().filter_map(|lead| lead.committed_at).min();
    let (Some(first), Some(end)) = (first, grant.expires) else { return Ok(()) };
    let seconds = |time: Timestamp| time.as_second().to_string().parse::<f64>().unwrap_or(0.0);
    let (from, to) = (seconds(first), seconds(end).max(seconds(now)));
    if to <= from {
        return Ok(());
    }
    let at =
        |time: Timestamp| 20.0 + 920.0 * ((seconds(time) - from) / (to - from)).clamp(0.0, 1.0);
    let here = at(now);
    writeln!(
        out,
        "<h2>How long</h2><svg class=\"timeline\" viewBox=\"0 0 960 80\" role=\"img\" aria-label=\"Open from {} to {}\">\
         <rect class=\"past\" x=\"20\" y=\"32\" width=\"{:.1}\" height=\"12\"/>\
         <rect class=\"future\" x=\"{here:.1}\" y=\"32\" width=\"{:.1}\" height=\"12\"/>\
         <circle cx=\"{here:.1}\" cy=\"38\" r=\"9\"/>\
         <text class=\"small\" x=\"20\" y=\"22\">public {}</text>\
         <text class=\"small\" text-anchor=\"middle\" x=\"{:.1}\" y=\"70\">now</text>\
         <text class=\"small\" text-anchor=\"end\" x=\"940\" y=\"22\">ends {}</text></svg>",
        day(first),
        day(end),
        (here - 20.0).max(0.0),
        (at(end) - here).max(0.0),
        day(first),
        here.clamp(40.0, 920.0),
        day(end)
    )
}

fn grants(report: &Report, now: Timestamp, out: &mut dyn Write) -> Result<()> {
    let others = story::others(report);
    if others.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<section><h2>Other credentials and links</h2><div class=\"wide\"><table><thead><tr><th>severity</th><th>what</th><th>where</th><th>status</th></tr></thead><tbody>"
    )?;
    for grant in others.iter().take(ROWS) {
        let word = grant.severity.as_str();
        let place = story::leads_of(report, &grant.id).first().map(|lead| lead.location.clone());
        writeln!(
            out,
            "<tr><td><span class=\"badge {word}\">{word}</span></td><td>{} <code>{}</code></td><td><code>{}</code></td><td>{}</td></tr>",
            grant.mechanism.words(),
            escape(&grant.resource),
            escape(&place.unwrap_or_default()),
            escape(&story::fate(report, grant, now))
        )?;
    }
    writeln!(out, "</tbody></table></div></section>")
}

fn findings(report: &Report, out: &mut dyn Write) -> Result<()> {
    if report.findings.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<section><h2>Findings</h2><table><thead><tr><th>severity</th><th>count</th><th>what</th></tr></thead><tbody>"
    )?;
    for row in story::found(report.findings.iter()).iter().take(ROWS) {
        let word = row.severity.as_str();
        writeln!(
            out,
            "<tr><td><span class=\"badge {word}\">{word}</span></td><td>{}</td><td>{}</td></tr>",
            count(row.times),
            escape(&row.words())
        )?;
    }
    writeln!(
        out,
        "</tbody></table><details><summary>The worst {} with their places</summary><div class=\"wide\"><table><tbody>",
        ROWS.min(report.findings.len())
    )?;
    for finding in report.findings.iter().take(ROWS) {
        let word = finding.severity.as_str();
        writeln!(
            out,
            "<tr><td><span class=\"badge {word}\">{word}</span></td><td>{}</td><td><code>{}</code></td><td>{}</td></tr>",
            escape(&finding.title),
            escape(&finding.location),
            escape(&finding.evidence)
        )?;
    }
    writeln!(out, "</tbody></table></div></details></section>")
}

fn coverage(report: &Report, out: &mut dyn Write) -> Result<()> {
    writeln!(
        out,
        "<section><h2>What was looked at</h2><div class=\"wide\"><table><thead><tr><th>where</th><th>looked into</th><th>share</th><th>bytes read</th></tr></thead><tbody>"
    )?;
    for one in report.coverage.iter().take(ROWS) {
        writeln!(
            out,
            "<tr><td><code>{}</code></td><td>{} of {}</td><td>{}</td><td>{}</td></tr>",
            escape(&one.container),
            count(one.objects_inspected),
            count(one.objects_listed),
            percent(one.objects_inspected, one.objects_listed),
            bytes(one.bytes_read)
        )?;
    }
    writeln!(out, "</tbody></table></div>")?;
    for (by, many) in crate::suppressed::left_out(report) {
        writeln!(out, "<p>{} left out by {}</p>", count(many), escape(&by))?;
    }
    if let Some(line) = crate::suppressed::line(report) {
        writeln!(out, "<h2>Suppressed</h2><p>{}</p><ul>", escape(&line))?;
        for row in crate::suppressed::rows(report) {
            writeln!(out, "<li>{}</li>", escape(&row))?;
        }
        writeln!(out, "</ul>")?;
    }
    for remark in crate::suppressed::remarks(report) {
        writeln!(out, "<p>{}</p>", escape(&remark))?;
    }
    let gaps = story::gaps(&report.gaps);
    if !gaps.is_empty() {
        writeln!(out, "<h2>What was not seen</h2><ul>")?;
        for (reason, times, size) in gaps.iter().take(ROWS) {
            writeln!(
                out,
                "<li>{} ({} times, {})</li>",
                escape(reason),
                count(*times),
                bytes(*size)
            )?;
        }
        writeln!(out, "</ul>")?;
    }
    writeln!(out, "</section>")
}
