//! The exit code: what a script goes by.

use lidless_core::{GrantStatus, Report, Severity};

/// From which severity on a run fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailOn {
    /// Never.
    Never,
    /// At this severity or above.
    At(Severity),
}

impl std::str::FromStr for FailOn {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        if word == "never" {
            return Ok(Self::Never);
        }
        word.parse().map(Self::At).map_err(|error| format!("{error}, never"))
    }
}

/// 1 when something is at or above `fail_on`, else 3 when there are gaps, else 0.
///
/// Exposures count by the upper end of their score; grants by capability unless the service said
/// that they no longer work.
#[must_use]
pub fn exit_code(report: &Report, fail_on: FailOn) -> u8 {
    let worst = report
        .exposures
        .iter()
        .map(|exposure| exposure.severity)
        .chain(report.findings.iter().map(|finding| finding.severity))
        .chain(report.grants.iter().map(|grant| match grant.status {
            GrantStatus::Revoked => grant.severity.min(Severity::Low),
            _ => grant.severity,
        }))
        .max();
    match (fail_on, worst) {
        (FailOn::At(threshold), Some(worst)) if worst >= threshold => 1,
        _ if report.run.complete => 0,
        _ => 3,
    }
}
