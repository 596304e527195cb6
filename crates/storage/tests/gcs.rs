//! Cloud Storage through its JSON interface, against a service that answers as its reference says.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    dead_code,
    missing_docs
)]

mod bucket_service;
mod server;
mod suite;

use bucket_service::{BucketService, Kept, private_key};
use lidless_core::{
    Access, Auth, Declarer, GrantStatus, Object, ObjectVersion, Operation, Party, Provider,
    PublicAccess, Scope, Secret, Standing,
};
use lidless_io::{ReadAt, ReadErrorKind, read_exact_vec};
use lidless_storage::{
    Client, ClientSettings, Endpoints, ListRequest, StorageErrorKind, Store, open,
};
use rsa::pkcs8::{EncodePrivateKey as _, LineEnding};
use server::{Server, reply};
use std::sync::Arc;
use suite::{in_container as in_bucket, list_all, odd_names};

const TOKEN: &str = "a token of nobody";
const EMAIL: &str = "reader@contoso-lab.iam.gserviceaccount.com";

fn service_account(key: &rsa::PrivateKey) -> Auth {
    let pem = key.to_pkcs8_pem(LineEnding::LF).unwrap();
    let (email, key_id) = (EMAIL.to_owned(), Some("k1".to_owned()));
    // As it stands in JSON.
    Auth::ServiceAccount { email, key_id, key: Secret::new(pem.replace('\n', "\\n")) }
}

fn service() -> BucketService {
    let mut objects: Vec<Kept> =
        odd_names(true).iter().map(|(name, bytes)| Kept::new("models", name, bytes)).collect();
    objects.push(Kept {
        is_old: true,
        generation: 3,
        ..Kept::new("models", "plain.txt", b"before")
    });
    objects.push(Kept::new("open", "public.txt", b"for all"));
    objects.push(Kept { is_locked: true, ..Kept::new("open", "locked.bin", b"sealed") });
    for (name, generation) in [("a/gone.txt", 4), ("logs/b.txt", 5), ("public.txt", 6), ("z", 7)] {
        let gone = Kept::new("open", name, b"gone");
        objects.push(Kept { is_deleted: true, generation, ..gone });
    }
    BucketService::start(TOKEN, EMAIL, private_key(7).to_public_key(), objects)
}

fn store_in(
    url: &str,
    scope: Scope,
    auth: Auth,
    bucket: Option<&str>,
    key: Option<&str>,
) -> Arc<dyn Store> {
    let access = Access {
        provider: Provider::Gcs,
        origin: "https://storage.googleapis.com".into(),
        path_style: true,
        account: String::new(),
        container: bucket.map(str::to_owned),
        key: key.map(str::to_owned),
        auth,
    };
    let settings = ClientSettings {
        endpoints: Endpoints { gcs: Some(url.to_owned()), ..Endpoints::default() },
        attempts: 2,
        ..ClientSettings::default()
    };
    open(&Arc::new(Client::new(Arc::new(scope), settings)), &access).unwrap()
}

fn store(url: &str, auth: Auth, bucket: Option<&str>, key: Option<&str>) -> Arc<dyn Store> {
    store_in(url, Scope::without_file(), auth, bucket, key)
}

fn token() -> Auth {
    Auth::Token(Secret::new(TOKEN))
}

#[test]
fn what_was_replaced_is_listed_and_read_with_a_token_and_with_a_key() {
    let service = service();
    for auth in [token(), service_account(&private_key(7))] {
        let store = store(&service.url(), auth, Some("models"), None);
        let (objects, prefixes, _) = list_all(&*store, &in_bucket("models"));
        assert_eq!((objects.len(), prefixes.len()), (odd_names(true).len() + 1, 0));
        for object in &objects {
            let source = store.open("models", object);
            let bytes = read_exact_vec(&*source, 0, source.len()).unwrap();
            assert!(bytes == service.kept(object), "{object:?}");
        }
        let old: Vec<_> = objects.iter().filter(|object| object.version.is_some()).collect();
        assert_eq!(old.len(), 1);
        assert_eq!(old[0].version, Some(ObjectVersion::Version("3".into())));
        let gone = Object { version: Some(ObjectVersion::Version("4".into())), ..old[0].clone() };
        let error = store.open("models", &gone).read_at(0, &mut [0; 4]).unwrap_err();
        assert_eq!(error.kind, ReadErrorKind::Changed, "{error}");
    }
    // Nothing but what reads was asked for.
    assert!(service.verbs().iter().all(|verb| verb == "GET"), "{:?}", service.verbs());
}

