//! One blob account through one credential.

use super::address::Address;
use super::error::refused;
use super::pages::PageBytes;
use super::query::{Query, credential};
use super::sign::{authorization, http_date};
use super::{list, probe, seek};
use crate::client::{Answer, Ask, Client, Verb};
use crate::content::{GetPart, ObjectBytes, shown_place};
use crate::retry::http_time;
use crate::store::{
    ListPage, ListRequest, Probe, Seek, Seeking, StorageError, StorageErrorKind, Store, malformed,
};
use crate::url::{host, query};
use lidless_core::{
    Access, Auth, BlobType, Container, Object, PublicAccess, Secret, Timestamp, Touch,
};
use lidless_io::{Link, ReadAt};
use std::sync::Arc;

/// The version that requests speak: the newest that every emulator and sovereign cloud speaks and
/// that lists everything read here.
const VERSION: &str = "2021-08-06";
/// The oldest token that lets a request speak another version than its own (`sv`).
const OLDEST_FREE_TOKEN: &str = "2015-04-05";
/// The largest page of a listing there can be: 5,000 names of 1,024 characters, with room.
const PAGE_LIMIT: u64 = 64 << 20;
/// Pages of containers at most; an account has no limit of its own.
const CONTAINER_PAGES: usize = 200;

/// What every request of a store needs.
pub(crate) struct Shared {
    pub(crate) client: Arc<Client>,
    pub(crate) access: Access,
    name: String,
    address: Address,
    /// What requests to this account cost, measured on the way.
    pub(crate) link: Link,
}

impl Shared {
    /// Sends one request.
    pub(crate) fn ask(
        &self,
        verb: Verb,
        about: &Query,
        mut headers: Vec<(&'static str, String)>,
        what: &str,
        limit: u64,
    ) -> Result<Answer, StorageError> {
        let origin = self.address.origin();
        let target = self.address.target(&about.resource);
        let mut full = about.parameters.clone();
        if self.chooses_version() {
            headers.push(("x-ms-version", VERSION.into()));
        }
        headers.push(self.client.request_id());
        match &self.access.auth {
            Auth::Query(sas) => {
                let own = self.is_own(about);
                if !full.is_empty() {
                    full.push('&');
                }
                full.push_str(&credential(sas.expose(), own));
            }
            Auth::Anonymous => {}
            Auth::Key { id, key, .. } => {
                headers.push(("x-ms-date", http_date(Timestamp::now())));
                let signed = authorization(verb, id, key, &headers, &target, &about.parameters);
                let signed = signed.ok_or_else(|| StorageError {
                    kind: StorageErrorKind::Denied,
                    message: format!("cannot {what}: the account key is not base64"),
                    status: None,
                    code: None,
                })?;
                headers.push(("authorization", signed));
            }
        }
        let url = if full.is_empty() {
            format!("{origin}{target}")
        } else {
            format!("{origin}{target}?{full}")
        };
        let touch = Touch {
            host: host(origin),
            store: Some(self.name.clone()),
            path: about.touched.clone(),
        };
        let locate = |url: &str| self.address.touch(url);
        let part_only = about.part_only;
        self.client.ask(&Ask { verb, url, headers, touch, what, limit, locate: &locate, part_only })
    }

    /// True when the request is about the blob that the link itself names.
    fn is_own(&self, about: &Query) -> bool {
        match (&self.access.container, &self.access.key) {
            (Some(container), Some(key)) => {
                about.is_blob && about.resource == format!("{container}/{key}")
            }
            _ => false,
        }
    }

    /// True when the request says which version it speaks. Older tokens fix it themselves, and a
    /// link may name one.
    fn chooses_version(&self) -> bool {
        match &self.access.auth {
            Auth::Anonymous | Auth::Key { .. } => true,
            Auth::Query(_) => {
                self.sas("sv").is_some_and(|version| version.as_str() >= OLDEST_FREE_TOKEN)
                    && self.sas("api-version").is_none()
            }
        }
    }

    /// True when the requests go to this machine: emulators answer less exactly.
    pub(crate) fn is_local(&self) -> bool {
        self.address.is_loopback()
    }

    /// A parameter of the SAS, decoded.
    pub(crate) fn sas(&self, key: &str) -> Option<String> {
        let Auth::Query(sas) = &self.access.auth else { return None };
        parameter(sas, key)
    }
}

impl GetPart for Shared {
    fn place(&self, container: &str, key: &str) -> String {
        shown_place(&self.name, container, key)
    }

