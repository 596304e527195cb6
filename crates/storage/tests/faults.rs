//! Servers that refuse, stall, lie and lead astray.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    unreachable_pub
)]

mod server;

use lidless_core::{Access, Auth, GrantStatus, Object, Provider, Scope, Secret, Timestamp};
use lidless_io::{ReadAt, ReadErrorKind};
use lidless_storage::{Client, ClientSettings, ListRequest, StorageErrorKind, Store, open};
use server::{Reply, Server, reply};
use std::sync::Arc;
use std::time::{Duration, Instant};

const CANARY: &str = "c4n4rySignatureThatNobodyMaySee";

fn token() -> Auth {
    let expiry = "2051-01-01";
    let token = format!("sv=2020-08-04&ss=b&srt=sco&sp=rl&se={expiry}&sig={CANARY}%3D");
    Auth::Query(Secret::new(token))
}

fn settings() -> ClientSettings {
    ClientSettings {
        connect_timeout: Duration::from_secs(2),
        read_timeout: Duration::from_millis(300),
        attempts: 3,
        retry_after_cap: Duration::from_millis(600),
        ..ClientSettings::default()
    }
}

fn store_in(server: &Server, scope: Scope, auth: Auth) -> (Arc<Client>, Arc<dyn Store>) {
    let client = Arc::new(Client::new(Arc::new(scope), settings()));
    let access = Access {
        provider: Provider::Azure,
        origin: server.url(),
        path_style: true,
        account: "contoso".into(),
        container: Some("c".into()),
        key: None,
        auth,
    };
    let store = open(&client, &access).unwrap();
    (client, store)
}

fn store(server: &Server) -> Arc<dyn Store> {
    store_in(server, Scope::without_file(), token()).1
}

fn request() -> ListRequest {
    ListRequest { container: "c".into(), ..ListRequest::default() }
}

fn object(size: u64) -> Object {
    Object {
        key: "k".into(),
        size,
        etag: Some("0x1".into()),
        modified: None,
        created: None,
        tier: None,
        blob_type: None,
        content_md5: None,
        content_type: None,
        ..Object::default()
    }
}

const EMPTY: &str = "<EnumerationResults><Blobs></Blobs></EnumerationResults>";

fn refusal(status: u16, code: &str, detail: &str) -> Reply {
    let body = format!(
        "<Error><Code>{code}</Code><Message>m {CANARY}</Message>\
         <AuthenticationErrorDetail>{detail}</AuthenticationErrorDetail></Error>"
    );
    reply(status, &[("x-ms-error-code", code)], body.as_bytes())
}

/// Lists once and returns kind, whole error text and number of requests.
fn failed_listing(replies: Vec<Reply>) -> (StorageErrorKind, String, usize) {
    let server = Server::start(replies);
    let begun = Instant::now();
    let error = store(&server).list(&request()).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let text = format!("{error} {error:?}");
    assert!(!text.contains(CANARY) && !text.contains("sig"), "{text}");
    (error.kind, text, server.requests().len())
}

/// Reads five bytes at `offset` of a ten-byte object.
fn read(offset: u64, replies: Vec<Reply>) -> Result<Vec<u8>, ReadErrorKind> {
    let server = Server::start(replies);
    let begun = Instant::now();
    let mut buffer = [0; 5];
    let result = store(&server).open("c", &object(10)).read_at(offset, &mut buffer);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    match result {
        Ok(count) => Ok(buffer[..count].to_vec()),
        Err(error) => {
            let text = format!("{error} {error:?}");
            assert!(!text.contains(CANARY) && !text.contains("sig"), "{text}");
            Err(error.kind)
        }
    }
}

