//! The nouns of lidless: what flows through the pipeline and what a report says. No I/O.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation))]

mod access;
mod artifact;
mod coverage;
mod encryption;
mod entry;
mod estimate;
mod explained;
mod exposure;
mod finding;
mod fingerprint;
mod gap;
mod grant;
mod interest;
mod lead;
mod limits;
mod mark;
mod object;
mod older_rights;
mod operation;
mod pieces;
mod place;
mod remark;
mod report;
mod right;
mod scope;
mod secret;
mod service;
mod severity;
mod suppressed;
mod text;
mod trail;
mod version;

pub use access::{Access, Auth};
pub use artifact::{Artifact, Siblings};
pub use coverage::Coverage;
pub use encryption::Encryption;
pub use entry::Entry;
pub use estimate::{Cost, Estimate, Share};
pub use explained::{Explained, Note, OperationRow};
pub use exposure::{
    Basis, ContainerReach, Exposure, InputName, MessageTotals, Score, ScoreInput, Workstation,
};
pub use finding::{Category, Confidence, Finding, Verified};
pub use fingerprint::{Fingerprint, FingerprintKey, Identity, stable_id};
pub use gap::Gap;
pub use grant::{
    Grant, GrantScope, GrantStatus, Mechanism, Observed, Permission, Problem, Provider,
    ServiceSeen, SignatureCheck,
};
pub use interest::Interest;
pub use lead::Lead;
pub use limits::{ImageReach, Limits};
pub use mark::{Mark, ModelVerdict};
pub use object::{BlobType, Container, Object, PublicAccess};
pub use operation::Operation;
pub use pieces::{Holds, Known, Pieces};
pub use place::{Layer, Place, Provenance};
pub use remark::{Remark, RemarkKind};
pub use report::{ModelRow, Report, Run, SCHEMA, Tool};
pub use right::{Declarer, NEVER_WRITTEN, Party, Right, Standing, settle_rights};
pub use scope::{Denied, Scope, ScopeError, Touch};
pub use secret::Secret;
pub use service::AzureService;
pub use severity::Severity;
pub use suppressed::{Reason, Suppressed, Suppressions};
pub use text::{Encoding, Text};
pub use trail::{RequestRecord, TrailRecord};
pub use version::ObjectVersion;

/// An instant, printed as RFC 3339 in UTC.
pub use jiff::Timestamp;
