//! Buckets through one credential.

use super::address::{Address, touch_of};
use super::list::{self, Page};
use super::probe;
use super::refusal::{refused, region};
use super::rights::Openness;
use super::seek;
use super::sign::Signer;
use super::versions::{Marker, versions};
use crate::client::{Answer, Ask, Client, Verb};
use crate::content::{GetPart, ObjectBytes, shown_place};
use crate::encryption::s3_headers;
use crate::retry::http_time;
use crate::store::{
    ListPage, ListRequest, Probe, Seek, Seeking, StorageError, StorageErrorKind, Store, malformed,
};
use crate::url::{authority, query};
use lidless_core::{
    Access, Auth, Container, Gap, Object, ObjectVersion, Provider, Timestamp, Touch,
};
use lidless_io::{Link, ReadAt};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The largest page of a listing there can be: 1,000 keys of 1,024 characters, percent-encoded.
const PAGE_LIMIT: u64 = 16 << 20;
/// Pages of buckets at most: an account of AWS has a million at most, 10,000 a page.
const BUCKET_PAGES: usize = 200;
/// Buckets whose openness to strangers is asked about.
const ASKED_ABOUT: usize = 200;

/// One request, without credentials.
pub(crate) struct Question<'a> {
    pub(crate) verb: Verb,
    /// None for the service itself.
    pub(crate) bucket: Option<&'a str>,
    /// Empty for the bucket itself.
    pub(crate) key: &'a str,
    /// The prefix that a listing stays in.
    pub(crate) prefix: &'a str,
    /// Parameters of the operation, encoded, without a leading `?`.
    pub(crate) parameters: &'a str,
    pub(crate) part_only: bool,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Without the credential, as a stranger asks.
    pub(crate) strange: bool,
}

impl<'a> Question<'a> {
    pub(crate) fn service(parameters: &'a str) -> Self {
        Self {
            verb: Verb::Get,
            bucket: None,
            key: "",
            prefix: "",
            parameters,
            part_only: false,
            headers: Vec::new(),
            strange: false,
        }
    }

    pub(crate) fn bucket(name: &'a str, parameters: &'a str) -> Self {
        Self { bucket: Some(name), ..Self::service(parameters) }
    }

    pub(crate) fn object(bucket: &'a str, key: &'a str) -> Self {
        Self { bucket: Some(bucket), key, ..Self::service("") }
    }

    /// The part of the store it touches.
    fn touched(&self) -> String {
        let Some(bucket) = self.bucket else { return String::new() };
        if !self.key.is_empty() {
            return format!("{bucket}/{}", self.key);
        }
        // `logs/2026` also lists `logs/20261`: what surely holds all of it is the folder `logs`.
        match self.prefix.rsplit_once('/') {
            Some((folder, _)) => format!("{bucket}/{folder}"),
            None => bucket.to_owned(),
        }
    }
}

/// What every request of a store needs.
pub(crate) struct Shared {
    pub(crate) client: Arc<Client>,
    pub(crate) access: Access,
    name: String,
    address: Address,
    /// Whether every version may be listed, by bucket.
    versions: Mutex<BTreeMap<String, bool>>,
    gaps: Mutex<Vec<Gap>>,
    /// Where buckets turned out to live.
    regions: Mutex<BTreeMap<String, String>>,
    link: Link,
}

impl Shared {
    /// Sends one request; once more where the service says that the bucket lives elsewhere.
    pub(crate) fn ask(
        &self,
        question: &Question<'_>,
        what: &str,
        limit: u64,
    ) -> Result<Answer, StorageError> {
        let known = question.bucket.and_then(|bucket| self.region_of(bucket));
        let answer = self.send(question, known.as_deref(), what, limit)?;
        let elsewhere = matches!(answer.status, 301 | 307 | 400)
            .then(|| region(&answer))
            .flatten()
            .filter(|region| known.as_ref().unwrap_or(&self.address.region()) != region);
        match (elsewhere, question.bucket) {
            (Some(region), Some(bucket)) => {
                let mut regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
                regions.insert(bucket.to_owned(), region.clone());
                drop(regions);
                self.send(question, Some(&region), what, limit)
            }
            _ => Ok(answer),
        }
    }

