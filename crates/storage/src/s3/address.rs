//! Where buckets are, and what a URL of one names.

use crate::url;
use lidless_core::{Access, Provider, Touch};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What stays as it is in a path: exactly what the signature leaves alone.
const PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// Where the requests of one access go.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    provider: Provider,
    origin: String,
    /// The bucket that the host names.
    host_bucket: Option<String>,
    /// The host is one of AWS itself, where a bucket lives in one region and is served there.
    is_aws: bool,
    /// The region that the user's own settings name.
    set_region: Option<String>,
}

impl Address {
    /// The address of an access; `endpoint` replaces its own and is path-style.
    pub(crate) fn new(access: &Access, endpoint: Option<&str>, set_region: Option<String>) -> Self {
        let provider = access.provider;
        if let Some(endpoint) = endpoint {
            let origin = endpoint.trim_end_matches('/').to_owned();
            return Self { provider, origin, host_bucket: None, is_aws: false, set_region };
        }
        let mut origin = access.origin.trim_end_matches('/').to_owned();
        let is_aws = is_aws_host(&url::host(&origin));
        if let (true, Some(rest)) = (is_aws, origin.strip_prefix("http://")) {
            // A signature must not cross in the clear where it need not.
            origin = format!("https://{rest}");
        }
        let host_bucket = access.container.clone().filter(|_| !access.path_style);
        Self { provider, origin, host_bucket, is_aws, set_region }
    }

    /// Scheme and authority for a request about `bucket`, which lives in `region` when that is
    /// known; and the encoded path. A bucket that the host names is asked there, every other one
    /// by path.
    pub(crate) fn target(
        &self,
        bucket: Option<&str>,
        key: &str,
        region: Option<&str>,
    ) -> (String, String) {
        let encoded = utf8_percent_encode(key, PATH).to_string();
        let Some(bucket) = bucket else { return (self.service(), "/".into()) };
        if self.host_bucket.as_deref() == Some(bucket) {
            return (self.origin.clone(), format!("/{encoded}"));
        }
        let origin = match region {
            Some(region) if self.is_aws => {
                let zone = if region.starts_with("cn-") { ".cn" } else { "" };
                format!("https://s3.{region}.amazonaws.com{zone}")
            }
            _ => self.service(),
        };
        let bucket = utf8_percent_encode(bucket, PATH);
        // `GET /bucket` lists it; a slash at its end would be an empty key to some.
        let path =
            if key.is_empty() { format!("/{bucket}") } else { format!("/{bucket}/{encoded}") };
        (origin, path)
    }

    /// Scheme and authority of the service itself.
    fn service(&self) -> String {
        match &self.host_bucket {
            Some(bucket) => self.origin.replacen(&format!("://{bucket}."), "://", 1),
            None => self.origin.clone(),
        }
    }

    /// The region that the host names, or the one that signatures without a region use.
    pub(crate) fn region(&self) -> String {
        let host = url::host(&self.origin);
        if host.ends_with(".r2.cloudflarestorage.com") {
            return "auto".into();
        }
        let of_cloud = [".digitaloceanspaces.com", ".linodeobjects.com", ".wasabisys.com"]
            .iter()
            .find_map(|end| host.strip_suffix(end))
            .and_then(|rest| rest.rsplit('.').next());
        if let Some(region) = of_cloud.filter(|region| region.contains('-') || region.len() <= 5) {
            return region.to_owned();
        }
        // `s3.eu-west-1`, `s3-eu-west-1`, `bucket.s3.dualstack.eu-west-1` of `amazonaws.com`.
        let rest = host.strip_suffix(".cn").unwrap_or(&host);
        let region = rest.strip_suffix(".amazonaws.com").and_then(|rest| rest.rsplit('.').next());
        match region.map(|region| region.strip_prefix("s3-").unwrap_or(region)) {
            Some(region) if region.split('-').count() >= 3 => region.to_owned(),
            // A region of AWS itself says nothing of where a bucket there lives.
            _ if self.is_aws => "us-east-1".into(),
            _ => self.set_region.clone().unwrap_or_else(|| "us-east-1".into()),
        }
    }

