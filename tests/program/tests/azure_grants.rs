//! What each kind of grant of Azure declares and what reads show of it, through the program and
//! against the real emulator: the table of docs/storage.md.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lidless_kit::Azurite;
use lidless_program_tests::{Issuer, Reply, assert_documented, random_key, rights_table, run};
use lidless_token::{AccountSasParameters, ServiceSasParameters, hmac_base64};
use serde_json::Value;
use std::path::Path;

const ACCOUNT: &str = "contosolab";
const VERSION: &str = "2021-06-08";
const END: &str = "2051-10-06T07:00:00Z";

struct World {
    blobs: Azurite,
    queues: Azurite,
    tables: Azurite,
    key: String,
}

fn world() -> Option<World> {
    let (key, other) = (random_key(), random_key());
    let accounts = [(ACCOUNT, key.as_str(), other.as_str())];
    let blobs = Azurite::start(&accounts)?;
    let queues = Azurite::start_service("queue", &accounts)?;
    let tables = Azurite::start_service("table", &accounts)?;
    for (name, public) in
        [("models", None), ("open", Some("container")), ("half-open", Some("blob"))]
    {
        blobs.put_container(ACCOUNT, name, public);
        blobs.put_blob(ACCOUNT, name, "a.txt", b"nothing of note\n");
    }
    blobs.set_policy(ACCOUNT, "models", Some(("readers", "rl", END)));
    queues.put_queue(ACCOUNT, "jobs", &["a job"]);
    let row = "{\"PartitionKey\":\"p\",\"RowKey\":\"1\"}".to_owned();
    tables.put_table(ACCOUNT, "people", &[row]);
    Some(World { blobs, queues, tables, key })
}

/// A user delegation SAS for a container: signed with the key that the emulator would give an
/// identity, by the formulas of the service's documentation.
fn delegated(container: &str, letters: &str) -> String {
    let (object, tenant) =
        ("11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222");
    let start = "2026-01-01T00:00:00Z";
    let seed = STANDARD.encode("azurite-user-delegation-signing-seed-v1");
    let key = [object, tenant, start, END, "b", VERSION].join("\n");
    let key = hmac_base64(&seed, &key).unwrap();
    let place = format!("/blob/{ACCOUNT}/{container}");
    let text = [
        letters, "", END, &place, object, tenant, start, END, "b", VERSION, "", "", "", "", "",
        VERSION, "c", "", "", "", "", "", "", "",
    ];
    let signature = hmac_base64(&key, &text.join("\n")).unwrap();
    let encoded = |text: &str| {
        text.replace(':', "%3A").replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
    };
    format!(
        "sv={VERSION}&sr=c&sp={letters}&se={end}&skoid={object}&sktid={tenant}&skt={}&ske={end}\
         &sks=b&skv={VERSION}&sig={}",
        encoded(start),
        encoded(&signature),
        end = encoded(END),
    )
}

impl World {
    fn account(&self, services: &str, types: &str, letters: &str) -> String {
        let token = AccountSasParameters {
            version: VERSION.into(),
            services: services.into(),
            resource_types: types.into(),
            permissions: letters.into(),
            expiry: END.into(),
            ..AccountSasParameters::default()
        };
        token.mint(ACCOUNT, &self.key).unwrap()
    }

    fn service(&self, path: &str, letters: &str, expiry: &str, policy: &str) -> String {
        let resource = if path.contains('/') { "b" } else { "c" };
        let token = ServiceSasParameters {
            version: VERSION.into(),
            resource: resource.into(),
            permissions: letters.into(),
            expiry: expiry.into(),
            identifier: policy.into(),
            ..ServiceSasParameters::default()
        };
        token.mint(ACCOUNT, path, &self.key).unwrap()
    }

    /// What the program says of one target.
    fn scan(&self, folder: &Path, target: &str) -> Value {
        let signature = target.rsplit_once("sig=").map(|(_, signature)| signature);
        let file = folder.join("target.txt");
        std::fs::write(&file, target).unwrap();
        let target = format!("@{}", file.display());
        let blobs = format!("azure={}", self.blobs.url());
        let queues = format!("azure-queue={}", self.queues.url());
        let tables = format!("azure-table={}", self.tables.url());
        let ran = run(&[
            "scan",
            &target,
            "--endpoint",
            &blobs,
            "--endpoint",
            &queues,
            "--endpoint",
            &tables,
            "--format",
            "json",
        ]);
        for text in [&ran.out, &ran.err] {
            assert!(!text.contains(&self.key), "{text}");
            assert!(signature.is_none_or(|signature| !text.contains(signature)), "{text}");
        }
        ran.json()
    }
}

