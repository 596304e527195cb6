//! S3 against a real service: Ceph's gateway.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    missing_docs
)]

mod suite;

use lidless_core::{
    Access, Auth, GrantStatus, Object, Operation, Party, Provider, PublicAccess, Right, Scope,
    Secret,
};
use lidless_io::{ReadAt, read_exact_vec};
use lidless_kit::{Radosgw, S3User};
use lidless_storage::{Client, ClientSettings, ListRequest, StorageErrorKind, Store, open};
use std::collections::BTreeMap;
use std::sync::Arc;
use suite::{in_container as in_bucket, list_all, odd_names};

struct World {
    service: Radosgw,
    owner: S3User,
    objects: BTreeMap<String, Vec<u8>>,
}

fn user(number: u8) -> S3User {
    S3User {
        id: format!("LIDLESSTESTUSER{number:05}"),
        secret: format!("{number}secret+for/tests").repeat(2),
    }
}

fn world() -> Option<(World, S3User)> {
    let (owner, stranger) = (user(1), user(2));
    let service = Radosgw::start(&[owner.clone(), stranger.clone()])?;
    for (bucket, acl) in
        [("models", "private"), ("open", "public-read"), ("members", "authenticated-read")]
    {
        service.put_bucket(&owner, bucket, acl);
    }
    service.put_bucket(&owner, "readable", "private");
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",
        "Action":"s3:GetObject","Resource":"arn:aws:s3:::readable/*"}]}"#;
    service.put_policy(&owner, "readable", policy);
    service.put_object(&owner, "readable", "known.txt", b"if you know");
    let objects = odd_names(true);
    for (key, bytes) in &objects {
        service.put_object(&owner, "models", key, bytes);
    }
    Some((World { service, owner, objects }, stranger))
}

impl World {
    fn client(&self, requester_pays: bool) -> Arc<Client> {
        let settings = ClientSettings { attempts: 2, requester_pays, ..ClientSettings::default() };
        Arc::new(Client::new(Arc::new(Scope::without_file()), settings))
    }

    fn store(&self, auth: Auth, bucket: Option<&str>, key: Option<&str>) -> Arc<dyn Store> {
        self.paying(auth, bucket, key, false)
    }

    fn paying(
        &self,
        auth: Auth,
        bucket: Option<&str>,
        key: Option<&str>,
        pays: bool,
    ) -> Arc<dyn Store> {
        let access = Access {
            provider: Provider::Aws,
            origin: self.service.url(),
            path_style: true,
            account: String::new(),
            container: bucket.map(str::to_owned),
            key: key.map(str::to_owned),
            auth,
        };
        open(&self.client(pays), &access).unwrap()
    }

    fn key(&self, user: &S3User) -> Auth {
        Auth::Key { id: user.id.clone(), key: Secret::new(user.secret.as_str()), session: None }
    }

    fn signed(&self, url: &str, key: &str) -> Arc<dyn Store> {
        let query = url.split_once('?').unwrap().1;
        self.store(Auth::Query(Secret::new(query)), Some("models"), Some(key))
    }
}

#[test]
fn a_real_gateway_is_listed_read_and_probed() {
    let Some((world, stranger)) = world() else { return };
    let store = world.store(world.key(&world.owner), None, None);
    buckets_say_what_is_public(&world, &*store);
    keys_are_probed(&world, &stranger);
    signed_urls_are_probed(&world);
    strangers_are_probed(&world);
    what_is_declared_stands_beside_what_is_proved(&world);
    versions_are_listed_and_read(&world);
    nobody_pays_without_being_asked(&world, &stranger);
}

