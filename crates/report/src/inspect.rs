//! `lidless inspect`: a grant explained alone.

use crate::amount::{day, minute};
use crate::annotate::annotate;
use crate::clean::clean;
use crate::layout::{pad, wrap};
use crate::primer::primer;
use crate::style::{Style, Tone};
use lidless_core::{Explained, GrantStatus, Mechanism, OperationRow, Severity, Timestamp};
use std::io::{Result, Write};

/// How much is told about each credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// What someone who knows such tokens wants to see.
    Usual,
    /// With a primer for someone who has never met one, and a reference for each problem.
    Explain,
}

/// Explains credentials one after the other, in the order given.
///
/// # Errors
/// What the writer says.
pub fn render_inspect(
    list: &[Explained],
    detail: Detail,
    style: &Style,
    now: Timestamp,
    out: &mut dyn Write,
) -> Result<()> {
    let mut told: Option<&[&str]> = None;
    for one in list {
        let primer = primer(one.grant.mechanism);
        let fresh = detail == Detail::Explain && told != Some(primer);
        told = Some(primer);
        show(one, if fresh { primer } else { &[] }, detail, style, now, out)?;
    }
    if list.len() > 1 {
        summary(list, style, out)?;
    }
    Ok(())
}

/// How many of what severity, worst first.
fn summary(list: &[Explained], style: &Style, out: &mut dyn Write) -> Result<()> {
    let mut severities: Vec<Severity> = list.iter().map(|one| one.grant.severity).collect();
    severities.sort();
    let mut parts: Vec<String> = Vec::new();
    for group in severities.chunk_by(|a, b| a == b).rev() {
        let Some(severity) = group.first() else { continue };
        parts.push(format!("{} {}", group.len(), severity.as_str()));
    }
    let line = format!("{} credentials: {}", list.len(), parts.join(" · "));
    writeln!(out, "  {}", style.paint(Tone::Bold, &line))
}

fn show(
    one: &Explained,
    primer: &[&str],
    detail: Detail,
    style: &Style,
    now: Timestamp,
    out: &mut dyn Write,
) -> Result<()> {
    let grant = &one.grant;
    let width = style.columns();
    let room = width.saturating_sub(14);
    writeln!(out)?;
    let word = grant.severity.as_str().to_uppercase();
    let end = match (grant.status, grant.expires) {
        (GrantStatus::Expired, Some(end)) => format!("expired {}", day(end)),
        (_, Some(end)) => format!("runs until {}", day(end)),
        (_, None) => "no end of its own".into(),
    };
    let head = format!("{} · {} · {word} · {end}", clean(&grant.resource), grant.mechanism.words());
    for line in wrap(&head, width.saturating_sub(2)) {
        writeln!(out, "  {}", style.paint(Tone::Of(grant.severity), &line))?;
    }
    writeln!(out)?;
    for paragraph in primer {
        for line in wrap(paragraph, width.saturating_sub(4)) {
            writeln!(out, "  {line}")?;
        }
        writeln!(out)?;
    }
    for line in annotate(&one.token, &one.notes, style, width.saturating_sub(4)) {
        writeln!(out, "    {line}")?;
    }
    writeln!(out)?;
    let words: Vec<&str> =
        grant.permissions.iter().flatten().map(|permission| permission.as_str()).collect();
    let scope = serde_json::to_value(grant.scope).ok();
    let scope = scope.as_ref().and_then(|value| value.as_str()).unwrap_or("unknown");
    label(out, style, room, "Scope", &format!("{scope}: {}", grant.resource))?;
    if !grant.services.is_empty() {
        label(out, style, room, "Services", &grant.services.join(", "))?;
    }
    let shown =
        if grant.permissions.is_none() { "not in the token".into() } else { words.join(", ") };
    label(out, style, room, "Permissions", &shown)?;
    if one.operations.is_empty() {
        label(out, style, room, "Can do", &grant.operations.join(" · "))?;
    } else {
        for (index, row) in table(&one.operations).into_iter().enumerate() {
            label_row(out, style, if index == 0 { "Can do" } else { "" }, &row)?;
        }
        // What limits it is in words only.
        let limits: Vec<&str> = grant
            .operations
            .iter()
            .map(String::as_str)
            .filter(|words| words.starts_with("only"))
            .collect();
        for words in limits {
            label_row(out, style, "", words)?;
        }
    }
    let start =
        grant.starts.map_or_else(|| "no start".into(), |time| format!("from {}", minute(time)));
    let stop = match grant.expires {
        Some(time) if time <= now => format!("ended {}", minute(time)),
        Some(time) => format!("until {} ({} left)", minute(time), crate::amount::span(now, time)),
        None => "no end".into(),
    };
    label(out, style, room, "Times", &format!("{start} · {stop}"))?;
    label(
        out,
        style,
        room,
        "From",
        &format!(
            "{} · {}",
            grant.ip.as_deref().map_or("any address".into(), |ip| format!("only {}", clean(ip))),
            grant.protocols.join(", ")
        ),
    )?;
    if let Some(identifier) = &grant.identifier {
        label(out, style, room, "Policy", identifier)?;
    }
    let signature = match (grant.signature.verified, &grant.signature.key) {
        (Some(true), Some(key)) => format!("made with {key}"),
        (Some(false), _) => "made with none of the keys given".into(),
        _ => "not checked: give the keys with --keys FILE".into(),
    };
    let signed = !matches!(
        grant.mechanism,
        Mechanism::AzureAccountKey
            | Mechanism::AwsAccessKey
            | Mechanism::GcsHmacKey
            | Mechanism::GcsServiceAccount
    );
    if signed && one.token.contains('?') {
        label(out, style, room, "Signature", &signature)?;
    }
    if let Some(hash) = &grant.signature.log_hash {
        label_row(out, style, "In logs", hash)?;
    }
    label(out, style, room, "Why", &grant.why.join(" · "))?;
    for (index, problem) in grant.problems.iter().enumerate() {
        let name = if index == 0 { "Wrong" } else { "" };
        label(
            out,
            style,
            room,
            name,
            &format!("{}: {} [{}]", problem.severity, problem.message, problem.rule),
        )?;
        if let Some(page) = problem.reference.as_ref().filter(|_| detail == Detail::Explain) {
            // Whole, so that it can be followed.
            label_row(out, style, "", &format!("→ {page}"))?;
        }
    }
    label(out, style, room, "To end it", &grant.revocation)?;
    writeln!(out)
}

