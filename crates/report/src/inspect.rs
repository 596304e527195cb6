//! `lidless inspect`: a grant explained alone.

use crate::amount::{day, minute};
use crate::clean::clean;
use crate::layout::{pad, wrap};
use crate::style::{Style, Tone};
use lidless_core::{Grant, GrantStatus, Timestamp};
use std::io::{Result, Write};

/// Explains grants, each with its redacted token, in the order given.
///
/// # Errors
/// What the writer says.
pub fn render_inspect(
    grants: &[(Grant, String)],
    style: &Style,
    now: Timestamp,
    out: &mut dyn Write,
) -> Result<()> {
    for (grant, token) in grants {
        one(grant, token, style, now, out)?;
    }
    Ok(())
}

fn one(
    grant: &Grant,
    token: &str,
    style: &Style,
    now: Timestamp,
    out: &mut dyn Write,
) -> Result<()> {
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
    for line in token_lines(token, width.saturating_sub(4)) {
        writeln!(out, "    {line}")?;
    }
    writeln!(out)?;
    let mut label = |name: &str, text: &str| -> Result<()> {
        for (index, line) in wrap(text, room).into_iter().enumerate() {
            let name = pad(if index == 0 { name } else { "" }, 12);
            writeln!(out, "  {}{line}", style.paint(Tone::Dim, &name))?;
        }
        Ok(())
    };
    let words: Vec<&str> =
        grant.permissions.iter().flatten().map(|permission| permission.as_str()).collect();
    let scope = serde_json::to_value(grant.scope).ok();
    let scope = scope.as_ref().and_then(|value| value.as_str()).unwrap_or("unknown");
    label("Scope", &format!("{scope}: {}", grant.resource))?;
    if !grant.services.is_empty() {
        label("Services", &grant.services.join(", "))?;
    }
    let shown =
        if grant.permissions.is_none() { "not in the token".into() } else { words.join(", ") };
    label("Permissions", &shown)?;
    label("Can do", &grant.operations.join(" · "))?;
    let start =
        grant.starts.map_or_else(|| "no start".into(), |time| format!("from {}", minute(time)));
    let stop = match grant.expires {
        Some(time) if time <= now => format!("ended {}", minute(time)),
        Some(time) => format!("until {} ({} left)", minute(time), crate::amount::span(now, time)),
        None => "no end".into(),
    };
    label("Times", &format!("{start} · {stop}"))?;
    label(
        "From",
        &format!(
            "{} · {}",
            grant.ip.as_deref().map_or("any address".into(), |ip| format!("only {}", clean(ip))),
            grant.protocols.join(", ")
        ),
    )?;
    if let Some(identifier) = &grant.identifier {
        label("Policy", identifier)?;
    }
    let signature = match (grant.signature.verified, &grant.signature.key) {
        (Some(true), Some(key)) => format!("made with {key}"),
        (Some(false), _) => "made with none of the keys given".into(),
        _ => "not checked: give the keys with --keys FILE".into(),
    };
    if grant.signature.log_hash.is_some() {
        label("Signature", &signature)?;
    }
    label("Why", &grant.why.join(" · "))?;
    for (index, problem) in grant.problems.iter().enumerate() {
        let name = if index == 0 { "Wrong" } else { "" };
        label(name, &format!("{}: {} [{}]", problem.severity, problem.message, problem.rule))?;
    }
    label("To end it", &grant.revocation)?;
    writeln!(out)
}

/// The token, broken between its parameters.
fn token_lines(token: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (index, part) in clean(token).split('&').enumerate() {
        let part = if index == 0 { part.to_owned() } else { format!("&{part}") };
        match lines.last_mut() {
            Some(line) if line.chars().count().saturating_add(part.chars().count()) <= width => {
                line.push_str(&part);
            }
            _ => lines.push(part),
        }
    }
    lines.into_iter().flat_map(|line| wrap(&line, width)).collect()
}
