//! The replica as a client meets it: who may do what, pages, ranges, nonsense.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    missing_docs,
    dead_code
)]

mod support;

use lidless_core::{PublicAccess, Secret};
use lidless_replica::{Account, Blob, Container, Contents, Policy, Replica, Source, Tier};
use lidless_token::{AccountSasParameters, ServiceSasParameters};
use std::io::{Read, Write};
use std::net::TcpStream;
use support::Client;

fn account() -> Account {
    let key = |byte: u8| {
        use base64::Engine;
        Secret::new(base64::engine::general_purpose::STANDARD.encode([byte; 64]))
    };
    Account { name: "lab".to_owned(), key1: key(1), key2: key(2) }
}

fn time() -> jiff::Timestamp {
    "2023-06-22T09:00:00Z".parse().unwrap()
}

fn contents() -> Contents {
    let text = |name: &str, text: &str| Blob::new(name, time(), Source::bytes(text.as_bytes()));
    let page: std::sync::Arc<[u8]> = vec![9; 512].into();
    let names = ["a.txt", "dir/one", "dir/sub/two", "dir2/three", "z & <z>.txt", "zz\u{1}.bin"];
    Contents::new(vec![
        Container::new("private", time(), names.iter().map(|name| text(name, "hello")).collect())
            .policy(Policy {
                id: "readers".to_owned(),
                expires: Some("2024-01-01T00:00:00Z".parse().unwrap()),
                permissions: Some("r".to_owned()),
                ..Policy::default()
            }),
        Container::new("open", time(), vec![text("a.txt", "open")]).public(PublicAccess::Blob),
        Container::new("listed", time(), vec![text("a.txt", "listed")])
            .public(PublicAccess::Container),
        Container::new(
            "disks",
            time(),
            vec![
                Blob::new("big.vhd", time(), Source::sparse(8 << 40, vec![(4 << 40, page)])).page(),
                Blob::new("old.bak", time(), Source::generated(1, 1 << 40)).tier(Tier::Archive),
                Blob::new("made.bin", time(), Source::generated(7, 3 << 40)),
                Blob::new("empty", time(), Source::bytes(Vec::new())),
            ],
        ),
    ])
}

fn start() -> (Replica, Client) {
    let replica = Replica::start(account(), contents(), time).unwrap();
    let client = Client::to(replica.port());
    (replica, client)
}

fn sas(change: impl FnOnce(&mut AccountSasParameters)) -> String {
    let mut parameters = AccountSasParameters {
        version: "2020-08-04".to_owned(),
        services: "bfqt".to_owned(),
        resource_types: "sco".to_owned(),
        permissions: "rwdlacup".to_owned(),
        expiry: "2051-10-06T07:00:00Z".to_owned(),
        ..AccountSasParameters::default()
    };
    change(&mut parameters);
    parameters.mint("lab", account().key1.expose()).unwrap()
}

const LIST_CONTAINERS: &str = "/lab?comp=list";
const LIST_BLOBS: &str = "/lab/private?restype=container&comp=list";
const GET: &str = "/lab/private/a.txt?";

fn codes(client: &mut Client, token: &str) -> [String; 3] {
    [LIST_CONTAINERS, LIST_BLOBS, GET].map(|target| {
        let answer = client.get(&format!("{target}&{token}"));
        match answer.header("x-ms-error-code") {
            Some(code) => format!("{} {code}", answer.status),
            None => answer.status.to_string(),
        }
    })
}

