//! What a case remembers of how it was asked for, so that it can be gone on with and checked.

use crate::args::{ReachArguments, ScanArguments};
use crate::history::HistoryArguments;
use crate::own_keys::Unused;
use crate::{decisions, input, own_keys};
use anyhow::{Context as _, Result};
use globset::{Glob, GlobSet, GlobSetBuilder};
use lidless_core::{Limits, Timestamp};
use lidless_detect::RuleSet;
use lidless_engine::{
    AllowedImports, Decisions, GitOptions, InventoryPlace, Markers, ScanSettings, Target,
    VerifySettings,
};
use lidless_judge::FailOn;
use lidless_storage::Allowance;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The request behind a case. Holds no credential: a token that was typed is not here.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Request {
    /// Paths (absolute) and URLs of repositories and stores.
    pub(crate) targets: Vec<String>,
    /// True when a credential was typed and is missing from `targets`.
    pub(crate) typed: bool,
    pub(crate) follow: bool,
    pub(crate) scope: Option<PathBuf>,
    pub(crate) endpoint: Vec<String>,
    pub(crate) no_history: bool,
    #[serde(default)]
    pub(crate) history: HistoryArguments,
    pub(crate) exclude: Vec<String>,
    #[serde(default)]
    pub(crate) no_allows: bool,
    #[serde(default)]
    pub(crate) honor_foreign_allows: bool,
    #[serde(default)]
    pub(crate) ignore_files: Vec<PathBuf>,
    /// Baselines of other tools; that of lidless is in the case itself.
    #[serde(default)]
    pub(crate) baselines: Vec<PathBuf>,
    /// Issuers are asked, about so many credentials each.
    #[serde(default)]
    pub(crate) verify: Option<usize>,
    #[serde(default)]
    pub(crate) rules: Vec<PathBuf>,
    /// Which credentials of the user's own open the stores that were named.
    #[serde(default)]
    pub(crate) credentials: Vec<String>,
    #[serde(default)]
    pub(crate) requester_pays: bool,
    /// Manifests of inventories taken in place of listings.
    #[serde(default)]
    pub(crate) inventories: Vec<String>,
    /// True when a link to an inventory was typed and is missing from `inventories`.
    #[serde(default)]
    pub(crate) typed_inventory: bool,
}

impl Request {
    /// What is to be remembered of a scan.
    pub(crate) fn of(
        arguments: &ScanArguments,
        targets: &[Target],
        given: &[InventoryPlace],
    ) -> Self {
        let (inventories, typed_inventory) = inventories_of(arguments, given);
        let mut words = Vec::new();
        let mut typed = false;
        for target in targets {
            match target {
                Target::Path(path) => words.push(absolute(path)),
                Target::GitUrl(_) => words.push(target.describe()),
                Target::Store { name, .. } => words.push(name.clone()),
                Target::Credential { .. } => typed = true,
            }
        }
        Self {
            targets: words,
            typed,
            follow: arguments.follow,
            scope: arguments.reach.scope.as_ref().map(|path| PathBuf::from(absolute(path))),
            endpoint: arguments.reach.endpoint.clone(),
            no_history: arguments.no_history,
            history: arguments.history.clone(),
            exclude: arguments.exclude.clone(),
            no_allows: arguments.no_allows,
            honor_foreign_allows: arguments.honor_foreign_allows,
            ignore_files: arguments.ignore_file.iter().map(|path| absolute(path).into()).collect(),
            baselines: arguments.baseline.iter().map(|path| absolute(path).into()).collect(),
            verify: arguments.verify.then_some(arguments.verify_limit),
            rules: arguments.rules.iter().map(|path| PathBuf::from(absolute(path))).collect(),
            credentials: arguments.reach.credentials.clone(),
            requester_pays: arguments.reach.requester_pays,
            inventories,
            typed_inventory,
        }
    }

