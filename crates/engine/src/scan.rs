//! One run from its targets to its report.

use crate::answers::{self, Answered};
use crate::assemble::assemble;
use crate::baseline::{self, Baseline};
use crate::book::Book;
use crate::error::EngineError;
use crate::follow::{Doors, follow};
use crate::inspector::{Inspector, Seen, context};
use crate::inventory::{Inventoried, Stocks, take_stock};
use crate::inventory_place::Inventories;
use crate::left_out::LeftOut;
use crate::listing::list_all;
use crate::local;
use crate::metadata::Metadata;
use crate::objects::{Objects, read_mark, service_read_mark};
use crate::progress::Progress;
use crate::questions::of_rule;
use crate::rights;
use crate::settings::ScanSettings;
use crate::target::Target;
use crate::trail::Noted;
use crate::verify::verify;
use lidless_core::{
    AzureService, Gap, GrantStatus, Layer, Mechanism, Observed, Place, Provenance, Provider,
    Remark, RemarkKind, Report, Run, Scope, Timestamp, TrailRecord,
};
use lidless_discover::Source;
use lidless_inventory::Inventory;
use lidless_io::{Budget, Tally};
use lidless_judge::exit_code;
use lidless_ledger::Case;
use lidless_storage::{Client, ClientSettings, Trail};
use lidless_token::{Credential, Own};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// How often leads found behind a grant open further stores.
const ROUNDS: usize = 8;

/// Lists what the targets of a run reach, or takes it from inventories, into the case, and looks
/// into nothing.
///
/// # Errors
/// As [`scan`].
pub fn list(settings: &ScanSettings, case: &Case, progress: &Progress) -> Result<(), EngineError> {
    let mut settings = settings.clone();
    let inspector = Inspector::new(
        context(case.key(), settings.limits, settings.imports.clone(), false),
        settings.rules.clone(),
    );
    let book = Mutex::new(Book::new(settings.now, settings.keys.clone()));
    for target in settings.targets.clone() {
        open_target(&target, &settings, &inspector, case, &book, progress)?;
    }
    settings.scope = named_scope(&settings);
    let client = client(&settings, Some(case));
    begin(&settings, case)?;
    let budget = settings.budget.map_or_else(Budget::unlimited, Budget::new);
    let inventories = Inventories::open(&settings, case, (&book, &budget, &client))?;
    let inventoried = Inventoried::survey(&settings, &inventories.list, case)?;
    let (mut doors, mut done) = (Doors::knowing(inventoried), BTreeSet::new());
    let left_out = LeftOut::restore(case)?;
    let known = (&mut doors, &mut done);
    follow(&settings, &client, case, &book, known, progress, &left_out)?;
    save_book(case, &book)?;
    let metadata = Metadata { case, inspector: &inspector, book: &book };
    list_all(&settings, case, &doors, progress, (&metadata, &left_out))?;
    let mut stocks = Stocks { inventories: &inventories.list, taken: BTreeMap::new() };
    take_stock(&settings, &mut stocks, case, &doors, progress, &metadata)?;
    save_traffic(case, (0, 0), client.tally())?;
    end(&client, case)
}

