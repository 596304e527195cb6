//! The services beside blobs: queues and tables against Azurite, file shares against scripted
//! answers in the shapes of the service's documentation.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    unreachable_pub,
    missing_docs
)]

#[allow(dead_code, reason = "other tests use the rest of it")]
mod server;
mod suite;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lidless_core::{Access, Auth, GrantStatus, Object, ObjectVersion, Provider, Scope, Secret};
use lidless_io::{ReadErrorKind, read_exact_vec};
use lidless_kit::Azurite;
use lidless_storage::{
    Client, ClientSettings, Endpoints, ListRequest, StorageErrorKind, Store, open,
};
use lidless_token::AccountSasParameters;
use server::{Reply, Server, reply};
use std::sync::Arc;
use suite::list_all;

const ACCOUNT: &str = "contosolab";

fn key(seed: u8) -> String {
    STANDARD.encode([seed; 64])
}

fn account_key(seed: u8) -> Auth {
    Auth::Key { id: ACCOUNT.into(), key: Secret::new(key(seed)), session: None }
}

fn sas(services: &str, types: &str, letters: &str) -> Auth {
    let token = AccountSasParameters {
        version: "2020-08-04".into(),
        services: services.into(),
        resource_types: types.into(),
        permissions: letters.into(),
        expiry: "2051-10-06T07:00:00Z".into(),
        ..AccountSasParameters::default()
    };
    Auth::Query(Secret::new(token.mint(ACCOUNT, &key(1)).unwrap()))
}

fn store_in(scope: Scope, endpoints: Endpoints, origin: &str, auth: Auth) -> Arc<dyn Store> {
    let settings = ClientSettings { attempts: 1, endpoints, ..ClientSettings::default() };
    let client = Arc::new(Client::new(Arc::new(scope), settings));
    let access = Access {
        provider: Provider::Azure,
        origin: origin.to_owned(),
        path_style: true,
        account: ACCOUNT.into(),
        container: None,
        key: None,
        auth,
    };
    open(&client, &access).unwrap()
}

/// The store of one service at an address.
fn store(service: &str, url: &str, auth: Auth) -> Arc<dyn Store> {
    let mut endpoints = Endpoints::default();
    endpoints.azure_services.insert(service.into(), url.into());
    let origin = format!("https://{ACCOUNT}.{service}.core.windows.net");
    store_in(Scope::without_file(), endpoints, &origin, auth)
}

fn request(container: &str) -> ListRequest {
    ListRequest { container: container.into(), ..ListRequest::default() }
}

fn text(store: &dyn Store, container: &str, object: &Object) -> String {
    let bytes = store.open(container, object);
    String::from_utf8(read_exact_vec(&*bytes, 0, bytes.len()).unwrap()).unwrap()
}

