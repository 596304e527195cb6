//! `scan --verify` against scripted issuers on loopback: what each answer means, what is never
//! sent, and what is never shown.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use lidless_program_tests::{Issuer, Ran, Reply, account_sas, random_key, run};
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};

/// Letters and digits that look drawn at random and are the same on every run.
fn noise(seed: u64, length: usize, letters: &str) -> String {
    let letters = letters.as_bytes();
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 40).unwrap()
    };
    (0..length).map(|_| char::from(letters[next() % letters.len()])).collect()
}

const HEX: &str = "0123456789abcdef";
const WORD: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn github() -> String {
    // The value that the announcement of the format led others to publish.
    ["gh", "p_", "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ", "0mLq17"].concat()
}

fn gitlab(seed: u64) -> String {
    format!("{}{}", concat!("gl", "pat-"), noise(seed, 20, WORD))
}

struct Desk {
    folder: tempfile::TempDir,
    secrets: Vec<String>,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), secrets: Vec::new() }
    }

    /// A file with a secret in it.
    fn put(&mut self, name: &str, text: &str, secret: &str) {
        std::fs::create_dir_all(self.folder.path().join("tree")).unwrap();
        std::fs::write(self.folder.path().join("tree").join(name), text).unwrap();
        self.secrets.push(secret.to_owned());
    }

    fn token(&mut self, name: &str, secret: &str) {
        self.put(name, &format!("value = \"{secret}\"\n"), secret);
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn scan(&self, more: &[&str]) -> Ran {
        let tree = self.path("tree");
        let mut arguments = vec!["scan", &tree];
        arguments.extend(more);
        let ran = run(&arguments);
        self.is_clean("the output", &format!("{}{}", ran.out, ran.err));
        ran
    }

    /// No secret, and no part of one that would do, stands in a text.
    fn is_clean(&self, what: &str, text: &str) {
        for secret in &self.secrets {
            let tail = &secret[secret.len().saturating_sub(14)..];
            assert!(!text.contains(tail), "{what} holds a secret: {tail}");
        }
    }

    fn files_are_clean(&self, folder: &Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
                self.is_clean(&path.display().to_string(), &text);
            }
        }
    }
}

fn finding<'a>(report: &'a Value, rule: &str) -> &'a Value {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().find(|one| one["rule"] == rule).unwrap_or_else(|| panic!("no {rule}: {report}"))
}

fn endpoint(name: &str, issuer: &Issuer) -> String {
    format!("verify:{name}={}", issuer.url())
}