/// Runs the whole pipeline and keeps everything in the case.
///
/// A case that holds an earlier, interrupted run of the same targets is gone on with.
///
/// # Errors
/// When no target could be read or the case fails. Everything else is a gap in the report.
pub fn scan(
    settings: &ScanSettings,
    case: &Case,
    progress: &Progress,
) -> Result<Report, EngineError> {
    let mut settings = settings.clone();
    let started: Timestamp = case.meta("started")?.unwrap_or(settings.now);
    case.set_meta("started", &started)?;
    let id: Option<String> = case.meta("run_id")?;
    let id = match id {
        Some(id) => id,
        None => case.key().of(format!("run {started}").as_bytes()).as_str().to_owned(),
    };
    case.set_meta("run_id", &id)?;
    let targets: Vec<String> = settings.targets.iter().map(Target::describe).collect();
    case.set_meta("targets", &targets)?;
    case.reopen_for_resume()?;

    // A resumed run has the baseline of the run before.
    if settings.decisions.baseline.is_none() {
        settings.decisions.baseline = case.meta::<Option<Baseline>>("baseline")?.flatten();
    }
    let known = settings.decisions.baseline.as_ref().and_then(Baseline::key_bytes);
    let key = match known {
        Some(identities) => case.key().clone().with_identity_key(identities),
        None => case.key().clone(),
    };
    case.set_meta("baseline", &settings.decisions.baseline)?;
    let verifies = settings.verify.is_some();
    if verifies {
        reopen_unasked(case)?;
    }
    let imports = settings.imports.clone();
    let inspector =
        Inspector::new(context(&key, settings.limits, imports, verifies), settings.rules.clone())
            .heeding(settings.decisions.markers);
    let book = Mutex::new(Book::new(settings.now, settings.keys.clone()));
    let mut entries = 0u64;
    let mut failures = Vec::new();
    let mut read_any = false;
    for target in settings.targets.clone() {
        progress.phase(&format!("reading {}", target.describe()));
        match open_target(&target, &settings, &inspector, case, &book, progress) {
            Ok(count) => {
                read_any = true;
                entries = entries.saturating_add(count);
            }
            Err(EngineError::Target(message)) => failures.push((target.describe(), message)),
            Err(error) => return Err(error),
        }
    }
    if !read_any {
        let words: Vec<String> = failures.into_iter().map(|(_, message)| message).collect();
        return Err(EngineError::NothingScanned(words.join("; ")));
    }
    let gaps: Vec<Gap> =
        failures.into_iter().map(|(target, message)| Gap::new(target, message, None)).collect();
    case.put_local(&[], &[], &gaps)?;
    case.set_meta("entries", &entries)?;
    save_book(case, &book)?;

    settings.scope = named_scope(&settings);
    let client = client(&settings, Some(case));
    begin(&settings, case)?;
    let before: (u64, u64) = case.meta("traffic")?.unwrap_or_default();
    let budget = settings.budget.map_or_else(Budget::unlimited, Budget::new);
    progress.phase("opening inventories");
    let inventories = Inventories::open(&settings, case, (&book, &budget, &client))?;
    let given = (inventories.list.as_slice(), &budget);
    walk(&settings, &client, given, &inspector, case, &book, progress, before)?;

    let asked = verify(&settings, &client, &inspector.questions, case, &book, progress)?;
    progress.phase("judging");
    save_book(case, &book)?;
    let tally = client.tally();
    tally.add(asked.bytes(), asked.requests());
    save_traffic(case, before, tally)?;
    end(&client, case)?;
    unreachable_target(&settings, &book)?;
    let decisions = &settings.decisions;
    baseline::settle(case, decisions.baseline.as_ref(), &decisions.gitleaks, &key)?;
    let run = Run {
        id,
        started,
        finished: None,
        targets,
        complete: false,
        exit_code: None,
        objects: 0,
        entries: 0,
        bytes_listed: 0,
        bytes_read: 0,
        requests: 0,
        gaps: 0,
        suppressed: BTreeMap::new(),
    };
    case.set_meta("run", &run)?;
    let mut report = assemble(case, settings.now)?;
    report.run.exit_code = Some(exit_code(&report, settings.fail_on));
    report.run.finished = Some(Timestamp::now());
    case.set_meta("run", &report.run)?;
    Ok(report)
}

/// The client of a run; it asks the scope before every request, and notes each in the case.
pub(crate) fn client(settings: &ScanSettings, case: Option<&Case>) -> Arc<Client> {
    Arc::new(new_client(settings, case))
}

/// As [`client`], not shared yet.
pub(crate) fn new_client(settings: &ScanSettings, case: Option<&Case>) -> Client {
    let client_settings = ClientSettings {
        endpoints: settings.endpoints.clone(),
        user_agent: user_agent(settings),
        requester_pays: settings.requester_pays,
        allowance: settings.allowance.clone(),
        run: run_name(),
        trail: case.map(|case| Arc::new(Noted(case.trail())) as Arc<dyn Trail>),
        rate: settings.rate,
        ..ClientSettings::default()
    };
    Client::new(Arc::new(settings.scope.clone()), client_settings)
}

/// A name for the requests of this process: an owner finds all of them by it.
fn run_name() -> String {
    use std::hash::{BuildHasher as _, RandomState};
    static NAME: OnceLock<String> = OnceLock::new();
    let made = || format!("lidless-{:016x}", RandomState::new().hash_one(std::process::id()));
    NAME.get_or_init(made).clone()
}

/// Notes in the trail that requests begin.
pub(crate) fn begin(settings: &ScanSettings, case: &Case) -> Result<(), EngineError> {
    case.trail().note(TrailRecord::Begin {
        time: Timestamp::now(),
        user_agent: user_agent(settings),
        authority: settings.scope.authority(),
    });
    Ok(case.flush_trail()?)
}

