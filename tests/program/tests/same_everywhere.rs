//! The same content gives the same findings and the same numbers wherever it lies: the replica,
//! Azurite, Ceph's gateway, a folder of this machine. Where a part of it is denied, all say so.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation)]

use lidless_core::{Secret, Timestamp};
use lidless_kit::{Azurite, Radosgw, S3User};
use lidless_program_tests::{
    Ran, account_sas, lidless, pickle_that_runs, private_key, random_key, run,
};
use lidless_replica::{Account, Blob, Container, Contents, Fault, Replica, Request, Source};
use serde_json::Value;
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

const ACCOUNT: &str = "adatumlab4";

type Files = BTreeMap<&'static str, Vec<u8>>;

/// A little of everything.
fn account() -> Files {
    let stripe = concat!("sk_", "live_4eC39HqLyjWDarjtT1zdp7dcQ8xW2pLk");
    let env = |more: &str| format!("# settings\nDEBUG=1\nSTRIPE_SECRET_KEY={stripe}\n{more}");
    let database = "DATABASE_URL=postgres://app:x9Kd72mQpLs4@db.example.com:5432/shop\n";
    let noise: Vec<u8> = (0..1_200_000u32)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).rotate_left(7).to_le_bytes())
        .collect();
    BTreeMap::from([
        ("app/.env", env(database).into_bytes()),
        ("a b/100% & #1/ü+日本.env", env("").into_bytes()),
        ("backup/keys.zip", zip("home/.ssh/id_ed25519", private_key(5).as_bytes())),
        ("home/dana/.ssh/id_rsa", private_key(9).into_bytes()),
        ("models/net.ckpt", pickle_that_runs()),
        ("empty.txt", Vec::new()),
        ("notes/readme.md", b"# Nothing\n\nto see here\n".to_vec()),
        ("large.bin", noise),
    ])
}

/// A zip with one member, stored.
fn zip(name: &str, bytes: &[u8]) -> Vec<u8> {
    let crc = !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 }
        })
    });
    let size = (bytes.len() as u32).to_le_bytes();
    let length = (name.len() as u16).to_le_bytes();
    // Method, time, date, checksum, both sizes, length of the name, none of the rest.
    let common =
        [&[0, 0, 0, 0, 0x21, 0x56], &crc.to_le_bytes()[..], &size, &size, &length].concat();
    let local = [b"PK\x03\x04\x14\0\0\0", &common[..], &[0; 2], name.as_bytes(), bytes].concat();
    let head = [b"PK\x01\x02\x14\0\x14\0\0\0", &common[..], &[0; 16], name.as_bytes()].concat();
    let ends = [(head.len() as u32).to_le_bytes(), (local.len() as u32).to_le_bytes()].concat();
    [&local[..], &head, b"PK\x05\x06\0\0\0\0\x01\0\x01\0", &ends, &[0; 2]].concat()
}

/// What a scan of some world says, without what is that world's own.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    code: i32,
    /// Rule, severity, key below the container, line.
    findings: Vec<(String, String, String, Option<u64>)>,
    objects_listed: u64,
    objects_inspected: u64,
    bytes_listed: u64,
    bytes_inspected: u64,
    /// How many were not looked into.
    skipped: u64,
    /// Bytes that were not seen.
    gap_bytes: u64,
    /// Keys that were not read; empty for one that tells of the whole container.
    gaps: Vec<String>,
}

/// Takes a report apart. `place` is how places write the container.
fn said(ran: &Ran, place: &str) -> Said {
    let report = ran.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let below = |location: &Value| {
        let location = text(location);
        let key = location.strip_prefix(place).unwrap_or_else(|| panic!("{location} in {place}"));
        key.trim_start_matches('/').to_owned()
    };
    let list = |name: &str| report[name].as_array().unwrap().clone();
    let mut findings: Vec<_> = list("findings")
        .iter()
        .map(|one| {
            let (rule, severity) = (text(&one["rule"]), text(&one["severity"]));
            (rule, severity, below(&one["location"]), one["line"].as_u64())
        })
        .collect();
    findings.sort();
    let gap_bytes = list("gaps").iter().filter_map(|gap| gap["bytes"].as_u64()).sum();
    let mut gaps: Vec<String> = list("gaps").iter().map(|gap| below(&gap["location"])).collect();
    gaps.sort();
    let coverage = list("coverage");
    assert_eq!(coverage.len(), 1, "{coverage:#?}");
    let number = |name: &str| coverage[0][name].as_u64().unwrap();
    let skipped = coverage[0]["skipped"].as_object().unwrap();
    assert_eq!(coverage[0]["container"].as_str().unwrap().trim_end_matches('/'), place);
    Said {
        code: ran.code,
        findings,
        objects_listed: number("objects_listed"),
        objects_inspected: number("objects_inspected"),
        bytes_listed: number("bytes_listed"),
        bytes_inspected: number("bytes_inspected"),
        skipped: skipped.values().map(|count| count.as_u64().unwrap()).sum(),
        gap_bytes,
        gaps,
    }
}

