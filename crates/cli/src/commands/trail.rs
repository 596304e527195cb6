//! `lidless trail`: every request that was sent for a case.

use crate::args::{Format, TrailArguments};
use crate::output;
use anyhow::{Result, bail};
use lidless_core::{RequestRecord, TrailRecord};
use lidless_ledger::Case;
use std::io::Write;

/// Prints the trail and follows its chain: 0 when it is whole, 1 when it is not.
pub(crate) fn run(arguments: &TrailArguments) -> Result<u8> {
    if !matches!(arguments.format, Format::Human | Format::Jsonl) {
        bail!("a trail is written as human or jsonl");
    }
    let case = Case::open(&arguments.case)?;
    let mut broken = None;
    output::to(arguments.output.as_deref(), |out, _| {
        let mut failed = None;
        let (mut requests, mut bytes, mut stopped, mut open) = (0_u64, 0_u64, 0_u64, false);
        let state = case
            .read_trail(&mut |number, record| {
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
                if failed.is_none() {
                    failed = line(arguments.format, number, record, out).err();
                }
            })
            .map_err(std::io::Error::other)?;
        if let Some(error) = failed {
            return Err(error);
        }
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
            match &state.broken {
                None => {
                    writeln!(out, "  the chain is whole; its last digest is\n  {}", state.head)?
                }
                Some(why) => writeln!(out, "  THE CHAIN IS BROKEN: {why}")?,
            }
        }
        broken = state.broken;
        Ok(())
    })?;
    if let Some(why) = broken {
        anstream::eprintln!("lidless: the trail of {} is broken: {why}", arguments.case.display());
        return Ok(1);
    }
    Ok(0)
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
