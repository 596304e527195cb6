//! The services of an Azure storage account.

use crate::access::{Access, Auth};
use crate::grant::Provider;
use percent_encoding::percent_decode_str;

/// One service of an Azure storage account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AzureService {
    /// Blobs, which are also what a data lake holds.
    Blob,
    /// File shares.
    File,
    /// Queues.
    Queue,
    /// Tables.
    Table,
}

impl AzureService {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Blob, Self::File, Self::Queue, Self::Table];

    /// Its label in host names.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::File => "file",
            Self::Queue => "queue",
            Self::Table => "table",
        }
    }

    /// How places in it begin.
    #[must_use]
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Blob => "az",
            Self::File => "az+file",
            Self::Queue => "az+queue",
            Self::Table => "az+table",
        }
    }

    /// The letter an account SAS names it with (`ss`).
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Blob => 'b',
            Self::File => 'f',
            Self::Queue => 'q',
            Self::Table => 't',
        }
    }

    /// The service a host name is for, by its label; none when it says nothing.
    #[must_use]
    pub fn of_host(host: &str) -> Option<Self> {
        let labels: Vec<&str> = host.split('.').skip(1).collect();
        if labels.contains(&"dfs") {
            return Some(Self::Blob);
        }
        Self::ALL.into_iter().find(|service| labels.contains(&service.label()))
    }
}

impl Access {
    /// The service of an Azure account that requests go to: its host says it, or what only tokens
    /// of one service have.
    #[must_use]
    pub fn azure_service(&self) -> AzureService {
        let host = self.origin.split_once("://").map_or("", |(_, rest)| rest);
        let host = host.split([':', '/']).next().unwrap_or("").to_ascii_lowercase();
        if let Some(service) = AzureService::of_host(&host) {
            return service;
        }
        if let Some(services) = self.token("ss") {
            let mut named = AzureService::ALL.into_iter();
            return named.find(|one| services.contains(one.letter())).unwrap_or(AzureService::Blob);
        }
        let Auth::Query(_) = &self.auth else { return AzureService::Blob };
        match (self.token("tn"), self.token("sr").as_deref()) {
            (Some(_), _) => AzureService::Table,
            (_, Some("f" | "s")) => AzureService::File,
            (_, Some(_)) => AzureService::Blob,
            // Of all tokens only a queue's names no resource; what hangs on a policy may be any.
            (None, None) if self.token("sv").is_some() && self.token("si").is_none() => {
                AzureService::Queue
            }
            _ => AzureService::Blob,
        }
    }

    /// Every service of the account that the credential opens as far as it says, its own first.
    #[must_use]
    pub fn azure_services(&self) -> Vec<AzureService> {
        let own = self.azure_service();
        if self.provider != Provider::Azure {
            return Vec::new();
        }
        let opens = |service: AzureService| match &self.auth {
            Auth::Key { .. } => true,
            Auth::Query(_) => {
                self.token("ss").is_some_and(|letters| letters.contains(service.letter()))
                    && self.token("srt").is_some()
            }
            Auth::Anonymous | Auth::Token(_) | Auth::ServiceAccount { .. } => false,
        };
        let others = AzureService::ALL.into_iter().filter(|one| *one != own && opens(*one));
        std::iter::once(own).chain(others).collect()
    }

    /// Every store that the credential opens as far as it says, as places write them.
    #[must_use]
    pub fn stores(&self) -> Vec<String> {
        if self.provider != Provider::Azure {
            return vec![self.store()];
        }
        let name = |service: &AzureService| format!("{}://{}", service.scheme(), self.account);
        self.azure_services().iter().map(name).collect()
    }

    /// A parameter of the token, decoded.
    fn token(&self, key: &str) -> Option<String> {
        let Auth::Query(query) = &self.auth else { return None };
        query.expose().split('&').find_map(|part| {
            let (name, value) = part.split_once('=')?;
            (name.eq_ignore_ascii_case(key) && !value.is_empty())
                .then(|| percent_decode_str(value).decode_utf8_lossy().into_owned())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn access(origin: &str, query: &str) -> Access {
        Access {
            provider: Provider::Azure,
            origin: origin.into(),
            path_style: false,
            account: "contoso".into(),
            container: None,
            key: None,
            auth: Auth::Query(Secret::new(query)),
        }
    }

    #[test]
    fn the_service_is_read_off_the_host_or_the_token() {
        use AzureService::{Blob, File, Queue, Table};
        for (origin, query, service) in [
            ("https://contoso.queue.core.windows.net", "sv=1&sp=r", Queue),
            ("https://contoso.dfs.core.windows.net", "sv=1&sr=d", Blob),
            ("https://contoso.z4.file.storage.azure.net", "sv=1", File),
            ("http://127.0.0.1:1", "sv=1&tn=people", Table),
            ("http://127.0.0.1:1", "sv=1&sr=s", File),
            ("http://127.0.0.1:1", "sv=1&sr=c", Blob),
            ("http://127.0.0.1:1", "sv=1&sp=rp&se=x", Queue),
            ("http://127.0.0.1:1", "sv=1&ss=tq&srt=sco", Queue),
            ("https://queue.example.com", "sv=1&sr=b", Blob),
        ] {
            assert_eq!(access(origin, query).azure_service(), service, "{origin} {query}");
        }
        let all = access("https://contoso.blob.core.windows.net", "sv=1&ss=b%71t&srt=sco");
        assert_eq!(all.stores(), ["az://contoso", "az+queue://contoso", "az+table://contoso"]);
        assert_eq!(access("https://a.file.core.windows.net", "sr=s").stores().len(), 1);
    }
}