#[test]
fn messages_of_a_real_queue_are_peeked_at_and_stay() {
    let (one, two) = (key(1), key(2));
    let accounts = [(ACCOUNT, one.as_str(), two.as_str())];
    let Some(azurite) = Azurite::start_service("queue", &accounts) else { return };
    azurite.put_queue(ACCOUNT, "jobs", &["{\"user\": \"dana\"}", "cGFzc3dvcmQ9aHVudGVyMg=="]);
    azurite.put_queue(ACCOUNT, "empty", &[]);
    let many: Vec<String> = (0..40).map(|number| format!("message {number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    azurite.put_queue(ACCOUNT, "many", &many);
    let before = azurite.queue_state(ACCOUNT, "jobs");
    assert_eq!(before, (2, "0".to_owned()));
    for auth in [sas("q", "sco", "rl"), account_key(1), account_key(2)] {
        let store = store("queue", &azurite.url(), auth);
        assert_eq!(store.name(), format!("az+queue://{ACCOUNT}"));
        let probe = store.probe().unwrap();
        assert_eq!(probe.status, GrantStatus::Live, "{probe:?}");
        assert_eq!(probe.observed.can_list_containers, Some(true));
        assert_eq!(probe.observed.can_read, Some(true));
        let names: Vec<_> = store.containers().unwrap().into_iter().map(|it| it.name).collect();
        assert_eq!(names, ["empty", "jobs", "many"]);
        let page = store.list(&request("jobs")).unwrap();
        assert_eq!(page.objects.len(), 1, "{page:?}");
        let content = text(&*store, "jobs", &page.objects[0]);
        assert_eq!(content.lines().count(), 2);
        assert!(content.contains("dana") && content.contains("password=hunter2"), "{content}");
        // What was listed is kept for one look; the second asks again.
        assert_eq!(text(&*store, "jobs", &page.objects[0]), content);
        assert_eq!(store.head("jobs", "messages.jsonl").unwrap().size, page.objects[0].size);
        assert_eq!(store.list(&request("empty")).unwrap().objects, []);
        let page = store.list(&request("many")).unwrap();
        assert_eq!(text(&*store, "many", &page.objects[0]).lines().count(), 32);
        let behind = ObjectVersion::Behind("8-further-messages".into());
        assert_eq!(page.objects[1].version, Some(behind));
        assert!(page.objects[1].unreadable().is_some());
    }
    assert_eq!(azurite.queue_state(ACCOUNT, "jobs"), before, "nothing was taken");
    // Only to add messages: valid, and nothing to see.
    let probe = store("queue", &azurite.url(), sas("q", "o", "a")).probe().unwrap();
    assert_eq!(probe.status, GrantStatus::Live, "{probe:?}");
    assert_eq!(probe.observed.can_read, None);
}

#[test]
fn a_queue_that_changed_since_it_was_listed_says_so() {
    let peeked = |text: &str| {
        let body = format!(
            "<QueueMessagesList><QueueMessage><MessageText>{text}</MessageText></QueueMessage>\
             </QueueMessagesList>"
        );
        reply(200, &[("x-ms-request-id", "1")], body.as_bytes())
    };
    let server = Server::start(vec![peeked("first"), peeked("another")]);
    let store = store("queue", &server.url(), sas("q", "sco", "rl"));
    let object = store.list(&request("jobs")).unwrap().objects.remove(0);
    assert!(text(&*store, "jobs", &object).contains("first"));
    let error = read_exact_vec(&*store.open("jobs", &object), 0, object.size).unwrap_err();
    assert_eq!(error.kind, ReadErrorKind::Changed, "{error}");
    for seen in server.requests() {
        assert!(seen.target.contains("/messages?peekonly=true&"), "{}", seen.target);
    }
}

#[test]
fn a_link_that_says_to_take_messages_is_not_obeyed() {
    let empty = b"<QueueMessagesList></QueueMessagesList>";
    let server = Server::start(vec![reply(200, &[("x-ms-request-id", "1")], empty)]);
    let query = "peekonly=false&numofmessages=9&sv=2020-08-04&sp=rp&se=2051-01-01&sig=abc%3D";
    let store = store("queue", &server.url(), Auth::Query(Secret::new(query)));
    let _ = store.list(&request("jobs"));
    let target = &server.requests()[0].target;
    assert!(target.contains("peekonly=true") && !target.contains("false"), "{target}");
}

#[test]
fn a_redirect_to_take_messages_is_not_followed() {
    let to = "/contosolab/jobs/messages?numofmessages=32";
    let server = Server::start(vec![reply(307, &[("Location", to)], b"")]);
    let store = store("queue", &server.url(), sas("q", "sco", "rl"));
    let error = store.list(&request("jobs")).unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::OutOfScope, "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn the_first_rows_of_a_real_table_are_read() {
    let (one, two) = (key(1), key(2));
    let accounts = [(ACCOUNT, one.as_str(), two.as_str())];
    let Some(azurite) = Azurite::start_service("table", &accounts) else { return };
    let row = |number: usize| {
        format!(
            "{{\"PartitionKey\":\"p\",\"RowKey\":\"{number:05}\",\"mail\":\"d{number}@example.com\"}}"
        )
    };
    azurite.put_table(ACCOUNT, "people", &(0..3).map(row).collect::<Vec<_>>());
    azurite.put_table(ACCOUNT, "none", &[]);
    azurite.put_table(ACCOUNT, "long", &(0..1005).map(row).collect::<Vec<_>>());
    for auth in [sas("t", "sco", "rl"), account_key(1)] {
        let store = store("table", &azurite.url(), auth);
        let probe = store.probe().unwrap();
        assert_eq!(probe.status, GrantStatus::Live, "{probe:?}");
        assert_eq!(probe.observed.can_read, Some(true), "{probe:?}");
        let mut names: Vec<_> = store.containers().unwrap().into_iter().map(|it| it.name).collect();
        names.sort();
        assert_eq!(names, ["long", "none", "people"]);
        let page = store.list(&request("people")).unwrap();
        assert_eq!(page.objects.len(), 1);
        let content = text(&*store, "people", &page.objects[0]);
        assert!(content.contains("d2@example.com"), "{content}");
        assert_eq!(store.list(&request("none")).unwrap().objects, []);
        let page = store.list(&request("long")).unwrap();
        assert_eq!(page.objects.len(), 2, "the rows, and that there are more");
        assert!(page.objects[1].unreadable().is_some());
    }
    let error = store("table", &azurite.url(), sas("t", "o", "r")).containers().unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Denied, "{error}");
    let error = store("table", &azurite.url(), sas("q", "sco", "rl")).containers().unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Denied, "{error}");
}