#[test]
fn what_the_service_says_of_rights_stands_beside_what_was_proved() {
    let service = service();
    let seen = store(&service.url(), token(), Some("models"), Some("plain.txt")).probe().unwrap();
    assert_eq!(seen.status, GrantStatus::Live, "{seen:?}");
    assert_eq!((seen.observed.can_list, seen.observed.can_read), (Some(true), Some(true)));
    let right = |operation, place: Option<&str>| {
        let mut rows = seen.observed.rights.iter();
        let found = rows.find(|it| it.operation == operation && it.place.as_deref() == place);
        let found = found.unwrap_or_else(|| panic!("{operation:?}: {:#?}", seen.observed.rights));
        assert_eq!(found.party, Party::Holder);
        (found.declared, found.observed)
    };
    let bucket = Some("gs://models");
    assert_eq!(right(Operation::ListObjects, bucket), (Some(true), Some(true)));
    assert_eq!(right(Operation::ReadContent, None), (None, Some(true)));
    assert_eq!(right(Operation::ReadContent, bucket), (Some(true), None));
    assert_eq!(right(Operation::CreateObjects, bucket), (Some(true), None));
    // Writing over takes the permission to delete as well.
    assert_eq!(right(Operation::OverwriteObjects, bucket), (Some(false), None));
    assert_eq!(right(Operation::DeleteContainers, bucket), (Some(false), None));
    let by = seen.observed.rights.iter().filter_map(|it| it.declared_by);
    assert!(by.into_iter().all(|by| by == Declarer::Service));
    // The token that a key signs is for reading: that it may not delete says nothing of the key.
    let key = service_account(&private_key(7));
    let seen = store(&service.url(), key, Some("models"), None).probe().unwrap();
    for operation in [Operation::DeleteContainers, Operation::OverwriteObjects] {
        let row = seen.observed.rights.iter().find(|it| it.operation == operation).unwrap();
        assert_eq!(row.standing(), Standing::Unknown, "{row:?}");
        assert!(row.place.is_none() && row.why.contains("reading alone"), "{row:?}");
    }
}

#[test]
fn deleted_objects_are_listed_among_the_others_and_in_order() {
    let service = service();
    let store = store(&service.url(), token(), Some("open"), None);
    let (objects, _, _) = list_all(&*store, &in_bucket("open"));
    let names: Vec<(&str, bool)> = objects
        .iter()
        .map(|one| (one.key.as_str(), matches!(one.version, Some(ObjectVersion::Deleted(_)))))
        .collect();
    let all = [
        ("a/gone.txt", true),
        ("locked.bin", false),
        ("logs/b.txt", true),
        ("public.txt", false),
        ("public.txt", true),
        ("z", true),
    ];
    assert_eq!(names, all);
    assert!(objects[0].unreadable().unwrap().starts_with("deleted"));
    assert_eq!(objects[0].version, Some(ObjectVersion::Deleted("4".into())));
    // Each is named once, however small the pages are.
    for max in 1..4 {
        let request = ListRequest { max: Some(max), ..in_bucket("open") };
        let (paged, _, pages) = list_all(&*store, &request);
        let mut sorted: Vec<_> = paged.iter().map(|one| (&one.key, &one.version)).collect();
        sorted.sort();
        sorted.dedup();
        assert_eq!((sorted.len(), paged.len()), (all.len(), all.len()), "{max}");
        assert!(paged.is_sorted_by_key(|one| &one.key), "{max}");
        assert_eq!(pages, 2_usize.div_ceil(max as usize));
    }
    let folded = ListRequest { delimited: true, ..in_bucket("open") };
    let (_, prefixes, _) = list_all(&*store, &folded);
    assert_eq!(prefixes, ["a/", "logs/"]);
    let below = ListRequest { prefix: "logs/".into(), ..in_bucket("open") };
    assert_eq!(list_all(&*store, &below).0.len(), 1);
    assert_eq!(store.gaps(), []);
}

#[test]
fn what_only_its_owner_can_decrypt_is_told_by_the_listing_and_by_the_read() {
    let service = service();
    let store = store(&service.url(), token(), Some("open"), None);
    let locked = store.head("open", "locked.bin").unwrap();
    assert_eq!(locked.encryption, Some(lidless_core::Encryption::CustomerKey));
    assert_eq!(locked.unreadable(), Some("encrypted with a key that only its owner has"));
    let error = store.open("open", &locked).read_at(0, &mut [0; 4]).unwrap_err();
    assert_eq!(error.kind, ReadErrorKind::Locked, "{error}");
}

