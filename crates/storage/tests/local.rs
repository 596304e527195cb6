//! Folders: what is no file or leads elsewhere, what is barred, what changes meanwhile.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    unreachable_pub,
    dead_code,
    missing_docs
)]

mod folder;
mod suite;

use lidless_core::{GrantStatus, Object};
use lidless_io::{ReadAt as _, ReadErrorKind, read_exact_vec};
use lidless_storage::{ListRequest, StorageErrorKind, Store, open_folder};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use suite::{in_container, list_all};
use tempfile::TempDir;

/// A folder called `all`, in one of its own, with something beside it.
fn world() -> (TempDir, Arc<dyn Store>) {
    let folder = folder::open_to_all();
    let files: [(&[u8], &[u8]); 4] = [
        (b"all/a.txt", b"first"),
        (b"all/sub/b.txt", b"second"),
        (b"all/sub/c.txt", b"third"),
        (b"secret/key.txt", b"outside"),
    ];
    folder::write_all(folder.path(), files);
    let store = open_folder(&folder.path().join("all")).unwrap();
    (folder, store)
}

fn keys(store: &dyn Store) -> Vec<String> {
    list_all(store, &in_container("all")).0.into_iter().map(|object| object.key).collect()
}

fn reasons(store: &dyn Store) -> Vec<(String, String)> {
    let name = |location: &str| location.rsplit_once("/all").unwrap().1.to_owned();
    store.gaps().iter().map(|gap| (name(&gap.location), gap.reason.clone())).collect()
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn links_are_told_and_lead_nowhere() {
    let (folder, store) = world();
    let all = folder.path().join("all");
    symlink("../secret", all.join("out")).unwrap();
    symlink("../secret/key.txt", all.join("out.txt")).unwrap();
    symlink(".", all.join("sub/loop")).unwrap();
    symlink("a.txt", all.join("inside.txt")).unwrap();
    symlink("nowhere", all.join("dangling")).unwrap();
    assert_eq!(keys(&*store), ["a.txt", "sub/b.txt", "sub/c.txt"]);
    let told = reasons(&*store);
    let names: Vec<_> = told.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["/dangling", "/inside.txt", "/out", "/out.txt", "/sub/loop"]);
    assert!(told.iter().all(|(_, why)| why.contains("a link")), "{told:?}");
    for key in ["out/key.txt", "sub/loop/b.txt", "../secret/key.txt", "sub/../a.txt", "/a.txt"] {
        let error = store.head("all", key).unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::NotFound, "{key}: {error}");
        let object = Object { key: key.into(), size: 7, ..Object::default() };
        let error = store.open("all", &object).read_at(0, &mut [0; 7]).unwrap_err();
        assert_eq!(error.kind, ReadErrorKind::Changed, "{key}: {error}");
    }
    let error = store.head("all", "out.txt").unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Unsupported, "{error}");
    assert!(error.to_string().contains("a link"), "{error}");
    for prefix in ["out/", "sub/loop/", "../", "../secret/", "/", "sub//", "."] {
        let request = ListRequest { prefix: prefix.into(), ..in_container("all") };
        let page = store.list(&request).unwrap();
        assert_eq!((page.objects, page.prefixes), (vec![], vec![]), "{prefix}");
    }
}

#[test]
fn a_file_that_becomes_a_link_or_lies_behind_one_is_not_read() {
    let (folder, store) = world();
    let all = folder.path().join("all");
    let (objects, ..) = list_all(&*store, &in_container("all"));
    let read = |object: &Object| {
        let source = store.open("all", object);
        read_exact_vec(&*source, 0, source.len())
    };
    assert_eq!(read(&objects[0]).unwrap(), b"first");
    std::fs::write(folder.path().join("secret/a.txt"), "other").unwrap();
    std::fs::remove_file(all.join("a.txt")).unwrap();
    symlink("../secret/a.txt", all.join("a.txt")).unwrap();
    assert_eq!(read(&objects[0]).unwrap_err().kind, ReadErrorKind::Changed);
    std::fs::rename(all.join("sub"), folder.path().join("moved")).unwrap();
    symlink("../moved", all.join("sub")).unwrap();
    assert_eq!(read(&objects[1]).unwrap_err().kind, ReadErrorKind::Changed);
    assert_eq!(keys(&*store), [""; 0]);
}

#[test]
fn pipes_and_sockets_are_told_and_never_opened() {
    let (folder, store) = world();
    let all = folder.path().join("all");
    // Opening a pipe that nobody writes to would wait for ever.
    assert!(Command::new("mkfifo").arg(all.join("pipe")).status().unwrap().success());
    let _socket = UnixListener::bind(all.join("socket")).unwrap();
    assert_eq!(keys(&*store), ["a.txt", "sub/b.txt", "sub/c.txt"]);
    let told = reasons(&*store);
    let names: Vec<_> = told.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["/pipe", "/socket"]);
    let error = store.head("all", "pipe").unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Unsupported, "{error}");
    let object = Object { key: "pipe".into(), size: 5, ..Object::default() };
    let error = store.open("all", &object).read_at(0, &mut [0; 5]).unwrap_err();
    assert_eq!(error.kind, ReadErrorKind::Changed, "{error}");
}

