//! Asking issuers whether the credentials that were found are live: only when asked to, only where
//! the scope allows it, slowly, and never so that a secret is kept.

use crate::answers::{self, Answered, Answers};
use crate::book::Book;
use crate::error::EngineError;
use crate::follow::settle;
use crate::progress::Progress;
use crate::questions::{Question, Questions, of_rule};
use crate::rights;
use crate::scan::user_agent;
use crate::settings::ScanSettings;
use lidless_core::{
    Gap, Grant, GrantStatus, Mechanism, Observed, Scope, Secret, Timestamp, Verified,
};
use lidless_detect::Asking;
use lidless_io::Tally;
use lidless_ledger::Case;
use lidless_storage::{
    Client, ClientSettings, IdentityAnswer, IdentityCall, SigningKey, StorageError,
    StorageErrorKind, issuer_at,
};
use lidless_token::Credential;
use serde_json::Map;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many issuers are asked at the same time.
const AT_ONCE: usize = 8;
/// Between two questions to one issuer.
const PACE: Duration = Duration::from_secs(1);
/// An issuer that gives no answer so often in a row is not asked again in this run.
const PATIENCE: usize = 3;

/// How issuers are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifySettings {
    /// How many credentials one issuer is asked about at most.
    pub per_issuer: usize,
}

impl Default for VerifySettings {
    fn default() -> Self {
        Self { per_issuer: 100 }
    }
}

/// What becomes of a question.
enum Placed {
    Ready(Box<Ready>),
    Unasked(Box<Question>, String),
}

/// A question with where it goes.
struct Ready {
    question: Question,
    asking: Asking,
    /// The host that is asked.
    host: String,
    /// The user named where the issuer is.
    moved: bool,
}

/// Asks about everything that waits and keeps the answers in the case.
///
/// # Errors
/// When the case cannot be written. An issuer that does not answer is a gap.
pub(crate) fn verify(
    settings: &ScanSettings,
    client: &Arc<Client>,
    questions: &Questions,
    case: &Case,
    book: &Mutex<Book>,
    progress: &Progress,
) -> Result<Tally, EngineError> {
    let tally = Tally::default();
    let Some(limits) = &settings.verify else { return Ok(tally) };
    progress.phase("asking issuers");
    ask_stores(settings, client, case, book)?;
    from_book(questions, case, book);
    let (waiting, dropped) = questions.take();
    let mut answers = answers::read(case)?;
    let mut gaps = Vec::new();
    if dropped > 0 {
        let reason = format!("{dropped} secrets were too many to ask about");
        gaps.push(Gap::new("issuers", reason, None));
    }
    let mut scope = settings.scope.clone();
    let mut by_issuer: BTreeMap<&str, Vec<Ready>> = BTreeMap::new();
    let mut service_accounts = Vec::new();
    for question in waiting {
        if question.verify.issuer == "gcp" {
            service_accounts.push((question.pair.clone(), question.fingerprints.clone()));
        }
        let known = |one: &_| answers.get(one).is_some_and(Answered::is_decided);
        if question.fingerprints.iter().all(known) {
            continue;
        }
        match place(question, settings, &mut scope) {
            Placed::Ready(ready) => {
                let row = by_issuer.entry(ready.question.verify.issuer).or_default();
                if row.len() < limits.per_issuer {
                    row.push(*ready);
                } else {
                    let why = format!("not asked: more than {} for one issuer", limits.per_issuer);
                    gaps.push(Gap::new(&ready.question.location, &why, None));
                    keep(&mut answers, &ready.question, unasked(&ready.question, why, settings));
                }
            }
            Placed::Unasked(question, why) => {
                keep(&mut answers, &question, unasked(&question, why, settings));
            }
        }
    }
    answers::write(case, &answers)?;
    // One client for all issuers: the scope is asked before every request, as everywhere.
    let client = Client::new(
        Arc::new(scope),
        ClientSettings {
            user_agent: user_agent(settings),
            connect_timeout: Duration::from_secs(10),
            // A hostile issuer costs minutes, not hours: no answer of an honest one takes as long.
            read_timeout: Duration::from_secs(8),
            attempts: 2,
            ..ClientSettings::default()
        },
    );
    let rows: Vec<Vec<Ready>> = by_issuer.into_values().collect();
    let shared = Mutex::new((answers, gaps));
    let next = AtomicUsize::new(0);
    let failed: Mutex<Option<EngineError>> = Mutex::new(None);
    std::thread::scope(|threads| {
        for _ in 0..settings.jobs.clamp(1, AT_ONCE).min(rows.len()) {
            threads.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = ask_row(&client, row, settings, case, &shared) {
                        *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                        break;
                    }
                }
            });
        }
    });
    if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    let (answers, gaps) = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    case.put_local(&[], &[], &gaps)?;
    to_book(&answers, &service_accounts, case, book)?;
    Ok(client.tally())
}

