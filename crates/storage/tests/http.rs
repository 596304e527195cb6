//! Directory indexes of real web servers.
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

mod folder;
mod server;
mod suite;

use lidless_core::{Access, Auth, GrantStatus, Provider, Scope};
use lidless_kit::{WebKind, WebServer};
use lidless_storage::{Client, ClientSettings, ListRequest, StorageErrorKind, Store, open};
use server::{Reply, Server, reply};
use std::collections::BTreeMap;
use std::sync::Arc;
use suite::{list_all, odd_names};
use tempfile::TempDir;

fn world() -> (TempDir, BTreeMap<String, Vec<u8>>) {
    let folder = folder::open_to_all();
    let files = odd_names(false);
    folder::write_all(&folder.path().join("pub"), folder::raw(&files));
    std::fs::create_dir(folder.path().join("pub/vacant")).unwrap();
    std::fs::write(folder.path().join("beside.txt"), "not below what was named").unwrap();
    (folder, files)
}

fn store_at(origin: &str, key: Option<&str>, scope: Scope) -> Arc<dyn Store> {
    let authority = origin.split_once("://").unwrap().1.to_owned();
    let access = Access {
        provider: Provider::Http,
        origin: origin.to_owned(),
        path_style: true,
        account: String::new(),
        container: Some(authority),
        key: key.map(str::to_owned),
        auth: Auth::Anonymous,
    };
    let settings = ClientSettings { attempts: 2, ..ClientSettings::default() };
    open(&Arc::new(Client::new(Arc::new(scope), settings)), &access).unwrap()
}

fn below(prefix: &str) -> ListRequest {
    ListRequest { prefix: prefix.to_owned(), ..ListRequest::default() }
}

#[test]
fn the_index_of_every_server_is_probed_and_vacant_folders_are_named() {
    let (folder, files) = world();
    for kind in WebKind::ALL {
        let Some(server) = WebServer::start(kind, folder.path()) else { continue };
        // Without the slash that folders end in.
        let store = store_at(&server.url(), Some("pub"), Scope::without_file());
        let seen = store.probe().unwrap();
        assert_eq!(
            (seen.status, seen.observed.can_list),
            (GrantStatus::Live, Some(true)),
            "{kind:?}: {seen:?}"
        );
        let (objects, ..) = list_all(&*store, &below("pub/"));
        assert_eq!(objects.len(), files.len(), "{kind:?}, gaps {:?}", store.gaps());
        let folded = ListRequest { delimited: true, ..below("pub/") };
        let (_, prefixes, _) = list_all(&*store, &folded);
        assert!(prefixes.contains(&"pub/vacant/".to_owned()), "{kind:?}: {prefixes:?}");
        let error = store.head("", "pub/deep").unwrap_err();
        assert!(error.to_string().contains("it is a folder"), "{kind:?}: {error}");
        let file = store_at(&server.url(), Some("pub/plain.txt"), Scope::without_file());
        let seen = file.probe().unwrap();
        assert_eq!(
            (seen.status, seen.observed.can_read),
            (GrantStatus::Live, Some(true)),
            "{kind:?}"
        );
    }
}

#[test]
fn a_loop_of_folders_ends_and_is_told() {
    let (folder, files) = world();
    std::os::unix::fs::symlink(".", folder.path().join("pub/deep/loop")).unwrap();
    std::os::unix::fs::symlink("..", folder.path().join("pub/deep/up")).unwrap();
    let Some(server) = WebServer::start(WebKind::Nginx, folder.path()) else { return };
    let store = store_at(&server.url(), Some("pub/"), Scope::without_file());
    let (objects, ..) = list_all(&*store, &below("pub/"));
    let names: std::collections::BTreeSet<_> = objects.iter().map(|it| it.key.as_str()).collect();
    assert!(files.keys().all(|name| names.contains(format!("pub/{name}").as_str())));
    assert!(objects.len() < 2_000, "{} objects", objects.len());
    assert!(store.gaps().iter().any(|gap| gap.reason.contains("a loop")), "{:?}", store.gaps());
}

#[test]
fn only_what_was_named_is_asked_for() {
    let (folder, _) = world();
    let Some(server) = WebServer::start(WebKind::Python, folder.path()) else { return };
    let scope = |place: String| {
        let text = format!(
            "[authority]\nowner = \"o\"\nauthorised_by = \"a\"\nexpires = \"2050-01-01T00:00:00Z\"\n\
             [[allow]]\nstore = \"{place}\"\n"
        );
        Scope::from_toml(&text, lidless_core::Timestamp::now()).unwrap()
    };
    let store = store_at(&server.url(), Some("pub/"), scope(format!("{}/pub", server.url())));
    assert!(!list_all(&*store, &below("pub/")).0.is_empty());
    for outside in ["", "pub/../", "pub%2f../x"] {
        let error = store.list(&below(outside)).unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::OutOfScope, "{outside}: {error}");
    }
    let error = store.head("", "beside.txt").unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::OutOfScope, "{error}");
}

#[test]
fn a_page_that_is_no_index_and_a_refusal_are_told_apart() {
    let probe = |answer: Reply| {
        let server = Server::start(vec![answer]);
        let seen = store_at(&server.url(), None, Scope::without_file()).probe().unwrap();
        assert!(server.requests().iter().all(|one| one.verb == "GET"));
        (seen.status, seen.observed.can_list, seen.observed.meaning.unwrap())
    };
    let page = b"<html><title>Welcome</title><a href=\"https://example.com/\">x</a></html>";
    let (status, listed, meaning) = probe(reply(200, &[], page));
    assert_eq!((status, listed), (GrantStatus::Live, Some(false)), "{meaning}");
    assert!(meaning.contains("no directory index"), "{meaning}");
    let bucket = b"<?xml version=\"1.0\"?><ListBucketResult><Name>b</Name></ListBucketResult>";
    let (_, _, meaning) = probe(reply(200, &[], bucket));
    assert!(meaning.contains("s3://BUCKET"), "{meaning}");
    assert_eq!(probe(reply(401, &[], b"")).0, GrantStatus::Denied);
    assert_eq!(probe(reply(403, &[], b"")).0, GrantStatus::Denied);
}

#[test]
fn a_file_that_an_index_names_and_the_server_refuses_is_a_gap() {
    let index = b"<title>Index of /</title><a href=\"x.txt\">x.txt</a>";
    let server = Server::start(vec![reply(200, &[], index), reply(403, &[], b"")]);
    let store = store_at(&server.url(), None, Scope::without_file());
    assert!(list_all(&*store, &below("")).0.is_empty());
    let gaps = store.gaps();
    assert!(gaps[0].location.ends_with("/x.txt") && gaps[0].reason.contains("403"), "{gaps:?}");
}
