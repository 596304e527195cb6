//! Every form in which a token leaks, and what only looks like one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use lidless_core::{Severity, Timestamp};
use lidless_token::{Credential, KeyRing, read, recognise};

const SIG: &str = "XU9vVDvdBUWTusHpd4JYXiDMqemtGI6IIU8EyqlN%2Bxk%3D";
const HEAD: &str = "https://contosolab.blob.core.windows.net/models/a.ckpt?sv=2020-08-04&ss=bfqt\
                    &srt=sco&sp=rwdlacup&se=2051-10-06T07:00:00Z&st=2021-10-06T07:00:00Z&spr=https&sig=";

fn url() -> String {
    format!("{HEAD}{SIG}")
}

fn id() -> String {
    read(&url()).unwrap().id()
}

/// The ids of the signed credentials in a text, with whether an account is known for each.
fn found(text: &str) -> Vec<(String, bool)> {
    recognise(text)
        .into_iter()
        .filter(|one| one.credential.secret().is_some())
        .map(|one| (one.credential.id(), one.credential.access().is_some()))
        .collect()
}

#[test]
fn escapes_and_broken_lines_hide_nothing() {
    let url = url();
    let encode = |text: &str| {
        text.bytes().fold(String::new(), |mut out, byte| {
            if byte.is_ascii_alphanumeric() {
                out.push(char::from(byte))
            } else {
                out.push_str(&format!("%{byte:02X}"))
            }
            out
        })
    };
    let middle = url.find("&se=").unwrap() + 1;
    let (first, second) = url.split_at(middle);
    let inside = url.find("sig=").unwrap() + 20;
    let (upto, from) = url.split_at(inside);
    for (name, text) in [
        ("plain", format!("see {url} for it")),
        ("markdown", format!("[models]({url}), and more")),
        ("angle brackets", format!("<{url}>.")),
        ("html", format!("<a href=\"{}\">", url.replace('&', "&amp;"))),
        ("json", format!("{{\"u\": \"{}\"}}", url.replace('&', "\\u0026").replace('/', "\\/"))),
        ("shell", format!("wget \"{url}\" -O a")),
        ("percent-encoded", format!("https://example.com/?u={}", encode(&url))),
        ("percent-encoded twice", format!("https://example.com/?u={}", encode(&encode(&url)))),
        ("python strings", format!("u = (\"{first}\"\n     \"{second}\")")),
        ("concatenation", format!("var u = '{first}' +\n   '{second}';")),
        ("same line", format!("u = \"{first}\" + \"{second}\"")),
        ("notebook", format!("\"source\": [\n \"u = {first}\\n\",\n    \"{second}\\n\"\n]")),
        ("notebook strings", format!("  \"u = \\\"{first}\\\" \\\\\\n\",\n  \"\\\"{second}\\\"\"")),
        ("hard wrap", format!("{first}\n{second}\n")),
        ("hard wrap in the signature", format!("{upto}\n    {from}\nNext line")),
        ("continuation", format!("curl {first}\\\n  {second}")),
        ("comment", format!("# {upto}\n# {from}\n")),
        ("quoted-printable", url.replace('=', "=3D").replace("&se", "&=\r\nse")),
        ("yaml", format!("url: {url}\nnext: 1")),
        ("utf-8 around", format!("ü{url}ü")),
    ] {
        assert_eq!(found(&text), [(id(), true)], "{name}: {text}");
    }
}

#[test]
fn a_bare_token_finds_its_account_when_the_text_names_one() {
    let query = url().split_once('?').unwrap().1.to_owned();
    let bare = format!("SAS={query}\n");
    assert_eq!(found(&bare), [(id(), false)]);
    let named = format!("account_name = \"contosolab\"\n{bare}");
    assert_eq!(found(&named), [(id(), true)]);
    let apart =
        format!("base = \"https://contosolab.blob.core.windows.net/\"\ntoken = \"?{query}\"");
    assert_eq!(found(&apart), [(id(), true)]);
    let two = format!("https://one.blob.core.windows.net https://two.blob.core.windows.net {bare}");
    assert_eq!(found(&two), [(id(), false)]);
    let connection = format!(
        "BlobEndpoint=https://contosolab.blob.core.windows.net/;SharedAccessSignature={query}"
    );
    assert_eq!(found(&connection), [(id(), true)]);
}