/// Where a question goes, when it may go there; the reason when it may not, or when the secret
/// does not fit into a question.
fn place(question: Question, settings: &ScanSettings, scope: &mut Scope) -> Placed {
    let Some(mut asking) = question.verify.ask(&question.secret, question.pair.as_ref()) else {
        let why = "not asked: the question is not for one of this form";
        return Placed::Unasked(Box::new(question), why.to_owned());
    };
    let endpoint = settings.endpoints.issuers.get(question.verify.issuer);
    let (host, url) = issuer_at(&asking.url, endpoint.map(String::as_str));
    asking.url = url;
    match scope.name_issuer(&host) {
        Ok(()) => {
            let moved = endpoint.is_some();
            Placed::Ready(Box::new(Ready { question, asking, host, moved }))
        }
        Err(denied) => {
            Placed::Unasked(Box::new(question), format!("left alone: {}", denied.reason))
        }
    }
}

/// Asks one issuer about all its secrets, one after the other.
fn ask_row(
    client: &Client,
    row: &[Ready],
    settings: &ScanSettings,
    case: &Case,
    shared: &Mutex<(Answers, Vec<Gap>)>,
) -> Result<(), EngineError> {
    let mut silent = 0usize;
    let mut before: Option<Instant> = None;
    for ready in row {
        let question = &ready.question;
        let (answered, gap) = if silent >= PATIENCE {
            let why = format!("not asked: {} does not answer", ready.host);
            (unasked(question, why.clone(), settings), Some(why))
        } else {
            if let Some(wait) = before.and_then(|then| PACE.checked_sub(then.elapsed())) {
                std::thread::sleep(wait);
            }
            let sign = question.verify.sign.as_ref().zip(ready.asking.sign.as_ref());
            let call = IdentityCall {
                url: ready.asking.url.clone(),
                headers: ready.asking.headers.clone(),
                sign: sign.map(|(how, (id, secret))| SigningKey {
                    id: id.clone(),
                    secret: secret.clone(),
                    region: how.region,
                    service: how.service,
                }),
                what: format!("ask {} whether a credential is live", ready.host),
            };
            let answer = client.identify(&call);
            before = Some(Instant::now());
            silent = if is_silence(&answer) { silent.saturating_add(1) } else { 0 };
            judged(ready, answer, settings)
        };
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = gap {
            shared.1.push(Gap::new(&question.location, why, None));
        }
        keep(&mut shared.0, question, answered);
        // At once: a stop loses one question.
        answers::write(case, &shared.0)?;
    }
    Ok(())
}

/// Whether the issuer as a whole seems to be away; a site of it that is not there says nothing.
fn is_silence(answer: &Result<IdentityAnswer, StorageError>) -> bool {
    match answer {
        Ok(answer) => is_failure(answer.status),
        Err(error) => {
            !matches!(error.kind, StorageErrorKind::OutOfScope | StorageErrorKind::NotFound)
        }
    }
}

fn is_failure(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..=599)
}

/// What an answer means, and the gap it leaves when there was none.
fn judged(
    ready: &Ready,
    answer: Result<IdentityAnswer, StorageError>,
    settings: &ScanSettings,
) -> (Answered, Option<String>) {
    let question = &ready.question;
    let mut answered = unasked(question, String::new(), settings);
    answered.at = Timestamp::now();
    match answer {
        Err(error) if error.kind == StorageErrorKind::OutOfScope => {
            answered.meaning = format!("left alone: {}", error.message);
            (answered, None)
        }
        Err(error) => {
            answered.verdict = Some(Verified::Unknown);
            answered.meaning = error.message.clone();
            (answered, Some(error.message))
        }
        Ok(answer) if is_failure(answer.status) => {
            let why = format!(
                "cannot ask {} whether a credential is live: it answers {} again and again",
                ready.host, answer.status
            );
            answered.verdict = Some(Verified::Unknown);
            answered.meaning.clone_from(&why);
            (answered, Some(why))
        }
        Ok(answer) => {
            let judged = question.verify.judge(
                &question.secret,
                question.pair.as_ref(),
                ready.moved.then_some(ready.host.as_str()),
                answer.status,
                &answer.headers,
                &answer.body,
            );
            answered.verdict = Some(judged.verdict);
            answered.meaning = judged.meaning;
            answered.identity = judged.identity;
            if judged.verdict == Verified::Dead && !question.sure_pair {
                answered.verdict = Some(Verified::Unknown);
                answered.meaning.push_str(", but something else near it may belong to it");
            }
            (answered, None)
        }
    }
}

fn unasked(question: &Question, meaning: String, settings: &ScanSettings) -> Answered {
    Answered {
        verdict: None,
        asked: question.verify.shown(),
        meaning,
        identity: Map::new(),
        at: settings.now,
    }
}

