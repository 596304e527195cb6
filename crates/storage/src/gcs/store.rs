//! Buckets of Cloud Storage through its JSON interface.

use super::list;
use super::probe;
use super::sign::token;
use super::soft::{self, Soft};
use super::verdict::refused;
use crate::client::{Answer, Ask, Client, Verb};
use crate::content::{GetPart, ObjectBytes, shown_place};
use crate::store::{
    ListPage, ListRequest, Probe, StorageError, StorageErrorKind, Store, malformed,
};
use crate::url::{encoded_path, host, query};
use lidless_core::{
    Access, Auth, Container, Gap, Object, ObjectVersion, PublicAccess, Secret, Timestamp, Touch,
};
use lidless_io::{Link, ReadAt};
use percent_encoding::percent_decode_str;
use std::sync::{Arc, Mutex, PoisonError};

/// The largest page of a listing: 1,000 objects with their metadata.
pub(super) const PAGE_LIMIT: u64 = 32 << 20;
/// Pages of buckets at most.
const BUCKET_PAGES: usize = 200;
/// Buckets whose openness to strangers is asked about.
const ASKED_ABOUT: usize = 200;
/// Where the service is, when not elsewhere.
const SERVICE: &str = "https://storage.googleapis.com";

/// A name in a path or a query: also its slashes are encoded.
pub(crate) fn encoded(name: &str) -> String {
    query(name)
}

/// What every request of a store needs.
pub(crate) struct Shared {
    client: Arc<Client>,
    pub(crate) access: Access,
    name: String,
    origin: String,
    /// The token that the key of a service account signed last, and when it is to be made anew.
    token: Mutex<Option<(Secret, i64)>>,
    link: Link,
    /// What was learned of objects that were deleted.
    pub(crate) soft: Soft,
}

/// What a listing of a prefix touches. `logs/2026` also lists `logs/20261`: what surely holds all
/// of it is the folder `logs`.
pub(super) fn touched(bucket: &str, prefix: &str) -> String {
    match prefix.rsplit_once('/') {
        Some((folder, _)) => format!("{bucket}/{folder}"),
        None => bucket.to_owned(),
    }
}

