//! What the header of a store says of how well it is closed.

use crate::detector::View;
use crate::names::many;
use lidless_core::Finding;
use lidless_records::{dpapi_blob_key, dpapi_master_key, ese_tables, is_ese, keepass_header};
use std::sync::Arc;

/// Adds to a finding what the file's own header says.
pub(super) fn describe(id: &str, view: &View<'_>, finding: &mut Finding) {
    match id {
        "keepass" => keepass(view, finding),
        "dpapi" => {
            let Some(key) = dpapi_master_key(view.head) else { return };
            let domain = if key.for_domain { ", also for its domain" } else { "" };
            finding.evidence =
                format!("{} to a try{domain}", many(u64::from(key.rounds), "round", "rounds"));
            finding.detail.insert("key".into(), key.guid.into());
            finding.detail.insert("rounds".into(), key.rounds.into());
        }
        "windows_vault" => {
            let Some(key) = dpapi_blob_key(view.head) else { return };
            finding.evidence = "protected by a master key of its user or machine".into();
            finding.detail.insert("key".into(), key.into());
        }
        "ntds" => ese(view, Some("datatable"), finding),
        "web_cache" => ese(view, Some("Containers"), finding),
        "windows_search" => ese(view, None, finding),
        _ => {}
    }
}

/// Names of the tables of a domain's database, an index, a cache.
fn ese(view: &View<'_>, known: Option<&str>, finding: &mut Finding) {
    if !is_ese(view.head) {
        return;
    }
    let Ok(found) = ese_tables(Arc::clone(&view.artifact.bytes)) else { return };
    let proof = match known {
        Some(name) if found.tables.iter().any(|table| table == name) => "its own tables",
        Some(_) => "its first bytes",
        None => "its tables",
    };
    let tables = u64::try_from(found.tables.len()).unwrap_or(u64::MAX);
    finding.evidence = format!("{proof}: {}", many(tables, "table", "tables"));
    finding.detail.insert("tables".into(), tables.into());
    finding.detail.insert("closed_properly".into(), found.is_clean.into());
    if finding.rule.ends_with(".ntds") {
        let places = ["SYSTEM", "../System32/config/SYSTEM", "../registry/SYSTEM"];
        let complete = places.iter().any(|place| view.artifact.sibling(place).is_some());
        finding.detail.insert("complete".into(), complete.then_some(true).into());
        if complete {
            finding.evidence.push_str("; SYSTEM lies near, so that its hashes can be decrypted");
        }
    }
}

fn keepass(view: &View<'_>, finding: &mut Finding) {
    let Ok(header) = keepass_header(view.head) else { return };
    let mut words = vec![header.version.clone()];
    words.extend(header.cipher.map(str::to_owned));
    if let Some(kdf) = header.kdf {
        let rounds = header.rounds.map(|rounds| format!(", {}", many(rounds, "round", "rounds")));
        words.push(format!("{kdf}{}", rounds.unwrap_or_default()));
    }
    if let Some(memory) = header.memory_bytes {
        words.push(format!("{} MiB to a try", memory >> 20));
    }
    finding.evidence = words.join(", ");
    let detail = &mut finding.detail;
    detail.insert("version".into(), header.version.into());
    detail.insert("kdf".into(), header.kdf.into());
    detail.insert("rounds".into(), header.rounds.into());
    detail.insert("cipher".into(), header.cipher.into());
}
