//! Is it live, and what may it do? With as few reading requests as that takes.
//!
//! A credential is called live only when the service's own answer says so, and revoked only when
//! it says that: a login page, a proxy's refusal or a parked domain decide nothing.

use super::error::gone;
use super::list;
use super::query::Query;
use super::shared::Shared;
use super::verdict::{Verdict, verdict};
use crate::client::{Answer, Verb};
use crate::store::{Probe, StorageError, StorageErrorKind};
use lidless_core::{Auth, GrantStatus, Observed, Timestamp};
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

/// What is asked; one request each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    /// List one container of the account.
    Containers,
    /// What kind of account is it: any account SAS may ask that.
    Account,
    /// List one blob of a container.
    Blobs,
    /// Read the first byte of a blob.
    Blob,
}

/// The largest answer to a question: a listing of one name.
const LIMIT: u64 = 1 << 20;

/// Asks, in the order of what the credential names and declares, until the answers decide.
///
/// # Errors
/// When no question got an answer.
pub(crate) fn probe(shared: &Shared) -> Result<Probe, StorageError> {
    let mut interview = Interview {
        shared,
        observed: Observed { checked_at: Some(Timestamp::now()), ..Observed::default() },
        best: None,
        first_error: None,
    };
    interview.run();
    let Interview { mut observed, best, first_error, .. } = interview;
    let Some(best) = best else {
        return Err(first_error.map(gone).unwrap_or_else(|| StorageError {
            kind: StorageErrorKind::Unsupported,
            message: format!("cannot ask {}: the link names nothing to ask", shared.access.store()),
            status: None,
            code: None,
        }));
    };
    if matches!(shared.access.auth, Auth::Anonymous) {
        observed.public = match best.status {
            GrantStatus::Live => Some(true),
            GrantStatus::Unknown => None,
            _ => Some(false),
        };
    }
    Ok(Probe { status: best.status, observed })
}

struct Interview<'a> {
    shared: &'a Shared,
    observed: Observed,
    best: Option<Verdict>,
    first_error: Option<StorageError>,
}