fn buckets_say_what_is_public(world: &World, store: &dyn Store) {
    let probe = store.probe().unwrap();
    assert_eq!(probe.status, GrantStatus::Live, "{probe:?}");
    assert_eq!(probe.observed.can_list_containers, Some(true));
    let buckets: BTreeMap<_, _> =
        store.containers().unwrap().into_iter().map(|it| (it.name, it.public)).collect();
    let wanted = [
        ("members", PublicAccess::Container),
        ("models", PublicAccess::None),
        ("open", PublicAccess::Container),
        ("readable", PublicAccess::Blob),
    ];
    assert_eq!(buckets, wanted.map(|(name, it)| (name.to_owned(), Some(it))).into());
    let (objects, ..) = list_all(store, &in_bucket("models"));
    assert_eq!(objects.len(), world.objects.len());
    let error = store.list(&in_bucket("nowhere-at-all")).unwrap_err();
    assert_eq!((error.status, error.code.as_deref()), (Some(404), Some("NoSuchBucket")));
}

fn keys_are_probed(world: &World, stranger: &S3User) {
    let probe = |user: &S3User, bucket| world.store(world.key(user), bucket, None).probe().unwrap();
    let wrong = S3User { secret: "not the secret".into(), ..world.owner.clone() };
    assert_eq!(probe(&wrong, None).status, GrantStatus::Revoked);
    let nobody = S3User { id: "LIDLESSNOBODY0000000".into(), ..world.owner.clone() };
    let seen = probe(&nobody, None);
    assert_eq!(seen.status, GrantStatus::Revoked, "{seen:?}");
    assert_eq!(seen.observed.error_code.as_deref(), Some("InvalidAccessKeyId"));
    let other = probe(stranger, Some("models"));
    assert_eq!((other.status, other.observed.can_list), (GrantStatus::Live, Some(false)));
    let member = probe(stranger, Some("members"));
    assert_eq!((member.status, member.observed.can_list), (GrantStatus::Live, Some(true)));
}

fn signed_urls_are_probed(world: &World) {
    use GrantStatus::{Expired, Live, Unknown};
    for key in world.objects.keys() {
        let url = world.service.presigned(&world.owner, "GET", &format!("models/{key}"), None, 900);
        let store = world.signed(&url, key);
        let seen = store.probe().unwrap();
        assert_eq!((seen.status, seen.observed.can_read), (Live, Some(true)), "{key}: {seen:?}");
        let object = store.head("models", key).unwrap();
        let source = store.open("models", &object);
        let bytes = read_exact_vec(&*source, 0, source.len()).unwrap();
        assert_eq!(&bytes, &world.objects[key], "{key}");
    }
    let url =
        |method, time| world.service.presigned(&world.owner, method, "models/plain.txt", time, 60);
    let status = |url: &str| world.signed(url, "plain.txt").probe().unwrap().status;
    assert_eq!(status(&url("GET", Some("20260101T000000Z"))), Expired);
    assert_eq!(status(&url("HEAD", None)), Live);
    // What it was made for cannot be tried without doing it.
    assert_eq!(status(&url("PUT", None)), Unknown);
    assert_eq!(status(&url("DELETE", None)), Unknown);
    let second = world.service.presigned_v2(&world.owner, "GET", "models/plain.txt", 4_102_444_800);
    assert_eq!(status(&second), Live);
    let list = world.service.presigned(&world.owner, "GET", "models", None, 900);
    let query = list.split_once('?').unwrap().1;
    let store = world.store(Auth::Query(Secret::new(query)), Some("models"), None);
    assert_eq!(store.probe().unwrap().observed.can_list, Some(true));
    assert_eq!(store.list(&in_bucket("models")).unwrap().objects.len(), world.objects.len());
}

fn strangers_are_probed(world: &World) {
    let store = |bucket, key| world.store(Auth::Anonymous, bucket, key);
    let probe = |bucket, key| {
        let seen = store(bucket, key).probe().unwrap();
        (seen.status, seen.observed.public, seen.observed.can_list, seen.observed.can_read)
    };
    let (live, denied) = (GrantStatus::Live, GrantStatus::Denied);
    assert_eq!(probe(Some("open"), None), (live, Some(true), Some(true), None));
    assert_eq!(
        probe(Some("readable"), Some("known.txt")),
        (live, Some(true), Some(false), Some(true))
    );
    assert_eq!(probe(Some("readable"), None), (denied, Some(false), Some(false), None));
    assert_eq!(
        probe(Some("models"), Some("plain.txt")),
        (denied, Some(false), Some(false), Some(false))
    );
    assert_eq!(probe(Some("members"), None).0, denied);
    assert_eq!(probe(None, None).0, denied);
}

