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
/// Of the path only what the token names is signed: a container, a directory, a blob, a table.
#[must_use]
pub fn verify(sas: &AzureSas, account: &str, path: &str, key_base64: &str) -> bool {
    let text = string_to_sign(sas, account, path);
    hmac_base64(key_base64, &text)
        .is_some_and(|made| made.as_bytes().ct_eq(sas.signature().as_bytes()).into())
}

/// Values that come with a request and are signed without being in the token (`srh`, `srq`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignedValues {
    /// Headers by name, in the order the token names them.
    pub headers: Vec<(String, String)>,
    /// Query parameters by name, in the order the token names them.
    pub query: Vec<(String, String)>,
}

/// The part of a path that the token is signed over: the container or share for those, as many
/// levels as `sdd` says for a directory, the queue's name, the table's name in lower case, else
/// all of it.
pub(crate) fn signed_path(sas: &AzureSas, path: &str) -> String {
    let levels = match (service(sas), sas.get("sr")) {
        ("table", _) => return sas.get("tn").unwrap_or(path).to_lowercase(),
        ("queue", _) | (_, Some("c" | "s")) => 1,
        (_, Some("d")) => match sas.get("sdd").and_then(|depth| depth.parse::<usize>().ok()) {
            Some(depth) => depth.saturating_add(1),
            None => usize::MAX,
        },
        _ => usize::MAX,
    };
    path.split('/').take(levels).collect::<Vec<_>>().join("/")
}

/// Whether everything that was signed is known, so that a signature that does not fit is wrong.
pub(crate) fn is_conclusive(sas: &AzureSas) -> bool {
    let values = sas.get("srh").is_none() && sas.get("srq").is_none();
    let item = match sas.get("sr") {
        Some("bs" | "bv") => sas.get("snapshot").or_else(|| sas.get("versionid")).is_some(),
        _ => true,
    };
    let place = sas.kind() == SasKind::Account || sas.address.is_some();
    // Account keys do not sign user delegation SAS.
    values && item && place && sas.kind() != SasKind::UserDelegation
}

fn service(sas: &AzureSas) -> &'static str {
    match sas.kind() {
        SasKind::File => "file",
        SasKind::Queue => "queue",
        SasKind::Table => "table",
        SasKind::UserDelegation => sas.delegated_service(),
        SasKind::Account | SasKind::Blob => "blob",
    }
}

/// The text that is signed, fields joined by a newline, absent ones empty.
#[must_use]
pub fn string_to_sign(sas: &AzureSas, account: &str, path: &str) -> String {
    string_to_sign_with(sas, account, path, &SignedValues::default())
}

/// The text that is signed when the token also signs headers and parameters of the request.
#[must_use]
pub fn string_to_sign_with(
    sas: &AzureSas,
    account: &str,
    path: &str,
    values: &SignedValues,
) -> String {
    let fields = fields_to_sign(sas, account, path, values);
    fields.into_iter().map(|(_, value)| value).collect::<Vec<_>>().join("\n")
}

/// One field that a service and this program read differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// The parameter; `resource` for the place that is signed.
    pub field: &'static str,
    /// What the service signed.
    pub service: String,
    /// What the token says here.
    pub here: String,
}

/// Compares the text that a service says it signed with the text that the token says, field by
/// field; none when one has another number of fields.
///
/// No disagreement means that the key is another one, or that the signature itself was changed.
#[must_use]
pub fn disagreements(
    sas: &AzureSas,
    account: &str,
    path: &str,
    service: &str,
) -> Option<Vec<Disagreement>> {
    let mut ours = fields_to_sign(sas, account, path, &SignedValues::default());
    let mut theirs: Vec<&str> = service.split('\n').map(|line| line.trim_matches('\r')).collect();
    // An answer does not keep empty lines at its end.
    while theirs.last().is_some_and(|line| line.trim().is_empty()) {
        theirs.pop();
    }
    while ours.last().is_some_and(|(_, value)| value.is_empty()) {
        ours.pop();
    }
    if theirs.len() != ours.len() {
        return None;
    }
    let pairs = theirs.into_iter().zip(ours);
    Some(
        pairs
            .filter(|(theirs, (_, ours))| theirs != ours)
            .map(|(theirs, (field, here))| Disagreement { field, service: theirs.to_owned(), here })
            .collect(),
    )
}

