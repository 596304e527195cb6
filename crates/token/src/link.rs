//! Storage URLs without a credential: they open what strangers may open.

use crate::azure::shown;
use crate::host::Address;
use crate::query::decode;
use lidless_core::{
    Access, Auth, Grant, GrantScope, GrantStatus, Mechanism, Permission, Provider, Severity,
    SignatureCheck, stable_id,
};

/// A storage URL without a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub(crate) address: Address,
    pub(crate) provider: Provider,
}

impl Link {
    /// Reads a URL; none when its host is no storage service.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let url = url.split(['?', '#']).next()?;
        let address = Address::parse(url)?;
        let host = address.authority.split(':').next().unwrap_or("");
        let provider = if address.service.is_some() {
            Provider::Azure
        } else if is_s3(host) {
            Provider::Aws
        } else if host == "storage.googleapis.com"
            || host.ends_with(".storage.googleapis.com")
            || host == "storage.cloud.google.com"
        {
            Provider::Gcs
        } else if host.ends_with(".aliyuncs.com") && host.contains("oss-") {
            Provider::Oss
        } else {
            return None;
        };
        Some(Self { address, provider })
    }

    pub(crate) fn url(&self) -> String {
        shown(&self.address)
    }

    pub(crate) fn mechanism(&self) -> Mechanism {
        match self.provider {
            Provider::Azure => Mechanism::AzureAnonymous,
            Provider::Aws => Mechanism::S3Anonymous,
            Provider::Gcs => Mechanism::GcsAnonymous,
            _ => Mechanism::Http,
        }
    }

    pub(crate) fn id(&self) -> String {
        stable_id(&["link", &self.resource()])
    }

    fn resource(&self) -> String {
        let path = &self.address.path;
        let host = self.address.authority.split(':').next().unwrap_or("");
        match self.provider {
            Provider::Azure => {
                let account = self.address.account.as_deref().unwrap_or("unknown");
                let scheme = match self.address.service.as_deref() {
                    Some("file") => "az+file",
                    Some("queue") => "az+queue",
                    Some("table") => "az+table",
                    _ => "az",
                };
                if path.is_empty() {
                    format!("{scheme}://{account}")
                } else {
                    format!("{scheme}://{account}/{path}")
                }
            }
            Provider::Aws => bucket("s3", s3_bucket(host), path),
            Provider::Gcs => bucket("gs", gcs_bucket(host), path),
            Provider::Oss => bucket("oss", host.split_once(".oss-").map(|(name, _)| name), path),
            _ => self.url(),
        }
    }

    pub(crate) fn access(&self) -> Option<Access> {
        let host = self.address.authority.split(':').next().unwrap_or("");
        let bucket = match self.provider {
            Provider::Azure => {
                if !matches!(self.address.service.as_deref(), Some("blob" | "dfs")) {
                    return None;
                }
                let (container, key) = self.address.parts();
                return Some(Access {
                    provider: Provider::Azure,
                    origin: self.address.blob_origin(),
                    path_style: self.address.path_style,
                    account: self.address.account.clone()?,
                    container,
                    key,
                    auth: Auth::Anonymous,
                });
            }
            Provider::Aws => s3_bucket(host),
            Provider::Gcs => gcs_bucket(host),
            _ => return None,
        };
        Some(bucket_access(&self.address, self.provider, bucket, Auth::Anonymous))
    }

    pub(crate) fn grant(&self) -> Grant {
        let (container, key) = self.address.parts();
        let scope = match (container, key) {
            (None, _) => GrantScope::Account,
            (Some(_), None) => GrantScope::Container,
            (Some(_), Some(_)) => GrantScope::Object,
        };
        Grant {
            id: String::new(),
            provider: self.provider,
            mechanism: self.mechanism(),
            resource: self.resource(),
            scope,
            permissions: Some(vec![Permission::Read]),
            operations: vec!["read what the store shows to strangers, if anything".into()],
            starts: None,
            expires: None,
            protocols: vec![self.address.scheme.clone()],
            ip: None,
            identifier: None,
            key_hint: None,
            services: self.address.service.clone().into_iter().collect(),
            version: None,
            signature: SignatureCheck::default(),
            status: GrantStatus::Unknown,
            observed: None,
            revocation: "It holds no credential: switch public access off if nothing there is \
                         meant for strangers."
                .into(),
            problems: Vec::new(),
            severity: Severity::Info,
            why: vec!["a link without a credential: info".into()],
        }
    }
}

fn bucket(scheme: &str, host_bucket: Option<&str>, path: &str) -> String {
    match host_bucket.filter(|name| !name.is_empty()) {
        Some(bucket) if path.is_empty() => format!("{scheme}://{bucket}"),
        Some(bucket) => format!("{scheme}://{bucket}/{path}"),
        None => format!("{scheme}://{path}"),
    }
}

/// True for Amazon's own S3 hosts and the best-known compatible ones.
pub(crate) fn is_s3(host: &str) -> bool {
    let labels: Vec<&str> = host.split('.').collect();
    let amazon = host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
    (amazon && labels.iter().any(|label| *label == "s3" || label.starts_with("s3-")))
        || host.ends_with(".r2.cloudflarestorage.com")
        || host.ends_with(".r2.dev")
        || host.ends_with(".digitaloceanspaces.com")
}

/// The way into a bucket, which the host names or the path begins with.
pub(crate) fn bucket_access(
    address: &Address,
    provider: Provider,
    in_host: Option<&str>,
    auth: Auth,
) -> Access {
    // The key as it stands: empty parts and a slash at its end are part of a name.
    let raw = address.raw_path.split(['?', '#']).next().unwrap_or("");
    let path = decode(raw.strip_prefix('/').unwrap_or(raw));
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let (container, key) = match in_host {
        Some(bucket) => (some(bucket), some(&path)),
        None => {
            let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
            (some(bucket), some(key))
        }
    };
    Access {
        provider,
        origin: format!("{}://{}", address.scheme, address.authority),
        path_style: in_host.is_none(),
        account: String::new(),
        container,
        key,
        auth,
    }
}

/// The bucket that a host of Cloud Storage names.
pub(crate) fn gcs_bucket(host: &str) -> Option<&str> {
    host.strip_suffix(".storage.googleapis.com")
}

/// The bucket that stands in the host name.
pub(crate) fn s3_bucket(host: &str) -> Option<&str> {
    // Cloudflare and DigitalOcean put an account or a region where others have the bucket.
    for mark in [".r2.cloudflarestorage.com", ".digitaloceanspaces.com"] {
        if let Some(head) = host.strip_suffix(mark) {
            let head = head.strip_suffix(".cdn").unwrap_or(head);
            return head.rsplit_once('.').map(|(bucket, _)| bucket);
        }
    }
    for mark in [".s3.", ".s3-", ".r2.dev"] {
        if let Some(end) = host.find(mark) {
            return host.get(..end);
        }
    }
    None
}
