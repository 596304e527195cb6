//! Settings of a scan for benchmarks.

use globset::GlobSet;
use lidless_core::{Limits, Scope, Timestamp};
use lidless_engine::{AllowedImports, GitOptions, ScanSettings, Target};
use lidless_judge::FailOn;
use lidless_storage::Endpoints;
use lidless_token::KeyRing;

/// What a user gets who asks for nothing special.
#[must_use]
pub fn settings(targets: Vec<Target>, azure: Option<String>) -> ScanSettings {
    ScanSettings {
        targets,
        follow: azure.is_some(),
        scope: Scope::without_file(),
        endpoints: Endpoints { azure, ..Endpoints::default() },
        history: true,
        git: GitOptions::default(),
        jobs: 16,
        rate: None,
        budget: None,
        exclude: GlobSet::empty(),
        decisions: lidless_engine::Decisions::default(),
        limits: Limits::default(),
        keys: KeyRing::default(),
        imports: AllowedImports::default(),
        rules: lidless_detect::RuleSet::default(),
        all: false,
        fail_on: FailOn::Never,
        verify: None,
        now: Timestamp::now(),
    }
}
