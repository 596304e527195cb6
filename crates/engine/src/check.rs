//! The proof of closure: does each grant of a case still work?

use crate::book::Book;
use crate::echo;
use crate::error::EngineError;
use crate::follow::settle;
use crate::inspector::{Inspector, context};
use crate::progress::Progress;
use crate::scan::{begin, client, end, named_scope, open_target};
use crate::settings::ScanSettings;
use lidless_core::{GrantStatus, Timestamp};
use lidless_detect::RuleSet;
use lidless_detect::model::AllowedImports;
use lidless_ledger::Case;
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, PoisonError};

/// What became of one grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closure {
    /// Id of the grant.
    pub grant: String,
    /// `az://ACCOUNT[/CONTAINER[/PATH]]`.
    pub resource: String,
    /// How access was given, in words.
    pub mechanism: String,
    /// What the case said before.
    pub before: GrantStatus,
    /// What the service says now; `unknown` when it could not be asked.
    pub now: GrantStatus,
    /// Why, in words.
    pub meaning: String,
    /// When it was asked.
    pub checked_at: Timestamp,
}

impl Closure {
    /// True when the grant no longer works, by the service's own word or by its time.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.now, GrantStatus::Expired | GrantStatus::Revoked | GrantStatus::Denied)
    }
}

/// Finds the credentials of a case again where they stood, since a case never holds them, and
/// asks the services about each grant that was not known to be dead.
///
/// The answers are kept in the case.
///
/// # Errors
/// When no target can be read again, or the case fails.
pub fn check(settings: &ScanSettings, case: &Case) -> Result<Vec<Closure>, EngineError> {
    let progress = Progress::default();
    let scratch = Case::temporary()?;
    let inspector = Inspector::new(
        context(case.key(), settings.limits, AllowedImports::default(), false),
        RuleSet::default(),
    );
    let book = Mutex::new(Book::new(settings.now, settings.keys.clone()));
    let mut failures = Vec::new();
    for target in &settings.targets {
        if let Err(error) = open_target(target, settings, &inspector, &scratch, &book, &progress) {
            failures.push(error.to_string());
        }
    }
    if !failures.is_empty() && failures.len() == settings.targets.len() {
        return Err(EngineError::NothingScanned(failures.join("; ")));
    }
    let book = book.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut settings = settings.clone();
    settings.scope = named_scope(&settings);
    let client = client(&settings, Some(case));
    begin(&settings, case)?;
    let mut closures = Vec::new();
    for mut grant in case.grants()? {
        // Never followed is nothing to close, unless it is a credential that may yet work.
        let before = grant.status;
        let closure = |now, meaning: String| Closure {
            grant: grant.id.clone(),
            resource: grant.resource.clone(),
            mechanism: grant.mechanism.words().to_owned(),
            before,
            now,
            meaning,
            checked_at: settings.now,
        };
        let known = book.get(&grant.id);
        let Some((known, access)) =
            known.and_then(|known| Some((known, known.credential.access()?)))
        else {
            let meaning = "the credential no longer stands where it was found; give it again with \
                           --token @FILE to have it asked";
            closures.push(closure(GrantStatus::Unknown, meaning.into()));
            continue;
        };
        let probed = lidless_storage::open(&client, &access).and_then(|store| {
            let mut probe = store.probe()?;
            echo::explain(&*store, &known.credential, &mut probe);
            Ok(probe)
        });
        match probed {
            Ok(probe) => {
                let meaning = probe.observed.meaning.clone().unwrap_or_default();
                closures.push(closure(probe.status, meaning));
                grant.status = probe.status;
                grant.observed = Some(probe.observed);
                settle(&mut grant);
                case.put_grant(&grant)?;
            }
            Err(error) => closures.push(closure(GrantStatus::Unknown, error.message)),
        }
    }
    let mut history: Vec<Vec<Closure>> = case.meta("checks")?.unwrap_or_default();
    history.push(closures.clone());
    end(&client, case)?;
    case.set_meta("checks", &history)?;
    Ok(closures)
}
