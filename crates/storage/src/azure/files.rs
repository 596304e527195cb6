//! File shares: their names, their folders, and files read by ranges.
//!
//! Source: "List Shares", "List Directories and Files" and "Get File" of the service's
//! documentation. A listing names one folder; what is below it is walked folder by folder, and
//! the cursor of a flat listing holds the folders that wait.

use super::error::refused;
use super::peeked::Kept;
use super::query::Query;
use super::service::{Names, PAGE_LIMIT, Question, Service};
use super::shared::Shared;
use super::verdict::Subject;
use crate::client::{Answer, Verb};
use crate::content::{GetPart, ObjectBytes};
use crate::retry::{http_time, iso_time};
use crate::store::{ListPage, ListRequest, StorageError, malformed};
use crate::url::query;
use crate::xml::{Step, Walk};
use lidless_core::{Container, Gap, Object};
use lidless_io::ReadAt;
use std::sync::Arc;

/// File shares.
pub(crate) struct Files;

/// What the names of the folders that wait take at most: they stand in every cursor.
const WAITING: usize = 16 << 20;
/// The longest path, in characters, and the deepest folder that the service allows.
const LONGEST: usize = 2048;
const DEEPEST: usize = 250;

impl Service for Files {
    fn things(&self) -> &'static str {
        "shares"
    }

    fn names(&self, marker: Option<&str>, most: u32) -> Question {
        let marker = marker.map(|marker| format!("&marker={}", query(marker))).unwrap_or_default();
        let include = "&include=snapshots%2Cdeleted";
        let parameters = format!("comp=list&maxresults={most}{include}{marker}");
        (Query::account(&parameters), Vec::new())
    }

    fn read_names(&self, answer: &Answer) -> Result<Names, String> {
        shares(&answer.body)
    }

    fn content(&self, container: &str, key: Option<&str>) -> (Question, Subject) {
        match key {
            Some(key) => {
                let about = Query::resource(&format!("{container}/{key}"), String::new());
                ((about, vec![("range", "bytes=0-0".to_owned())]), Subject::Content)
            }
            None => {
                let about = folder_query(container, "", "&maxresults=1");
                ((about, Vec::new()), Subject::Names)
            }
        }
    }

    fn list(
        &self,
        shared: &Shared,
        _: &Kept,
        request: &ListRequest,
    ) -> Result<ListPage, StorageError> {
        let share = &request.container;
        let what = format!("list the files of {}/{share}", shared.name);
        let (top, stem) = match request.prefix.rfind('/') {
            Some(at) => request.prefix.split_at(at.saturating_add(1)),
            None => ("", request.prefix.as_str()),
        };
        let mut walk = match &request.cursor {
            Some(cursor) => Waiting::read(cursor).ok_or_else(|| malformed(&what, "no cursor"))?,
            None => Waiting { folder: top.to_owned(), ..Waiting::default() },
        };
        let mut more = format!("&maxresults={}", request.max.unwrap_or(5000).clamp(1, 5000));
        if let Some(marker) = &walk.marker {
            more.push_str(&format!("&marker={}", query(marker)));
        }
        if walk.folder == top && !stem.is_empty() {
            more.push_str(&format!("&prefix={}", query(stem)));
        }
        let timed = vec![("x-ms-file-extended-info", "true".to_owned())];
        let about = folder_query(share, &walk.folder, &format!("&include=Timestamps%2CEtag{more}"));
        let mut answer = shared.ask(Verb::Get, &about, timed, &what, PAGE_LIMIT)?;
        if answer.status == 400 {
            // Older tokens do not know the question for times.
            let about = folder_query(share, &walk.folder, &more);
            answer = shared.ask(Verb::Get, &about, Vec::new(), &what, PAGE_LIMIT)?;
        }
        if answer.status != 200 {
            return Err(refused(&what, &answer));
        }
        if !answer.whole {
            return Err(malformed(&what, "a page is larger than any can be"));
        }
        let page = entries(&answer.body).map_err(|why| malformed(&what, &why))?;
        if page.next.is_some() && page.next == walk.marker {
            return Err(malformed(&what, "the listing does not move on"));
        }
        let folder = walk.folder.clone();
        let objects = page.files.into_iter().map(|mut file| {
            file.key.insert_str(0, &folder);
            file
        });
        let objects = objects.collect();
        let mut folders: Vec<String> =
            page.folders.into_iter().map(|name| format!("{folder}{name}/")).collect();
        // A tree that goes down for ever is no share's.
        folders.retain(|path| {
            let fits = path.chars().count() <= LONGEST && path.matches('/').count() <= DEEPEST;
            if !fits {
                let start: String = path.chars().take(80).collect();
                let place = format!("{}/{share}/{start}…", shared.name);
                let reason = "folders deeper than any share has: not listed";
                shared.include.note(Gap::new(place, reason, None));
            }
            fits
        });
        if request.delimited {
            walk.marker = page.next;
            let next = walk.marker.is_some().then(|| walk.write());
            return Ok(ListPage { objects, prefixes: folders, next });
        }
        walk.folders.extend(folders.into_iter().rev());
        if walk.folders.iter().map(String::len).fold(0, usize::saturating_add) > WAITING {
            return Err(malformed(&what, "more folders than can wait"));
        }
        walk.marker = page.next;
        if walk.marker.is_none() {
            match walk.folders.pop() {
                Some(next) => walk.folder = next,
                None => return Ok(ListPage { objects, ..ListPage::default() }),
            }
        }
        Ok(ListPage { objects, prefixes: Vec::new(), next: Some(walk.write()) })
    }

    fn head(&self, shared: &Shared, container: &str, key: &str) -> Result<Object, StorageError> {
        let what = format!("ask about {}/{container}/{key}", shared.name);
        let about = Query::resource(&format!("{container}/{key}"), String::new());
        let answer = shared.ask(Verb::Head, &about, Vec::new(), &what, 0)?;
        if answer.status != 200 {
            return Err(refused(&what, &answer));
        }
        let size = answer.header("content-length").and_then(|text| text.trim().parse().ok());
        Ok(Object {
            key: key.to_owned(),
            size: size.ok_or_else(|| malformed(&what, "no length that can be read"))?,
            etag: answer.header("etag").map(|etag| etag.trim_matches('"').to_owned()),
            modified: answer.header("last-modified").and_then(http_time),
            content_type: answer.header("content-type").map(str::to_owned),
            ..Object::default()
        })
    }

    fn open(
        &self,
        shared: &Arc<Shared>,
        _: &Kept,
        container: &str,
        object: &Object,
    ) -> Arc<dyn ReadAt> {
        let place = shared.place(container, &object.key);
        let file = Query::resource(&format!("{container}/{}", object.key), String::new());
        let asked = Arc::clone(shared);
        Arc::new(ObjectBytes {
            store: GetPart::new(place, &shared.link, refused, move |mut part| {
                // The service knows no conditions: a change is told by the answer's ETag alone.
                part.headers.retain(|(name, _)| *name != "if-match");
                let about = Query { part_only: part.part_only, ..file.clone() };
                asked.ask(Verb::Get, &about, part.headers, part.what, part.limit)
            }),
            size: object.size,
            etag: object.etag.clone(),
        })
    }
}

