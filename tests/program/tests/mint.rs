//! What `lidless mint` signs is taken by the emulator, and opens nothing more.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use lidless_kit::Azurite;
use lidless_program_tests::{account_sas, random_key, run};
use std::os::unix::fs::PermissionsExt as _;

const ACCOUNT: &str = "fabrikammint";

/// The same link for another path.
fn moved(url: &str, path: &str) -> String {
    let (_, query) = url.split_once('?').unwrap();
    let origin = url.split(&format!("/{ACCOUNT}/")).next().unwrap();
    format!("{origin}/{ACCOUNT}{path}{}{query}", if path.contains('?') { '&' } else { '?' })
}

#[test]
fn minted_links_are_accepted_and_refused_outside_what_they_grant() {
    let (key1, key2) = (random_key(), random_key());
    let Some(azurite) = Azurite::start(&[(ACCOUNT, &key1, &key2)]) else { return };
    for container in ["models", "private"] {
        azurite.put_container(ACCOUNT, container, None);
        azurite.put_blob(ACCOUNT, container, "a b/net.bin", b"weights");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let leaked = account_sas(ACCOUNT, &key1, "rwdlac", "", "2051-10-06T07:00:00Z");
    let leaked = format!("{}/{ACCOUNT}/?{leaked}", azurite.url());
    std::fs::write(path("README.md"), format!("# Models\n\n{leaked}\n")).unwrap();
    std::fs::write(path("keys"), format!("{ACCOUNT}:{key1}:{key2}\n")).unwrap();
    std::fs::set_permissions(path("keys"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let from = format!("{}:3", path("README.md"));
    let mint = |kind: &str, name: &str, more: &[&str]| {
        let (keys, output) = (path("keys"), path(name));
        let mut words = vec!["mint", "--from", &from, "--keys", &keys, "--container", "models"];
        words.extend(["--kind", kind, "--output", &output]);
        words.extend(more);
        let ran = run(&words);
        assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
        let url = std::fs::read_to_string(&output).unwrap().trim().to_owned();
        let mode = std::fs::metadata(&output).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "the link is its owner's alone");
        let signature = url.rsplit("sig=").next().unwrap();
        assert!(!ran.out.contains(signature), "the link is in the file, not on the screen");
        assert!(!ran.out.contains(&key1), "{}", ran.out);
        url
    };
    let blob = "/models/a%20b/net.bin";
    let upload = [("x-ms-blob-type", "BlockBlob")];

    // One container, read only.
    let url = mint("service", "container", &[]);
    let status = |method: &str, place: &str| {
        let headers: &[(&str, &str)] = if method == "PUT" { &upload } else { &[] };
        azurite.ask(method, &moved(&url, place), headers, b"")
    };
    assert_eq!(status("GET", blob), 200);
    for (method, place) in [
        ("GET", "/models?restype=container&comp=list"),
        ("GET", "/?comp=list"),
        ("GET", "/private/a%20b/net.bin"),
        ("PUT", blob),
        ("PUT", "/models/new.bin"),
        ("DELETE", blob),
    ] {
        assert_eq!(status(method, place), 403, "{method} {place}");
    }

    // One blob, and writing as asked for.
    let url = mint("service", "blob", &["--object", "a b/net.bin", "--permissions", "wr"]);
    let status = |method: &str, place: &str| azurite.ask(method, &moved(&url, place), &upload, b"");
    assert_eq!((status("GET", blob), status("PUT", blob)), (200, 201));
    assert_eq!(status("DELETE", blob), 403);
    azurite.put_blob(ACCOUNT, "models", "other.bin", b"x");
    assert_eq!(status("GET", "/models/other.bin"), 403);

    // Under a policy: nothing before it is made, nothing after it is gone.
    let url = mint("policy", "policy", &[]);
    let name = url.split("si=").nth(1).unwrap().split('&').next().unwrap();
    let get = || azurite.ask("GET", &moved(&url, blob), &[], b"");
    assert_eq!(get(), 403);
    azurite.set_policy(ACCOUNT, "models", Some((name, "r", "2051-01-01T00:00:00Z")));
    assert_eq!(get(), 200);
    assert_eq!(azurite.ask("DELETE", &moved(&url, blob), &[], b""), 403);
    azurite.set_policy(ACCOUNT, "models", None);
    assert_eq!(get(), 403);

    // What cannot be done is said, and writes nothing.
    for (more, why) in [
        (vec!["--for", "30d"], "seven days"),
        (vec!["--permissions", "rq"], "is no permission"),
        (vec!["--kind", "presigned"], "no replacement of that kind"),
        (vec!["--kind", "delegation", "--output", "never"], "nothing here can be signed"),
    ] {
        let mut words = vec!["mint", "--from", &from, "--container", "models"];
        words.extend(more);
        let ran = run(&words);
        assert_eq!(ran.code, 2, "{} {}", ran.out, ran.err);
        assert!(ran.err.contains(why), "{why}: {}", ran.err);
    }
    assert!(!std::path::Path::new("never").exists());
}
