//! For a terminal: the critical thing first, numbers with their units, what to do, what was not
//! seen. No line is wider than the style says.

use crate::amount::{bytes, count, counted, day};
use crate::clean::clean;
use crate::layout::{bar, elide, pad, pad_left, wrap};
use crate::rights;
use crate::story;
use crate::style::{Style, Tone};
use crate::suppressed;
use lidless_core::{Exposure, Finding, Report, Severity, Timestamp};
use std::io::{Result, Write};

/// Where the text beside a label begins.
const LABEL: usize = 12;
/// Rows of a kind that are shown; the rest is counted.
const ROWS: usize = 12;

struct Page<'a> {
    out: &'a mut dyn Write,
    style: &'a Style,
    width: usize,
}

impl Page<'_> {
    fn blank(&mut self) -> Result<()> {
        writeln!(self.out)
    }

    fn text(&mut self, text: &str) -> Result<()> {
        for line in wrap(text, self.width.saturating_sub(2)) {
            writeln!(self.out, "  {line}")?;
        }
        Ok(())
    }

    fn heading(&mut self, text: &str) -> Result<()> {
        self.blank()?;
        let text = self.style.paint(Tone::Bold, text);
        writeln!(self.out, "  {text}")
    }

    /// A label and its text, wrapped beside it.
    fn label(&mut self, label: &str, text: &str) -> Result<()> {
        let room = self.width.saturating_sub(LABEL).saturating_sub(2);
        let mut first = true;
        for line in wrap(text, room) {
            let shown = if first { label } else { "" };
            let shown = self.style.paint(Tone::Dim, &pad(shown, LABEL));
            writeln!(self.out, "  {shown}{line}")?;
            first = false;
        }
        Ok(())
    }

    fn severity(&self, severity: Severity, width: usize) -> String {
        let word = severity.as_str().to_uppercase();
        self.style.paint(Tone::Of(severity), &pad(&word, width))
    }
}

/// Writes a report for people.
pub(crate) fn write(
    report: &Report,
    style: &Style,
    now: Timestamp,
    out: &mut dyn Write,
) -> Result<()> {
    let mut page = Page { out, style, width: style.columns() };
    page.blank()?;
    for exposure in &report.exposures {
        block(&mut page, report, exposure)?;
    }
    grants(&mut page, report, now)?;
    let models = report.exposures.is_empty();
    if models {
        crate::models::write(report, style, page.width, page.out)?;
    }
    elsewhere(&mut page, report, models)?;
    asked(&mut page, report)?;
    closing(&mut page, report)
}

