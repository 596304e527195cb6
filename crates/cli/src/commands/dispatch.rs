//! From a command to its file.

use crate::args::{Arguments, Command};
use anyhow::Result;

/// Runs the command and gives its exit code.
pub(crate) fn run(arguments: &Arguments) -> Result<u8> {
    let quiet = arguments.quiet;
    match &arguments.command {
        Command::Scan(scan) => super::scan::run(scan, quiet),
        Command::Inspect(inspect) => super::inspect::run(inspect),
        Command::Mint(mint) => super::mint::run(mint),
        Command::Report(report) => super::report::run(report),
        Command::Inventory(inventory) => super::inventory::run(inventory),
        Command::Rules(rules) => super::rules::run(rules),
        Command::Seal(seal) => super::seal::run(seal),
        Command::Verify(verify) => super::verify::run(verify),
        Command::Baseline(baseline) => super::baseline::run(baseline),
        Command::Plan(plan) => super::plan::run(plan),
        Command::Trail(trail) => super::trail::run(trail),
        Command::Check(check) => super::check::run(check, quiet),
        Command::Demo(demo) => super::demo::run(demo, quiet),
    }
}