/// Notes in the trail that requests are at their end, and tells who asked for patience.
pub(crate) fn end(client: &Client, case: &Case) -> Result<(), EngineError> {
    let requests = client.tally().requests();
    case.trail().note(TrailRecord::End { time: Timestamp::now(), requests });
    case.flush_trail()?;
    let throttled = client.throttled();
    let remarks: Vec<Remark> = throttled
        .into_iter()
        .map(|(location, told)| {
            let message = format!(
                "{location} answered {} times that it was too much (429, 503), and was left alone \
                 for {:.1} s in all",
                told.answers,
                told.paused.as_secs_f64()
            );
            Remark { kind: RemarkKind::Throttled, location, message }
        })
        .collect();
    Ok(case.put_remarks(&remarks)?)
}

/// How requests name this program, and whom to ask about them.
pub(crate) fn user_agent(settings: &ScanSettings) -> String {
    let version = env!("CARGO_PKG_VERSION");
    match settings.scope.contact() {
        Some(contact) => format!("lidless/{version} (+{contact})"),
        None => format!("lidless/{version}"),
    }
}

/// Objects that hold secrets nobody was asked about are looked into again: a case keeps none.
fn reopen_unasked(case: &Case) -> Result<(), EngineError> {
    let answers = answers::read(case)?;
    let findings = case.findings()?;
    let unasked = findings.iter().filter(|finding| {
        let answer = finding.fingerprint.as_ref().and_then(|one| answers.get(one));
        of_rule(&finding.rule).is_some() && !answer.is_some_and(Answered::is_decided)
    });
    let ids: Vec<&str> = unasked.map(|finding| finding.id.as_str()).collect();
    Ok(case.reopen_findings(&ids)?)
}

/// The scope with what the user named added to it.
pub(crate) fn named_scope(settings: &ScanSettings) -> Scope {
    let mut scope = settings.scope.clone();
    for target in &settings.targets {
        let access = match target {
            Target::Credential { credential, .. } => credential.access(),
            Target::Store { access, .. } => Some(access.clone()),
            Target::Path(_) | Target::GitUrl(_) => None,
        };
        if let Some(access) = access {
            // A bucket is one among many of one service; an account is a store of its own.
            match &access.container {
                // What was named of a web server is a folder of it, or a file.
                Some(host) if access.provider == Provider::Http => {
                    let key = access.key.as_deref().unwrap_or("");
                    let place = format!("{}/{host}/{key}", access.store());
                    scope.name_store(place.trim_end_matches('/'));
                }
                Some(bucket) if access.provider != Provider::Azure => {
                    scope.name_store(&format!("{}/{bucket}", access.store()));
                }
                // A credential that the user names names every service that it opens.
                _ => access.stores().iter().for_each(|store| scope.name_store(store)),
            }
        }
    }
    scope
}

/// Reads one target and books what it gives; says how many entries were opened.
pub(crate) fn open_target(
    target: &Target,
    settings: &ScanSettings,
    inspector: &Inspector,
    case: &Case,
    book: &Mutex<Book>,
    progress: &Progress,
) -> Result<u64, EngineError> {
    let source = match target {
        Target::Path(path) => Source::open(&path.to_string_lossy()),
        Target::GitUrl(url) => Source::open(url),
        Target::Credential { credential, source } => {
            let place = Place::whole(Provenance::new(Layer::Input { name: source.clone() }));
            let sighting = lidless_token::Sighting {
                span: 0..0,
                form: "named",
                credential: (**credential).clone(),
            };
            let seen = vec![Seen { place, sighting }];
            book.lock().unwrap_or_else(PoisonError::into_inner).add(seen, None, None, true);
            return Ok(1);
        }
        Target::Store { access, name, own } => {
            let url = store_url(access);
            let link = match access.provider {
                Provider::Http => Some(Credential::Own(Own::web(access.clone()))),
                _ => lidless_token::read(&url),
            };
            // Strangers have no list of buckets of their own to look at.
            let names_some = access.container.is_some() || access.provider == Provider::Azure;
            let link = link.filter(|_| names_some || own.is_none()).map(|link| ("named", link));
            let own = own.clone().map(|own| ("own_credentials", Credential::Own(own)));
            let ways: Vec<_> = own.into_iter().chain(link).collect();
            if ways.is_empty() {
                return Err(EngineError::Target(format!("{name}: no such store")));
            }
            for (form, credential) in ways {
                let place = Place::whole(Provenance::new(Layer::Input { name: name.clone() }));
                let sighting = lidless_token::Sighting { span: 0..0, form, credential };
                let seen = vec![Seen { place, sighting }];
                book.lock().unwrap_or_else(PoisonError::into_inner).add(seen, None, None, true);
            }
            return Ok(1);
        }
    };
    let source = source.map_err(|error| EngineError::Target(error.to_string()))?;
    local::read(&source, settings, inspector, case, book, progress)
}