/// What is signed, field by field.
fn fields_to_sign(
    sas: &AzureSas,
    account: &str,
    path: &str,
    values: &SignedValues,
) -> Vec<(&'static str, String)> {
    let get = |key: &'static str| (key, sas.get(key).unwrap_or("").to_owned());
    let version = get("sv").1;
    let from = |date: &str| version.as_str() >= date;
    let service = service(sas);
    let path = signed_path(sas, path);
    let canonical = if from("2015-02-21") {
        format!("/{service}/{account}/{path}")
    } else {
        format!("/{account}/{path}")
    };
    let canonical = ("resource", canonical);
    let snapshot = match sas.get("sr") {
        Some("bs" | "bv") => sas.get("snapshot").or_else(|| sas.get("versionid")).unwrap_or(""),
        _ => "",
    };
    let snapshot = ("snapshot", snapshot.to_owned());
    let overrides = ["rscc", "rscd", "rsce", "rscl", "rsct"].map(get);
    let mut fields: Vec<(&'static str, String)>;
    match sas.kind() {
        SasKind::Account => {
            fields = vec![("account", account.to_owned())];
            fields.extend(["sp", "ss", "srt", "st", "se", "sip", "spr", "sv"].map(get));
            if from("2020-12-06") {
                fields.push(get("ses"));
            }
            // A newline at the end, not only between.
            fields.push(("end", String::new()));
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
            fields.extend(["sip", "spr", "sv"].map(get));
            if service == "blob" {
                fields.push(get("sr"));
                fields.push(snapshot);
                if from("2020-12-06") {
                    fields.push(get("ses"));
                }
                if from("2026-04-06") {
                    let line = |(name, value): &(String, String)| format!("{name}:{value}");
                    let headers: String =
                        values.headers.iter().map(|one| format!("{}\n", line(one))).collect();
                    let query: String =
                        values.query.iter().map(|one| format!("\n{}", line(one))).collect();
                    fields.extend([("srh", headers), ("srq", query)]);
                }
            }
            match service {
                "blob" | "file" => fields.extend(overrides),
                "table" => fields.extend(["spk", "srk", "epk", "erk"].map(get)),
                _ => {}
            }
        }
        SasKind::Queue | SasKind::Table | SasKind::File => {
            fields = ["sp", "st", "se"].map(get).to_vec();
            fields.push(canonical);
            fields.push(get("si"));
            if from("2015-04-05") {
                fields.extend(["sip", "spr"].map(get));
            }
            if from("2012-02-12") {
                fields.push(get("sv"));
            }
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
                fields.push(get("sv"));
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
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_that_a_service_read_differently_is_named() {
        let signature = "A".repeat(43) + "%3D";
        let query = format!("sv=2020-08-04&sr=c&sp=rl&se=2051-01-01&sig={signature}");
        let sas = AzureSas::parse(None, &query).unwrap();
        let text = string_to_sign(&sas, "contoso", "models");
        assert_eq!(disagreements(&sas, "contoso", "models", &text), Some(vec![]));
        assert_eq!(disagreements(&sas, "contoso", "models", text.trim_end()), Some(vec![]));
        let other = text.replacen("rl\n", "rlw\n", 1).replace("/models", "/model");
        let found = disagreements(&sas, "contoso", "models", &other).unwrap();
        let fields: Vec<_> = found.iter().map(|one| (one.field, one.service.as_str())).collect();
        assert_eq!(fields, [("sp", "rlw"), ("resource", "/blob/contoso/model")]);
        assert_eq!(disagreements(&sas, "contoso", "models", "something else"), None);
    }
}
