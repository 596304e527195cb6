//! The blobs of one account through one credential.

use super::error::refused;
use super::include::Include;
use super::pages::PageBytes;
use super::query::Query;
use super::shared::Shared;
use super::state;
use super::{list, probe, seek};
use crate::client::{Client, Verb};
use crate::content::{GetPart, ObjectBytes};
use crate::encryption::azure_headers;
use crate::retry::http_time;
use crate::store::{
    ListPage, ListRequest, Probe, Seek, Seeking, StorageError, StorageErrorKind, Store, malformed,
};
use crate::url::query;
use lidless_core::{Access, Auth, BlobType, Container, Gap, Object, PublicAccess};
use lidless_io::ReadAt;
use std::sync::Arc;

/// The largest page of a listing there can be: 5,000 names of 1,024 characters, with room.
const PAGE_LIMIT: u64 = 64 << 20;
/// Pages of containers at most; an account has no limit of its own.
const CONTAINER_PAGES: usize = 200;
/// What all names together take at most: a name has 63 characters.
pub(super) const NAME_BYTES: usize = CONTAINER_PAGES * 5000 * 64;

/// The store.
pub(crate) struct AzureStore {
    shared: Arc<Shared>,
}

impl AzureStore {
    pub(crate) fn new(client: Arc<Client>, access: Access) -> Self {
        Self { shared: Arc::new(Shared::new(client, access)) }
    }
}

/// What the listing of containers asks for beside the plain ones, from everything down to
/// nothing: the service's own, and those that were deleted.
const CONTAINER_LADDER: [&str; 4] =
    ["&include=metadata%2Cdeleted%2Csystem", "&include=metadata%2Csystem", "&include=system", ""];

/// The last step of [`CONTAINER_LADDER`].
const NO_WORDS: usize = 3;

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
        let mut step = if shared.chooses_version() { 0 } else { NO_WORDS };
        let silence = shared.chooses_version().then_some(PublicAccess::None);
        let mut found: Vec<Container> = Vec::new();
        let (mut marker, mut named): (Option<String>, usize) = (None, 0);
        for _ in 0..CONTAINER_PAGES {
            let answer = loop {
                let include = CONTAINER_LADDER.get(step).copied().unwrap_or("");
                let mut parameters = format!("comp=list&maxresults=5000{include}");
                if let Some(marker) = &marker {
                    parameters.push_str(&format!("&marker={}", query(marker)));
                }
                let about = Query::account(&parameters);
                match shared.ask(Verb::Get, &about, Vec::new(), &what, PAGE_LIMIT) {
                    Ok(answer) if answer.status == 400 && !include.is_empty() => {
                        step = step.saturating_add(1);
                    }
                    answer => break answer,
                }
            };
            let page = answer.and_then(|answer| match answer.status {
                200 if answer.whole => {
                    list::containers(&answer.body, silence).map_err(|why| malformed(&what, &why))
                }
                200 => Err(malformed(&what, "a page is larger than any can be")),
                _ => Err(refused(&what, &answer)),
            });
            let page = match page {
                Ok(page) => page,
                // What was listed stays, and the rest is said to be missing.
                Err(error) if !found.is_empty() => {
                    let reason = format!("the listing of containers broke off: {}", error.message);
                    shared.include.note(Gap::new(&shared.name, reason, None));
                    return Ok(found);
                }
                Err(error) => return Err(error),
            };
            let gone = page.deleted.iter().map(|container| container.name.len());
            named = (page.containers.iter().map(|container| container.name.len()))
                .chain(gone)
                .fold(named, usize::saturating_add);
            if named > NAME_BYTES {
                return Err(malformed(&what, "more names than any account has"));
            }
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
            encryption: azure_headers(&answer),
            content_md5: answer.header("content-md5").map(str::to_owned),
            content_type: answer.header("content-type").map(str::to_owned),
            ..Object::default()
        })
    }

    fn open(&self, container: &str, object: &Object) -> Arc<dyn ReadAt> {
        let shared = Arc::clone(&self.shared);
        let (container, key) = (container.to_owned(), object.key.clone());
        let mut place = shared.place(&container, &key);
        let state = object.version.as_ref().map(state::parameter).unwrap_or_default();
        if let Some(version) = &object.version {
            place.push_str(&format!("?{}", version.query()));
        }
        let blob = Query { parameters: state.clone(), ..Query::blob(&container, &key) };
        let asked = Arc::clone(&shared);
        let bytes = ObjectBytes {
            store: GetPart::new(place, &shared.link, refused, move |part| {
                let about = Query { part_only: part.part_only, ..blob.clone() };
                asked.ask(Verb::Get, &about, part.headers, part.what, part.limit)
            }),
            size: object.size,
            etag: object.etag.clone(),
        };
        match object.blob_type {
            Some(BlobType::Page) => {
                Arc::new(PageBytes::new(shared, state, (container, key), bytes))
            }
            _ => Arc::new(bytes),
        }
    }

    fn signed_text(&self) -> Option<String> {
        self.shared.signed_text()
    }

    fn others(&self) -> Vec<Arc<dyn Store>> {
        super::others(&self.shared)
    }

    fn gaps(&self) -> Vec<Gap> {
        self.shared.include.gaps()
    }
}
