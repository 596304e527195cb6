//! Where an account is, and what a URL of it names.

use super::shared::{PEEK, is_messages};
use crate::url::{self, path};
use lidless_core::{Access, Auth, AzureService, Touch};
use percent_encoding::percent_decode_str;

/// Where the requests of one account go.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    origin: String,
    path_style: bool,
    account: String,
    service: AzureService,
}

/// The ends of host names that serve an account named by their first label: the public cloud,
/// its sovereign siblings, and the endpoints with a DNS zone of their own.
const CLOUDS: [&str; 5] = [
    ".core.windows.net",
    ".core.chinacloudapi.cn",
    ".core.usgovcloudapi.net",
    ".core.cloudapi.de",
    ".storage.azure.net",
];

impl Address {
    /// The address of an access; `endpoint` replaces its own and is path-style.
    pub(crate) fn new(access: &Access, endpoint: Option<&str>) -> Self {
        let account = access.account.clone();
        let service = access.azure_service();
        if let Some(endpoint) = endpoint {
            let origin = endpoint.trim_end_matches('/').to_owned();
            return Self { origin, path_style: true, account, service };
        }
        let mut origin = access.origin.trim_end_matches('/').to_owned();
        let host = url::host(&origin);
        let https_only = matches!(&access.auth, Auth::Query(sas)
            if sas.expose().split('&').any(|part| part.eq_ignore_ascii_case("spr=https")));
        let loopback = Touch { host, store: None, path: String::new() }.is_loopback();
        if let (true, Some(rest)) = (https_only && !loopback, origin.strip_prefix("http://")) {
            // The token says that it is not taken otherwise, and must not cross in the clear.
            origin = format!("https://{rest}");
        }
        Self { origin, path_style: access.path_style, account, service }
    }

    /// Scheme and authority.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// True when requests stay on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        Touch { host: url::host(&self.origin), store: None, path: String::new() }.is_loopback()
    }

    /// The encoded path of a resource (container and key, decoded; empty for the account).
    pub(crate) fn target(&self, resource: &str) -> String {
        match (self.path_style, resource.is_empty()) {
            (false, _) => format!("/{}", path(resource)),
            // Some emulators want no slash after the account, none mind its absence.
            (true, true) => format!("/{}", path(&self.account)),
            (true, false) => format!("/{}/{}", path(&self.account), path(resource)),
        }
    }

    /// What any URL would touch: read off the URL itself, because redirects are written by
    /// whoever answers.
    pub(crate) fn touch(&self, target: &str) -> Touch {
        let host = url::host(target);
        let named = percent_decode_str(&url::encoded_path(target)).decode_utf8_lossy().into_owned();
        let rest = named.strip_prefix('/').unwrap_or(&named);
        let labelled = AzureService::of_host(&host);
        let service = labelled.unwrap_or(self.service);
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let peeks = query.split('&').any(|part| part == PEEK);
        let below_account = rest.split_once('/').is_some_and(|(_, rest)| is_messages(rest));
        let takes = match labelled {
            Some(_) if service != AzureService::Queue => false,
            // A host that says nothing of its service may be a queue's, path-style or not.
            _ => is_messages(rest) || below_account,
        };
        if takes && !peeks {
            // Nothing allows that: it would take messages out of the queue.
            return Touch { host: String::new(), store: None, path: String::new() };
        }
        let scheme = service.scheme();
        if url::origin(target) == url::origin(&self.origin) {
            if !self.path_style {
                let store = Some(format!("{scheme}://{}", self.account));
                return Touch { host, store, path: rest.to_owned() };
            }
            let (account, path) = rest.split_once('/').unwrap_or((rest, ""));
            return Touch {
                host,
                store: Some(format!("{scheme}://{account}")),
                path: path.to_owned(),
            };
        }
        let store = host_account(&host).map(|account| format!("{scheme}://{account}"));
        let path = if store.is_some() { rest.to_owned() } else { String::new() };
        Touch { host, store, path }
    }
}