#[test]
fn a_file_that_grows_shrinks_or_is_replaced_is_not_read_on() {
    let (folder, store) = world();
    let file = folder.path().join("all/a.txt");
    let old = std::fs::metadata(&file).unwrap().modified().unwrap();
    let earlier = |file: &Path| {
        let file = std::fs::File::options().write(true).open(file).unwrap();
        file.set_modified(old).unwrap();
    };
    for content in ["longer than it was", "l", "same!"] {
        std::fs::write(&file, "first").unwrap();
        earlier(&file);
        // What is said of a file has the grain of the clock's tick.
        std::thread::sleep(Duration::from_millis(20));
        let source = store.open("all", &store.head("all", "a.txt").unwrap());
        assert_eq!(read_exact_vec(&*source, 0, 5).unwrap(), b"first");
        std::fs::write(&file, content).unwrap();
        // Whoever changes it and sets its time back is seen all the same.
        earlier(&file);
        let error = source.read_at(0, &mut [0; 5]).unwrap_err();
        assert_eq!(error.kind, ReadErrorKind::Changed, "{content}: {error}");
    }
    let source = store.open("all", &store.head("all", "a.txt").unwrap());
    std::fs::rename(folder.path().join("all/sub/b.txt"), &file).unwrap();
    assert_eq!(source.read_at(0, &mut [0; 5]).unwrap_err().kind, ReadErrorKind::Changed);
}

#[test]
fn what_comes_and_goes_while_it_is_listed_ends_nothing() {
    let (folder, store) = world();
    let all = folder.path().join("all");
    let one = ListRequest { max: Some(1), ..in_container("all") };
    let first = store.list(&one).unwrap();
    assert_eq!(first.objects[0].key, "a.txt");
    std::fs::remove_dir_all(all.join("sub")).unwrap();
    std::fs::write(all.join("z.txt"), "new").unwrap();
    let mut rest = Vec::new();
    let mut next = first.next;
    while let Some(cursor) = next {
        let page = store.list(&ListRequest { cursor: Some(cursor), ..one.clone() }).unwrap();
        rest.extend(page.objects.into_iter().map(|object| object.key));
        next = page.next;
    }
    assert!(!rest.contains(&"a.txt".to_owned()) && !rest.contains(&"sub/c.txt".to_owned()));
    assert_eq!(keys(&*store), ["a.txt", "z.txt"]);
    std::fs::remove_dir_all(&all).unwrap();
    let error = store.list(&in_container("all")).unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::NotFound, "{error}");
    assert_eq!(store.probe().unwrap_err().kind, StorageErrorKind::NotFound);
}

#[test]
fn what_is_no_folder_is_not_opened_as_one() {
    let (folder, _) = world();
    for name in ["nothing", "all/a.txt"] {
        let error = open_folder(&folder.path().join(name)).err().unwrap();
        assert_eq!(error.kind, StorageErrorKind::NotFound, "{name}: {error}");
    }
    // A link that the user names is the user's to name.
    symlink("all", folder.path().join("link")).unwrap();
    let store = open_folder(&folder.path().join("link")).unwrap();
    assert_eq!(keys(&*store), ["a.txt", "sub/b.txt", "sub/c.txt"]);
}

#[test]
fn a_barred_folder_is_a_gap_and_the_rest_is_listed() {
    let (folder, store) = world();
    if !folder::is_barred_or_repeats_barred("a_barred_folder_is_a_gap_and_the_rest_is_listed") {
        return;
    }
    let all = folder.path().join("all");
    let extra: [(&[u8], &[u8]); 2] = [(b"sub/deep/x.txt", b"x"), (b"tail.txt", b"tail")];
    folder::write_all(&all, extra);
    mode(&all.join("sub/deep"), 0o000);
    mode(&all.join("a.txt"), 0o000);
    // Its names can be read, and nothing be learned of them.
    folder::write_all(&all, [(&b"names only/y.txt"[..], &b"y"[..])]);
    mode(&all.join("names only"), 0o444);
    assert_eq!(keys(&*store), ["a.txt", "sub/b.txt", "sub/c.txt", "tail.txt"]);
    let told = reasons(&*store);
    let names: Vec<_> = told.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.len(), 2, "{told:?}");
    assert!(names[0].starts_with("/names%20only") && names[1] == "/sub/deep", "{told:?}");
    assert!(told.iter().all(|(_, why)| why.contains("does not let you")), "{told:?}");
    // A page at a time, and again: the same gaps, each once.
    let _ = list_all(&*store, &ListRequest { max: Some(1), ..in_container("all") });
    assert_eq!(reasons(&*store), told);
    let source = store.open("all", &store.head("all", "a.txt").unwrap());
    assert_eq!(source.read_at(0, &mut [0; 5]).unwrap_err().kind, ReadErrorKind::Denied);
    mode(&all, 0o000);
    let seen = store.probe().unwrap();
    assert_eq!((seen.status, seen.observed.can_list), (GrantStatus::Denied, Some(false)));
    mode(&all, 0o755);
    for name in ["sub/deep", "names only"] {
        mode(&all.join(name), 0o755);
    }
}

#[test]
fn folders_deeper_than_any_tree_are_told_and_end() {
    let (folder, store) = world();
    let mut at = folder.path().join("all/sub");
    for _ in 0..300 {
        at.push("d");
    }
    std::fs::create_dir_all(&at).unwrap();
    std::fs::write(at.join("x.txt"), "deep").unwrap();
    assert_eq!(keys(&*store), ["a.txt", "sub/b.txt", "sub/c.txt"]);
    let told = reasons(&*store);
    assert!(told.len() == 1 && told[0].1.contains("256 folders deep"), "{told:?}");
}