    /// Whether all versions of a bucket are listed, once that is known.
    fn lists_versions(&self, bucket: &str) -> Option<bool> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner).get(bucket).copied()
    }

    /// Notes whether all versions of a bucket are listed; true when that is news.
    fn note_versions(&self, bucket: &str, listed: bool) -> bool {
        let mut known = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(bucket.to_owned(), listed) != Some(listed)
    }

    /// Whether the user said to pay for buckets for which whoever asks pays.
    pub(crate) fn pays(&self) -> bool {
        self.client.pays() && self.access.provider == Provider::Aws
    }

    fn region_of(&self, bucket: &str) -> Option<String> {
        self.regions.lock().unwrap_or_else(PoisonError::into_inner).get(bucket).cloned()
    }

    fn send(
        &self,
        question: &Question<'_>,
        region: Option<&str>,
        what: &str,
        limit: u64,
    ) -> Result<Answer, StorageError> {
        let (origin, path) = self.address.target(question.bucket, question.key, region);
        let mut headers = question.headers.clone();
        let mut full = question.parameters.to_owned();
        match &self.access.auth {
            _ if question.strange => {}
            Auth::Anonymous => {}
            // The method and every parameter are part of the signature: nothing can be asked but
            // what the URL was made for.
            Auth::Query(signed) => {
                let payer = signed.expose().to_ascii_lowercase().contains("x-amz-request-payer");
                if payer && !self.client.pays() {
                    let why = "the link says that whoever signed it pays for each request; \
                               --requester-pays says that this is meant";
                    return Err(StorageError {
                        kind: StorageErrorKind::Denied,
                        message: format!("cannot {what}: {why}"),
                        status: None,
                        code: None,
                    });
                }
                full = crate::url::fit(signed.expose().trim_start_matches('?'));
            }
            Auth::Key { id, key, session } => {
                let own = self.address.region();
                let signer = Signer {
                    id,
                    key,
                    session: session.as_ref(),
                    region: region.unwrap_or(&own),
                    pays: self.pays(),
                };
                let now = Timestamp::now();
                let authority = authority(&origin);
                headers.extend(signer.headers(question.verb, &authority, &path, &full, now));
            }
            // Google's tokens are for its own interface.
            Auth::Token(_) | Auth::ServiceAccount { .. } => {}
        }
        let url = if full.is_empty() {
            format!("{origin}{path}")
        } else {
            format!("{origin}{path}?{full}")
        };
        let touch: Touch = touch_of(self.access.provider, &origin, &question.touched());
        let locate = |url: &str| self.address.touch(url);
        self.client.ask(&Ask {
            verb: question.verb,
            url,
            headers,
            touch,
            what,
            limit,
            locate: &locate,
            part_only: question.part_only,
        })
    }

    /// The place of an object, for errors.
    fn place(&self, container: &str, key: &str) -> String {
        shown_place(&self.name, container, key)
    }

    /// The place of a bucket or of the store, for errors.
    pub(crate) fn bucket_place(&self, bucket: &str) -> String {
        format!("{}/{bucket}", self.name)
    }
}

/// The store.
pub(crate) struct S3Store {
    shared: Arc<Shared>,
}

