//! Every format of one incident, of nothing, and of hostile names.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use lidless_core::{Report, Timestamp};
use lidless_report::{Detail, Format, Style, render, render_inspect};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

fn now() -> Timestamp {
    "2023-06-22T09:00:00Z".parse().unwrap()
}

fn report(name: &str) -> Report {
    let grant = json!({
        "id": "g1", "provider": "azure", "mechanism": "azure_account_sas",
        "resource": "az://contosolab", "scope": "account",
        "permissions": ["read", "list", "write", "delete"],
        "operations": ["list containers", "read blobs in every container"],
        "starts": null, "expires": "2051-10-06T07:00:00Z", "protocols": ["https", "http"],
        "ip": null, "identifier": null, "key_hint": "an account key of contosolab",
        "services": ["blob"], "version": "2020-08-04",
        "signature": {"verified": null, "key": null, "log_hash": "AB"},
        "status": "live", "observed": null, "revocation": "Renew the key.",
        "problems": [{"rule": "sas.full_control", "severity": "critical", "message": "Full control."}],
        "severity": "critical", "why": ["overwrites in the whole account: critical"]
    });
    let mut dead = grant.clone();
    dead["id"] = "g2".into();
    dead["status"] = "expired".into();
    dead["severity"] = "low".into();
    dead["expires"] = "2021-10-05T00:00:00Z".into();
    let lead = |id: &str, grant: &str, day: &str| {
        json!({
            "id": id, "kind": "sas_url", "url": "https://contosolab.blob.core.windows.net/?sig=[44 characters]",
            "location": format!("git+file:///src/repo@0123456789abcdef:{name}#L12"), "file": name, "line": 12,
            "commit": "0123456789abcdef", "author": "A. Author <author@example.com>",
            "committed_at": day, "in_newest_tree": true, "in_scope": true, "followed": true,
            "left_alone": null, "grant": grant
        })
    };
    let finding = |id: &str, rule: &str, category: &str, severity: &str, place: String| {
        json!({
            "id": id, "rule": rule, "category": category, "severity": severity, "confidence": "high",
            "title": format!("title of {rule}"), "location": place, "line": 1, "offset": 0,
            "evidence": "318 characters", "fingerprint": null, "verified": null, "detail": {"count": 30000}
        })
    };
    serde_json::from_value(json!({
        "schema": "lidless.report/1", "tool": {"name": "lidless", "version": "0.1.0"},
        "run": {
            "id": "r", "started": "2023-06-22T09:00:00Z", "finished": "2023-06-22T09:00:08.400Z",
            "targets": [name], "complete": false, "exit_code": 1, "objects": 1_283_411,
            "entries": 2_000_000, "bytes_listed": 38_200_000_000_000u64, "bytes_read": 41_000_000,
            "requests": 1204, "gaps": 1
        },
        "leads": [lead("l1", "g2", "2020-07-20T00:00:00Z"), lead("l2", "g1", "2021-10-06T00:00:00Z")],
        "grants": [grant, dead],
        "exposures": [{
            "grant": "g1", "severity": "critical", "score": {"low": 100.0, "high": 100.0},
            "why": [{"input": "audience", "value": 4, "high": 4, "evidence": "a link", "basis": "inferred"}],
            "arithmetic": ["score = 6.25 x impact 4 x likelihood 4 = 100"],
            "containers": [
                {"name": "backups", "objects": 900, "bytes": 31_900_000_000_000u64, "public": "none", "kinds": {"disk images": 31_000_000_000_000u64, "credentials": 900_000_000_000u64}},
                {"name": name, "objects": 214, "bytes": 6_100_000_000_000u64, "public": "none"},
                {"name": "teams", "objects": 600, "bytes": 1_200_000_000, "public": "blob"}
            ],
            "objects": 1714, "bytes": 38_001_200_000_000u64, "findings_by_category": {"secret": 1},
            "models": 214, "writable_models": 214,
            "workstations": [{"host": "WS-ALICE-01", "domain": null, "os": "Windows", "owner": null,
                "users": ["alice"], "evidence": ["registry hives"], "places": ["az://contosolab/backups/WS-ALICE-01"]}],
            "messages": {"count": 30000, "people": 359}
        }],
        "findings": [
            finding("f1", "secret.private_key", "secret", "critical", format!("az://contosolab/backups/{name}")),
            finding("f2", "message.teams", "message", "high", "az://contosolab/teams/a.json".into()),
            finding("f3", "secret.password", "secret", "high", "git+file:///src/repo@0123456789abcdef:a.env#L1".into())
        ],
        "coverage": [{"container": "az://contosolab/backups", "objects_listed": 900, "objects_inspected": 899,
            "bytes_listed": 10, "bytes_inspected": 9, "bytes_read": 8, "skipped": {"in the archive tier": 1}}],
        "gaps": [{"location": "az://contosolab/backups", "reason": "1 object not looked into: in the archive tier", "bytes": 5}]
    }))
    .unwrap()
}