#[test]
fn parameters_may_stand_in_any_order() {
    let text = format!(
        "https://contosolab.blob.core.windows.net/?sig={SIG}&se=2051-10-06&srt=sco&ss=b&sp=rl&sv=2020-08-04"
    );
    let all = recognise(&text);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].span, 0..text.len());
    let Credential::AzureSas(sas) = &all[0].credential else { panic!() };
    assert_eq!(sas.get("sv"), Some("2020-08-04"));
}

#[test]
fn what_only_looks_like_a_token_is_none() {
    let head = HEAD.trim_end_matches("sig=");
    for text in [
        format!("{head}sig=<signature>"),
        format!("{head}sig=REDACTED"),
        format!("{head}sig=XXXXXXXX"),
        format!("{head}sig=${{SIG}}"),
        format!("{head}sig={}", &SIG[..30]),
        "design=XU9vVDvdBUWTusHpd4JYXiDMqemtGI6IIU8EyqlN%2Bxk%3D&sv=2020-01-01&sp=r&se=2030-01-01"
            .into(),
        format!("sig={SIG}"),
        format!("SharedAccessSignature sr=bus&sig={SIG}&se=1700000000&skn=Root"),
        format!("https://prod.logic.azure.com/x?sp=%2Ftriggers%2Frun&sv=1.0&sig={SIG}"),
    ] {
        assert!(found(&text).is_empty(), "{text}");
    }
    assert!(read(&format!("{head}sig={}", &SIG[..30])).is_none());
    assert!(read("hello").is_none() && read("").is_none());
}