#[test]
fn an_account_token_grants_what_it_says_and_no_more() {
    let (_replica, mut client) = start();
    let ok = || "200".to_owned();
    let no = |code: &str| format!("403 Authorization{code}");
    let failed = || "403 AuthenticationFailed".to_owned();
    let mut check = |change: fn(&mut AccountSasParameters), expected: [String; 3]| {
        let token = sas(change);
        assert_eq!(codes(&mut client, &token), expected, "{token}");
    };
    check(|_| (), [ok(), ok(), ok()]);
    check(|it| it.version = "2022-11-02".into(), [ok(), ok(), ok()]);
    check(|it| it.version = "2015-04-05".into(), [ok(), ok(), ok()]);
    check(|it| it.resource_types = "o".into(), {
        [no("ResourceTypeMismatch"), no("ResourceTypeMismatch"), ok()]
    });
    check(|it| it.resource_types = "c".into(), {
        [no("ResourceTypeMismatch"), ok(), no("ResourceTypeMismatch")]
    });
    check(|it| it.permissions = "r".into(), {
        [no("PermissionMismatch"), no("PermissionMismatch"), ok()]
    });
    check(|it| it.permissions = "l".into(), [ok(), ok(), no("PermissionMismatch")]);
    check(|it| it.services = "f".into(), {
        [no("ServiceMismatch"), no("ServiceMismatch"), no("ServiceMismatch")]
    });
    check(|it| it.expiry = "2023-06-22T09:00:00Z".into(), [failed(), failed(), failed()]);
    check(|it| it.start = "2023-06-23".into(), [failed(), failed(), failed()]);
    check(|it| it.start = "2023-06-22T08:59Z".into(), [ok(), ok(), ok()]);
    check(|it| it.protocols = "https".into(), {
        [no("ProtocolMismatch"), no("ProtocolMismatch"), no("ProtocolMismatch")]
    });
    check(|it| it.ip = "192.0.2.1-192.0.2.9".into(), {
        [no("SourceIPMismatch"), no("SourceIPMismatch"), no("SourceIPMismatch")]
    });
    check(|it| it.ip = "127.0.0.1".into(), [ok(), ok(), ok()]);
}

#[test]
fn refusals_say_what_was_wrong_with_the_token() {
    let (_replica, mut client) = start();
    let token = sas(|_| ()).replace("sp=rwdlacup", "sp=rwdlacupx");
    let answer = client.get(&format!("{LIST_CONTAINERS}&{token}"));
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("<Code>AuthenticationFailed</Code>"));
    assert!(answer.all("AuthenticationErrorDetail")[0].starts_with("Signature did not match."));
    let old = sas(|it| it.expiry = "2021-10-05".to_owned());
    let detail = client.get(&format!("{GET}{old}")).all("AuthenticationErrorDetail");
    assert_eq!(
        detail,
        ["Signature not valid in the specified time frame: Start [] - Expiry [Tue, 05 Oct 2021 \
          00:00:00 GMT] - Current [Thu, 22 Jun 2023 09:00:00 GMT]"]
    );
    for wrong in ["sig=", "sig=%00%ff&ss=b", "ss=b&srt=sco&sp=r&se=never&sv=2020-08-04&sig=AA=="] {
        assert_eq!(client.get(&format!("{GET}{wrong}")).status, 403, "{wrong}");
    }
    let second = AccountSasParameters {
        version: "2020-08-04".to_owned(),
        services: "b".to_owned(),
        resource_types: "o".to_owned(),
        permissions: "r".to_owned(),
        expiry: "2051-10-06".to_owned(),
        ..AccountSasParameters::default()
    };
    let token = second.mint("lab", account().key2.expose()).unwrap();
    assert_eq!(client.get(&format!("{GET}{token}")).text(), "hello");
}

#[test]
fn a_service_token_opens_its_container_or_blob_alone() {
    let (_replica, mut client) = start();
    let denied = || "403 AuthenticationFailed".to_owned();
    let ok = || "200".to_owned();
    let key = account().key1;
    for version in ["2013-08-15", "2015-04-05", "2018-11-09", "2020-12-06", "2022-11-02"] {
        let mint = |resource: &str, permissions: &str, path: &str| {
            ServiceSasParameters {
                version: version.to_owned(),
                resource: resource.to_owned(),
                permissions: permissions.to_owned(),
                expiry: "2030-01-01T00:00:00Z".to_owned(),
                ..ServiceSasParameters::default()
            }
            .mint("lab", path, key.expose())
            .unwrap()
        };
        let container = mint("c", "rl", "private");
        assert_eq!(codes(&mut client, &container), [denied(), ok(), ok()], "{version}");
        let blob = mint("b", "r", "private/a.txt");
        assert_eq!(codes(&mut client, &blob), [denied(), denied(), ok()], "{version}");
        assert_eq!(client.get(&format!("/lab/disks/empty?{container}")).status, 403);
        assert_eq!(client.get(&format!("/lab/private/dir/one?{blob}")).status, 403);
        let listing = mint("c", "l", "private");
        assert_eq!(
            codes(&mut client, &listing)[2],
            "403 AuthorizationPermissionMismatch",
            "{version}"
        );
    }
    let mut policy = ServiceSasParameters {
        version: "2020-08-04".to_owned(),
        resource: "c".to_owned(),
        identifier: "readers".to_owned(),
        ..ServiceSasParameters::default()
    };
    let token = policy.mint("lab", "private", key.expose()).unwrap();
    assert_eq!(client.get(&format!("{GET}{token}")).status, 200);
    assert_eq!(client.get(&format!("{LIST_BLOBS}&{token}")).status, 403);
    policy.identifier = "gone".to_owned();
    let token = policy.mint("lab", "private", key.expose()).unwrap();
    assert_eq!(client.get(&format!("{GET}{token}")).status, 403);
}

