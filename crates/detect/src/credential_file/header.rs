//! What the header of a store says of how well it is closed.

use crate::detector::View;
use crate::names::many;
use lidless_core::Finding;
use lidless_records::{dpapi_blob_key, dpapi_master_key, keepass_header};

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
        _ => {}
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
