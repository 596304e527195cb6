//! What presigned URLs are signed over, and whether a secret signed one.
//!
//! The method is signed but does not stand in the URL: whoever has the secret can tell which one
//! it opens, by trying each.
//!
//! Sources: AWS Signature Version 4 (query parameters) and Version 2 (REST), Cloud Storage V4 and
//! V2 signing processes, OSS V1 and V4 signatures in a URL.

use crate::host::Address;
use crate::query::decode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use lidless_core::Mechanism;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _};
use rsa::signature::{SignatureEncoding as _, Signer as _, Verifier as _};
use rsa::{PrivateKey, PublicKey};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use subtle::ConstantTimeEq as _;

/// What stays as it is in a canonical query.
pub(crate) const QUERY: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The same for a path.
pub(crate) const PATH: &AsciiSet = &QUERY.remove(b'/');

/// The methods that a URL may have been signed for, likeliest first.
pub(crate) const METHODS: [&str; 5] = ["GET", "PUT", "HEAD", "DELETE", "POST"];

/// Parameters that are part of the resource in the second version of S3.
const S3_V2_RESOURCE: [&str; 25] = [
    "acl",
    "cors",
    "delete",
    "lifecycle",
    "location",
    "logging",
    "notification",
    "partNumber",
    "policy",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
];

/// Everything of a presigned URL that its signature depends on.
pub(crate) struct Signed<'a> {
    pub(crate) address: &'a Address,
    /// The query string as it stood.
    pub(crate) query: &'a str,
    pub(crate) mechanism: Mechanism,
    /// The bucket, when the host names it.
    pub(crate) bucket: Option<&'a str>,
}

