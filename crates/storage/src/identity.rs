//! Asking the issuer of a credential whether it is live: one GET, no redirects.

use crate::client::{Answer, Ask, Client, Verb};
use crate::retry::{is_passing, pause};
use crate::signature_v4::{Key, signed_query};
use crate::store::StorageError;
use crate::url::{host, origin};
use lidless_core::{Secret, Timestamp, Touch};
use std::time::Duration;

/// The most of an answer that is read: who somebody is fits into far less.
pub const IDENTITY_BYTES: u64 = 64 << 10;

/// One question to an issuer. Its URL and headers may hold the credential and are never shown.
#[derive(Debug, Clone)]
pub struct IdentityCall {
    /// The whole URL.
    pub url: Secret,
    /// Headers by name.
    pub headers: Vec<(&'static str, Secret)>,
    /// A key to sign the URL with, where the issuer wants a signature in place of the secret.
    pub sign: Option<SigningKey>,
    /// What is asked, for errors, without anything secret: `ask api.example.com`.
    pub what: String,
}

/// A key for AWS Signature Version 4.
#[derive(Debug, Clone)]
pub struct SigningKey {
    /// The access id.
    pub id: Secret,
    /// The secret of the id.
    pub secret: Secret,
    /// `us-east-1`.
    pub region: &'static str,
    /// `sts`.
    pub service: &'static str,
}

/// What an issuer said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityAnswer {
    /// HTTP status. A redirect is an answer like any other.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, up to [`IDENTITY_BYTES`].
    pub body: Vec<u8>,
    /// False when the body goes on.
    pub whole: bool,
}

impl Client {
    /// Asks an issuer once, and again while its answer is a passing one. Redirects are not
    /// followed.
    ///
    /// # Errors
    /// Out of scope, unreachable, or still busy after every attempt. Any other answer is an
    /// answer.
    pub fn identify(&self, call: &IdentityCall) -> Result<IdentityAnswer, StorageError> {
        let mut attempt = 1u32;
        loop {
            let last = attempt >= self.attempts();
            let retry_after = match self.once(call) {
                Ok(answer) if last || !is_passing(answer.status) => {
                    let Answer { status, headers, body, whole } = answer;
                    return Ok(IdentityAnswer { status, headers, body, whole });
                }
                Ok(answer) => answer.header("retry-after").map(str::to_owned),
                Err((error, passing)) if last || !passing => return Err(error),
                Err(_) => None,
            };
            // An issuer is asked once a second at most, so no pause is shorter.
            let wait = pause(attempt, retry_after.as_deref(), self.retry_after_cap());
            std::thread::sleep(wait.max(Duration::from_secs(1)));
            attempt = attempt.saturating_add(1);
        }
    }

    fn once(&self, call: &IdentityCall) -> Result<Answer, (StorageError, bool)> {
        let mut url = call.url.expose().to_owned();
        if let Some(sign) = &call.sign {
            let key = Key {
                id: sign.id.expose(),
                secret: sign.secret.expose(),
                region: sign.region,
                service: sign.service,
            };
            url = signed_query(&url, &key, Timestamp::now());
        }
        let touch = Touch { host: host(&url), store: None, path: String::new() };
        let nowhere = |_: &str| Touch { host: String::new(), store: None, path: String::new() };
        let headers = call.headers.iter().map(|(name, value)| (*name, value.expose().to_owned()));
        let ask = Ask {
            locate: &nowhere,
            part_only: false,
            verb: Verb::Get,
            url,
            headers: headers.collect(),
            touch,
            what: &call.what,
            limit: IDENTITY_BYTES,
        };
        self.ask_once(&ask)
    }
}

/// The host that a question to `url` goes to, when `endpoint` may stand in for its issuer, and
/// the URL that is asked then.
#[must_use]
pub fn issuer_at(url: &Secret, endpoint: Option<&str>) -> (String, Secret) {
    let Some(endpoint) = endpoint else { return (host(url.expose()), url.clone()) };
    let rest = url.expose().get(origin(url.expose()).len()..).unwrap_or("");
    let moved = Secret::new(format!("{}{rest}", endpoint.trim_end_matches('/')));
    (host(endpoint), moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_takes_the_place_of_the_issuer() {
        let url = Secret::new("https://api.example.com/user?a=1");
        let (host, asked) = issuer_at(&url, None);
        assert_eq!((host.as_str(), asked.expose()), ("api.example.com", url.expose()));
        let (host, asked) = issuer_at(&url, Some("http://127.0.0.1:9/v3/"));
        assert_eq!(host, "127.0.0.1");
        assert_eq!(asked.expose(), "http://127.0.0.1:9/v3/user?a=1");
    }
}