fn scan(targets: &[&str]) -> Ran {
    run(&[&["scan"], targets, &["--format", "json"]].concat())
}

/// Shows `files` in one world and scans them there. None where its service is not installed.
type World = fn(&Files) -> Option<Said>;

const WORLDS: [(&str, World); 4] = [
    ("the replica", in_the_replica),
    ("Azurite", in_azurite),
    ("Ceph's gateway", in_the_gateway),
    ("a folder", in_a_folder),
];

/// A replica of `files`, with `plan` to say what goes wrong, and a link to it.
fn replica(
    files: &Files,
    plan: impl Fn(u64, &Request) -> Option<Fault> + Send + Sync + 'static,
) -> (Replica, String) {
    let time: Timestamp = "2023-01-01T00:00:00Z".parse().unwrap();
    let blobs =
        files.iter().map(|(key, bytes)| Blob::new(*key, time, Source::bytes(bytes.clone())));
    let contents = Contents::new(vec![Container::new("data", time, blobs.collect())]);
    let (key1, key2) = (random_key(), random_key());
    let token = account_sas(ACCOUNT, &key1, "rl", "", "2051-10-06T07:00:00Z");
    let (key1, key2) = (Secret::new(key1), Secret::new(key2));
    let account = Account { name: ACCOUNT.into(), key1, key2 };
    let replica = Replica::start_faulty(account, contents, Timestamp::now, plan).unwrap();
    let link = format!("{}/{ACCOUNT}?{token}", replica.url());
    (replica, link)
}

fn in_the_replica(files: &Files) -> Option<Said> {
    let (replica, link) = replica(files, |_, _| None);
    let ran = scan(&[&link]);
    assert_eq!(replica.violations(), 0);
    Some(said(&ran, &format!("az://{ACCOUNT}/data")))
}

fn in_azurite(files: &Files) -> Option<Said> {
    let (key1, key2) = (random_key(), random_key());
    let azurite = Azurite::start(&[(ACCOUNT, &key1, &key2)])?;
    azurite.put_container(ACCOUNT, "data", None);
    for (key, bytes) in files {
        azurite.put_blob(ACCOUNT, "data", key, bytes);
    }
    let token = account_sas(ACCOUNT, &key1, "rl", "", "2051-10-06T07:00:00Z");
    let ran = scan(&[&format!("{}/{ACCOUNT}?{token}", azurite.url())]);
    Some(said(&ran, &format!("az://{ACCOUNT}/data")))
}

fn in_the_gateway(files: &Files) -> Option<Said> {
    behind_the_gateway(files, &|_| true, &[])
}

/// A bucket whose names strangers may list, and whose objects they may read where `is_open` says so.
fn behind_the_gateway(
    files: &Files,
    is_open: &dyn Fn(&str) -> bool,
    more: &[&str],
) -> Option<Said> {
    let user = S3User { id: "LIDLESSTESTUSER00001".into(), secret: "secret+for/tests".repeat(2) };
    let service = Radosgw::start(std::slice::from_ref(&user))?;
    service.put_bucket(&user, "data", "public-read");
    for (key, bytes) in files {
        if is_open(key) {
            service.put_open_object(&user, "data", key, bytes);
        } else {
            service.put_object(&user, "data", key, bytes);
        }
    }
    let endpoint = format!("s3={}", service.url());
    let words = [&["s3://data", "--endpoint", &endpoint], more].concat();
    Some(said(&scan(&words), "s3://data"))
}

/// Writes files below a folder that others may read, and says where.
fn written(files: &Files) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let root = folder.path().canonicalize().unwrap().join("data");
    for (key, bytes) in files {
        let path = root.join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let root = root.to_str().unwrap().to_owned();
    (folder, root)
}

fn in_a_folder(files: &Files) -> Option<Said> {
    let (_folder, root) = written(files);
    Some(said(&scan(&[&root]), &format!("file://{root}")))
}

