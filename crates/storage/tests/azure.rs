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

#[allow(dead_code, reason = "other tests use the rest of it")]
mod server;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lidless_core::{
    Access, Auth, BlobType, GrantStatus, Object, ObjectVersion, Provider, Scope, Secret,
};
use lidless_io::{ReadErrorKind, read_exact_vec};
use lidless_kit::Azurite;
use lidless_storage::{
    Client, ClientSettings, Endpoints, ListRequest, StorageErrorKind, Store, open,
};
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
    azurite.put_blob(ACCOUNT, "models", "messages", b"called like those of a queue");
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
        assert_eq!(objects.len(), 6);
        let read = |object: &Object| {
            let bytes = store.open("models", object);
            read_exact_vec(&*bytes, 0, bytes.len()).unwrap()
        };
        assert_eq!(read(&of("a/notes.txt", true)), b"first text");
        assert_eq!(read(&of("messages", false)), b"called like those of a queue");
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

#[test]
fn every_error_code_says_what_it_means_for_the_grant() {
    use GrantStatus::{Denied, Live, Revoked, Unknown};
    for (status, code, meant, words) in [
        (403, "AuthorizationPermissionMismatch", Live, "not granted (sp)"),
        (403, "AuthorizationResourceTypeMismatch", Live, "not for this type of resource"),
        (403, "AuthorizationServiceMismatch", Live, "not for this service"),
        (403, "AuthorizationProtocolMismatch", Live, "over https only"),
        (403, "InsufficientAccountPermissions", Live, "does not allow"),
        (403, "AuthorizationSourceIPMismatch", Denied, "other addresses"),
        (403, "KeyBasedAuthenticationNotPermitted", Denied, "shared key access is switched off"),
        (403, "AccountIsDisabled", Denied, "the account is disabled"),
        (409, "PublicAccessNotPermitted", Denied, "forbids public access"),
        (401, "NoAuthenticationInformation", Denied, "a credential is asked for"),
        (400, "InvalidAuthenticationInfo", Revoked, "cannot read the credential"),
        (404, "ContainerNotFound", Live, "is not there"),
        (409, "ContainerBeingDeleted", Live, "is being deleted"),
        (409, "BlobArchived", Live, "archive tier"),
        (409, "BlobBeingRehydrated", Live, "on its way out of the archive tier"),
        (409, "BlobUsesCustomerSpecifiedEncryption", Live, "encrypted with a key of its owner"),
        (400, "InvalidQueryParameterValue", Unknown, "decides nothing"),
        (403, "SomethingNew", Denied, "not the credential's own"),
    ] {
        let server = Server::start(vec![refusal(status, code)]);
        let query = "sv=2020-08-04&sr=c&sp=rl&se=2051-01-01&sig=abc%3D";
        let store = store_at(&server.url(), Auth::Query(Secret::new(query)), Some("c"));
        let seen = store.probe().unwrap();
        let meaning = seen.observed.meaning.unwrap_or_default();
        assert_eq!(seen.status, meant, "{code}: {meaning}");
        assert!(meaning.contains(words), "{code}: {meaning}");
    }
}

#[test]
fn the_explanation_of_a_rejected_signature_is_read() {
    use GrantStatus::{Denied, Expired, Revoked};
    let frame = |start: &str, current: &str| {
        format!(
            "Signature not valid in the specified time frame: Start [{start}] - Expiry [Wed, 01 \
             Jan 2051 00:00:00 GMT] - Current [{current}]"
        )
    };
    let (now, later) = ("Tue, 24 Nov 2026 10:00:00 GMT", "Thu, 24 Nov 2050 10:00:00 GMT");
    for (detail, meant, words) in [
        (frame(later, now), Denied, "has not come yet"),
        (frame(now, later), Expired, "says the service"),
        ("Signature fields not well formed.".into(), Revoked, "not well formed"),
        ("se is mandatory. Cannot be empty".into(), Revoked, "is missing"),
        (
            "SAS identifier cannot be found for specified signed identifier".into(),
            Revoked,
            "the stored policy that it hangs on is gone",
        ),
        (
            "Signature did not match. String to sign used was rl\n\nx".into(),
            Revoked,
            "rejects its signature",
        ),
    ] {
        let body = format!(
            "<Error><Code>AuthenticationFailed</Code><AuthenticationErrorDetail>{detail}\
             </AuthenticationErrorDetail></Error>"
        );
        let code = [("x-ms-error-code", "AuthenticationFailed")];
        let server = Server::start(vec![reply(403, &code, body.as_bytes())]);
        let query = "sv=2020-08-04&sr=c&sp=rl&se=2051-01-01&sig=abc%3D";
        let store = store_at(&server.url(), Auth::Query(Secret::new(query)), Some("c"));
        let seen = store.probe().unwrap();
        let meaning = seen.observed.meaning.unwrap_or_default();
        assert_eq!(seen.status, meant, "{detail}: {meaning}");
        assert!(meaning.contains(words), "{detail}: {meaning}");
        let heard = detail.contains("String to sign").then_some("rl\n\nx".to_owned());
        assert_eq!(store.signed_text(), heard);
    }
}

