//! S3 from a repository to a judged exposure, against Ceph's gateway.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use lidless_kit::{Radosgw, S3User};
use lidless_program_tests::{Repository, pickle_that_runs, private_key, run};
use serde_json::Value;

fn rules(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().filter_map(|finding| finding["rule"].as_str()).collect()
}

#[test]
fn keys_links_and_open_buckets_are_followed_and_judged() {
    let user = S3User {
        id: concat!("AK", "IAQ7ZLIDLESSTESTA2").into(),
        secret: ["kJ8mZp2Qx7", "Lw4Rt9Yv1N", "s6Bd3Fg5Hc", "0KaEqUiOyT"].concat(),
    };
    let Some(service) = Radosgw::start(std::slice::from_ref(&user)) else { return };
    service.put_bucket(&user, "lab-weights", "public-read");
    service.put_bucket(&user, "lab-backups", "private");
    service.put_object(&user, "lab-weights", "nets/a b.ckpt", &pickle_that_runs());
    let key = private_key(7).into_bytes();
    service.put_object(&user, "lab-backups", "pc/Users/dana/.ssh/id_ed25519", &key);
    let endpoint = format!("s3={}", service.url());

    // A bucket that answers to strangers, by its name.
    let ran = run(&["scan", "s3://lab-weights", "--endpoint", &endpoint, "--format", "json"]);
    let report = ran.json();
    assert_eq!(report["grants"][0]["mechanism"], "s3_anonymous", "{}", ran.err);
    assert_eq!(report["grants"][0]["status"], "live");
    assert_eq!(report["exposures"][0]["containers"][0]["public"], "container");
    assert_eq!(report["exposures"][0]["objects"], 1);
    let ran = run(&["scan", "s3://lab-backups", "--endpoint", &endpoint, "--format", "json"]);
    assert_eq!(ran.json()["grants"][0]["status"], "denied", "{}", ran.err);

    // A key in a history opens everything.
    let repository = Repository::new().unwrap();
    repository.commit(
        "deploy.env",
        format!("AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n", user.id, user.secret),
        "2024-01-01T12:00:00Z",
        "Deploy",
    );
    let path = repository.path().to_str().unwrap();
    let ran = run(&[
        "scan",
        path,
        "--follow",
        "--endpoint",
        &endpoint,
        "--format",
        "json",
        "--no-history",
    ]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let report = ran.json();
    assert_eq!(report["grants"][0]["status"], "live", "{}", ran.out);
    assert_eq!(report["exposures"][0]["objects"], 2);
    let found = rules(&report);
    assert!(found.contains(&"model.dangerous"), "{found:?}");
    assert!(found.iter().any(|rule| rule.contains("private_key")), "{found:?}");
    assert!(!ran.out.contains(&user.secret) && !ran.err.contains(&user.secret));

    let ran = run(&["scan", path, "--follow", "--endpoint", &endpoint, "--no-history"]);
    let lines: Vec<&str> = ran.out.lines().collect();
    let found = lines.iter().position(|line| line.trim_start().starts_with("Found ")).unwrap();
    let of_exposure = lines[found..].iter().take_while(|line| !line.contains("Do now"));
    assert!(of_exposure.into_iter().any(|line| line.contains("id_ed25519")), "{}", ran.out);

    // A presigned URL opens one object.
    let link = service.presigned(&user, "GET", "lab-weights/nets/a b.ckpt", None, 900);
    repository.commit("README.md", format!("Get it: {link}\n"), "2024-01-02T12:00:00Z", "Link");
    let readme = repository.path().join("README.md");
    let ran = run(&["scan", readme.to_str().unwrap(), "--follow", "--format", "json"]);
    let report = ran.json();
    assert_eq!(report["grants"][0]["mechanism"], "s3_presigned_v4", "{}", ran.err);
    assert_eq!(report["grants"][0]["status"], "live");
    assert_eq!(report["exposures"][0]["objects"], 1);
    assert!(rules(&report).contains(&"model.dangerous"), "{}", ran.out);
    let signature = link.rsplit('=').next().unwrap();
    assert!(!ran.out.contains(signature) && !ran.err.contains(signature));
}