    /// What the user decided to leave out. Files that a resumed run names itself come first.
    pub(crate) fn decisions(&self, arguments: &ScanArguments) -> Result<Decisions> {
        let either = |given: &[PathBuf], stored: &[PathBuf]| {
            if given.is_empty() { stored.to_vec() } else { given.to_vec() }
        };
        let markers = if self.no_allows || arguments.no_allows {
            Markers::None
        } else if self.honor_foreign_allows || arguments.honor_foreign_allows {
            Markers::Foreign
        } else {
            Markers::Own
        };
        decisions::read(
            &either(&arguments.baseline, &self.baselines),
            &either(&arguments.ignore_file, &self.ignore_files),
            markers,
        )
    }

    /// What is to be remembered of the demo.
    pub(crate) fn of_demo(repository: &Path, endpoint: &str) -> Self {
        Self {
            targets: vec![absolute(repository)],
            follow: true,
            endpoint: vec![format!("azure={endpoint}")],
            ..Self::default()
        }
    }

    /// The settings that ask the same again.
    pub(crate) fn settings(
        &self,
        extra: Vec<Target>,
        reach: &ReachArguments,
        now: Timestamp,
    ) -> Result<ScanSettings> {
        let mut targets = input::targets(&self.targets)?;
        targets.extend(extra);
        let mut endpoints = input::endpoints(if reach.endpoint.is_empty() {
            &self.endpoint
        } else {
            &reach.endpoint
        })?;
        let credentials =
            if reach.credentials.is_empty() { &self.credentials } else { &reach.credentials };
        let unused = match self.inventories.is_empty() && !self.typed_inventory {
            true => Unused::Refused,
            false => Unused::Fine,
        };
        let stores = own_keys::stores(&mut targets, &mut []);
        own_keys::give(credentials, stores, &mut endpoints, (false, unused))?;
        let scope = reach.scope.as_deref().or(self.scope.as_deref());
        Ok(ScanSettings {
            targets,
            follow: self.follow,
            scope: input::scope(scope, now)?,
            endpoints,
            requester_pays: self.requester_pays || reach.requester_pays,
            history: !self.no_history,
            git: self.history.options(),
            exclude: globs(&self.exclude)?,
            verify: self.verify.map(|per_issuer| VerifySettings { per_issuer }),
            rules: RuleSet::default(),
            ..bare(reach, now)?
        })
    }
}

/// Settings for a command that reads a store and keeps no case.
pub(crate) fn bare(reach: &ReachArguments, now: Timestamp) -> Result<ScanSettings> {
    Ok(ScanSettings {
        targets: Vec::new(),
        follow: false,
        scope: input::scope(reach.scope.as_deref(), now)?,
        endpoints: input::endpoints(&reach.endpoint)?,
        requester_pays: reach.requester_pays,
        history: false,
        git: GitOptions::default(),
        jobs: 16,
        rate: None,
        budget: None,
        allowance: Allowance::default(),
        inventories: Vec::new(),
        exclude: globs(&[])?,
        decisions: Decisions::default(),
        limits: Limits::default(),
        keys: input::keys(reach.keys.as_deref())?,
        imports: AllowedImports::default(),
        rules: RuleSet::default(),
        all: false,
        fail_on: FailOn::Never,
        verify: None,
        now,
    })
}

/// How the inventories of a scan are named again, and whether one cannot be: a file that holds a
/// link is named, a link with a credential is not kept.
fn inventories_of(arguments: &ScanArguments, given: &[InventoryPlace]) -> (Vec<String>, bool) {
    let (mut words, mut typed) = (Vec::new(), false);
    for (word, place) in arguments.inventory.iter().zip(given) {
        match (place, word.strip_prefix('@')) {
            (InventoryPlace::Here(_), _) => words.push(absolute(Path::new(word))),
            (InventoryPlace::There(_), Some(path)) => {
                words.push(format!("@{}", absolute(Path::new(path))));
            }
            (InventoryPlace::There(_), None) if place.holds_credential() => typed = true,
            (InventoryPlace::There(target), None) => words.push(target.describe()),
        }
    }
    (words, typed)
}

fn absolute(path: &Path) -> String {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// Understands `--exclude`.
pub(crate) fn globs(patterns: &[String]) -> Result<GlobSet> {
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        builder.add(Glob::new(pattern).with_context(|| format!("--exclude {pattern}"))?);
    }
    Ok(builder.build()?)
}
