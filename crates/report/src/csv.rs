//! The findings as a table, RFC 4180.

use crate::clean::clean;
use lidless_core::Report;
use std::io::{Result, Write};

/// A field in quotes; one that a spreadsheet would run as a formula gets an apostrophe in front.
fn field(text: &str) -> String {
    let text = clean(text).replace('"', "\"\"");
    let formula = text.starts_with(['=', '+', '-', '@']);
    format!("\"{}{text}\"", if formula { "'" } else { "" })
}

/// Writes a line a finding.
pub(crate) fn write(report: &Report, out: &mut dyn Write) -> Result<()> {
    write!(out, "severity,confidence,category,rule,title,location,line,evidence,id,verified\r\n")?;
    for finding in &report.findings {
        let line = finding.line.map(|line| line.to_string()).unwrap_or_default();
        let verified = finding.verified.map(|one| format!("{one:?}").to_lowercase());
        let verified = verified.unwrap_or_default();
        let confidence = format!("{:?}", finding.confidence).to_lowercase();
        write!(
            out,
            "{},{confidence},{},{},{},{},{line},{},{},{verified}\r\n",
            finding.severity.as_str(),
            finding.category.as_str(),
            field(&finding.rule),
            field(&finding.title),
            field(&finding.location),
            field(&finding.evidence),
            finding.id
        )?;
    }
    Ok(())
}
