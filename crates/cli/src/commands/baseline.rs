//! `lidless baseline`: what a case found, accepted for a time.

use crate::args::BaselineArguments;
use crate::output;
use anyhow::{Result, bail};
use lidless_core::Timestamp;
use lidless_engine::{NewEntries, write_baseline};
use lidless_ledger::Case;

/// Writes the baseline of a case.
pub(crate) fn run(arguments: &BaselineArguments) -> Result<u8> {
    if arguments.reason.trim().is_empty() {
        bail!("--reason needs words: why are these findings accepted?");
    }
    // People read and change the times of a baseline: whole seconds.
    let now = Timestamp::from_second(Timestamp::now().as_second())?;
    let case = Case::open(&arguments.case)?;
    let seconds = jiff::SignedDuration::from_secs(arguments.lifetime);
    let expires = now.checked_add(seconds)?;
    let new = NewEntries { reason: arguments.reason.trim().to_owned(), now, expires };
    let baseline = write_baseline(&case, &new)?;
    output::to(arguments.output.as_deref(), |out, _| {
        serde_json::to_writer_pretty(&mut *out, &baseline)?;
        writeln!(out)
    })?;
    if let Some(path) = &arguments.output {
        let shown = path.display();
        let many = baseline.entries.len();
        let day = expires.strftime("%Y-%m-%d");
        tracing::info!("{many} entries until {day}: lidless scan TARGET --baseline {shown}");
    }
    Ok(0)
}
