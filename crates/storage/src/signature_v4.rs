//! AWS Signature Version 4 in the query of a GET, over the host alone.
//!
//! Source: AWS IAM user guide, "Create a signed AWS API request", and the documented example of a
//! presigned URL, which is the test below.

use crate::url::{encoded_path, query};
use hmac::{Hmac, KeyInit as _, Mac as _};
use lidless_core::Timestamp;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// How long a signature holds: a question is answered at once.
const TTL_SECONDS: u32 = 60;
/// SHA-256 of an empty body.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What signs.
pub(crate) struct Key<'a> {
    pub(crate) id: &'a str,
    pub(crate) secret: &'a str,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

/// The URL with its signature in the query.
pub(crate) fn signed_query(url: &str, key: &Key<'_>, now: Timestamp) -> String {
    // Only S3 wants to be told that the body is not part of the signature.
    let body = if key.service == "s3" { "UNSIGNED-PAYLOAD" } else { EMPTY };
    sign(url, key, now, TTL_SECONDS, body)
}

fn sign(url: &str, key: &Key<'_>, now: Timestamp, ttl_seconds: u32, body: &str) -> String {
    let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let date = time.get(..8).unwrap_or("");
    let scope = format!("{date}/{}/{}/aws4_request", key.region, key.service);
    let (base, given) = url.split_once('?').unwrap_or((url, ""));
    let authority = base.split_once("://").map_or(base, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or("").to_ascii_lowercase();
    let mut parameters: Vec<(String, String)> = given
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    for (name, value) in [
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256".to_owned()),
        ("X-Amz-Credential", query(&format!("{}/{scope}", key.id))),
        ("X-Amz-Date", time.clone()),
        ("X-Amz-Expires", ttl_seconds.to_string()),
        ("X-Amz-SignedHeaders", "host".to_owned()),
    ] {
        parameters.push((name.to_owned(), value));
    }
    parameters.sort();
    let canonical: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let canonical = canonical.join("&");
    let path = encoded_path(base);
    let request = format!("GET\n{path}\n{canonical}\nhost:{authority}\n\nhost\n{body}");
    let digest = hex(&Sha256::digest(request.as_bytes()));
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{digest}");
    let mut derived = hmac(format!("AWS4{}", key.secret).as_bytes(), date.as_bytes());
    for part in [key.region, key.service, "aws4_request"] {
        derived = hmac(&derived, part.as_bytes());
    }
    let signature = hex(&hmac(&derived, text.as_bytes()));
    format!("{base}?{canonical}&X-Amz-Signature={signature}")
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    // A key of any length is one for HMAC.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The documented example of a presigned URL of S3.
    #[test]
    fn the_documented_example_is_signed_as_documented() {
        let key = Key {
            id: concat!("AKIA", "IOSFODNN7EXAMPLE"),
            secret: concat!("wJalrXUtnFEMI/K7MDENG", "/bPxRfiCYEXAMPLEKEY"),
            region: "us-east-1",
            service: "s3",
        };
        let now = "2013-05-24T00:00:00Z".parse().unwrap();
        let url = "https://examplebucket.s3.amazonaws.com/test.txt";
        let signed = sign(url, &key, now, 86_400, "UNSIGNED-PAYLOAD");
        let signature = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
        assert!(signed.ends_with(signature), "{signed}");
        assert!(signed.contains("X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1"));
    }

    #[test]
    fn parameters_are_sorted_and_the_port_is_part_of_the_host() {
        let key = Key { id: "I", secret: "S", region: "us-east-1", service: "sts" };
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let url = "http://127.0.0.1:8080/?Action=GetCallerIdentity&Version=2011-06-15";
        let signed = signed_query(url, &key, now);
        let other = signed_query(&url.replace("8080", "8081"), &key, now);
        let query = signed.split_once('?').unwrap().1;
        assert!(query.starts_with("Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm"));
        let of = |url: &str| url.rsplit('=').next().unwrap().to_owned();
        assert_ne!(of(&signed), of(&other));
    }
}
