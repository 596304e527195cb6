//! Settings of a scan for benchmarks.

use globset::GlobSet;
use lidless_core::{Limits, Scope, Timestamp};
use lidless_engine::{AllowedImports, ScanSettings, Target};
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
        jobs: 16,
        budget: None,
        exclude: GlobSet::empty(),
        limits: Limits::default(),
        keys: KeyRing::default(),
        imports: AllowedImports::default(),
        rules: lidless_detect::RuleSet::default(),
        all: false,
        fail_on: FailOn::Never,
        now: Timestamp::now(),
    }
}
