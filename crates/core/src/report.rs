//! The report as JSON has it: the contract.

use crate::coverage::Coverage;
use crate::exposure::Exposure;
use crate::finding::Finding;
use crate::gap::Gap;
use crate::grant::Grant;
use crate::lead::Lead;
use crate::mark::ModelVerdict;
use crate::remark::Remark;
use crate::suppressed::{Reason, Suppressed};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the report format.
pub const SCHEMA: &str = "lidless.report/1";

/// Which program made the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// `lidless`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The run that made the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Random per run.
    pub id: String,
    /// When it started.
    pub started: Timestamp,
    /// When it ended; null while it runs or when it was stopped.
    pub finished: Option<Timestamp>,
    /// What the user named, credentials redacted.
    pub targets: Vec<String>,
    /// True when everything was seen: no gap and nothing skipped.
    pub complete: bool,
    /// The exit code of the run; null when it was stopped.
    pub exit_code: Option<u8>,
    /// Objects listed.
    pub objects: u64,
    /// Entries opened, nested ones too.
    pub entries: u64,
    /// Sizes of the listed objects added up.
    pub bytes_listed: u64,
    /// Bytes read from stores.
    pub bytes_read: u64,
    /// Requests made to stores.
    pub requests: u64,
    /// Number of gaps.
    pub gaps: u64,
    /// What looked like a secret and is told apart as none, counted by reason.
    #[serde(default)]
    pub suppressed: BTreeMap<Reason, u64>,
}

/// Everything a run found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// Which program.
    pub tool: Tool,
    /// Which run.
    pub run: Run,
    /// Sorted by place.
    pub leads: Vec<Lead>,
    /// Worst first.
    pub grants: Vec<Grant>,
    /// Worst first.
    pub exposures: Vec<Exposure>,
    /// Worst first, see [`Finding::order`].
    pub findings: Vec<Finding>,
    /// Sorted by container.
    pub coverage: Vec<Coverage>,
    /// Sorted by place.
    pub gaps: Vec<Gap>,
    /// Every model file, the worst first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<ModelRow>,
    /// What looked like a secret and is told apart as none: at most
    /// [`crate::Suppressions::LISTED`] of a reason, sorted by reason and place. `run.suppressed`
    /// counts all of them.
    #[serde(default)]
    pub suppressed: Vec<Suppressed>,
    /// What the user should know of their own decisions, sorted by kind and place.
    #[serde(default)]
    pub remarks: Vec<Remark>,
}

/// A model file, with the worst verdict on it and on what is inside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelRow {
    /// The file, as a place (URI).
    pub location: String,
    /// `torch-zip`, `safetensors`, `onnx`, ...
    pub format: String,
    /// What loading it does.
    pub verdict: ModelVerdict,
}
