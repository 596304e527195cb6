//! What is left out is told: placeholders, inline allows, baselines, ignore files.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use lidless_program_tests::{Repository, account_sas, random_key, run};
use serde_json::Value;
use std::path::Path;

/// Made-up passwords that no rule takes for a word.
const ONE: &str = "Zx81!qqvm77Lp";
const TWO: &str = "Kw52!ttrb90Qd";

fn scan(path: &Path, more: &[&str]) -> lidless_program_tests::Ran {
    let path = path.to_str().unwrap();
    run(&[&["scan", path, "--format", "json"], more].concat())
}

fn rules(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|one| one["rule"].as_str().unwrap()).collect()
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn what_is_told_apart_is_counted_listed_and_kept_in_the_case() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("t");
    let key = ["AKIA", "IOSFODNN7", "EXAMPLE"].concat();
    write(
        &target,
        "a.ini",
        &format!("password = changeme\nid = {key}\nsecret = \"${{SECRET}}\"\n"),
    );
    let case = folder.path().join("a.case");
    let case = case.to_str().unwrap();
    let ran = scan(&target, &["--case", case]);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    let report = ran.json();
    let counts = &report["run"]["suppressed"];
    assert_eq!(counts["placeholder"], 1, "{counts}");
    assert_eq!(counts["published"], 1, "{counts}");
    assert_eq!(counts["reference"], 1, "{counts}");
    let listed = report["suppressed"].as_array().unwrap();
    assert_eq!(listed.len(), 3);
    let published = listed.iter().find(|one| one["reason"] == "published").unwrap();
    assert_eq!(published["line"], 2);
    assert_eq!(published["note"], "access key of the AWS documentation");
    assert!(report["remarks"].as_array().unwrap().is_empty());
    let short = run(&["report", case]);
    assert!(short.out.contains("1 placeholder") && short.out.contains("--show-suppressed"));
    let long = run(&["report", case, "--show-suppressed"]);
    assert!(long.out.contains("published · secret.aws_access_key_id"), "{}", long.out);
    let again = run(&["scan", "--case", case, "--resume", "--format", "json"]).json();
    assert_eq!(again["suppressed"], report["suppressed"]);
    assert_eq!(&again["run"]["suppressed"], counts);
}

#[test]
fn an_allow_needs_a_reason_and_never_hides_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let sas = account_sas("contosolab", &random_key(), "rwdl", "", "2051-01-01T00:00:00Z");
    let text = format!(
        "A_PASSWORD={ONE} # lidless:allow secret.password test box, wiped nightly\n\
         B_PASSWORD={TWO} # lidless:allow\n\
         URL=https://contosolab.blob.core.windows.net/?{sas} # lidless:allow it is fine\n"
    );
    write(folder.path(), "settings.conf", &text);
    let ran = scan(folder.path(), &[]);
    assert_eq!(ran.code, 1);
    let report = ran.json();
    assert_eq!(report["leads"].as_array().unwrap().len(), 1);
    assert!(rules(&report).contains(&"grant.azure_account_sas"), "{:?}", rules(&report));
    let lines: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["rule"] == "secret.password")
        .map(|one| one["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [2]);
    let allowed: Vec<_> = report["suppressed"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["reason"] == "inline_allow" && one["rule"] == "secret.password")
        .collect();
    assert_eq!(allowed[0]["note"], "test box, wiped nightly");
    assert_eq!(report["remarks"][0]["kind"], "allow_without_reason");
    assert!(!ran.out.contains(ONE) && !ran.out.contains(TWO));
    let all = scan(folder.path(), &["--no-allows"]).json();
    assert!(all["run"]["suppressed"].get("inline_allow").is_none());
}

/// A tar archive of one file.
fn tar(name: &str, content: &str) -> Vec<u8> {
    let mut header = vec![0_u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
    header[148..156].fill(b' ');
    header[156] = b'0';
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut archive = header;
    archive.extend(content.as_bytes());
    archive.resize(archive.len().next_multiple_of(512) + 1024, 0);
    archive
}

#[test]
fn what_lies_in_an_archive_cannot_allow_itself() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("password = {ONE} # lidless:allow trust me, it is fine\n");
    std::fs::write(folder.path().join("a.tar"), tar("a.ini", &text)).unwrap();
    let ran = scan(folder.path(), &[]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(rules(&ran.json()).contains(&"secret.password"));
    assert!(ran.json()["run"]["suppressed"].get("inline_allow").is_none());
}

#[test]
fn what_is_allowed_now_is_allowed_in_the_history_of_its_file() {
    let Some(repository) = Repository::new() else { return };
    let plain = format!("password = {ONE}\n");
    repository.commit("a.ini", &plain, "2024-01-01T00:00:00Z", "First");
    assert_eq!(scan(repository.path(), &[]).code, 1);
    let allowed = format!("; lidless:allow rotated in March, see INC 12\npassword = {ONE}\n");
    repository.commit("a.ini", allowed, "2024-02-01T00:00:00Z", "Allow");
    let ran = scan(repository.path(), &[]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert_eq!(ran.json()["run"]["suppressed"]["inline_allow"], 1);
}

#[test]
fn a_baseline_accepts_what_it_knows_until_it_ends_and_nothing_new() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("t");
    write(&target, "a.ini", &format!("password = {ONE}\n"));
    let case = folder.path().join("a.case");
    let (case, file) = (case.to_str().unwrap(), folder.path().join("baseline.json"));
    let baseline = file.to_str().unwrap();
    assert_eq!(scan(&target, &["--case", case]).code, 1);
    let made = run(&["baseline", case, "--reason", "known, INC 7", "-o", baseline]);
    assert_eq!(made.code, 0, "{}", made.err);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains(ONE));
    let report = run(&["report", case, "--format", "json"]).json();
    let print = report["findings"][0]["fingerprint"].as_str().unwrap();
    assert!(!text.contains(&print[..8]), "a fingerprint of the case is in no baseline");

    // The same secret further down, and in another checkout.
    let moved = folder.path().join("elsewhere");
    write(&moved, "a.ini", &format!("[db]\n; here\n\npassword = {ONE}\n"));
    let ran = scan(&moved, &["--baseline", baseline]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    let note = ran.json()["suppressed"][0]["note"].as_str().unwrap().to_owned();
    assert!(note.starts_with("known, INC 7 (until 20"), "{note}");

    // Another secret in its place is a finding, and the entry is told to be stale.
    write(&moved, "a.ini", &format!("password = {TWO}\n"));
    let ran = scan(&moved, &["--baseline", baseline]);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.json()["remarks"][0]["kind"], "baseline_stale");

    // After its end it accepts nothing and says so.
    let mut old: Value = serde_json::from_str(&text).unwrap();
    for entry in old["entries"].as_array_mut().unwrap() {
        entry["expires"] = "2020-01-01T00:00:00Z".into();
    }
    std::fs::write(&file, old.to_string()).unwrap();
    let ran = scan(&target, &["--baseline", baseline]);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.json()["remarks"][0]["kind"], "baseline_expired");
}

