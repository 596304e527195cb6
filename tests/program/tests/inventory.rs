//! A link that may read and not list, and the inventory that says what there is to read.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use lidless_kit::{Azurite, Radosgw, S3User};
use lidless_program_tests::{account_sas, pickle_that_runs, private_key, random_key, run};
use serde_json::Value;
use std::path::{Path, PathBuf};

const ACCOUNT: &str = "fabrikamlab8";

fn gaps(report: &Value) -> Vec<&str> {
    let gaps = report["gaps"].as_array().unwrap();
    gaps.iter().filter_map(|gap| gap["reason"].as_str()).collect()
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn azure_manifest(folder: &Path, count: u64) -> PathBuf {
    let text = format!(
        r#"{{"endpoint":"https://{ACCOUNT}.blob.core.windows.net","files":[{{"blob":"x/rule.csv"}}],
        "inventoryStartTime":"2026-01-02T03:04:05Z","ruleDefinition":{{"format":"csv",
        "objectType":"blob"}},"status":"Succeeded","summary":{{"objectCount":{count}}}}}"#
    );
    write(folder, "rule-manifest.json", &text)
}

#[test]
fn a_link_that_cannot_list_is_judged_by_what_the_inventory_names() {
    let (key1, key2) = (random_key(), random_key());
    let Some(azurite) = Azurite::start(&[(ACCOUNT, &key1, &key2)]) else { return };
    let blobs: [(&str, &str, Vec<u8>); 3] = [
        ("checkpoints", "nets/a, b.ckpt", pickle_that_runs()),
        ("laptops", "PC-17/Users/dana/.ssh/id_ed25519", private_key(7).into_bytes()),
        ("laptops", "notes.txt", b"nothing here\n".to_vec()),
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut csv = "Name,Last-Modified,Content-Length,AccessTier,Etag,LeaseState\n".to_owned();
    for container in ["checkpoints", "laptops"] {
        azurite.put_container(ACCOUNT, container, None);
    }
    for (container, name, content) in &blobs {
        azurite.put_blob(ACCOUNT, container, name, content);
        let line = format!(
            "\"{container}/{name}\",2026-01-02T03:04:05Z,{},Hot,0x1,available\n",
            content.len()
        );
        csv.push_str(&line);
    }
    // The ETags are those of before: what is there now is read, and what is gone is told.
    csv.push_str("\"laptops/gone.env\",2026-01-02T03:04:05Z,5,Hot,0x1,available\n");
    write(folder.path(), "rule.csv", &csv);
    let manifest = azure_manifest(folder.path(), 4);
    let manifest = manifest.to_str().unwrap();
    let token = account_sas(ACCOUNT, &key1, "r", "", "2051-10-06T07:00:00Z");
    let link = format!("{}/{ACCOUNT}?{token}", azurite.url());
    let link = write(folder.path(), "link.txt", &link);
    let link = format!("@{}", link.display());

    // Without the inventory, nothing is known of what the link opens.
    let ran = run(&["scan", &link, "--format", "json"]);
    assert_eq!(ran.json()["run"]["objects"], 0, "{}", ran.err);

    let case = folder.path().join("a.case");
    let case = case.to_str().unwrap();
    let ran = run(&["scan", &link, "--inventory", manifest, "--case", case, "--format", "json"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let report = ran.json();
    assert_eq!(report["run"]["objects"], 4);
    assert_eq!(report["grants"][0]["status"], "live");
    let found: Vec<&str> =
        report["findings"].as_array().unwrap().iter().filter_map(|f| f["rule"].as_str()).collect();
    assert!(found.contains(&"model.dangerous"), "{found:?}");
    assert!(found.iter().any(|rule| rule.contains("private_key")), "{found:?}");
    assert_eq!(report["coverage"][1]["skipped"]["gone or changed since it was listed"], 1);
    let told = gaps(&report);
    assert!(told.iter().any(|gap| gap.contains("named by an inventory of 2026-01-02")), "{told:?}");
    assert!(!told.iter().any(|gap| gap.contains("its manifest says")), "{told:?}");

    // A resumed run takes the same inventory again and doubles nothing.
    let ran = run(&["scan", &link, "--case", case, "--resume", "--format", "json"]);
    let again = ran.json();
    assert_eq!(again["run"]["objects"], 4, "{}", ran.err);
    assert_eq!(again["exposures"][0]["score"], report["exposures"][0]["score"]);

    // What the case knows goes on to other tools.
    let out = folder.path().join("inventory");
    let ran = run(&["inventory", case, "--out", out.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.starts_with("4 objects in 1 Parquet file"), "{}", ran.out);
    let bytes = std::fs::read(out.join("objects-00000.parquet")).unwrap();
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    let ran = run(&["inventory", case, "--out", out.to_str().unwrap()]);
    assert_eq!(ran.code, 2, "{}", ran.out);

    // Rows that are missing are told.
    let manifest = azure_manifest(folder.path(), 5);
    let ran = run(&["scan", &link, "--inventory", manifest.to_str().unwrap(), "--format", "json"]);
    let report = ran.json();
    let told = gaps(&report);
    assert!(
        told.contains(&"the inventory has 4 rows, and its manifest says 5"),
        "{told:?}\n{}",
        ran.err
    );
    assert!(!ran.out.contains(token.rsplit("sig=").next().unwrap()));
}

#[test]
fn what_strangers_may_read_and_not_list_is_found_and_what_they_may_not_is_not() {
    let user = S3User {
        id: concat!("AK", "IAQ7ZLIDLESSTESTA3").into(),
        secret: ["kJ8mZp2Qx7", "Lw4Rt9Yv1N", "s6Bd3Fg5Hc", "0KaEqUiOyT"].concat(),
    };
    let Some(service) = Radosgw::start(std::slice::from_ref(&user)) else { return };
    let key = private_key(9).into_bytes();
    for bucket in ["lab-hidden", "lab-shut"] {
        service.put_bucket(&user, bucket, "private");
    }
    service.put_open_object(&user, "lab-hidden", "pc/a b+c/id_ed25519", &key);
    service.put_object(&user, "lab-shut", "pc/a b+c/id_ed25519", &key);
    let endpoint = format!("s3={}", service.url());
    let folder = tempfile::tempdir().unwrap();
    let scan = |bucket: &str, target: &str| {
        let csv = format!("\"{bucket}\",\"pc/a+b%2Bc/id_ed25519\",\"{}\"\n", key.len());
        write(folder.path(), "1.csv", &csv);
        let text = format!(
            r#"{{"sourceBucket":"{bucket}","fileFormat":"CSV","fileSchema":"Bucket, Key, Size",
               "files":[{{"key":"inv/data/1.csv"}}]}}"#
        );
        let manifest = write(folder.path(), "manifest.json", &text);
        let manifest = manifest.to_str().unwrap();
        run(&["scan", target, "--endpoint", &endpoint, "--inventory", manifest, "--format", "json"])
    };

    let ran = scan("lab-hidden", "s3://lab-hidden");
    let report = ran.json();
    assert_eq!(report["grants"][0]["status"], "live", "{}", ran.err);
    assert_eq!(report["exposures"][0]["objects"], 1, "{}", ran.out);
    assert_eq!(report["findings"].as_array().unwrap().len(), 1, "{}", ran.out);

    let ran = scan("lab-shut", "s3://lab-shut");
    let report = ran.json();
    assert_eq!(report["grants"][0]["status"], "denied", "{}", ran.err);
    assert_eq!(report["run"]["objects"], 1, "{}", ran.out);
    assert_eq!(report["findings"].as_array().unwrap().len(), 0, "{}", ran.out);

    // The inventory of another bucket is a mistake that is told before anything is asked.
    let ran = scan("lab-hidden", "s3://lab-shut");
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.contains("s3://lab-hidden"), "{}", ran.err);
}
