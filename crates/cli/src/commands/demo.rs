//! `lidless demo`: the incident, replayed on this machine.

use crate::args::DemoArguments;
use crate::request::{Request, globs};
use crate::{output, progress};
use anyhow::{Context as _, Result, bail};
use lidless_core::{Limits, Scope, Severity, Timestamp};
use lidless_engine::{AllowedImports, Progress, ScanSettings, Target, scan};
use lidless_judge::FailOn;
use lidless_ledger::Case;
use lidless_replica::{Replica, incident};
use lidless_report::Format;
use lidless_storage::{Allowance, Endpoints};
use lidless_token::KeyRing;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

/// Makes the repository, starts the replica, scans, reports, and says what comes next.
pub(crate) fn run(arguments: &DemoArguments, quiet: bool) -> Result<u8> {
    let started = Instant::now();
    let folder = &arguments.directory;
    let repository = folder.join("repository");
    prepare(folder)?;
    let account = incident::account();
    incident::repository(&repository, &account)
        .with_context(|| format!("cannot make {}", repository.display()))?;
    let contents = incident::contents();
    let apparent = contents.total_bytes();
    let replica = Replica::start(account, contents, Timestamp::now)
        .context("cannot start the replica of a storage account on this machine")?;
    let case_path = folder.join("incident.case");
    let html_path = folder.join("incident.html");
    let now = Timestamp::now();
    let endpoint = replica.url();
    let settings = ScanSettings {
        targets: vec![Target::Path(repository.clone())],
        follow: true,
        scope: Scope::without_file(),
        endpoints: Endpoints { azure: Some(endpoint.clone()), ..Endpoints::default() },
        requester_pays: false,
        history: true,
        git: lidless_engine::GitOptions::default(),
        jobs: 16,
        rate: None,
        budget: None,
        allowance: Allowance::default(),
        inventories: Vec::new(),
        exclude: globs(&[])?,
        decisions: lidless_engine::Decisions::default(),
        limits: Limits::default(),
        keys: KeyRing::default(),
        imports: AllowedImports::default(),
        rules: lidless_detect::RuleSet::default(),
        all: false,
        fail_on: FailOn::At(Severity::High),
        verify: None,
        now,
    };
    let case = Case::create(&case_path)?;
    case.set_meta("request", &Request::of_demo(&repository, &endpoint))?;
    let state = Progress::default();
    let report = progress::shown(quiet, &state, || scan(&settings, &case, &state))?;
    output::to(None, |out, style| lidless_report::render(&report, Format::Human, style, now, out))?;
    output::to(Some(&html_path), |out, style| {
        lidless_report::render(&report, Format::Html, style, now, out)
    })?;
    let read = report.run.bytes_read;
    let seconds = started.elapsed().as_secs_f64();
    let (case, html) = (case_path.display(), html_path.display());
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "\n  This was a replica on this machine: {apparent} bytes apparent, {read} bytes read,\n  \
         {} requests, {} of them anything but GET or HEAD, {seconds:.1} seconds.\n",
        replica.requests(),
        replica.violations(),
    )?;
    writeln!(out, "  The same report as a page      {html}")?;
    writeln!(out, "  What to do, with commands      lidless plan {case}")?;
    writeln!(out, "  On your own repository         lidless scan . --follow --case my.case")?;
    writeln!(out, "  On a link you were handed      lidless inspect @link.txt")?;
    Ok(0)
}

/// An empty folder, or one with nothing but an earlier demo in it.
fn prepare(folder: &Path) -> Result<()> {
    let shown = folder.display();
    const OURS: [&str; 5] =
        ["repository", "incident.case", "incident.html", "incident.case-wal", "incident.case-shm"];
    if folder.exists() {
        let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {shown}"))?;
        for entry in entries {
            let name = entry?.file_name();
            if !OURS.iter().any(|ours| name == *ours) {
                bail!(
                    "{shown} holds more than an earlier demo ({}): name another --directory",
                    name.to_string_lossy()
                );
            }
        }
        let marker = folder.join("repository");
        if marker.exists() {
            std::fs::remove_dir_all(&marker).with_context(|| format!("cannot empty {shown}"))?;
        }
        for name in OURS.iter().skip(1) {
            let _ = std::fs::remove_file(folder.join(name));
        }
    }
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {shown}"))?;
    Ok(())
}