impl Signed<'_> {
    /// The method that `secret` signed this URL for; none when it did not, or when a header is
    /// signed that the URL does not tell.
    pub(crate) fn method(&self, secret: &str) -> Option<&'static str> {
        let signature =
            self.get(&["x-amz-signature", "x-goog-signature", "x-oss-signature", "signature"])?;
        METHODS.into_iter().find(|method| self.fits(method, secret, &signature).unwrap_or(false))
    }

    /// Whether all that was signed is known, so that a signature that does not fit is wrong.
    pub(crate) fn is_conclusive(&self) -> bool {
        match self.mechanism {
            // Headers of the request that the URL does not repeat.
            Mechanism::S3PresignedV2 | Mechanism::GcsSignedV2 | Mechanism::OssPresignedV1 => false,
            Mechanism::OssPresignedV4 => self.get(&["x-oss-additional-headers"]).is_none(),
            _ => self.headers().iter().all(|name| name == "host"),
        }
    }

    fn fits(&self, method: &str, secret: &str, signature: &str) -> Option<bool> {
        let pem = secret.contains("-----BEGIN ");
        let made = match self.mechanism {
            Mechanism::S3PresignedV4 => {
                v4(&AWS, secret, &self.scope("x-amz-credential")?, &self.to_sign_v4(method, &AWS)?)?
            }
            Mechanism::OssPresignedV4 => {
                v4(&OSS, secret, &self.scope("x-oss-credential")?, &self.to_sign_v4(method, &OSS)?)?
            }
            Mechanism::GcsSignedV4 if pem => {
                let bytes = unhex(signature)?;
                return Some(rsa_fits(secret, &self.to_sign_v4(method, &GOOG)?, &bytes));
            }
            Mechanism::GcsSignedV4 => v4(
                &GOOG,
                secret,
                &self.scope("x-goog-credential")?,
                &self.to_sign_v4(method, &GOOG)?,
            )?,
            Mechanism::GcsSignedV2 if pem => {
                let bytes = STANDARD.decode(signature.replace(' ', "+")).ok()?;
                return Some(rsa_fits(secret, &self.to_sign_v2(method), &bytes));
            }
            _ => hmac_sha1(secret, &self.to_sign_v2(method))?,
        };
        Some(made.as_bytes().ct_eq(signature.replace(' ', "+").as_bytes()).into())
    }

    /// Decoded pairs in the order they stood.
    fn pairs(&self) -> impl Iterator<Item = (String, String)> + '_ {
        self.query.split('&').filter(|part| !part.is_empty()).map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(key), decode(value))
        })
    }

    fn get(&self, keys: &[&str]) -> Option<String> {
        keys.iter().find_map(|wanted| {
            self.pairs().find(|(key, _)| key.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
        })
    }

    fn headers(&self) -> Vec<String> {
        let list = self.get(&["x-amz-signedheaders", "x-goog-signedheaders"]);
        list.unwrap_or_default().split(';').map(str::to_ascii_lowercase).collect()
    }

    /// `DATE/REGION/SERVICE/REQUEST`, behind the access id.
    fn scope(&self, key: &str) -> Option<String> {
        self.get(&[key])?.split_once('/').map(|(_, scope)| scope.to_owned())
    }

    fn to_sign_v4(&self, method: &str, scheme: &Scheme) -> Option<String> {
        let mut pairs: Vec<(String, String)> = self
            .pairs()
            .filter(|(key, _)| !key.eq_ignore_ascii_case(scheme.signature))
            .map(|(key, value)| (encode(&key, QUERY), encode(&value, QUERY)))
            .collect();
        pairs.sort();
        let oss = self.mechanism == Mechanism::OssPresignedV4;
        // OSS leaves the equals sign out where there is no value.
        let query: Vec<String> = pairs
            .iter()
            .map(
                |(key, value)| {
                    if oss && value.is_empty() { key.clone() } else { format!("{key}={value}") }
                },
            )
            .collect();
        let path = encode(&decode(&self.address.raw_path), PATH);
        let path = match self.bucket {
            Some(bucket) if oss => format!("/{bucket}{path}"),
            _ => path,
        };
        let (headers, names) = if oss {
            (String::new(), String::new())
        } else {
            let mut lines = String::new();
            let names = self.headers();
            for name in &names {
                let value = if name == "host" { self.host() } else { self.get(&[name])? };
                let _ = writeln!(lines, "{name}:{value}");
            }
            (lines, names.join(";"))
        };
        let payload = self.get(&["x-amz-content-sha256", "x-goog-content-sha256"]);
        let payload = payload.unwrap_or_else(|| "UNSIGNED-PAYLOAD".to_owned());
        let request =
            format!("{method}\n{path}\n{}\n{headers}\n{names}\n{payload}", query.join("&"));
        let date = self.get(&[scheme.date])?;
        let scope = self.scope(scheme.credential)?;
        let algorithm = self
            .get(&["x-amz-algorithm", "x-goog-algorithm", "x-oss-signature-version"])
            .unwrap_or_default();
        Some(format!("{algorithm}\n{date}\n{scope}\n{}", hex(&Sha256::digest(request.as_bytes()))))
    }

    /// Host and port, without the port that the scheme implies.
    fn host(&self) -> String {
        let authority = self.address.authority.as_str();
        let port = if self.address.scheme == "https" { ":443" } else { ":80" };
        authority.strip_suffix(port).unwrap_or(authority).to_owned()
    }

    fn to_sign_v2(&self, method: &str) -> String {
        let path = match self.mechanism {
            Mechanism::OssPresignedV1 => decode(&self.address.raw_path),
            _ => self.address.raw_path.clone(),
        };
        let path = match self.bucket {
            Some(bucket) => format!("/{bucket}{path}"),
            None => path,
        };
        let oss = self.mechanism == Mechanism::OssPresignedV1;
        let mut resource: Vec<String> = self
            .pairs()
            .filter(|(key, _)| match self.mechanism {
                Mechanism::S3PresignedV2 => S3_V2_RESOURCE.contains(&key.as_str()),
                Mechanism::OssPresignedV1 => {
                    !["OSSAccessKeyId", "Expires", "Signature"].contains(&key.as_str())
                }
                _ => false,
            })
            .map(|(key, value)| if value.is_empty() { key } else { format!("{key}={value}") })
            .collect();
        resource.sort();
        let query =
            if resource.is_empty() { String::new() } else { format!("?{}", resource.join("&")) };
        let token = self.get(&["x-amz-security-token"]).filter(|_| !oss);
        let headers =
            token.map_or_else(String::new, |token| format!("x-amz-security-token:{token}\n"));
        let expires = self.get(&["expires"]).unwrap_or_default();
        format!("{method}\n\n\n{expires}\n{headers}{path}{query}")
    }
}

/// What the providers' fourth versions differ in.
struct Scheme {
    prefix: &'static str,
    last: &'static str,
    signature: &'static str,
    credential: &'static str,
    date: &'static str,
}