#[test]
fn a_blob_that_may_be_the_messages_of_a_queue_is_only_peeked_at() {
    let part = reply(206, &[("Content-Range", "bytes 0-2/3")], b"abc");
    let server = Server::start(vec![part]);
    // A queue's token that hangs on a stored policy says of itself what a container's does.
    for query in ["sv=2020-08-04&si=policy&sig=abc%3D", "sv=2020-08-04&ss=bq&srt=sco&sp=rp&sig=a"] {
        let store = store_at(&server.url(), Auth::Query(Secret::new(query)), Some("jobs"));
        let object = Object { key: "messages".into(), size: 3, ..Object::default() };
        let _ = read_exact_vec(&*store.open("jobs", &object), 0, 3);
        let _ = store.head("jobs", "messages");
        let _ = store.probe();
    }
    let asked = server.requests();
    assert!(asked.iter().any(|seen| seen.target.contains("/jobs/messages?")));
    for seen in asked.iter().filter(|seen| seen.target.contains("/messages")) {
        assert!(seen.target.contains("messages?peekonly=true&"), "{}", seen.target);
    }
}

#[test]
fn a_service_that_echoes_the_signature_is_not_repeated() {
    for echo in ["abc+d=", "abc%2Bd%3D", "ABC%2bd%3d"] {
        let body = format!(
            "<Error><Code>AuthenticationFailed</Code><AuthenticationErrorDetail>Signature did not \
             match. String to sign used was rl\n{echo}\n</AuthenticationErrorDetail></Error>"
        );
        let code = [("x-ms-error-code", "AuthenticationFailed")];
        let server = Server::start(vec![reply(403, &code, body.as_bytes())]);
        let query = "sv=2020-08-04&sr=c&sp=rl&se=2051-01-01&sig=abc%2Bd%3D";
        let store = store_at(&server.url(), Auth::Query(Secret::new(query)), Some("c"));
        assert_eq!(store.probe().unwrap().status, GrantStatus::Revoked);
        assert_eq!(store.signed_text(), None, "{echo}");
        let error = store.list(&request("c")).unwrap_err().to_string();
        assert!(!error.to_lowercase().contains("abc"), "{error}");
    }
}

#[test]
fn containers_that_were_listed_stay_when_the_rest_breaks_off() {
    let first = "<EnumerationResults><Containers><Container><Name>one</Name><Properties/>\
        </Container></Containers><NextMarker>more</NextMarker></EnumerationResults>";
    let server = Server::start(vec![
        reply(200, &[], first.as_bytes()),
        refusal(403, "AuthenticationFailed"),
    ]);
    let auth = account_sas(&key(1), "b", "sco", "rl");
    let store = store_at(&server.url(), auth, None);
    let names: Vec<_> = store.containers().unwrap().into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["one"]);
    let gaps = store.gaps();
    assert_eq!(gaps.len(), 1);
    assert!(gaps[0].reason.contains("broke off") && gaps[0].reason.contains("403"), "{gaps:?}");
}

#[test]
fn names_without_end_are_not_kept_without_end() {
    let name = "n".repeat(1 << 20);
    let names: String =
        (0..40).map(|_| format!("<Container><Name>{name}</Name></Container>")).collect();
    let page = |marker: usize| {
        let body = format!(
            "<EnumerationResults><Containers>{names}</Containers><NextMarker>{marker}</NextMarker>\
             </EnumerationResults>"
        );
        reply(200, &[], body.as_bytes())
    };
    let server = Server::start(vec![page(1), page(2), page(3)]);
    let store = store_at(&server.url(), account_sas(&key(1), "b", "sco", "rl"), None);
    let error = store.containers().unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Malformed, "{error}");
    assert!(server.requests().len() <= 3);
}

#[test]
fn a_data_lake_is_read_through_its_blobs() {
    let cloud = Access {
        provider: Provider::Azure,
        origin: "https://contosolab.dfs.core.windows.net".into(),
        path_style: false,
        account: ACCOUNT.into(),
        container: Some("lake".into()),
        key: Some("raw/2026".into()),
        auth: Auth::Query(Secret::new("sv=2020-08-04&sr=d&sdd=2&sp=rl&se=2051-01-01&sig=abc%3D")),
    };
    // A lake lists its directories among the blobs; each path below the link's own is listed.
    let body = "<Blob><Name>raw/2026/a</Name><Properties><ResourceType>directory</ResourceType>\
        <Content-Length>0</Content-Length></Properties></Blob><Blob><Name>raw/2026/a/x.csv</Name>\
        <Properties><Content-Length>3</Content-Length><ResourceType>file</ResourceType>\
        </Properties></Blob>";
    let server = Server::start(vec![listing(body)]);
    let settings = ClientSettings {
        attempts: 1,
        endpoints: Endpoints { azure: Some(server.url()), ..Endpoints::default() },
        ..ClientSettings::default()
    };
    let client = Arc::new(Client::new(Arc::new(Scope::without_file()), settings));
    let store = open(&client, &cloud).unwrap();
    assert_eq!(store.name(), "az://contosolab");
    let probe = store.probe().unwrap();
    assert_eq!((probe.status, probe.observed.can_list), (GrantStatus::Live, Some(true)));
    let request = ListRequest { prefix: "raw/2026/".into(), ..request("lake") };
    let keys: Vec<_> =
        store.list(&request).unwrap().objects.into_iter().map(|one| one.key).collect();
    assert_eq!(keys, ["raw/2026/a/x.csv"]);
    for seen in server.requests() {
        assert!(seen.target.contains("&prefix=raw%2F2026%2F"), "{}", seen.target);
        assert!(seen.target.contains("&sr=d&sdd=2&"), "{}", seen.target);
    }
}