fn folder_query(share: &str, folder: &str, more: &str) -> Query {
    let path = format!("{share}/{folder}");
    let parameters = format!("restype=directory&comp=list{more}");
    Query::resource(path.trim_end_matches('/'), parameters)
}

/// Where a flat listing is: the folder it is in, the place in it, and the folders that wait.
#[derive(Debug, Default, PartialEq, Eq)]
struct Waiting {
    folder: String,
    marker: Option<String>,
    folders: Vec<String>,
}

impl Waiting {
    fn write(&self) -> String {
        serde_json::json!([self.folder, self.marker, self.folders]).to_string()
    }

    fn read(text: &str) -> Option<Self> {
        let (folder, marker, folders) = serde_json::from_str(text).ok()?;
        Some(Self { folder, marker, folders })
    }
}

/// A page of shares; snapshots and deleted ones are named and not looked into.
fn shares(body: &[u8]) -> Result<Names, String> {
    let mut walk = Walk::new(body);
    let mut page = Names::default();
    let (mut name, mut snapshot, mut deleted, mut modified) =
        (String::new(), String::new(), false, None);
    let mut complete = false;
    loop {
        match walk.step()? {
            Step::Open => {
                if walk.path.last().is_some_and(|one| one == "Share") {
                    (name, snapshot, deleted, modified) =
                        (String::new(), String::new(), false, None);
                }
            }
            Step::Close => {
                let (element, text) = walk.close();
                match (element.as_str(), walk.path.last().map(String::as_str)) {
                    ("Name", Some("Share")) => name = text,
                    ("Snapshot", Some("Share")) => snapshot = text,
                    ("Deleted", Some("Share")) => deleted = text == "true",
                    ("Last-Modified", Some("Properties")) => modified = http_time(&text),
                    ("Share", _) if name.is_empty() => {}
                    ("Share", _) if deleted => page.left_out.push((
                        format!("{name}?deleted"),
                        "a deleted share: only restoring it, which is a write, would show what \
                         is in it"
                            .into(),
                    )),
                    ("Share", _) if !snapshot.is_empty() => page.left_out.push((
                        format!("{name}?sharesnapshot={snapshot}"),
                        "a snapshot of the whole share, not looked into".into(),
                    )),
                    ("Share", _) => page.found.push(Container {
                        name: std::mem::take(&mut name),
                        public: None,
                        modified,
                    }),
                    ("NextMarker", Some("EnumerationResults")) if !text.is_empty() => {
                        page.next = Some(text);
                    }
                    ("EnumerationResults", None) => complete = true,
                    _ => {}
                }
            }
            Step::End if complete => return walk.lists_only("Shares").map(|()| page),
            Step::End => return Err("the listing breaks off".into()),
        }
    }
}

/// What one page of a folder names, without the folder.
#[derive(Debug, Default)]
struct Entries {
    files: Vec<Object>,
    folders: Vec<String>,
    next: Option<String>,
}