#[test]
fn the_same_content_gives_the_same_findings_and_numbers_everywhere() {
    let files = account();
    let bytes = files.values().map(|bytes| bytes.len() as u64).sum::<u64>();
    let mut first: Option<(&str, Said)> = None;
    for (name, world) in WORLDS {
        let Some(said) = world(&files) else { continue };
        assert_eq!(said.code, 1, "{name}: {said:#?}");
        assert_eq!(said.gaps, [""; 0], "{name}");
        let all = files.len() as u64;
        assert_eq!((said.objects_listed, said.objects_inspected), (all, all), "{name}");
        assert_eq!((said.bytes_listed, said.bytes_inspected, said.skipped), (bytes, bytes, 0));
        let has = |rule: &str, key: &str| {
            said.findings.iter().any(|one| one.0.contains(rule) && one.2.starts_with(key))
        };
        assert!(has("stripe", "app/.env") && has("private_key", "home/"), "{name}: {said:#?}");
        assert!(has("private_key", "backup/keys.zip!/home/.ssh/id_ed25519"), "{name}: {said:#?}");
        assert!(has("stripe", "a%20b/100%25%20&%20%231/ü+日本.env"), "{name}: {said:#?}");
        assert!(has("model.dangerous", "models/net.ckpt"), "{name}: {said:#?}");
        match &first {
            Some((other, seen)) => assert_eq!(&said, seen, "{name} beside {other}"),
            None => first = Some((name, said)),
        }
    }
}

/// Nothing that is a finding: what is left to say is what was not seen.
fn harmless() -> Files {
    let names = ["a/1.txt", "a/2.txt", "b/1.txt", "b/2.txt", "b/deep/3.txt", "c.txt"];
    names.map(|name| (name, format!("nothing in {name}\n").into_bytes())).into()
}

/// Runs the program as a user who is not allowed everything.
fn run_barred(arguments: &[&str]) -> Ran {
    let place = tempfile::tempdir().unwrap();
    let everyone = || std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(place.path(), everyone()).unwrap();
    let program = place.path().join("lidless");
    std::fs::copy(lidless(), &program).unwrap();
    std::fs::set_permissions(&program, everyone()).unwrap();
    let mut command = Command::new(program);
    if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.uid(65_534).gid(65_534);
    }
    let output = command.args(arguments).stdin(Stdio::null()).current_dir("/").output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn bar(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn objects_that_are_denied_are_counted_and_named_alike() {
    let files = harmless();
    let (_replica, link) = replica(&files, |_, request| {
        let (_, container, key) = request.target();
        (container == "data" && key.starts_with("b/")).then_some(Fault::Denied)
    });
    // What the link itself is worth is not the question.
    let ran = scan(&[&link, "--fail-on", "never"]);
    let store = said(&ran, &format!("az://{ACCOUNT}/data"));

    let (_folder, root) = written(&files);
    let denied = files.keys().filter(|name| name.starts_with("b/"));
    for name in denied.clone() {
        bar(&Path::new(&root).join(name), 0o000);
    }
    let ran = run_barred(&["scan", &root, "--format", "json", "--fail-on", "never"]);
    let folder = said(&ran, &format!("file://{root}"));

    let denied: usize = denied.clone().map(|name| files[name].len()).sum();
    assert_eq!((store.code, store.objects_listed, store.objects_inspected), (3, 6, 3));
    assert_eq!((store.skipped, store.gap_bytes), (3, denied as u64));
    assert_eq!(store.bytes_listed - store.bytes_inspected, denied as u64);
    // A container tells them in one gap, a folder each by its place.
    assert_eq!(store.gaps, [""]);
    assert_eq!(folder.gaps, ["b/1.txt", "b/2.txt", "b/deep/3.txt"]);
    let open = |key: &str| !key.starts_with("b/");
    if let Some(bucket) = behind_the_gateway(&files, &open, &["--fail-on", "never"]) {
        assert_eq!(bucket, store);
    }
    assert_eq!(folder, Said { gaps: folder.gaps.clone(), ..store });
}

#[test]
fn a_folder_that_cannot_be_listed_is_a_gap_and_the_rest_is_counted() {
    let (_folder, root) = written(&harmless());
    let closed = Path::new(&root).join("b/deep");
    bar(&closed, 0o000);
    let ran = run_barred(&["scan", &root, "--format", "json"]);
    bar(&closed, 0o755);
    let said = said(&ran, &format!("file://{root}"));
    assert_eq!((said.code, said.objects_listed, said.objects_inspected), (3, 5, 5));
    assert_eq!(said.gaps, ["b/deep"]);
    // The same words as the report for people.
    bar(&closed, 0o000);
    let ran = run_barred(&["scan", &root]);
    bar(&closed, 0o755);
    assert_eq!(ran.code, 3, "{}", ran.out);
    assert!(ran.out.contains("Not seen"), "{}", ran.out);
}
