//! Every store passes the one suite: the replica and Azurite, Ceph's gateway, a small Cloud Storage,
//! real web servers, folders of this machine.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    unreachable_pub,
    dead_code,
    missing_docs
)]

mod azure_tokens;
mod bucket_service;
mod folder;
mod server;
mod suite;

use azure_tokens::{Account, CONTAINERS, blobs};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bucket_service::{BucketService, Kept, private_key};
use lidless_core::{Access, Auth, Provider, PublicAccess, Scope, Secret, Timestamp};
use lidless_kit::{Azurite, Radosgw, S3User, WebKind, WebServer};
use lidless_replica::{Blob, Container, Contents, Replica, Source};
use lidless_storage::{Client, ClientSettings, Endpoints, Store, open, open_folder};
use server::{Server, reply};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;
use suite::{Ways, World, bytes_of, conformance, odd_names};

const ACCOUNT: &str = "northwind9";

fn azure_key(seed: u8) -> String {
    STANDARD.encode((0..64).map(|n| seed.wrapping_mul(n)).collect::<Vec<_>>())
}

/// A client, and a store through it.
fn opened(access: &Access, endpoints: Endpoints) -> (Arc<Client>, Arc<dyn Store>) {
    let settings = ClientSettings {
        read_timeout: Duration::from_secs(60),
        attempts: 2,
        endpoints,
        ..ClientSettings::default()
    };
    let client = Arc::new(Client::new(Arc::new(Scope::without_file()), settings));
    let store = open(&client, access).unwrap();
    (client, store)
}

/// The suite and the tokens, on whatever speaks Azure's language. `change` gives a blob other bytes.
fn azure(account: &Account, change: Option<&dyn Fn(&str)>, state: &dyn Fn() -> String) {
    azure_tokens::tokens(account);
    let client = account.client.clone();
    let requests = || client.tally().requests();
    let owners = account.owners();
    let last = owners.len() - 1;
    for (number, auth) in owners.into_iter().enumerate() {
        conformance(&World {
            name: format!("az://{ACCOUNT}"),
            store: account.store(auth, None, None),
            containers: CONTAINERS.iter().map(|(name, _)| (*name).to_owned()).collect(),
            container: "models".into(),
            below: "",
            objects: odd_names(true),
            refused: Some(account.store(account.key(&azure_key(3)), None, None)),
            ways: Ways::OBJECTS,
            requests: Some(&requests),
            change: change.filter(|_| number == last),
            state,
        });
    }
}

#[test]
fn the_replica_passes_the_suite() {
    let (key1, key2) = (azure_key(41), azure_key(97));
    let then: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
    let containers = CONTAINERS.map(|(name, public)| {
        let held = blobs().into_iter().filter(|((container, _), _)| container == name);
        let held = held.map(|((_, key), bytes)| Blob::new(key, then, Source::bytes(bytes)));
        Container::new(name, then, held.collect()).public(public)
    });
    let account = lidless_replica::Account {
        name: ACCOUNT.into(),
        key1: Secret::new(key1.as_str()),
        key2: Secret::new(key2.as_str()),
    };
    let contents = Contents::new(containers.to_vec());
    let replica = Replica::start(account, contents, Timestamp::now).unwrap();
    let account = Account::new(&replica.url(), ACCOUNT, &key1, &key2);
    azure(&account, None, &|| replica.violations().to_string());
    assert_eq!(replica.violations(), 0);
}

#[test]
fn azurite_passes_the_suite() {
    let (key1, key2) = (azure_key(41), azure_key(97));
    let Some(azurite) = Azurite::start(&[(ACCOUNT, &key1, &key2)]) else { return };
    for (name, public) in CONTAINERS {
        let public = Some(public).filter(|public| *public != PublicAccess::None);
        azurite.put_container(ACCOUNT, name, public.map(PublicAccess::as_str));
    }
    for ((container, key), bytes) in blobs() {
        azurite.put_blob(ACCOUNT, &container, &key, &bytes);
    }
    let change = |key: &str| {
        let other: Vec<u8> = bytes_of(key).iter().map(|byte| byte ^ 1).collect();
        azurite.put_blob(ACCOUNT, "models", key, &other);
    };
    let account = Account::new(&azurite.url(), ACCOUNT, &key1, &key2);
    azure(&account, Some(&change), &|| format!("{:?}", azurite.snapshot(ACCOUNT)));
}

#[test]
fn the_gateway_of_ceph_passes_the_suite() {
    let user = S3User { id: "LIDLESSTESTUSER00001".into(), secret: "secret+for/tests".repeat(2) };
    let Some(service) = Radosgw::start(std::slice::from_ref(&user)) else { return };
    service.put_bucket(&user, "models", "private");
    service.put_bucket(&user, "vacant", "private");
    let objects = odd_names(true);
    for (key, bytes) in &objects {
        service.put_object(&user, "models", key, bytes);
    }
    let through = |secret: &str| {
        let key = Secret::new(secret);
        let access = Access {
            provider: Provider::Aws,
            origin: service.url(),
            path_style: true,
            account: String::new(),
            container: None,
            key: None,
            auth: Auth::Key { id: user.id.clone(), key, session: None },
        };
        opened(&access, Endpoints::default())
    };
    let (client, store) = through(&user.secret);
    conformance(&World {
        name: "s3:/".into(),
        store,
        containers: vec!["models".into(), "vacant".into()],
        container: "models".into(),
        below: "",
        refused: Some(through("not the secret").1),
        ways: Ways::OBJECTS,
        requests: Some(&|| client.tally().requests()),
        change: Some(&|key| {
            let other: Vec<u8> = objects[key].iter().map(|byte| byte ^ 1).collect();
            service.put_object(&user, "models", key, &other);
        }),
        state: &|| service.snapshot(),
        objects: objects.clone(),
    });
}

