//! Is it live, and what may it do? The service says itself which permissions the caller has: a
//! read that tells of writing without any.
//!
//! Source: "Buckets: testIamPermissions" of the JSON interface: a GET that needs no permission.

use super::list;
use super::policy::{Settings, rights};
use super::store::{Shared, encoded};
use super::verdict::verdict;
use crate::client::Answer;
use crate::interview::{Interview, tested, told, within};
use crate::store::{Probe, StorageError, StorageErrorKind};
use lidless_core::{Auth, Operation, Party, Right, settle_rights};
use std::collections::BTreeSet;

/// The largest answer to a question.
const LIMIT: u64 = 1 << 20;

/// What is asked about, and the permissions that it takes: one is written over by who may create
/// and delete.
const PERMISSIONS: [(Operation, &[&str]); 11] = [
    (Operation::ListObjects, &["storage.objects.list"]),
    (Operation::ReadContent, &["storage.objects.get"]),
    (Operation::CreateObjects, &["storage.objects.create"]),
    (Operation::OverwriteObjects, &["storage.objects.create", "storage.objects.delete"]),
    (Operation::DeleteObjects, &["storage.objects.delete"]),
    (Operation::ChangeObjectMetadata, &["storage.objects.update"]),
    (Operation::ChangeObjectAccess, &["storage.objects.setIamPolicy"]),
    (Operation::SeeContainerSettings, &["storage.buckets.get"]),
    (Operation::SeeContainerAccess, &["storage.buckets.getIamPolicy"]),
    (Operation::ChangeContainerAccess, &["storage.buckets.setIamPolicy"]),
    (Operation::DeleteContainers, &["storage.buckets.delete"]),
];

/// Those of them that a token for reading alone can use.
const OF_READING: [&str; 3] =
    ["storage.objects.list", "storage.objects.get", "storage.buckets.get"];

/// Asks, until the answers decide.
///
/// # Errors
/// When no question got an answer.
pub(crate) fn probe(shared: &Shared) -> Result<Probe, StorageError> {
    let mut asking = Asking { shared, interview: Interview::begin(), rights: Vec::new() };
    asking.run();
    let strange = matches!(shared.access.auth, Auth::Anonymous);
    asking.interview.observed.rights = settle_rights(asking.rights);
    let mut probe = asking.interview.end(strange, &shared.access.store())?;
    if strange && (probe.observed.can_list, probe.observed.can_read) == (Some(false), Some(false)) {
        probe.observed.public = Some(false);
    }
    Ok(probe)
}

struct Asking<'a> {
    shared: &'a Shared,
    interview: Interview,
    rights: Vec<Right>,
}

