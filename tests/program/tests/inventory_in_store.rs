//! Inventories that are read where the store put them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation)]

use flate2::write::GzEncoder;
use lidless_core::{Object, PublicAccess, Secret, Timestamp};
use lidless_inventory::{SegmentRow, SegmentWriter};
use lidless_kit::{Radosgw, S3User};
use lidless_program_tests::{Issuer, Reply, account_sas, private_key, random_key, run};
use lidless_replica::{Account, Blob, Container, Contents, Replica, Source};
use md5::Digest as _;
use serde_json::Value;
use std::io::Write as _;
use std::path::Path;

const ACCOUNT: &str = "fabrikamlab9";
const FOLDER: &str = "2026/01/02/03-04-05/rule";
const CSV: &str = "Name,Last-Modified,Content-Length,AccessTier,Etag\n";

fn time() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn manifest(made: &str, files: &[&str], rows: u64) -> String {
    let files: Vec<String> =
        files.iter().map(|file| format!(r#"{{"blob":"{FOLDER}/{file}"}}"#)).collect();
    format!(
        r#"{{"destinationContainer":"reports","endpoint":"https://{ACCOUNT}.blob.core.windows.net",
        "files":[{}],"inventoryStartTime":"{made}","ruleDefinition":{{"format":"csv",
        "objectType":"blob"}},"status":"Succeeded","summary":{{"objectCount":{rows}}}}}"#,
        files.join(",")
    )
}

fn row(name: &str, size: usize) -> String {
    format!("\"{name}\",2026-01-02T03:04:05Z,{size},Hot,0x1\n")
}

/// An account with a laptop, and the reports of its inventory in another container.
struct World {
    replica: Replica,
    key: String,
    folder: tempfile::TempDir,
}

impl World {
    fn new(reports: Vec<(&str, Vec<u8>)>, public: PublicAccess) -> Self {
        let blob = |name: &str, bytes: Vec<u8>| Blob::new(name, time(), Source::bytes(bytes));
        let key_file = private_key(7).into_bytes();
        let laptops = vec![
            blob("PC-17/Users/dana/.ssh/id_ed25519", key_file),
            blob("notes.txt", b"nothing here\n".to_vec()),
        ];
        let reports = reports
            .into_iter()
            .map(|(name, bytes)| blob(&format!("{FOLDER}/{name}"), bytes))
            .collect();
        let contents = Contents::new(vec![
            Container::new("laptops", time(), laptops),
            Container::new("reports", time(), reports).public(public),
        ]);
        let key = random_key();
        let account = Account {
            name: ACCOUNT.into(),
            key1: Secret::new(key.clone()),
            key2: Secret::new(random_key()),
        };
        let replica = Replica::start(account, contents, Timestamp::now).unwrap();
        Self { replica, key, folder: tempfile::tempdir().unwrap() }
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// A file with a link that may read everything and list nothing.
    fn link(&self, path: &str) -> (String, String) {
        let token = account_sas(ACCOUNT, &self.key, "r", "", "2051-10-06T07:00:00Z");
        let name = format!("link{}.txt", path.replace('/', "-"));
        let file = self.write(&name, &format!("{}/{ACCOUNT}{path}?{token}", self.replica.url()));
        (format!("@{file}"), token.rsplit_once("sig=").unwrap().1.to_owned())
    }

    fn endpoint(&self) -> String {
        format!("azure={}", self.replica.url())
    }
}

fn gaps(report: &Value) -> Vec<String> {
    let gaps = report["gaps"].as_array().unwrap();
    let told = |gap: &Value| format!("{}: {}", gap["location"], gap["reason"]).replace('"', "");
    gaps.iter().map(told).collect()
}

fn has(gaps: &[String], words: &str) -> bool {
    gaps.iter().any(|gap| gap.contains(words))
}

fn laptop_csv() -> String {
    let size = private_key(7).len();
    [CSV.to_owned(), row("laptops/PC-17/Users/dana/.ssh/id_ed25519", size)].concat()
}

fn place(name: &str) -> String {
    format!("az://{ACCOUNT}/reports/{FOLDER}/{name}")
}

#[test]
fn the_credential_of_the_target_reads_the_inventory_that_lies_in_its_account() {
    let made = "2026-01-02T03:04:05Z";
    let world = World::new(
        vec![
            ("rule-manifest.json", manifest(made, &["rule.csv", "gone.csv"], 1).into_bytes()),
            ("rule.csv", laptop_csv().into_bytes()),
        ],
        PublicAccess::None,
    );
    let (target, secret) = world.link("");
    let case = world.folder.path().join("a.case");
    let case = case.to_str().unwrap();
    let (place, endpoint) = (place("rule-manifest.json"), world.endpoint());
    let words = ["scan", &target, "--inventory", &place, "--endpoint", &endpoint];
    let ran = run(&[&words[..], &["--case", case, "--format", "json"]].concat());
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let report = ran.json();
    assert_eq!(report["run"]["objects"], 1);
    assert_eq!(report["findings"].as_array().unwrap().len(), 1, "{}", ran.out);
    let told = gaps(&report);
    assert!(has(&told, "named by an inventory of 2026-01-02"), "{told:?}");
    // One data file is missing, and is told; the other one is read.
    assert!(has(&told, "gone.csv: a data file of the inventory cannot be read"), "{told:?}");
    assert!(!ran.out.contains(&secret) && !ran.err.contains(&secret));
    let kept = String::from_utf8_lossy(&std::fs::read(case).unwrap()).into_owned();
    assert!(!kept.contains(&secret));

    // Every request is in the trail, and the totals count them.
    let trail = run(&["trail", case, "--url", "reports", "--format", "jsonl"]);
    assert!(trail.out.contains("rule.csv") && trail.out.contains("named by the user"));
    let whole = run(&["trail", case]);
    assert_eq!(whole.code, 0, "{}", whole.out);

    // It is gone on with without naming the inventory again.
    let ran = run(&["scan", &target, "--case", case, "--resume", "--format", "json"]);
    assert_eq!(ran.json()["run"]["objects"], 1, "{}", ran.err);

    // What the scope denies is not read, whoever named it.
    let scope = world.write(
        "scope.toml",
        &format!(
            "[authority]\nowner = \"Lab\"\nauthorised_by = \"Lead\"\nexpires = \
             \"2040-01-01T00:00:00Z\"\n[[allow]]\nstore = \"az://{ACCOUNT}/laptops\"\n[[deny]]\n\
             store = \"az://{ACCOUNT}/reports\"\n"
        ),
    );
    let ran = run(&[&words[..], &["--scope", &scope, "--format", "json"]].concat());
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.contains("denied by the scope file"), "{}", ran.err);
}