fn block(page: &mut Page<'_>, report: &Report, exposure: &Exposure) -> Result<()> {
    let Some(grant) = story::grant_of(report, exposure) else { return Ok(()) };
    let interval = story::interval(exposure);
    let head =
        format!("{} · score {interval} · {}", clean(&grant.resource), story::times(report, grant));
    let severity = page.severity(exposure.severity, 11);
    let mut lines = wrap(&head, page.width.saturating_sub(13)).into_iter();
    let first = page.style.paint(Tone::Bold, &lines.next().unwrap_or_default());
    writeln!(page.out, "  {severity}{first}")?;
    for line in lines {
        writeln!(page.out, "             {line}")?;
    }
    page.blank()?;
    page.text(&story::sentence(report, exposure))?;
    page.blank()?;
    let leads = story::leads_of(report, &grant.id);
    for (index, lead) in leads.iter().take(4).enumerate() {
        let file = lead.file.as_deref().unwrap_or(&lead.location);
        let line = lead.line.map(|line| format!(":{line}")).unwrap_or_default();
        let since = match (&lead.commit, lead.committed_at) {
            (Some(commit), Some(at)) => {
                let gone = if lead.in_newest_tree == Some(false) {
                    ", no longer in the newest tree"
                } else {
                    ""
                };
                format!(", since commit {}, {}{gone}", commit.get(..7).unwrap_or(commit), day(at))
            }
            _ => String::new(),
        };
        let who = if lead.author.is_some() || lead.commit.is_some() {
            "anyone with the link: "
        } else {
            ""
        };
        let who = if index == 0 { who } else { "" };
        page.label(if index == 0 { "Who can" } else { "" }, &format!("{who}{file}{line}{since}"))?;
    }
    if leads.len() > 4 {
        page.label("", &format!("and {} more places", leads.len().saturating_sub(4)))?;
    }
    page.label("Can do", &grant.operations.join(" · "))?;
    let rights = rights::lines(grant);
    if rights.iter().all(|(label, _)| *label != "Proved")
        && let Some(answer) = story::answer(grant)
    {
        page.label("Observed", &clean(answer))?;
    }
    for (label, words) in rights {
        page.label(label, &words)?;
    }
    reaches(page, report, exposure)?;
    let behind = || {
        report
            .findings
            .iter()
            .filter(|finding| story::is_behind(report, exposure, &finding.location))
    };
    rows(page, "Found", behind())?;
    page.label("Do now", &format!("1  {}", grant.revocation))?;
    page.label("", "2  lidless plan CASE      every step, in order, with its commands")?;
    page.label("", "3  lidless check CASE     proves that it is closed")?;
    let unseen: Vec<_> = report
        .gaps
        .iter()
        .filter(|gap| {
            let at = format!("{}/", gap.location);
            story::is_behind(report, exposure, &at)
        })
        .cloned()
        .collect();
    let words: Vec<String> = story::gaps(&unseen)
        .into_iter()
        .take(6)
        .map(|(reason, times, bytes)| not_seen(&reason, times, bytes))
        .collect();
    if !words.is_empty() {
        page.label("Not seen", &words.join(" · "))?;
    }
    page.label("Why", &exposure.arithmetic.last().cloned().unwrap_or_default())?;
    page.blank()
}

fn not_seen(reason: &str, times: u64, size: u64) -> String {
    let times = if times > 1 { format!("{} x ", count(times)) } else { String::new() };
    let size = if size > 0 { format!(" ({})", bytes(size)) } else { String::new() };
    format!("{times}{reason}{size}")
}

fn reaches(page: &mut Page<'_>, report: &Report, exposure: &Exposure) -> Result<()> {
    if exposure.containers.is_empty() {
        let followed = story::leads_of(report, &exposure.grant).iter().any(|lead| lead.followed);
        let why = if followed { "nothing could be listed" } else { "not listed: --follow does" };
        return page.label("Reaches", why);
    }
    let many = u64::try_from(exposure.containers.len()).unwrap_or(0);
    page.label(
        "Reaches",
        &format!(
            "{} · {} · {}",
            counted(many, "container", "containers"),
            counted(exposure.objects, "object", "objects"),
            bytes(exposure.bytes)
        ),
    )?;
    let names = exposure.containers.iter().map(|one| clean(&one.name).chars().count()).max();
    let name = names.unwrap_or(0).clamp(6, 20);
    let room = page.width.saturating_sub(LABEL).saturating_sub(4).saturating_sub(name);
    let bars = 14usize;
    for container in exposure.containers.iter().take(ROWS) {
        let words = story::annotation(report, exposure, container);
        let chart = bar(container.bytes, exposure.bytes, bars);
        let mut notes =
            wrap(&words.join(" · "), room.saturating_sub(12).saturating_sub(bars)).into_iter();
        let chart = page.style.paint(Tone::Bar, &pad(&chart, bars));
        let line = format!(
            "{}  {}  {chart} {}",
            pad(&elide(&container.name, name), name),
            pad_left(&bytes(container.bytes), 8),
            notes.next().unwrap_or_default()
        );
        writeln!(page.out, "  {}{}", " ".repeat(LABEL), line.trim_end())?;
        let indent = LABEL.saturating_add(name).saturating_add(bars).saturating_add(15);
        for note in notes {
            writeln!(page.out, "{}{note}", " ".repeat(indent))?;
        }
    }
    if exposure.containers.len() > ROWS {
        let more = exposure.containers.len().saturating_sub(ROWS);
        page.label("", &format!("and {more} more containers"))?;
    }
    // Their names stand beside their containers; what was read in them stands here.
    let mut label = "Machines";
    for one in exposure.workstations.iter().take(ROWS) {
        let credentials = story::machine_credentials(one);
        let held = if credentials.is_empty() { credentials } else { format!(": {credentials}") };
        page.label(label, &clean(&format!("{}{held}", story::machine(one))))?;
        label = "";
    }
    let messages = exposure.messages;
    if messages.count > 0 {
        let words = format!("{} of {} people", count(messages.count), count(messages.people));
        page.label("Messages", &words)?;
    }
    Ok(())
}

