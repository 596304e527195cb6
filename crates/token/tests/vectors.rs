//! Every signature of the official libraries, read and made again.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use lidless_core::{GrantScope, Mechanism, Permission, Timestamp};
use lidless_token::{
    Credential, KeyRing, SignedValues, hmac_base64, read, string_to_sign, string_to_sign_with,
    verify,
};
use serde_json::Value;

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("vectors/sas_vectors.json")).unwrap()
}

fn path(url: &str) -> String {
    let path =
        url.split("://").nth(1).unwrap().split_once('/').unwrap().1.split('?').next().unwrap();
    let mut out = Vec::new();
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let hex = [bytes.next().unwrap(), bytes.next().unwrap()];
            out.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn every_vector_is_read_with_its_kind_scope_permissions_and_expiry() {
    let now: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
    for vector in vectors() {
        let name = vector["name"].as_str().unwrap();
        let url = vector["url"].as_str().unwrap();
        let Some(Credential::AzureSas(sas)) = read(url) else { panic!("{name} is not read") };
        let kind = vector["kind"].as_str().unwrap();
        let account = vector["account"].as_str().unwrap();
        let grant = Credential::AzureSas(sas.clone()).grant(now, &KeyRing::default());
        let (mechanism, scope) = match kind {
            "account" => (Mechanism::AzureAccountSas, GrantScope::Account),
            "service-container" => (Mechanism::AzureServiceSas, GrantScope::Container),
            "service-directory" => (Mechanism::AzureServiceSas, GrantScope::Directory),
            "service-queue" => (Mechanism::AzureServiceSas, GrantScope::Queue),
            "service-table" => (Mechanism::AzureServiceSas, GrantScope::Table),
            "user-delegation" => (Mechanism::AzureUserDelegationSas, grant.scope),
            "service-file" => (Mechanism::AzureServiceSas, grant.scope),
            "service-blob" => (Mechanism::AzureServiceSas, grant.scope),
            other => panic!("{other}"),
        };
        assert_eq!((grant.mechanism, grant.scope), (mechanism, scope), "{name}");
        assert_ne!(grant.scope, GrantScope::Unknown, "{name}");
        assert!(grant.resource.contains(&format!("://{account}")), "{name}: {}", grant.resource);
        let field = |key: &str| {
            let query = url.split_once('?').unwrap().1;
            let part = query.split('&').find_map(|part| part.strip_prefix(&format!("{key}=")));
            part.map(|text| text.replace("%3A", ":"))
        };
        if name == "blob_policy_only" {
            assert_eq!(grant.identifier.as_deref(), Some("readpolicy"));
            assert_eq!((grant.permissions, grant.expires), (None, None));
        } else {
            let letters = field("sp").unwrap();
            assert_eq!(grant.permissions.unwrap().len(), letters.len(), "{name}");
            let end = field("se").unwrap().min(field("ske").unwrap_or("9".into()));
            assert_eq!(grant.expires.unwrap().to_string(), end, "{name}");
        }
        assert_eq!(
            grant.signature.log_hash.as_deref(),
            vector["sha256_upper_of_sig_utf8"].as_str(),
            "{name}"
        );
    }
}

#[test]
fn every_vector_is_signed_over_the_same_text_and_verifies() {
    for vector in vectors() {
        let name = vector["name"].as_str().unwrap();
        let mut url = vector["url"].as_str().unwrap().to_owned();
        // The official library signs the snapshot or version and leaves it to the request.
        if name == "blob_snapshot_bs" || name == "blob_version_bv" {
            url.push_str("&snapshot=2026-03-01T10%3A11%3A12.1234567Z");
        }
        let Some(Credential::AzureSas(sas)) = read(&url) else { panic!("{name} is not read") };
        let account = vector["account"].as_str().unwrap();
        let key = vector["key_base64"].as_str().unwrap();
        let mut path = path(&url);
        if sas.get("sr") == Some("c") {
            path.push_str("/some/blob");
        }
        let mut values = SignedValues::default();
        if name == "udk_blob_srh_srq" {
            let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            values.headers = vec![pair("x-ms-client", "abc"), pair("foo", "bar")];
            values.query = vec![pair("hello", "world")];
        }
        let text = string_to_sign_with(&sas, account, &path, &values);
        assert_eq!(text, vector["string_to_sign"].as_str().unwrap(), "{name}");
        let made = hmac_base64(key, &text).unwrap();
        assert_eq!(made, vector["expected_sig"].as_str().unwrap(), "{name}");
        assert_eq!(sas.signature(), made, "{name}");
        if name != "udk_blob_srh_srq" {
            assert_eq!(text, string_to_sign(&sas, account, &path), "{name}");
            assert!(verify(&sas, account, &path, key), "{name}");
            assert!(!verify(&sas, "another", &path, key), "{name}");
        }
    }
}

#[test]
fn the_key_that_signed_is_named_and_a_wrong_one_is_said_to_be_wrong() {
    let now: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
    let other =
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";
    for vector in vectors() {
        let name = vector["name"].as_str().unwrap();
        let url = vector["url"].as_str().unwrap();
        let account = vector["account"].as_str().unwrap();
        let key = vector["key_base64"].as_str().unwrap();
        let token = read(url).unwrap();
        let check = |text: &str| token.grant(now, &KeyRing::parse(text).unwrap()).signature;
        assert_eq!(check("contoso:AAAA").verified, None, "{name}");
        // What is signed is not all in the token: nothing is said rather than a guess.
        let open = matches!(name, "blob_snapshot_bs" | "blob_version_bv" | "udk_blob_srh_srq");
        if open {
            assert_eq!(check(&format!("{account}:{key}")).verified, None, "{name}");
            continue;
        }
        let second = check(&format!("# keys\n{account}:QUJD:{key}"));
        assert_eq!((second.verified, second.key.as_deref()), (Some(true), Some("key2")), "{name}");
        let wrong = if key == other { "QUJD" } else { other };
        let wrong = check(&format!("{account}:{wrong}")).verified;
        let delegated = vector["kind"] == "user-delegation";
        assert_eq!(wrong, if delegated { None } else { Some(false) }, "{name}");
        let problems = token.grant(now, &KeyRing::default()).problems;
        let published = problems.iter().any(|one| one.rule == "key.published_emulator_key");
        assert_eq!(published, key.starts_with("Eby8"), "{name}");
    }
}

#[test]
fn other_signed_urls_are_recognised() {
    let text = include_str!("vectors/other_signed_urls.json");
    let value: Value = serde_json::from_str(text).unwrap();
    let mut urls = Vec::new();
    fn collect(value: &Value, urls: &mut Vec<String>) {
        match value {
            Value::String(text) if text.starts_with("http") && text.contains('?') => {
                urls.push(text.clone())
            }
            Value::Array(list) => list.iter().for_each(|one| collect(one, urls)),
            Value::Object(map) => map.values().for_each(|one| collect(one, urls)),
            _ => {}
        }
    }
    collect(&value, &mut urls);
    assert!(!urls.is_empty());
    for url in urls {
        let Some(found @ Credential::Presigned(_)) = read(&url) else { panic!("{url}") };
        let grant = found.grant(Timestamp::UNIX_EPOCH, &KeyRing::default());
        assert!(grant.expires.is_some(), "{url}");
        let want = match &url {
            _ if url.contains("X-Amz-Signature") => Mechanism::S3PresignedV4,
            _ if url.contains("AWSAccessKeyId") => Mechanism::S3PresignedV2,
            _ if url.contains("X-Goog-Signature") => Mechanism::GcsSignedV4,
            _ => Mechanism::GcsSignedV2,
        };
        assert_eq!(grant.mechanism, want, "{url}");
        let bucket = ["s3://examplebucket/", "s3://b/", "gs://bkt/"];
        let bucket = bucket.iter().any(|start| grant.resource.starts_with(start));
        assert!(bucket, "{url}: {}", grant.resource);
        assert!(!found.redacted_url().contains("g1mzTROHh6KLmsXa93ThV0EOgyI"));
    }
}

#[test]
fn every_presigned_vector_verifies_with_its_key_and_fails_after_any_change() {
    let list: Vec<Value> =
        serde_json::from_str(include_str!("vectors/other_signed_urls.json")).unwrap();
    let now: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
    for vector in &list {
        let (name, url) = (vector["name"].as_str().unwrap(), vector["url"].as_str().unwrap());
        let secret = vector["secret_key"].as_str().or(vector["public_key_pem"].as_str()).unwrap();
        let id = vector["access_key"].as_str().unwrap_or("sa@p.iam.gserviceaccount.com");
        let mut keys = KeyRing::default();
        keys.insert(id, &[secret]);
        let check = |url: &str, keys: &KeyRing| {
            read(url)
                .map(|one| one.grant(now, keys))
                .map(|grant| (grant.signature, grant.permissions))
        };
        let (signature, permissions) = check(url, &keys).unwrap();
        assert_eq!(signature.verified, Some(true), "{name}");
        let want = match name {
            "s3_v4_put_7d" => Permission::Write,
            "s3_v4_list_bucket" => Permission::List,
            _ => Permission::Read,
        };
        assert_eq!(permissions, Some(vec![want]), "{name}: the method that was signed");
        for (from, to) in [
            ("a.txt", "b.txt"),
            ("up.bin", "up.bim"),
            ("test%20file", "test%20fila"),
            ("?list-type=2", "?list-type=1"),
            ("aws4_request", "aws5_request"),
            ("Expires=", "Expires=1"),
            ("SignedHeaders=host", "SignedHeaders=hosts"),
            ("/a?", "/b?"),
        ] {
            if url.contains(from)
                && let Some((signature, _)) = check(&url.replacen(from, to, 1), &keys)
            {
                assert_ne!(signature.verified, Some(true), "{name}: {from} became {to}");
                assert!(signature.key.is_none(), "{name}");
            }
        }
        let other = if secret.contains("BEGIN") { "no PEM" } else { "another secret" };
        keys.insert(id, &[other]);
        let (signature, _) = check(url, &keys).unwrap();
        assert_ne!(signature.verified, Some(true), "{name} with another key");
        let (signature, _) = check(url, &KeyRing::default()).unwrap();
        assert_eq!(signature.verified, None, "{name} without keys");
    }
    assert!(list.len() >= 9);
}

/// What is sent is what was found: no parameter lost, reordered, added or written differently.
#[test]
fn a_token_is_kept_to_the_byte() {
    use lidless_core::Auth;
    let mut kept = 0;
    for vector in vectors() {
        let url = vector["url"].as_str().unwrap();
        let (address, query) = url.split_once('?').unwrap();
        for more in ["", "&restype=container", "&x-unknown=%41%2b~&Y=", "&sp=r"] {
            let url = format!("{address}?{query}{more}");
            let Some(found @ Credential::AzureSas(_)) = read(&url) else { panic!("{url}") };
            if let Some(access) = found.access() {
                let Auth::Query(sent) = access.auth else { panic!("{url}") };
                assert_eq!(sent.expose(), format!("{query}{more}"), "{url}");
                kept += 1;
            }
            let shown = found.redacted_url();
            let keys = |text: &str| -> Vec<String> {
                let query = text.split_once('?').map_or(text, |(_, query)| query);
                query.split('&').map(|part| part.split('=').next().unwrap().to_owned()).collect()
            };
            assert_eq!(keys(&shown), keys(&url), "every parameter is shown, in its order");
        }
    }
    assert!(kept >= 40, "{kept}");
}