fn store_url(access: &lidless_core::Access) -> String {
    let mut url = access.origin.clone();
    for part in [&access.container, &access.key].into_iter().flatten() {
        url.push('/');
        url.push_str(part);
    }
    url
}

/// Follow, list, look inside; again for what was found inside.
#[expect(clippy::too_many_arguments, reason = "everything a run is made of")]
fn walk(
    settings: &ScanSettings,
    client: &Arc<Client>,
    (inventories, budget): (&[Inventory], &Budget),
    inspector: &Inspector,
    case: &Case,
    book: &Mutex<Book>,
    progress: &Progress,
    before: (u64, u64),
) -> Result<(), EngineError> {
    let mut doors = Doors::knowing(Inventoried::survey(settings, inventories, case)?);
    let mut stocks = Stocks { inventories, taken: BTreeMap::new() };
    let mut done = BTreeSet::new();
    let left_out = LeftOut::restore(case)?;
    let metadata = Metadata { case, inspector, book };
    for _ in 0..ROUNDS {
        progress.phase("asking what links open");
        let known = (&mut doors, &mut done);
        if follow(settings, client, case, book, known, progress, &left_out)? == 0 {
            break;
        }
        save_book(case, book)?;
        progress.phase("listing");
        list_all(settings, case, &doors, progress, (&metadata, &left_out))?;
        if !inventories.is_empty() {
            progress.phase("reading inventories");
        }
        take_stock(settings, &mut stocks, case, &doors, progress, &metadata)?;
        save_traffic(case, before, client.tally())?;
        progress.phase("looking inside");
        let objects = Objects {
            settings,
            case,
            doors: &doors,
            inspector,
            book,
            budget,
            progress,
            marks: Mutex::new(HashSet::new()),
        };
        objects.inspect_all()?;
        save_traffic(case, before, client.tally())?;
    }
    let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
    let mut told = Vec::new();
    for (id, known) in book.known() {
        let mut grant = known.grant.clone();
        if case.meta::<bool>(&read_mark(id))? == Some(true) {
            grant.observed.get_or_insert_with(Observed::default).can_read = Some(true);
            // What it was asked before refused it; what an inventory named did not.
            if matches!(grant.status, GrantStatus::Denied | GrantStatus::Unknown) {
                grant.status = GrantStatus::Live;
            }
        }
        let Some(observed) = &mut grant.observed else { continue };
        for service in AzureService::ALL {
            let read = case.meta::<bool>(&service_read_mark(id, service))? == Some(true);
            if let Some(seen) = observed.services.get_mut(service.label()).filter(|_| read) {
                seen.can_read = Some(true);
            }
        }
        rights::tell(&known.credential, &mut grant);
        told.push(grant);
    }
    told.into_iter().for_each(|grant| book.set_grant(grant));
    Ok(())
}

fn save_traffic(case: &Case, before: (u64, u64), tally: Tally) -> Result<(), EngineError> {
    let bytes = before.0.saturating_add(tally.bytes());
    let requests = before.1.saturating_add(tally.requests());
    Ok(case.set_meta("traffic", &(bytes, requests))?)
}

/// Writes every lead, grant and finding about a credential to the case.
fn save_book(case: &Case, book: &Mutex<Book>) -> Result<(), EngineError> {
    let book = book.lock().unwrap_or_else(PoisonError::into_inner);
    for (_, known) in book.known() {
        case.put_grant(&known.grant)?;
    }
    for (lead, object) in book.leads() {
        case.put_lead(lead, object)?;
    }
    for (finding, object) in book.findings(case.key()) {
        case.put_finding(&finding, object)?;
    }
    Ok(())
}

/// A single store that the user named and that did not answer is an error, not a report.
fn unreachable_target(settings: &ScanSettings, book: &Mutex<Book>) -> Result<(), EngineError> {
    let [target] = settings.targets.as_slice() else { return Ok(()) };
    if matches!(target, Target::Path(_) | Target::GitUrl(_)) {
        return Ok(());
    }
    let book = book.lock().unwrap_or_else(PoisonError::into_inner);
    let answered = book.known().any(|(_, known)| {
        let strange = matches!(known.grant.mechanism, Mechanism::AzureAnonymous | Mechanism::Http);
        known.grant.observed.is_some() || !strange
    });
    if answered {
        return Ok(());
    }
    let reasons: Vec<String> =
        book.leads().filter_map(|(lead, _)| lead.left_alone.clone()).collect();
    Err(EngineError::NothingScanned(format!(
        "{} did not answer{}",
        target.describe(),
        if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) }
    )))
}
