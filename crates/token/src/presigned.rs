//! Presigned URLs of S3 and what speaks its language, of GCS and of OSS.

use crate::azure::shown;
use crate::host::Address;
use crate::keyring::KeyRing;
use crate::link::{bucket_access, gcs_bucket, s3_bucket};
use crate::presigned_signing::Signed;
use crate::problems::problem;
use crate::query::{Parameter, get, parse};
use crate::time;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lidless_core::{
    Access, Auth, Grant, GrantScope, GrantStatus, Mechanism, Permission, Provider, Secret,
    Severity, SignatureCheck, Timestamp, stable_id,
};

/// The parameter that holds the signature, by mechanism.
const SIGNATURES: [(&str, Mechanism); 6] = [
    ("x-amz-signature", Mechanism::S3PresignedV4),
    ("x-goog-signature", Mechanism::GcsSignedV4),
    ("x-oss-signature", Mechanism::OssPresignedV4),
    ("signature", Mechanism::S3PresignedV2),
    ("signature", Mechanism::GcsSignedV2),
    ("signature", Mechanism::OssPresignedV1),
];

/// A URL that carries its own permission for one method on one object.
#[derive(Clone, PartialEq, Eq)]
pub struct Presigned {
    address: Address,
    parameters: Vec<Parameter>,
    mechanism: Mechanism,
    raw_query: Secret,
}

impl Presigned {
    /// Reads a URL; none when it carries no whole set of signing parameters.
    pub(crate) fn parse(address: Address, query: &str) -> Option<Self> {
        let parameters = parse(query);
        let has = |key: &str| get(&parameters, key).is_some_and(|value| !value.is_empty());
        let mechanism =
            SIGNATURES.iter().map(|(_, mechanism)| *mechanism).find(|one| match one {
                Mechanism::S3PresignedV4 => {
                    has("x-amz-signature") && has("x-amz-credential") && has("x-amz-date")
                }
                Mechanism::GcsSignedV4 => {
                    has("x-goog-signature") && has("x-goog-credential") && has("x-goog-date")
                }
                Mechanism::OssPresignedV4 => has("x-oss-signature") && has("x-oss-credential"),
                Mechanism::S3PresignedV2 => {
                    has("signature") && has("awsaccesskeyid") && has("expires")
                }
                Mechanism::GcsSignedV2 => {
                    has("signature") && has("googleaccessid") && has("expires")
                }
                _ => has("signature") && has("ossaccesskeyid") && has("expires"),
            })?;
        let made = Self { address, parameters, mechanism, raw_query: Secret::new(query) };
        let signature = made.signature();
        let plausible = signature.len() >= 20
            && signature.chars().all(|c| c.is_ascii_alphanumeric() || "+/=-_".contains(c));
        plausible.then_some(made)
    }

    /// Whether signature and times have the shape that their mechanism gives them. A URL put
    /// together from lines that do not belong together fails here.
    pub(crate) fn is_plausible(&self) -> bool {
        let signature = self.signature();
        let hex = signature.bytes().all(|byte| byte.is_ascii_hexdigit());
        let base64 = STANDARD.decode(signature).ok().map(|bytes| bytes.len());
        let shape = match self.mechanism {
            Mechanism::S3PresignedV4 | Mechanism::OssPresignedV4 => hex && signature.len() == 64,
            Mechanism::GcsSignedV4 => hex && matches!(signature.len(), 64 | 256 | 512 | 768 | 1024),
            Mechanism::GcsSignedV2 => base64.is_some_and(|length| length >= 20),
            _ => base64 == Some(20),
        };
        shape && self.times().1.is_some()
    }

    fn get(&self, key: &str) -> Option<&str> {
        get(&self.parameters, key).filter(|value| !value.is_empty())
    }

    fn signature(&self) -> &str {
        SIGNATURES
            .iter()
            .find(|(_, mechanism)| *mechanism == self.mechanism)
            .and_then(|(key, _)| self.get(key))
            .unwrap_or("")
    }

    /// The id of the key that signed it, in whole.
    pub(crate) fn access_id(&self) -> &str {
        let keys = [
            "x-amz-credential",
            "awsaccesskeyid",
            "x-goog-credential",
            "googleaccessid",
            "x-oss-credential",
            "ossaccesskeyid",
        ];
        let id = keys.iter().find_map(|key| self.get(key)).unwrap_or("");
        id.split('/').next().unwrap_or("")
    }

    /// The region that it was signed for, when it says one.
    pub(crate) fn region(&self) -> Option<&str> {
        let keys = ["x-amz-credential", "x-goog-credential", "x-oss-credential"];
        keys.iter().find_map(|key| self.get(key)).and_then(|text| text.split('/').nth(2))
    }