fn entries(body: &[u8]) -> Result<Entries, String> {
    let mut walk = Walk::new(body);
    let mut page = Entries::default();
    let mut current = Object::default();
    let mut complete = false;
    loop {
        match walk.step()? {
            Step::Open => {
                if walk.path.last().is_some_and(|one| one == "File" || one == "Directory") {
                    current = Object::default();
                }
            }
            Step::Close => {
                let (element, text) = walk.close();
                match (element.as_str(), walk.path.last().map(String::as_str)) {
                    ("Name", Some("File" | "Directory")) => current.key = text,
                    ("Content-Length", Some("Properties")) => {
                        current.size = text.trim().parse().map_err(|_| "a size that is none")?;
                    }
                    ("Etag", Some("Properties")) => {
                        let etag = text.trim_matches('"').to_owned();
                        current.etag = Some(etag).filter(|etag| !etag.is_empty());
                    }
                    ("Last-Modified", Some("Properties")) => current.modified = http_time(&text),
                    ("CreationTime", Some("Properties")) => current.created = iso_time(&text),
                    // A name with a slash would be a path into somewhere else.
                    ("File" | "Directory", _)
                        if current.key.is_empty()
                            || current.key.contains(['/', '\\'])
                            || current.key == ".."
                            || current.key == "." => {}
                    ("File", _) => page.files.push(std::mem::take(&mut current)),
                    ("Directory", _) => page.folders.push(std::mem::take(&mut current.key)),
                    ("NextMarker", Some("EnumerationResults")) if !text.is_empty() => {
                        page.next = Some(text);
                    }
                    ("EnumerationResults", None) => complete = true,
                    _ => {}
                }
            }
            Step::End if complete => return walk.lists_only("Entries").map(|()| page),
            Step::End => return Err("the listing breaks off".into()),
        }
    }
}

impl ListPage {
    /// Reads an answer of Azure's List Directories and Files: the files and the folders of one
    /// folder.
    ///
    /// # Errors
    /// `Malformed` when it is no such answer, or not all of one.
    pub fn from_azure_folder_xml(body: &[u8]) -> Result<Self, StorageError> {
        let page = entries(body).map_err(|why| malformed("read the listing", &why))?;
        Ok(Self { objects: page.files, prefixes: page.folders, next: page.next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the service's documentation of List Directories and Files.
    const FOLDER: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults \
        ServiceEndpoint=\"https://contoso.file.core.windows.net/\" ShareName=\"team\" \
        DirectoryPath=\"a\"><MaxResults>2</MaxResults><Entries><File><FileId>1</FileId><Name>\
        notes &amp; more.txt</Name><Properties><Content-Length>12</Content-Length><CreationTime>\
        2026-01-02T03:04:05.0000000Z</CreationTime><Last-Modified>Tue, 24 Nov 2026 10:00:00 GMT\
        </Last-Modified><Etag>\"0x8D1\"</Etag></Properties></File><Directory><Name>keys</Name>\
        <Properties/></Directory><File><Name>..</Name><Properties><Content-Length>1</Content-Length>\
        </Properties></File></Entries><NextMarker>m1</NextMarker></EnumerationResults>";

    #[test]
    fn a_folder_is_read_with_its_files_and_folders() {
        let page = entries(FOLDER.as_bytes()).unwrap();
        assert_eq!(page.files.len(), 1);
        let file = &page.files[0];
        assert_eq!((file.key.as_str(), file.size), ("notes & more.txt", 12));
        assert_eq!(file.etag.as_deref(), Some("0x8D1"));
        assert!(file.created.is_some() && file.modified.is_some());
        assert_eq!((page.folders, page.next), (vec!["keys".to_owned()], Some("m1".to_owned())));
        lidless_kit::cut_and_flip(FOLDER.as_bytes(), |bytes| {
            let _ = (entries(bytes), shares(bytes));
        });
    }

    #[test]
    fn shares_are_named_and_what_is_gone_is_told() {
        let body = "<EnumerationResults><Shares><Share><Name>team</Name><Snapshot>2026-01-01\
            </Snapshot></Share><Share><Name>team</Name><Properties><Last-Modified>Tue, 24 Nov 2026 \
            10:00:00 GMT</Last-Modified></Properties></Share><Share><Name>old</Name><Deleted>true\
            </Deleted></Share></Shares><NextMarker/></EnumerationResults>";
        let page = shares(body.as_bytes()).unwrap();
        assert_eq!(page.found.len(), 1);
        assert!(page.found[0].modified.is_some());
        let left: Vec<_> = page.left_out.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(left, ["team?sharesnapshot=2026-01-01", "old?deleted"]);
    }

    #[test]
    fn a_cursor_keeps_the_folders_that_wait() {
        let walk = Waiting {
            folder: "a/\"b/".into(),
            marker: Some("m".into()),
            folders: vec!["c/".into()],
        };
        assert_eq!(Waiting::read(&walk.write()), Some(walk));
        assert_eq!(Waiting::read("x"), None);
    }
}