fn xml(body: &str) -> Reply {
    reply(200, &[("x-ms-request-id", "1")], body.as_bytes())
}

fn folder(entries: &str, next: &str) -> Reply {
    xml(&format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults><Entries>{entries}</Entries>\
         <NextMarker>{next}</NextMarker></EnumerationResults>"
    ))
}

fn file(name: &str, size: u64) -> String {
    format!(
        "<File><Name>{name}</Name><Properties><Content-Length>{size}</Content-Length>\
         <Etag>\"0x1\"</Etag></Properties></File>"
    )
}

fn directory(name: &str) -> String {
    format!("<Directory><Name>{name}</Name><Properties /></Directory>")
}

/// The shapes are from the documentation: there is no emulator of file shares.
#[test]
fn a_share_is_walked_folder_by_folder() {
    let server = Server::start(vec![
        folder(&(file("top.txt", 1) + &directory("a b") + &directory("z")), "more"),
        folder(&file("upper.txt", 2), ""),
        folder(&(file("in.txt", 3) + &directory("deep")), ""),
        folder("", ""),
        folder(&file("last.txt", 4), ""),
    ]);
    let store = store("file", &server.url(), sas("f", "sco", "rl"));
    let (objects, prefixes, _) = list_all(&*store, &request("team"));
    assert_eq!(prefixes, [""; 0]);
    let keys: Vec<_> = objects.into_iter().map(|object| object.key).collect();
    assert_eq!(keys, ["top.txt", "upper.txt", "a b/in.txt", "z/last.txt"]);
    let asked: Vec<_> = server.requests().into_iter().map(|seen| seen.target).collect();
    let starts = [
        "/contosolab/team?restype=directory&comp=list&include=Timestamps%2CEtag&maxresults=5000&sv",
        "/contosolab/team?restype=directory&comp=list&include=Timestamps%2CEtag&maxresults=5000&marker=more&sv",
        "/contosolab/team/a%20b?restype=directory&comp=list",
        "/contosolab/team/a%20b/deep?restype=directory&comp=list",
        "/contosolab/team/z?restype=directory&comp=list",
    ];
    for (target, start) in asked.iter().zip(starts) {
        assert!(target.starts_with(start), "{target}");
    }
}

#[test]
fn a_tree_that_goes_down_for_ever_ends() {
    let server = Server::start(vec![folder(&directory(&"d".repeat(900)), "")]);
    let store = store("file", &server.url(), sas("f", "sco", "rl"));
    let mut request = request("team");
    for _ in 0..4 {
        request.cursor = store.list(&request).unwrap().next;
        if request.cursor.is_none() {
            break;
        }
    }
    assert_eq!(request.cursor, None);
    assert!(store.gaps()[0].reason.contains("deeper than any share"), "{:?}", store.gaps());
}

/// The shapes are from the documentation.
#[test]
fn a_folder_of_a_share_is_folded_like_any_other() {
    let server = Server::start(vec![folder(&(file("x.txt", 1) + &directory("xs")), "")]);
    let store = store("file", &server.url(), sas("f", "sco", "rl"));
    let request = ListRequest { delimited: true, prefix: "a/x".into(), ..request("team") };
    let page = store.list(&request).unwrap();
    assert_eq!((page.objects[0].key.as_str(), page.prefixes), ("a/x.txt", vec!["a/xs/".into()]));
    let target = &server.requests()[0].target;
    assert!(target.starts_with("/contosolab/team/a?restype") && target.contains("&prefix=x&"));
}