#[test]
fn strangers_see_what_is_public_and_nothing_else() {
    let (_replica, mut client) = start();
    assert_eq!(client.get("/lab/open/a.txt").text(), "open");
    assert_eq!(client.get("/lab/open?restype=container&comp=list").status, 404);
    assert_eq!(client.get("/lab/listed/a.txt").text(), "listed");
    let answer = client.get("/lab/listed?restype=container&comp=list");
    assert_eq!(answer.all("Name"), ["a.txt"]);
    assert_eq!(client.get("/lab/open/none").header("x-ms-error-code").unwrap(), "BlobNotFound");
    assert_eq!(client.get("/lab/private/a.txt").status, 404);
    assert_eq!(client.get(LIST_CONTAINERS).status, 404);
    let answer = client.ask("GET", "/lab/private/a.txt", &[("x-ms-version", "2021-12-02")]);
    assert_eq!(answer.status, 401);
    assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer authorization_uri="));
}

#[test]
fn every_verb_that_writes_is_refused_and_counted() {
    let (replica, mut client) = start();
    let token = sas(|_| ());
    client.get(&format!("{GET}{token}"));
    assert_eq!(replica.violations(), 0);
    for verb in ["PUT", "DELETE", "POST", "PATCH", "OPTIONS"] {
        assert_eq!(client.ask(verb, &format!("{GET}{token}"), &[]).status, 405, "{verb}");
    }
    assert_eq!(replica.violations(), 5);
    let mut other = Client::to(replica.port());
    let answer = other.ask("GET", &format!("{GET}{token}"), &[("Content-Length", "10")]);
    assert_eq!((answer.status, replica.violations()), (200, 6));
    assert_eq!(replica.requests(), 7);
}

#[test]
fn containers_are_listed_in_pages() {
    let (replica, mut client) = start();
    let token = sas(|_| ());
    let whole = client.get(&format!("{LIST_CONTAINERS}&{token}"));
    assert!(whole.text().starts_with("\u{feff}<?xml"));
    assert!(whole.text().contains(&format!("ServiceEndpoint=\"{}/lab/\"", replica.url())));
    assert_eq!(whole.all("Name"), ["disks", "listed", "open", "private"]);
    assert_eq!(whole.all("PublicAccess"), ["container", "blob"]);
    assert!(whole.text().contains("<NextMarker />"));
    let mut names = Vec::new();
    let mut marker = String::new();
    loop {
        let target = format!("{LIST_CONTAINERS}&maxresults=3&marker={marker}&{token}");
        let page = client.get(&target);
        names.extend(page.all("Name"));
        match page.all("NextMarker").pop() {
            Some(next) => marker = next.replace('=', "%3D"),
            None => break,
        }
    }
    assert_eq!(names, whole.all("Name"));
    let some = client.get(&format!("{LIST_CONTAINERS}&prefix=o&{token}"));
    assert_eq!(some.all("Name"), ["open"]);
}