    fn get(
        &self,
        container: &str,
        key: &str,
        part_only: bool,
        headers: Vec<(&'static str, String)>,
        what: &str,
        limit: u64,
    ) -> Result<Answer, StorageError> {
        let query = Query { part_only, ..Query::blob(container, key) };
        self.ask(Verb::Get, &query, headers, what, limit)
    }

    fn refused(&self, what: &str, answer: &Answer) -> StorageError {
        refused(what, answer)
    }

    fn link(&self) -> &Link {
        &self.link
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
        let address = Address::new(&access, client.endpoints().azure.as_deref());
        Self { shared: Arc::new(Shared { client, access, name, address, link: Link::default() }) }
    }
}

impl AzureStore {
    fn all_containers(&self) -> Result<Vec<Container>, StorageError> {
        let what = format!("list the containers of {}", self.shared.name);
        // The service's own containers ($logs, $blobchangefeed) are listed only when asked for,
        // and some services do not know the question.
        let mut system = self.shared.chooses_version();
        let silence = system.then_some(PublicAccess::None);
        let mut found: Vec<Container> = Vec::new();
        let mut marker: Option<String> = None;
        for _ in 0..CONTAINER_PAGES {
            let ask = |system: bool| {
                let mut parameters = "comp=list&maxresults=5000".to_owned();
                if system {
                    parameters.push_str("&include=system");
                }
                if let Some(marker) = &marker {
                    parameters.push_str(&format!("&marker={}", query(marker)));
                }
                let about = Query::account(&parameters);
                self.shared.ask(Verb::Get, &about, Vec::new(), &what, PAGE_LIMIT)
            };
            let mut answer = ask(system)?;
            if answer.status == 400 && system {
                system = false;
                answer = ask(system)?;
            }
            let (page, next) = match answer.status {
                200 if answer.whole => {
                    list::containers(&answer.body, silence).map_err(|why| malformed(&what, &why))?
                }
                200 => return Err(malformed(&what, "a page is larger than any can be")),
                _ => return Err(refused(&what, &answer)),
            };
            found.extend(page);
            if next.is_none() {
                return Ok(found);
            }
            marker = next;
        }
        Err(malformed(&what, "the listing does not end"))
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
        match self.all_containers() {
            // A credential for one container cannot list them, but knows that one; a scope may
            // allow that one and not the account.
            Err(StorageError {
                kind: StorageErrorKind::Denied | StorageErrorKind::OutOfScope,
                ..
            }) if self.shared.access.container.is_some() => {
                let name = self.shared.access.container.clone().unwrap_or_default();
                Ok(vec![Container { name, public: None, modified: None }])
            }
            result => result,
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
        parameters.push_str(&format!("&maxresults={}", request.max.unwrap_or(5000).clamp(1, 5000)));
        let about = Query::container(&request.container, &request.prefix, parameters);
        let answer = self.shared.ask(Verb::Get, &about, Vec::new(), &what, PAGE_LIMIT)?;
        if answer.status != 200 {
            return Err(refused(&what, &answer));
        }
        if !answer.whole {
            return Err(malformed(&what, "a page is larger than any can be"));
        }
        let (objects, prefixes, next) =
            list::blobs(&answer.body).map_err(|why| malformed(&what, &why))?;
        if next.is_some() && next == request.cursor {
            return Err(malformed(&what, "the listing does not move on"));
        }
        Ok(ListPage { objects, prefixes, next })
    }

    fn seeking(&self) -> Seeking {
        Seeking::AtPrefix
    }

    fn seek(&self, request: &ListRequest, from: &str) -> Result<Option<Seek>, StorageError> {
        seek::seek(self, request, from)
    }

    fn head(&self, container: &str, key: &str) -> Result<Object, StorageError> {
        let what = format!("ask about {}", self.shared.place(container, key));
        let about = Query::blob(container, key);
        let answer = self.shared.ask(Verb::Head, &about, Vec::new(), &what, 0)?;
        if answer.status != 200 {
            return Err(refused(&what, &answer));
        }
        let size = answer.header("content-length").and_then(|text| text.trim().parse().ok());
        Ok(Object {
            key: key.to_owned(),
            size: size.ok_or_else(|| malformed(&what, "no length that can be read"))?,
            etag: answer.header("etag").map(|etag| etag.trim_matches('"').to_owned()),
            modified: answer.header("last-modified").and_then(http_time),
            created: answer.header("x-ms-creation-time").and_then(http_time),
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
        let shared = Arc::clone(&self.shared);
        let bytes = ObjectBytes {
            store: Arc::clone(&shared) as Arc<dyn GetPart>,
            container: container.to_owned(),
            key: object.key.clone(),
            size: object.size,
            etag: object.etag.clone(),
        };
        match object.blob_type {
            Some(BlobType::Page) => Arc::new(PageBytes::new(shared, bytes)),
            _ => Arc::new(bytes),
        }
    }
}