#[test]
fn a_baseline_never_accepts_what_opens_storage() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("t");
    let sas = account_sas("contosolab", &random_key(), "rwdl", "", "2051-01-01T00:00:00Z");
    write(&target, "a.txt", &format!("https://contosolab.blob.core.windows.net/?{sas}\n"));
    let case = folder.path().join("a.case");
    let (case, file) = (case.to_str().unwrap(), folder.path().join("b.json"));
    assert_eq!(scan(&target, &["--case", case]).code, 1);
    let made = run(&["baseline", case, "--reason", "fine", "-o", file.to_str().unwrap()]);
    assert_eq!(made.code, 0, "{}", made.err);
    let ran = scan(&target, &["--baseline", file.to_str().unwrap()]);
    assert_eq!(ran.code, 1);
    assert!(rules(&ran.json()).contains(&"grant.azure_account_sas"));
}

#[test]
fn what_an_ignore_file_leaves_out_is_told_and_is_no_gap() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "fixtures/a.ini", &format!("password = {ONE}\n"));
    write(folder.path(), ".lidlessignore", "fixtures/   # made-up passwords\n");
    let ran = scan(folder.path(), &[]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    let report = ran.json();
    assert_eq!(report["run"]["complete"], true);
    assert_eq!(
        report["coverage"][0]["skipped"]["left out by .lidlessignore: made-up passwords"],
        1
    );
    assert_eq!(report["coverage"][0]["objects_listed"], 2);
    let shown = run(&["scan", folder.path().to_str().unwrap()]);
    assert!(shown.out.contains("1 by .lidlessignore: made-up passwords"), "{}", shown.out);
    assert_eq!(scan(folder.path(), &["--no-allows"]).code, 1);
    let excluded = scan(folder.path(), &["--no-allows", "--exclude", "fixtures/**"]).json();
    assert_eq!(excluded["coverage"][0]["skipped"]["left out by --exclude"], 1);
}

#[test]
fn decisions_made_for_gitleaks_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("t");
    write(&target, "src/a.ini", &format!("x = 1\npassword = {ONE} # gitleaks:allow\n"));
    let ran = scan(&target, &[]);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.json()["remarks"][0]["kind"], "foreign_allow");
    assert_eq!(scan(&target, &["--honor-foreign-allows"]).code, 0);
    let named = |name: &str, text: &str| {
        write(folder.path(), name, text);
        folder.path().join(name).to_str().unwrap().to_owned()
    };
    let ignore = named(".gitleaksignore", "src/a.ini:generic-api-key:2\n");
    assert_eq!(scan(&target, &["--baseline", &ignore]).code, 0);
    let rows = format!(
        r#"[{{"RuleID":"x","File":"src/a.ini","StartLine":9,"Commit":"","Secret":"{ONE}"}}]"#
    );
    let report = named("gitleaks.json", &rows);
    assert_eq!(scan(&target, &["--baseline", &report]).code, 0);
    let toml = named(".gitleaks.toml", "[allowlist]\npaths = ['''^src/''']\n");
    assert_eq!(scan(&target, &["--ignore-file", &toml]).code, 0);
}

#[test]
fn decisions_that_cannot_be_read_stop_the_run_and_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let named = |name: &str, text: &str| {
        write(folder.path(), name, text);
        folder.path().join(name).to_str().unwrap().to_owned()
    };
    let here = folder.path().to_str().unwrap();
    let broken = named("broken.json", "{\"schema\": \"other\"}");
    let lines = named("lines", "hello\n");
    let case = folder.path().join("none.case");
    for (arguments, word) in [
        (vec!["scan", here, "--baseline", "/no/such"], "/no/such"),
        (vec!["scan", here, "--baseline", &broken], "lidless baseline CASE"),
        (vec!["scan", here, "--baseline", &lines], ".gitleaksignore"),
        (vec!["scan", here, "--ignore-file", "/no/such"], "/no/such"),
        (vec!["baseline", case.to_str().unwrap(), "--reason", "x y z"], "no case"),
        (vec!["baseline", case.to_str().unwrap()], "--reason"),
    ] {
        let ran = run(&arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {} {}", ran.out, ran.err);
        assert!(ran.err.contains(word), "{arguments:?}: {}", ran.err);
    }
}