#[test]
fn blobs_are_listed_flat_and_delimited_page_by_page() {
    let (_replica, mut client) = start();
    let token = sas(|_| ());
    let mut walk = |query: &str, max: usize| {
        let (mut names, mut prefixes, mut pages) = (Vec::new(), Vec::new(), 0);
        let mut marker = String::new();
        loop {
            let target = format!("{LIST_BLOBS}{query}&maxresults={max}&marker={marker}&{token}");
            let page = client.get(&target);
            assert_eq!(page.status, 200, "{}", page.text());
            let folded: Vec<String> =
                page.all("BlobPrefix").iter().map(|it| it.replace("<Name>", "")).collect();
            names.extend(page.all("Blob").iter().map(|it| {
                let end = it.find("</Name>").unwrap();
                it[..end].rsplit_once('>').unwrap().1.to_owned()
            }));
            prefixes.extend(folded.iter().map(|it| it.replace("</Name>", "")));
            pages += 1;
            match page.all("NextMarker").pop() {
                Some(next) => marker = next.replace('=', "%3D").replace('+', "%2B"),
                None => return (names, prefixes, pages),
            }
        }
    };
    let flat =
        ["a.txt", "dir/one", "dir/sub/two", "dir2/three", "z &amp; &lt;z&gt;.txt", "zz%01%2Ebin"];
    for max in [1, 2, 3, 5000] {
        let (names, prefixes, pages) = walk("", max);
        assert_eq!((names, prefixes.len()), (flat.map(str::to_owned).to_vec(), 0));
        assert_eq!(pages, flat.len().div_ceil(max));
        let (names, prefixes, pages) = walk("&delimiter=/", max);
        assert_eq!(names, [flat[0], flat[4], flat[5]]);
        assert_eq!((prefixes, pages), (vec!["dir/".into(), "dir2/".into()], 5_usize.div_ceil(max)));
        let (names, prefixes, _) = walk("&delimiter=/&prefix=dir/", max);
        assert_eq!((names, prefixes), (vec!["dir/one".into()], vec!["dir/sub/".into()]));
        let (names, _, _) = walk("&prefix=dir", max);
        assert_eq!(names, flat[1..4]);
    }
    for wrong in ["maxresults=0", "maxresults=x", "marker=nonsense"] {
        assert_eq!(client.get(&format!("{LIST_BLOBS}&{wrong}&{token}")).status, 400, "{wrong}");
    }
    let none = client.get(&format!("/lab/none?restype=container&comp=list&{token}"));
    assert_eq!(none.header("x-ms-error-code").unwrap(), "ContainerNotFound");
}

#[test]
fn a_blob_is_read_whole_in_parts_and_only_as_the_version_that_was_asked_for() {
    let (_replica, mut client) = start();
    let target = format!("{GET}{}", sas(|_| ()));
    let whole = client.get(&target);
    assert_eq!((whole.status, whole.text().as_str()), (200, "hello"));
    let etag = whole.header("etag").unwrap();
    for header in ["Range", "x-ms-range"] {
        let part = client.ask("GET", &target, &[(header, "bytes=1-3"), ("If-Match", &etag)]);
        assert_eq!((part.status, part.text().as_str()), (206, "ell"));
        assert_eq!(part.header("content-range").unwrap(), "bytes 1-3/5");
    }
    let tail = client.ask("GET", &target, &[("Range", "bytes=3-99")]);
    assert_eq!(tail.header("content-range").unwrap(), "bytes 3-4/5");
    let past = client.ask("GET", &target, &[("Range", "bytes=5-")]);
    assert_eq!((past.status, past.header("content-range").unwrap().as_str()), (416, "bytes */5"));
    let changed = client.ask("GET", &target, &[("If-Match", "\"0x8D\"")]);
    assert_eq!(changed.header("x-ms-error-code").unwrap(), "ConditionNotMet");
    assert_eq!((changed.status, client.get(&target).status), (412, 200));
    assert_eq!(client.ask("GET", &target, &[("If-None-Match", &etag)]).status, 304);
    let head = client.ask("HEAD", &target, &[]);
    assert_eq!((head.status, head.header("content-length").unwrap().as_str()), (200, "5"));
    assert_eq!(head.header("x-ms-access-tier").unwrap(), "Hot");
    let missing = client.get(&target.replace("a.txt", "b.txt"));
    assert_eq!(missing.header("x-ms-error-code").unwrap(), "BlobNotFound");
    // After a body of every kind, the same connection still answers.
    assert_eq!(client.get(&target).text(), "hello");
}

#[test]
fn terabytes_are_read_where_one_looks() {
    let (replica, mut client) = start();
    let token = sas(|_| ());
    let disk = format!("/lab/disks/big.vhd?{token}");
    let head = client.ask("HEAD", &disk, &[]);
    assert_eq!(head.header("content-length").unwrap(), (8_u64 << 40).to_string());
    assert_eq!(head.header("x-ms-blob-type").unwrap(), "PageBlob");
    let start = 4_u64 << 40;
    let range = format!("bytes={}-{}", start - 4, start + 3);
    let part = client.ask("GET", &disk, &[("x-ms-range", &range)]);
    assert_eq!(part.body, [0, 0, 0, 0, 9, 9, 9, 9]);
    let pages = client.get(&format!("{disk}&comp=pagelist"));
    assert_eq!(pages.all("Start"), [start.to_string()]);
    assert_eq!(pages.all("End"), [(start + 511).to_string()]);
    let clipped =
        client.ask("GET", &format!("{disk}&comp=pagelist"), &[("x-ms-range", "bytes=0-1048575")]);
    assert_eq!((clipped.status, clipped.all("PageRange").len()), (200, 0));
    let made = format!("/lab/disks/made.bin?{token}");
    let one = client.ask("GET", &made, &[("Range", "bytes=2199023255552-2199023255567")]);
    let two = client.ask("GET", &made, &[("Range", "bytes=2199023255560-2199023255567")]);
    assert_eq!(one.body[8..], two.body);
    let answer = client.get(&format!("{made}&comp=pagelist"));
    assert_eq!((answer.status, answer.all("Code")[0].as_str()), (409, "InvalidBlobType"));
    let answer = client.get(&format!("/lab/disks/old.bak?{token}"));
    assert_eq!((answer.status, answer.all("Code")[0].as_str()), (409, "BlobArchived"));
    assert_eq!(client.get(&format!("/lab/disks/empty?{token}")).body.len(), 0);
    assert!(replica.bytes_sent() < 10_000);
    let account = client.get(&format!("/lab?restype=account&comp=properties&{token}"));
    assert_eq!(account.header("x-ms-sku-name").unwrap(), "Standard_LRS");
}

