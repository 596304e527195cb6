//! What is signed, in every version, and whether a key signed it.
//!
//! Source: the service's documentation of account, service and user delegation SAS, checked
//! against signatures made by the official libraries (tests/vectors).

use crate::azure::{AzureSas, SasKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// HMAC-SHA256 of a text under a base64 key, in base64; none when the key is no base64.
#[must_use]
pub fn hmac_base64(key_base64: &str, text: &str) -> Option<String> {
    let key = STANDARD.decode(key_base64).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(text.as_bytes());
    Some(STANDARD.encode(mac.finalize().into_bytes()))
}

/// Whether `key_base64` signed the token for this account and path (decoded, without the account
/// and without slashes at its ends). Compares in constant time.
///
/// For a token whose `sr` is a container, only the first part of the path is signed.
#[must_use]
pub fn verify(sas: &AzureSas, account: &str, path: &str, key_base64: &str) -> bool {
    let text = string_to_sign(sas, account, path);
    hmac_base64(key_base64, &text)
        .is_some_and(|made| made.as_bytes().ct_eq(sas.signature().as_bytes()).into())
}

/// The text that is signed, fields joined by a newline, absent ones empty.
#[must_use]
pub fn string_to_sign(sas: &AzureSas, account: &str, path: &str) -> String {
    let get = |key: &str| sas.get(key).unwrap_or("").to_owned();
    let version = get("sv");
    let from = |date: &str| version.as_str() >= date;
    let service = match sas.kind() {
        SasKind::File => "file",
        SasKind::Queue => "queue",
        SasKind::Table => "table",
        _ => "blob",
    };
    let path = match sas.get("sr") {
        Some("c" | "s") => path.split('/').next().unwrap_or(""),
        _ => path,
    };
    let path = if service == "table" {
        sas.get("tn").unwrap_or(path).to_lowercase()
    } else {
        path.to_owned()
    };
    let canonical = if from("2015-02-21") {
        format!("/{service}/{account}/{path}")
    } else {
        format!("/{account}/{path}")
    };
    let snapshot = match sas.get("sr") {
        Some("bs" | "bv") => sas.get("snapshot").or_else(|| sas.get("versionid")).unwrap_or(""),
        _ => "",
    }
    .to_owned();
    let overrides = ["rscc", "rscd", "rsce", "rscl", "rsct"].map(get);
    let mut fields: Vec<String>;
    match sas.kind() {
        SasKind::Account => {
            fields = vec![account.to_owned()];
            fields.extend(["sp", "ss", "srt", "st", "se", "sip", "spr", "sv"].map(get));
            if from("2020-12-06") {
                fields.push(get("ses"));
            }
            // A newline at the end, not only between.
            fields.push(String::new());
        }
        SasKind::UserDelegation => {
            fields = ["sp", "st", "se"].map(get).to_vec();
            fields.push(canonical);
            fields.extend(["skoid", "sktid", "skt", "ske", "sks", "skv"].map(get));
            if service == "blob" && from("2020-02-10") {
                fields.extend(["saoid", "suoid", "scid"].map(get));
            }
            if from("2025-07-05") {
                fields.extend(["skdutid", "sduoid"].map(get));
            }
            fields.extend(["sip", "spr", "sv", "sr"].map(get));
            fields.push(snapshot);
            if from("2020-12-06") {
                fields.push(get("ses"));
            }
            if from("2026-04-06") {
                // Values of signed headers and parameters come with the request and are not in
                // the token; empty when none are named.
                fields.extend([String::new(), String::new()]);
            }
            fields.extend(overrides);
        }
        SasKind::Queue | SasKind::Table | SasKind::File => {
            fields = ["sp", "st", "se"].map(get).to_vec();
            fields.push(canonical);
            fields.push(get("si"));
            if from("2015-04-05") {
                fields.extend(["sip", "spr"].map(get));
            }
            fields.push(version.clone());
            if service == "file" {
                fields.extend(overrides);
            }
            if service == "table" {
                fields.extend(["spk", "srk", "epk", "erk"].map(get));
            }
        }
        SasKind::Blob => {
            fields = ["sp", "st", "se"].map(get).to_vec();
            fields.push(canonical);
            fields.push(get("si"));
            if from("2015-04-05") {
                fields.extend(["sip", "spr"].map(get));
            }
            if from("2012-02-12") {
                fields.push(version.clone());
            }
            if from("2018-11-09") {
                fields.push(get("sr"));
                fields.push(snapshot);
            }
            if from("2020-12-06") {
                fields.push(get("ses"));
            }
            if from("2013-08-15") {
                fields.extend(overrides);
            }
        }
    }
    fields.join("\n")
}