#[test]
fn an_account_that_is_not_there_is_not_called_revoked() {
    for code in ["ResourceNotFound", "ResourceTypeMismatch"] {
        let server = Server::start(vec![refusal(404, code)]);
        let store = store_at(&server.url(), account_sas(&key(1), "b", "sco", "rl"), None);
        let seen = store.probe().unwrap();
        assert_eq!(seen.status, GrantStatus::Unknown);
        let meaning = seen.observed.meaning.unwrap();
        assert!(meaning.contains("no such account"), "{code}: {meaning}");
    }
}

#[test]
fn a_disk_of_terabytes_is_read_where_it_is_looked_at() {
    let (key, other) = (key(41), key(97));
    let Some(azurite) = Azurite::start(&[(ACCOUNT, &key, &other)]) else { return };
    azurite.put_container(ACCOUNT, "backups", None);
    let size = 4u64 << 40;
    let pages: [(u64, &[u8]); 2] = [(0, &[7; 512]), (3 << 40, &[9; 1024])];
    azurite.put_page_blob(ACCOUNT, "backups", "pc/disk 0.vhd", size, &pages);
    // The name of a cloud that is not asked: the endpoint replaces it.
    let access = Access {
        provider: Provider::Azure,
        origin: format!("https://{ACCOUNT}.blob.core.windows.net"),
        path_style: false,
        account: ACCOUNT.into(),
        container: None,
        key: None,
        auth: Auth::Key { id: ACCOUNT.into(), key: Secret::new(key), session: None },
    };
    let settings = ClientSettings {
        endpoints: Endpoints { azure: Some(azurite.url()), ..Endpoints::default() },
        ..ClientSettings::default()
    };
    let client = Arc::new(Client::new(Arc::new(Scope::without_file()), settings));
    let store = open(&client, &access).unwrap();
    let request = ListRequest { container: "backups".into(), ..ListRequest::default() };
    let listed = store.list(&request).unwrap().objects;
    assert_eq!((listed[0].size, listed[0].blob_type), (size, Some(BlobType::Page)));
    let before = client.tally().requests();
    let bytes = client.tally().bytes();
    let disk = store.open("backups", &listed[0]);
    assert_eq!(read_exact_vec(&*disk, 510, 4).unwrap(), [7, 7, 0, 0]);
    let near = [3 << 40..(3 << 40) + 2, (3 << 40) + 1022..(3 << 40) + 1026];
    let parts = disk.read_ranges(&near).unwrap();
    assert_eq!((&parts[0][..], &parts[1][..]), (&[9, 9][..], &[9, 9, 0, 0][..]));
    // The beginning, the map of what was written, and one part of it: holes cost nothing.
    assert_eq!(client.tally().requests() - before, 3);
    assert!(client.tally().bytes() - bytes < 4 + 1026 + 600);
    let large = read_exact_vec(&*disk, (3 << 40) - (9 << 20), 18 << 20).unwrap();
    assert_eq!(large.iter().filter(|byte| **byte == 9).count(), 1024);
    assert_eq!(client.tally().requests() - before, 3 + 1);
}

#[test]
fn a_link_whose_container_is_gone_still_lists_the_account() {
    let (key, other) = (key(41), key(97));
    let Some(azurite) = Azurite::start(&[(ACCOUNT, &key, &other)]) else { return };
    azurite.put_container(ACCOUNT, "backups", None);
    let query = AccountSasParameters {
        version: "2020-08-04".into(),
        services: "b".into(),
        resource_types: "sco".into(),
        permissions: "rl".into(),
        expiry: "2051-10-06T07:00:00Z".into(),
        ..AccountSasParameters::default()
    }
    .mint(ACCOUNT, &key)
    .unwrap();
    let access = Access {
        provider: Provider::Azure,
        origin: azurite.url(),
        path_style: false,
        account: ACCOUNT.into(),
        container: Some("models".into()),
        key: None,
        auth: Auth::Query(Secret::new(query)),
    };
    let settings = ClientSettings {
        endpoints: Endpoints { azure: Some(azurite.url()), ..Endpoints::default() },
        ..ClientSettings::default()
    };
    let client = Arc::new(Client::new(Arc::new(Scope::without_file()), settings));
    let probe = open(&client, &access).unwrap().probe().unwrap();
    assert_eq!(probe.observed.can_list_containers, Some(true));
    assert_eq!(probe.observed.can_list, Some(true));
}