fn rows<'r>(
    page: &mut Page<'_>,
    label: &str,
    findings: impl Iterator<Item = &'r Finding>,
) -> Result<()> {
    let rows = story::found(findings);
    let room = page.width.saturating_sub(LABEL).saturating_sub(2);
    for (index, row) in rows.iter().take(ROWS).enumerate() {
        let shown = page.style.paint(Tone::Dim, &pad(if index == 0 { label } else { "" }, LABEL));
        let word = page.severity(row.severity, 9);
        let left = room.saturating_sub(16);
        // The note is short and says more than the middle of a title or a place.
        let wide = (left.saturating_mul(3) / 5).max(row.note.chars().count().saturating_add(14));
        let title = elide(row.title, wide.saturating_sub(row.note.chars().count()));
        let title = format!("{title}{}", row.note);
        let place = elide(row.place, left.saturating_sub(title.chars().count()).saturating_sub(2));
        let dim = page.style.paint(Tone::Dim, &place);
        writeln!(page.out, "  {shown}{word}{}  {title}  {dim}", pad_left(&count(row.times), 5))?;
    }
    if rows.len() > ROWS {
        let more = u64::try_from(rows.len().saturating_sub(ROWS)).unwrap_or(u64::MAX);
        page.label("", &format!("and {}", counted(more, "more kind", "more kinds")))?;
    }
    Ok(())
}

fn grants(page: &mut Page<'_>, report: &Report, now: Timestamp) -> Result<()> {
    let others = story::others(report);
    let (links, grants): (Vec<_>, Vec<_>) = others
        .into_iter()
        .partition(|grant| grant.signature.log_hash.is_none() && grant.key_hint.is_none());
    if !grants.is_empty() {
        page.heading(if report.exposures.is_empty() {
            "Credentials for storage"
        } else {
            "Other credentials"
        })?;
        for grant in grants.iter().take(30) {
            let word = page.severity(grant.severity, 10);
            let room = page.width.saturating_sub(14);
            let text = format!(
                "{} · {} · {}",
                grant.mechanism.words(),
                clean(&grant.resource),
                story::fate(report, grant, now)
            );
            let mut lines = wrap(&text, room).into_iter();
            writeln!(page.out, "  {word}{}", lines.next().unwrap_or_default())?;
            for line in lines {
                writeln!(page.out, "            {line}")?;
            }
            if let Some(answer) = story::answer(grant) {
                for line in wrap(&clean(answer), room) {
                    writeln!(page.out, "            {line}")?;
                }
            }
            for lead in story::leads_of(report, &grant.id).iter().take(2) {
                let at =
                    lead.committed_at.map(|at| format!(", since {}", day(at))).unwrap_or_default();
                let place = elide(&lead.location, room.saturating_sub(18));
                let text = page.style.paint(Tone::Dim, &format!("{place}{at}"));
                writeln!(page.out, "            {text}")?;
            }
        }
    }
    if !links.is_empty() {
        page.heading(&format!(
            "{} without a credential",
            counted(u64::try_from(links.len()).unwrap_or(0), "storage link", "storage links")
        ))?;
        for grant in links.iter().take(8) {
            let mut text =
                format!("{} · {}", clean(&grant.resource), story::fate(report, grant, now));
            if let Some(answer) = story::answer(grant) {
                text.push_str(&format!(": {}", clean(answer)));
            }
            page.text(&text)?;
        }
    }
    Ok(())
}

