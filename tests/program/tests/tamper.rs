//! Seals of stores: what changed behind a grant that may write is critical.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use lidless_kit::Azurite;
use lidless_program_tests::{Ran, account_sas, random_key, run};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

const ACCOUNT: &str = "tailspinlab3";

#[test]
fn a_store_is_sealed_and_a_changed_model_behind_a_writable_grant_is_critical() {
    let (key1, key2) = (random_key(), random_key());
    let Some(azurite) = Azurite::start(&[(ACCOUNT, &key1, &key2)]) else { return };
    azurite.put_container(ACCOUNT, "models", None);
    for (name, content) in [
        ("net/a.ckpt", b"\x80\x02N.".as_slice()),
        ("net/b.safetensors", b"12345678{}"),
        ("net/readme.txt", b"weights"),
        ("network.txt", b"not below net"),
    ] {
        azurite.put_blob(ACCOUNT, "models", name, content);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/seal/tests/keys");
    fs::copy(keys.join("p256.pem"), path("key.pem")).unwrap();
    fs::set_permissions(path("key.pem"), fs::Permissions::from_mode(0o600)).unwrap();
    let public = keys.join("p256.pub").display().to_string();
    let link = |permissions: &str| {
        let token = account_sas(ACCOUNT, &key1, permissions, "", "2051-10-06T07:00:00Z");
        let file = path(permissions);
        fs::write(&file, format!("{}/{ACCOUNT}/models/net/?{token}\n", azurite.url())).unwrap();
        format!("@{file}")
    };
    let (writable, readable) = (link("rwdl"), link("rl"));
    let seal = |target: &str, seal: &str, more: &[&str]| {
        let mut words =
            vec!["seal", target, "--key", folder.path().to_str().unwrap(), "--output", seal];
        let key = path("key.pem");
        words[3] = &key;
        words.extend(more);
        run(&words)
    };
    let verify = |target: &str, seal: &str, more: &[&str]| -> Ran {
        let mut words =
            vec!["verify", target, "--key", &public, "--seal", seal, "--format", "json"];
        words.extend(more);
        run(&words)
    };
    let (listed, read) = (path("listed.sig"), path("read.sig"));
    let before = azurite.snapshot(ACCOUNT);
    let ran = seal(&writable, &listed, &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("Sealed 3 objects"), "{}", ran.out);
    assert_eq!(seal(&readable, &read, &["--content"]).code, 0);
    for seal in [&listed, &read] {
        for more in [&[][..], &["--content"]] {
            let ran = verify(&writable, seal, more);
            assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
        }
    }
    assert_eq!(azurite.snapshot(ACCOUNT), before, "nothing was written");
    // Another content of the same length; another object; one fewer.
    azurite.put_blob(ACCOUNT, "models", "net/a.ckpt", b"\x80\x02K.");
    azurite.put_blob(ACCOUNT, "models", "net/new.pt", b"\x80\x02N.");
    azurite.delete_blob(ACCOUNT, "models", "net/readme.txt");
    for seal in [&listed, &read] {
        for (target, worst) in [(&writable, "critical"), (&readable, "high")] {
            let ran = verify(target, seal, &["--content"]);
            assert_eq!(ran.code, 1, "{} {}", ran.out, ran.err);
            let json = ran.json();
            let changes = json["changes"].as_array().unwrap();
            let of = |name: &str| changes.iter().find(|one| one["name"] == name).unwrap();
            assert_eq!(changes.len(), 3, "{}", ran.out);
            assert_eq!(of("a.ckpt")["kind"], "changed");
            assert_eq!(of("a.ckpt")["severity"], worst);
            assert_eq!(of("a.ckpt")["category"], "tamper");
            assert_eq!(of("new.pt")["kind"], "appeared");
            assert_eq!(of("readme.txt")["severity"], "high");
        }
    }
    let ran = run(&["verify", &writable, "--key", &public, "--seal", &listed]);
    assert!(ran.out.contains("do not load it"), "{}", ran.out);
    // The seal itself changed, or was made by another key.
    let mut text = fs::read_to_string(&listed).unwrap().into_bytes();
    let at = text.windows(7).position(|word| word == b"payload").unwrap() + 40;
    text[at] = if text[at] == b'A' { b'B' } else { b'A' };
    fs::write(&listed, text).unwrap();
    assert_eq!(verify(&writable, &listed, &[]).code, 2);
    for ran in [ran, verify(&writable, &read, &[])] {
        assert!(!ran.out.contains("sig=") && !ran.err.contains("sig="), "{} {}", ran.out, ran.err);
    }
}
