//! S3 where no real service is at hand: buckets elsewhere, archive tiers, compatibles.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    dead_code,
    missing_docs
)]

mod server;

use lidless_core::{Access, Auth, Object, Provider, Scope, Secret};
use lidless_io::{ReadAt as _, ReadErrorKind};
use lidless_storage::{Client, ClientSettings, Endpoints, ListRequest, Store, open};
use server::{Reply, Server, reply};
use std::sync::Arc;

const EMPTY: &[u8] = b"<ListBucketResult><Name>b</Name></ListBucketResult>";

fn store(url: &str, auth: Auth) -> Arc<dyn Store> {
    let access = Access {
        provider: Provider::Aws,
        origin: "https://s3.amazonaws.com".into(),
        path_style: true,
        account: String::new(),
        container: Some("b".into()),
        key: None,
        auth,
    };
    let endpoints = Endpoints { s3: Some(url.to_owned()), ..Endpoints::default() };
    let settings = ClientSettings { endpoints, attempts: 2, ..ClientSettings::default() };
    open(&Arc::new(Client::new(Arc::new(Scope::without_file()), settings)), &access).unwrap()
}

fn key() -> Auth {
    Auth::Key { id: "LIDLESSTEST".into(), key: Secret::new("of nobody"), session: None }
}

fn request() -> ListRequest {
    ListRequest { container: "b".into(), ..ListRequest::default() }
}

/// The regions that the requests were signed for.
fn regions(server: &Server) -> Vec<String> {
    let seen = server.requests();
    let region = |head: &str| Some(head.split_once("Credential=")?.1.split('/').nth(2)?.to_owned());
    seen.iter().filter_map(|one| region(&one.head)).collect()
}

#[test]
fn a_bucket_that_lives_elsewhere_is_asked_again_for_its_region_once() {
    let moved = [("x-amz-bucket-region", "eu-west-1")];
    let in_body = b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region>\
                    </Error>";
    for first in [reply(301, &moved, b""), reply(400, &[], in_body)] {
        let server = Server::start(vec![first, reply(200, &[], EMPTY)]);
        let store = store(&server.url(), key());
        store.list(&request()).unwrap();
        store.list(&request()).unwrap();
        let seen = regions(&server);
        assert_eq!(seen[..2], ["us-east-1", "eu-west-1"]);
        assert!(seen[2..].iter().all(|region| region == "eu-west-1"), "{seen:?}");
    }
}

#[test]
fn a_service_that_sends_a_bucket_round_in_circles_is_asked_twice() {
    let moved = |to| reply(301, &[("x-amz-bucket-region", to)], b"");
    let server = Server::start(vec![moved("eu-west-1"), moved("eu-west-2")]);
    assert!(store(&server.url(), key()).list(&request()).is_err());
    assert!(server.requests().len() <= 4, "{} requests", server.requests().len());
    // A region that would name another host is none.
    let server = Server::start(vec![reply(301, &[("x-amz-bucket-region", "x.example.com/")], b"")]);
    assert!(store(&server.url(), key()).list(&request()).is_err());
    assert!(regions(&server).iter().all(|region| region == "us-east-1"));
}

#[test]
fn what_is_archived_is_told_and_never_restored() {
    let of = |class: &str| {
        format!(
            "<Contents><Key>{class}</Key><Size>5</Size><StorageClass>{class}</StorageClass></Contents>"
        )
    };
    let classes = ["STANDARD", "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR", "INTELLIGENT_TIERING"];
    let body = format!(
        "<ListBucketResult>{}</ListBucketResult>",
        classes.iter().map(|class| of(class)).collect::<String>()
    );
    let asleep = b"<Error><Code>InvalidObjectState</Code></Error>";
    let server = Server::start(vec![
        // Strangers do not list versions.
        reply(403, &[], b"<Error><Code>AccessDenied</Code></Error>"),
        reply(200, &[], body.as_bytes()),
        reply(403, &[], asleep),
    ]);
    let store = store(&server.url(), key());
    let objects = store.list(&request()).unwrap().objects;
    let offline: Vec<_> =
        objects.iter().filter(|it| it.is_offline()).map(|it| it.key.as_str()).collect();
    assert_eq!(offline, ["GLACIER", "DEEP_ARCHIVE"]);
    // The tiers that archive by themselves say so only when they are read.
    let tiered: &Object = objects.last().unwrap();
    let error = store.open("b", tiered).read_at(0, &mut [0; 5]).unwrap_err();
    assert_eq!(error.kind, ReadErrorKind::Offline, "{error}");
    assert!(server.requests().iter().all(|one| one.verb == "GET" || one.verb == "HEAD"));
    assert!(server.requests().iter().all(|one| !one.target.contains("restore")));
}

#[test]
fn whoever_asks_never_says_that_they_pay() {
    let refused = b"<Error><Code>AccessDenied</Code></Error>";
    let server = Server::start(vec![reply(403, &[], refused)]);
    for auth in [Auth::Anonymous, key()] {
        let store = store(&server.url(), auth);
        let _ = (store.probe(), store.list(&request()), store.head("b", "k"));
    }
    let seen = server.requests();
    assert!(seen.len() > 5);
    for one in seen {
        let all = format!("{}\n{}", one.target, one.head).to_lowercase();
        assert!(!all.contains("request-payer"), "{all}");
    }
}

#[test]
fn a_page_that_goes_on_without_end_is_an_error() {
    let page = b"<ListBucketResult><IsTruncated>true</IsTruncated>\
                 <NextContinuationToken>same</NextContinuationToken></ListBucketResult>";
    let refused = reply(403, &[], b"<Error><Code>AccessDenied</Code></Error>");
    let server: Server = Server::start(vec![refused, reply(200, &[], page)] as Vec<Reply>);
    let store = store(&server.url(), key());
    let first = store.list(&request()).unwrap();
    let again = ListRequest { cursor: first.next, ..request() };
    let error = store.list(&again).unwrap_err();
    assert!(error.to_string().contains("does not move on"), "{error}");
}
