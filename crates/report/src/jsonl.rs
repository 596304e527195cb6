//! One record a line, each with its kind.

use lidless_core::Report;
use serde::Serialize;
use serde_json::{Map, Value};
use std::io::{Result, Write};

fn line(kind: &str, record: &impl Serialize, out: &mut dyn Write) -> Result<()> {
    let mut all = Map::new();
    all.insert("kind".into(), kind.into());
    if let Value::Object(fields) = serde_json::to_value(record)? {
        // A lead and a remark have a kind of their own.
        for (key, value) in fields {
            let key = if key == "kind" { "form".to_owned() } else { key };
            all.insert(key, value);
        }
    }
    serde_json::to_writer(&mut *out, &all)?;
    writeln!(out)
}

/// Writes the run, then every record in the order of the report.
pub(crate) fn write(report: &Report, out: &mut dyn Write) -> Result<()> {
    line("run", &report.run, out)?;
    report.leads.iter().try_for_each(|one| line("lead", one, out))?;
    report.grants.iter().try_for_each(|one| line("grant", one, out))?;
    report.exposures.iter().try_for_each(|one| line("exposure", one, out))?;
    report.findings.iter().try_for_each(|one| line("finding", one, out))?;
    report.coverage.iter().try_for_each(|one| line("coverage", one, out))?;
    report.gaps.iter().try_for_each(|one| line("gap", one, out))?;
    report.suppressed.iter().try_for_each(|one| line("suppressed", one, out))?;
    report.remarks.iter().try_for_each(|one| line("remark", one, out))
}