fn label(out: &mut dyn Write, style: &Style, room: usize, name: &str, text: &str) -> Result<()> {
    for (index, line) in wrap(text, room).into_iter().enumerate() {
        label_row(out, style, if index == 0 { name } else { "" }, &line)?;
    }
    Ok(())
}

fn label_row(out: &mut dyn Write, style: &Style, name: &str, line: &str) -> Result<()> {
    writeln!(out, "  {}{}", style.paint(Tone::Dim, &pad(name, 12)), line.trim_end())
}

/// Operations as rows: the letters, the level, the service, and what it is; what changes things
/// first, as that is what matters.
fn table(operations: &[OperationRow]) -> Vec<String> {
    let mut rows: Vec<(bool, String, String)> = Vec::new();
    for one in operations {
        let place = format!("{} {}", one.service, one.level);
        let changes = one.operation.changes();
        match rows.iter_mut().find(|(kind, known, _)| *kind == changes && *known == place) {
            Some((_, _, words)) => words.push_str(&format!(", {} ({})", one.what, one.letters)),
            None => rows.push((changes, place, format!("{} ({})", one.what, one.letters))),
        }
    }
    // What is the same on several services stands once.
    let mut merged: Vec<(bool, String, String)> = Vec::new();
    for (changes, place, words) in rows {
        match merged.iter_mut().find(|(c, _, known)| *c == changes && *known == words) {
            Some((_, known, _)) => {
                let service = place.split(' ').next().unwrap_or("");
                *known = format!("{service}, {known}");
            }
            None => merged.push((changes, place, words)),
        }
    }
    let rows = merged;
    let mut lines = Vec::new();
    for changes in [true, false] {
        let mut first = true;
        for (_, place, words) in rows.iter().filter(|(kind, _, _)| *kind == changes) {
            let verb = match (first, changes) {
                (true, true) => "change",
                (true, false) => "see",
                _ => "",
            };
            first = false;
            let mut places = wrap(place, 15).into_iter();
            let mut words = wrap(words, 40).into_iter();
            let mut verb = Some(verb);
            loop {
                let (place, line) = (places.next(), words.next());
                if place.is_none() && line.is_none() {
                    break;
                }
                let (verb, place) = (verb.take().unwrap_or(""), place.unwrap_or_default());
                let line = line.unwrap_or_default();
                lines.push(format!("{}{}{line}", pad(verb, 8), pad(&place, 17)));
            }
        }
    }
    lines
}