#[test]
fn each_refusal_has_its_kind_and_is_asked_once() {
    use StorageErrorKind::{Conflict, Denied, Malformed, NotFound};
    for (status, code, kind) in [
        (403, "AuthenticationFailed", Denied),
        (403, "AuthorizationPermissionMismatch", Denied),
        (401, "NoAuthenticationInformation", Denied),
        (404, "ContainerNotFound", NotFound),
        (409, "PublicAccessNotPermitted", Denied),
        (409, "ContainerBeingDeleted", Conflict),
        (400, "InvalidAuthenticationInfo", Malformed),
        (302, "NoLocation", Malformed),
    ] {
        let (seen, text, requests) = failed_listing(vec![refusal(status, code, "")]);
        assert_eq!((seen, requests), (kind, 1), "{text}");
        assert!(text.contains(code) && text.contains(&status.to_string()), "{text}");
    }
}

#[test]
fn a_code_that_is_no_code_is_not_repeated() {
    let hostile = format!("sig={CANARY}%3D");
    let (_, text, _) = failed_listing(vec![reply(403, &[("x-ms-error-code", &hostile)], b"")]);
    assert!(text.contains("403"), "{text}");
}

#[test]
fn a_busy_service_is_asked_again_when_it_says() {
    let server = Server::start(vec![
        reply(429, &[("Retry-After", "9999")], b""),
        reply(503, &[], b"busy"),
        reply(200, &[], EMPTY.as_bytes()),
    ]);
    let begun = Instant::now();
    let page = store(&server).list(&request()).unwrap();
    assert_eq!(page.next, None);
    // The cap for the first pause and at least the second doubling of our own for the next.
    assert!(begun.elapsed() >= Duration::from_millis(1000), "{:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_service_that_stays_busy_is_left_in_the_end() {
    for status in [500, 502, 504] {
        let (kind, text, requests) = failed_listing(vec![reply(status, &[], b"")]);
        assert_eq!((kind, requests), (StorageErrorKind::Busy, 3), "{text}");
    }
    // One that is asked too much is asked for longer, eight times the longest pause.
    for status in [429, 503] {
        let begun = Instant::now();
        let (kind, text, requests) = failed_listing(vec![reply(status, &[], b"")]);
        assert_eq!(kind, StorageErrorKind::Busy, "{text}");
        assert!(begun.elapsed() >= Duration::from_millis(4800), "{:?}", begun.elapsed());
        assert!((4..40).contains(&requests), "{requests}");
    }
}

#[test]
fn resets_and_stalls_are_tried_again_and_never_hang() {
    let good = || reply(200, &[], EMPTY.as_bytes());
    for bad in [|| Reply::Reset, || Reply::Stall, || Reply::Close] {
        let server = Server::start(vec![bad(), good()]);
        assert!(store(&server).list(&request()).is_ok());
        let (kind, text, _) = failed_listing(vec![bad()]);
        assert_eq!(kind, StorageErrorKind::Unavailable, "{text}");
    }
    let (kind, text, _) = failed_listing(vec![Reply::Trickle]);
    assert_eq!(kind, StorageErrorKind::Unavailable, "{text}");
}

#[test]
fn nobody_listening_is_unavailable() {
    let server = Server::start(vec![]);
    let url = server.url();
    drop(server);
    let client = Arc::new(Client::new(Arc::new(Scope::without_file()), settings()));
    let access = Access {
        provider: Provider::Azure,
        origin: url,
        path_style: true,
        account: "contoso".into(),
        container: None,
        key: None,
        auth: token(),
    };
    let error = open(&client, &access).unwrap().probe().unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Unavailable, "{error}");
    assert!(!format!("{error:?}").contains(CANARY));
}

#[test]
fn an_answer_that_is_not_http_is_malformed() {
    let raw = Reply::Raw(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec());
    let (kind, text, _) = failed_listing(vec![raw]);
    assert_eq!(kind, StorageErrorKind::Malformed, "{text}");
}