#[test]
fn keys_and_connection_strings_are_found() {
    let key = format!("{}==", "Ab3/".repeat(21) + "Qw");
    assert_eq!(key.len(), 88);
    let string = format!(
        "DefaultEndpointsProtocol=https;AccountName=contosolab;AccountKey={key};EndpointSuffix=core.windows.net"
    );
    let local =
        format!("AccountName=dev1;AccountKey={key};BlobEndpoint=http://127.0.0.1:1234/dev1;");
    for (text, origin) in [
        (format!("conn = \"{string}\""), "https://contosolab.blob.core.windows.net"),
        (format!("AZURE={string}\nX=1"), "https://contosolab.blob.core.windows.net"),
        (
            format!("account_name: contosolab\naccount_key: {key}\n"),
            "https://contosolab.blob.core.windows.net",
        ),
        (
            format!("{{\"AccountName\": \"contosolab\", \"AccountKey\": \"{key}\"}}"),
            "https://contosolab.blob.core.windows.net",
        ),
        (local, "http://127.0.0.1:1234"),
    ] {
        let all = recognise(&text);
        assert_eq!(all.len(), 1, "{text} {all:?}");
        assert_eq!(all[0].credential.access().unwrap().origin, origin, "{text}");
        assert!(!format!("{all:?}").contains(&key));
    }
    let id = format!("AKIA{}", "IOSFODNN7ABCDEFG");
    let secret = "wJalrXUtnFEMIK7MDENGbPxRfiCYabcdefghijKL";
    let text = format!("aws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    assert_eq!(recognise(&text).len(), 1);
}

#[test]
fn links_without_a_credential_are_leads_that_open_nothing_themselves() {
    let text = "see https://contosolab.blob.core.windows.net/public/a.bin, or \
                https://bucket.s3.eu-west-1.amazonaws.com/key and \
                https://storage.googleapis.com/bucket/key.";
    let all = recognise(text);
    let resources: Vec<String> = all
        .iter()
        .map(|one| one.credential.grant(Timestamp::UNIX_EPOCH, &KeyRing::default()).resource)
        .collect();
    assert_eq!(resources, ["az://contosolab/public/a.bin", "s3://bucket/key", "gs://bucket/key"]);
    assert!(all.iter().all(|one| one.credential.secret().is_none()));
}

#[test]
fn severity_goes_by_what_the_holder_can_do() {
    let now: Timestamp = "2022-01-01T00:00:00Z".parse().unwrap();
    let judge = |query: &str| {
        let url = format!("https://contosolab.blob.core.windows.net/c/b?{query}&sig={SIG}");
        read(&url).unwrap().grant(now, &KeyRing::default())
    };
    let incident = judge("sv=2020-08-04&ss=bfqt&srt=sco&sp=rwdlacup&se=2051-10-06T07:00:00Z");
    assert_eq!(incident.severity, Severity::Critical);
    let rules: Vec<&str> = incident.problems.iter().map(|one| one.rule.as_str()).collect();
    for rule in ["sas.account_scope", "sas.full_control", "sas.lifetime_forever", "sas.no_policy"] {
        assert!(rules.contains(&rule), "{rule} in {rules:?}");
    }
    assert!(incident.operations.iter().any(|one| one.contains("switch off logging")));
    for (query, severity) in [
        ("sv=2020-08-04&ss=b&srt=sco&sp=rl&se=2030-01-01", Severity::High),
        ("sv=2020-08-04&sr=c&sp=rwl&se=2030-01-01", Severity::High),
        ("sv=2020-08-04&sr=c&sp=rl&se=2030-01-01", Severity::Medium),
        ("sv=2020-08-04&sr=b&sp=r&se=2030-01-01", Severity::Low),
        ("sv=2020-08-04&sr=b&sp=r&se=2022-01-02", Severity::Info),
        ("sv=2020-08-04&sr=c&si=policy", Severity::Medium),
        ("sv=2020-08-04&ss=b&srt=sco&sp=rwdl&se=2021-01-01", Severity::Low),
        ("sv=2020-08-04&ss=b&srt=sco&sp=rwdl&se=2051-01-01&sip=192.0.2.1", Severity::High),
    ] {
        assert_eq!(judge(query).severity, severity, "{query}");
    }
}

#[test]
fn contradictions_are_told_and_nothing_of_the_secret_is_shown() {
    let url = format!(
        "https://user:hunter2secret@contosolab.blob.core.windows.net/c/b?sv=2020-08-04&sr=b&sp=r&sp=rw&st=2030-01-02&se=2030-01-01&%73ig={SIG}&sig={SIG}&access_token=canary1234&comp=x"
    );
    let credential = read(&url).unwrap();
    let now: Timestamp = "2022-01-01T00:00:00Z".parse().unwrap();
    let grant = credential.grant(now, &KeyRing::default());
    let has = |rule: &str| grant.problems.iter().filter(|one| one.rule == rule).count();
    assert_eq!(has("sas.duplicate_parameter"), 2, "{:?}", grant.problems);
    assert_eq!((has("sas.never_valid"), has("sas.not_started")), (1, 1));
    let shown = format!("{credential:?} {grant:?} {}", credential.redacted_url());
    for secret in ["XU9vVDvd", "hunter2", "canary1234"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(credential.redacted_url().contains("&sig=[44 characters]&"));
}

#[test]
fn one_token_has_one_id_however_it_is_written() {
    let turned = format!(
        "https://contosolab.blob.core.windows.net/other?sig={}&spr=https&st=2021-10-06T07%3A00%3A00Z&se=2051-10-06T07%3a00%3a00Z&sp=rwdlacup&srt=sco&ss=bfqt&sv=2020-08-04&comp=list",
        SIG.replace("%2B", "+").replace("%3D", "=")
    );
    assert_eq!(read(&turned).unwrap().id(), id());
    let query = read(&turned).unwrap().access().unwrap().auth;
    let lidless_core::Auth::Query(query) = query else { panic!() };
    assert!(query.expose().contains("%2B") && !query.expose().contains('+'));
    let other = url().replace("sp=rwdlacup", "sp=rl");
    assert_ne!(read(&other).unwrap().id(), id());
}

#[test]
fn times_are_read_in_every_way_that_the_service_takes() {
    let now: Timestamp = "2022-01-01T00:00:00Z".parse().unwrap();
    for (text, status) in [
        ("2021-12-31", "expired"),
        ("2021-12-31T23:59Z", "expired"),
        ("2022-01-01T00:00:00.0000000Z", "expired"),
        ("2022-01-01T00:00:01Z", "unknown"),
        ("2022-01-01T00%3A00%3A00.1234567Z", "unknown"),
        ("9999-12-31T23:59:59Z", "unknown"),
        ("9999-12-31", "unknown"),
    ] {
        let url = format!(
            "https://contosolab.blob.core.windows.net/c?sv=2020-08-04&sr=c&sp=rl&se={text}&sig={SIG}"
        );
        let grant = read(&url).unwrap().grant(now, &KeyRing::default());
        assert_eq!(grant.status.as_str(), status, "{text}");
        assert!(grant.problems.iter().all(|one| one.rule != "sas.unreadable_time"), "{text}");
        assert!(status != "expired" || grant.severity <= Severity::Low);
    }
}

#[test]
fn hostile_text_costs_time_in_proportion_and_never_a_panic() {
    lidless_kit::cut_and_flip(url().as_bytes(), |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let _ = (recognise(&text), read(&text));
    });
    let many = "sig=%&\"\n".repeat(3000);
    assert!(recognise(&many).is_empty());
    let unicode = "é\u{2028}sig=é%é&amp".repeat(500);
    assert!(recognise(&unicode).is_empty());
}