/// Keeps an answer under every fingerprint it is about; what is decided already stays, and what
/// works with one partner works.
fn keep(answers: &mut Answers, question: &Question, answered: Answered) {
    for fingerprint in &question.fingerprints {
        let stays = answers.get(fingerprint).is_some_and(|known| {
            known.verdict == Some(Verified::Live)
                || (known.is_decided() && answered.verdict != Some(Verified::Live))
        });
        if !stays {
            answers.insert(fingerprint.clone(), answered.clone());
        }
    }
}

/// Probes the stores whose credentials were found and not followed: one probe says whether a
/// credential is live. A store is touched only where the scope allows it, as when following.
fn ask_stores(
    settings: &ScanSettings,
    client: &Arc<Client>,
    case: &Case,
    book: &Mutex<Book>,
) -> Result<(), EngineError> {
    let chosen: Vec<_> = {
        let book = book.lock().unwrap_or_else(PoisonError::into_inner);
        let known = book.known().filter(|(_, known)| {
            known.grant.observed.is_none() && known.credential.secret().is_some()
        });
        known
            .filter_map(|(_, known)| {
                Some((known.credential.access()?, known.credential.clone(), known.grant.clone()))
            })
            .filter(|(access, ..)| {
                let touch = lidless_storage::touch(access, &settings.endpoints);
                settings.scope.allows(&touch, settings.now).is_ok()
            })
            .collect()
    };
    for (access, credential, mut grant) in chosen {
        match lidless_storage::open(client, &access).and_then(|store| store.probe()) {
            Ok(probe) => {
                grant.status = probe.status;
                grant.observed = Some(probe.observed);
                rights::tell(&credential, &mut grant);
                settle(&mut grant);
                keep_grant(grant, case, book)?;
            }
            Err(error) => {
                let reason = format!("could not be asked: {}", error.message);
                case.put_local(&[], &[], &[Gap::new(&grant.resource, reason, None)])?;
            }
        }
    }
    Ok(())
}

fn keep_grant(grant: Grant, case: &Case, book: &Mutex<Book>) -> Result<(), EngineError> {
    case.put_grant(&grant)?;
    book.lock().unwrap_or_else(PoisonError::into_inner).set_grant(grant);
    Ok(())
}

/// Questions about pairs of an id and a key that stand among the leads.
fn from_book(questions: &Questions, case: &Case, book: &Mutex<Book>) {
    let book = book.lock().unwrap_or_else(PoisonError::into_inner);
    for (id, known) in book.known() {
        let Credential::KeyPair(pair) = &known.credential else { continue };
        let (access_id, key) = (Secret::new(pair.access_id()), pair.secret());
        let (rule, secret, other) = match known.grant.mechanism {
            Mechanism::AwsAccessKey => ("aws_secret_access_key", key, access_id),
            Mechanism::GcsHmacKey => ("gcs_hmac_id", access_id, key),
            _ => continue,
        };
        let Some(verify) = of_rule(rule) else { continue };
        let lead = book.leads().find(|(lead, _)| lead.grant.as_deref() == Some(id.as_str()));
        let question = Question {
            verify,
            secret,
            pair: Some(other),
            // The recogniser pairs an id with the nearest key; others may have stood near it.
            sure_pair: false,
            severity: known.grant.severity,
            location: lead.map(|(lead, _)| lead.location.clone()).unwrap_or_default(),
            fingerprints: Vec::new(),
        };
        questions.add_one(question, case.key());
    }
}

/// What issuers said of pairs of an id and a key becomes the status of their grants.
fn to_book(
    answers: &Answers,
    service_accounts: &[(Option<Secret>, Vec<lidless_core::Fingerprint>)],
    case: &Case,
    book: &Mutex<Book>,
) -> Result<(), EngineError> {
    let mut told = Vec::new();
    {
        let book = book.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, known) in book.known() {
            let Credential::KeyPair(pair) = &known.credential else { continue };
            let answered = if known.grant.mechanism == Mechanism::GcsServiceAccount {
                // The question is about the id of the key, the grant about the key: where an
                // account has one key here, they are one.
                let mut of_account = service_accounts.iter().filter(|(address, _)| {
                    address.as_ref().is_some_and(|one| one.expose() == pair.access_id())
                });
                match (of_account.next(), of_account.next()) {
                    (Some((_, fingerprints)), None) => {
                        fingerprints.iter().find_map(|one| answers.get(one))
                    }
                    _ => None,
                }
            } else {
                answers.get(&case.key().of(pair.secret().expose().as_bytes()))
            };
            let Some(answered) = answered.filter(|one| one.verdict.is_some()) else { continue };
            let mut grant = known.grant.clone();
            grant.status = match answered.verdict {
                Some(Verified::Live) => GrantStatus::Live,
                Some(Verified::Dead) => GrantStatus::Revoked,
                _ => GrantStatus::Unknown,
            };
            grant.observed = Some(Observed {
                checked_at: Some(answered.at),
                meaning: Some(answered.meaning.clone()),
                ..Observed::default()
            });
            settle(&mut grant);
            told.push(grant);
        }
    }
    for grant in told {
        keep_grant(grant, case, book)?;
    }
    Ok(())
}
