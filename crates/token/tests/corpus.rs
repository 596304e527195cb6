//! Broken and escaped in every place, and look-alikes that must stay silent.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use lidless_token::{AccountSasParameters, Credential, ServiceSasParameters, Sighting, recognise};

const KEY: &str =
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";

/// An account SAS of its own for every number, so that signatures of every look occur.
fn account(number: usize) -> String {
    AccountSasParameters {
        version: "2021-08-06".into(),
        services: "bfqt".into(),
        resource_types: "sco".into(),
        permissions: "rwdlacup".into(),
        start: "2021-10-06T07:00:00Z".into(),
        expiry: format!("20{:02}-10-06T07:00:00Z", 30 + number % 60),
        protocols: "https".into(),
        ip: String::new(),
    }
    .mint(&format!("contoso{number}"), KEY)
    .unwrap()
}

fn url(number: usize) -> String {
    format!("https://contoso{number}.blob.core.windows.net/models/a.ckpt?{}", account(number))
}

fn sas(text: &str) -> Vec<Sighting> {
    let mut all = recognise(text);
    all.retain(|one| matches!(one.credential, Credential::AzureSas(_)));
    all
}

fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

#[test]
fn a_link_broken_at_any_place_is_put_together() {
    let mut failed = Vec::new();
    for number in 0..3 {
        let url = url(number);
        let id = sas(&url)[0].credential.id();
        for cut in 9..url.len() {
            let (a, b) = url.split_at(cut);
            for (name, text) in [
                ("hard wrap", format!("Download from\n  {a}\n  {b}\nand thank you.\n")),
                ("python", format!("u = (\"{a}\"\n     \"{b}\")\nv = 1\n")),
                ("plus", format!("var u = '{a}' +\r\n        '{b}';\nvar v = 1;")),
                ("shell", format!("wget {a}\\\n{b} -O a.ckpt\n")),
                ("comment", format!("// {a}\n// {b}\n// End.\n")),
                (
                    "notebook",
                    format!("[\n    \"u = '{a}' \\\\\\n\",\n    \"    '{b}'\\n\",\n \"v = 1\"]"),
                ),
                ("quoted-printable", {
                    let (a, b) = (a.replace('=', "=3D"), b.replace('=', "=3D"));
                    format!("See {a}=\r\n{b}\r\nBye=\r\n")
                }),
            ] {
                let all = sas(&text);
                let ok = all.len() == 1
                    && all[0].credential.id() == id
                    && all[0].credential.access().is_some_and(|access| {
                        access.container.as_deref() == Some("models")
                            && access.key.as_deref() == Some("a.ckpt")
                    });
                if !ok {
                    failed.push(format!(
                        "{name} {cut} …{}|{}…: {}",
                        &a[a.len().saturating_sub(8)..],
                        &b[..b.len().min(8)],
                        all.len()
                    ));
                }
            }
        }
    }
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn every_signature_is_read_raw_and_escaped_up_to_three_times() {
    for number in 0..40 {
        let url = url(number);
        let plain = sas(&url);
        let id = plain[0].credential.id();
        let span = plain[0].span.clone();
        assert_eq!(span, 0..url.len(), "{url}");
        let raw =
            url.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=").replace("%3A", ":");
        let (once, twice) = (encode(&url), encode(&encode(&url)));
        let html = url.replace('&', "&amp;");
        let json = url.replace('&', "\\u0026").replace('/', "\\/");
        for (name, text) in [
            ("raw", format!("U={raw}\n")),
            ("no padding", format!("'{}'", raw.trim_end_matches('='))),
            ("markdown", format!("[here]({url}), [there]({raw}).")),
            ("encoded", format!("https://example.com/go?to={once}&x=1")),
            ("encoded twice", format!("https://example.com/go?to={twice}&x=1")),
            ("encoded three times", format!("go?to={}", encode(&twice))),
            ("html", format!("<a href=\"{html}\">{html}</a>")),
            ("html text", format!("&lt;a href=&quot;{html}&quot;&gt;x&lt;/a&gt;")),
            ("html twice", html.replace("&amp;", "&amp;amp;")),
            ("html numbers", url.replace('&', "&#38;").replace('=', "&#x3D;")),
            ("json", format!("{{\"u\":\"{json}\"}}")),
            (
                "json in json",
                format!("{{\"u\":\"{{\\\"v\\\":\\\"{}\\\"}}\"}}", json.replace('\\', "\\\\")),
            ),
            ("javascript", url.replace('&', "\\x26").replace('=', "\\x3d")),
            ("html in encoded", encode(&html)),
            ("encoded in html", format!("<a href=\"https://example.com/?a=1&amp;u={once}\">")),
            ("cmd", format!("set U={}\r\n", url.replace('&', "^&"))),
            ("latex", format!("\\url{{{}}}", url.replace('&', "\\&").replace('%', "\\%"))),
            ("rst", format!("`models <{url}>`_")),
            ("csv", format!("1,{url},2\n")),
            ("tuple", format!("({url});")),
            ("list", format!("[{url}]")),
            ("sentence", format!("It is at {url}.")),
        ] {
            let all = sas(&text);
            assert!(!all.is_empty(), "{name}: {text}");
            for one in &all {
                assert_eq!(one.credential.id(), id, "{name}: {text}");
                assert!(one.credential.access().is_some(), "{name}: {text}");
                let seen = &text[one.span.clone()];
                assert!(seen.starts_with("http"), "{name}: {seen}");
                assert!(
                    !seen.ends_with(['"', '\'', ')', '>', ']', '.', ',', ';', '}'])
                        || name.contains("html"),
                    "{name}: {seen}"
                );
            }
        }
    }
}

#[test]
fn tokens_beside_each_other_stay_apart() {
    let urls: Vec<String> = (0..5).map(url).collect();
    let ids: Vec<String> = urls.iter().map(|url| sas(url)[0].credential.id()).collect();
    for text in [
        urls.join("\n"),
        urls.join(" "),
        urls.join(","),
        format!("[\"{}\"]", urls.join("\",\n  \"")),
        format!("{{\"a\": \"{}\"}}", urls.join("\", \"b\": \"")),
        urls.iter().enumerate().map(|(n, url)| format!("URL_{n}={url}\n")).collect(),
        urls.iter().enumerate().map(|(n, url)| format!("- name: a{n}\n  url: {url}\n")).collect(),
        urls.iter().map(|url| format!("| {url} | yes |\n")).collect(),
    ] {
        let found: Vec<String> = sas(&text).iter().map(|one| one.credential.id()).collect();
        assert_eq!(found, ids, "{text}");
    }
    // The signature first, so that what follows a line break could be taken for its end.
    let turned: Vec<String> = urls
        .iter()
        .map(|url| {
            let (head, query) = url.split_once('?').unwrap();
            let (rest, sig) = query.split_once("&sig=").unwrap();
            format!("{head}?sig={sig}&{rest}")
        })
        .collect();
    for text in [turned.join("\n"), turned.iter().map(|url| format!("{url}\nthen ")).collect()] {
        let found: Vec<String> = sas(&text).iter().map(|one| one.credential.id()).collect();
        assert_eq!(found, ids, "{text}");
    }
}

#[test]
fn bare_tokens_and_their_accounts_are_found_in_the_ways_programs_hold_them() {
    let query = account(7);
    let id = sas(&url(7))[0].credential.id();
    for text in [
        format!("AZURE_STORAGE_ACCOUNT=contoso7\nAZURE_STORAGE_SAS_TOKEN='{query}'\n"),
        format!("AZURE_STORAGE_ACCOUNT=contoso7\nAZURE_STORAGE_SAS_TOKEN=?{query}\n"),
        format!(
            "See https://contoso7.blob.core.windows.net/ and https://docs.example.com/help?id=5\n{query}\n"
        ),
        format!("BASE=https://contoso7.blob.core.windows.net/models\nTOKEN=?{query}\n"),
        format!("base: https://contoso7.blob.core.windows.net/models\ntoken: {query}\n"),
        format!("az storage blob list --account-name contoso7 --sas-token \"{query}\""),
        format!(
            "url = f\"https://{{account}}.blob.core.windows.net/x?{query}\"\naccount_name = 'contoso7'"
        ),
        format!("{{\"storageAccount\": \"contoso7\", \"sas\": \"?{query}\"}}"),
        format!(
            "BlobServiceClient(account_url='https://contoso7.blob.core.windows.net', credential='{query}')"
        ),
        format!(
            "BlobEndpoint=https://contoso7.blob.core.windows.net/;QueueEndpoint=https://contoso7.queue.core.windows.net/;FileEndpoint=https://contoso7.file.core.windows.net/;TableEndpoint=https://contoso7.table.core.windows.net/;SharedAccessSignature={query}"
        ),
        format!(
            "SharedAccessSignature={query};BlobEndpoint=https://contoso7.blob.core.windows.net"
        ),
        format!(
            "\"AccountName=contoso7;SharedAccessSignature={query};EndpointSuffix=core.windows.net\""
        ),
        format!("https://contoso7.blob.core.windows.net/models/my file.ckpt?{query}"),
    ] {
        let all = sas(&text);
        assert_eq!(all.len(), 1, "{text}");
        assert_eq!(all[0].credential.id(), id, "{text}");
        let access = all[0].credential.access().unwrap_or_else(|| panic!("{text}"));
        assert_eq!(access.account, "contoso7", "{text}");
        assert_eq!(access.origin, "https://contoso7.blob.core.windows.net", "{text}");
    }
}

#[test]
fn hosts_of_every_kind_are_understood() {
    let token = ServiceSasParameters {
        version: "2020-08-04".into(),
        resource: "c".into(),
        permissions: "rl".into(),
        expiry: "2030-01-01".into(),
        ..ServiceSasParameters::default()
    }
    .mint("contoso", "models", KEY)
    .unwrap();
    for (host, origin) in [
        ("https://contoso.blob.core.windows.net", Some("https://contoso.blob.core.windows.net")),
        ("https://contoso.dfs.core.windows.net", Some("https://contoso.blob.core.windows.net")),
        (
            "https://contoso.blob.core.chinacloudapi.cn",
            Some("https://contoso.blob.core.chinacloudapi.cn"),
        ),
        (
            "https://contoso.blob.core.usgovcloudapi.net",
            Some("https://contoso.blob.core.usgovcloudapi.net"),
        ),
        (
            "https://contoso-secondary.blob.core.windows.net",
            Some("https://contoso-secondary.blob.core.windows.net"),
        ),
        (
            "https://contoso.z22.blob.storage.azure.net",
            Some("https://contoso.z22.blob.storage.azure.net"),
        ),
        ("http://127.0.0.1:10000/contoso", Some("http://127.0.0.1:10000")),
        ("http://127.0.0.1:10000/contoso-secondary", Some("http://127.0.0.1:10000")),
        ("http://localhost:31000/contoso", Some("http://localhost:31000")),
        ("http://[::1]:31000/contoso", Some("http://[::1]:31000")),
        ("http://contoso.blob.localhost:31000", Some("http://contoso.blob.localhost:31000")),
        ("http://azurite:10000/contoso", Some("http://azurite:10000")),
        ("https://cdn.example.com", None),
    ] {
        let all = sas(&format!("see <{host}/models/a/b.bin?{token}>"));
        assert_eq!(all.len(), 1, "{host}");
        let access = all[0].credential.access();
        assert_eq!(access.as_ref().map(|access| access.origin.as_str()), origin, "{host}");
        if let Some(access) = access {
            let place =
                (access.account.as_str(), access.container.as_deref(), access.key.as_deref());
            assert_eq!(place, ("contoso", Some("models"), None), "{host}");
        }
    }
}
