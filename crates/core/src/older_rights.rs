//! Rights as cases of every age have them, read as the one list of today.
//!
//! Two lists came before it: `proofs`, for Azure, in the words of its operations; and `rights` of
//! `what`, `allowed`, `basis` and `evidence`, with the place among the words.

use crate::exposure::Basis;
use crate::grant::{Observed, ServiceSeen};
use crate::operation::Operation::{self, *};
use crate::right::{Declarer, Party, Right};
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

/// [`Observed`] in the form of every age.
#[derive(Deserialize)]
pub(crate) struct StoredObserved {
    checked_at: Option<Timestamp>,
    can_list_containers: Option<bool>,
    can_list: Option<bool>,
    can_read: Option<bool>,
    public: Option<bool>,
    http_status: Option<u16>,
    error_code: Option<String>,
    meaning: Option<String>,
    #[serde(default)]
    services: BTreeMap<String, ServiceSeen>,
    #[serde(default)]
    proofs: Vec<OldProof>,
    #[serde(default)]
    rights: Vec<StoredRight>,
}

/// A row of `proofs`.
#[derive(Deserialize)]
struct OldProof {
    operation: String,
    declared: Option<bool>,
    observed: Option<bool>,
    why: String,
}

/// A row of `rights`: today's has an operation, the older one has `what`.
#[derive(Deserialize)]
struct StoredRight {
    party: Party,
    operation: Option<String>,
    place: Option<String>,
    declared: Option<bool>,
    declared_by: Option<Declarer>,
    observed: Option<bool>,
    why: Option<String>,
    what: Option<String>,
    allowed: Option<bool>,
    basis: Option<Basis>,
    evidence: Option<String>,
}

/// How the words of an older right begin, before its place; the first that fits counts.
const BEGINNINGS: [(&str, &[Operation]); 19] = [
    ("list the buckets of ", &[ListContainers]),
    ("list objects of ", &[ListObjects]),
    ("list ", &[ListObjects]),
    ("read objects of ", &[ReadContent]),
    ("read ", &[ReadContent]),
    ("find earlier versions in ", &[FindVersions]),
    ("see the settings of ", &[SeeContainerSettings]),
    ("see who may do what with ", &[SeeContainerAccess]),
    ("write objects of ", &[CreateObjects, OverwriteObjects]),
    ("write ", &[CreateObjects, OverwriteObjects]),
    ("create objects in ", &[CreateObjects]),
    ("overwrite and delete objects of ", &[OverwriteObjects, DeleteObjects]),
    ("delete objects of ", &[DeleteObjects]),
    ("delete ", &[DeleteContainers]),
    ("change the metadata of objects of ", &[ChangeObjectMetadata]),
    ("change who may read single objects of ", &[ChangeObjectAccess]),
    ("change who may do what with ", &[ChangeContainerAccess]),
    ("change the access control list of ", &[ChangeContainerAccess]),
    ("", &[Other]),
];

/// The words of the older proofs of blobs; the same of files, queues and tables.
const PROOFS: [(&[&str], &[Operation]); 32] = [
    (&["list containers", "list shares", "list queues", "list tables"], &[ListContainers]),
    (&["list blobs", "list files"], &[ListObjects]),
    (&["read blobs", "read files"], &[ReadContent]),
    (&["peek at queue messages", "query table rows"], &[ReadContent]),
    (&["find blobs by tags"], &[FindByTags]),
    (&["read container metadata"], &[SeeContainerSettings]),
    (&["read service properties"], &[SeeServiceSettings]),
    (&["read access control lists"], &[SeeObjectAccess]),
    (&["create blobs", "create files"], &[CreateObjects]),
    (&["add queue messages", "add table rows"], &[CreateObjects]),
    (&["overwrite blobs", "overwrite files"], &[OverwriteObjects]),
    (&["change queue messages", "change table rows"], &[OverwriteObjects]),
    (&["append to blobs"], &[AppendToObjects]),
    (&["delete blobs", "delete files"], &[DeleteObjects]),
    (&["delete table rows"], &[DeleteObjects]),
    (&["delete blob versions"], &[DeleteVersions]),
    (&["permanently delete, past soft delete"], &[DeletePermanently]),
    (&["move and rename"], &[MoveObjects]),
    (&["process queue messages"], &[TakeMessages]),
    (&["read and write tags"], &[ChangeTags]),
    (&["set and remove immutability"], &[ChangeImmutability]),
    (&["change owners"], &[ChangeObjectOwners]),
    (&["change permissions"], &[ChangeObjectAccess]),
    (&["create containers", "create shares"], &[CreateContainers]),
    (&["create queues", "create tables"], &[CreateContainers]),
    (&["delete containers", "delete shares"], &[DeleteContainers]),
    (&["delete queues", "delete tables"], &[DeleteContainers]),
    (&["change container metadata"], &[ChangeContainerSettings]),
    (&["change who may read containers"], &[ChangeContainerAccess]),
    (
        &[
            "change service properties (can switch off logging)",
            "change service properties and so switch off logging",
        ],
        &[ChangeServiceSettings],
    ),
    (&["make any number of tokens that nobody can list"], &[MakeCredentials]),
    (
        &["do everything the account can do, on blobs, files, queues and tables"],
        &[CreateObjects, OverwriteObjects, DeleteObjects, CreateContainers, DeleteContainers],
    ),
];