impl S3Store {
    pub(crate) fn new(client: Arc<Client>, access: Access) -> Self {
        let name = access.store();
        let endpoints = client.endpoints();
        let endpoint = match access.provider {
            Provider::Gcs => endpoints.gcs.as_deref(),
            _ => endpoints.s3.as_deref(),
        };
        let region = match access.provider {
            Provider::Aws => endpoints.s3_region.clone(),
            _ => None,
        };
        let address = Address::new(&access, endpoint, region);
        let shared = Shared {
            client,
            access,
            name,
            address,
            versions: Mutex::new(BTreeMap::new()),
            gaps: Mutex::new(Vec::new()),
            regions: Mutex::new(BTreeMap::new()),
            link: Link::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    fn all_buckets(&self) -> Result<Vec<Container>, StorageError> {
        let what = format!("list the buckets of {}", self.shared.name);
        let mut found: Vec<Container> = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..BUCKET_PAGES {
            let parameters = match &token {
                Some(token) => format!("continuation-token={}", query(token)),
                None => String::new(),
            };
            let answer = self.shared.ask(&Question::service(&parameters), &what, PAGE_LIMIT)?;
            let (page, next) = match answer.status {
                200 if answer.whole => {
                    list::buckets(&answer.body).map_err(|why| malformed(&what, &why))?
                }
                200 => return Err(malformed(&what, "a page is larger than any can be")),
                _ => return Err(refused(&what, &answer)),
            };
            found.extend(page);
            if next.is_none() {
                return Ok(found);
            }
            if next == token {
                return Err(malformed(&what, "the listing does not move on"));
            }
            token = next;
        }
        Err(malformed(&what, "the listing does not end"))
    }
}

impl S3Store {
    /// One page of all versions; none where only current objects are listed.
    fn all_versions(&self, request: &ListRequest) -> Result<Option<ListPage>, StorageError> {
        let shared = &self.shared;
        let bucket = &request.container;
        let kept = match &request.cursor {
            Some(cursor) => match cursor.strip_prefix("version:") {
                Some(kept) => Some(kept),
                None => return Ok(None),
            },
            None => None,
        };
        // A signed URL was signed for one operation; Cloud Storage has versions of its own.
        let lists = shared.access.provider == Provider::Aws
            && !matches!(shared.access.auth, Auth::Query(_));
        let known = shared.lists_versions(bucket);
        if !lists || kept.is_none() && known == Some(false) {
            return Ok(None);
        }
        let what = format!("list the versions of {}", shared.bucket_place(bucket));
        let mut parameters = "versions&encoding-type=url".to_owned();
        if !request.prefix.is_empty() {
            parameters.push_str(&format!("&prefix={}", query(&request.prefix)));
        }
        if request.delimited {
            parameters.push_str("&delimiter=%2F");
        }
        parameters.push_str(&kept.map(Marker::parameters).unwrap_or_default());
        parameters.push_str(&format!("&max-keys={}", request.max.unwrap_or(1000).clamp(1, 1000)));
        let question =
            Question { prefix: &request.prefix, ..Question::bucket(bucket, &parameters) };
        let answer = shared.ask(&question, &what, PAGE_LIMIT)?;
        let page = match answer.status {
            200 if answer.whole => versions(&answer.body),
            200 => return Err(malformed(&what, "a page is larger than any can be")),
            _ if kept.is_some() || known == Some(true) => return Err(refused(&what, &answer)),
            // Some services do not know the question, and some holders may not ask it: then there
            // is nothing that they could see.
            _ => {
                shared.note_versions(bucket, false);
                return Ok(None);
            }
        };
        match page {
            Ok(page) => {
                shared.note_versions(bucket, true);
                let next = page.next.map(|marker| marker.cursor());
                if next.is_some() && next == request.cursor {
                    return Err(malformed(&what, "the listing does not move on"));
                }
                Ok(Some(ListPage { objects: page.objects, prefixes: page.prefixes, next }))
            }
            Err(why) if kept.is_some() || known == Some(true) => Err(malformed(&what, &why)),
            Err(why) => {
                if shared.note_versions(bucket, false) {
                    let reason = format!("earlier versions, if any, could not be listed: {why}");
                    let gap = Gap::new(shared.bucket_place(bucket), reason, None);
                    shared.gaps.lock().unwrap_or_else(PoisonError::into_inner).push(gap);
                }
                Ok(None)
            }
        }
    }
}

impl Store for S3Store {
    fn name(&self) -> &str {
        &self.shared.name
    }

    fn probe(&self) -> Result<Probe, StorageError> {
        probe::probe(&self.shared)
    }

    fn containers(&self) -> Result<Vec<Container>, StorageError> {
        let own = self.shared.access.container.clone();
        let mut found = match self.all_buckets() {
            // A credential for one bucket cannot list them, but knows that one.
            Err(StorageError {
                kind: StorageErrorKind::Denied | StorageErrorKind::OutOfScope,
                ..
            }) if own.is_some() => {
                let name = own.unwrap_or_default();
                vec![Container { name, public: None, modified: None }]
            }
            result => result?,
        };
        for bucket in found.iter_mut().take(ASKED_ABOUT) {
            bucket.public = Openness::of(&self.shared, &bucket.name, false).public();
        }
        Ok(found)
    }

    fn list(&self, request: &ListRequest) -> Result<ListPage, StorageError> {
        if let Some(page) = self.all_versions(request)? {
            return Ok(page);
        }
        let bucket = &request.container;
        let what = format!("list the objects of {}", self.shared.bucket_place(bucket));
        let mut parameters = "list-type=2&encoding-type=url".to_owned();
        if !request.prefix.is_empty() {
            parameters.push_str(&format!("&prefix={}", query(&request.prefix)));
        }
        if request.delimited {
            parameters.push_str("&delimiter=%2F");
        }
        match request.cursor.as_deref().and_then(|cursor| cursor.split_once(':')) {
            Some(("token", token)) => {
                parameters.push_str(&format!("&continuation-token={}", query(token)));
            }
            // The second version of the interface takes a key as well, the first its marker.
            Some((_, marker)) => parameters.push_str(&format!(
                "&start-after={}&marker={}",
                query(marker),
                query(marker)
            )),
            None => {}
        }
        parameters.push_str(&format!("&max-keys={}", request.max.unwrap_or(1000).clamp(1, 1000)));
        let question =
            Question { prefix: &request.prefix, ..Question::bucket(bucket, &parameters) };
        let answer = self.shared.ask(&question, &what, PAGE_LIMIT)?;
        if answer.status != 200 {
            return Err(refused(&what, &answer));
        }
        if !answer.whole {
            return Err(malformed(&what, "a page is larger than any can be"));
        }
        let mut page = list::objects(&answer.body).map_err(|why| malformed(&what, &why))?;
        if self.shared.access.provider == Provider::Gcs {
            // Its archive class is read at once; only elsewhere the word means a wait of hours.
            let class = |tier: String| format!("gcs {tier}");
            for object in &mut page.objects {
                object.tier = object.tier.take().map(class);
            }
        }
        let next = next_of(&page);
        if next.is_some() && next == request.cursor {
            return Err(malformed(&what, "the listing does not move on"));
        }
        if page.truncated && next.is_none() {
            return Err(malformed(&what, "the page says that more follows, not where"));
        }
        Ok(ListPage { objects: page.objects, prefixes: page.prefixes, next })
    }

    fn seeking(&self) -> Seeking {
        match &self.shared.access.auth {
            // A signed URL asks what it was signed for, and nothing else.
            Auth::Query(_) => Seeking::Nowhere,
            _ => Seeking::Anywhere,
        }
    }

    fn seek(&self, request: &ListRequest, from: &str) -> Result<Option<Seek>, StorageError> {
        seek::seek(self, request, from)
    }

    fn head(&self, container: &str, key: &str) -> Result<Object, StorageError> {
        let what = format!("ask about {}", self.shared.place(container, key));
        let answer = match &self.shared.access.auth {
            // A signed URL is signed for one method, most often GET: its first byte says all.
            Auth::Query(_) => {
                let headers = vec![("range", "bytes=0-0".to_owned())];
                let question = Question { headers, ..Question::object(container, key) };
                self.shared.ask(&question, &what, 1)?
            }
            _ => {
                let question = Question { verb: Verb::Head, ..Question::object(container, key) };
                self.shared.ask(&question, &what, 0)?
            }
        };
        let length = || answer.header("content-length")?.trim().parse().ok();
        let of_range = || answer.header("content-range")?.rsplit_once('/')?.1.trim().parse().ok();
        let size: Option<u64> = match answer.status {
            200 => length(),
            206 => of_range(),
            // There is no first byte in an empty object.
            416 => of_range().or(Some(0)),
            _ => return Err(refused(&what, &answer)),
        };
        Ok(Object {
            key: key.to_owned(),
            size: size.ok_or_else(|| malformed(&what, "no length that can be read"))?,
            etag: answer.header("etag").map(|etag| etag.trim_matches('"').to_owned()),
            modified: answer.header("last-modified").and_then(http_time),
            created: None,
            tier: answer.header("x-amz-storage-class").map(str::to_ascii_lowercase),
            blob_type: None,
            encryption: s3_headers(&answer),
            content_md5: answer.header("content-md5").map(str::to_owned),
            content_type: answer.header("content-type").map(str::to_owned),
            ..Object::default()
        })
    }

    fn open(&self, container: &str, object: &Object) -> Arc<dyn ReadAt> {
        let shared = Arc::clone(&self.shared);
        let (container, key) = (container.to_owned(), object.key.clone());
        let mut place = shared.place(&container, &key);
        let parameters = match &object.version {
            Some(ObjectVersion::Version(id)) => format!("versionId={}", query(id)),
            _ => String::new(),
        };
        if !parameters.is_empty() {
            place.push_str(&format!("?{parameters}"));
        }
        let link = shared.link.clone();
        Arc::new(ObjectBytes {
            store: GetPart::new(place, &link, refused, move |mut part| {
                if shared.access.provider == Provider::Gcs {
                    // What is kept compressed would else be unpacked on the way.
                    part.headers.push(("accept-encoding", "gzip".to_owned()));
                }
                let question = Question {
                    headers: part.headers,
                    part_only: part.part_only,
                    parameters: &parameters,
                    ..Question::object(&container, &key)
                };
                shared.ask(&question, part.what, part.limit)
            }),
            size: object.size,
            etag: object.etag.clone(),
        })
    }

    fn gaps(&self) -> Vec<Gap> {
        self.shared.gaps.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Where the page after this one starts: a token, or the last name where the service gives none.
fn next_of(page: &Page) -> Option<String> {
    if !page.truncated {
        return None;
    }
    let last = || {
        let object = page.objects.last().map(|object| object.key.clone());
        object.max(page.prefixes.last().cloned())
    };
    let token = page.token.as_ref().map(|token| format!("token:{token}"));
    token.or_else(|| page.marker.clone().or_else(last).map(|marker| format!("after:{marker}")))
}