fn shown(report: &Report, format: Format) -> String {
    let mut out = Vec::new();
    render(report, format, &Style::default(), now(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_store_opened_with_the_users_own_credentials_is_no_link() {
    let said = |report: &Report| {
        let mut out = Vec::new();
        let style = Style { colour: false, width: 80 };
        render(report, Format::Human, &style, now(), &mut out).unwrap();
        String::from_utf8(out).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let mut report = report("a");
    assert!(said(&report).contains("lets anyone who holds it"));
    report.leads.iter_mut().for_each(|lead| lead.kind = "own_credentials".into());
    let own = said(&report);
    assert!(own.contains("Your own credentials can read") && !own.contains("lets anyone"), "{own}");
    report.grants[0].observed = serde_json::from_value(json!({"public": true})).unwrap();
    let public = said(&report);
    assert!(public.contains("Strangers get answers without any credential"), "{public}");
    report.grants[0].mechanism = lidless_core::Mechanism::Http;
    assert!(said(&report).contains("lets anyone"), "a web server wants no credentials");
}

/// The same few facts of each provider, as its probes give them.
fn rights(place: &str) -> serde_json::Value {
    let right = |party: &str,
                 operation: &str,
                 declared: Option<bool>,
                 observed: Option<bool>,
                 why: &str| {
        json!({"party": party, "operation": operation, "place": place, "declared": declared,
            "declared_by": declared.map(|_| "service"), "observed": observed, "why": why})
    };
    json!({"rights": [
        right("holder", "list objects", None, Some(true), "a listing of one name: allowed"),
        right("holder", "read content", Some(true), Some(true), "a read showed it"),
        right("strangers", "list objects", Some(true), Some(false), "a listing: refused"),
        right("members", "create objects", Some(true), None, "the list gives it\u{1b}[31m|<b>"),
        right("strangers", "create objects", Some(false), None, "the policy does not give it"),
        right("holder", "delete objects", None, None, "a key declares nothing"),
    ]})
}

#[test]
fn every_provider_is_told_in_one_section_and_in_the_same_words() {
    for place in ["s3://models", "gs://models", "az://contosolab"] {
        let mut report = report("a");
        report.grants[0].observed = serde_json::from_value(rights(place)).unwrap();
        let text = shown(&report, Format::Human);
        assert!(text.lines().all(|line| line.width() <= 80), "{text}");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let never = "nothing is ever written to find out";
        for said in [
            format!("Proved list objects, read content in {place} Declared"),
            format!(
                "Declared create objects in {place} (anyone with an account): by the service · {never}"
            ),
            format!("Refused list objects in {place} (strangers): a listing: refused"),
            format!("create objects in {place} (strangers): the policy does not give it"),
            format!("Unknown delete objects in {place}: a key declares nothing · {never}"),
        ] {
            assert!(text.contains(&said), "{said} is not in {text}");
        }
        for (format, rows) in [
            (
                Format::Markdown,
                [
                    format!("| proved | holder | `list objects in {place}` | – | yes | `a listing"),
                    format!(
                        "| refused | strangers | `list objects in {place}` | yes, by the service | no |"
                    ),
                    format!(
                        "| unknown | holder | `delete objects in {place}` | – | – | `a key declares"
                    ),
                ],
            ),
            (
                Format::Html,
                [
                    format!(
                        "<td>proved</td><td>holder</td><td>list objects in {place}</td><td>–</td><td>yes</td>"
                    ),
                    format!(
                        "<td>refused</td><td>strangers</td><td>list objects in {place}</td><td>yes, by the service</td><td>no</td>"
                    ),
                    format!(
                        "<td>unknown</td><td>holder</td><td>delete objects in {place}</td><td>–</td><td>–</td>"
                    ),
                ],
            ),
        ] {
            let text = shown(&report, format);
            for row in rows {
                assert!(text.contains(&row), "{row} is not in {text}");
            }
            assert!(text.contains("What is proved, declared, refused and unknown"), "{text}");
            assert!(!text.contains('\u{1b}') && !text.contains("<b>"), "{text}");
        }
    }
}

#[test]
fn a_long_list_of_rights_is_shortened_for_a_screen_and_whole_elsewhere() {
    let mut report = report("a");
    let all: Vec<_> = (lidless_core::Operation::ALL.iter().filter(|one| one.changes()))
        .map(|one| {
            json!({"party": "holder", "operation": one.as_str(), "place": null,
            "declared": true, "declared_by": "credential", "observed": null, "why": "declared"})
        })
        .collect();
    report.grants[0].observed = serde_json::from_value(json!({"rights": all})).unwrap();
    let text = shown(&report, Format::Human);
    let more = all.len() - 8;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(&format!("and {more} more: by the credential")), "{text}");
    let page = shown(&report, Format::Html);
    assert!(all.iter().all(|one| page.contains(one["operation"].as_str().unwrap())), "{page}");
}

#[test]
fn people_read_the_critical_thing_first_and_within_their_screen() {
    let text = shown(&report("models"), Format::Human);
    assert!(text.lines().all(|line| line.width() <= 80), "{text}");
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap();
    assert!(first.contains("CRITICAL") && first.contains("az://contosolab"), "{first}");
    for word in [
        "2021-10-06",
        "2051-10-06",
        "38.0 TB",
        "WS-ALICE-01",
        "30,000 messages of 359 people",
        "expired 2021-10-05",
        "lidless plan",
        "archive tier",
        "41.0 MB",
        "1,204 requests",
        "exit code 1",
        "not everything was seen",
    ] {
        let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(joined.contains(word), "{word} in {text}");
    }
    assert!(!text.contains('\u{1b}'));
    let mut colour = Vec::new();
    let style = Style { colour: true, width: 80 };
    render(&report("models"), Format::Human, &style, now(), &mut colour).unwrap();
    assert!(String::from_utf8(colour).unwrap().contains("\u{1b}["));
}

#[test]
fn machines_read_what_the_contract_says() {
    let report = report("models");
    let json: Value = serde_json::from_str(&shown(&report, Format::Json)).unwrap();
    assert_eq!(serde_json::from_value::<Report>(json).unwrap(), report);
    let lines: Vec<Value> = shown(&report, Format::Jsonl)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let kinds: Vec<&str> = lines.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds[0], "run");
    for kind in ["lead", "grant", "exposure", "finding", "coverage", "gap"] {
        assert!(kinds.contains(&kind), "{kind}");
    }
    assert_eq!(shown(&report, Format::Csv).lines().count(), 4);
    let sarif: Value = serde_json::from_str(&shown(&report, Format::Sarif)).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let rules: Vec<&str> = run["tool"]["driver"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["id"].as_str().unwrap())
        .collect();
    for result in run["results"].as_array().unwrap() {
        assert!(rules.contains(&result["ruleId"].as_str().unwrap()));
        assert!(result["message"]["text"].is_string() && result["level"].is_string());
        assert!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].is_string());
        assert!(result["partialFingerprints"].is_object());
    }
    let password =
        run["results"].as_array().unwrap().iter().find(|one| one["ruleId"] == "secret.password");
    let place = &password.unwrap()["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a.env");
    assert_eq!(place["region"]["startLine"], 1);
}

