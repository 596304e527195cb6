//! Is it live, and what may it do? With as few reading requests as that takes.

use super::list;
use super::rights::{self, Openness};
use super::store::{Question, Shared};
use super::verdict::{Asked, verdict};
use crate::client::{Answer, Verb};
use crate::interview::{Interview, tested, within};
use crate::store::{Probe, StorageError};
use lidless_core::{Auth, GrantStatus, Operation, Party, Right, settle_rights};

/// The largest answer to a question: the buckets of an account.
const LIMIT: u64 = 16 << 20;

/// Asks, in the order of what the credential names, until the answers decide.
///
/// # Errors
/// When no question got an answer.
pub(crate) fn probe(shared: &Shared) -> Result<Probe, StorageError> {
    let mut asking = Asking { shared, interview: Interview::begin(), bucket: None };
    asking.run();
    let strange = matches!(shared.access.auth, Auth::Anonymous);
    asking.rights();
    asking.interview.end(strange, &shared.access.store())
}

struct Asking<'a> {
    shared: &'a Shared,
    interview: Interview,
    /// The bucket that was asked about.
    bucket: Option<String>,
}

impl Asking<'_> {
    fn run(&mut self) {
        let access = &self.shared.access;
        let key = access.key.as_deref().unwrap_or("");
        self.bucket.clone_from(&access.container);
        match (&access.auth, &access.container) {
            (Auth::Query(_), Some(bucket)) if key.is_empty() => self.objects(bucket, ""),
            (Auth::Query(_), Some(bucket)) => {
                self.object(bucket, key, Verb::Get);
                let code = self.interview.observed.error_code.as_deref();
                if code == Some("SignatureDoesNotMatch") {
                    self.object(bucket, key, Verb::Head);
                }
            }
            (Auth::Query(_), None) => {}
            (Auth::Key { .. }, named) => {
                let first = self.buckets();
                if self.interview.has_ended() {
                    return;
                }
                if let Some(bucket) = named.clone().or(first) {
                    self.objects(&bucket, key);
                    if !key.is_empty() && !key.ends_with('/') {
                        self.object(&bucket, key, Verb::Get);
                    }
                    self.bucket = Some(bucket);
                }
            }
            (_, Some(bucket)) => {
                if !key.is_empty() {
                    self.object(bucket, key, Verb::Get);
                }
                self.objects(bucket, key);
            }
            (_, None) => {
                self.buckets();
            }
        }
    }

    /// What was proved, what is only declared, what is refused, and what is unknown and why.
    fn rights(&mut self) {
        let access = &self.shared.access;
        let party = match access.auth {
            Auth::Anonymous => Party::Strangers,
            _ => Party::Holder,
        };
        let observed = &self.interview.observed;
        let mut rights: Vec<Right> = Vec::new();
        if let Some(allowed) = observed.can_list_containers {
            let how = "a listing of the buckets";
            // A key names no bucket, and where one is named the others are elsewhere.
            let place = access.container.as_ref().map(|_| format!("{}/", access.store()));
            let list = Operation::ListContainers;
            rights.push(tested(party, list, place, Some(allowed), how));
        }
        let Some(bucket) = self.bucket.clone() else {
            self.interview.observed.rights = settle_rights(rights);
            return;
        };
        let place = within(access, self.shared.bucket_place(&bucket));
        let key = access.key.as_deref().unwrap_or("");
        let is_signed = matches!(access.auth, Auth::Query(_));
        let is_key = matches!(access.auth, Auth::Key { .. });
        if !is_signed || key.is_empty() {
            let (list, how) = (Operation::ListObjects, "a listing of one name");
            let mut right = tested(party, list, place.clone(), observed.can_list, how);
            if is_key && right.observed == Some(false) && !self.shared.pays() {
                let beside = "a bucket for which whoever asks pays answers alike, see \
                              --requester-pays";
                let why = format!("{}; {beside}", right.why);
                right = right.because(&why);
            }
            rights.push(right);
        }
        let is_object = !key.is_empty() && !key.ends_with('/');
        if is_object {
            let place = within(access, format!("{}/{key}", self.shared.bucket_place(&bucket)));
            let (read, how) = (Operation::ReadContent, "a read of its first byte");
            rights.push(tested(party, read, place, observed.can_read, how));
        }
        let is_live = self.interview.status() == Some(GrantStatus::Live);
        if is_key {
            rights.extend(Operation::WRITING.map(|operation| {
                Right::of(party, operation).at(place.clone()).because("a key declares nothing")
            }));
        }
        match &access.auth {
            Auth::Key { .. } if is_live => {
                rights.extend(rights::settings(self.shared, &bucket));
                rights.extend(Openness::of(self.shared, &bucket, true).rights(true));
                if is_object {
                    rights.push(rights::of_object(self.shared, &bucket, key));
                }
            }
            // What strangers may see of the configuration says what they may do with the rest;
            // their listing was asked for above.
            Auth::Anonymous if is_live => {
                rights.extend(Openness::of(self.shared, &bucket, true).rights(false));
            }
            Auth::Anonymous => rights.extend(Operation::WRITING.map(|operation| {
                let why = "its configuration is not asked for where strangers get no answer";
                Right::of(party, operation).at(place.clone()).because(why)
            })),
            _ => {}
        }
        self.interview.observed.rights = settle_rights(rights);
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
                self.interview.failed(error);
                return None;
            }
        };
        let verdict = verdict(self.shared, asked, &answer);
        // A refusal of HEAD has no body and no code: only its success says anything.
        if verb == Verb::Head && verdict.status != GrantStatus::Live {
            return None;
        }
        let (allowed, tested) = (verdict.allowed, verdict.tested());
        let observed = &mut self.interview.observed;
        match asked {
            Asked::Buckets => observed.can_list_containers = tested,
            Asked::Objects => observed.can_list = tested,
            Asked::Object => observed.can_read = tested,
        }
        self.interview.heard(&answer, verdict);
        allowed.then_some(answer)
    }
}