#[test]
fn the_table_of_what_each_grant_shows_is_what_the_program_says() {
    let Some(world) = world() else { return };
    let cloud = format!("https://{ACCOUNT}.blob.core.windows.net");
    let link = |path: &str, token: &str| format!("{cloud}/{path}?{token}");
    let rotated = AccountSasParameters {
        version: VERSION.into(),
        services: "b".into(),
        resource_types: "sco".into(),
        permissions: "rl".into(),
        expiry: END.into(),
        ..AccountSasParameters::default()
    };
    let rotated = rotated.mint(ACCOUNT, &random_key()).unwrap();
    let key = format!(
        "DefaultEndpointsProtocol=https;AccountName={ACCOUNT};AccountKey={};\
         EndpointSuffix=core.windows.net",
        world.key
    );
    let rows: Vec<(&str, String)> = vec![
        ("account key", key),
        ("account SAS, `ss=bqt srt=sco sp=rwdlacup`", {
            link("", &world.account("bqt", "sco", "rwdlacup"))
        }),
        ("account SAS, `ss=b srt=sco sp=rl`", link("", &world.account("b", "sco", "rl"))),
        ("account SAS, `ss=b srt=co sp=rl`, on a container", {
            link("models", &world.account("b", "co", "rl"))
        }),
        ("account SAS, `ss=b srt=o sp=r`, on a blob", {
            link("models/a.txt", &world.account("b", "o", "r"))
        }),
        ("account SAS, `ss=b srt=sco sp=wc`", link("", &world.account("b", "sco", "wc"))),
        ("account SAS, `ss=q srt=sco sp=rl`", link("", &world.account("q", "sco", "rl"))),
        ("account SAS, `ss=t srt=sco sp=rl`", link("", &world.account("t", "sco", "rl"))),
        ("account SAS, of a key that was renewed", link("", &rotated)),
        ("container SAS, `sp=rl`", link("models", &world.service("models", "rl", END, ""))),
        ("container SAS, `sp=r`", link("models", &world.service("models", "r", END, ""))),
        ("container SAS, `sp=rl`, over since 2021", {
            link("models", &world.service("models", "rl", "2021-10-05T00:00:00Z", ""))
        }),
        ("container SAS, `si=readers`, a policy of `rl`", {
            link("models", &world.service("models", "", "", "readers"))
        }),
        ("container SAS, `si=gone`, a policy that is not there", {
            link("models", &world.service("models", "", "", "gone"))
        }),
        ("blob SAS, `sp=r`", {
            link("models/a.txt", &world.service("models/a.txt", "r", END, ""))
        }),
        ("blob SAS, `sp=w`", {
            link("models/a.txt", &world.service("models/a.txt", "w", END, ""))
        }),
        ("user delegation SAS, `sr=c sp=rl`", link("models", &delegated("models", "rl"))),
        ("user delegation SAS, `sr=c sp=rwdl`", { link("models", &delegated("models", "rwdl")) }),
        ("nothing, a container open to strangers", format!("{cloud}/open")),
        ("nothing, a container open by blob", format!("{cloud}/half-open")),
        ("nothing, a blob of a container open by blob", format!("{cloud}/half-open/a.txt")),
        ("nothing, a private container", format!("{cloud}/models")),
    ];
    let folder = tempfile::tempdir().unwrap();
    let before = world.blobs.snapshot(ACCOUNT);
    let of = |(grant, target): &(&str, String)| {
        rights_table(grant, &world.scan(folder.path(), target)["grants"][0])
    };
    let lines: Vec<String> = rows.iter().flat_map(of).collect();
    assert_eq!(world.blobs.snapshot(ACCOUNT), before);
    assert_documented("### What each grant of Azure declares and what reads show", &lines);
}

