//! One blob account through one credential.

use super::error::{malformed, refused};
use super::object::BlobBytes;
use super::sign::{authorization, http_date};
use super::{list, probe};
use crate::client::{Answer, Ask, Client, Verb};
use crate::store::{ListPage, ListRequest, Probe, StorageError, StorageErrorKind, Store};
use crate::url::{host, path, query};
use lidless_core::{Access, Auth, BlobType, Container, Object, Secret, Timestamp, Touch};
use lidless_io::ReadAt;
use std::sync::Arc;

/// The version for requests that a SAS does not fix: the newest that every emulator and
/// sovereign cloud speaks and that lists everything read here.
const VERSION: &str = "2021-08-06";
/// The largest page of a listing there can be: 5,000 names of 1,024 characters, with room.
const PAGE_LIMIT: u64 = 64 << 20;
/// Containers listed at most; an account has no limit of its own.
const CONTAINERS: usize = 1_000_000;

/// What every request of a store needs.
pub(crate) struct Shared {
    pub(crate) client: Arc<Client>,
    pub(crate) access: Access,
    name: String,
}

impl Shared {
    /// The place of a blob, for errors.
    pub(crate) fn place(&self, container: &str, key: &str) -> String {
        format!("{}/{container}/{key}", self.name)
    }

    /// Sends one request about `resource` (container and key, decoded) with `parameters`.
    pub(crate) fn ask(
        &self,
        verb: Verb,
        resource: &str,
        parameters: &str,
        mut headers: Vec<(&'static str, String)>,
        what: &str,
        limit: u64,
    ) -> Result<Answer, StorageError> {
        let endpoint = self.client.endpoints().azure.as_deref();
        let origin = endpoint.unwrap_or(&self.access.origin).trim_end_matches('/');
        let path_style = endpoint.is_some() || self.access.path_style;
        let mut target = String::new();
        if path_style {
            target.push('/');
            target.push_str(&path(&self.access.account));
        }
        target.push('/');
        target.push_str(&path(resource));
        if path_style && resource.is_empty() {
            // Some emulators want no slash after the account, none mind its absence.
            target.truncate(target.len().saturating_sub(1));
        }
        let mut full = parameters.to_owned();
        match &self.access.auth {
            Auth::Query(sas) => {
                if !full.is_empty() {
                    full.push('&');
                }
                full.push_str(sas.expose());
            }
            Auth::Anonymous => headers.push(("x-ms-version", VERSION.into())),
            Auth::Key { id, key } => {
                headers.push(("x-ms-version", VERSION.into()));
                headers.push(("x-ms-date", http_date(Timestamp::now())));
                let signed = authorization(verb, id, key, &headers, &target, parameters);
                headers.extend(signed.map(|value| ("authorization", value)));
            }
        }
        let url = if full.is_empty() {
            format!("{origin}{target}")
        } else {
            format!("{origin}{target}?{full}")
        };
        let touch =
            Touch { host: host(origin), store: Some(self.name.clone()), path: resource.to_owned() };
        self.client.ask(&Ask { verb, url, headers, touch, what, limit })
    }

    /// True when the requests go to this machine: emulators answer less exactly.
    pub(crate) fn is_local(&self) -> bool {
        let endpoint = self.client.endpoints().azure.as_deref();
        let origin = endpoint.unwrap_or(&self.access.origin);
        Touch { host: host(origin), store: None, path: String::new() }.is_loopback()
    }

    /// A parameter of the SAS, decoded.
    pub(crate) fn sas(&self, key: &str) -> Option<String> {
        let Auth::Query(sas) = &self.access.auth else { return None };
        parameter(sas, key)
    }
}

fn parameter(sas: &Secret, key: &str) -> Option<String> {
    sas.expose().split('&').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.eq_ignore_ascii_case(key)
            .then(|| percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned())
    })
}

/// The store.
pub(crate) struct AzureStore {
    shared: Arc<Shared>,
}

impl AzureStore {
    pub(crate) fn new(client: Arc<Client>, access: Access) -> Self {
        let name = access.store();
        Self { shared: Arc::new(Shared { client, access, name }) }
    }
}

impl Store for AzureStore {
    fn name(&self) -> &str {
        &self.shared.name
    }

