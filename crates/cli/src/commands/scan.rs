//! `lidless scan`: the whole pipeline.

use crate::args::{Format, ScanArguments};
use crate::own_keys::Unused;
use crate::request::{Request, globs};
use crate::{input, output, own_keys, own_rules, progress};
use anyhow::{Result, bail};
use lidless_core::{Limits, ModelRow, Timestamp};
use lidless_detect::RuleSet;
use lidless_engine::{Decisions, Progress, ScanSettings, VerifySettings, estimate, list, scan};
use lidless_io::FileBytes;
use lidless_ledger::Case;
use lidless_storage::Allowance;
use std::collections::BTreeMap;
use std::path::Path;

/// Runs a scan and gives its exit code.
pub(crate) fn run(arguments: &ScanArguments, quiet: bool) -> Result<u8> {
    let now = Timestamp::now();
    // First: a wrong file makes no case.
    let mut given = input::inventories(&arguments.inventory)?;
    let mut targets = input::targets(&arguments.targets)?;
    let case = match &arguments.case {
        Some(path) if arguments.resume => Case::resume(path)?,
        Some(path) => {
            if targets.is_empty() {
                bail!("name a target: a path, a git URL, a storage URL, - or @FILE");
            }
            Case::create(path)?
        }
        None => Case::temporary()?,
    };
    let mut settings = ScanSettings {
        targets: Vec::new(),
        follow: arguments.follow,
        scope: input::scope(arguments.reach.scope.as_deref(), now)?,
        endpoints: input::endpoints(&arguments.reach.endpoint)?,
        requester_pays: arguments.reach.requester_pays,
        history: !arguments.no_history,
        git: arguments.history.options(),
        jobs: usize::from(arguments.jobs),
        rate: arguments.rate,
        budget: arguments.budget,
        allowance: Allowance::new(arguments.requests, arguments.time),
        inventories: Vec::new(),
        exclude: globs(&arguments.exclude)?,
        decisions: Decisions::default(),
        limits: Limits {
            depth: arguments.max_depth,
            image_reach: arguments.images.reach(),
            image_bytes: arguments.image_budget,
            ..Limits::default()
        },
        keys: input::keys(arguments.reach.keys.as_deref())?,
        rules: RuleSet::default(),
        imports: input::imports(arguments.allow_imports.as_deref())?,
        all: arguments.all,
        fail_on: arguments.fail_on,
        verify: arguments.verify.then_some(VerifySettings { per_issuer: arguments.verify_limit }),
        now,
    };
    // A process that was killed while it made the case left no request in it: it is begun anew.
    let stored: Option<Request> = if arguments.resume { case.meta("request")? } else { None };
    if arguments.resume && stored.is_none() && targets.is_empty() {
        bail!("this case was stopped before it began: name its targets again, with --resume");
    }
    if let Some(stored) = stored {
        if stored.typed && targets.is_empty() {
            bail!("the case began with a token that was typed, and keeps none: give it again");
        }
        settings.decisions = stored.decisions(arguments)?;
        let again = stored.settings(targets, &arguments.reach, now)?;
        settings.follow |= again.follow;
        settings.verify = settings.verify.or(again.verify);
        settings.scope = again.scope;
        settings.endpoints = again.endpoints;
        if given.is_empty() {
            if stored.typed_inventory {
                bail!(
                    "the case began with an inventory by a link that was typed, and keeps none: \
                     give it again with --inventory"
                );
            }
            given = input::inventories(&stored.inventories)?;
        }
        let words = if arguments.reach.credentials.is_empty() {
            &stored.credentials
        } else {
            &arguments.reach.credentials
        };
        let places = own_keys::stores(&mut [], &mut given);
        own_keys::give(words, places, &mut settings.endpoints, (quiet, Unused::Fine))?;
        settings.requester_pays = again.requester_pays;
        settings.history = again.history;
        settings.git = again.git;
        settings.exclude = again.exclude;
        settings.rules = own_rules::load(if arguments.rules.is_empty() {
            &stored.rules
        } else {
            &arguments.rules
        })?;
        settings.targets = again.targets;
        // Targets given twice are read once.
        let mut known = std::collections::BTreeSet::new();
        settings.targets.retain(|target| known.insert(format!("{target:?}")));
    } else {
        if targets.is_empty() {
            bail!("name a target: a path, a git URL, a storage URL, - or @FILE");
        }
        let words = &arguments.reach.credentials;
        let stores = own_keys::stores(&mut targets, &mut given);
        own_keys::give(words, stores, &mut settings.endpoints, (quiet, Unused::Refused))?;
        own_keys::demand(&targets)?;
        let request = Request::of(arguments, &targets, &given);
        settings.decisions = request.decisions(arguments)?;
        settings.rules = own_rules::load(&arguments.rules)?;
        case.set_meta("request", &request)?;
        settings.targets.append(&mut targets);
    }
    settings.inventories = given;
    let state = Progress::default();
    if arguments.dry_run {
        return dry_run(arguments, quiet, &settings, &case);
    }
    let mut report = progress::shown(quiet, &state, || scan(&settings, &case, &state))?;
    let format = arguments.output.format.of_report();
    super::report::trim(&mut report, format, arguments.show_suppressed);
    output::to(arguments.output.output.as_deref(), |out, style| {
        lidless_report::render(&report, format, style, now, out)
    })?;
    // Last: a bill that cannot be written takes nothing from the report.
    if let Some(path) = &arguments.sbom {
        let hashes = hashes(&report.models)?;
        output::to(Some(path), |out, _| lidless_report::sbom(&report, &hashes, out))?;
    }
    Ok(report.run.exit_code.unwrap_or(crate::failure::COULD_NOT_RUN))
}

/// Lists, and says what looking inside would take.
fn dry_run(
    arguments: &ScanArguments,
    quiet: bool,
    settings: &ScanSettings,
    case: &Case,
) -> Result<u8> {
    let state = Progress::default();
    progress::shown(quiet, &state, || list(settings, case, &state))?;
    let estimate = estimate(case)?;
    let is_json = matches!(arguments.output.format, Format::Json | Format::Jsonl);
    output::to(arguments.output.output.as_deref(), |out, _| {
        if is_json {
            serde_json::to_writer_pretty(&mut *out, &estimate)?;
            return writeln!(out);
        }
        lidless_report::render_estimate(&estimate, out)
    })?;
    Ok(0)
}

/// SHA-256 of the model files that are files of this machine, by location.
fn hashes(models: &[ModelRow]) -> Result<BTreeMap<String, String>> {
    let mut hashes = BTreeMap::new();
    for row in models {
        let Some(path) = row.location.strip_prefix("file://") else { continue };
        let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
        // A file of a history is none of this machine's.
        let Ok(file) = FileBytes::open(Path::new(&*path)) else { continue };
        let digests = lidless_seal::digest(&file)
            .map_err(|error| anyhow::anyhow!("cannot read {path}: {error}"))?;
        hashes.insert(row.location.clone(), digests.sha256);
    }
    Ok(hashes)
}