const AWS: Scheme = Scheme {
    prefix: "AWS4",
    last: "aws4_request",
    signature: "x-amz-signature",
    credential: "x-amz-credential",
    date: "x-amz-date",
};
const GOOG: Scheme = Scheme {
    prefix: "GOOG4",
    last: "goog4_request",
    signature: "x-goog-signature",
    credential: "x-goog-credential",
    date: "x-goog-date",
};
const OSS: Scheme = Scheme {
    prefix: "aliyun_v4",
    last: "aliyun_v4_request",
    signature: "x-oss-signature",
    credential: "x-oss-credential",
    date: "x-oss-date",
};

/// The signature of the fourth version: a key derived for a day, a region and a service.
fn v4(scheme: &Scheme, secret: &str, scope: &str, text: &str) -> Option<String> {
    let parts: Vec<&str> = scope.split('/').collect();
    if parts.last() != Some(&scheme.last) {
        return None;
    }
    let mut key = format!("{}{secret}", scheme.prefix).into_bytes();
    for part in parts {
        key = hmac_sha256(&key, part.as_bytes())?;
    }
    Some(hex(&hmac_sha256(&key, text.as_bytes())?))
}

fn hmac_sha256(key: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(text);
    Some(mac.finalize().into_bytes().to_vec())
}

fn hmac_sha1(key: &str, text: &str) -> Option<String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).ok()?;
    mac.update(text.as_bytes());
    Some(STANDARD.encode(mac.finalize().into_bytes()))
}

/// Whether the key of a PEM text, public or private, made an RSA signature over SHA-256.
fn rsa_fits(pem: &str, text: &str, signature: &[u8]) -> bool {
    let public = PublicKey::from_public_key_pem(pem)
        .ok()
        .or_else(|| private(pem).map(|key| key.to_public_key()));
    let Some(public) = public else { return false };
    let Ok(signature) = Signature::try_from(signature) else { return false };
    VerifyingKey::<Sha256>::new(public).verify(text.as_bytes(), &signature).is_ok()
}

fn private(pem: &str) -> Option<PrivateKey> {
    PrivateKey::from_pkcs8_pem(pem).ok().or_else(|| PrivateKey::from_pkcs1_pem(pem).ok())
}

/// A URL for `GET` of one object, for so many seconds, in the fourth version.
pub(crate) struct ToSign<'a> {
    pub(crate) mechanism: Mechanism,
    /// The URL without a query.
    pub(crate) url: &'a str,
    pub(crate) access_id: &'a str,
    pub(crate) region: &'a str,
    /// `20260101T000000Z`.
    pub(crate) date: &'a str,
    pub(crate) seconds: u64,
}

impl ToSign<'_> {
    /// The whole URL, signed; none when the key is not one of its mechanism.
    pub(crate) fn sign(&self, secret: &str) -> Option<String> {
        let pem = secret.contains("-----BEGIN ");
        let (scheme, service, word, algorithm) = match self.mechanism {
            Mechanism::GcsSignedV4 if pem => (&GOOG, "storage", "Goog", "GOOG4-RSA-SHA256"),
            Mechanism::GcsSignedV4 => (&GOOG, "storage", "Goog", "GOOG4-HMAC-SHA256"),
            Mechanism::S3PresignedV4 => (&AWS, "s3", "Amz", "AWS4-HMAC-SHA256"),
            _ => return None,
        };
        let day = self.date.get(..8)?;
        let scope = format!("{day}/{}/{service}/{}", self.region, scheme.last);
        let credential = encode(&format!("{}/{scope}", self.access_id), QUERY);
        let query = format!(
            "X-{word}-Algorithm={algorithm}&X-{word}-Credential={credential}&X-{word}-Date={}&\
             X-{word}-Expires={}&X-{word}-SignedHeaders=host",
            self.date, self.seconds
        );
        let address = Address::parse(self.url)?;
        let unsigned =
            Signed { address: &address, query: &query, mechanism: self.mechanism, bucket: None };
        let text = unsigned.to_sign_v4("GET", scheme)?;
        let signature = if pem {
            hex(&SigningKey::<Sha256>::new(private(secret)?).sign(text.as_bytes()).to_vec())
        } else {
            v4(scheme, secret, &scope, &text)?
        };
        Some(format!("{}?{query}&X-{word}-Signature={signature}", self.url))
    }
}

fn encode(text: &str, set: &'static AsciiSet) -> String {
    utf8_percent_encode(text, set).to_string()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| {
            let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
            u8::from_str_radix(pair, 16).ok()
        })
        .collect()
}