    /// What any URL would touch: read off the URL itself, because redirects are written by
    /// whoever answers.
    pub(crate) fn touch(&self, target: &str) -> Touch {
        let host = url::host(target);
        let named = percent_decode_str(&url::encoded_path(target)).decode_utf8_lossy().into_owned();
        let rest = named.strip_prefix('/').unwrap_or(&named);
        let store = store_name(self.provider);
        let service = url::host(&self.service());
        if host == service || (self.is_aws && is_aws_service(&host)) {
            return Touch { host, store: Some(store), path: rest.to_owned() };
        }
        let bucket = match host.strip_suffix(&format!(".{service}")) {
            Some(bucket) => Some(bucket),
            None if self.is_aws && is_aws_host(&host) => {
                host.find(".s3.").or_else(|| host.find(".s3-")).and_then(|end| host.get(..end))
            }
            None => None,
        };
        match bucket {
            Some(bucket) => {
                let path =
                    if rest.is_empty() { bucket.to_owned() } else { format!("{bucket}/{rest}") };
                Touch { host, store: Some(store), path }
            }
            None => Touch { host, store: None, path: String::new() },
        }
    }
}

/// The store without its buckets, as places write it.
fn store_name(provider: Provider) -> String {
    if provider == Provider::Gcs { "gs:/".into() } else { "s3:/".into() }
}

/// What a request about a bucket touches.
pub(crate) fn touch_of(provider: Provider, origin: &str, path: &str) -> Touch {
    Touch { host: url::host(origin), store: Some(store_name(provider)), path: path.to_owned() }
}

fn is_aws_host(host: &str) -> bool {
    host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn")
}

/// `s3.amazonaws.com`, `s3.eu-west-1.amazonaws.com`, `s3-eu-west-1.amazonaws.com`.
fn is_aws_service(host: &str) -> bool {
    is_aws_host(host) && (host.starts_with("s3.") || host.starts_with("s3-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_core::Auth;

    fn address(origin: &str, bucket: Option<&str>) -> Address {
        let access = Access {
            provider: Provider::Aws,
            origin: origin.into(),
            path_style: bucket.is_none(),
            account: String::new(),
            container: bucket.map(str::to_owned),
            key: None,
            auth: Auth::Anonymous,
        };
        Address::new(&access, None, None)
    }

    #[test]
    fn a_bucket_is_asked_where_it_lives() {
        let aws = address("https://s3.amazonaws.com", None);
        let target = aws.target(Some("b"), "a b+c", Some("eu-west-1"));
        assert_eq!(target, ("https://s3.eu-west-1.amazonaws.com".into(), "/b/a%20b%2Bc".into()));
        assert_eq!(aws.target(None, "", None), ("https://s3.amazonaws.com".into(), "/".into()));
        let own = address("http://b.s3.eu-west-1.amazonaws.com", Some("b"));
        let target = own.target(Some("b"), "x//y", None);
        assert_eq!(target, ("https://b.s3.eu-west-1.amazonaws.com".into(), "/x//y".into()));
        assert_eq!(own.target(None, "", None).0, "https://s3.eu-west-1.amazonaws.com");
        let local = address("http://127.0.0.1:7480", None);
        assert_eq!(local.target(Some("b"), "", Some("x")).0, "http://127.0.0.1:7480");
    }

    #[test]
    fn the_region_is_read_off_the_host() {
        for (origin, region) in [
            ("https://s3.amazonaws.com", "us-east-1"),
            ("https://s3-eu-west-1.amazonaws.com", "eu-west-1"),
            ("https://s3.dualstack.ap-south-1.amazonaws.com", "ap-south-1"),
            ("https://s3.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            ("https://nyc3.digitaloceanspaces.com", "nyc3"),
            ("https://s3.eu-central-1.wasabisys.com", "eu-central-1"),
            ("https://0123456789abcdef.r2.cloudflarestorage.com", "auto"),
            ("http://127.0.0.1:7480", "us-east-1"),
        ] {
            assert_eq!(address(origin, None).region(), region, "{origin}");
        }
    }

    #[test]
    fn a_redirect_is_read_for_the_bucket_it_names() {
        let aws = address("https://s3.amazonaws.com", None);
        let touch = aws.touch("https://other.s3.eu-west-1.amazonaws.com/h%72/x?y");
        assert_eq!((touch.store.as_deref(), touch.path.as_str()), (Some("s3:/"), "other/hr/x"));
        let touch = aws.touch("https://s3-eu-west-1.amazonaws.com/b/k");
        assert_eq!((touch.store.as_deref(), touch.path.as_str()), (Some("s3:/"), "b/k"));
        let touch = aws.touch("https://evil.example.com/b/k");
        assert_eq!((touch.store, touch.path.as_str()), (None, ""));
        let own = address("https://b.objects.example.com", Some("b"));
        let touch = own.touch("https://c.objects.example.com/k");
        assert_eq!((touch.store.as_deref(), touch.path.as_str()), (Some("s3:/"), "c/k"));
    }
}