/// What is declared, what was observed, and why.
fn right(
    rights: &[Right],
    party: Party,
    operation: Operation,
    place: Option<&str>,
) -> (Option<bool>, Option<bool>, String) {
    let found = rights.iter().find(|right| {
        (right.party, right.operation, right.place.as_deref()) == (party, operation, place)
    });
    let found = found.unwrap_or_else(|| panic!("{operation:?} is not among {rights:#?}"));
    assert_eq!(found.declared_by.is_some(), found.declared.is_some(), "{found:?}");
    (found.declared, found.observed, found.why.clone())
}

fn what_is_declared_stands_beside_what_is_proved(world: &World) {
    use Operation::{CreateObjects, FindVersions, ListObjects, OverwriteObjects, ReadContent};
    let rights = |bucket, key| {
        let store = world.store(world.key(&world.owner), Some(bucket), key);
        store.probe().unwrap().observed.rights
    };
    let strangers = Party::Strangers;
    let seen = rights("readable", None);
    let list = right(&seen, strangers, ListObjects, None);
    assert_eq!((list.0, list.1), (Some(false), Some(false)), "{list:?}");
    let read = right(&seen, strangers, ReadContent, None);
    assert_eq!((read.0, read.1), (Some(true), None), "{read:?}");
    let write = right(&seen, strangers, CreateObjects, None);
    assert_eq!((write.0, write.1), (Some(false), None), "{write:?}");
    let own = right(&seen, Party::Holder, CreateObjects, None);
    assert_eq!((own.0, own.1), (None, None), "{own:?}");
    assert!(own.2.contains("nothing is ever written"), "{own:?}");

    world.service.put_bucket(&world.owner, "dropbox", "public-read-write");
    let seen = rights("dropbox", None);
    let write = right(&seen, strangers, OverwriteObjects, None);
    assert_eq!((write.0, write.1), (Some(true), None), "{write:?}");
    let list = right(&seen, strangers, ListObjects, None);
    assert_eq!((list.0, list.1), (Some(true), Some(true)), "{list:?}");
    world.service.put_public_access_block(&world.owner, "dropbox", true);
    let seen = rights("dropbox", None);
    let write = right(&seen, strangers, OverwriteObjects, None);
    assert_eq!((write.0, write.1), (Some(false), None), "{write:?}");
    assert!(write.2.contains("public access block"), "{write:?}");
    let list = right(&seen, strangers, ListObjects, None);
    assert_eq!((list.0, list.1), (Some(false), Some(false)), "{list:?}");

    let members = right(&rights("members", None), Party::Members, ListObjects, None);
    assert_eq!((members.0, members.1), (Some(true), None), "{members:?}");
    world.service.put_open_object(&world.owner, "models", "handout.txt", b"for you");
    let seen = rights("models", Some("handout.txt"));
    let read = right(&seen, strangers, ReadContent, None);
    assert_eq!((read.0, read.1), (Some(true), None), "{read:?}");
    let seen = rights("models", Some("plain.txt"));
    let read = right(&seen, strangers, ReadContent, None);
    assert_eq!((read.0, read.1), (Some(false), None), "{read:?}");
    let own = right(&seen, Party::Holder, ReadContent, None);
    assert_eq!((own.0, own.1), (None, Some(true)), "{own:?}");
    let kept = right(&seen, Party::Holder, FindVersions, Some("s3://models"));
    assert_eq!((kept.0, kept.1), (Some(false), None), "{kept:?}");
    // A stranger sees nothing of the configuration, and is told so.
    let store = world.store(Auth::Anonymous, Some("open"), None);
    let seen = store.probe().unwrap().observed.rights;
    let write = right(&seen, strangers, CreateObjects, None);
    assert_eq!((write.0, write.1), (None, None), "{write:?}");
    assert!(write.2.contains("may not be seen"), "{write:?}");
    let list = right(&seen, strangers, ListObjects, None);
    assert_eq!((list.0, list.1), (None, Some(true)), "{list:?}");
}