#[test]
fn an_inventory_has_a_link_of_its_own_and_naming_it_names_no_target() {
    let made = "2026-01-02T03:04:05Z";
    // The inventory names its own container, too: it is no target, and nothing in it is looked at.
    let csv = [laptop_csv(), row(&format!("reports/{FOLDER}/rule.csv"), 9)].concat();
    let world = World::new(
        vec![
            ("rule-manifest.json", manifest(made, &["rule.csv"], 2).into_bytes()),
            ("rule.csv", csv.into_bytes()),
        ],
        PublicAccess::None,
    );
    let (link, secret) = world.link(&format!("/reports/{FOLDER}/rule-manifest.json"));
    let target = format!("az://{ACCOUNT}/laptops");
    let endpoint = world.endpoint();
    let case = world.folder.path().join("b.case");
    let case = case.to_str().unwrap();
    let words = ["scan", &target, "--endpoint", &endpoint, "--inventory"];
    let ran = run(&[&words[..], &[&link, "--case", case, "--format", "json"]].concat());
    // Strangers read nothing of the laptop, and the link of the inventory is not used for it.
    let report = ran.json();
    assert_eq!(report["run"]["objects"], 1, "{} {}", ran.out, ran.err);
    assert_eq!(report["findings"].as_array().unwrap().len(), 0, "{}", ran.out);
    assert!(has(&gaps(&report), "1 rows of the inventory are outside"), "{:?}", gaps(&report));
    assert!(!ran.out.contains(&secret) && !ran.err.contains(&secret));

    // Mistakes are told before anything is asked.
    for (word, says) in [
        (place(""), "names no manifest"),
        (format!("az://{ACCOUNT}"), "names no manifest"),
        ("s3://".to_owned(), "names no manifest"),
        ("https://example.com/a?token=hunter2".to_owned(), "neither a storage URL"),
    ] {
        let ran = run(&[&words[..], &[&word]].concat());
        assert_eq!(ran.code, 2, "{word}: {}", ran.out);
        assert!(ran.err.contains(says) && !ran.err.contains("hunter2"), "{word}: {}", ran.err);
    }
    let absent = place("other.json");
    let ran = run(&[&words[..], &[&absent]].concat());
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.contains("cannot read az://") && ran.err.contains("other.json"), "{}", ran.err);
}