impl Asking<'_> {
    fn party(&self) -> Party {
        match self.shared.access.auth {
            Auth::Anonymous => Party::Strangers,
            _ => Party::Holder,
        }
    }

    fn run(&mut self) {
        let access = &self.shared.access;
        let mut bucket = access.container.clone();
        if bucket.is_none() {
            bucket = self.buckets();
        }
        let Some(bucket) = bucket else { return };
        let key = access.key.clone().unwrap_or_default();
        if !key.is_empty() && !key.ends_with('/') {
            self.object(&bucket, &key);
        }
        self.objects(&bucket, &key);
        if self.interview.has_ended() {
            return;
        }
        self.permissions(&bucket);
    }

    /// Lists the buckets of the project and gives the name of one.
    fn buckets(&mut self) -> Option<String> {
        let Some(project) = self.shared.project() else {
            let why = "no project is known: set GOOGLE_CLOUD_PROJECT, or name a bucket";
            self.interview.failed(StorageError {
                kind: StorageErrorKind::Unsupported,
                message: format!(
                    "cannot list the buckets of {}/: {why}",
                    self.shared.access.store()
                ),
                status: None,
                code: None,
            });
            return None;
        };
        let path = format!("/storage/v1/b?maxResults=1&project={}", encoded(&project));
        let answer = self.ask("", &path, Vec::new(), LIMIT)?;
        let listed = list::buckets(&answer.body);
        let verdict = verdict(&answer, false, listed.is_ok());
        self.interview.observed.can_list_containers = verdict.tested();
        let how = format!("a listing of one bucket of the project {project}");
        let list = Operation::ListContainers;
        self.rights.push(tested(self.party(), list, None, verdict.tested(), &how));
        self.interview.heard(&answer, verdict);
        listed.ok()?.0.into_iter().next().map(|bucket| bucket.name)
    }

    /// Lists one name, in the folder that the link stays in.
    fn objects(&mut self, bucket: &str, key: &str) {
        let folder = key.rfind('/').and_then(|at| key.get(..=at)).unwrap_or("");
        let mut path = format!("/storage/v1/b/{}/o?maxResults=1", encoded(bucket));
        if !folder.is_empty() {
            path.push_str(&format!("&prefix={}", encoded(folder)));
        }
        let touched = format!("{bucket}/{folder}");
        let touched = touched.trim_end_matches('/');
        let Some(answer) = self.ask(touched, &path, Vec::new(), LIMIT) else { return };
        let strange = self.party() == Party::Strangers;
        let verdict = verdict(&answer, strange, list::objects(&answer.body).is_ok());
        self.interview.observed.can_list = verdict.tested();
        let place = within(&self.shared.access, self.shared.place_of(bucket));
        let (list, how) = (Operation::ListObjects, "a listing of one name");
        self.rights.push(tested(self.party(), list, place, verdict.tested(), how));
        self.interview.heard(&answer, verdict);
    }

    fn object(&mut self, bucket: &str, key: &str) {
        let path = format!("/storage/v1/b/{}/o/{}?alt=media", encoded(bucket), encoded(key));
        let range = vec![("range", "bytes=0-0".to_owned())];
        let touched = format!("{bucket}/{key}");
        let Some(answer) = self.ask(&touched, &path, range, 1) else { return };
        let strange = self.party() == Party::Strangers;
        let from_storage = ["x-goog-hash", "x-guploader-uploadid", "x-goog-generation"]
            .iter()
            .any(|name| answer.header(name).is_some());
        let verdict = verdict(&answer, strange, from_storage || answer.status == 206);
        self.interview.observed.can_read = verdict.tested();
        let place = within(&self.shared.access, self.shared.place_of(&touched));
        let (read, how) = (Operation::ReadContent, "a read of its first byte");
        self.rights.push(tested(self.party(), read, place, verdict.tested(), how));
        self.interview.heard(&answer, verdict);
    }

    /// What the service itself says that the caller may do.
    fn permissions(&mut self, bucket: &str) {
        let mut path = format!("/storage/v1/b/{}/iam/testPermissions?", encoded(bucket));
        let asked: BTreeSet<&str> = PERMISSIONS.iter().flat_map(|(_, all)| *all).copied().collect();
        for (number, permission) in asked.iter().enumerate() {
            let join = if number == 0 { "" } else { "&" };
            path.push_str(&format!("{join}permissions={permission}"));
        }
        let place = within(&self.shared.access, self.shared.place_of(bucket));
        let party = self.party();
        let answer = self.ask(bucket, &path, Vec::new(), LIMIT);
        let listed = answer.as_ref().map(|answer| match answer.status {
            200 => list::permissions(&answer.body),
            status => Err(format!("the service answers {status} when asked for permissions")),
        });
        let asks_narrowly = matches!(self.shared.access.auth, Auth::ServiceAccount { .. });
        for (operation, takes) in PERMISSIONS {
            let (may, why) = match &listed {
                Some(Ok(held)) => {
                    let missing = takes.iter().find(|one| !held.iter().any(|held| held == *one));
                    match missing {
                        Some(one) if asks_narrowly && !OF_READING.contains(one) => {
                            let why = "asked with a token for reading alone, which shows no more";
                            (None, why.to_owned())
                        }
                        missing => {
                            let word = if missing.is_none() { "may" } else { "may not" };
                            let why = format!("testIamPermissions: the caller {word}");
                            (Some(missing.is_none()), why)
                        }
                    }
                }
                Some(Err(why)) => (None, why.clone()),
                None => (None, "the question got no answer".to_owned()),
            };
            self.rights.push(told(party, operation, place.clone(), may, &why));
        }
        if let Some(Ok(held)) = &listed {
            self.others(bucket, held);
        }
        // It also tells a live token from one that is not: strangers have permissions as well.
        if let (Some(Ok(held)), Some(answer)) = (&listed, &answer)
            && !held.is_empty()
        {
            let strange = party == Party::Strangers;
            self.interview.heard(answer, verdict(answer, strange, true));
        }
    }

    /// What others may do with the bucket, where the caller may see its policy or its settings.
    fn others(&mut self, bucket: &str, held: &[String]) {
        let has = |permission: &str| held.iter().any(|one| one == permission);
        let (sees_settings, sees_policy) =
            (has("storage.buckets.get"), has("storage.buckets.getIamPolicy"));
        if !sees_settings && !sees_policy {
            return;
        }
        let base = format!("/storage/v1/b/{}", encoded(bucket));
        let mut settings = Settings::default();
        if sees_settings {
            let path = format!("{base}?projection=noAcl&fields=kind,iamConfiguration");
            let answer = self.ask(bucket, &path, Vec::new(), LIMIT);
            let told = answer.filter(|answer| answer.status == 200);
            settings =
                told.and_then(|answer| Settings::read(&answer.body).ok()).unwrap_or_default();
        }
        let policy = if sees_policy {
            let path = format!("{base}/iam?optionsRequestedPolicyVersion=3");
            match self.ask(bucket, &path, Vec::new(), LIMIT) {
                Some(answer) if answer.status == 200 => Ok(answer.body),
                Some(answer) => {
                    Err(format!("the service answers {} when asked for the policy", answer.status))
                }
                None => Err("the question for the policy got no answer".to_owned()),
            }
        } else {
            Err("the caller may not see the policy of the bucket".to_owned())
        };
        let place = within(&self.shared.access, self.shared.place_of(bucket));
        let told = rights(&place, &policy, settings);
        // What the service said of the caller itself counts more.
        let known: BTreeSet<_> =
            self.rights.iter().map(|right| (right.party, right.operation)).collect();
        let is_new = |right: &Right| !known.contains(&(right.party, right.operation));
        self.rights.extend(told.into_iter().filter(is_new));
    }

    fn ask(
        &mut self,
        touched: &str,
        path: &str,
        headers: Vec<(&'static str, String)>,
        limit: u64,
    ) -> Option<Answer> {
        let what = format!("ask about {}", self.shared.place_of(touched));
        match self.shared.ask(touched, path, headers, false, &what, limit) {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.interview.failed(error);
                None
            }
        }
    }
}