fn versions_are_listed_and_read(world: &World) {
    let (owner, service) = (&world.owner, &world.service);
    service.put_bucket(owner, "history", "private");
    service.put_object(owner, "history", "before.txt", b"before versions");
    service.keep_versions(owner, "history");
    for text in ["first", "second!", "third  "] {
        service.put_object(owner, "history", "a b/k+&=%.txt", text.as_bytes());
    }
    service.put_object(owner, "history", "gone.txt", b"a secret, deleted");
    service.delete_object(owner, "history", "gone.txt");
    let store = world.store(world.key(owner), Some("history"), None);
    let (objects, ..) = list_all(&*store, &in_bucket("history"));
    let read = |object: &Object| {
        let source = store.open("history", object);
        String::from_utf8(read_exact_vec(&*source, 0, source.len()).unwrap()).unwrap()
    };
    let seen: Vec<_> = objects
        .iter()
        .map(|object| (object.key.as_str(), object.version.is_some(), read(object)))
        .collect();
    let wanted = [
        ("a b/k+&=%.txt", false, "third  "),
        ("a b/k+&=%.txt", true, "second!"),
        ("a b/k+&=%.txt", true, "first"),
        ("before.txt", false, "before versions"),
        ("gone.txt", true, "a secret, deleted"),
    ];
    let wanted = wanted.map(|(key, old, text)| (key, old, text.to_owned()));
    assert_eq!(seen, wanted, "{objects:?}");
    let paged = ListRequest { max: Some(1), ..in_bucket("history") };
    let (paged, _, pages) = list_all(&*store, &paged);
    assert_eq!(paged, objects);
    assert!(pages >= 5, "{pages} pages");
    let folded = ListRequest { delimited: true, ..in_bucket("history") };
    let (objects, prefixes, _) = list_all(&*store, &folded);
    assert_eq!((objects.len(), prefixes), (2, vec!["a b/".to_owned()]));
    let seen = store.probe().unwrap().observed.rights;
    let kept = right(&seen, Party::Holder, Operation::FindVersions, None);
    assert_eq!((kept.0, kept.1), (Some(true), None), "{kept:?}");
}

fn nobody_pays_without_being_asked(world: &World, stranger: &S3User) {
    let (owner, service) = (&world.owner, &world.service);
    service.put_bucket(owner, "toll", "authenticated-read");
    service.put_object(owner, "toll", "k.txt", b"for a fee");
    service.let_requesters_pay(owner, "toll");
    let store = world.store(world.key(stranger), Some("toll"), None);
    let seen = store.probe().unwrap();
    assert_eq!(seen.observed.can_list, Some(false), "{seen:?}");
    let bucket_says = seen.observed.rights.iter().map(|one| one.why.as_str());
    assert!(bucket_says.into_iter().any(|why| why.contains("--requester-pays")), "{seen:?}");
    assert_eq!(store.list(&in_bucket("toll")).unwrap_err().kind, StorageErrorKind::Denied);
    let store = world.paying(world.key(stranger), Some("toll"), None, true);
    let seen = store.probe().unwrap();
    assert_eq!(seen.observed.can_list, Some(true), "{seen:?}");
    assert_eq!(list_all(&*store, &in_bucket("toll")).0.len(), 1);
    let store = world.store(world.key(owner), Some("toll"), None);
    let seen = store.probe().unwrap().observed.rights;
    let free = right(&seen, Party::Holder, Operation::ReadAtOwnersCost, None);
    assert_eq!((free.0, free.1), (Some(false), None), "{free:?}");
}