#[test]
fn listings_that_make_no_sense_are_malformed() {
    let bomb = "<!DOCTYPE l [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">\
                <!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]><EnumerationResults><Blobs><Blob>\
                <Name>&c;</Name></Blob></Blobs></EnumerationResults>";
    let deep = "<a>".repeat(100_000);
    for body in [bomb, &deep, "", "<html>Log in</html>", "<EnumerationResults><Blobs>", "\0\0\0"] {
        let (kind, text, _) = failed_listing(vec![reply(200, &[], body.as_bytes())]);
        assert_eq!(kind, StorageErrorKind::Malformed, "{text}");
    }
    let (kind, text, _) = failed_listing(vec![Reply::Endless]);
    assert_eq!(kind, StorageErrorKind::Malformed, "{text}");
}

#[test]
fn a_container_listing_that_goes_in_circles_ends() {
    let page = |marker: &str| {
        let body = format!(
            "<EnumerationResults><Containers></Containers><NextMarker>{marker}</NextMarker>\
             </EnumerationResults>"
        );
        reply(200, &[], body.as_bytes())
    };
    let pages = (0..300).map(|n| page(if n % 2 == 0 { "a" } else { "b" })).collect();
    let server = Server::start(pages);
    let error = store(&server).containers().unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Malformed, "{error}");
}

#[test]
fn honest_reads_are_read() {
    let part = |range: &str, body: &[u8]| {
        reply(206, &[("Content-Range", range), ("ETag", "\"0x1\"")], body)
    };
    assert_eq!(read(3, vec![part("bytes 3-7/10", b"defgh")]).unwrap(), b"defgh");
    assert_eq!(read(8, vec![part("bytes 8-9/10", b"ij")]).unwrap(), b"ij");
    assert_eq!(read(0, vec![reply(200, &[], b"abcdefghij")]).unwrap(), b"abcde");
    // Cut short once, whole the second time.
    let cut = Reply::Raw(b"HTTP/1.1 206 P\r\nContent-Length: 5\r\n\r\nabc".to_vec());
    assert_eq!(read(0, vec![cut, part("bytes 0-4/10", b"abcde")]).unwrap(), b"abcde");
}

#[test]
fn lies_about_length_and_place_are_malformed() {
    let part = |range: &str, body: &[u8]| vec![reply(206, &[("Content-Range", range)], body)];
    let malformed = Err(ReadErrorKind::Malformed);
    assert_eq!(read(3, part("bytes 4-8/10", b"efghi")), malformed);
    assert_eq!(read(3, part("bytes 3-9/10", b"defghij")), malformed);
    assert_eq!(read(3, part("bytes 3-7/10", b"def")), malformed);
    assert_eq!(read(3, part("bytes 3-7/10", b"defghijklm")), malformed);
    assert_eq!(read(3, part("nonsense", b"defgh")), malformed);
    assert_eq!(read(3, vec![reply(206, &[], b"defgh")]), malformed);
    assert_eq!(read(3, vec![reply(200, &[], b"abcdefghij")]), malformed);
    assert_eq!(read(0, vec![reply(200, &[], b"abc")]), malformed);
    let short = Reply::Raw(
        b"HTTP/1.1 206 P\r\nContent-Range: bytes 0-4/10\r\nContent-Length: 5\r\n\r\nabc".to_vec(),
    );
    assert_eq!(read(0, vec![short]), malformed);
}

#[test]
fn what_changed_since_the_listing_is_not_read() {
    let headers = [("Content-Range", "bytes 3-7/99")];
    assert_eq!(read(3, vec![reply(206, &headers, b"defgh")]), Err(ReadErrorKind::Changed));
    let headers = [("Content-Range", "bytes 3-7/10"), ("ETag", "\"0x2\"")];
    assert_eq!(read(3, vec![reply(206, &headers, b"defgh")]), Err(ReadErrorKind::Changed));
    for (status, code, kind) in [
        (412, "ConditionNotMet", ReadErrorKind::Changed),
        (404, "BlobNotFound", ReadErrorKind::Changed),
        (416, "InvalidRange", ReadErrorKind::Changed),
        (409, "BlobArchived", ReadErrorKind::Offline),
        (403, "AuthenticationFailed", ReadErrorKind::Denied),
    ] {
        assert_eq!(read(3, vec![refusal(status, code, "")]), Err(kind), "{code}");
    }
}