#[test]
fn a_service_that_lists_no_deleted_objects_is_heard_and_one_that_refuses_is_told() {
    let page = br#"{"kind":"storage#objects","items":[{"name":"a","size":"1","generation":"1"}]}"#;
    let off = br#"{"error":{"errors":[{"reason":"conditionNotMet"}],
        "message":"The bucket has no soft delete policy"}}"#;
    let refused = br#"{"error":{"errors":[{"reason":"forbidden"}]}}"#;
    for (answer, told) in [
        // An emulator that does not know the question lists what is there.
        (reply(200, &[], page), 0),
        (reply(412, &[], off), 0),
        (reply(403, &[], refused), 1),
    ] {
        let server = Server::start(vec![reply(200, &[], page), answer, reply(200, &[], page)]);
        let store = store(&server.url(), token(), Some("b"), None);
        for _ in 0..2 {
            let listed = store.list(&in_bucket("b")).unwrap();
            assert_eq!((listed.objects.len(), listed.next), (1, None));
        }
        // It is asked once, and below it not at all.
        let below = ListRequest { prefix: "a/".into(), ..in_bucket("b") };
        let _ = store.list(&below).unwrap();
        assert_eq!(server.requests().len(), 4);
        assert_eq!(store.gaps().len(), told, "{:?}", store.gaps());
    }
}

#[test]
fn the_policy_and_the_settings_of_a_bucket_say_what_strangers_may() {
    let service = service();
    let seen = store(&service.url(), token(), Some("open"), None).probe().unwrap();
    let right = |party: Party, operation| {
        let mut rows = seen.observed.rights.iter();
        let found = rows.find(|it| it.party == party && it.operation == operation);
        found.unwrap_or_else(|| panic!("{operation:?}: {:#?}", seen.observed.rights))
    };
    let read = right(Party::Strangers, Operation::ReadContent);
    assert_eq!((read.declared, read.observed), (Some(true), None), "{read:?}");
    assert_eq!(read.declared_by, Some(Declarer::Service));
    assert!(read.why.contains("allUsers roles/storage.objectViewer"), "{read:?}");
    let create = Operation::CreateObjects;
    assert_eq!(right(Party::Strangers, create).declared, Some(false));
    assert_eq!(right(Party::Members, create).declared, Some(true));
    // Who may not see them is not told, and nothing more is asked.
    let seen = store(&service.url(), token(), Some("models"), None).probe().unwrap();
    assert!(seen.observed.rights.iter().all(|right| right.party == Party::Holder));
}

#[test]
fn keys_that_do_not_work_are_told_apart() {
    let service = service();
    let status = |auth| {
        let seen = store(&service.url(), auth, Some("models"), None).probe().unwrap();
        (seen.status, seen.observed.public)
    };
    assert_eq!(status(service_account(&private_key(7))), (GrantStatus::Live, None));
    // Another key of the same account: deleted, or never one.
    assert_eq!(status(service_account(&private_key(8))).0, GrantStatus::Revoked);
    assert_eq!(status(Auth::Token(Secret::new("over"))).0, GrantStatus::Revoked);
    let broken = Auth::ServiceAccount {
        email: EMAIL.into(),
        key_id: None,
        key: Secret::new("not a key at all"),
    };
    let error = store(&service.url(), broken, Some("models"), None).probe().unwrap_err();
    assert!(error.to_string().contains("no RSA key"), "{error}");
    assert!(!error.to_string().contains("not a key"), "{error}");
}

#[test]
fn strangers_see_what_is_open_and_the_owner_sees_that_they_do() {
    let service = service();
    let probe = |bucket, key| {
        let seen = store(&service.url(), Auth::Anonymous, Some(bucket), key).probe().unwrap();
        (seen.status, seen.observed.public)
    };
    assert_eq!(probe("open", None), (GrantStatus::Live, Some(true)));
    assert_eq!(probe("open", Some("public.txt")), (GrantStatus::Live, Some(true)));
    assert_eq!(probe("models", Some("plain.txt")), (GrantStatus::Denied, Some(false)));
    let own = store(&service.url(), service_account(&private_key(7)), None, None);
    let buckets = own.containers().unwrap();
    let seen: Vec<_> = buckets.iter().map(|it| (it.name.as_str(), it.public)).collect();
    let wanted = [("models", Some(PublicAccess::None)), ("open", Some(PublicAccess::Container))];
    assert_eq!(seen, wanted);
    assert_eq!(own.probe().unwrap().observed.can_list_containers, Some(true));
    // A token alone names no project, and so no buckets.
    let error = store(&service.url(), token(), None, None).containers().unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Unsupported, "{error}");
}