impl Shared {
    /// Sends one request. `touched` is the bucket and the key or folder in it.
    pub(crate) fn ask(
        &self,
        touched: &str,
        path: &str,
        headers: Vec<(&'static str, String)>,
        part_only: bool,
        what: &str,
        limit: u64,
    ) -> Result<Answer, StorageError> {
        self.send(touched, path, headers, part_only, what, limit, false)
    }

    #[expect(clippy::too_many_arguments, reason = "what one request is, and as whom it is sent")]
    fn send(
        &self,
        touched: &str,
        path: &str,
        mut headers: Vec<(&'static str, String)>,
        part_only: bool,
        what: &str,
        limit: u64,
        strange: bool,
    ) -> Result<Answer, StorageError> {
        if !strange && let Some(bearer) = self.bearer(what)? {
            headers.push(("authorization", format!("Bearer {}", bearer.expose())));
        }
        let touch = Touch {
            host: host(&self.origin),
            store: Some(self.name.clone()),
            path: touched.to_owned(),
        };
        let locate = |url: &str| self.located(url);
        self.client.ask(&Ask {
            verb: Verb::Get,
            url: format!("{}{path}", self.origin),
            headers,
            touch,
            what,
            limit,
            locate: &locate,
            part_only,
        })
    }

    /// What a URL that a redirect names would touch: read strictly, because redirects are written
    /// by whoever answers. What is no request for a bucket touches all of the host.
    fn located(&self, url: &str) -> Touch {
        let host_of_url = host(url);
        if host_of_url != host(&self.origin) {
            return Touch { host: host_of_url, store: None, path: String::new() };
        }
        let path = encoded_path(url);
        let path = path.strip_prefix("/download").unwrap_or(&path);
        let named = path.strip_prefix("/storage/v1/b/").and_then(|rest| {
            let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
            match rest.split('/').collect::<Vec<_>>().as_slice() {
                [bucket] | [bucket, "o"] => Some(decoded(bucket)),
                [bucket, "o", key] => Some(format!("{}/{}", decoded(bucket), decoded(key))),
                _ => None,
            }
        });
        let path = named.unwrap_or_default();
        Touch { host: host_of_url, store: Some(self.name.clone()), path }
    }

    /// The token of a request; none for strangers.
    ///
    /// # Errors
    /// When the key signs nothing, or the token would cross a network in the clear.
    fn bearer(&self, what: &str) -> Result<Option<Secret>, StorageError> {
        let denied = |why: &str| StorageError {
            kind: StorageErrorKind::Denied,
            message: format!("cannot {what}: {why}"),
            status: None,
            code: None,
        };
        let holds_token = matches!(self.access.auth, Auth::Token(_) | Auth::ServiceAccount { .. });
        if holds_token && !self.keeps_secrets() {
            return Err(denied("a token is never sent over http:// to another machine"));
        }
        let (email, key_id, key) = match &self.access.auth {
            Auth::Token(token) => return Ok(Some(token.clone())),
            Auth::ServiceAccount { email, key_id, key } => (email, key_id, key),
            _ => return Ok(None),
        };
        let now = Timestamp::now();
        let mut kept = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((token, until)) = &*kept
            && now.as_second() < *until
        {
            return Ok(Some(token.clone()));
        }
        let made = token(email, key_id.as_deref(), key, now).map_err(|why| denied(why.as_str()))?;
        *kept = Some(made.clone());
        Ok(Some(made.0))
    }

    /// Whether nobody on the way reads what is sent.
    fn keeps_secrets(&self) -> bool {
        let touch = Touch { host: host(&self.origin), store: None, path: String::new() };
        self.origin.starts_with("https://") || touch.is_loopback()
    }

    /// The project whose buckets can be listed: that of the service account, or the one the
    /// environment names for the user's own credentials.
    pub(crate) fn project(&self) -> Option<String> {
        if !self.access.account.is_empty() {
            return Some(self.access.account.clone());
        }
        let Auth::ServiceAccount { email, .. } = &self.access.auth else { return None };
        let (_, domain) = email.split_once('@')?;
        domain.strip_suffix(".iam.gserviceaccount.com").map(str::to_owned)
    }

    /// The place of a bucket, or of what is in it.
    pub(crate) fn place_of(&self, touched: &str) -> String {
        if touched.is_empty() { self.name.clone() } else { format!("{}/{touched}", self.name) }
    }
}

/// The store.
pub(crate) struct GcsStore {
    shared: Arc<Shared>,
}

impl GcsStore {
    pub(crate) fn new(client: Arc<Client>, access: Access) -> Self {
        let name = access.store();
        let given = client.endpoints().gcs.clone();
        let origin = given.unwrap_or_else(|| SERVICE.to_owned());
        let origin = origin.trim_end_matches('/').to_owned();
        let link = Link::default();
        Self {
            shared: Arc::new(Shared {
                client,
                access,
                name,
                origin,
                token: Mutex::default(),
                link,
                soft: Soft::default(),
            }),
        }
    }

    fn all_buckets(&self) -> Result<Vec<Container>, StorageError> {
        let shared = &self.shared;
        let what = format!("list the buckets of {}", shared.name);
        let project = shared.project().ok_or_else(|| StorageError {
            kind: StorageErrorKind::Unsupported,
            message: format!("cannot {what}: no project is known"),
            status: None,
            code: None,
        })?;
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..BUCKET_PAGES {
            let mut path = format!("/storage/v1/b?maxResults=1000&project={}", encoded(&project));
            if let Some(token) = &token {
                path.push_str(&format!("&pageToken={}", encoded(token)));
            }
            let answer = shared.ask("", &path, Vec::new(), false, &what, PAGE_LIMIT)?;
            if answer.status != 200 {
                return Err(refused(&what, &answer));
            }
            let page = list::buckets(&answer.body).map_err(|why| malformed(&what, &why))?;
            found.extend(page.0);
            if page.1.is_none() {
                return Ok(found);
            }
            if page.1 == token {
                return Err(malformed(&what, "the listing does not move on"));
            }
            token = page.1;
        }
        Err(malformed(&what, "the listing does not end"))
    }

    /// What strangers may do with a bucket: asked as one.
    fn public(&self, bucket: &str) -> Option<PublicAccess> {
        let what = format!("ask about {}", self.shared.place_of(bucket));
        let path = format!(
            "/storage/v1/b/{}/iam/testPermissions?permissions=storage.objects.list\
             &permissions=storage.objects.get",
            encoded(bucket)
        );
        let answer = self.shared.send(bucket, &path, Vec::new(), false, &what, PAGE_LIMIT, true);
        let answer = answer.ok()?;
        match answer.status {
            200 => {
                let held = list::permissions(&answer.body).ok()?;
                let has = |permission: &str| held.iter().any(|one| one == permission);
                Some(if has("storage.objects.list") {
                    PublicAccess::Container
                } else if has("storage.objects.get") {
                    PublicAccess::Blob
                } else {
                    PublicAccess::None
                })
            }
            401 | 403 => Some(PublicAccess::None),
            _ => None,
        }
    }
}

impl Store for GcsStore {
    fn name(&self) -> &str {
        &self.shared.name
    }

    fn probe(&self) -> Result<Probe, StorageError> {
        probe::probe(&self.shared)
    }

    fn containers(&self) -> Result<Vec<Container>, StorageError> {
        let mut found = match (self.all_buckets(), &self.shared.access.container) {
            // A caller that cannot list them knows the one that was named.
            (Err(error), Some(bucket)) if error.kind != StorageErrorKind::Unavailable => {
                vec![Container { name: bucket.clone(), public: None, modified: None }]
            }
            (result, _) => result?,
        };
        for bucket in found.iter_mut().take(ASKED_ABOUT) {
            bucket.public = self.public(&bucket.name);
        }
        Ok(found)
    }

    fn list(&self, request: &ListRequest) -> Result<ListPage, StorageError> {
        let shared = &self.shared;
        let bucket = &request.container;
        let what = format!("list the objects of {}", shared.place_of(bucket));
        let shown = request.max.unwrap_or(1000).clamp(1, 1000);
        // Generations that are kept are listed by whoever may list at all.
        let mut path =
            format!("/storage/v1/b/{}/o?versions=true&maxResults={shown}", encoded(bucket));
        if !request.prefix.is_empty() {
            path.push_str(&format!("&prefix={}", encoded(&request.prefix)));
        }
        if request.delimited {
            path.push_str("&delimiter=%2F");
        }
        let (token, last) = soft::split(request.cursor.as_deref());
        if let Some(token) = token {
            path.push_str(&format!("&pageToken={}", encoded(token)));
        }
        let touched = touched(bucket, &request.prefix);
        let answer = shared.ask(&touched, &path, Vec::new(), false, &what, PAGE_LIMIT)?;
        if answer.status != 200 {
            return Err(refused(&what, &answer));
        }
        if !answer.whole {
            return Err(malformed(&what, "a page is larger than any can be"));
        }
        let mut page = list::objects(&answer.body).map_err(|why| malformed(&what, &why))?;
        if page.next.is_some() && page.next.as_deref() == token {
            return Err(malformed(&what, "the listing does not move on"));
        }
        soft::merge(shared, request, last, &mut page)?;
        Ok(ListPage { objects: page.objects, prefixes: page.prefixes, next: page.next })
    }

    fn head(&self, container: &str, key: &str) -> Result<Object, StorageError> {
        let what = format!("ask about {}", shown_place(&self.shared.name, container, key));
        let path = format!("/storage/v1/b/{}/o/{}", encoded(container), encoded(key));
        let touched = format!("{container}/{key}");
        let answer = self.shared.ask(&touched, &path, Vec::new(), false, &what, PAGE_LIMIT)?;
        match answer.status {
            200 => list::object(&answer.body).map_err(|why| malformed(&what, &why)),
            _ => Err(refused(&what, &answer)),
        }
    }

    fn open(&self, container: &str, object: &Object) -> Arc<dyn ReadAt> {
        let generation = match &object.version {
            Some(ObjectVersion::Version(generation)) => Some(generation.clone()),
            _ => object.etag.clone(),
        };
        let place = shown_place(&self.shared.name, container, &object.key);
        let touched = format!("{container}/{}", object.key);
        let mut path =
            format!("/storage/v1/b/{}/o/{}?alt=media", encoded(container), encoded(&object.key));
        if let Some(generation) = &generation {
            path.push_str(&format!("&generation={}", encoded(generation)));
        }
        let shared = Arc::clone(&self.shared);
        Arc::new(ObjectBytes {
            store: GetPart::new(place, &self.shared.link, refused, move |mut part| {
                // What is kept compressed would else be unpacked on the way, and not be what was
                // listed.
                part.headers.push(("accept-encoding", "gzip".to_owned()));
                shared.ask(&touched, &path, part.headers, part.part_only, part.what, part.limit)
            }),
            size: object.size,
            // The generation that is asked for is what was listed.
            etag: None,
        })
    }

    fn gaps(&self) -> Vec<Gap> {
        self.shared.soft.gaps()
    }
}
