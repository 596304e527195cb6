//! Settings of a scan for benchmarks.

use globset::GlobSet;
use lidless_core::{Limits, Scope, Timestamp};
use lidless_engine::{AllowedImports, GitOptions, ScanSettings, Target};
use lidless_judge::FailOn;
use lidless_storage::Endpoints;
use lidless_token::KeyRing;
use std::path::{Path, PathBuf};

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
        inventories: Vec::new(),
        requester_pays: false,
        allowance: lidless_storage::Allowance::default(),
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

/// The program of Kingfisher itself, in the virtual environment with the package `kingfisher-bin`
/// that `target/tools/kingfisher` is; the script beside it knows where it was made.
pub fn kingfisher() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/kingfisher/lib");
    let versions = std::fs::read_dir(root).ok()?;
    let program = |folder: PathBuf| folder.join("site-packages/kingfisher/bin/kingfisher");
    versions.flatten().map(|version| program(version.path())).find(|path| path.exists())
}