impl Interview<'_> {
    fn run(&mut self) {
        let access = &self.shared.access;
        match &access.auth {
            Auth::Anonymous => match (&access.container, &access.key) {
                (Some(container), key) => {
                    if let Some(key) = key {
                        self.ask(Question::Blob, Query::blob(container, key));
                    }
                    self.blobs(container);
                    if key.is_none() && self.observed.can_list == Some(false) {
                        self.by_blob(container);
                    }
                }
                (None, _) => {
                    self.containers();
                }
            },
            Auth::Key { .. } => self.account(),
            Auth::Query(_) if self.shared.sas("srt").is_some() => self.account(),
            Auth::Query(_) => self.service(),
            Auth::Token(_) | Auth::ServiceAccount { .. } => {}
        }
    }

    /// Whether strangers may read blobs of a container whose names they know: it says of a name
    /// that nothing has that no such blob is there, where a private container says nothing.
    fn by_blob(&mut self, container: &str) {
        let name = format!("lidless-{:016x}", RandomState::new().hash_one(container));
        let about = Query::blob(container, &name);
        let what = format!("ask about {}/{container}", self.shared.access.store());
        let headers = vec![("range", "bytes=0-0".to_owned())];
        let Ok(answer) = self.shared.ask(Verb::Get, &about, headers, &what, 1) else { return };
        if answer.status == 404 && answer.code().as_deref() == Some("BlobNotFound") {
            let meaning = "open to strangers by blob: whoever knows a name reads it, and names are \
                           not listed";
            self.observed.http_status = Some(answer.status);
            self.observed.error_code = answer.code();
            self.observed.meaning = Some(meaning.to_owned());
            let status = GrantStatus::Live;
            self.best = Some(Verdict { status, allowed: false, meaning: meaning.to_owned() });
        }
    }

    /// A credential for the whole account.
    fn account(&mut self) {
        let mut first = None;
        if self.declares('s', 'l') {
            first = self.containers();
        } else {
            let about = Query::account("restype=account&comp=properties");
            self.ask(Question::Account, about);
        }
        if self.is_over() {
            return;
        }
        let access = &self.shared.access;
        let named = access.container.as_ref();
        if self.declares('c', 'l')
            && let Some(container) = named.or(first.as_ref())
        {
            self.blobs(container);
            // The container that the link names may be long gone; the account is not.
            if self.observed.can_list != Some(true)
                && let Some(other) = first.as_ref().filter(|other| named != Some(*other))
            {
                self.blobs(other);
            }
        }
        if let (Some(container), Some(key), true) =
            (&access.container, &access.key, self.declares('o', 'r'))
        {
            self.ask(Question::Blob, Query::blob(container, key));
        }
    }

    /// A credential for a container, a directory or a blob.
    fn service(&mut self) {
        let access = &self.shared.access;
        let Some(container) = &access.container else { return };
        let one_blob = matches!(self.shared.sas("sr").as_deref().unwrap_or(""), "b" | "bs" | "bv");
        let lists = !one_blob && self.declares('c', 'l');
        if lists {
            self.blobs(container);
        }
        if self.is_over() {
            return;
        }
        match &access.key {
            // A directory is no blob that could be read.
            Some(key)
                if self.shared.sas("sr").as_deref() != Some("d") && self.declares('o', 'r') =>
            {
                self.ask(Question::Blob, Query::blob(container, key));
            }
            // Nothing that is granted can be asked: the refusal still says whether it is live.
            Some(key) if !lists => {
                self.ask(Question::Blob, Query::blob(container, key));
            }
            None if !lists => self.blobs(container),
            _ => {}
        }
    }

    /// Whether the token declares a permission on a resource type; a token that leaves it to a
    /// stored policy may, an account key may everything.
    fn declares(&self, resource_type: char, permission: char) -> bool {
        let has = |name, letter| self.shared.sas(name).is_none_or(|text| text.contains(letter));
        has("srt", resource_type) && has("sp", permission)
    }

    /// The credential is dead or locked out: nothing more will be learned.
    fn is_over(&self) -> bool {
        self.best.as_ref().is_some_and(|best| {
            matches!(best.status, GrantStatus::Expired | GrantStatus::Revoked | GrantStatus::Denied)
        })
    }

    /// Lists one container and returns its name.
    fn containers(&mut self) -> Option<String> {
        let about = Query::account("comp=list&maxresults=1");
        let answer = self.ask(Question::Containers, about)?;
        let page = list::containers(&answer.body, None).ok()?;
        page.containers.into_iter().next().map(|container| container.name)
    }

    fn blobs(&mut self, container: &str) {
        let mut parameters = "restype=container&comp=list&maxresults=1".to_owned();
        let mut prefix = String::new();
        if self.shared.sas("sr").as_deref() == Some("d")
            && let Some(key) = &self.shared.access.key
        {
            prefix = format!("{}/", key.trim_end_matches('/'));
            parameters.push_str(&format!("&prefix={}", crate::url::query(&prefix)));
        }
        self.ask(Question::Blobs, Query::container(container, &prefix, parameters));
    }

    /// Asks one question; the answer, when it was allowed.
    fn ask(&mut self, question: Question, about: Query) -> Option<Answer> {
        let place = match about.touched.as_str() {
            "" => self.shared.access.store(),
            touched => format!("{}/{touched}", self.shared.access.store()),
        };
        let what = format!("ask about {place}");
        let (headers, limit) = match question {
            Question::Blob => (vec![("range", "bytes=0-0".to_owned())], 1),
            _ => (Vec::new(), LIMIT),
        };
        let answer = match self.shared.ask(Verb::Get, &about, headers, &what, limit) {
            Ok(answer) => answer,
            Err(error) => {
                self.first_error.get_or_insert(error);
                return None;
            }
        };
        let mut verdict = verdict(self.shared, question, &answer);
        let allowed = verdict.allowed;
        // What another question shows says more.
        verdict.allowed = allowed && question != Question::Account;
        let tested =
            matches!(verdict.status, GrantStatus::Live | GrantStatus::Denied).then_some(allowed);
        match question {
            Question::Containers => self.observed.can_list_containers = tested,
            Question::Blobs => self.observed.can_list = tested,
            Question::Blob => self.observed.can_read = tested,
            Question::Account => {}
        }
        if self.best.as_ref().is_none_or(|known| known.rank() < verdict.rank()) {
            self.observed.http_status = Some(answer.status);
            self.observed.error_code = answer.code();
            self.observed.meaning = Some(verdict.meaning.clone());
            self.best = Some(verdict);
        }
        allowed.then_some(answer)
    }
}
