//! The services beside blobs: what each does its own way, and the store that is made of it.

use super::error::{gone, refused};
use super::files::Files;
use super::include::Include;
use super::peeked::Kept;
use super::query::Query;
use super::queues::Queues;
use super::shared::Shared;
use super::store::NAME_BYTES;
use super::tables::Tables;
use super::verdict::{Subject, Verdict, verdict_of};
use crate::client::{Answer, Verb};
use crate::store::{
    ListPage, ListRequest, Probe, StorageError, StorageErrorKind, Store, malformed,
};
use lidless_core::{AzureService, Container, Gap, GrantStatus, Object, Observed, Timestamp};
use lidless_io::ReadAt;
use std::sync::Arc;

/// What a request is about and the headers it needs.
pub(crate) type Question = (Query, Vec<(&'static str, String)>);

/// One page of shares, queues or tables.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) found: Vec<Container>,
    /// What is named and not looked into: its name with what it is, and why.
    pub(crate) left_out: Vec<(String, String)>,
    /// Where the next page starts.
    pub(crate) next: Option<String>,
}

/// What one service does its own way. Everything it sends is a `GET` or a `HEAD`.
pub(crate) trait Service: Sync {
    /// How the things that it lists are called: `shares`.
    fn things(&self) -> &'static str;

    /// The question for a page of them.
    fn names(&self, marker: Option<&str>, most: u32) -> Question;

    /// Reads the answer.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    fn read_names(&self, answer: &Answer) -> Result<Names, String>;

    /// The smallest question about what is in one of them, or about one thing in it, and what its
    /// answer shows.
    fn content(&self, container: &str, key: Option<&str>) -> (Question, Subject);

    /// As [`Store::list`].
    fn list(
        &self,
        shared: &Shared,
        kept: &Kept,
        request: &ListRequest,
    ) -> Result<ListPage, StorageError>;

    /// As [`Store::head`].
    fn head(&self, shared: &Shared, container: &str, key: &str) -> Result<Object, StorageError>;

    /// As [`Store::open`].
    fn open(
        &self,
        shared: &Arc<Shared>,
        kept: &Kept,
        container: &str,
        object: &Object,
    ) -> Arc<dyn ReadAt>;
}

/// Who does what.
pub(crate) const TABLE: [(AzureService, &dyn Service); 3] =
    [(AzureService::File, &Files), (AzureService::Queue, &Queues), (AzureService::Table, &Tables)];

/// Pages of names at most.
const NAME_PAGES: usize = 200;
/// The largest page there can be.
pub(crate) const PAGE_LIMIT: u64 = 64 << 20;

/// One such service of an account through one credential.
pub(crate) struct ServiceStore {
    shared: Arc<Shared>,
    service: &'static dyn Service,
    kept: Kept,
}

impl ServiceStore {
    pub(crate) fn new(shared: Shared, wanted: AzureService) -> Self {
        let found = TABLE.iter().find(|(service, _)| *service == wanted);
        let service = found.map_or(&Files as &dyn Service, |(_, service)| *service);
        Self { shared: Arc::new(shared), service, kept: Kept::default() }
    }

    fn all_names(&self) -> Result<Vec<Container>, StorageError> {
        let shared = &self.shared;
        let what = format!("list the {} of {}", self.service.things(), shared.name);
        let mut found: Vec<Container> = Vec::new();
        let (mut marker, mut named): (Option<String>, usize) = (None, 0);
        for _ in 0..NAME_PAGES {
            let (about, headers) = self.service.names(marker.as_deref(), 1000);
            let answer = shared.ask(Verb::Get, &about, headers, &what, PAGE_LIMIT)?;
            let page = match answer.status {
                200 if answer.whole => {
                    self.service.read_names(&answer).map_err(|why| malformed(&what, &why))?
                }
                200 => return Err(malformed(&what, "a page is larger than any can be")),
                _ => return Err(refused(&what, &answer)),
            };
            let length = |container: &Container| container.name.len();
            let left_out = page.left_out.iter().map(|(name, _)| name.len());
            named =
                page.found.iter().map(length).chain(left_out).fold(named, usize::saturating_add);
            if named > NAME_BYTES {
                return Err(malformed(&what, "more names than any account has"));
            }
            found.extend(page.found);
            for (name, why) in page.left_out {
                shared.include.note(Gap::new(format!("{}/{name}", shared.name), why, None));
            }
            match page.next {
                None => return Ok(found),
                next if next == marker => break,
                next => marker = next,
            }
        }
        Err(malformed(&what, "the listing does not end"))
    }
}

impl Store for ServiceStore {
    fn name(&self) -> &str {
        &self.shared.name
    }

    fn probe(&self) -> Result<Probe, StorageError> {
        let shared = &self.shared;
        let access = &shared.access;
        let mut interview =
            Interview { shared, seen: Observed::default(), best: None, error: None };
        interview.seen.checked_at = Some(Timestamp::now());
        let mut container = access.container.clone();
        if container.is_none() && shared.declares('s', 'l') {
            let (about, headers) = self.service.names(None, 1);
            let answer = interview.ask((about, headers), Subject::Containers);
            let page = answer.and_then(|answer| self.service.read_names(&answer).ok());
            container = page.and_then(|page| page.found.into_iter().next()).map(|it| it.name);
        }
        if let Some(container) = container {
            let key = access.key.as_deref();
            let (question, subject) = self.service.content(&container, key);
            interview.ask(question, subject);
        } else if interview.best.is_none() {
            let about = Query::account("restype=service&comp=properties");
            interview.ask((about, Vec::new()), Subject::Account);
        }
        let Interview { seen, best, error, .. } = interview;
        match (best, error) {
            (Some(best), _) => Ok(Probe { status: best.status, observed: seen }),
            (None, Some(error)) => Err(gone(error)),
            (None, None) => Err(malformed(&format!("ask {}", shared.name), "nothing was asked")),
        }
    }

    fn containers(&self) -> Result<Vec<Container>, StorageError> {
        match (self.all_names(), &self.shared.access.container) {
            (Err(error), Some(name))
                if matches!(
                    error.kind,
                    StorageErrorKind::Denied | StorageErrorKind::OutOfScope
                ) =>
            {
                Ok(vec![Container { name: name.clone(), public: None, modified: None }])
            }
            (result, _) => result,
        }
    }

    fn list(&self, request: &ListRequest) -> Result<ListPage, StorageError> {
        self.service.list(&self.shared, &self.kept, request)
    }

    fn head(&self, container: &str, key: &str) -> Result<Object, StorageError> {
        self.service.head(&self.shared, container, key)
    }

    fn open(&self, container: &str, object: &Object) -> Arc<dyn ReadAt> {
        self.service.open(&self.shared, &self.kept, container, object)
    }

    fn signed_text(&self) -> Option<String> {
        self.shared.signed_text()
    }

    fn others(&self) -> Vec<Arc<dyn Store>> {
        super::others(&self.shared)
    }

    fn gaps(&self) -> Vec<Gap> {
        Include::gaps(&self.shared.include)
    }
}

/// The questions of a probe and what they showed.
struct Interview<'a> {
    shared: &'a Shared,
    seen: Observed,
    best: Option<Verdict>,
    error: Option<StorageError>,
}

impl Interview<'_> {
    /// Asks one question; the answer, when it was allowed.
    fn ask(&mut self, (about, headers): Question, subject: Subject) -> Option<Answer> {
        let what = format!("ask about {}", self.shared.place_of(&about));
        let answer = match self.shared.ask(Verb::Get, &about, headers, &what, PAGE_LIMIT) {
            Ok(answer) => answer,
            Err(error) => {
                self.error.get_or_insert(error);
                return None;
            }
        };
        let verdict = verdict_of(self.shared, subject, &answer);
        let tested = matches!(verdict.status, GrantStatus::Live | GrantStatus::Denied)
            .then_some(verdict.allowed);
        match subject {
            Subject::Containers => self.seen.can_list_containers = tested,
            Subject::Names => self.seen.can_list = tested,
            Subject::Content => self.seen.can_read = tested,
            Subject::Account => {}
        }
        let allowed = verdict.allowed;
        if self.best.as_ref().is_none_or(|known| known.rank() < verdict.rank()) {
            self.seen.http_status = Some(answer.status);
            self.seen.error_code = answer.code();
            self.seen.meaning = Some(verdict.meaning.clone());
            self.best = Some(verdict);
        }
        allowed.then_some(answer)
    }
}
