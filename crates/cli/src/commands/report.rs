//! `lidless report`: a case rendered again, without a network.

use crate::args::ReportArguments;
use crate::output;
use anyhow::Result;
use lidless_core::{Report, Timestamp};
use lidless_judge::exit_code;
use lidless_ledger::Case;

/// Renders a case and gives the exit code it deserves.
pub(crate) fn run(arguments: &ReportArguments) -> Result<u8> {
    let now = Timestamp::now();
    let case = Case::open(&arguments.case)?;
    let mut report = lidless_engine::assemble(&case, now)?;
    let format = arguments.output.format.of_report();
    trim(&mut report, format, arguments.show_suppressed);
    output::to(arguments.output.output.as_deref(), |out, style| {
        lidless_report::render(&report, format, style, now, out)
    })?;
    Ok(exit_code(&report, arguments.fail_on))
}

/// What formats for people list only when asked to; they count it all the same.
pub(crate) fn trim(report: &mut Report, format: lidless_report::Format, show_suppressed: bool) {
    use lidless_report::Format;
    let for_people = matches!(format, Format::Human | Format::Html | Format::Markdown);
    if for_people && !show_suppressed {
        report.suppressed.clear();
    }
}
