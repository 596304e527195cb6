//! `lidless report`: a case rendered again, without a network.

use crate::args::ReportArguments;
use crate::output;
use anyhow::Result;
use lidless_core::Timestamp;
use lidless_judge::exit_code;
use lidless_ledger::Case;

/// Renders a case and gives the exit code it deserves.
pub(crate) fn run(arguments: &ReportArguments) -> Result<u8> {
    let now = Timestamp::now();
    let case = Case::open(&arguments.case)?;
    let report = lidless_engine::assemble(&case, now)?;
    let format = arguments.output.format.of_report();
    output::to(arguments.output.output.as_deref(), |out, style| {
        lidless_report::render(&report, format, style, now, out)
    })?;
    Ok(exit_code(&report, arguments.fail_on))
}
