//! `lidless inspect`: what may the holder of a link do? Offline.

use crate::args::{Format, InspectArguments, fails};
use crate::{input, output};
use anyhow::{Result, bail};
use lidless_core::{Explained, Report, Run, SCHEMA, Timestamp, Tool};
use lidless_report::Detail;

/// Explains each token or URL and gives the exit code.
pub(crate) fn run(arguments: &InspectArguments) -> Result<u8> {
    let now = Timestamp::now();
    let keys = input::keys(arguments.keys.as_deref())?;
    let list: Vec<Explained> = input::credentials(&arguments.inputs)?
        .into_iter()
        .map(|credential| credential.explain(now, &keys))
        .collect();
    let detail = if arguments.explain { Detail::Explain } else { Detail::Usual };
    let worst = list.iter().map(|one| one.grant.severity).max();
    let failed = worst.is_some_and(|worst| fails(arguments.fail_on, worst));
    let code = u8::from(failed);
    let format = arguments.output.format;
    output::to(arguments.output.output.as_deref(), |out, style| match format {
        Format::Human => lidless_report::render_inspect(&list, detail, style, now, out),
        _ => {
            let report = report(list, code, now);
            lidless_report::render(&report, format.of_report(), style, now, out)
        }
    })?;
    if matches!(format, Format::Html) && arguments.output.output.is_none() {
        bail!("an HTML page belongs in a file: add --output FILE");
    }
    Ok(code)
}

fn report(list: Vec<Explained>, code: u8, now: Timestamp) -> Report {
    Report {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: "lidless".into(), version: env!("CARGO_PKG_VERSION").into() },
        run: Run {
            id: String::new(),
            started: now,
            finished: Some(now),
            targets: list.iter().map(|one| one.token.clone()).collect(),
            complete: true,
            exit_code: Some(code),
            objects: 0,
            entries: 0,
            bytes_listed: 0,
            bytes_read: 0,
            requests: 0,
            gaps: 0,
            suppressed: std::collections::BTreeMap::new(),
        },
        leads: Vec::new(),
        grants: list.into_iter().map(|one| one.grant).collect(),
        exposures: Vec::new(),
        models: Vec::new(),
        findings: Vec::new(),
        coverage: Vec::new(),
        gaps: Vec::new(),
        suppressed: Vec::new(),
        remarks: Vec::new(),
    }
}
