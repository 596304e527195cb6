//! The likely mistakes: a clear sentence, the right exit code, nothing lost.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use lidless_program_tests::{Repository, account_sas, random_key, run};

#[test]
fn help_fits_a_screen_and_names_every_command() {
    let ran = run(&[]);
    let text = format!("{}{}", ran.out, ran.err);
    for word in ["scan", "inspect", "report", "plan", "check", "demo", "@FILE"] {
        assert!(text.contains(word), "{word} in {text}");
    }
    assert!(text.lines().count() <= 40, "{} lines", text.lines().count());
    assert!(text.lines().all(|line| line.chars().count() <= 80));
    assert_eq!(run(&["--help"]).code, 0);
    assert_eq!(run(&["--version"]).code, 0);
}

#[test]
fn what_cannot_run_exits_with_two_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text");
    std::fs::write(&text, "hello\n").unwrap();
    let text = text.to_str().unwrap();
    let at = format!("@{text}");
    for (arguments, word) in [
        (vec!["scan", "/no/such/path"], "/no/such/path"),
        (vec!["scan"], "target"),
        (vec!["scan", "https://example.com/page?x=1"], "storage"),
        (vec!["report", "/no/such.case"], "no case"),
        (vec!["report", text], "not a lidless case"),
        (vec!["plan", "/no/such.case"], "no case"),
        (vec!["inspect", &at], "no storage credential"),
        (vec!["inspect", "hello"], "no storage credential"),
        (vec!["scan", ".", "--endpoint", "azure"], "azure=http"),
        (vec!["scan", ".", "--endpoint", "ftp=http://x"], "azure, s3, gcs"),
        (vec!["scan", ".", "--budget", "7 parsecs"], "unit"),
        (vec!["scan", ".", "--fail-on", "awful"], "critical"),
        (vec!["frobnicate"], "frobnicate"),
    ] {
        let ran = run(&arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {} {}", ran.out, ran.err);
        assert!(ran.err.contains(word), "{arguments:?}: {}", ran.err);
        assert!(ran.out.is_empty(), "{arguments:?}");
    }
}

#[test]
fn an_empty_repository_and_an_ordinary_one_are_no_alarm() {
    let Some(repository) = Repository::new() else { return };
    let path = repository.path().to_str().unwrap();
    let empty = run(&["scan", path, "--format", "json"]);
    assert!(empty.code == 0 || empty.code == 2, "{} {}", empty.code, empty.err);
    repository.commit("a.txt", "nothing to see\n", "2024-01-01T00:00:00Z", "First");
    let ran = run(&["scan", path, "--format", "json"]);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    let report = ran.json();
    assert_eq!(report["schema"], "lidless.report/1");
    assert_eq!(report["run"]["complete"], true);
    assert!(report["findings"].as_array().unwrap().is_empty());
}

#[test]
fn a_corrupt_pack_is_a_gap_or_an_error_and_never_clean() {
    let Some(repository) = Repository::new() else { return };
    for number in 0..20 {
        let date = format!("2024-01-{:02}T00:00:00Z", number + 1);
        let content = format!("file {number}\n").repeat(200);
        repository.commit(&format!("f{number}"), content, &date, "More");
    }
    let git = |arguments: &[&str]| {
        std::process::Command::new("git").arg("-C").arg(repository.path()).args(arguments).output()
    };
    git(&["gc", "-q"]).unwrap();
    let packs = repository.path().join(".git/objects/pack");
    for file in std::fs::read_dir(packs).unwrap().map(|file| file.unwrap().path()) {
        if file.extension().is_some_and(|extension| extension == "pack") {
            let mut bytes = std::fs::read(&file).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle..middle + 40].fill(0xff);
            std::fs::remove_file(&file).unwrap();
            std::fs::write(&file, bytes).unwrap();
        }
    }
    let ran = run(&["scan", repository.path().to_str().unwrap(), "--format", "json"]);
    assert!(ran.code == 2 || ran.code == 3, "{} {} {}", ran.code, ran.out, ran.err);
    if ran.code == 3 {
        assert!(!ran.json()["gaps"].as_array().unwrap().is_empty());
    }
}

#[test]
fn a_token_is_explained_offline_and_its_signature_is_never_shown() {
    let key = random_key();
    let token = account_sas("madeuplab", &key, "rwdl", "", "2051-10-06T07:00:00Z");
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("link.txt");
    std::fs::write(&link, format!("https://madeuplab.blob.core.windows.net/?{token}\n")).unwrap();
    let at = format!("@{}", link.display());
    let human = run(&["inspect", &at]);
    assert_eq!(human.code, 1, "{}", human.err);
    assert!(human.out.contains("account SAS") && human.out.contains("2051"), "{}", human.out);
    assert!(human.out.lines().all(|line| line.chars().count() <= 80), "{}", human.out);
    let json = run(&["inspect", &at, "--format", "json"]);
    let grant = &json.json()["grants"][0];
    assert_eq!(grant["resource"], "az://madeuplab");
    assert_eq!(grant["severity"], "critical");
    let signature = token.rsplit("sig=").next().unwrap();
    assert!(!human.out.contains(signature) && !json.out.contains(signature));

    let keys = folder.path().join("keys");
    std::fs::write(&keys, format!("madeuplab:{}:{key}\n", random_key())).unwrap();
    let keys = keys.to_str().unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(keys, open).unwrap();
    let refused = run(&["inspect", &at, "--keys", keys]);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("chmod 600"), "{}", refused.err);
    let own = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(keys, own).unwrap();
    let told = run(&["inspect", &at, "--keys", keys, "--format", "json"]).json();
    assert_eq!(told["grants"][0]["signature"]["verified"], true);
    assert_eq!(told["grants"][0]["signature"]["key"], "key2");
}

#[test]
fn a_token_cut_in_half_is_not_a_working_one() {
    let token = account_sas("madeuplab", &random_key(), "rwdl", "", "2051-10-06T07:00:00Z");
    let half = &token[..token.len() - 30];
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("a.txt"),
        format!("https://madeuplab.blob.core.windows.net/?{half}\n"),
    )
    .unwrap();
    let ran = run(&["scan", folder.path().to_str().unwrap(), "--format", "json"]);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
}