#[test]
fn every_kind_of_answer_means_what_the_rule_says() {
    let mut desk = Desk::new();
    let slack =
        format!("{}123456789012-1234567890123-{}", concat!("xo", "xb-"), noise(3, 24, WORD));
    let stripe = format!("{}{}", concat!("sk_", "live_"), noise(4, 24, WORD));
    let sendgrid = format!("{}{}.{}", concat!("S", "G."), noise(5, 22, WORD), noise(6, 43, WORD));
    let ocean = format!("{}{}", concat!("dop_", "v1_"), noise(7, 64, HEX));
    let face = format!("{}{}", concat!("h", "f_"), noise(8, 34, LETTERS));
    let claude = format!("{}{}", concat!("sk-", "ant-api03-"), noise(9, 95, WORD));
    let telegram = format!("123456789:{}{}", concat!("A", "A"), noise(10, 33, WORD));
    let airtable = format!("{}{}.{}", concat!("pa", "t"), noise(11, 14, WORD), noise(12, 64, HEX));
    let notion = format!("{}{}", concat!("nt", "n_"), noise(13, 46, WORD));
    for (name, token) in [
        ("github", github()),
        ("gitlab", gitlab(2)),
        ("slack", slack),
        ("stripe", stripe.clone()),
        ("sendgrid", sendgrid),
        ("ocean", ocean),
        ("face", face),
        ("claude", claude),
        ("telegram", telegram.clone()),
        ("airtable", airtable),
        ("notion", notion),
    ] {
        desk.token(name, &token);
    }
    let elsewhere = Issuer::start(|_, _| Reply::say(200, "{\"name\":\"thief\"}"));
    let away = format!("location: {}/api/whoami-v2", elsewhere.url());
    let echo = stripe.clone();
    let issuers = [
        (
            "github",
            Issuer::start(|_, _| {
                Reply::with(200, "x-oauth-scopes: repo, workflow", r#"{"login":"octo","id":7}"#)
            }),
        ),
        ("gitlab", Issuer::start(|_, _| Reply::say(401, r#"{"message":"401 Unauthorized"}"#))),
        ("slack", Issuer::start(|_, _| Reply::say(200, r#"{"ok":false,"error":"token_revoked"}"#))),
        (
            "stripe",
            // An issuer that gives the secret back.
            Issuer::start(move |_, _| {
                Reply::say(200, &format!(r#"{{"id":"{echo}","country":"SE"}}"#))
            }),
        ),
        (
            "sendgrid",
            Issuer::start(|number, _| match number {
                0 => Reply::with(429, "retry-after: 2", "{}"),
                _ => Reply::say(200, r#"{"scopes":["mail.send","alerts.read"]}"#),
            }),
        ),
        ("digitalocean", Issuer::start(|_, _| Reply::say(500, "{}"))),
        ("huggingface", Issuer::start(move |_, _| Reply::with(302, &away, ""))),
        ("anthropic", Issuer::start(|_, _| Reply::Flood(256 << 20))),
        (
            "telegram",
            Issuer::start(|_, _| Reply::say(200, r#"{"ok":true,"result":{"username":"bot"}}"#)),
        ),
        ("airtable", Issuer::start(|_, _| Reply::say(403, "{}"))),
        ("notion", Issuer::start(|_, _| Reply::say(200, "<html>Sign in to the wireless</html>"))),
    ];
    let endpoints: Vec<String> = issuers.iter().map(|(name, one)| endpoint(name, one)).collect();
    let case = desk.path("a.case");
    let mut arguments = vec!["--verify", "--format", "json", "--case", &case, "-vv"];
    for one in &endpoints {
        arguments.extend(["--endpoint", one]);
    }
    let ran = desk.scan(&arguments);
    let report = ran.json();
    for (rule, verified) in [
        ("secret.github_token", "live"),
        ("secret.gitlab_token", "dead"),
        ("secret.slack_token", "dead"),
        ("secret.stripe_key", "live"),
        ("secret.sendgrid_key", "live"),
        ("secret.digitalocean_token", "unknown"),
        ("secret.huggingface_token", "unknown"),
        ("secret.anthropic_key", "unknown"),
        ("secret.telegram_token", "live"),
        ("secret.airtable_token", "unknown"),
        ("secret.notion_token", "unknown"),
    ] {
        assert_eq!(finding(&report, rule)["verified"], verified, "{}", finding(&report, rule));
    }
    let github_finding = finding(&report, "secret.github_token");
    assert_eq!(github_finding["detail"]["identity"]["login"], "octo");
    assert_eq!(github_finding["detail"]["identity"]["scopes"], "repo, workflow");
    assert_eq!(
        github_finding["detail"]["verification"]["asked"],
        "GET https://api.github.com/user"
    );
    let slack = &finding(&report, "secret.slack_token")["detail"]["verification"]["meaning"];
    assert_eq!(slack, "127.0.0.1 refuses it (200, token_revoked)");
    assert_eq!(github_finding["severity"], "critical");
    assert_eq!(finding(&report, "secret.gitlab_token")["severity"], "low");
    let identity = &finding(&report, "secret.stripe_key")["detail"]["identity"];
    assert_eq!(identity["country"], "SE");
    assert!(identity.get("account").is_none(), "the secret came back: {identity}");
    assert_eq!(report["run"]["requests"], 13, "two questions were asked twice");
    // An issuer that failed is a gap, and only that one; what decided nothing is none.
    let gaps = report["gaps"].as_array().unwrap();
    let asked: Vec<&Value> =
        gaps.iter().filter(|gap| gap["reason"].as_str().unwrap().contains("whether")).collect();
    assert_eq!(asked.len(), 1, "{gaps:?}");
    assert!(asked[0]["reason"].as_str().unwrap().contains("500"), "{gaps:?}");

    let requests = |name: &str| issuers.iter().find(|one| one.0 == name).unwrap().1.requests();
    assert!(requests("github")[0].starts_with("GET /user HTTP/1.1\r\n"));
    let authorised = format!("bearer {}", github());
    assert!(requests("github")[0].to_lowercase().contains(&authorised.to_lowercase()));
    assert!(requests("telegram")[0].starts_with(&format!("GET /bot{telegram}/getMe ")));
    let wait = issuers.iter().find(|one| one.0 == "sendgrid").unwrap().1.pauses();
    assert!(wait[0] >= Duration::from_secs(2), "{wait:?}");
    assert!(elsewhere.requests().is_empty(), "a redirect took a secret elsewhere");
    for (_, issuer) in &issuers {
        assert!(issuer.requests().iter().all(|head| head.starts_with("GET ")));
    }
    desk.files_are_clean(desk.folder.path());

    for format in ["human", "sarif", "html", "csv", "markdown", "jsonl"] {
        let ran = run(&["report", &case, "--format", format]);
        desk.is_clean(format, &format!("{}{}", ran.out, ran.err));
        if format == "human" {
            let words: Vec<&str> = ran.out.split_whitespace().collect();
            let said = words.join(" ");
            for word in ["What issuers say", "live", "dead", "not known", "login octo"] {
                assert!(said.contains(word), "{word}: {said}");
            }
        }
    }
    // What is decided stays; the others are asked again.
    let before: Vec<usize> = issuers.iter().map(|one| one.1.requests().len()).collect();
    let again = desk.scan(&["--resume", "--case", &case, "--format", "json"]);
    assert_eq!(finding(&again.json(), "secret.github_token")["verified"], "live");
    for ((name, issuer), before) in issuers.iter().zip(before) {
        let more = issuer.requests().len() - before;
        let decided = ["github", "gitlab", "slack", "stripe", "sendgrid", "telegram"];
        assert_eq!(more == 0, decided.contains(name), "{name}: {more}");
    }
}

#[test]
fn nothing_is_sent_unless_asked_and_nothing_out_of_scope() {
    let mut desk = Desk::new();
    desk.token("a", &gitlab(1));
    let issuer = Issuer::start(|_, _| Reply::say(200, r#"{"active":true,"name":"ci"}"#));
    let at = endpoint("gitlab", &issuer);
    let plain = desk.scan(&["--format", "json", "--endpoint", &at]);
    assert_eq!(finding(&plain.json(), "secret.gitlab_token")["verified"], Value::Null);
    let human = desk.scan(&["--endpoint", &at]);
    assert!(human.out.contains("not asked"), "{}", human.out);
    assert!(issuer.requests().is_empty());

    let scope = |verify: &str| {
        let text = format!(
            "[authority]\nowner = \"Lab\"\nauthorised_by = \"Head\"\nexpires = \"2099-01-01T00:00:00Z\"\n\
             contact = \"soc@example.com\"\n[[allow]]\nstore = \"az://lab\"\n{verify}"
        );
        let path = desk.path("scope.toml");
        std::fs::write(&path, text).unwrap();
        path
    };
    for (verify, word) in [
        ("", "does not allow asking issuers"),
        ("[verify]\nallow = false\n", "does not allow asking issuers"),
        ("[verify]\nallow = true\nhosts = [\"gitlab.com\"]\n", "127.0.0.1 is not among"),
        ("[[deny]]\nhost = \"127.0.0.1\"\n[verify]\nallow = true\n", "denied by the scope file"),
    ] {
        let path = scope(verify);
        let ran = desk.scan(&["--verify", "--format", "json", "--endpoint", &at, "--scope", &path]);
        let report = ran.json();
        let one = finding(&report, "secret.gitlab_token");
        assert_eq!(one["verified"], Value::Null, "{verify}");
        let meaning = one["detail"]["verification"]["meaning"].as_str().unwrap();
        assert!(meaning.contains("left alone") && meaning.contains(word), "{meaning}");
    }
    assert!(issuer.requests().is_empty());
    let path = scope("[verify]\nallow = true\nhosts = [\"127.0.0.1\"]\n");
    let ran = desk.scan(&["--verify", "--format", "json", "--endpoint", &at, "--scope", &path]);
    assert_eq!(finding(&ran.json(), "secret.gitlab_token")["verified"], "live");
    assert_eq!(issuer.requests().len(), 1);
    assert!(issuer.requests()[0].contains("+soc@example.com"), "{:?}", issuer.requests());
}

#[test]
fn an_issuer_is_asked_once_a_second_about_each_secret_once_and_no_more_than_the_limit() {
    let mut desk = Desk::new();
    for seed in 1..=3 {
        desk.token(&format!("a{seed}"), &gitlab(seed));
        desk.token(&format!("b{seed}"), &gitlab(seed));
    }
    let issuer = Issuer::start(|_, _| Reply::say(200, r#"{"active":true}"#));
    let at = endpoint("gitlab", &issuer);
    let ran = desk.scan(&["--verify", "--format", "json", "--endpoint", &at]);
    assert_eq!(issuer.requests().len(), 3);
    assert!(issuer.pauses().iter().all(|pause| *pause >= Duration::from_millis(990)));
    let report = ran.json();
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 6);
    assert!(findings.iter().all(|one| one["verified"] == "live"), "{findings:?}");

    let few =
        desk.scan(&["--verify", "--verify-limit", "1", "--format", "json", "--endpoint", &at]);
    assert_eq!(issuer.requests().len(), 4);
    let report = few.json();
    let live =
        report["findings"].as_array().unwrap().iter().filter(|one| one["verified"] == "live");
    assert_eq!(live.count(), 2);
    let gaps = report["gaps"].to_string();
    assert!(gaps.contains("more than 1 for one issuer"), "{gaps}");
}

#[test]
fn an_issuer_that_never_answers_costs_a_bounded_time() {
    let mut desk = Desk::new();
    desk.token("a", &gitlab(1));
    let issuer = Issuer::start(|_, _| Reply::Hang);
    let at = endpoint("gitlab", &issuer);
    let start = Instant::now();
    let ran = desk.scan(&["--verify", "--format", "json", "--endpoint", &at]);
    assert!(start.elapsed() < Duration::from_secs(40), "{:?}", start.elapsed());
    let report = ran.json();
    assert_eq!(finding(&report, "secret.gitlab_token")["verified"], "unknown");
    assert!(report["gaps"].to_string().contains("no answer in time"), "{}", report["gaps"]);
    assert_eq!(report["run"]["complete"], false);
}

#[test]
fn an_issuer_that_is_not_there_is_a_gap() {
    let mut desk = Desk::new();
    desk.token("a", &gitlab(1));
    let at = "verify:gitlab=http://127.0.0.1:1";
    let report = desk.scan(&["--verify", "--format", "json", "--endpoint", at]).json();
    assert_eq!(finding(&report, "secret.gitlab_token")["verified"], "unknown");
    assert!(report["gaps"].to_string().contains("whether a credential is live"));
}

#[test]
fn a_key_of_aws_signs_the_question_and_is_not_in_it() {
    let mut desk = Desk::new();
    let id =
        format!("{}{}", concat!("AK", "IA"), noise(21, 16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"));
    let secret = noise(22, 40, &format!("{WORD}/+"));
    let text = format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    desk.put("credentials", &text, &secret);
    let good = "<GetCallerIdentityResponse><GetCallerIdentityResult>\
                <Arn>arn:aws:iam::123456789012:user/ci</Arn><UserId>AIDAEXAMPLE</UserId>\
                <Account>123456789012</Account></GetCallerIdentityResult>\
                </GetCallerIdentityResponse>";
    let issuer = Issuer::start(move |_, _| Reply::say(200, good));
    let at = endpoint("aws", &issuer);
    let report = desk.scan(&["--verify", "--format", "json", "--endpoint", &at]).json();
    let requests = issuer.requests();
    assert_eq!(requests.len(), 1, "the two halves and the lead are one credential: {requests:?}");
    assert!(requests[0].starts_with("GET /?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-"));
    assert!(requests[0].contains("X-Amz-Signature=") && !requests[0].contains(&secret));
    for rule in ["secret.aws_secret_access_key", "secret.aws_access_key_id", "grant.aws_access_key"]
    {
        let one = finding(&report, rule);
        assert_eq!(one["verified"], "live", "{one}");
        assert_eq!(one["detail"]["identity"]["arn"], "arn:aws:iam::123456789012:user/ci");
    }
    assert_eq!(report["grants"][0]["status"], "live");

    let bad = "<ErrorResponse><Error><Code>InvalidClientTokenId</Code></Error></ErrorResponse>";
    let issuer = Issuer::start(move |_, _| Reply::say(403, bad));
    let at = endpoint("aws", &issuer);
    let report = desk.scan(&["--verify", "--format", "json", "--endpoint", &at]).json();
    assert_eq!(finding(&report, "secret.aws_secret_access_key")["verified"], "dead");
    assert_eq!(report["grants"][0]["status"], "revoked");
}

#[test]
fn a_token_for_azure_is_probed_in_its_account_and_only_in_scope() {
    let mut desk = Desk::new();
    let token = account_sas("madeuplab", &random_key(), "rl", "", "2051-10-06T07:00:00Z");
    let signature = token.rsplit("sig=").next().unwrap().to_owned();
    let url = format!("https://madeuplab.blob.core.windows.net/?{token}");
    desk.put("notes.md", &format!("{url}\n"), &signature);
    let account = Issuer::start(|_, _| {
        Reply::with(
            403,
            "x-ms-error-code: AuthenticationFailed",
            "<Error><Code>AuthenticationFailed</Code></Error>",
        )
    });
    let at = format!("azure={}", account.url());
    let unasked = desk.scan(&["--format", "json", "--endpoint", &at]).json();
    assert_eq!(finding(&unasked, "grant.azure_account_sas")["verified"], Value::Null);
    assert!(account.requests().is_empty());
    let asked = desk.scan(&["--verify", "--format", "json", "--endpoint", &at]).json();
    assert_eq!(finding(&asked, "grant.azure_account_sas")["verified"], "dead", "{asked}");
    assert_eq!(asked["grants"][0]["status"], "revoked");
    let count = account.requests().len();
    assert!(count > 0);
    // Without the endpoint it is an account on the internet that nobody named.
    let far = desk.scan(&["--verify", "--format", "json"]).json();
    assert_eq!(finding(&far, "grant.azure_account_sas")["verified"], Value::Null);
    assert_eq!(far["run"]["requests"], 0);
}

#[test]
fn likely_mistakes_are_told() {
    let ran = run(&["scan", ".", "--verify", "--endpoint", "verify:githab=http://127.0.0.1:1"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("githab") && ran.err.contains("rules"), "{}", ran.err);
    let ran = run(&["scan", ".", "--verify-limit", "3"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("--verify"), "{}", ran.err);
    let ran = run(&["rules", "explain", "github_token"]);
    for word in ["GET https://api.github.com/user", "verify:github=URL", "Live when", "Dead when"] {
        assert!(ran.out.contains(word), "{word}: {}", ran.out);
    }
    let ran = run(&["rules", "explain", "pypi_token"]);
    assert!(ran.out.contains("never"), "{}", ran.out);
}
