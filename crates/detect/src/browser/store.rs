//! What every kind of store of a browser needs: its database, and a finding about it.

use crate::names::most_frequent;
use lidless_core::{Artifact, Category, Confidence, Finding, Place, Severity};
use lidless_records::RecordError;
use lidless_records::sqlite::{Database, Row};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

/// How many rows of one table are looked at; browsers keep a few thousand cookies.
const ROWS: u64 = 200_000;

/// The database of an artifact, with the log beside it.
pub(super) fn open(artifact: &Artifact) -> Result<Database, RecordError> {
    let log = artifact.sibling(&format!("{}-wal", artifact.entry.file_name()));
    Database::open(Arc::clone(&artifact.bytes), log.map(|log| log.bytes))
}

/// Looks at the rows of a table, when it is there, as far as they can be read; says whether that
/// is all of them.
pub(super) fn each(
    database: &Database,
    table: &str,
    columns: &[&str],
    visit: &mut dyn FnMut(&Row),
) -> bool {
    let Some(table) = database.table(table) else { return true };
    let mut left = ROWS;
    let done = database.rows(table, columns, &mut |row| {
        if left == 0 {
            return ControlFlow::Break(());
        }
        left = left.saturating_sub(1);
        visit(&row);
        ControlFlow::Continue(())
    });
    done.is_ok() && left > 0
}

/// A kind of finding about a store.
pub(super) struct About {
    pub(super) rule: &'static str,
    pub(super) severity: Severity,
    pub(super) title: &'static str,
}

/// The finding about an artifact.
pub(super) fn finding(about: &About, artifact: &Artifact, evidence: impl Into<String>) -> Finding {
    Finding::new(
        format!("credential_file.{}", about.rule),
        Category::CredentialFile,
        about.severity,
        Confidence::High,
        about.title,
        &Place::whole(artifact.entry.provenance.clone()),
        evidence,
    )
}

/// The sites that occur most, as the detail of a finding.
pub(super) fn sites(counts: &BTreeMap<String, u64>) -> Value {
    let names: Vec<String> = most_frequent(counts).into_iter().map(|(name, _)| name).collect();
    names.into()
}

pub(super) fn add(counts: &mut BTreeMap<String, u64>, name: Option<String>) {
    let count = counts.entry(name.unwrap_or_else(|| "unknown".into())).or_default();
    *count = count.saturating_add(1);
}

pub(super) fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
