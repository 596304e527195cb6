//! Is it live, and what may it do? With as few reading requests as that takes.
//!
//! A credential is called live only when the service's own answer says so, and revoked only when
//! it says that: a login page or a proxy's refusal decide nothing.

use super::list;
use super::store::{Question, Shared};
use super::verdict::{Asked, Verdict, verdict};
use crate::client::{Answer, Verb};
use crate::store::{Probe, StorageError, StorageErrorKind};
use lidless_core::{Auth, GrantStatus, Observed, Timestamp};

/// The largest answer to a question: the buckets of an account.
const LIMIT: u64 = 16 << 20;

/// Asks, in the order of what the credential names, until the answers decide.
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
        return Err(first_error.unwrap_or_else(|| StorageError {
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
        let key = access.key.as_deref().unwrap_or("");
        match (&access.auth, &access.container) {
            (Auth::Query(_), Some(bucket)) if key.is_empty() => self.objects(bucket, ""),
            (Auth::Query(_), Some(bucket)) => {
                self.object(bucket, key, Verb::Get);
                let code = self.observed.error_code.as_deref();
                if code == Some("SignatureDoesNotMatch") {
                    self.object(bucket, key, Verb::Head);
                }
            }
            (Auth::Query(_), None) => {}
            (Auth::Anonymous, Some(bucket)) => {
                if !key.is_empty() {
                    self.object(bucket, key, Verb::Get);
                }
                self.objects(bucket, key);
            }
            (Auth::Anonymous, None) => {
                self.buckets();
            }
            (Auth::Key { .. }, named) => {
                let first = self.buckets();
                let ended = |best: &Verdict| {
                    matches!(best.status, GrantStatus::Expired | GrantStatus::Revoked)
                };
                if self.best.as_ref().is_some_and(ended) {
                    return;
                }
                if let Some(bucket) = named.as_deref().or(first.as_deref()) {
                    self.objects(bucket, key);
                    if !key.is_empty() {
                        self.object(bucket, key, Verb::Get);
                    }
                }
            }
        }
    }

    /// Lists the buckets and returns the name of one.
    fn buckets(&mut self) -> Option<String> {
        // A page of one where the service pages at all; older ones answer all.
        let answer = self.ask(Asked::Buckets, Question::service(""))?;
        let (buckets, _) = list::buckets(&answer.body).ok()?;
        buckets.into_iter().next().map(|bucket| bucket.name)
    }

    /// Lists one name, in the folder that the link stays in when the scope allows no more.
    fn objects(&mut self, bucket: &str, key: &str) {
        let prefix = key.rsplit_once('/').map_or("", |(folder, _)| folder);
        let prefix = if key.ends_with('/') { key.to_owned() } else { format!("{prefix}/") };
        let prefix = if key.is_empty() || prefix == "/" { "" } else { &prefix };
        let mut parameters = "list-type=2&max-keys=1".to_owned();
        if !prefix.is_empty() {
            parameters.push_str(&format!("&prefix={}", crate::url::query(prefix)));
        }
        let question = Question { prefix, ..Question::bucket(bucket, &parameters) };
        self.ask(Asked::Objects, question);
    }

    fn object(&mut self, bucket: &str, key: &str, verb: Verb) {
        let headers = vec![("range", "bytes=0-0".to_owned())];
        let question = Question { verb, headers, ..Question::object(bucket, key) };
        self.ask(Asked::Object, question);
    }

    /// Asks one question; the answer, when it was allowed.
    fn ask(&mut self, asked: Asked, question: Question<'_>) -> Option<Answer> {
        let place = match question.bucket {
            Some(bucket) => self.shared.bucket_place(bucket),
            None => self.shared.access.store(),
        };
        let what = format!("ask about {place}");
        let limit = if asked == Asked::Object { 1 } else { LIMIT };
        let verb = question.verb;
        let answer = match self.shared.ask(&question, &what, limit) {
            Ok(answer) => answer,
            Err(error) => {
                self.first_error.get_or_insert(error);
                return None;
            }
        };
        let verdict = verdict(self.shared, asked, &answer);
        // A refusal of HEAD has no body and no code: only its success says anything.
        if verb == Verb::Head && verdict.status != GrantStatus::Live {
            return None;
        }
        let allowed = verdict.allowed;
        let tested =
            matches!(verdict.status, GrantStatus::Live | GrantStatus::Denied).then_some(allowed);
        match asked {
            Asked::Buckets => self.observed.can_list_containers = tested,
            Asked::Objects => self.observed.can_list = tested,
            Asked::Object => self.observed.can_read = tested,
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
