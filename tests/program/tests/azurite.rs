//! From a repository to a judged exposure, against the real emulator, with names and keys that
//! are nowhere in the code.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use lidless_kit::Azurite;
use lidless_program_tests::{
    Repository, account_sas, pickle_that_runs, private_key, random_key, run, spawn, teams_messages,
};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

const ACCOUNT: &str = "fabrikamlab7";

struct World {
    azurite: Azurite,
    repository: Repository,
    token: String,
    objects: u64,
    bytes: u64,
}

fn world(extra: usize) -> Option<World> {
    let (key1, key2) = (random_key(), random_key());
    let azurite = Azurite::start(&[(ACCOUNT, &key1, &key2)])?;
    let repository = Repository::new()?;
    let token = account_sas(ACCOUNT, &key1, "rwdlac", "", "2051-10-06T07:00:00Z");
    let dead = account_sas(ACCOUNT, &key2, "rl", "2020-07-01T00:00:00Z", "2021-10-05T00:00:00Z");
    let url = azurite.url();
    repository.commit(
        "README.md",
        format!("# Models\n\nDownload: {url}/{ACCOUNT}/checkpoints?{dead}\n"),
        "2020-07-20T12:00:00Z",
        "Add models",
    );
    repository.commit(
        "README.md",
        format!("# Models\n\nDownload: {url}/{ACCOUNT}/checkpoints?{token}\n"),
        "2021-10-06T12:00:00Z",
        "New link",
    );
    repository.commit("train.py", "print('training')\n", "2022-01-01T12:00:00Z", "Train");
    let mut blobs: Vec<(&str, String, Vec<u8>)> = vec![
        ("checkpoints", "nets/a.ckpt".into(), pickle_that_runs()),
        ("checkpoints", "readme.txt".into(), b"weights for everyone\n".to_vec()),
        ("laptops", "PC-17/Users/dana/.ssh/id_ed25519".into(), private_key(7).into_bytes()),
        ("laptops", "PC 17/odd name + 100%.txt".into(), b"nothing here\n".to_vec()),
        ("chat", "export/chat 1.json".into(), teams_messages(120, 9).into_bytes()),
    ];
    for number in 0..extra {
        blobs.push((
            "laptops",
            format!("notes/{number:04}.txt"),
            format!("note {number}\n").into(),
        ));
    }
    for container in ["checkpoints", "laptops", "chat", "empty"] {
        azurite.put_container(ACCOUNT, container, None);
    }
    for (container, name, content) in &blobs {
        azurite.put_blob(ACCOUNT, container, name, content);
    }
    let objects = blobs.len() as u64;
    let bytes = blobs.iter().map(|(_, _, content)| content.len() as u64).sum();
    Some(World { azurite, repository, token, objects, bytes })
}

fn signature(token: &str) -> &str {
    token.rsplit("sig=").next().unwrap()
}

