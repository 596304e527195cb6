//! One blob account through one credential.

use super::address::Address;
use super::error::refused;
use super::include::Include;
use super::pages::PageBytes;
use super::query::{Query, credential};
use super::sign::{authorization, http_date};
use super::state::{self, StatePart};
use super::{list, probe};
use crate::client::{Answer, Ask, Client, Verb};
use crate::content::{GetPart, ObjectBytes, shown_place};
use crate::retry::http_time;
use crate::store::{
    ListPage, ListRequest, Probe, StorageError, StorageErrorKind, Store, malformed,
};
use crate::url::{host, query};
use lidless_core::{
    Access, Auth, BlobType, Container, Gap, Object, PublicAccess, Secret, Timestamp, Touch,
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
    /// What listings ask for, and what is known to be left out.
    pub(crate) include: Include,
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
        match &self.access.auth {
            Auth::Query(sas) => {
                // A state that the request names is not named twice.
                let own = self.is_own(about) && !names_a_state(&about.parameters);
                if !full.is_empty() {
                    full.push('&');
                }
                full.push_str(&credential(sas.expose(), own));
            }
            // Tokens of another provider are never sent here.
            Auth::Anonymous | Auth::Token(_) | Auth::ServiceAccount { .. } => {}
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
            Auth::Anonymous | Auth::Key { .. } | Auth::Token(_) | Auth::ServiceAccount { .. } => {
                true
            }
            Auth::Query(_) => {
                self.sas("sv").is_some_and(|version| version.as_str() >= OLDEST_FREE_TOKEN)
                    && self.sas("api-version").is_none()
            }
        }
    }

    /// The account as places write it.
    pub(crate) fn name(&self) -> &str {
        &self.name
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

fn names_a_state(parameters: &str) -> bool {
    parameters
        .split('&')
        .any(|part| part.starts_with("snapshot=") || part.starts_with("versionid="))
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
        let tags = match &access.auth {
            Auth::Query(sas) => parameter(sas, "sp").is_none_or(|letters| letters.contains('t')),
            Auth::Key { .. } => true,
            Auth::Anonymous | Auth::Token(_) | Auth::ServiceAccount { .. } => false,
        };
        let include = Include::new(tags);
        let link = Link::default();
        Self { shared: Arc::new(Shared { client, access, name, address, include, link }) }
    }
}

/// What the listing of containers asks for beside the plain ones, from everything down to
/// nothing: the service's own, and those that were deleted.
const CONTAINER_LADDER: [&str; 4] =
    ["&include=metadata%2Cdeleted%2Csystem", "&include=metadata%2Csystem", "&include=system", ""];

/// Containers that the service makes itself and names only when asked for.
const HIDDEN: [&str; 7] = [
    "$root",
    "$web",
    "$logs",
    "$blobchangefeed",
    "insights-logs-storageread",
    "insights-logs-storagewrite",
    "insights-logs-storagedelete",
];

impl AzureStore {
    fn all_containers(&self) -> Result<Vec<Container>, StorageError> {
        let shared = &self.shared;
        let what = format!("list the containers of {}", shared.name);
        // Some services do not know the questions.
        let mut step =
            if shared.chooses_version() { 0 } else { CONTAINER_LADDER.len().saturating_sub(1) };
        let silence = shared.chooses_version().then_some(PublicAccess::None);
        let mut found: Vec<Container> = Vec::new();
        let mut marker: Option<String> = None;
        for _ in 0..CONTAINER_PAGES {
            let answer = loop {
                let include = CONTAINER_LADDER.get(step).copied().unwrap_or("");
                let mut parameters = format!("comp=list&maxresults=5000{include}");
                if let Some(marker) = &marker {
                    parameters.push_str(&format!("&marker={}", query(marker)));
                }
                let about = Query::account(&parameters);
                let answer = shared.ask(Verb::Get, &about, Vec::new(), &what, PAGE_LIMIT)?;
                if answer.status != 400 || include.is_empty() {
                    break answer;
                }
                step = step.saturating_add(1);
            };
            let page = match answer.status {
                200 if answer.whole => {
                    list::containers(&answer.body, silence).map_err(|why| malformed(&what, &why))?
                }
                200 => return Err(malformed(&what, "a page is larger than any can be")),
                _ => return Err(refused(&what, &answer)),
            };
            found.extend(page.containers);
            page.deleted.iter().for_each(|gone| self.note_deleted(gone));
            if page.next.is_none() {
                if step > 0 && shared.chooses_version() {
                    let reason = "deleted containers not listed: the service refused to";
                    shared.include.note(Gap::new(&shared.name, reason, None));
                }
                if CONTAINER_LADDER.get(step).is_none_or(|words| !words.contains("system")) {
                    self.add_hidden(&mut found);
                }
                return Ok(found);
            }
            marker = page.next;
        }
        Err(malformed(&what, "the listing does not end"))
    }