#[test]
fn the_page_is_alone_in_the_world_and_runs_nothing() {
    let page = shown(&report("models"), Format::Html);
    assert!(page.contains("<svg") && page.contains("Content-Security-Policy"));
    for word in ["<script", "http://", "src=", "@import", "url(", "javascript:"] {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn names_that_strangers_wrote_play_with_nothing() {
    let evil = "a\u{1b}[2J\u{202e}<script>alert(1)</script>\"'`|=cmd()\r\nx";
    let report = report(evil);
    for format in [Format::Human, Format::Html, Format::Markdown, Format::Csv] {
        let text = shown(&report, format);
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{format}");
    }
    let page = shown(&report, Format::Html);
    assert!(!page.contains("<script"), "escaped");
    assert!(!shown(&report, Format::Markdown).contains("<script"));
    assert!(shown(&report, Format::Human).lines().all(|line| line.width() <= 80));
}

#[test]
fn nothing_found_is_said_plainly_and_gaps_are_never_clean() {
    let mut empty = report("models");
    empty.leads.clear();
    empty.grants.clear();
    empty.exposures.clear();
    empty.findings.clear();
    empty.gaps.clear();
    empty.run.complete = true;
    empty.run.exit_code = Some(0);
    let text = shown(&empty, Format::Human);
    assert!(text.contains("Nothing found") && text.contains("everything was seen"), "{text}");
    empty.run.complete = false;
    empty.run.exit_code = Some(3);
    let text = shown(&empty, Format::Human).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("not everything was seen (exit code 3)"), "{text}");
}

#[test]
fn a_grant_is_explained_alone() {
    let grant = report("models").grants[0].clone();
    let mut out = Vec::new();
    let token = "?sv=2020-08-04&sp=rwdl&sig=[44 characters]".to_owned();
    let note = |key: &str, meaning: &str| lidless_core::Note {
        parameter: key.into(),
        meaning: meaning.into(),
    };
    let explained = lidless_core::Explained {
        grant,
        token,
        notes: vec![note("sv", "the version"), note("sp", "read write delete list")],
        operations: vec![lidless_core::OperationRow {
            service: "blob".into(),
            level: "object".into(),
            letters: "w".into(),
            operation: lidless_core::Operation::OverwriteObjects,
            what: "overwrite blobs".into(),
        }],
    };
    render_inspect(&[explained], Detail::Explain, &Style::default(), now(), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.lines().all(|line| line.width() <= 80), "{text}");
    for word in [
        "account SAS",
        "CRITICAL",
        "2051-10-06",
        "Full control",
        "Renew the key",
        "not checked",
        "└ read write delete list",
        "change  blob object      overwrite blobs (w)",
        "carries its",
    ] {
        assert!(text.contains(word), "{word} in {text}");
    }
}

#[test]
fn a_machine_is_shown_with_what_was_read_in_it() {
    let mut report = report("models");
    let machine = &mut report.exposures[0].workstations[0];
    machine.os = Some("Windows 11 Pro 23H2".into());
    machine.domain = Some("CORP".into());
    machine.last_used = "2023-06-20T20:00:00Z".parse().ok();
    machine.credentials =
        [("browser_logins".to_owned(), 57), ("private_keys".to_owned(), 2)].into();
    let said = "WS-ALICE-01 (Windows 11 Pro 23H2, CORP, alice; last used 2023-06-20)";
    let text = shown(&report, Format::Human);
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&text).contains(&format!("{said}: 57 browser logins, 2 private keys")), "{text}");
    assert!(shown(&report, Format::Html).contains(said));
    assert!(shown(&report, Format::Json).contains("\"last_used\": \"2023-06-20T20:00:00Z\""));
}
