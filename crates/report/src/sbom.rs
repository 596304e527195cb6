//! The model files of a run as a CycloneDX 1.6 bill of materials. Source: the CycloneDX 1.6 JSON
//! schema (component type `machine-learning-model`).

use crate::models::{findings_of, short};
use lidless_core::Report;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Result, Write};

/// Writes a bill of materials: each model file with its format, its verdict and, where its bytes
/// were read, its SHA-256 (`hashes`: hexadecimal, by location).
///
/// # Errors
/// When `out` cannot be written.
pub fn sbom(report: &Report, hashes: &BTreeMap<String, String>, out: &mut dyn Write) -> Result<()> {
    let components: Vec<Value> = report
        .models
        .iter()
        .map(|row| {
            let mut properties = vec![
                json!({ "name": "lidless:format", "value": row.format }),
                json!({ "name": "lidless:verdict", "value": row.verdict.as_str() }),
                json!({ "name": "lidless:location", "value": row.location }),
            ];
            for finding in findings_of(report, row) {
                properties.push(json!({
                    "name": "lidless:finding",
                    "value": format!("{} {}: {}", finding.severity.as_str(), finding.rule, finding.evidence),
                }));
            }
            let mut component = json!({
                "type": "machine-learning-model",
                "bom-ref": row.location,
                "name": short(report, row),
                "properties": properties,
            });
            if let (Some(hash), Some(map)) = (hashes.get(&row.location), component.as_object_mut())
            {
                map.insert("hashes".into(), json!([{ "alg": "SHA-256", "content": hash }]));
            }
            component
        })
        .collect();
    let bom = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": serial(&report.run.id),
        "version": 1,
        "metadata": {
            "timestamp": report.run.started.to_string(),
            "tools": { "components": [{
                "type": "application",
                "name": report.tool.name,
                "version": report.tool.version,
            }] },
        },
        "components": components,
    });
    serde_json::to_writer_pretty(&mut *out, &bom)?;
    writeln!(out)
}

/// The id of the run as a UUID: 32 hexadecimal digits in five groups, marked as version 8 (its
/// own making) of RFC 9562.
fn serial(id: &str) -> String {
    let mut digits: Vec<char> = id.chars().filter(char::is_ascii_hexdigit).take(32).collect();
    digits.resize(32, '0');
    for (at, digit) in [(12, '8'), (16, '8')] {
        if let Some(slot) = digits.get_mut(at) {
            *slot = digit;
        }
    }
    let text: String = digits.into_iter().collect();
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or("");
    format!(
        "urn:uuid:{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    )
}
