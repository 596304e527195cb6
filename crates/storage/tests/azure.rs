//! Everything an Azure account holds beside its current blobs: against Azurite where it has it,
//! and against scripted answers in the shapes of the service's documentation where it has not.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    unreachable_pub,
    dead_code,
    missing_docs
)]

mod server;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lidless_core::{Access, Auth, Object, ObjectVersion, Provider, Scope, Secret};
use lidless_io::{ReadErrorKind, read_exact_vec};
use lidless_kit::Azurite;
use lidless_storage::{Client, ClientSettings, ListRequest, StorageErrorKind, Store, open};
use lidless_token::AccountSasParameters;
use server::{Reply, Server, reply};
use std::sync::Arc;

const ACCOUNT: &str = "contosolab";

fn key(seed: u8) -> String {
    STANDARD.encode([seed; 64])
}

fn account_sas(key: &str, services: &str, types: &str, letters: &str) -> Auth {
    let token = AccountSasParameters {
        version: "2021-06-08".into(),
        services: services.into(),
        resource_types: types.into(),
        permissions: letters.into(),
        expiry: "2051-10-06T07:00:00Z".into(),
        ..AccountSasParameters::default()
    };
    Auth::Query(Secret::new(token.mint(ACCOUNT, key).unwrap()))
}

fn store_at(url: &str, auth: Auth, container: Option<&str>) -> Arc<dyn Store> {
    let settings = ClientSettings { attempts: 1, ..ClientSettings::default() };
    let client = Arc::new(Client::new(Arc::new(Scope::without_file()), settings));
    let access = Access {
        provider: Provider::Azure,
        origin: url.to_owned(),
        path_style: true,
        account: ACCOUNT.into(),
        container: container.map(str::to_owned),
        key: None,
        auth,
    };
    open(&client, &access).unwrap()
}

fn request(container: &str) -> ListRequest {
    ListRequest { container: container.into(), ..ListRequest::default() }
}

fn listing(blobs: &str) -> Reply {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults><Blobs>{blobs}</Blobs>\
         <NextMarker/></EnumerationResults>"
    );
    reply(200, &[], body.as_bytes())
}

fn refusal(status: u16, code: &str) -> Reply {
    let body = format!("<Error><Code>{code}</Code><Message>m</Message></Error>");
    reply(status, &[("x-ms-error-code", code)], body.as_bytes())
}

#[test]
fn snapshots_metadata_and_archived_blobs_of_a_real_account_are_objects() {
    let (one, two) = (key(1), key(2));
    let Some(azurite) = Azurite::start(&[(ACCOUNT, &one, &two)]) else { return };
    azurite.put_container(ACCOUNT, "models", None);
    azurite.put_blob_with(ACCOUNT, "models", "a/notes.txt", b"first text", &[("owner", "dana")]);
    azurite.put_snapshot(ACCOUNT, "models", "a/notes.txt");
    azurite.put_blob(ACCOUNT, "models", "a/notes.txt", b"the second text");
    azurite.put_page_blob(ACCOUNT, "models", "disk.vhd", 8 << 20, &[(4 << 20, &[7; 512])]);
    azurite.put_snapshot(ACCOUNT, "models", "disk.vhd");
    azurite.put_page_blob(ACCOUNT, "models", "disk.vhd", 8 << 20, &[(1 << 20, &[9; 512])]);
    azurite.put_blob(ACCOUNT, "models", "old.bin", b"cold");
    azurite.archive_blob(ACCOUNT, "models", "old.bin");
    let before = azurite.snapshot(ACCOUNT);

    for auth in [
        account_sas(&one, "b", "sco", "rl"),
        account_sas(&two, "b", "sco", "rlt"),
        Auth::Key { id: ACCOUNT.into(), key: Secret::new(one.clone()), session: None },
    ] {
        let store = store_at(&azurite.url(), auth, None);
        let objects = store.list(&request("models")).unwrap().objects;
        let of = |key: &str, old: bool| -> Object {
            let found = objects.iter().find(|o| o.key == key && o.version.is_some() == old);
            found.unwrap_or_else(|| panic!("{key} {old} in {objects:#?}")).clone()
        };
        assert_eq!(objects.len(), 5);
        let read = |object: &Object| {
            let bytes = store.open("models", object);
            read_exact_vec(&*bytes, 0, bytes.len()).unwrap()
        };
        assert_eq!(read(&of("a/notes.txt", true)), b"first text");
        assert_eq!(read(&of("a/notes.txt", false)), b"the second text");
        assert_eq!(of("a/notes.txt", true).metadata["owner"], "dana");
        // A snapshot of a page blob has a map of its own.
        let disk = store.open("models", &of("disk.vhd", true));
        assert_eq!(read_exact_vec(&*disk, 4 << 20, 2).unwrap(), [7, 7]);
        assert_eq!(read_exact_vec(&*disk, 1 << 20, 2).unwrap(), [0, 0]);
        let disk = store.open("models", &of("disk.vhd", false));
        assert_eq!(read_exact_vec(&*disk, 1 << 20, 2).unwrap(), [9, 9]);
        assert_eq!(of("old.bin", false).unreadable(), Some("in the archive tier"));
        assert_eq!(store.gaps(), []);
    }
    assert_eq!(before, azurite.snapshot(ACCOUNT));
}

