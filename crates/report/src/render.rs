//! The table of formats.

use crate::format::Format;
use crate::style::Style;
use crate::{csv, html, human, jsonl, markdown, sarif};
use lidless_core::{Report, Timestamp};
use std::io::Write;

/// Writes a report in a format. The same report at the same `now` gives the same bytes.
///
/// # Errors
/// What the writer says.
pub fn render(
    report: &Report,
    format: Format,
    style: &Style,
    now: Timestamp,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    match format {
        Format::Human => human::write(report, style, now, out),
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, report)?;
            writeln!(out)
        }
        Format::Jsonl => jsonl::write(report, out),
        Format::Sarif => sarif::write(report, out),
        Format::Html => html::write(report, now, out),
        Format::Markdown => markdown::write(report, now, out),
        Format::Csv => csv::write(report, out),
    }
}