#[test]
fn what_only_its_owner_can_decrypt_is_named_and_never_asked_for() {
    let size = private_key(7).len();
    let csv = format!(
        "Name,Last-Modified,Content-Length,AccessTier,Etag,ServerEncrypted,CustomerProvidedKeySha256\n\
         laptops/PC-17/Users/dana/.ssh/id_ed25519,2026-01-02T03:04:05Z,{size},Hot,0x1,true,\n\
         laptops/notes.txt,2026-01-02T03:04:05Z,13,Hot,0x1,true,cXF1ZWVu\n"
    );
    let world = World::new(
        vec![
            ("rule-manifest.json", manifest("2026-01-02T03:04:05Z", &["rule.csv"], 2).into_bytes()),
            ("rule.csv", csv.into_bytes()),
        ],
        PublicAccess::None,
    );
    let (target, _) = world.link("");
    let (place, endpoint) = (place("rule-manifest.json"), world.endpoint());
    let case = world.folder.path().join("c.case");
    let case = case.to_str().unwrap();
    let ran = run(&[
        "scan",
        &target,
        "--inventory",
        &place,
        "--endpoint",
        &endpoint,
        "--case",
        case,
        "--format",
        "json",
    ]);
    let report = ran.json();
    let skipped = &report["coverage"][0]["skipped"];
    assert_eq!(
        skipped["encrypted with a key that only its owner has"], 1,
        "{} {}",
        ran.out, ran.err
    );
    let trail = run(&["trail", case, "--url", "notes.txt", "--format", "jsonl"]);
    assert!(!trail.out.contains("notes.txt"), "{}", trail.out);
    let out = world.folder.path().join("segments");
    let ran = run(&["inventory", case, "--out", out.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let bytes = std::fs::read(out.join("objects-00000.parquet")).unwrap();
    assert!(bytes.windows(10).any(|part| part == b"encryption"));
}

/// A Parquet file with what an inventory has, and a column of a hundred times as much.
fn parquet(folder: &Path, rows: usize) -> Vec<u8> {
    let mut writer = SegmentWriter::create(folder).unwrap();
    for number in 0..rows {
        let key = if number == 77 {
            "laptops/PC-17/Users/dana/.ssh/id_ed25519".to_owned()
        } else {
            format!("laptops/{:016x}", (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
        };
        let noise: String = (0..96_u64)
            .map(|part| {
                let seed = (number as u64 * 96 + part).wrapping_mul(0xd6e8_feb8_6659_fd93);
                format!("{:016x}", seed ^ (seed >> 29))
            })
            .collect();
        let size = if number == 77 { private_key(7).len() as u64 } else { 0 };
        let object = Object {
            key,
            size,
            etag: Some("0x1".into()),
            modified: Some(time()),
            ..Object::default()
        };
        let row = SegmentRow {
            store: String::new(),
            container: String::new(),
            object,
            state: "pending",
            reason: Some(noise),
            bytes_read: 0,
        };
        writer.push(row).unwrap();
    }
    assert_eq!(writer.finish().unwrap(), (1, rows as u64));
    std::fs::read(folder.join("objects-00000.parquet")).unwrap()
}

#[test]
fn of_parquet_only_the_columns_that_mean_something_are_fetched_and_each_once() {
    let folder = tempfile::tempdir().unwrap();
    let rows = 12_000;
    let bytes = parquet(folder.path(), rows);
    let length = bytes.len() as u64;
    let world = World::new(
        vec![
            (
                "rule-manifest.json",
                manifest("2026-01-02T03:04:05Z", &["rule.parquet"], rows as u64).into_bytes(),
            ),
            ("rule.parquet", bytes),
        ],
        PublicAccess::None,
    );
    let (target, _) = world.link("");
    let (place, endpoint) = (place("rule-manifest.json"), world.endpoint());
    let words = ["scan", &target, "--inventory", &place, "--endpoint", &endpoint, "--requests"];
    let ran = run(&[&words[..], &["80", "--format", "json"]].concat());
    let report = ran.json();
    assert_eq!(report["run"]["objects"], rows as u64, "{} {}", ran.out, ran.err);
    assert_eq!(report["findings"].as_array().unwrap().len(), 1, "{}", ran.err);
    let told = gaps(&report);
    assert!(!has(&told, "its manifest says"), "{told:?}");
    // Rows are read twice, for the names of containers and for the objects.
    let read = report["run"]["bytes_read"].as_u64().unwrap();
    assert!(length > 6 << 20 && read < length / 8, "{read} of {length}");

    // A budget that does not hold it is told, and nothing is looked into.
    let ran = run(&[
        "scan",
        &target,
        "--inventory",
        &place,
        "--endpoint",
        &endpoint,
        "--budget",
        "100000",
        "--format",
        "json",
    ]);
    let told = gaps(&ran.json());
    assert!(has(&told, "rule.parquet: a data file of the inventory"), "{told:?}");
    assert!(has(&told, "budget spent"), "{told:?}");
    assert!(world.replica.bytes_sent() < length);
}

#[test]
fn two_inventories_of_one_account_are_told_and_the_newer_decides() {
    let older = [laptop_csv(), row("laptops/notes.txt", 4000)].concat();
    let newer = [CSV.to_owned(), row("laptops/notes.txt", 13)].concat();
    let world = World::new(
        vec![
            ("old-manifest.json", manifest("2026-01-01T00:00:00Z", &["old.csv"], 2).into_bytes()),
            ("old.csv", older.into_bytes()),
            ("new-manifest.json", manifest("2026-01-02T00:00:00Z", &["new.csv"], 1).into_bytes()),
            ("new.csv", newer.into_bytes()),
        ],
        PublicAccess::None,
    );
    let (target, _) = world.link("");
    let endpoint = world.endpoint();
    let (old, new) = (place("old-manifest.json"), place("new-manifest.json"));
    for (first, second) in [(&old, &new), (&new, &old)] {
        let words = ["scan", &target, "--endpoint", &endpoint, "--format", "json"];
        let given = ["--inventory", first, "--inventory", second, "--inventory", first];
        let ran = run(&[&words[..], &given].concat());
        let report = ran.json();
        assert_eq!(report["run"]["objects"], 2, "{}", ran.err);
        // The size is that of the newer one.
        let size = private_key(7).len() as u64 + 13;
        assert_eq!(report["run"]["bytes_listed"], size, "{}", ran.out);
        let told = gaps(&report);
        assert!(
            has(&told, "laptops: named by 2 inventories (2026-01-02T00:00:00Z, 2026-01-01"),
            "{told:?}"
        );
        assert!(has(&told, "the same inventory was given twice"), "{told:?}");
    }
}

fn md5(bytes: &[u8]) -> String {
    md5::Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn an_inventory_in_a_bucket_is_read_with_the_users_own_keys_and_checked() {
    let user = S3User {
        id: concat!("AK", "IAQ7ZLIDLESSTESTA4").into(),
        secret: ["kJ8mZp2Qx7", "Lw4Rt9Yv1N", "s6Bd3Fg5Hc", "0KaEqUiOyU"].concat(),
    };
    let Some(service) = Radosgw::start(std::slice::from_ref(&user)) else { return };
    let key = private_key(9).into_bytes();
    for bucket in ["lab-data", "lab-reports"] {
        service.put_bucket(&user, bucket, "private");
    }
    service.put_object(&user, "lab-data", "pc/id_ed25519", &key);
    let csv = format!("\"lab-data\",\"pc/id_ed25519\",\"{}\",\"SSE-S3\"\n", key.len());
    let data = gzip(&csv);
    let put_manifest = |sum: &str| {
        let text = format!(
            r#"{{"sourceBucket":"lab-data","fileFormat":"CSV",
            "fileSchema":"Bucket, Key, Size, EncryptionStatus",
            "files":[{{"key":"inv/lab-data/daily/data/1.csv.gz","MD5checksum":"{sum}"}}]}}"#
        );
        let name = "inv/lab-data/daily/2026-11-01T01-00Z/manifest.json";
        service.put_object(&user, "lab-reports", name, text.as_bytes());
        format!("s3://lab-reports/{name}")
    };
    service.put_object(&user, "lab-reports", "inv/lab-data/daily/data/1.csv.gz", &data);
    let endpoint = format!("s3={}", service.url());
    let scan = |place: &str| {
        let mut command = std::process::Command::new(lidless_program_tests::lidless());
        command.args(["scan", "s3://lab-data", "--credentials", "aws", "--inventory", place]);
        command.args(["--endpoint", &endpoint, "--format", "json"]);
        command.env("AWS_ACCESS_KEY_ID", &user.id).env("AWS_SECRET_ACCESS_KEY", &user.secret);
        command.env("AWS_REGION", "us-east-1").env_remove("AWS_PROFILE");
        let out = command.output().unwrap();
        let err = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(!err.contains(&user.secret), "{err}");
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        serde_json::from_str::<Value>(&text).unwrap_or_else(|_| panic!("{text} {err}"))
    };
    let report = scan(&put_manifest(&md5(&data)));
    assert_eq!(report["run"]["objects"], 1, "{report}");
    assert_eq!(report["findings"].as_array().unwrap().len(), 1, "{report}");
    assert!(!has(&gaps(&report), "MD5"), "{:?}", gaps(&report));
    let report = scan(&put_manifest(&"0".repeat(32)));
    assert!(has(&gaps(&report), "not what its manifest says (MD5)"), "{:?}", gaps(&report));
    assert_eq!(report["findings"].as_array().unwrap().len(), 1, "{report}");
}

/// A Cloud Storage of a few objects that everyone reads, told by the requests that it gets.
fn google(objects: Vec<(&'static str, Vec<u8>)>) -> Issuer {
    Issuer::start(move |_, head| {
        let target = head.split(' ').nth(1).unwrap_or("");
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = path.replace("%2F", "/").replace("%2f", "/");
        let Some(rest) = path.strip_prefix("/storage/v1/b/") else {
            return Reply::say(404, "{}");
        };
        if rest.ends_with("/iam/testPermissions") {
            let may = r#"["storage.objects.list","storage.objects.get"]"#;
            let kind = "storage#testIamPermissionsResponse";
            return Reply::say(200, &format!(r#"{{"kind":"{kind}","permissions":{may}}}"#));
        }
        if rest.ends_with("/o") {
            return Reply::say(200, r#"{"kind":"storage#objects"}"#);
        }
        let Some((name, bytes)) =
            objects.iter().find(|(name, _)| rest.replacen("/o/", "/", 1) == *name)
        else {
            return Reply::say(404, r#"{"error":{"errors":[{"reason":"notFound"}]}}"#);
        };
        if query.contains("alt=media") {
            let text = String::from_utf8(bytes.clone()).unwrap();
            return Reply::with(200, "x-goog-generation: 1", &text);
        }
        let key = name.split_once('/').unwrap().1;
        let size = bytes.len();
        Reply::say(
            200,
            &format!(
                r#"{{"kind":"storage#object","name":"{key}","size":"{size}","generation":"1"}}"#
            ),
        )
    })
}

#[test]
fn a_report_of_google_is_read_in_the_bucket_that_it_was_written_to() {
    let key = private_key(5);
    let rows = format!(
        "bucket;name;size;updated;storageClass;etag;kmsKeyName\n\
         weights;pc/id_ed25519;{};2026-01-02T03:04:05Z;STANDARD;CJ;\n\
         other;x.txt;1;2026-01-02T03:04:05Z;STANDARD;CJ;\n",
        key.len()
    );
    let manifest = r#"{"report_config":{"csv_options":{"delimiter":";","header_required":true}},
        "records_processed":2,"snapshot_time":"2026-01-20T00:00:00Z","shard_count":1,
        "report_shards_file_names":["r_0.csv"]}"#;
    let service = google(vec![
        ("lab-reports/inv/2026/r_manifest.json", manifest.into()),
        ("lab-reports/inv/2026/r_0.csv", rows.into_bytes()),
        ("weights/pc/id_ed25519", key.into_bytes()),
    ]);
    let endpoint = format!("gcs={}", service.url());
    let place = "gs://lab-reports/inv/2026/r_manifest.json";
    let words = ["scan", "gs://weights", "--endpoint", &endpoint, "--format", "json"];
    let ran = run(&[&words[..], &["--inventory", place]].concat());
    let report = ran.json();
    assert_eq!(report["run"]["objects"], 1, "{} {}", ran.out, ran.err);
    assert_eq!(report["findings"].as_array().unwrap().len(), 1, "{}", ran.out);
    let told = gaps(&report);
    assert!(has(&told, "1 rows of the inventory are outside"), "{told:?}");
    assert!(!has(&told, "its manifest says"), "{told:?}");
    // Once for the names of buckets and once for the objects, fetched once.
    let fetched = |name: &str| {
        let asked = |head: &&String| head.contains(name) && head.contains("alt=media");
        service.requests().iter().filter(asked).count()
    };
    assert_eq!((fetched("r_manifest.json"), fetched("r_0.csv")), (1, 1));
    assert!(service.requests().iter().all(|head| head.starts_with("GET ")));

    // Another name: what answered, and what to do.
    let absent = "gs://lab-reports/inv/2026/absent.json";
    let ran = run(&[&words[..], &["--inventory", absent]].concat());
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.contains("404") && ran.err.contains("as a stranger"), "{}", ran.err);
}