impl From<StoredObserved> for Observed {
    fn from(stored: StoredObserved) -> Self {
        // Only where no credential was used is it known whether strangers get answers.
        let party = if stored.public.is_some() { Party::Strangers } else { Party::Holder };
        let mut rights: Vec<Right> =
            stored.rights.into_iter().flat_map(StoredRight::read).collect();
        rights.extend(stored.proofs.into_iter().flat_map(|proof| proof.read(party)));
        rights.sort();
        Self {
            checked_at: stored.checked_at,
            can_list_containers: stored.can_list_containers,
            can_list: stored.can_list,
            can_read: stored.can_read,
            public: stored.public,
            http_status: stored.http_status,
            error_code: stored.error_code,
            meaning: stored.meaning,
            services: stored.services,
            rights,
        }
    }
}

impl StoredRight {
    fn read(self) -> Vec<Right> {
        let why = self.why.or(self.evidence).unwrap_or_default();
        if let Some(words) = self.operation {
            let operation = Operation::parse(&words).unwrap_or(Other);
            let why = if operation.as_str() == words { why } else { format!("{words}: {why}") };
            let by = self.declared_by.unwrap_or(Declarer::Service);
            let right = Right::of(self.party, operation).at(self.place);
            return vec![right.declared(self.declared, by).observed(self.observed).because(&why)];
        }
        let what = self.what.unwrap_or_default();
        let (operations, place) = match what.strip_suffix(" at its owner's cost") {
            Some(rest) => (&[ReadAtOwnersCost][..], rest.strip_prefix("read ").unwrap_or(rest)),
            None => BEGINNINGS
                .iter()
                .find_map(|(beginning, known)| Some((*known, what.strip_prefix(beginning)?)))
                .unwrap_or((&[Other], &what)),
        };
        let why = if operations == [Other] { format!("{what}: {why}") } else { why };
        // The buckets of an account or a project are all of them.
        let is_place = place.contains("://") && operations != [ListContainers];
        let place = is_place.then(|| place.to_owned());
        let (declared, observed) = match self.basis {
            Some(Basis::Tested) => (None, self.allowed),
            _ => (self.allowed, None),
        };
        let of = |operation: &Operation| {
            let right = Right::of(self.party, *operation).at(place.clone());
            right.declared(declared, Declarer::Service).observed(observed).because(&why)
        };
        operations.iter().map(of).collect()
    }
}

impl OldProof {
    fn read(self, party: Party) -> Vec<Right> {
        let words = match self.operation.split_once(" of the ") {
            Some((words, service)) if service.ends_with(" service") => words,
            _ => &self.operation,
        };
        let found = PROOFS.iter().find(|(known, _)| known.contains(&words));
        let operations = found.map_or(&[Other][..], |(_, operations)| operations);
        // Which service it was, only these words say.
        let why = format!("{}: {}", self.operation, self.why);
        let of = |operation: &Operation| {
            let right = Right::of(party, *operation).observed(self.observed);
            right.declared(self.declared, Declarer::Credential).because(&why)
        };
        operations.iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::right::Standing;

    fn read(text: &str) -> Observed {
        serde_json::from_str(text).unwrap()
    }

    fn shown(observed: &Observed) -> Vec<String> {
        let row = |right: &Right| {
            format!(
                "{} {}, {}: {} {:?} {:?} ({})",
                right.party.as_str(),
                right.operation.as_str(),
                right.place.as_deref().unwrap_or("all"),
                right.standing().as_str(),
                right.declared,
                right.observed,
                right.why
            )
        };
        observed.rights.iter().map(row).collect()
    }

    #[test]
    fn proofs_of_an_older_case_still_open() {
        let observed = read(
            r#"{"checked_at":"2026-11-25T10:00:00Z","can_list_containers":true,"can_list":true,
            "can_read":null,"public":null,"http_status":200,"error_code":null,
            "meaning":"the service answered: it works",
            "services":{"queue":{"can_list_containers":true,"can_list":null,"can_read":null,
            "meaning":"the service answered: it works"}},
            "proofs":[
            {"operation":"list containers","declared":true,"observed":true,"why":"a read showed it"},
            {"operation":"list queues","declared":true,"observed":true,"why":"a read showed it"},
            {"operation":"read blobs","declared":true,"observed":null,
             "why":"not shown: nothing of that kind was there to ask for"},
            {"operation":"change service properties (can switch off logging) of the queue service",
             "declared":true,"observed":null,
             "why":"declared, and never tried: it would change something"}],
            "rights":[]}"#,
        );
        assert_eq!(observed.services["queue"].can_list_containers, Some(true));
        assert_eq!(
            shown(&observed),
            [
                "holder list containers, all: proved Some(true) Some(true) (list containers: a \
                 read showed it)",
                "holder list containers, all: proved Some(true) Some(true) (list queues: a read \
                 showed it)",
                "holder read content, all: declared Some(true) None (read blobs: not shown: \
                 nothing of that kind was there to ask for)",
                "holder change the settings of the service (can switch off logging), all: \
                 declared Some(true) None (change service properties (can switch off logging) of \
                 the queue service: declared, and never tried: it would change something; nothing \
                 is ever written to find out)",
            ]
        );
        assert!(observed.rights.iter().all(|one| one.declared_by == Some(Declarer::Credential)));
    }