    fn note_deleted(&self, gone: &list::DeletedContainer) {
        let date = http_time(&gone.deleted).map(|time| time.strftime("%Y-%m-%d").to_string());
        let date = date.map(|date| format!(" on {date}")).unwrap_or_default();
        let days = match gone.days.parse::<u32>() {
            Ok(days) => format!(", kept for {days} more days"),
            Err(_) => String::new(),
        };
        let reason = format!(
            "a container deleted{date}{days}: only restoring it, which is a write, would show \
             what is in it"
        );
        let place = format!("{}/{}?deleted", self.shared.name, gone.name);
        self.shared.include.note(Gap::new(place, reason, None));
    }

    /// Adds the service's own containers, asked for by name, for a credential that may list in
    /// containers.
    fn add_hidden(&self, found: &mut Vec<Container>) {
        let shared = &self.shared;
        for name in HIDDEN {
            if found.iter().any(|known| known.name == name) {
                continue;
            }
            let what = format!("ask about {}/{name}", shared.name);
            let parameters = "restype=container&comp=list&maxresults=1".to_owned();
            let about = Query::container(name, "", parameters);
            match shared.ask(Verb::Get, &about, Vec::new(), &what, PAGE_LIMIT) {
                Ok(answer) if answer.status == 200 && list::blobs(&answer.body).is_ok() => {
                    found.push(Container { name: name.to_owned(), public: None, modified: None });
                }
                // A credential that cannot ask for one cannot for the others.
                Ok(answer) if matches!(answer.status, 401 | 403) => return,
                _ => {}
            }
        }
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
        let error = match self.all_containers() {
            Ok(found) => return Ok(found),
            Err(error) => error,
        };
        if !matches!(error.kind, StorageErrorKind::Denied | StorageErrorKind::OutOfScope) {
            return Err(error);
        }
        // A credential for one container cannot list them, but knows that one; a scope may allow
        // that one and not the account. One for all containers opens those whose names are known.
        let named = self.shared.access.container.clone();
        let mut found: Vec<Container> = (named.into_iter())
            .map(|name| Container { name, public: None, modified: None })
            .collect();
        let asks = error.kind == StorageErrorKind::Denied
            && match self.shared.sas("srt") {
                Some(types) => types.contains('c'),
                None => matches!(self.shared.access.auth, Auth::Anonymous) && found.is_empty(),
            };
        if asks {
            self.add_hidden(&mut found);
            if !found.is_empty() {
                let reason = format!(
                    "containers cannot be listed, so only those known by name are looked at: {}",
                    error.message
                );
                self.shared.include.note(Gap::new(self.shared.name(), reason, None));
            }
        }
        if found.is_empty() { Err(error) } else { Ok(found) }
    }

    fn list(&self, request: &ListRequest) -> Result<ListPage, StorageError> {
        let shared = &self.shared;
        let place = format!("{}/{}", shared.name, request.container);
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
        let from = shared.include.step();
        let (mut step, mut refusal) = (from, None);
        let answer = loop {
            let include = Include::parameter(step, request.delimited);
            let parameters = format!("{parameters}{include}");
            let about = Query::container(&request.container, &request.prefix, parameters);
            let answer = shared.ask(Verb::Get, &about, Vec::new(), &what, PAGE_LIMIT)?;
            if answer.status == 200 {
                break answer;
            }
            match Include::narrower(shared, step, &answer) {
                Some(next) => step = next,
                None => return Err(refused(&what, refusal.as_ref().unwrap_or(&answer))),
            }
            refusal.get_or_insert(answer);
        };
        if !answer.whole {
            return Err(malformed(&what, "a page is larger than any can be"));
        }
        let (objects, prefixes, next) =
            list::blobs(&answer.body).map_err(|why| malformed(&what, &why))?;
        if next.is_some() && next == request.cursor {
            return Err(malformed(&what, "the listing does not move on"));
        }
        shared.include.settle(shared, from, step, refusal.as_ref());
        if request.delimited && !objects.is_empty() {
            shared.include.by_folder(shared, &request.container, &request.prefix);
        }
        Ok(ListPage { objects, prefixes, next })
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
            ..Object::default()
        })
    }

    fn open(&self, container: &str, object: &Object) -> Arc<dyn ReadAt> {
        let shared = Arc::clone(&self.shared);
        let (store, state): (Arc<dyn GetPart>, String) = match &object.version {
            Some(version) => {
                let version = version.clone();
                let state = state::parameter(&version);
                (Arc::new(StatePart { shared: Arc::clone(&shared), version }), state)
            }
            None => (Arc::clone(&shared) as Arc<dyn GetPart>, String::new()),
        };
        let bytes = ObjectBytes {
            store,
            container: container.to_owned(),
            key: object.key.clone(),
            size: object.size,
            etag: object.etag.clone(),
        };
        match object.blob_type {
            Some(BlobType::Page) => Arc::new(PageBytes::new(shared, state, bytes)),
            _ => Arc::new(bytes),
        }
    }

    fn gaps(&self) -> Vec<Gap> {
        self.shared.include.gaps()
    }
}
