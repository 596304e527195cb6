//! `lidless trail`: every request that was sent for a case.

use crate::args::{Format, TrailArguments};
use crate::output;
use anyhow::{Result, bail};
use lidless_core::{RequestRecord, TrailRecord};
use lidless_ledger::{Case, TrailState};
use std::io::Write;

/// Prints the trail and follows its chain: 0 when it is whole, 1 when it is not.
pub(crate) fn run(arguments: &TrailArguments) -> Result<u8> {
    if !matches!(arguments.format, Format::Human | Format::Jsonl) {
        bail!("a trail is written as human or jsonl");
    }
    let case = Case::open(&arguments.case)?;
    let (_, sent) = case.meta::<(u64, u64)>("traffic")?.unwrap_or_default();
    let mut broken = None;
    output::to(arguments.output.as_deref(), |out, _| {
        let mut failed = None;
        let (mut requests, mut bytes, mut stopped, mut open) = (0_u64, 0_u64, 0_u64, false);
        let state = case
            .read_trail(arguments.expect.as_deref(), &mut |number, record| {
                match record {
                    TrailRecord::Begin { .. } => {
                        stopped = stopped.saturating_add(u64::from(open));
                        open = true;
                    }
                    TrailRecord::End { .. } => open = false,
                    TrailRecord::Request(request) => {
                        requests = requests.saturating_add(1);
                        bytes = bytes.saturating_add(request.bytes);
                    }
                }
                if failed.is_none() && is_wanted(arguments, record) {
                    failed = line(arguments.format, number, record, out).err();
                }
            })
            .map_err(std::io::Error::other)?;
        if let Some(error) = failed {
            return Err(error);
        }
        broken = state.broken.clone().or_else(|| cut(sent, arguments, &state));
        if arguments.format == Format::Human {
            writeln!(out, "\n  {requests} requests · {bytes} bytes · {} records", state.records)?;
            if open {
                stopped = stopped.saturating_add(1);
            }
            if stopped > 0 {
                writeln!(
                    out,
                    "  {stopped} without an end: stopped, or still at it. Requests that were in \
                     flight when it\n  was stopped are not recorded; their answers are not in the \
                     case either."
                )?;
            }
            match &broken {
                None => {
                    writeln!(out, "  the chain is whole; its last digest is\n  {}", state.head)?
                }
                Some(why) => writeln!(out, "  THE CHAIN IS BROKEN: {why}")?,
            }
        }
        Ok(())
    })?;
    if let Some(why) = broken {
        anstream::eprintln!("lidless: the trail of {} is broken: {why}", arguments.case.display());
        return Ok(1);
    }
    Ok(0)
}

/// What a chain that is whole by itself may still lack.
fn cut(sent: u64, arguments: &TrailArguments, state: &TrailState) -> Option<String> {
    if state.records == 0 && sent > 0 {
        return Some(format!(
            "it holds nothing, and the case counts {sent} requests: it was cut, or the case was \
             made by a version that kept none"
        ));
    }
    (arguments.expect.is_some() && state.expected_at.is_none())
        .then(|| "it holds no record of the digest that was kept: it was rewritten or cut".into())
}

fn is_wanted(arguments: &TrailArguments, record: &TrailRecord) -> bool {
    let all = arguments.status.is_none() && arguments.url.is_none() && !arguments.failed;
    let TrailRecord::Request(request) = record else { return all };
    arguments.status.is_none_or(|status| request.status == Some(status))
        && arguments.url.as_deref().is_none_or(|text| request.url.contains(text))
        && (!arguments.failed || request.failure.is_some())
}

fn line(
    format: Format,
    number: u64,
    record: &TrailRecord,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    if format == Format::Jsonl {
        serde_json::to_writer(&mut *out, record)?;
        return writeln!(out);
    }
    match record {
        TrailRecord::Begin { time, user_agent, authority } => {
            let by = authority.as_ref().map(|by| format!(", authorised by {by}"));
            let by = by.unwrap_or_default();
            writeln!(out, "  {number:>6}  {time:.3}  began, as {user_agent}{by}")
        }
        TrailRecord::End { time, requests } => {
            writeln!(out, "  {number:>6}  {time:.3}  ended, after {requests} requests")
        }
        TrailRecord::Request(request) => writeln!(out, "  {number:>6}  {}", words(request)),
    }
}

fn words(request: &RequestRecord) -> String {
    let RequestRecord {
        time,
        method,
        url,
        rule,
        id,
        attempt,
        status,
        bytes,
        milliseconds,
        failure,
    } = request;
    let answer = match (status, failure) {
        (Some(status), _) => format!("{status}  {bytes} B  {milliseconds} ms"),
        (None, Some(failure)) => failure.clone(),
        (None, None) => "no answer".to_owned(),
    };
    let again = if *attempt > 1 { format!("  (attempt {attempt})") } else { String::new() };
    format!("{time:.3}  {method} {url}  {answer}{again}  [{rule}] {id}")
}
