//! `lidless plan`: the response, with exact commands. Runs none of them.

use crate::args::{Format, PlanArguments};
use crate::output;
use anyhow::{Result, bail};
use lidless_core::Timestamp;
use lidless_ledger::Case;

/// Prints the response to a case.
pub(crate) fn run(arguments: &PlanArguments) -> Result<u8> {
    let now = Timestamp::now();
    let case = Case::open(&arguments.case)?;
    let report = lidless_engine::assemble(&case, now)?;
    let plan = lidless_judge::plan(&report, &arguments.case.display().to_string(), now);
    match arguments.format {
        Format::Human => {
            output::to(arguments.output.as_deref(), |out, _| write!(out, "{plan}"))?;
        }
        Format::Json => output::to(arguments.output.as_deref(), |out, _| {
            serde_json::to_writer_pretty(&mut *out, &plan)?;
            writeln!(out)
        })?,
        _ => bail!("a plan is written as human or json"),
    }
    Ok(0)
}