#[test]
fn what_is_missing_or_refused_is_said() {
    let service = service();
    let store = store(&service.url(), token(), Some("models"), None);
    let error = store.list(&in_bucket("nowhere")).unwrap_err();
    assert_eq!((error.kind, error.status), (StorageErrorKind::NotFound, Some(404)), "{error}");
    let error = store.head("models", "nothing").unwrap_err();
    assert_eq!(error.code.as_deref(), Some("notFound"), "{error}");
}

#[test]
fn a_token_follows_no_redirect_and_crosses_no_network_in_the_clear() {
    let other = Server::start(vec![reply(200, &[], b"{\"kind\":\"storage#objects\"}")]);
    let to = format!("{}/storage/v1/b/models/o", other.url());
    let first = Server::start(vec![reply(302, &[("Location", &to)], b"")]);
    let _ = store(&first.url(), token(), Some("models"), None).list(&in_bucket("models"));
    assert!(first.requests()[0].head.contains(TOKEN));
    let after = other.requests();
    // The listing, and that of deleted objects.
    assert_eq!(after.len(), 2);
    assert!(after.iter().all(|one| !one.head.to_lowercase().contains("authorization")));
    let far = Scope::without_file();
    let clear = store_in("http://192.0.2.1:9", far, token(), Some("models"), None);
    let error = clear.list(&in_bucket("models")).unwrap_err();
    assert!(error.to_string().contains("over http://"), "{error}");
}

#[test]
fn signed_urls_of_both_kinds_are_sent_as_they_stand_and_get_what_is_kept() {
    for signed in ["X-Goog-Date=x&X-Goog-Signature=ab", "GoogleAccessId=a&Expires=1&Signature=b%2B"]
    {
        let server = Server::start(vec![reply(200, &[("x-goog-hash", "crc32c=x")], b"bytes")]);
        let auth = Auth::Query(Secret::new(signed));
        let store = store(&server.url(), auth, Some("models"), Some("a b.txt"));
        let object = Object { key: "a b.txt".into(), size: 5, ..Object::default() };
        assert_eq!(read_exact_vec(&*store.open("models", &object), 0, 5).unwrap(), b"bytes");
        assert_eq!(store.probe().unwrap().status, GrantStatus::Live);
        for one in server.requests() {
            assert_eq!(one.target, format!("/models/a%20b.txt?{signed}"));
            assert!(!one.head.to_lowercase().contains("authorization"), "{}", one.head);
        }
        assert!(server.requests()[0].head.to_lowercase().contains("accept-encoding: gzip"));
    }
}

#[test]
fn a_redirect_to_another_bucket_is_out_of_scope() {
    let text = "[authority]\nowner = \"o\"\nauthorised_by = \"a\"\n\
                expires = \"2050-01-01T00:00:00Z\"\n[[allow]]\nstore = \"gs://models\"\n";
    for path in [
        "/storage/v1/b/secret/o",
        "/storage/v1/b/models/../secret/o",
        "/x/b/models/o/y",
        "/storage/v1/b/models%2F..%2Fsecret/o",
        "/secret/key",
    ] {
        let scope = Scope::from_toml(text, lidless_core::Timestamp::now()).unwrap();
        let server = Server::start(vec![
            reply(302, &[("Location", path)], b""),
            reply(200, &[], b"{\"kind\":\"storage#objects\"}"),
        ]);
        let store = store_in(&server.url(), scope, token(), Some("models"), None);
        let error = store.list(&in_bucket("models")).unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::OutOfScope, "{path}: {error}");
        assert_eq!(server.requests().len(), 1, "{path}");
    }
}

#[test]
fn hostile_listings_are_errors() {
    for body in [
        &b"<html>Sign in</html>"[..],
        b"{\"kind\":\"storage#objects\",\"items\":[{\"name\":\"x\"}]}",
        b"{\"kind\":\"storage#objects\",\"nextPageToken\":\"same\"}",
    ] {
        let server = Server::start(vec![reply(200, &[], body)]);
        let store = store(&server.url(), Auth::Anonymous, Some("b"), None);
        let request = ListRequest { cursor: Some("same".into()), ..in_bucket("b") };
        let error = store.list(&request).unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::Malformed, "{error}");
    }
}
