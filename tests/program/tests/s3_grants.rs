//! What each kind of grant of S3 declares and what reads show of it, through the program and
//! against Ceph's gateway: the table of docs/storage.md.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use lidless_kit::{Radosgw, S3User};
use lidless_program_tests::{assert_documented, rights_table, run_with};
use serde_json::Value;
use std::path::Path;

struct World {
    service: Radosgw,
    owner: S3User,
}

fn world() -> Option<World> {
    let owner = S3User {
        id: concat!("AK", "IAQ7ZLIDLESSTESTB3").into(),
        secret: ["pW8mZp2Qx7", "Lw4Rt9Yv1N", "s6Bd3Fg5Hc", "0KaEqUiOyT"].concat(),
    };
    let service = Radosgw::start(std::slice::from_ref(&owner))?;
    for (bucket, acl) in [
        ("lab-private", "private"),
        ("lab-readable", "private"),
        ("lab-open", "public-read"),
        ("lab-dropbox", "public-read-write"),
        ("lab-members", "authenticated-read"),
        ("lab-blocked", "public-read-write"),
    ] {
        service.put_bucket(&owner, bucket, acl);
        service.put_object(&owner, bucket, "a.txt", b"nothing of note\n");
    }
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",
        "Action":"s3:GetObject","Resource":"arn:aws:s3:::lab-readable/*"}]}"#;
    service.put_policy(&owner, "lab-readable", policy);
    service.put_public_access_block(&owner, "lab-blocked", true);
    Some(World { service, owner })
}

impl World {
    /// The grant of that mechanism that the program tells of.
    fn scan(&self, folder: &Path, mechanism: &str, target: &str, more: &[&str]) -> Value {
        let target = if target.starts_with("http") {
            let file = folder.join("link.txt");
            std::fs::write(&file, target).unwrap();
            format!("@{}", file.display())
        } else {
            target.to_owned()
        };
        let endpoint = format!("s3={}", self.service.url());
        let arguments = ["scan", &target, "--endpoint", &endpoint, "--format", "json"];
        let arguments = [&arguments[..], more].concat();
        let own = [
            ("AWS_ACCESS_KEY_ID", self.owner.id.as_str()),
            ("AWS_SECRET_ACCESS_KEY", self.owner.secret.as_str()),
        ];
        let ran = run_with(&own, &arguments);
        assert!(!ran.out.contains(&self.owner.secret) && !ran.err.contains(&self.owner.secret));
        let grants = ran.json()["grants"].as_array().unwrap().clone();
        let found = grants.iter().find(|grant| grant["mechanism"] == mechanism);
        found.unwrap_or_else(|| panic!("{target}: no {mechanism} in {grants:#?}")).clone()
    }
}

#[test]
fn the_table_of_what_each_grant_shows_is_what_the_program_says() {
    let Some(world) = world() else { return };
    let folder = tempfile::tempdir().unwrap();
    let signed = |method, time: Option<&str>| {
        world.service.presigned(&world.owner, method, "lab-private/a.txt", time, 900)
    };
    let list = world.service.presigned(&world.owner, "GET", "lab-private", None, 900);
    let second =
        world.service.presigned_v2(&world.owner, "GET", "lab-private/a.txt", 4_102_444_800);
    let keys = folder.path().join("keys.txt");
    std::fs::write(&keys, format!("{}:{}\n", world.owner.id, world.owner.secret)).unwrap();
    let private = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o600);
    std::fs::set_permissions(&keys, private).unwrap();
    let keys = keys.to_str().unwrap();
    let (own, none) = (&["--credentials", "aws"][..], &[][..]);
    let known = &["--keys", keys][..];
    let (key, anyone) = ("aws_access_key", "s3_anonymous");
    let rows: [(&str, &str, String, &[&str]); 17] = [
        ("access key, all buckets", key, "s3://".into(), own),
        ("access key, a private bucket", key, "s3://lab-private".into(), own),
        ("access key, an object of it", key, "s3://lab-private/a.txt".into(), own),
        ("access key, a bucket read by policy", key, "s3://lab-readable".into(), own),
        ("access key, a bucket open to writers", key, "s3://lab-dropbox".into(), own),
        ("access key, one with a public access block", key, "s3://lab-blocked".into(), own),
        ("access key, a bucket open to accounts", key, "s3://lab-members".into(), own),
        ("nothing, an open bucket", anyone, "s3://lab-open".into(), none),
        ("nothing, an object read by policy", anyone, "s3://lab-readable/a.txt".into(), none),
        ("nothing, a private bucket", anyone, "s3://lab-private".into(), none),
        ("signed URL (V4), `GET`", "s3_presigned_v4", signed("GET", None), none),
        ("signed URL (V4), `GET`, its key given", "s3_presigned_v4", signed("GET", None), known),
        (
            "signed URL (V4), `GET`, over",
            "s3_presigned_v4",
            { signed("GET", Some("20260101T000000Z")) },
            none,
        ),
        ("signed URL (V4), `GET` of a bucket", "s3_presigned_v4", list, none),
        ("signed URL (V4), `PUT`", "s3_presigned_v4", signed("PUT", None), none),
        ("signed URL (V4), `PUT`, its key given", "s3_presigned_v4", signed("PUT", None), known),
        ("signed URL (V2), `GET`", "s3_presigned_v2", second, none),
    ];
    let of = |(name, mechanism, target, more): &(&str, &str, String, &[&str])| {
        rights_table(name, &world.scan(folder.path(), mechanism, target, more))
    };
    let lines: Vec<String> = rows.iter().flat_map(of).collect();
    assert_documented("### What each grant of S3 declares and what reads show", &lines);
}