#[test]
fn an_empty_object_needs_no_request() {
    let server = Server::start(vec![]);
    let source = store(&server).open("c", &object(0));
    let reversed = std::ops::Range { start: 4, end: 2 };
    assert_eq!(source.read_at(0, &mut [0; 9]).unwrap(), 0);
    assert_eq!(source.read_ranges(&[0..9, reversed]).unwrap(), ["", ""]);
    assert_eq!(server.requests().len(), 0);
}

fn scope(allowed: &str) -> Scope {
    let text = format!(
        "[authority]\nowner = \"o\"\nauthorised_by = \"a\"\nexpires = \"2100-01-01T00:00:00Z\"\n\
         [limits]\nrequests_per_second = 10\n[[allow]]\nstore = \"{allowed}\"\n"
    );
    Scope::from_toml(&text, Timestamp::now()).unwrap()
}

fn redirect(to: &str) -> Reply {
    reply(307, &[("Location", to)], b"")
}

#[test]
fn a_redirect_in_scope_is_followed_and_one_out_of_scope_is_not() {
    let good = || reply(200, &[], EMPTY.as_bytes());
    let server = Server::start(vec![redirect("/contoso/c/elsewhere"), good()]);
    assert!(store(&server).list(&request()).is_ok());
    assert_eq!(server.requests()[1].target, "/contoso/c/elsewhere");

    for to in [
        "http://192.0.2.1/contoso/c",
        "https://fabrikam.blob.core.windows.net/c",
        "//192.0.2.1/x",
        "http://127.0.0.1.example.com/x",
    ] {
        let (kind, text, requests) = failed_listing(vec![redirect(to)]);
        assert_eq!((kind, requests), (StorageErrorKind::OutOfScope, 1), "{text}");
    }
    for to in ["/other/c?x", "/contoso/secret", "/contoso/c/../secret", "/contoso/c/%2e%2e/secret"]
    {
        let server = Server::start(vec![redirect(to)]);
        let error = store_in(&server, scope("az://contoso/c"), token()).1.list(&request());
        assert_eq!(error.unwrap_err().kind, StorageErrorKind::OutOfScope, "{to}");
        assert_eq!(server.requests().len(), 1);
    }
    let (kind, text, requests) = failed_listing(vec![redirect("/contoso/c")]);
    assert_eq!((kind, requests), (StorageErrorKind::Malformed, 6), "{text}");
}

#[test]
fn a_credential_is_not_shown_to_another_origin() {
    let key = Auth::Key { id: "contoso".into(), key: Secret::new("Y2FuYXJ5"), session: None };
    for auth in [token(), key] {
        let other = Server::start(vec![reply(200, &[], EMPTY.as_bytes())]);
        let server = Server::start(vec![redirect(&format!("{}/contoso/c", other.url()))]);
        let (_, store) = store_in(&server, Scope::without_file(), auth);
        assert!(store.list(&request()).is_ok());
        let first = &server.requests()[0];
        assert!(first.target.contains(CANARY) || first.head.contains("authorization"));
        let seen = &other.requests()[0];
        let text = format!("{} {}", seen.target, seen.head).to_lowercase();
        assert!(!text.contains("sig") && !text.contains("authorization"), "{text}");
        assert!(!text.contains("referer"), "{text}");
    }
}