#[test]
fn a_version_is_read_by_its_id_and_a_deleted_blob_is_never_asked_for() {
    let part =
        |body: &[u8]| reply(206, &[("Content-Range", "bytes 0-1/2"), ("ETag", "\"0x1\"")], body);
    let server = Server::start(vec![part(b"ab"), part(b"ab")]);
    let store = store_at(&server.url(), account_sas(&key(1), "b", "sco", "rl"), None);
    let object = |version| Object {
        key: "a b.txt".into(),
        size: 2,
        version: Some(version),
        ..Object::default()
    };
    let old = object(ObjectVersion::Version("2026-01-01T00:00:00.0000001Z".into()));
    assert_eq!(read_exact_vec(&*store.open("c", &old), 0, 2).unwrap(), b"ab");
    let target = &server.requests()[0].target;
    assert!(
        target
            .starts_with("/contosolab/c/a%20b.txt?versionid=2026-01-01T00%3A00%3A00.0000001Z&sv="),
        "{target}"
    );
    let gone = object(ObjectVersion::Deleted("2026-01-01".into()));
    assert!(gone.unreadable().is_some_and(|why| why.starts_with("deleted")));
}

#[test]
fn what_the_service_refuses_to_list_is_left_out_and_said() {
    let one =
        "<Blob><Name>x</Name><Properties><Content-Length>1</Content-Length></Properties></Blob>";
    let server = Server::start(vec![
        refusal(403, "AuthorizationPermissionMismatch"),
        refusal(400, "InvalidQueryParameterValue"),
        listing(one),
        listing(one),
    ]);
    let store = store_at(&server.url(), account_sas(&key(1), "b", "sco", "rlt"), None);
    assert_eq!(store.list(&request("c")).unwrap().objects.len(), 1);
    // What was learned is not asked again.
    assert_eq!(store.list(&request("c")).unwrap().objects.len(), 1);
    let asked: Vec<String> = (server.requests().iter())
        .map(|seen| {
            let rest = seen.target.split_once("include=").map_or("", |(_, rest)| rest);
            rest.split('&').next().unwrap_or("").replace("%2C", ",")
        })
        .collect();
    assert_eq!(
        asked,
        [
            "metadata,tags,snapshots,versions,deleted",
            "metadata,snapshots,versions,deleted",
            "metadata,snapshots,deleted",
            "metadata,snapshots,deleted"
        ]
    );
    let gaps = store.gaps();
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert_eq!(gaps[0].location, "az://contosolab");
    assert_eq!(
        gaps[0].reason,
        "tags, versions not listed: the service refused to (AuthorizationPermissionMismatch)"
    );
}

#[test]
fn a_listing_that_is_refused_for_itself_is_asked_once() {
    for (status, code, kind) in [
        (403, "AuthorizationPermissionMismatch", StorageErrorKind::Denied),
        (404, "ContainerNotFound", StorageErrorKind::NotFound),
        (409, "ContainerBeingDeleted", StorageErrorKind::Conflict),
    ] {
        let server = Server::start(vec![refusal(status, code)]);
        let store = store_at(&server.url(), account_sas(&key(1), "b", "sco", "rl"), None);
        assert_eq!(store.list(&request("c")).unwrap_err().kind, kind, "{code}");
        assert_eq!(server.requests().len(), 1, "{code}");
        assert_eq!(store.gaps(), []);
    }
}

