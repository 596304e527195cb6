//! A web server as a store: its container is host and port, its keys are paths below it.

use super::bytes::WebBytes;
use super::index::{Index, IndexEntry};
use super::probe;
use crate::client::{Answer, Ask, Client, Verb};
use crate::content::shown_place;
use crate::retry::{http_time, is_passing};
use crate::store::{
    ListPage, ListRequest, Probe, StorageError, StorageErrorKind, Store, malformed,
};
use crate::url::{encoded_path, host, joined, origin, path};
use lidless_core::{Access, Container, Gap, Object, PublicAccess, Touch};
use lidless_io::{Link, ReadAt};
use percent_encoding::percent_decode_str;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The largest index that is read: some 100,000 names.
const INDEX_LIMIT: u64 = 16 << 20;
/// Folders below the root that are followed: no tree of files is deeper, a loop of links is.
const DEPTH: usize = 40;
/// Folders of one server that are looked into at most.
const FOLDERS: usize = 100_000;
/// Names on a page: each file whose size the index does not tell costs a request.
const PAGE: usize = 1000;
/// Separates the parts of a cursor: it stands in no path that a URL can name unencoded.
const MARK: char = '\u{1f}';

/// What every request to a server needs.
pub(crate) struct Shared {
    client: Arc<Client>,
    pub(crate) access: Access,
    name: String,
    /// Host and port.
    authority: String,
    pub(crate) link: Link,
    seen: Mutex<Seen>,
    gaps: Mutex<Vec<Gap>>,
    /// The server answered with a part when asked for one.
    ranges: AtomicBool,
}

/// What was seen of the tree, to know a loop when it comes.
#[derive(Default)]
struct Seen {
    /// A digest of what each folder shows.
    folders: BTreeMap<String, u64>,
    last: Option<(String, Arc<Index>)>,
}

