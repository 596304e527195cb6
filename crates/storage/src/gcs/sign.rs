//! A token that the key of a service account signs itself: no exchange, so nothing is sent but the
//! question. It is good for reading alone.
//!
//! Source: AIP-4111 "Self-signed JWT"; RFC 7519 and RFC 7515; "OAuth 2.0 scopes" of the Cloud
//! Storage documentation.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lidless_core::{Secret, Timestamp};
use rsa::PrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::signature::{SignatureEncoding as _, Signer as _};
use serde_json::json;
use sha2::Sha256;

/// Reads objects, buckets and what the caller may do; changes nothing.
const SCOPE: &str = "https://www.googleapis.com/auth/devstorage.read_only";
/// The longest that the service takes.
const TTL_SECONDS: i64 = 3600;

/// A token, and when it is to be made anew, in seconds of the epoch.
///
/// # Errors
/// In words, when the key is none.
pub(crate) fn token(
    email: &str,
    key_id: Option<&str>,
    key: &Secret,
    now: Timestamp,
) -> Result<(Secret, i64), String> {
    // Key files have `\n` in JSON, and so have keys copied out of them.
    let pem = Secret::new(key.expose().replace("\\n", "\n").trim());
    let private = PrivateKey::from_pkcs8_pem(pem.expose())
        .ok()
        .or_else(|| PrivateKey::from_pkcs1_pem(pem.expose()).ok())
        .ok_or("the key of the service account is no RSA key in PEM")?;
    let mut header = json!({ "alg": "RS256", "typ": "JWT" });
    if let (Some(id), Some(fields)) = (key_id, header.as_object_mut()) {
        fields.insert("kid".to_owned(), id.into());
    }
    // A clock that is a little ahead is no reason to be refused.
    let made = now.as_second().saturating_sub(30);
    let ends = made.saturating_add(TTL_SECONDS);
    let claims = json!({
        "iss": email,
        "sub": email,
        "scope": SCOPE,
        "iat": made,
        "exp": ends,
    });
    let encoded = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", encoded(&header), encoded(&claims));
    let signature = SigningKey::<Sha256>::new(private)
        .try_sign(text.as_bytes())
        .map_err(|_| "the key of the service account does not sign")?;
    let signature = URL_SAFE_NO_PAD.encode(signature.to_bytes());
    Ok((Secret::new(format!("{text}.{signature}")), ends.saturating_sub(300)))
}
