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

mod server;

use lidless_core::{Access, Auth, GrantStatus, Object, Provider, Scope};
use lidless_io::{ReadErrorKind, read_exact_vec};
use lidless_kit::{WebKind, WebServer};
use lidless_storage::{Client, ClientSettings, ListRequest, StorageErrorKind, Store, open};
use server::{Reply, Server, reply};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use tempfile::TempDir;

const ODD_NAMES: [&str; 10] = [
    "plain.txt",
    "a b/c d.txt",
    "100%/50%25.txt",
    "plus+and&and=and#and?.txt",
    "ünï/日本語.txt",
    "deep/er/and/deeper.txt",
    "quote'\"<tag>&amp;.txt",
    "colon:and;semi.txt",
    "a name that is so long that servers cut it when they show it, which links do not.txt",
    "empty.txt",
];

fn world() -> (TempDir, BTreeMap<String, Vec<u8>>) {
    let folder = tempfile::tempdir().unwrap();
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).unwrap();
    let mut files: BTreeMap<String, Vec<u8>> = ODD_NAMES
        .iter()
        .map(|name| {
            let empty = *name == "empty.txt";
            ((*name).to_owned(), if empty { Vec::new() } else { name.as_bytes().to_vec() })
        })
        .collect();
    files.insert("large.bin".into(), (0..300_000u32).flat_map(u32::to_le_bytes).collect());
    for (name, bytes) in &files {
        let path = folder.path().join("pub").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
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

fn list_all(store: &dyn Store, request: &ListRequest) -> (Vec<Object>, Vec<String>, usize) {
    let (mut objects, mut prefixes, mut pages) = (Vec::new(), Vec::new(), 0);
    let mut request = request.clone();
    loop {
        let page = store.list(&request).unwrap();
        objects.extend(page.objects);
        prefixes.extend(page.prefixes);
        pages += 1;
        request.cursor = page.next;
        if request.cursor.is_none() {
            return (objects, prefixes, pages);
        }
    }
}

fn below(prefix: &str) -> ListRequest {
    ListRequest { prefix: prefix.to_owned(), ..ListRequest::default() }
}

#[test]
fn the_index_of_every_server_is_listed_and_its_files_are_read() {
    let (folder, files) = world();
    for kind in WebKind::ALL {
        let Some(server) = WebServer::start(kind, folder.path()) else { continue };
        let store = store_at(&server.url(), Some("pub"), Scope::without_file());
        let seen = store.probe().unwrap();
        assert_eq!(
            (seen.status, seen.observed.can_list),
            (GrantStatus::Live, Some(true)),
            "{kind:?}: {seen:?}"
        );
        let (objects, ..) = list_all(&*store, &below("pub/"));
        let sizes: BTreeMap<_, _> =
            objects.iter().map(|it| (it.key.strip_prefix("pub/").unwrap(), it.size)).collect();
        let wanted: BTreeMap<_, _> =
            files.iter().map(|(name, bytes)| (name.as_str(), bytes.len() as u64)).collect();
        assert_eq!(sizes, wanted, "{kind:?}, gaps {:?}", store.gaps());
        assert_eq!((objects.len(), store.gaps().len()), (wanted.len(), 0), "{kind:?}");
        for object in &objects {
            let source = store.open("", object);
            let bytes = read_exact_vec(&*source, 0, source.len()).unwrap();
            assert_eq!(&bytes, &files[object.key.strip_prefix("pub/").unwrap()], "{kind:?}");
        }
        let paged = ListRequest { max: Some(2), ..below("pub/") };
        let (paged, _, pages) = list_all(&*store, &paged);
        assert_eq!(paged, objects, "{kind:?}, gaps {:?}", store.gaps());
        assert!(pages > 5, "{kind:?}: {pages} pages");
        let folded = ListRequest { delimited: true, ..below("pub/") };
        let (direct, mut prefixes, _) = list_all(&*store, &folded);
        prefixes.sort();
        let folders = ["pub/100%/", "pub/a b/", "pub/deep/", "pub/vacant/", "pub/ünï/"];
        assert_eq!(prefixes, folders, "{kind:?}");
        assert!(direct.iter().all(|it| !it.key["pub/".len()..].contains('/')), "{kind:?}");
        let (some, ..) = list_all(&*store, &below("pub/pl"));
        assert_eq!(some.len(), 2, "{kind:?}: {some:?}");
        parts_are_read(&*store, &files["large.bin"], kind);
        let error = store.head("", "pub/nothing").unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::NotFound, "{kind:?}: {error}");
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

fn parts_are_read(store: &dyn Store, bytes: &[u8], kind: WebKind) {
    let object = store.head("", "pub/large.bin").unwrap();
    let source = store.open("", &object);
    let end = source.len();
    let ranges = [5..9, 0..3, 600_000..600_010, end - 3..end + 99, 7..7];
    for (range, part) in ranges.iter().zip(&source.read_ranges(&ranges).unwrap()) {
        let (from, to) = (range.start as usize, (range.end as usize).min(bytes.len()));
        assert_eq!(part, &bytes[from..to], "{kind:?}: {range:?}");
    }
    let mut buffer = [0; 10];
    assert_eq!(store.open("", &object).read_at(end - 4, &mut buffer).unwrap(), 4, "{kind:?}");
    assert_eq!(&buffer[..4], &bytes[bytes.len() - 4..], "{kind:?}");
    let longer = Object { size: end + 1, ..object };
    let error = store.open("", &longer).read_at(end - 5, &mut buffer).unwrap_err();
    assert_eq!(error.kind, ReadErrorKind::Changed, "{kind:?}: {error}");
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