#[test]
fn a_million_blobs_are_listed_and_none_is_held() {
    let blobs = Container::generated("many", time(), 1_000_000, |number| {
        let name = format!("{:03}/{:04}", number / 1000, number % 1000);
        Blob::new(name, time(), Source::generated(number, 1000))
    });
    let replica = Replica::start(account(), Contents::new(vec![blobs]), time).unwrap();
    let mut client = Client::to(replica.port());
    let token = sas(|_| ());
    let list = "/lab/many?restype=container&comp=list";
    let mut walk = |query: &str, limit: usize| {
        let (mut count, mut marker, mut last) = (0, String::new(), String::new());
        for _ in 0..limit {
            let page = client.get(&format!("{list}{query}&marker={marker}&{token}"));
            let names = page.all("Name");
            assert!(names.is_sorted() && names.first() > Some(&last));
            count += names.len();
            last = names.last().unwrap().clone();
            match page.all("NextMarker").pop() {
                Some(next) => marker = next.replace('=', "%3D").replace('+', "%2B"),
                None => break,
            }
        }
        count
    };
    // All of the folders, all of one folder, and the first pages of everything.
    assert_eq!(walk("&delimiter=/", 9), 1000);
    assert_eq!(walk("&prefix=999/", 9), 1000);
    assert_eq!(walk("", 3), 15_000);
    assert_eq!(client.get(&format!("/lab/many/777/0123?{token}")).body.len(), 1000);
    assert_eq!(client.get(&format!("/lab/many/777/01234?{token}")).status, 404);
}

#[test]
fn a_request_signed_with_an_account_key_is_let_in() {
    let (_replica, mut client) = start();
    let date = "Thu, 22 Jun 2023 09:00:00 GMT";
    let text = format!(
        "GET\n\n\n\n\n\n\n\n\n\n\nbytes=0-1\nx-ms-date:{date}\nx-ms-version:2021-12-02\n\
         /lab/lab/private/a.txt\ntimeout:30"
    );
    let signature = lidless_token::hmac_base64(account().key1.expose(), &text).unwrap();
    let mut ask = |name: &str, signature: &str| {
        let authorization = format!("SharedKey {name}:{signature}");
        client.ask(
            "GET",
            "/lab/private/a.txt?timeout=30",
            &[
                ("x-ms-version", "2021-12-02"),
                ("x-ms-date", date),
                ("Range", "bytes=0-1"),
                ("Authorization", &authorization),
            ],
        )
    };
    assert_eq!(ask("lab", &signature).text(), "he");
    assert_eq!(ask("other", &signature).status, 403);
    assert_eq!(ask("lab", &signature.to_lowercase()).status, 403);
}

#[test]
fn nonsense_on_the_wire_ends_its_connection_and_nothing_else() {
    let (replica, mut client) = start();
    let target = format!("{GET}{}", sas(|_| ()));
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(100_000));
    let cases: [&[u8]; 6] = [
        b"\0\0\0\0\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET * HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        long.as_bytes(),
    ];
    for bytes in cases {
        let mut stream = TcpStream::connect(("127.0.0.1", replica.port())).unwrap();
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{answer:?}");
        assert_eq!(client.get(&target).text(), "hello");
    }
}

#[test]
fn a_replica_that_is_dropped_answers_no_more() {
    let (replica, mut client) = start();
    let port = replica.port();
    assert_eq!(client.get("/lab/open/a.txt").status, 200);
    drop(replica);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}