fn elsewhere(page: &mut Page<'_>, report: &Report, models_told: bool) -> Result<()> {
    let loose: Vec<&Finding> = report
        .findings
        .iter()
        .filter(|finding| {
            let behind =
                report.exposures.iter().any(|one| story::is_behind(report, one, &finding.location));
            let told = models_told && is_of_model(report, finding);
            !(behind || told || finding.rule.starts_with("grant."))
        })
        .collect();
    if loose.is_empty() {
        return Ok(());
    }
    page.heading("Found in what you named")?;
    rows(page, "", loose.into_iter())?;
    if crate::verified::nobody_asked(report) {
        page.label("Live?", "not asked: scan --verify asks the issuers of secrets")?;
    }
    Ok(())
}

/// What issuers said, when they were asked.
fn asked(page: &mut Page<'_>, report: &Report) -> Result<()> {
    let lines = crate::verified::lines(report);
    if lines.is_empty() {
        return Ok(());
    }
    page.heading("What issuers say")?;
    for (word, text) in lines.iter().take(30) {
        page.label(word, text)?;
    }
    if lines.len() > 30 {
        page.label("", &format!("and {} more", lines.len().saturating_sub(30)))?;
    }
    Ok(())
}

/// Whether a finding stands in the table of models.
fn is_of_model(report: &Report, finding: &Finding) -> bool {
    finding.rule.starts_with("model.")
        && report.models.iter().any(|row| finding.location.starts_with(&row.location))
}

fn closing(page: &mut Page<'_>, report: &Report) -> Result<()> {
    if report.exposures.is_empty() && report.grants.is_empty() && report.findings.is_empty() {
        let seen =
            report.coverage.iter().map(|one| one.objects_inspected).fold(0, u64::saturating_add);
        page.text(&format!("Nothing found in {}.", counted(seen, "entry", "entries")))?;
    }
    page.blank()?;
    for coverage in report.coverage.iter().filter(|one| !one.container.starts_with("az")).take(6) {
        // Of disk images and archives a part decides.
        let part = if coverage.bytes_read < coverage.bytes_inspected {
            format!("{} of ", bytes(coverage.bytes_read))
        } else {
            String::new()
        };
        let text = format!(
            "{}: {} of {} looked into, {part}{}",
            clean(&coverage.container),
            count(coverage.objects_inspected),
            counted(coverage.objects_listed, "entry", "entries"),
            bytes(coverage.bytes_inspected)
        );
        page.label("Looked at", &text)?;
    }
    let left_out: Vec<String> = suppressed::left_out(report)
        .into_iter()
        .map(|(by, many)| format!("{} by {by}", count(many)))
        .collect();
    if !left_out.is_empty() {
        page.label("Left out", &left_out.join(" · "))?;
    }
    if let Some(line) = suppressed::line(report) {
        page.label("Suppressed", &line)?;
        for row in suppressed::rows(report) {
            page.label("", &row)?;
        }
        if let Some(more) = suppressed::more(report) {
            page.label("", &more)?;
        }
    }
    for remark in suppressed::remarks(report) {
        page.label("Note", &remark)?;
    }
    let gaps = story::gaps(&report.gaps);
    if !gaps.is_empty() {
        let words: Vec<String> = gaps
            .iter()
            .take(8)
            .map(|(reason, times, bytes)| not_seen(reason, *times, *bytes))
            .collect();
        let more = if gaps.len() > 8 { " · and more" } else { "" };
        page.label("Not seen", &format!("{}{more}", words.join(" · ")))?;
    }
    page.label("Read", &story::read_line(report))?;
    page.blank()?;
    page.text(&story::verdict(report))
}