#[test]
fn cloud_storage_passes_the_suite() {
    const TOKEN: &str = "a token of nobody";
    let objects = odd_names(true);
    let kept = objects.iter().map(|(name, bytes)| Kept::new("models", name, bytes));
    let key = private_key(7).to_public_key();
    let service = BucketService::start(TOKEN, "reader@example.com", key, kept.collect());
    let through = |token: &str| {
        let access = Access {
            provider: Provider::Gcs,
            origin: "https://storage.googleapis.com".into(),
            path_style: true,
            account: "contoso-lab".into(),
            container: Some("models".into()),
            key: None,
            auth: Auth::Token(Secret::new(token)),
        };
        let endpoints = Endpoints { gcs: Some(service.url()), ..Endpoints::default() };
        opened(&access, endpoints)
    };
    let (client, store) = through(TOKEN);
    let writes = || service.verbs().iter().filter(|verb| *verb != "GET").count();
    conformance(&World {
        name: "gs:/".into(),
        store,
        containers: vec!["models".into(), "open".into()],
        container: "models".into(),
        below: "",
        objects,
        refused: Some(through("over").1),
        ways: Ways { is_sought: false, ..Ways::OBJECTS },
        requests: Some(&|| client.tally().requests()),
        change: None,
        state: &|| writes().to_string(),
    });
    assert_eq!(writes(), 0);
}

#[test]
fn web_servers_pass_the_suite() {
    for kind in WebKind::ALL {
        let folder = folder::open_to_all();
        let objects = odd_names(false);
        folder::write_all(&folder.path().join("pub"), folder::raw(&objects));
        let beside: (&[u8], &[u8]) = (b"beside.txt", b"not below what was named");
        folder::write_all(folder.path(), [beside]);
        let Some(web) = WebServer::start(kind, folder.path()) else { continue };
        let through = |origin: String| {
            let authority = origin.split_once("://").unwrap().1.to_owned();
            let access = Access {
                provider: Provider::Http,
                origin,
                path_style: true,
                account: String::new(),
                container: Some(authority),
                key: Some("pub/".into()),
                auth: Auth::Anonymous,
            };
            opened(&access, Endpoints::default())
        };
        let refusing = Server::start(vec![reply(403, &[], b"")]);
        let (client, store) = through(web.url());
        let authority = web.url().split_once("://").unwrap().1.to_owned();
        conformance(&World {
            name: "http:/".into(),
            store,
            containers: vec![authority.clone()],
            container: authority,
            below: "pub/",
            objects,
            refused: Some(through(refusing.url()).1),
            ways: Ways {
                is_ordered: false,
                has_versions: false,
                has_containers: false,
                lists_nothing_below_nothing: false,
                checks_size: true,
                is_sought: false,
            },
            requests: Some(&|| client.tally().requests()),
            change: Some(&|key| folder::change(&folder.path().join(key))),
            state: &|| folder::state(folder.path()),
        });
    }
}

#[test]
fn folders_of_this_machine_pass_the_suite() {
    let is_barred = folder::is_barred_or_repeats_barred("folders_of_this_machine_pass_the_suite");
    let folder = folder::open_to_all();
    let root = folder.path().join("a model");
    let mut objects = odd_names(false);
    folder::write_all(&root, folder::raw(&objects));
    // What no other store can hold.
    let raw: [(&[u8], &str); 6] = [
        (b"new\nline.txt", "new\nline.txt"),
        (b"bell\x07.txt", "bell\x07.txt"),
        (b"latin \xfc\xff.txt", "latin \0fc\0ff.txt"),
        (b"latin \xfcff.txt", "latin \0fcff.txt"),
        (b"l\xfc/\xe6\x97.txt", "l\0fc/\0e6\x0097.txt"),
        (b".hidden/ ", ".hidden/ "),
    ];
    for (name, key) in raw {
        folder::write_all(&root, [(name, name)]);
        objects.insert(key.to_owned(), name.to_vec());
    }
    let barred = folder.path().join("barred");
    folder::write_all(&barred.join("a model"), folder::raw(&odd_names(false)));
    let refused = open_folder(&barred.join("a model")).unwrap();
    let mode = if is_barred { 0o000 } else { 0o755 };
    std::fs::set_permissions(&barred, std::fs::Permissions::from_mode(mode)).unwrap();
    let canonical = folder.path().canonicalize().unwrap();
    conformance(&World {
        name: format!("file://{}", canonical.display()),
        store: open_folder(&root).unwrap(),
        containers: vec!["a model".into()],
        container: "a model".into(),
        below: "",
        objects,
        refused: is_barred.then_some(refused),
        ways: Ways { is_sought: false, ..Ways::OBJECTS },
        requests: None,
        change: Some(&|key| folder::change(&root.join(key))),
        state: &|| folder::state(&root),
    });
    std::fs::set_permissions(&barred, std::fs::Permissions::from_mode(0o755)).unwrap();
}