#[test]
fn a_user_delegation_sas_is_told_to_be_bounded_by_the_identity_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("link.txt");
    let token = delegated("models", "rwl");
    let link = format!("https://{ACCOUNT}.blob.core.windows.net/models?{token}");
    std::fs::write(&file, &link).unwrap();
    let at = format!("@{}", file.display());
    let bound = "only as far as a role of the identity behind it allows the same";
    let report = run(&["inspect", &at, "--format", "json"]).json();
    let grant = &report["grants"][0];
    assert_eq!(grant["mechanism"], "azure_user_delegation_sas");
    let operations: Vec<&str> =
        grant["operations"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(operations.last().unwrap().starts_with(bound), "{operations:?}");
    assert!(grant["revocation"].as_str().unwrap().contains("take the role from the identity"));
    let human = run(&["inspect", &at]);
    let flat: Vec<&str> = human.out.split_whitespace().collect();
    assert!(flat.join(" ").contains(bound), "{}", human.out);
    let explained = run(&["inspect", &at, "--explain"]).out;
    let flat: Vec<&str> = explained.split_whitespace().collect();
    assert!(flat.join(" ").contains("a role of this identity allow"), "{explained}");
    // An account SAS has no such bound.
    let token = lidless_program_tests::account_sas(ACCOUNT, &random_key(), "rl", "", END);
    std::fs::write(&file, format!("https://{ACCOUNT}.blob.core.windows.net/?{token}")).unwrap();
    assert!(!run(&["inspect", &at, "--format", "json"]).out.contains("identity behind it"));
}

#[test]
fn the_blob_that_a_link_names_is_looked_into_though_nothing_is_listed() {
    let Some(world) = world() else { return };
    let secret = format!("DB_PASSWORD={}\n", "hunter2".repeat(3));
    world.blobs.put_blob(ACCOUNT, "models", "conf/.env", secret.as_bytes());
    let token = world.account("b", "o", "r");
    let target = format!("https://{ACCOUNT}.blob.core.windows.net/models/conf/.env?{token}");
    let folder = tempfile::tempdir().unwrap();
    let report = world.scan(folder.path(), &target);
    assert_eq!(report["exposures"][0]["objects"], 1);
    let findings = report["findings"].as_array().unwrap();
    let place = format!("az://{ACCOUNT}/models/conf/.env");
    assert!(
        findings.iter().any(|one| one["location"].as_str().unwrap().starts_with(&place)),
        "{findings:#?}"
    );
    // The names beside it stay unknown, and that is said.
    let gaps = report["gaps"].as_array().unwrap();
    assert!(gaps.iter().any(|gap| gap["reason"].as_str().unwrap().contains("does not list")));
}

#[test]
fn the_text_that_a_rejecting_service_signed_is_compared_with_the_token() {
    let scan = |signed: &str| {
        let body = format!(
            "<?xml version=\"1.0\"?><Error><Code>AuthenticationFailed</Code>\
             <AuthenticationErrorDetail>Signature did not match. String to sign used was {signed}\
             </AuthenticationErrorDetail></Error>"
        );
        let header = "x-ms-error-code: AuthenticationFailed";
        let service = Issuer::start(move |_, _| Reply::with(403, header, &body));
        let token = ServiceSasParameters {
            version: VERSION.into(),
            resource: "c".into(),
            permissions: "rl".into(),
            expiry: END.into(),
            ..ServiceSasParameters::default()
        };
        let token = token.mint(ACCOUNT, "models", &random_key()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("link.txt");
        let link = format!("https://{ACCOUNT}.blob.core.windows.net/models?{token}");
        std::fs::write(&file, link).unwrap();
        let endpoint = format!("azure={}", service.url());
        let target = format!("@{}", file.display());
        let ran = run(&["scan", &target, "--endpoint", &endpoint, "--format", "json"]);
        let grant = ran.json()["grants"][0].clone();
        assert_eq!(grant["status"], "revoked", "{}", ran.err);
        grant["observed"]["meaning"].as_str().unwrap().to_owned()
    };
    let text = |letters: &str, place: &str| {
        format!("{letters}\n\n{END}\n/blob/{ACCOUNT}/{place}\n\n\n\n{VERSION}\nc\n\n\n\n\n\n\n")
    };
    let same = scan(&text("rl", "models"));
    assert!(same.contains("the key was renewed") && same.contains("the same text"), "{same}");
    let other = scan(&text("rwl", "model"));
    assert!(other.contains("sp is \"rwl\" there and \"rl\" here"), "{other}");
    assert!(other.contains("resource is"), "{other}");
}
