//! Tokens that Azure's own libraries minted, with random keys, names and times, read alike.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use lidless_token::{Credential, KeyRing, SasKind, read, verify};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Python that `./check` put the libraries into.
fn python() -> Option<PathBuf> {
    let local = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = std::env::var_os("LIDLESS_AZURE_SDK").map(PathBuf::from);
    let found = named
        .or_else(|| Some(local.join("../../target/tools/azure-sdk/bin/python")))
        .filter(|path| path.is_file());
    if found.is_none() {
        let why = "Azure's Python libraries were not found: run ./check";
        assert!(std::env::var_os("CI").is_none(), "{why}");
        eprintln!("not tested against Azure's own libraries: {why}");
    }
    found
}

#[test]
fn tokens_of_azure_s_own_libraries_are_read_alike() {
    let Some(python) = python() else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("azure_sdk/mint.py");
    let seed = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .subsec_nanos()
        .to_string();
    let output = Command::new(python).arg(script).arg(&seed).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let list: Vec<Value> = serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("seed {seed}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(list.len(), 400, "seed {seed}");
    for one in &list {
        let field = |name: &str| one[name].as_str().unwrap();
        let (kind, url, account) = (field("kind"), field("url"), field("account"));
        let say = format!("seed {seed}: {kind} {url}");
        let Some(Credential::AzureSas(sas)) = read(url) else { panic!("{say} is not read") };
        let want = match kind {
            "account" => SasKind::Account,
            "blob" | "container" | "directory" => SasKind::Blob,
            "share" | "file" => SasKind::File,
            "queue" => SasKind::Queue,
            "table" => SasKind::Table,
            _ => SasKind::UserDelegation,
        };
        assert_eq!(sas.kind(), want, "{say}");
        assert_eq!(sas.account(), Some(account), "{say}");
        let key = field("key");
        assert!(verify(&sas, account, field("where"), key), "{say}: the signature");
        assert!(!verify(&sas, "another", field("where"), key), "{say}");
        let keys = KeyRing::parse(&format!("{account}:{key}")).unwrap();
        let now = "2026-11-24T00:00:00Z".parse().unwrap();
        let grant = Credential::AzureSas(sas).grant(now, &keys);
        let letters = one["letters"].as_u64().unwrap();
        let known = grant.permissions.map(|list| list.len() as u64);
        assert_eq!(known, Some(letters), "{say}");
        assert_eq!(grant.expires.unwrap().to_string(), field("expires"), "{say}");
        if kind != "delegation" {
            assert_eq!(grant.signature.verified, Some(true), "{say}");
            assert_eq!(grant.signature.key.as_deref(), Some("key1"), "{say}");
        }
    }
}
