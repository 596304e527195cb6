//! Signature Version 4 for a GET or HEAD, in headers.
//!
//! Source: "Signature Calculations for the Authorization Header" of the S3 documentation. No verb
//! that writes can be signed here: the method is one of two words.

use crate::client::Verb;
use hmac::{Hmac, KeyInit as _, Mac as _};
use lidless_core::{Secret, Timestamp};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// What a signature is made with.
pub(crate) struct Signer<'a> {
    pub(crate) id: &'a str,
    pub(crate) key: &'a Secret,
    pub(crate) session: Option<&'a Secret>,
    pub(crate) region: &'a str,
    /// The one who asks pays, and says so.
    pub(crate) pays: bool,
}

/// Digest of an empty body, in hex.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

impl Signer<'_> {
    /// The headers that sign a request at `now`. `authority` is host and port as the URL has
    /// them, `path` its encoded path, `query` its encoded parameters.
    pub(crate) fn headers(
        &self,
        verb: Verb,
        authority: &str,
        path: &str,
        query: &str,
        now: Timestamp,
    ) -> Vec<(&'static str, String)> {
        let method = match verb {
            Verb::Get => "GET",
            Verb::Head => "HEAD",
        };
        let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let day = now.strftime("%Y%m%d").to_string();
        let mut parameters: Vec<String> = query
            .split('&')
            .filter(|part| !part.is_empty())
            .map(|part| if part.contains('=') { part.to_owned() } else { format!("{part}=") })
            .collect();
        parameters.sort();
        let mut signed = vec![
            ("host", authority.to_owned()),
            ("x-amz-content-sha256", EMPTY.to_owned()),
            ("x-amz-date", time.clone()),
        ];
        // In the order of their names, as the signature wants them.
        if self.pays {
            signed.push(("x-amz-request-payer", "requester".to_owned()));
        }
        if let Some(session) = self.session {
            signed.push(("x-amz-security-token", session.expose().to_owned()));
        }
        let lines = signed.iter().fold(String::new(), |mut text, (name, value)| {
            let _ = writeln!(text, "{name}:{}", value.trim());
            text
        });
        let names = signed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let canonical =
            format!("{method}\n{path}\n{}\n{lines}\n{names}\n{EMPTY}", parameters.join("&"));
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let text = format!(
            "AWS4-HMAC-SHA256\n{time}\n{scope}\n{}",
            hex(&Sha256::digest(canonical.as_bytes()))
        );
        let mut key = mac(format!("AWS4{}", self.key.expose()).as_bytes(), &day);
        for part in [self.region, "s3", "aws4_request"] {
            key = mac(&key, part);
        }
        let signature = hex(&mac(&key, &text));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.id
        );
        // The host is the client's own header.
        let mut headers: Vec<(&'static str, String)> =
            signed.into_iter().filter(|(name, _)| *name != "host").collect();
        headers.push(("authorization", authorization));
        headers
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    // A key of any length is fine for HMAC.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
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

    /// The example "GET Bucket (List Objects)" of the documentation.
    #[test]
    fn the_published_example_is_signed_alike() {
        let key = Secret::new(concat!("wJalrXUtnFEMI/K7MDENG/bPxRfiCY", "EXAMPLEKEY"));
        let id = concat!("AKIAIOSFODNN7", "EXAMPLE");
        let signer = Signer { id, key: &key, session: None, region: "us-east-1", pays: false };
        let now = "2013-05-24T00:00:00Z".parse().unwrap();
        let host = "examplebucket.s3.amazonaws.com";
        let headers = signer.headers(Verb::Get, host, "/", "max-keys=2&prefix=J", now);
        let (_, authorization) = headers.last().unwrap();
        assert!(
            authorization.ends_with(
                "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
            ),
            "{authorization}"
        );
    }
}