#[test]
fn a_folder_listed_by_itself_says_what_it_could_not_ask() {
    let one = "<Blob><Name>d/x</Name><Properties><Content-Length>1</Content-Length></Properties>\
               </Blob><BlobPrefix><Name>d/e/</Name></BlobPrefix>";
    let server = Server::start(vec![listing(one)]);
    let store = store_at(&server.url(), account_sas(&key(1), "b", "sco", "rl"), None);
    let page = store.list(&ListRequest { delimited: true, prefix: "d/".into(), ..request("c") });
    assert_eq!(page.unwrap().prefixes, ["d/e/"]);
    assert!(server.requests()[0].target.contains("include=metadata%2Cdeleted&"));
    let gaps = store.gaps();
    assert_eq!(gaps[0].location, "az://contosolab/c/d/");
    assert!(gaps[0].reason.starts_with("snapshots and versions of what stands right"), "{gaps:?}");
}

#[test]
fn deleted_and_hidden_containers_are_named() {
    let body = "<EnumerationResults><Containers><Container><Name>$logs</Name><Properties/>\
        </Container><Container><Name>hr</Name><Deleted>true</Deleted><Version>01D6</Version>\
        <Properties><DeletedTime>Tue, 24 Nov 2026 10:00:00 GMT</DeletedTime>\
        <RemainingRetentionDays>3</RemainingRetentionDays></Properties></Container></Containers>\
        <NextMarker/></EnumerationResults>";
    let server = Server::start(vec![reply(200, &[], body.as_bytes())]);
    let store = store_at(&server.url(), account_sas(&key(1), "b", "sco", "rl"), None);
    let names: Vec<_> = store.containers().unwrap().into_iter().map(|it| it.name).collect();
    assert_eq!(names, ["$logs"]);
    assert!(server.requests()[0].target.contains("include=metadata%2Cdeleted%2Csystem"));
    let gaps = store.gaps();
    assert_eq!(gaps[0].location, "az://contosolab/hr?deleted");
    assert!(
        gaps[0].reason.starts_with("a container deleted on 2026-11-24, kept for 3 more days"),
        "{gaps:?}"
    );
}

#[test]
fn a_token_that_cannot_list_containers_is_tried_on_the_ones_every_account_has() {
    let server = Server::start(vec![
        refusal(403, "AuthorizationResourceTypeMismatch"),
        refusal(404, "ContainerNotFound"),
        listing(""),
        refusal(404, "ContainerNotFound"),
    ]);
    let store = store_at(&server.url(), account_sas(&key(1), "b", "co", "rl"), None);
    let names: Vec<_> = store.containers().unwrap().into_iter().map(|it| it.name).collect();
    assert_eq!(names, ["$web"]);
    let targets: Vec<_> = server.requests().into_iter().map(|seen| seen.target).collect();
    assert!(targets[1].starts_with("/contosolab/$root?restype=container&comp=list&maxresults=1"));
    assert!(targets.iter().any(|it| it.starts_with("/contosolab/insights-logs-storageread?")));
    assert!(store.gaps()[0].reason.contains("known by name"), "{:?}", store.gaps());
    // Where the first is refused, the others are not tried.
    let server = Server::start(vec![refusal(403, "AuthorizationPermissionMismatch")]);
    let store = store_at(&server.url(), account_sas(&key(1), "b", "co", "r"), None);
    assert_eq!(store.containers().unwrap_err().kind, StorageErrorKind::Denied);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_blob_that_turns_out_archived_is_offline() {
    let server = Server::start(vec![refusal(409, "BlobArchived")]);
    let store = store_at(&server.url(), account_sas(&key(1), "b", "sco", "rl"), None);
    let object = Object { key: "k".into(), size: 5, ..Object::default() };
    let error = read_exact_vec(&*store.open("c", &object), 0, 5).unwrap_err();
    assert_eq!(error.kind, ReadErrorKind::Offline);
    assert_eq!(server.requests().len(), 1);
}
