//! The bytes of one object, by ranges, on demand; the same for every provider.

use crate::client::Answer;
use crate::encryption::is_locked;
use crate::store::{StorageError, StorageErrorKind};
use bytes::Bytes;
use lidless_io::{Link, ReadAt, ReadError, ReadErrorKind, read_merged};
use std::ops::Range;
use std::time::Instant;

/// The most that one request asks for.
const LARGEST: u64 = 8 << 20;

/// Requests at a time for one object, where several parts of it are known to be wanted.
const LANES: usize = 8;
/// The same, to divide what a request costs.
const SHARED_BY: u64 = 8;

/// One GET for an object or a part of it.
pub(crate) struct Part<'a> {
    /// With the range, and what the object has to be still.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The body of a whole answer (200) is of no use and not read.
    pub(crate) part_only: bool,
    /// What is tried, for errors.
    pub(crate) what: &'a str,
    /// Bytes of the body that are read at most.
    pub(crate) limit: u64,
}

/// How the parts of one object are got: what is its provider's own.
pub(crate) struct GetPart {
    /// Its place, for errors.
    place: String,
    /// What requests to its store cost, measured on the way.
    link: Link,
    refused: fn(&str, &Answer) -> StorageError,
    get: Box<Get>,
}

/// Sends one GET.
type Get = dyn Fn(Part<'_>) -> Result<Answer, StorageError> + Send + Sync;

impl GetPart {
    /// `get` sends one GET, `refused` makes a refusal an error.
    pub(crate) fn new(
        place: String,
        link: &Link,
        refused: fn(&str, &Answer) -> StorageError,
        get: impl Fn(Part<'_>) -> Result<Answer, StorageError> + Send + Sync + 'static,
    ) -> Self {
        Self { place, link: link.clone(), refused, get: Box::new(get) }
    }

    fn refused(&self, what: &str, answer: &Answer) -> StorageError {
        (self.refused)(what, answer)
    }
}

/// One version of one object.
pub(crate) struct ObjectBytes {
    pub(crate) store: GetPart,
    pub(crate) size: u64,
    pub(crate) etag: Option<String>,
}

impl ObjectBytes {
    /// One request for `range`, which is not empty and ends within the object.
    fn fetch(&self, range: Range<u64>) -> Result<Vec<u8>, ReadError> {
        let place = self.store.place.as_str();
        let what = format!("read {place}");
        let last = range.end.saturating_sub(1);
        let mut headers = vec![("range", format!("bytes={}-{last}", range.start))];
        if let Some(etag) = &self.etag {
            headers.push(("if-match", format!("\"{}\"", etag.trim_matches('"'))));
        }
        let length = range.end.saturating_sub(range.start);
        let part_only = range.start > 0;
        let begun = Instant::now();
        let part = Part { headers, part_only, what: &what, limit: length };
        let answer = (self.store.get)(part).map_err(|error| read_error(&error))?;
        self.store.link.note(u64::try_from(answer.body.len()).unwrap_or(0), begun.elapsed());
        let etag = answer.header("etag").map(|etag| etag.trim_matches('"'));
        if let (200 | 206, Some(listed), Some(now)) = (answer.status, &self.etag, etag)
            && listed.trim_matches('"') != now
        {
            let why = format!("cannot {what}: it changed since it was listed");
            return Err(ReadError::new(ReadErrorKind::Changed, why));
        }
        let enough = u64::try_from(answer.body.len()).is_ok_and(|got| got >= length);
        match answer.status {
            206 => {
                let sent = content_range(answer.header("content-range").unwrap_or(""));
                match sent {
                    Some((_, _, Some(size))) if size != self.size => {
                        let why = format!("cannot {what}: its size changed since it was listed");
                        return Err(ReadError::new(ReadErrorKind::Changed, why));
                    }
                    Some((first, end, _)) if first == range.start && end == last => {}
                    _ => return Err(lied(place, "it sent another range than was asked for")),
                }
                if !answer.whole || !enough {
                    return Err(lied(place, "it sent another length than it announced"));
                }
                Ok(answer.body)
            }
            // The start of the whole object, because the server knows no ranges.
            200 if range.start == 0 && enough => Ok(answer.body),
            200 if range.start == 0 => Err(lied(place, "it is shorter than was listed")),
            200 => Err(lied(place, "it knows no ranges")),
            _ => Err(self.refusal(&what, &answer)),
        }
    }

    fn refusal(&self, what: &str, answer: &Answer) -> ReadError {
        let error = self.store.refused(what, answer);
        if is_locked(answer) {
            return ReadError::new(ReadErrorKind::Locked, error.message);
        }
        let kind = match (answer.status, error.code.as_deref()) {
            (_, Some("BlobArchived" | "InvalidObjectState")) => ReadErrorKind::Offline,
            (401 | 403, _) => ReadErrorKind::Denied,
            (404 | 412 | 416, _) => ReadErrorKind::Changed,
            (409, _) => ReadErrorKind::Offline,
            _ => ReadErrorKind::Malformed,
        };
        ReadError::new(kind, error.message)
    }
}

/// First, last and size, if told, of `bytes FIRST-LAST/SIZE` (RFC 9110, section 14.4).
fn content_range(text: &str) -> Option<(u64, u64, Option<u64>)> {
    let (range, size) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let size = if size == "*" { None } else { Some(size.parse().ok()?) };
    Some((first.parse().ok()?, last.parse().ok()?, size))
}

/// The place of an object as errors write it.
pub(crate) fn shown_place(store: &str, container: &str, key: &str) -> String {
    let place = format!("{store}/{container}/{key}");
    place.chars().map(|it| if it.is_control() { '\u{fffd}' } else { it }).collect()
}

fn lied(place: &str, why: &str) -> ReadError {
    ReadError::new(ReadErrorKind::Malformed, format!("cannot read {place}: {why}"))
}

/// A request that failed, as a read that did.
pub(crate) fn read_error(error: &StorageError) -> ReadError {
    let kind = match error.kind {
        StorageErrorKind::OutOfScope | StorageErrorKind::Denied => ReadErrorKind::Denied,
        StorageErrorKind::OutOfBudget => ReadErrorKind::OutOfBudget,
        StorageErrorKind::NotFound => ReadErrorKind::Changed,
        StorageErrorKind::Conflict => ReadErrorKind::Changed,
        StorageErrorKind::Busy | StorageErrorKind::Unavailable => ReadErrorKind::Unavailable,
        StorageErrorKind::Malformed | StorageErrorKind::Unsupported => ReadErrorKind::Malformed,
    };
    ReadError::new(kind, error.message.clone())
}

impl ReadAt for ObjectBytes {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let wanted = u64::try_from(buffer.len()).unwrap_or(u64::MAX);
        let end = offset.saturating_add(wanted).min(self.size);
        let mut at = offset;
        let mut done = 0usize;
        while at < end {
            let stop = end.min(at.saturating_add(LARGEST));
            let bytes = self.fetch(at..stop)?;
            let to = done.saturating_add(bytes.len());
            if let Some(part) = buffer.get_mut(done..to) {
                part.copy_from_slice(&bytes);
            }
            done = to;
            at = stop;
        }
        Ok(done)
    }

    fn read_ranges(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, ReadError> {
        read_merged(self, ranges)
    }

    fn gap_bytes(&self) -> u64 {
        // While one lane waits, the others bring bytes.
        self.store.link.gap_bytes() / SHARED_BY
    }

    fn lanes(&self) -> usize {
        LANES
    }
}
