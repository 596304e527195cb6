//! Making tokens from a key that the user gives. Nothing is sent.

use crate::azure::AzureSas;
use crate::signing::{hmac_base64, string_to_sign};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is in a query value.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A placeholder of the right shape, so that the unsigned token parses.
const UNSIGNED: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// What an account SAS is to allow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountSasParameters {
    /// `sv`: the service version.
    pub version: String,
    /// `ss`: letters of the services, `b` for blobs.
    pub services: String,
    /// `srt`: letters of the resource types, `s`, `c`, `o`.
    pub resource_types: String,
    /// `sp`: letters of the permissions.
    pub permissions: String,
    /// `st`: from when, as it is to be written; empty for at once.
    pub start: String,
    /// `se`: until when, as it is to be written.
    pub expiry: String,
    /// `spr`: `https` or `https,http`; empty for both.
    pub protocols: String,
    /// `sip`: an address or a range; empty for any.
    pub ip: String,
}

/// What a service SAS for a blob or a container is to allow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceSasParameters {
    /// `sv`: the service version.
    pub version: String,
    /// `sr`: `c` for a container, `b` for a blob.
    pub resource: String,
    /// `sp`: letters of the permissions.
    pub permissions: String,
    /// `st`: from when; empty for at once.
    pub start: String,
    /// `se`: until when.
    pub expiry: String,
    /// `spr`: `https` or `https,http`; empty for both.
    pub protocols: String,
    /// `si`: a stored access policy; empty for none.
    pub identifier: String,
    /// `sip`: an address or a range; empty for any.
    pub ip: String,
}

impl AccountSasParameters {
    /// The query string, signed; none when the key is no base64.
    #[must_use]
    pub fn mint(&self, account: &str, key_base64: &str) -> Option<String> {
        let query = join(&[
            ("sv", &self.version),
            ("ss", &self.services),
            ("srt", &self.resource_types),
            ("sp", &self.permissions),
            ("st", &self.start),
            ("se", &self.expiry),
            ("sip", &self.ip),
            ("spr", &self.protocols),
        ]);
        sign(&query, account, "", key_base64)
    }
}

impl ServiceSasParameters {
    /// The query string for a container, or a blob in it, signed; none when the key is no base64.
    #[must_use]
    pub fn mint(&self, account: &str, path: &str, key_base64: &str) -> Option<String> {
        sign(&self.unsigned(), account, path, key_base64)
    }

    /// The query string without its signature.
    pub(crate) fn unsigned(&self) -> String {
        join(&[
            ("sv", &self.version),
            ("sr", &self.resource),
            ("sp", &self.permissions),
            ("st", &self.start),
            ("se", &self.expiry),
            ("sip", &self.ip),
            ("spr", &self.protocols),
            ("si", &self.identifier),
        ])
    }
}

fn join(parts: &[(&str, &String)]) -> String {
    let given: Vec<String> = parts
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| format!("{key}={}", utf8_percent_encode(value, PLAIN)))
        .collect();
    given.join("&")
}

fn sign(query: &str, account: &str, path: &str, key_base64: &str) -> Option<String> {
    let unsigned = AzureSas::parse(None, &format!("{query}&sig={UNSIGNED}"))?;
    let signature = hmac_base64(key_base64, &string_to_sign(&unsigned, account, path))?;
    Some(format!("{query}&sig={}", utf8_percent_encode(&signature, PLAIN)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::verify;

    const KEY: &str =
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";

    #[test]
    fn what_is_minted_verifies_and_what_is_changed_does_not() {
        let token = AccountSasParameters {
            version: "2020-08-04".into(),
            services: "b".into(),
            resource_types: "co".into(),
            permissions: "rl".into(),
            expiry: "2030-01-01T00:00:00Z".into(),
            ..AccountSasParameters::default()
        }
        .mint("contoso", KEY)
        .unwrap();
        let sas = AzureSas::parse(None, &token).unwrap();
        assert!(verify(&sas, "contoso", "any/path", KEY));
        assert!(!verify(&sas, "other", "", KEY));
        let more = AzureSas::parse(None, &token.replace("sp=rl", "sp=rwl")).unwrap();
        assert!(!verify(&more, "contoso", "", KEY));
        let blob = ServiceSasParameters {
            version: "2020-08-04".into(),
            resource: "b".into(),
            permissions: "r".into(),
            expiry: "2030-01-01".into(),
            ..ServiceSasParameters::default()
        };
        let sas =
            AzureSas::parse(None, &blob.mint("contoso", "models/a b.bin", KEY).unwrap()).unwrap();
        assert!(verify(&sas, "contoso", "models/a b.bin", KEY));
        assert!(!verify(&sas, "contoso", "models/other.bin", KEY));
        assert!(blob.mint("contoso", "c", "no base64").is_none());
    }
}