impl Shared {
    /// Asks for a path; redirects are followed within the scope.
    pub(crate) fn ask(
        &self,
        verb: Verb,
        key: &str,
        part_only: bool,
        headers: Vec<(&'static str, String)>,
        what: &str,
        limit: u64,
    ) -> Result<Answer, StorageError> {
        self.with(verb, key, part_only, headers, what, limit, |ask| self.client.ask(ask))
    }

    #[expect(clippy::too_many_arguments, reason = "what one request is, and how it is sent")]
    fn with<T>(
        &self,
        verb: Verb,
        key: &str,
        part_only: bool,
        headers: Vec<(&'static str, String)>,
        what: &str,
        limit: u64,
        send: impl FnOnce(&Ask<'_>) -> T,
    ) -> T {
        let url = format!("{}/{}", self.access.origin, path(key));
        let locate = |url: &str| self.touched(url);
        let touch = self.touched(&url);
        send(&Ask { locate: &locate, part_only, verb, url, headers, touch, what, limit })
    }

    /// What a URL touches: read off the URL itself, because redirects are written by whoever
    /// answers.
    fn touched(&self, url: &str) -> Touch {
        let scheme = url.split_once("://").map_or("http", |(scheme, _)| scheme);
        let authority = crate::url::authority(url).to_ascii_lowercase();
        let named = percent_decode_str(&encoded_path(url)).decode_utf8_lossy().into_owned();
        let touched = format!("{authority}{named}");
        Touch {
            host: host(url),
            store: Some(format!("{}:/", scheme.to_ascii_lowercase())),
            path: touched.trim_end_matches('/').to_owned(),
        }
    }

    /// Whether the server is known to give parts.
    pub(crate) fn knows_ranges(&self) -> bool {
        self.ranges.load(Ordering::Relaxed)
    }

    pub(crate) fn note_ranges(&self) {
        self.ranges.store(true, Ordering::Relaxed);
    }

    /// The place of a path, for errors and reports.
    pub(crate) fn place_of(&self, key: &str) -> String {
        shown_place(&self.name, &self.authority, key)
    }

    /// The index of a folder, which is empty or ends in a slash.
    ///
    /// # Errors
    /// As the server answers; `Unsupported` for a page that is no index, and for a folder that is
    /// not followed.
    fn index(&self, folder: &str) -> Result<Arc<Index>, StorageError> {
        {
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((known, index)) = &seen.last
                && known == folder
            {
                return Ok(Arc::clone(index));
            }
        }
        let what = format!("list {}", self.place_of(folder));
        let left = |why: String| StorageError {
            kind: StorageErrorKind::Unsupported,
            message: format!("cannot {what}: {why}"),
            status: None,
            code: None,
        };
        if folder.matches('/').count() > DEPTH {
            return Err(left(format!("more than {DEPTH} folders deep, and not followed")));
        }
        let accept = vec![("accept", "application/json, text/html;q=0.9, */*;q=0.1".to_owned())];
        let answer = self.ask(Verb::Get, folder, false, accept, &what, INDEX_LIMIT)?;
        if answer.status != 200 {
            return Err(refused(&what, &answer));
        }
        if !answer.whole {
            return Err(malformed(&what, "the index is larger than is read"));
        }
        let index = Index::parse(&answer.body, &format!("/{}", path(folder))).map_err(left)?;
        if index.is_cut {
            let reason = "the index names more than is read of one, so the rest is not known";
            self.note(Gap::new(self.place_of(folder), reason, None));
        }
        let index = Arc::new(index);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.folders.len() >= FOLDERS && !seen.folders.contains_key(folder) {
            return Err(left(format!("more than {FOLDERS} folders, and not followed")));
        }
        seen.folders.insert(folder.to_owned(), digest(&index.entries));
        if is_loop(&seen.folders, folder) {
            return Err(left("the folders repeat each other: a loop, and not followed".into()));
        }
        seen.last = Some((folder.to_owned(), Arc::clone(&index)));
        Ok(index)
    }

    fn note(&self, gap: Gap) {
        let mut gaps = self.gaps.lock().unwrap_or_else(PoisonError::into_inner);
        if !gaps.contains(&gap) {
            gaps.push(gap);
        }
    }

    /// What the server says of one file.
    fn head(&self, key: &str) -> Result<Object, StorageError> {
        let what = format!("ask about {}", self.place_of(key));
        let first = self
            .with(Verb::Head, key, false, Vec::new(), &what, 0, |ask| self.client.ask_once(ask));
        let mut answer = match first {
            Ok(answer) if is_passing(answer.status) => {
                self.ask(Verb::Head, key, false, Vec::new(), &what, 0)?
            }
            Ok(answer) if matches!(answer.status, 301 | 302 | 303 | 307 | 308) => {
                if self.leads_to_folder(key, &answer) {
                    return Err(StorageError {
                        kind: StorageErrorKind::NotFound,
                        message: format!("cannot {what}: it is a folder"),
                        status: Some(answer.status),
                        code: None,
                    });
                }
                self.ask(Verb::Head, key, false, Vec::new(), &what, 0)?
            }
            Ok(answer) => answer,
            Err((_, true)) => self.ask(Verb::Head, key, false, Vec::new(), &what, 0)?,
            Err((error, false)) => return Err(error),
        };
        // Some servers know no HEAD, and some give no length: the first byte says all.
        if matches!(answer.status, 400 | 403 | 405 | 501)
            || answer.status == 200 && length(&answer).is_none()
        {
            let range = vec![("range", "bytes=0-0".to_owned())];
            answer = self.ask(Verb::Get, key, false, range, &what, 1)?;
        }
        let of_range = || answer.header("content-range")?.rsplit_once('/')?.1.trim().parse().ok();
        let size: Option<u64> = match answer.status {
            200 => length(&answer),
            206 => of_range(),
            416 => of_range().or(Some(0)),
            _ => return Err(refused(&what, &answer)),
        };
        let etag = answer.header("etag").filter(|etag| !etag.starts_with("W/"));
        Ok(Object {
            key: key.to_owned(),
            size: size.ok_or_else(|| malformed(&what, "no length that can be read"))?,
            etag: etag.map(|etag| etag.trim_matches('"').to_owned()),
            modified: answer.header("last-modified").and_then(http_time),
            content_md5: answer.header("content-md5").map(str::to_owned),
            content_type: answer.header("content-type").map(str::to_owned),
            ..Object::default()
        })
    }

    /// A redirect to the same path with a slash behind it.
    pub(crate) fn leads_to_folder(&self, key: &str, answer: &Answer) -> bool {
        let asked = format!("{}/{}", self.access.origin, path(key));
        let Some(next) = answer.header("location").and_then(|to| joined(&asked, to)) else {
            return false;
        };
        let decoded =
            |url: &str| percent_decode_str(&encoded_path(url)).decode_utf8_lossy().into_owned();
        origin(&next) == origin(&asked) && decoded(&next) == format!("{}/", decoded(&asked))
    }

    /// Whether a path is a folder to the server; none when it does not say.
    pub(crate) fn once(&self, key: &str, what: &str) -> Result<Answer, StorageError> {
        let range = vec![("range", "bytes=0-0".to_owned())];
        self.with(Verb::Get, key, false, range, what, 1, |ask| self.client.ask_once(ask))
            .map_err(|(error, _)| error)
    }
}

fn length(answer: &Answer) -> Option<u64> {
    answer.header("content-length")?.trim().parse().ok()
}

/// A refusal as an error.
pub(crate) fn refused(what: &str, answer: &Answer) -> StorageError {
    let kind = match answer.status {
        401 | 403 => StorageErrorKind::Denied,
        404 | 410 => StorageErrorKind::NotFound,
        409 | 412 | 416 => StorageErrorKind::Conflict,
        _ => StorageErrorKind::Malformed,
    };
    StorageError {
        kind,
        message: format!("cannot {what}: the server answers {}", answer.status),
        status: Some(answer.status),
        code: None,
    }
}

fn digest(entries: &[IndexEntry]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for entry in entries {
        (&entry.name, entry.is_folder, entry.size).hash(&mut hasher);
    }
    hasher.finish()
}

/// Whether a folder shows what one above it shows, and one as far above that: two turns of a loop.
fn is_loop(folders: &BTreeMap<String, u64>, folder: &str) -> bool {
    let mut above = vec![folder];
    let mut rest = folder.trim_end_matches('/');
    while let Some(at) = rest.rfind('/') {
        above.push(folder.get(..at.saturating_add(1)).unwrap_or(""));
        rest = rest.get(..at).unwrap_or("");
    }
    above.push("");
    let shows: Vec<Option<&u64>> = above.iter().map(|folder| folders.get(*folder)).collect();
    let at = |turn: usize| shows.get(turn).copied().flatten();
    let Some(here) = at(0) else { return false };
    (1..=shows.len() / 2)
        .any(|turn| at(turn) == Some(here) && at(turn.saturating_mul(2)) == Some(here))
}

/// Objects and folders of a page, and where in its folder the next begins.
type Part = (Vec<Object>, Vec<String>, Option<usize>);

/// The store.
pub(crate) struct HttpStore {
    shared: Arc<Shared>,
}

impl HttpStore {
    pub(crate) fn new(client: Arc<Client>, access: Access) -> Self {
        let name = access.store();
        let authority = crate::url::authority(&access.origin);
        let shared = Shared {
            client,
            access,
            name,
            authority,
            link: Link::default(),
            seen: Mutex::default(),
            gaps: Mutex::default(),
            ranges: AtomicBool::new(false),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Names of one folder from `from` on, as objects and folders, and where the next begin.
    fn page(
        &self,
        folder: &str,
        stem: &str,
        from: usize,
        most: usize,
    ) -> Result<Part, StorageError> {
        let index = self.shared.index(folder)?;
        let (mut objects, mut folders) = (Vec::new(), Vec::new());
        for entry in index.entries.iter().skip(from).take(most) {
            if !entry.name.starts_with(stem) {
                continue;
            }
            let key = format!("{folder}{}", entry.name);
            if entry.is_folder {
                folders.push(format!("{key}/"));
            } else if let Some(size) = entry.size {
                let modified = entry.modified;
                objects.push(Object { key, size, modified, ..Object::default() });
            } else {
                match self.shared.head(&key) {
                    Ok(object) => objects.push(object),
                    Err(error) if error.kind == StorageErrorKind::Unavailable => return Err(error),
                    Err(error) => {
                        let reason = format!("the index names it, but: {}", error.message);
                        self.shared.note(Gap::new(self.shared.place_of(&key), reason, None));
                    }
                }
            }
        }
        let end = from.saturating_add(most);
        Ok((objects, folders, (end < index.entries.len()).then_some(end)))
    }
}

impl Store for HttpStore {
    fn name(&self) -> &str {
        &self.shared.name
    }

    fn probe(&self) -> Result<Probe, StorageError> {
        probe::probe(&self.shared, |folder| self.shared.index(folder).map(drop))
    }

    fn containers(&self) -> Result<Vec<Container>, StorageError> {
        let name = self.shared.authority.clone();
        let public = Some(PublicAccess::Container);
        Ok(vec![Container { name, public, modified: None }])
    }

    fn list(&self, request: &ListRequest) -> Result<ListPage, StorageError> {
        let shown = usize::try_from(request.max.unwrap_or(1000)).unwrap_or(PAGE).clamp(1, PAGE);
        let cut = request.prefix.rfind('/').map_or(0, |at| at.saturating_add(1));
        let (folder, stem) = request.prefix.split_at_checked(cut).unwrap_or(("", ""));
        // `FROM`, then the folders that are to come, the one under way first.
        let cursor = request.cursor.as_deref().unwrap_or("");
        let mut parts = cursor.split(MARK);
        let from: usize = parts.next().and_then(|from| from.parse().ok()).unwrap_or(0);
        let mut waiting: Vec<String> = parts.map(str::to_owned).collect();
        if waiting.is_empty() {
            waiting.push(folder.to_owned());
        }
        let under_way = waiting.remove(0);
        // Only the first folder is asked for names that begin like the prefix.
        let stem = if under_way == folder { stem } else { "" };
        let (objects, folders, next) = match self.page(&under_way, stem, from, shown) {
            // A folder deep in the tree that is not shown ends nothing but itself.
            Err(error) if under_way != folder => {
                let place = self.shared.place_of(&under_way);
                self.shared.note(Gap::new(place, error.message, None));
                (Vec::new(), Vec::new(), None)
            }
            result => result?,
        };
        let prefixes = if request.delimited {
            folders
        } else {
            waiting.extend(folders);
            Vec::new()
        };
        if waiting.len() > FOLDERS {
            let what = format!("list {}", self.shared.place_of(&request.prefix));
            return Err(malformed(&what, "it has more folders than are followed"));
        }
        if next.is_some() {
            waiting.insert(0, under_way);
        }
        let next = (!waiting.is_empty()).then(|| {
            let mut cursor = next.unwrap_or(0).to_string();
            for folder in &waiting {
                cursor.push(MARK);
                cursor.push_str(folder);
            }
            cursor
        });
        Ok(ListPage { objects, prefixes, next })
    }

    fn head(&self, _container: &str, key: &str) -> Result<Object, StorageError> {
        self.shared.head(key)
    }

    fn open(&self, _container: &str, object: &Object) -> Arc<dyn ReadAt> {
        Arc::new(WebBytes::new(Arc::clone(&self.shared), object))
    }

    fn gaps(&self) -> Vec<Gap> {
        self.shared.gaps.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_turns_of_a_loop_are_a_loop() {
        let of = |shown: &[(&str, u64)]| -> BTreeMap<String, u64> {
            shown.iter().map(|(folder, digest)| ((*folder).to_owned(), *digest)).collect()
        };
        let once = of(&[("", 1), ("a/", 2), ("a/l/", 2)]);
        assert!(!is_loop(&once, "a/l/"));
        let twice = of(&[("", 1), ("a/", 2), ("a/l/", 2), ("a/l/l/", 2)]);
        assert!(is_loop(&twice, "a/l/l/"));
        let pair = of(&[("", 1), ("x/", 2), ("x/y/", 1), ("x/y/x/", 2), ("x/y/x/y/", 1)]);
        assert!(is_loop(&pair, "x/y/x/y/") && !is_loop(&pair, "x/y/"));
    }
}