    #[test]
    fn rights_of_an_older_case_still_open() {
        let observed = read(
            r#"{"checked_at":"2026-11-25T10:00:00Z","can_list_containers":true,"can_list":false,
            "can_read":null,"public":null,"http_status":200,"error_code":null,"meaning":null,
            "rights":[
            {"party":"holder","what":"list the buckets of s3:/","allowed":true,"basis":"tested",
             "evidence":"a listing of the buckets: allowed"},
            {"party":"strangers","what":"list objects of s3://models","allowed":false,
             "basis":"tested","evidence":"a listing of one name: refused"},
            {"party":"members","what":"write objects of s3://models","allowed":true,
             "basis":"declared","evidence":"the access control list gives it to every account"},
            {"party":"holder","what":"read s3://models at its owner's cost","allowed":false,
             "basis":"declared","evidence":"whoever asks pays (requester pays)"},
            {"party":"holder","what":"delete gs://models","allowed":null,"basis":"unknown",
             "evidence":"asked with a token for reading alone, which shows no more"}]}"#,
        );
        assert_eq!(
            shown(&observed),
            [
                "holder list containers, all: proved None Some(true) (a listing of the buckets: \
                 allowed)",
                "holder delete containers, gs://models: unknown None None (asked with a token for \
                 reading alone, which shows no more; nothing is ever written to find out)",
                "holder read at the owner's cost, s3://models: refused Some(false) None (whoever \
                 asks pays (requester pays))",
                "members create objects, s3://models: declared Some(true) None (the access \
                 control list gives it to every account; nothing is ever written to find out)",
                "members overwrite objects, s3://models: declared Some(true) None (the access \
                 control list gives it to every account; nothing is ever written to find out)",
                "strangers list objects, s3://models: refused None Some(false) (a listing of one \
                 name: refused)",
            ]
        );
    }

    #[test]
    fn all_words_that_were_ever_written_have_an_operation() {
        let proof = |words: &str| {
            let (operation, why) = (words.to_owned(), String::new());
            OldProof { operation, declared: Some(true), observed: None, why }.read(Party::Holder)
        };
        let words = PROOFS.iter().flat_map(|(words, _)| *words);
        for words in words.chain(&["list tables of the table service"]) {
            assert!(proof(words).iter().all(|one| one.operation != Other), "{words}");
        }
        // Nothing is lost of what this table does not know.
        let other = proof("paint blobs");
        assert_eq!((other[0].operation, other[0].standing()), (Other, Standing::Declared));
        assert!(other[0].why.starts_with("paint blobs: "), "{other:?}");
        let newer = read(
            r#"{"rights":[{"party":"holder","operation":"paint objects","place":null,
            "declared":true,"declared_by":"credential","observed":null,"why":"said so"}]}"#,
        );
        assert_eq!(newer.rights[0].operation, Other);
        assert!(newer.rights[0].why.starts_with("paint objects: said so"), "{newer:?}");
    }

    #[test]
    fn what_is_written_today_is_read_as_it_was() {
        let right = Right::of(Party::Strangers, ReadContent)
            .at(Some("s3://models/a.txt".into()))
            .declared(Some(true), Declarer::Service)
            .observed(Some(false))
            .because("the policy gives it; refused");
        let observed = Observed { rights: vec![right], ..Observed::default() };
        let text = serde_json::to_string(&observed).unwrap();
        assert!(text.contains("\"operation\":\"read content\""), "{text}");
        assert!(!text.contains("proofs"), "{text}");
        assert_eq!(read(&text), observed);
        // Null is written where nothing is known, and read as such.
        let unknown = Observed {
            rights: vec![Right::of(Party::Holder, ReadContent).because("not asked")],
            ..Observed::default()
        };
        let text = serde_json::to_string(&unknown).unwrap();
        for name in ["place", "declared", "declared_by", "observed"] {
            assert!(text.contains(&format!("\"{name}\":null")), "{name}: {text}");
        }
        assert_eq!(read(&text), unknown);
    }
}
