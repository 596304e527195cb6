//! Which service a URL belongs to.

use crate::query::decode;
use std::net::IpAddr;

/// Azure storage services by the label in their host names.
const SERVICES: [&str; 6] = ["blob", "dfs", "file", "queue", "table", "web"];
/// Where Azure storage accounts live: the public cloud, the sovereign ones, the newer zones.
const SUFFIXES: [&str; 6] = [
    "core.windows.net",
    "core.chinacloudapi.cn",
    "core.usgovcloudapi.net",
    "core.cloudapi.de",
    "storage.azure.net",
    "fabric.microsoft.com",
];

/// A URL without its query, taken apart for storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// `https` or `http`.
    pub(crate) scheme: String,
    /// Host and port as found, lower case; no userinfo.
    pub(crate) authority: String,
    /// The account, when the host or the path tells it.
    pub(crate) account: Option<String>,
    /// `blob`, `dfs`, ...; null for a custom domain.
    pub(crate) service: Option<String>,
    /// True when the account is the first part of the path.
    pub(crate) path_style: bool,
    /// The path after the account, decoded, without slashes at its ends.
    pub(crate) path: String,
    /// The whole path as it stood, from its first slash: what some services sign.
    pub(crate) raw_path: String,
}

impl Address {
    /// Takes apart `scheme://authority/path`; none for other schemes and empty hosts.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        if scheme != "https" && scheme != "http" {
            return None;
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let authority = authority.rsplit('@').next()?.to_ascii_lowercase();
        let host = host_of(&authority);
        if host.is_empty()
            || !host.chars().all(|c| c.is_ascii_alphanumeric() || "-._:[]".contains(c))
        {
            return None;
        }
        let raw_path = format!("/{path}");
        let (account, service) = azure_host(host);
        let path_style = account.is_none() && is_path_style(host);
        let (account, path) = if path_style {
            let (first, rest) = path.split_once('/').unwrap_or((path, ""));
            let name = decode(first);
            let name = name.strip_suffix("-secondary").unwrap_or(&name).to_owned();
            (Some(name).filter(|name| !name.is_empty()), rest)
        } else {
            (account, path)
        };
        Some(Self {
            scheme,
            authority,
            account,
            service,
            path_style,
            path: decode(path).trim_matches('/').to_owned(),
            raw_path,
        })
    }

    /// Scheme and authority for reading blobs, whatever service the link was for.
    pub(crate) fn blob_origin(&self) -> String {
        self.service_origin("blob")
    }

    /// Scheme and authority of a service of the same account, by its label.
    pub(crate) fn service_origin(&self, wanted: &str) -> String {
        let authority = match self.service.as_deref() {
            Some(own) => self.authority.replacen(&format!(".{own}."), &format!(".{wanted}."), 1),
            None => self.authority.clone(),
        };
        format!("{}://{authority}", self.scheme)
    }

    /// Container and the path inside it.
    pub(crate) fn parts(&self) -> (Option<String>, Option<String>) {
        let (container, key) = self.path.split_once('/').unwrap_or((&self.path, ""));
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        (some(container), some(key))
    }

    /// Whether the container, when there is one, has a name that a container can have.
    pub(crate) fn is_plausible(&self) -> bool {
        let container = self.path.split('/').next().unwrap_or("");
        container.len() <= 63
            && container
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'$' | b'_'))
            || self.account.is_none()
            // A blob in the root container.
            || !self.path.contains('/') && !container.contains(['=', ':'])
    }

    /// True for this machine.
    pub(crate) fn is_local(&self) -> bool {
        is_local(host_of(&self.authority))
    }
}

fn host_of(authority: &str) -> &str {
    if authority.starts_with('[') {
        return authority.split_inclusive(']').next().unwrap_or(authority);
    }
    authority.split(':').next().unwrap_or(authority)
}

fn is_local(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Hosts that cannot hold an account in their name: addresses, names without a dot as containers
/// on one machine call each other, and this machine.
fn is_path_style(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok() || !host.contains('.')
}

/// Account and service of an Azure storage host name: `ACCOUNT[-secondary][.zNN].SERVICE.SUFFIX`.
fn azure_host(host: &str) -> (Option<String>, Option<String>) {
    let known = SUFFIXES
        .iter()
        .chain(["localhost"].iter())
        .find_map(|suffix| host.strip_suffix(suffix).and_then(|rest| rest.strip_suffix('.')));
    let Some((rest, service)) = known.and_then(|rest| rest.rsplit_once('.')) else {
        return (None, None);
    };
    let account = rest.split('.').next().unwrap_or("");
    let name = account.strip_suffix("-secondary").unwrap_or(account);
    if !SERVICES.contains(&service) || name.is_empty() {
        return (None, None);
    }
    (Some(name.to_owned()), Some(service.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_read_off_every_kind_of_host() {
        for (url, account, service) in [
            ("https://contoso.blob.core.windows.net/a/b", "contoso", "blob"),
            ("https://contoso-secondary.dfs.core.windows.net/a/b", "contoso", "dfs"),
            ("https://contoso.z13.blob.storage.azure.net/a/b", "contoso", "blob"),
            ("https://contoso.blob.core.chinacloudapi.cn/a/b", "contoso", "blob"),
            ("http://contoso.blob.localhost:10000/a/b", "contoso", "blob"),
        ] {
            let address = Address::parse(url).unwrap();
            assert_eq!(address.account.as_deref(), Some(account), "{url}");
            assert_eq!(address.service.as_deref(), Some(service), "{url}");
            assert_eq!(address.parts(), (Some("a".into()), Some("b".into())), "{url}");
        }
        let local = Address::parse("http://127.0.0.1:1234/acct/c/a%20b").unwrap();
        assert_eq!((local.account.as_deref(), local.path.as_str()), (Some("acct"), "c/a b"));
        assert!(local.path_style);
        let custom = Address::parse("https://user:pw@files.example.com/c").unwrap();
        assert_eq!((custom.account, custom.authority.as_str()), (None, "files.example.com"));
        let compose = Address::parse("http://azurite:10000/acct/c").unwrap();
        assert_eq!((compose.account.as_deref(), compose.path.as_str()), (Some("acct"), "c"));
        let stranger = Address::parse("https://a.blob.evilcore.windows.net/c").unwrap();
        assert_eq!((stranger.account, stranger.service), (None, None));
        assert!(Address::parse("ftp://a/b").is_none());
        assert!(Address::parse("https://").is_none());
    }
}
