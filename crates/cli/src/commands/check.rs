//! `lidless check`: does each grant still work? The proof of closure.

use crate::args::{CheckArguments, Format};
use crate::request::Request;
use crate::{input, output, progress};
use anyhow::{Context as _, Result, bail};
use lidless_core::{GrantStatus, Timestamp};
use lidless_engine::{Closure, Progress, check};
use lidless_ledger::Case;
use std::io::Write;

/// Asks about every grant of a case: 0 all closed, 1 one is live, 3 one could not be asked.
pub(crate) fn run(arguments: &CheckArguments, quiet: bool) -> Result<u8> {
    let now = Timestamp::now();
    let case = Case::resume(&arguments.case)?;
    let request: Request =
        case.meta("request")?.context("the case does not say how it was made")?;
    let tokens = input::targets(&arguments.token)?;
    let settings = request.settings(tokens, &arguments.reach, now)?;
    if settings.targets.is_empty() {
        bail!("the case began with a token that was typed, and keeps none: give it with --token");
    }
    let state = Progress::default();
    let closures = progress::shown(quiet, &state, || check(&settings, &case))?;
    match arguments.format {
        Format::Human => output::to(arguments.output.as_deref(), |out, _| human(&closures, out))?,
        Format::Json => output::to(arguments.output.as_deref(), |out, _| {
            serde_json::to_writer_pretty(&mut *out, &closures)?;
            writeln!(out)
        })?,
        _ => bail!("a check is written as human or json"),
    }
    if closures.iter().any(|closure| closure.now == GrantStatus::Live) {
        return Ok(1);
    }
    Ok(if closures.iter().all(Closure::is_closed) { 0 } else { 3 })
}

fn human(closures: &[Closure], out: &mut dyn Write) -> std::io::Result<()> {
    if closures.is_empty() {
        return writeln!(out, "  The case holds no grant: nothing to check.");
    }
    for closure in closures {
        let word = match closure.now {
            GrantStatus::Live => "STILL LIVE",
            _ if closure.is_closed() => "CLOSED",
            _ => "NOT KNOWN",
        };
        writeln!(
            out,
            "  {word:<10}  {}  {}  ({} before, {} now)",
            closure.resource,
            closure.mechanism,
            closure.before.as_str(),
            closure.now.as_str()
        )?;
        writeln!(
            out,
            "              asked {}",
            closure.checked_at.strftime("%Y-%m-%d %H:%M:%S UTC")
        )?;
        if !closure.meaning.is_empty() {
            writeln!(out, "              {}", closure.meaning)?;
        }
    }
    let live = closures.iter().filter(|one| one.now == GrantStatus::Live).count();
    let closed = closures.iter().filter(|one| one.is_closed()).count();
    writeln!(out, "\n  {live} live, {closed} closed, {} in all", closures.len())
}