/// The account that a host of the public clouds serves.
fn host_account(host: &str) -> Option<&str> {
    CLOUDS.iter().find_map(|end| host.strip_suffix(end))?;
    let account = host.split('.').next()?;
    Some(account.strip_suffix("-secondary").unwrap_or(account))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_core::{Provider, Secret};

    fn access(origin: &str, path_style: bool, sas: &str) -> Access {
        Access {
            provider: Provider::Azure,
            origin: origin.into(),
            path_style,
            account: "contoso".into(),
            container: None,
            key: None,
            auth: Auth::Query(Secret::new(sas)),
        }
    }

    #[test]
    fn names_are_encoded_part_by_part() {
        let cloud = Address::new(&access("https://contoso.blob.core.windows.net", false, ""), None);
        assert_eq!(cloud.target("c/a b/100%+#?é"), "/c/a%20b/100%25%2B%23%3F%C3%A9");
        assert_eq!(cloud.target("c//x"), "/c//x");
        assert_eq!(cloud.target("$root/x"), "/$root/x");
        let local = Address::new(&access("http://127.0.0.1:1", true, ""), None);
        assert_eq!(
            (local.target("").as_str(), local.target("c").as_str()),
            ("/contoso", "/contoso/c")
        );
    }

    #[test]
    fn a_redirect_is_read_for_what_it_names() {
        let local = Address::new(&access("http://127.0.0.1:1", true, ""), None);
        let touch = local.touch("http://127.0.0.1:1/other/h%72/x?y");
        assert_eq!((touch.store.as_deref(), touch.path.as_str()), (Some("az://other"), "hr/x"));
        let touch = local.touch("https://Fabrikam-secondary.blob.core.windows.net/c/k");
        assert_eq!((touch.store.as_deref(), touch.path.as_str()), (Some("az://fabrikam"), "c/k"));
        let touch = local.touch("http://192.0.2.1/contoso/c");
        assert_eq!((touch.store, touch.path.as_str()), (None, ""));
    }

    #[test]
    fn a_redirect_to_messages_touches_nothing_that_may_be_touched() {
        let local = Address::new(&access("http://127.0.0.1:1", true, "sv=1&sp=rp&se=x"), None);
        let touch = local.touch("http://127.0.0.1:1/contoso/jobs/messages?numofmessages=32");
        assert_eq!((touch.host.as_str(), touch.store), ("", None));
        let touch = local.touch("http://127.0.0.1:1/contoso/jobs/messages?peekonly=true");
        assert_eq!(touch.store.as_deref(), Some("az+queue://contoso"));
        let touch = local.touch("https://fabrikam.queue.core.windows.net/jobs/messages?sv=1");
        assert_eq!((touch.host.as_str(), touch.store), ("", None));
        // A host that does not say what it serves may serve queues.
        let blobs = Address::new(&access("http://127.0.0.1:1", true, "sv=1&sr=c"), None);
        let touch = blobs.touch("http://192.0.2.1/contoso/jobs/messages?sv=1");
        assert_eq!((touch.host.as_str(), touch.store), ("", None));
        let touch = blobs.touch("https://contoso.blob.core.windows.net/jobs/messages?sv=1");
        assert_eq!(
            (touch.store.as_deref(), touch.path.as_str()),
            (Some("az://contoso"), "jobs/messages")
        );
    }

    #[test]
    fn a_token_for_https_only_never_crosses_in_the_clear() {
        let origin = |from, sas| Address::new(&access(from, false, sas), None).origin().to_owned();
        let cloud = "http://contoso.blob.core.windows.net";
        assert_eq!(origin(cloud, "sv=1&spr=https"), cloud.replace("http", "https"));
        assert_eq!(origin(cloud, "sv=1&spr=https,http"), cloud);
        assert_eq!(origin("http://127.0.0.1:1", "spr=https"), "http://127.0.0.1:1");
    }
}