    /// The URL without its query.
    pub(crate) fn plain_url(&self) -> String {
        format!("{}://{}{}", self.address.scheme, self.address.authority, self.address.raw_path)
    }

    /// Its parameters, decoded, in the order they stand.
    pub(crate) fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn signed(&self) -> Signed<'_> {
        Signed {
            address: &self.address,
            query: self.raw_query.expose(),
            mechanism: self.mechanism,
            bucket: self.bucket(),
        }
    }

    /// The method that `secret` signed it for (`GET`, `PUT`, `HEAD`, `DELETE`, `POST`); none when
    /// it did not, or when more was signed than the URL tells. Compares in constant time.
    ///
    /// `secret` is the secret of an access id, or the PEM text of a service account's key.
    #[must_use]
    pub fn method_signed_with(&self, secret: &str) -> Option<&'static str> {
        self.signed().method(secret)
    }

    /// Whether everything that was signed is known, so that a signature that does not fit any
    /// method is wrong.
    pub(crate) fn is_conclusive(&self) -> bool {
        self.signed().is_conclusive()
    }

    pub(crate) fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    pub(crate) fn secret(&self) -> Secret {
        Secret::new(self.signature())
    }

    pub(crate) fn id(&self) -> String {
        stable_id(&["presigned", &self.resource(), self.signature()])
    }

    pub(crate) fn redacted_url(&self) -> String {
        let hidden = [
            "signature",
            "x-amz-signature",
            "x-goog-signature",
            "x-oss-signature",
            "x-amz-security-token",
            "x-oss-security-token",
            "security-token",
        ];
        let query: Vec<String> = self
            .parameters
            .iter()
            .map(|one| {
                if hidden.contains(&one.key.as_str()) {
                    format!("{}=[{} characters]", one.key, one.value.chars().count())
                } else {
                    format!("{}={}", one.key, one.value)
                }
            })
            .collect();
        format!("{}?{}", shown(&self.address), query.join("&"))
    }

    fn provider(&self) -> Provider {
        match self.mechanism {
            Mechanism::S3PresignedV4 | Mechanism::S3PresignedV2 => Provider::Aws,
            Mechanism::GcsSignedV4 | Mechanism::GcsSignedV2 => Provider::Gcs,
            _ => Provider::Oss,
        }
    }

    fn bucket(&self) -> Option<&str> {
        let host = self.address.authority.split(':').next().unwrap_or("");
        match self.provider() {
            Provider::Aws => s3_bucket(host),
            Provider::Gcs => gcs_bucket(host),
            _ => host.split_once(".oss-").map(|(bucket, _)| bucket),
        }
    }

    /// What a client needs to ask with it; none for a service there is no client for.
    pub(crate) fn access(&self) -> Option<Access> {
        if self.provider() == Provider::Oss {
            return None;
        }
        let auth = Auth::Query(self.raw_query.clone());
        Some(bucket_access(&self.address, self.provider(), self.bucket(), auth))
    }

    fn resource(&self) -> String {
        let path = match (&self.address.account, self.address.path_style) {
            (Some(first), true) => format!("{first}/{}", self.address.path),
            _ => self.address.path.clone(),
        };
        let scheme = match self.provider() {
            Provider::Aws => "s3",
            Provider::Gcs => "gs",
            _ => "oss",
        };
        match self.bucket() {
            Some(bucket) => format!("{scheme}://{bucket}/{path}"),
            None => format!("{scheme}://{path}"),
        }
    }

    fn times(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        let (date, lifetime) = match self.mechanism {
            Mechanism::S3PresignedV4 => ("x-amz-date", "x-amz-expires"),
            Mechanism::GcsSignedV4 => ("x-goog-date", "x-goog-expires"),
            Mechanism::OssPresignedV4 => ("x-oss-date", "x-oss-expires"),
            _ => return (None, self.get("expires").and_then(time::epoch)),
        };
        let start = self.get(date).and_then(time::compact);
        let end = start.zip(self.get(lifetime)).and_then(|(start, text)| time::later(start, text));
        (start, end)
    }

    /// The method that one of the keys signed it for.
    fn method(&self, keys: &KeyRing) -> Option<&'static str> {
        keys.of(self.access_id())?.iter().find_map(|key| self.method_signed_with(key.expose()))
    }

    /// Whether one of the keys signed it.
    pub(crate) fn check(&self, keys: &KeyRing) -> SignatureCheck {
        let mut check = SignatureCheck::default();
        if keys.of(self.access_id()).is_some() {
            let signed = self.method(keys).is_some();
            if signed || self.is_conclusive() {
                check.verified = Some(signed);
            }
            check.key = signed.then(|| self.hint());
        }
        check
    }

    fn hint(&self) -> String {
        let id = self.access_id();
        match (id.get(..4), id.len().checked_sub(4).and_then(|at| id.get(at..))) {
            (Some(start), Some(end)) if id.len() > 8 && !id.contains('@') => {
                format!("{start}…{end}")
            }
            _ => id.to_owned(),
        }
    }

    pub(crate) fn grant(&self, now: Timestamp, keys: &KeyRing) -> Grant {
        let (starts, expires) = self.times();
        let expired = expires.is_some_and(|end| end <= now);
        let left = expires.map(|end| end.as_second().saturating_sub(now.as_second()));
        let lists = self.get("list-type").is_some() || self.address.path.is_empty();
        let capless = matches!(
            self.mechanism,
            Mechanism::S3PresignedV2 | Mechanism::GcsSignedV2 | Mechanism::OssPresignedV1
        );
        let long = left.is_none_or(|left| left > 7 * 86_400);
        let severity = if lists {
            Severity::Medium
        } else if long {
            Severity::Low
        } else {
            Severity::Info
        };
        let mut problems = Vec::new();
        if capless {
            problems.push(problem(
                "presigned.v2_no_cap",
                if long { Severity::Medium } else { Severity::Low },
                "The old signing version has no longest life. Use the fourth, seven days \
                          at most.",
            ));
        }
        if long && !expired {
            problems.push(problem(
                "presigned.lifetime_week",
                Severity::Medium,
                "It works for more than a week. Hours are enough for one download.",
            ));
        }
        if self.address.scheme == "http" {
            problems.push(problem(
                "presigned.http",
                Severity::Low,
                "It is given over plain http, where anyone on the way can read it. Use https.",
            ));
        }
        if lists {
            problems.push(problem(
                "presigned.lists",
                Severity::Medium,
                "It lists the bucket, not one object. Readers of one object need no list.",
            ));
        }
        if expired {
            problems.push(problem(
                "presigned.expired_key_may_live",
                Severity::Low,
                "It is expired, but the key that signed it may still be in use: who made it could \
                 make another.",
            ));
        }
        let method = self.method(keys);
        let object = "one object";
        let (permissions, operations) = match method {
            Some("GET" | "HEAD") if lists => (vec![Permission::List], vec!["list a bucket".into()]),
            Some(method @ ("GET" | "HEAD")) => {
                (vec![Permission::Read], vec![format!("read {object}, signed for {method}")])
            }
            Some(method @ ("PUT" | "POST")) => (
                vec![Permission::Write],
                vec![format!("create or overwrite {object}, signed for {method}")],
            ),
            Some(method) => {
                (vec![Permission::Delete], vec![format!("delete {object}, signed for {method}")])
            }
            None if lists => (
                vec![Permission::List],
                vec![
                    "one method on one bucket, with the signer's rights: most likely list it"
                        .into(),
                ],
            ),
            None => (
                Vec::new(),
                vec![
                    "one method on one object, with the signer's rights; which method cannot be \
                     seen from the URL, but its secret tells it (--keys)"
                        .into(),
                ],
            ),
        };
        let changes =
            permissions.iter().any(|one| matches!(one, Permission::Write | Permission::Delete));
        let severity =
            if changes && severity < Severity::Medium { Severity::Medium } else { severity };
        Grant {
            id: String::new(),
            provider: self.provider(),
            mechanism: self.mechanism,
            resource: self.resource(),
            scope: if lists { GrantScope::Container } else { GrantScope::Object },
            permissions: Some(permissions).filter(|known| !known.is_empty()),
            operations,
            starts,
            expires,
            protocols: vec![self.address.scheme.clone()],
            ip: None,
            identifier: None,
            key_hint: Some(self.hint()),
            services: Vec::new(),
            version: None,
            signature: SignatureCheck::default(),
            status: if expired { GrantStatus::Expired } else { GrantStatus::Unknown },
            observed: None,
            revocation: "Deactivate the key that signed it, or take the right from its identity."
                .into(),
            problems,
            severity,
            why: vec![format!(
                "{}: {}",
                if changes {
                    "changes one object"
                } else if lists {
                    "lists a bucket"
                } else if long {
                    "one object for more than a week"
                } else {
                    "one object, soon over"
                },
                severity.as_str()
            )],
        }
    }
}

impl std::fmt::Debug for Presigned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Presigned").field(&self.redacted_url()).finish()
    }
}