#[test]
fn a_link_in_a_history_becomes_a_judged_exposure_and_nothing_is_written() {
    let Some(world) = world(0) else { return };
    let before = world.azurite.snapshot(ACCOUNT);
    let repository = world.repository.path().to_str().unwrap();
    let ran = run(&["scan", repository, "--follow", "--format", "json"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let report = ran.json();

    let leads = report["leads"].as_array().unwrap();
    assert_eq!(leads.len(), 2, "{leads:#?}");
    assert_eq!(leads[0]["committed_at"], "2020-07-20T12:00:00Z");
    assert_eq!(leads[0]["in_newest_tree"], false);
    assert_eq!(leads[1]["committed_at"], "2021-10-06T12:00:00Z");
    assert_eq!(leads[1]["in_newest_tree"], true);
    assert_eq!(leads[1]["line"], 3);
    assert_eq!(leads[1]["followed"], true);

    let grants = report["grants"].as_array().unwrap();
    let live = grants.iter().find(|grant| grant["status"] == "live").expect("a live grant");
    assert_eq!(live["mechanism"], "azure_account_sas");
    assert_eq!(live["resource"], format!("az://{ACCOUNT}"));
    assert_eq!(live["severity"], "critical");
    let permissions: Vec<&str> =
        live["permissions"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
    for word in ["read", "write", "delete", "list", "add", "create"] {
        assert!(permissions.contains(&word), "{word} in {permissions:?}");
    }
    assert!(grants.iter().any(|grant| grant["status"] == "expired"));

    let exposure = &report["exposures"][0];
    assert_eq!(exposure["severity"], "critical");
    assert_eq!(exposure["objects"], world.objects);
    assert_eq!(exposure["bytes"], world.bytes);
    let containers = exposure["containers"].as_array().unwrap();
    assert_eq!(containers.len(), 4);
    let of = |name: &str| containers.iter().find(|one| one["name"] == name).unwrap();
    assert_eq!(of("empty")["objects"], 0);
    assert_eq!(of("laptops")["objects"], 2);
    assert_eq!(exposure["messages"]["count"], 120);
    assert_eq!(exposure["messages"]["people"], 9);
    assert_eq!(exposure["models"], 1);
    assert_eq!(exposure["writable_models"], 1);

    let findings = report["findings"].as_array().unwrap();
    let has = |part: &str, place: &str| {
        findings.iter().any(|finding| {
            finding["rule"].as_str().unwrap().contains(part)
                && finding["location"].as_str().unwrap().contains(place)
        })
    };
    assert!(has("private_key", "id_ed25519"), "{findings:#?}");
    assert!(has("model.dangerous", "a.ckpt"), "{findings:#?}");
    assert!(has("message.", "chat%201.json"), "{findings:#?}");
    assert_eq!(before, world.azurite.snapshot(ACCOUNT), "the account is as it was");
    assert!(!ran.out.contains(signature(&world.token)));
}

/// Everything of a report that does not depend on when it was made or on the key of its case.
fn comparable(report: &Value) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(map) => {
                for key in ["fingerprint", "checked_at", "started", "finished"] {
                    map.remove(key);
                }
                map.values_mut().for_each(strip);
            }
            Value::Array(list) => list.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut copy = report.clone();
    let run = copy["run"].as_object_mut().unwrap();
    for key in ["id", "bytes_read", "requests"] {
        run.remove(key);
    }
    strip(&mut copy);
    copy
}

#[test]
fn a_killed_run_goes_on_and_ends_with_the_same_report() {
    let Some(world) = world(400) else { return };
    let repository = world.repository.path().to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let whole = run(&["scan", repository, "--follow", "--format", "json"]).json();
    for (round, milliseconds) in [150u64, 400, 800].into_iter().enumerate() {
        let case = folder.path().join(format!("{round}.case"));
        let case = case.to_str().unwrap();
        let mut child = spawn(&["scan", repository, "--follow", "--jobs", "2", "--case", case]);
        std::thread::sleep(Duration::from_millis(milliseconds));
        let _ = child.kill();
        let _ = child.wait();
        let resumed =
            if Path::new(case).exists() && run(&["report", case, "--fail-on", "never"]).code != 2 {
                run(&["scan", "--resume", "--case", case, "--format", "json"])
            } else {
                continue;
            };
        assert_eq!(resumed.code, 1, "{}", resumed.err);
        assert_eq!(comparable(&resumed.json()), comparable(&whole));
        let again = run(&["report", case, "--format", "json"]);
        assert_eq!(comparable(&again.json()), comparable(&whole));
    }
}

#[test]
fn no_secret_is_in_anything_the_program_writes() {
    let Some(world) = world(0) else { return };
    let repository = world.repository.path().to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("a.case");
    let case = case.to_str().unwrap();
    let mut written = Vec::new();
    let scan = run(&["-vv", "scan", repository, "--follow", "--case", case]);
    written.extend([scan.out.clone().into_bytes(), scan.err.into_bytes()]);
    for format in ["human", "json", "jsonl", "sarif", "html", "markdown", "csv"] {
        let ran = run(&["report", case, "--format", format]);
        written.extend([ran.out.into_bytes(), ran.err.into_bytes()]);
    }
    let plan = run(&["plan", case]);
    written.extend([plan.out.into_bytes(), plan.err.into_bytes()]);
    let check = run(&["check", case]);
    assert_eq!(check.code, 1, "{}", check.err);
    written.extend([check.out.into_bytes(), check.err.into_bytes()]);
    for file in std::fs::read_dir(folder.path()).unwrap() {
        written.push(std::fs::read(file.unwrap().path()).unwrap());
    }
    let key = private_key(7);
    let canaries = [
        signature(&world.token).to_owned(),
        signature(&world.token).replace("%2B", "+").replace("%2F", "/").replace("%3D", "="),
        key.lines().nth(2).unwrap().to_owned(),
        "lorem ipsum".to_owned(),
    ];
    for (index, text) in written.iter().enumerate() {
        let text = String::from_utf8_lossy(text);
        for canary in &canaries {
            assert!(!text.contains(canary.as_str()), "{canary} is in output {index}");
        }
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(folder.path().join("a.case")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o077, 0, "a case is its owner's alone");
}

#[test]
fn a_lead_outside_the_scope_is_left_alone_and_said() {
    let Some(world) = world(0) else { return };
    let repository = world.repository.path().to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let scope = folder.path().join("scope.toml");
    let write = |by: &str, expires: &str, store: &str| {
        std::fs::write(
            &scope,
            format!(
                "[authority]\nowner = \"Fabrikam\"\nauthorised_by = \"{by}\"\n\
                 expires = \"{expires}\"\n[[allow]]\nstore = \"{store}\"\n"
            ),
        )
        .unwrap();
    };
    let path = scope.to_str().unwrap();
    write("The owner", "2099-01-01T00:00:00Z", "az://another");
    let ran = run(&["scan", repository, "--follow", "--scope", path, "--format", "json"]);
    let report = ran.json();
    assert!(report["exposures"].as_array().unwrap().is_empty());
    assert_eq!(report["run"]["requests"], 0);
    for lead in report["leads"].as_array().unwrap() {
        assert_eq!(lead["in_scope"], false);
        assert!(lead["left_alone"].as_str().unwrap().contains("scope file"), "{lead}");
    }
    write("The owner", "2099-01-01T00:00:00Z", &format!("az://{ACCOUNT}"));
    let ran = run(&["scan", repository, "--follow", "--scope", path, "--format", "json"]);
    assert_eq!(ran.json()["exposures"].as_array().unwrap().len(), 1);
    for (by, expires, word) in
        [("", "2099-01-01T00:00:00Z", "authorised"), ("x", "2020-01-01T00:00:00Z", "expired")]
    {
        write(by, expires, "az://any");
        let ran = run(&["scan", repository, "--follow", "--scope", path]);
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains(word), "{}", ran.err);
    }
}
