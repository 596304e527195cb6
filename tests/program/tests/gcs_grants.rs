//! What each kind of grant of Cloud Storage declares and what reads show of it, through the
//! program and against a service that answers as the JSON interface's reference says: the table
//! of docs/storage.md.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    dead_code,
    unreachable_pub,
    missing_docs
)]

// The same service that the client itself is tested against.
#[path = "../../../crates/storage/tests/bucket_service/mod.rs"]
mod bucket_service;

use bucket_service::{BucketService, Kept, private_key};
use lidless_program_tests::{assert_documented, rights_table, run_with};
use rsa::pkcs8::{EncodePrivateKey as _, LineEnding};
use serde_json::{Value, json};

const TOKEN: &str = "a-token-of-nobody";
const EMAIL: &str = "reader@contoso-lab.iam.gserviceaccount.com";
const VARIABLE: &str = "CLOUDSDK_AUTH_ACCESS_TOKEN";

#[test]
fn the_table_of_what_each_grant_shows_is_what_the_program_says() {
    let key = private_key(7);
    let objects = vec![
        Kept::new("models", "a.txt", b"nothing of note\n"),
        Kept::new("open", "a.txt", b"for all\n"),
    ];
    let service = BucketService::start(TOKEN, EMAIL, key.to_public_key(), objects);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("account.json");
    let pem = key.to_pkcs8_pem(LineEnding::LF).unwrap();
    let account = json!({"type": "service_account", "project_id": "contoso-lab",
        "private_key_id": "k1", "private_key": pem.as_str(), "client_email": EMAIL});
    std::fs::write(&file, account.to_string()).unwrap();
    let file = file.to_str().unwrap();
    let endpoint = format!("gcs={}", service.url());
    let scan = |mechanism: &str, target: &str, variables: &[(&str, &str)]| -> Value {
        let mut arguments = vec!["scan", target, "--endpoint", &endpoint, "--format", "json"];
        if !variables.is_empty() {
            arguments.extend(["--credentials", "gcs"]);
        }
        let home = folder.path().to_str().unwrap();
        let variables = [variables, &[("HOME", home)]].concat();
        let ran = run_with(&variables, &arguments);
        assert!(!ran.out.contains(TOKEN) && !ran.err.contains(TOKEN));
        let grants = ran.json()["grants"].as_array().unwrap().clone();
        let found = grants.iter().find(|grant| grant["mechanism"] == mechanism);
        found.unwrap_or_else(|| panic!("{target}: {grants:#?} {}", ran.err)).clone()
    };
    let token = &[(VARIABLE, TOKEN), ("GOOGLE_CLOUD_PROJECT", "contoso-lab")][..];
    let over = &[(VARIABLE, "one-that-is-over")][..];
    let key = &[("GOOGLE_APPLICATION_CREDENTIALS", file)][..];
    let rows = [
        ("nothing, an open bucket", "gcs_anonymous", "gs://open", &[][..]),
        ("nothing, an object of it", "gcs_anonymous", "gs://open/a.txt", &[][..]),
        ("nothing, a private bucket", "gcs_anonymous", "gs://models", &[][..]),
        ("access token, all buckets", "gcs_access_token", "gs://", token),
        ("access token, a bucket", "gcs_access_token", "gs://models", token),
        ("access token, an object", "gcs_access_token", "gs://models/a.txt", token),
        ("access token, one whose policy it sees", "gcs_access_token", "gs://open", token),
        ("access token, over", "gcs_access_token", "gs://models", over),
        ("service account key, all buckets", "gcs_service_account", "gs://", key),
        ("service account key, a bucket", "gcs_service_account", "gs://models", key),
    ];
    let of = |(name, mechanism, target, variables): &(&str, &str, &str, &[(&str, &str)])| {
        rights_table(name, &scan(mechanism, target, variables))
    };
    let lines: Vec<String> = rows.iter().flat_map(of).collect();
    assert!(service.verbs().iter().all(|verb| verb == "GET"), "{:?}", service.verbs());
    assert_documented("### What each grant of Cloud Storage declares and what reads show", &lines);
}