/// The shapes are from the documentation.
#[test]
fn shares_are_listed_probed_and_read_by_ranges() {
    let shares = xml(
        "<EnumerationResults><Shares><Share><Name>team</Name><Properties/></Share><Share><Name>old\
         </Name><Deleted>true</Deleted></Share></Shares><NextMarker/></EnumerationResults>",
    );
    let part = reply(206, &[("Content-Range", "bytes 2-5/9"), ("ETag", "\"0x1\"")], b"cdef");
    let server = Server::start(vec![shares.clone(), folder("", ""), shares, part]);
    let store = store("file", &server.url(), sas("f", "sco", "rl"));
    let probe = store.probe().unwrap();
    assert_eq!(probe.status, GrantStatus::Live);
    assert_eq!(
        (probe.observed.can_list_containers, probe.observed.can_list),
        (Some(true), Some(true))
    );
    assert_eq!(store.containers().unwrap().len(), 1);
    assert_eq!(store.gaps()[0].location, "az+file://contosolab/old?deleted");
    let object =
        Object { key: "a/b.bin".into(), size: 9, etag: Some("0x1".into()), ..Object::default() };
    assert_eq!(read_exact_vec(&*store.open("team", &object), 2, 4).unwrap(), b"cdef");
    let seen = server.requests().pop().unwrap();
    assert!(seen.target.starts_with("/contosolab/team/a/b.bin?sv="), "{}", seen.target);
    // The service knows no conditions.
    assert!(!seen.head.to_lowercase().contains("if-match"), "{}", seen.head);
    assert!(seen.head.to_lowercase().contains("range: bytes=2-5"), "{}", seen.head);
}

#[test]
fn one_token_opens_the_services_it_names_where_their_addresses_are_known() {
    let mut endpoints =
        Endpoints { azure: Some("http://127.0.0.1:1".into()), ..Endpoints::default() };
    endpoints.azure_services.insert("queue".into(), "http://127.0.0.1:2".into());
    let names = |endpoints: &Endpoints, origin: &str, auth: Auth| -> Vec<String> {
        let store = store_in(Scope::without_file(), endpoints.clone(), origin, auth);
        store.others().iter().map(|one| one.name().to_owned()).collect()
    };
    let cloud = "https://contosolab.blob.core.windows.net";
    assert_eq!(names(&endpoints, cloud, sas("bqt", "sco", "rl")), ["az+queue://contosolab"]);
    let none = Endpoints::default();
    assert_eq!(
        names(&none, cloud, sas("bfqt", "sco", "rl")),
        ["az+file://contosolab", "az+queue://contosolab", "az+table://contosolab"]
    );
    assert_eq!(names(&none, cloud, account_key(1)).len(), 3);
    assert_eq!(names(&none, cloud, sas("b", "sco", "rl")), [""; 0]);
    assert_eq!(names(&none, cloud, Auth::Anonymous), [""; 0]);
    // Nobody said where the other services of an emulator are.
    assert_eq!(names(&none, "http://127.0.0.1:10000", sas("bfqt", "sco", "rl")), [""; 0]);
    // Which is said.
    let local = "http://127.0.0.1:10000";
    let store = store_in(Scope::without_file(), none, local, sas("bfqt", "sco", "rl"));
    assert_eq!(store.others().len(), 0);
    let gaps = store.gaps();
    let places: Vec<_> = gaps.iter().map(|gap| gap.location.as_str()).collect();
    assert_eq!(places, ["az+file://contosolab", "az+queue://contosolab", "az+table://contosolab"],);
    assert!(gaps[0].reason.contains("--endpoint azure-file=URL"), "{gaps:?}");
}

#[test]
fn another_service_is_out_of_scope_until_it_is_named() {
    let scope = "[authority]\nowner = \"o\"\nauthorised_by = \"a\"\n\
                 expires = \"2100-01-01T00:00:00Z\"\n[[allow]]\nstore = \"az://contosolab\"\n";
    let scope = Scope::from_toml(scope, lidless_core::Timestamp::now()).unwrap();
    let server = Server::start(vec![]);
    let mut endpoints = Endpoints { azure: Some(server.url()), ..Endpoints::default() };
    endpoints.azure_services.insert("queue".into(), server.url());
    let cloud = "https://contosolab.blob.core.windows.net";
    let store = store_in(scope, endpoints, cloud, sas("bq", "sco", "rl"));
    let error = store.others()[0].containers().unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::OutOfScope, "{error}");
    assert_eq!(error.message, "az+queue://contosolab is not in the scope file");
    assert_eq!(server.requests().len(), 0);
}