    fn probe(&self) -> Result<Probe, StorageError> {
        probe::probe(&self.shared)
    }

    fn containers(&self) -> Result<Vec<Container>, StorageError> {
        let what = format!("list the containers of {}", self.shared.name);
        let mut found: Vec<Container> = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let mut parameters = "comp=list&maxresults=5000".to_owned();
            if let Some(marker) = &marker {
                parameters.push_str(&format!("&marker={}", query(marker)));
            }
            let answer =
                self.shared.ask(Verb::Get, "", &parameters, Vec::new(), &what, PAGE_LIMIT)?;
            if answer.status != 200 {
                let error = refused(&what, &answer);
                // A credential for one container cannot list them, but knows that one.
                if let (Some(name), StorageErrorKind::Denied) =
                    (&self.shared.access.container, error.kind)
                {
                    let name = name.clone();
                    return Ok(vec![Container { name, public: None, modified: None }]);
                }
                return Err(error);
            }
            let (page, next) =
                list::containers(&answer.body).map_err(|why| malformed(&what, &why))?;
            found.extend(page);
            if next.is_none() || found.len() >= CONTAINERS {
                return Ok(found);
            }
            if next == marker {
                return Err(malformed(&what, "the listing does not move on"));
            }
            marker = next;
        }
    }

    fn list(&self, request: &ListRequest) -> Result<ListPage, StorageError> {
        let place = format!("{}/{}", self.shared.name, request.container);
        let what = format!("list the blobs of {place}");
        let mut parameters = "restype=container&comp=list".to_owned();
        if !request.prefix.is_empty() {
            parameters.push_str(&format!("&prefix={}", query(&request.prefix)));
        }
        if request.delimited {
            parameters.push_str("&delimiter=%2F");
        }
        if let Some(cursor) = &request.cursor {
            parameters.push_str(&format!("&marker={}", query(cursor)));
        }
        parameters.push_str(&format!("&maxresults={}", request.max.unwrap_or(5000)));
        let answer = self.shared.ask(
            Verb::Get,
            &request.container,
            &parameters,
            Vec::new(),
            &what,
            PAGE_LIMIT,
        )?;
        if answer.status != 200 {
            return Err(refused(&what, &answer));
        }
        if !answer.whole {
            return Err(malformed(&what, "the listing breaks off, or is larger than any can be"));
        }
        let (objects, prefixes, next) =
            list::blobs(&answer.body).map_err(|why| malformed(&what, &why))?;
        if next.is_some() && next == request.cursor {
            return Err(malformed(&what, "the listing does not move on"));
        }
        Ok(ListPage { objects, prefixes, next })
    }

    fn head(&self, container: &str, key: &str) -> Result<Object, StorageError> {
        let what = format!("ask about {}", self.shared.place(container, key));
        let resource = format!("{container}/{key}");
        let answer = self.shared.ask(Verb::Head, &resource, "", Vec::new(), &what, 0)?;
        if answer.status != 200 {
            return Err(refused(&what, &answer));
        }
        let size = answer.header("content-length").and_then(|text| text.trim().parse().ok());
        Ok(Object {
            key: key.to_owned(),
            size: size.ok_or_else(|| malformed(&what, "no length that can be read"))?,
            etag: answer.header("etag").map(|etag| etag.trim_matches('"').to_owned()),
            modified: None,
            created: None,
            tier: answer.header("x-ms-access-tier").map(str::to_ascii_lowercase),
            blob_type: match answer.header("x-ms-blob-type") {
                Some("PageBlob") => Some(BlobType::Page),
                Some("AppendBlob") => Some(BlobType::Append),
                Some("BlockBlob") => Some(BlobType::Block),
                _ => None,
            },
            content_md5: answer.header("content-md5").map(str::to_owned),
            content_type: answer.header("content-type").map(str::to_owned),
        })
    }

    fn open(&self, container: &str, object: &Object) -> Arc<dyn ReadAt> {
        Arc::new(BlobBytes {
            shared: Arc::clone(&self.shared),
            container: container.to_owned(),
            key: object.key.clone(),
            size: object.size,
            etag: object.etag.clone(),
        })
    }
}