#[test]
fn nothing_out_of_scope_is_sent_and_the_pace_is_kept() {
    let good = reply(200, &[], EMPTY.as_bytes());
    let server = Server::start(vec![good]);
    let (client, store) = store_in(&server, scope("az://contoso/c/open"), token());
    let list = |prefix: &str| {
        store.list(&ListRequest { prefix: prefix.into(), ..request() }).map_err(|error| error.kind)
    };
    assert_eq!(list("").unwrap_err(), StorageErrorKind::OutOfScope);
    assert_eq!(list("open").unwrap_err(), StorageErrorKind::OutOfScope);
    assert_eq!(list("open/../secret/").unwrap_err(), StorageErrorKind::OutOfScope);
    assert_eq!(store.head("c", "open/../x").unwrap_err().kind, StorageErrorKind::OutOfScope);
    let names = store.containers().unwrap();
    assert_eq!(names[0].name, "c");
    assert_eq!((server.requests().len(), client.tally().requests()), (0, 0));
    let begun = Instant::now();
    for _ in 0..5 {
        assert!(list("open/").is_ok());
    }
    assert!(begun.elapsed() >= Duration::from_millis(400), "{:?}", begun.elapsed());
    assert_eq!(server.requests().len(), 5);
}

#[test]
fn only_get_and_head_are_ever_sent() {
    let server = Server::start(vec![reply(200, &[], EMPTY.as_bytes())]);
    let store = store(&server);
    let _ = (store.probe(), store.containers(), store.list(&request()), store.head("c", "k"));
    let _ = store.open("c", &object(5)).read_at(0, &mut [0; 5]);
    let requests = server.requests();
    assert!(requests.len() >= 5);
    assert!(requests.iter().all(|it| it.verb == "GET" || it.verb == "HEAD"), "{requests:?}");
}

#[test]
fn refusals_are_understood_as_the_service_means_them() {
    let probe = |replies: Vec<Reply>, auth: Auth| {
        let server = Server::start(replies);
        let seen = store_in(&server, Scope::without_file(), auth).1.probe().unwrap();
        let text = format!("{seen:?}");
        assert!(!text.contains(CANARY), "{text}");
        (seen.status, text)
    };
    use GrantStatus::{Denied, Expired, Live, Revoked, Unknown};
    let over = "Signature not valid in the specified time frame: Start [x] - Expiry [y]";
    let wrong = format!("Signature did not match. String to sign used was contoso {CANARY}");
    for (status, code, detail, meant) in [
        (403, "AuthenticationFailed", over, Expired),
        (403, "AuthenticationFailed", wrong.as_str(), Revoked),
        (403, "AuthorizationPermissionMismatch", "", Live),
        (403, "AuthorizationResourceTypeMismatch", "", Live),
        (403, "AuthorizationServiceMismatch", "", Live),
        (403, "AuthorizationSourceIPMismatch", "", Denied),
        (403, "KeyBasedAuthenticationNotPermitted", "", Denied),
        (403, "AccountIsDisabled", "", Denied),
        (403, "SomethingNew", "", Denied),
        (409, "PublicAccessNotPermitted", "", Denied),
        (404, "ContainerNotFound", "", Live),
        (404, "NotStorageAtAll", "", Unknown),
        (400, "InvalidQueryParameterValue", "", Unknown),
    ] {
        let (seen, text) = probe(vec![refusal(status, code, detail)], token());
        assert_eq!(seen, meant, "{code}: {text}");
    }
    // A login page is no proof that the token works.
    let page = reply(200, &[], b"<html>Log in</html>");
    assert_eq!(probe(vec![page], token()).0, Unknown);
    for status in [401, 403, 404, 409] {
        assert_eq!(probe(vec![refusal(status, "X", "")], Auth::Anonymous).0, Denied);
    }
    let ended = Auth::Query(Secret::new(format!("sv=2020-08-04&sr=c&se=2021-10-05&sig={CANARY}")));
    assert_eq!(probe(vec![refusal(403, "AuthorizationFailure", "")], ended).0, Expired);
    assert_eq!(probe(vec![refusal(403, "AuthorizationFailure", "")], token()).0, Revoked);
}
