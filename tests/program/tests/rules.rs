//! The rules of secrets as a user asks about them, and what a find of one says.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use lidless_program_tests::run;

#[test]
fn rules_are_listed_explained_and_tested() {
    let tested = run(&["rules", "test"]);
    assert_eq!(tested.code, 0, "{}{}", tested.out, tested.err);
    assert!(tested.out.contains(" 0 wrong"), "{}", tested.out);

    let listed = run(&["rules", "list", "GITHUB"]);
    assert_eq!(listed.code, 0);
    assert!(listed.out.contains("secret.github_token"), "{}", listed.out);
    assert!(!listed.out.contains("secret.npm_token"), "{}", listed.out);

    let all = run(&["rules", "list", "--format", "json"]).json();
    let rules = all["rules"].as_array().unwrap();
    assert!(rules.len() >= 400, "{}", rules.len());
    for rule in rules {
        assert!(rule["id"].as_str().unwrap().starts_with("secret."), "{rule}");
    }

    let explained = run(&["rules", "explain", "secret.github_token"]);
    assert_eq!(explained.code, 0);
    for word in ["GitHub token", "Opens", "CRC-32", "https://github.com/settings/tokens"] {
        assert!(explained.out.contains(word), "{word} in {}", explained.out);
    }

    let unknown = run(&["rules", "explain", "no_such_rule"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("lidless rules list"), "{}", unknown.err);
    assert_eq!(run(&["rules", "list", "--format", "csv"]).code, 2);
}

#[test]
fn a_find_says_whose_it_is_and_how_it_is_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let id = ["AS", "IA", "QNZGKIQY56JQ7WML"].concat();
    let token = ["gl", "pat-", "Zq3v9KxT2mW8bR5nY7cL"].concat();
    std::fs::write(folder.path().join("ci.yml"), format!("a: {id}\nb: {token}\n")).unwrap();
    let ran = run(&["scan", folder.path().to_str().unwrap(), "--format", "json"]);
    assert!(!ran.out.contains(&token) && !ran.err.contains(&token));
    let report = ran.json();
    let find = |rule: &str| {
        let findings = report["findings"].as_array().unwrap();
        findings.iter().find(|one| one["rule"] == rule).cloned().unwrap_or_default()
    };
    let key = find("secret.aws_access_key_id");
    assert_eq!(key["detail"]["account"], "029608264753");
    let token = find("secret.gitlab_token");
    assert_eq!(token["detail"]["service"], "GitLab");
    assert!(token["detail"]["revoke"].as_str().unwrap().contains("revoke"), "{token}");
}
