//! The bytes of a file of a web server: by ranges where it knows them, else whole, once, up to a
//! size.

use super::store::{Shared, refused};
use crate::client::Verb;
use crate::content::{GetPart, ObjectBytes, Part, read_error};
use bytes::Bytes;
use lidless_core::Object;
use lidless_io::{ReadAt, ReadError, ReadErrorKind};
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The largest file that is kept whole when the server knows no ranges.
const WHOLE: u64 = 64 << 20;
/// What one request for a part from the beginning gives at most.
const AT_ONCE: u64 = 8 << 20;

/// One file.
pub(crate) struct WebBytes {
    shared: Arc<Shared>,
    key: String,
    parts: ObjectBytes,
    /// The whole of it, once the server showed that it knows no ranges.
    whole: OnceLock<Bytes>,
    /// Held while the whole is fetched: once is enough.
    fetching: Mutex<()>,
}

impl WebBytes {
    pub(crate) fn new(shared: Arc<Shared>, object: &Object) -> Self {
        let key = object.key.clone();
        let place = shared.place_of(&key);
        let (asked, path) = (Arc::clone(&shared), key.clone());
        let parts = ObjectBytes {
            store: GetPart::new(place, &shared.link, refused, move |part| {
                let Part { headers, part_only, what, limit } = part;
                asked.ask(Verb::Get, &path, part_only, headers, what, limit)
            }),
            size: object.size,
            etag: object.etag.clone(),
        };
        Self { shared, key, parts, whole: OnceLock::new(), fetching: Mutex::new(()) }
    }

    /// The whole of the file, when the server knows no ranges and what is wanted ends at `end`,
    /// behind what its first answer would give; none when parts are to be asked for.
    fn whole(&self, start: u64, end: u64) -> Result<Option<&Bytes>, ReadError> {
        if let Some(bytes) = self.whole.get() {
            return Ok(Some(bytes));
        }
        if start == 0 && end <= AT_ONCE || self.shared.knows_ranges() {
            return Ok(None);
        }
        let _one = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = self.whole.get() {
            return Ok(Some(bytes));
        }
        let key = &self.key;
        let what = format!("read {}", self.shared.place_of(key));
        let failed = |kind, why: &str| ReadError::new(kind, format!("cannot {what}: {why}"));
        // A byte from the middle tells: a part, or the whole of it.
        let range = vec![("range", "bytes=1-1".to_owned())];
        let answer = self.shared.ask(Verb::Get, key, true, range, &what, 1);
        let answer = answer.map_err(|error| read_error(&error))?;
        if answer.status == 206 {
            self.shared.note_ranges();
        }
        if answer.status != 200 {
            return Ok(None);
        }
        if self.parts.size > WHOLE {
            let why = "the server knows no ranges, and it is too large to be read whole";
            return Err(failed(ReadErrorKind::Malformed, why));
        }
        let answer = self.shared.ask(Verb::Get, key, false, Vec::new(), &what, self.parts.size);
        let answer = answer.map_err(|error| read_error(&error))?;
        let length = u64::try_from(answer.body.len()).unwrap_or(u64::MAX);
        if answer.status != 200 || !answer.whole || length != self.parts.size {
            return Err(failed(ReadErrorKind::Changed, "its size changed since it was listed"));
        }
        Ok(Some(self.whole.get_or_init(|| Bytes::from(answer.body))))
    }
}

impl ReadAt for WebBytes {
    fn len(&self) -> u64 {
        self.parts.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let wanted = u64::try_from(buffer.len()).unwrap_or(u64::MAX);
        let end = offset.saturating_add(wanted).min(self.len());
        if offset >= end {
            return Ok(0);
        }
        let Some(bytes) = self.whole(offset, end)? else {
            return self.parts.read_at(offset, buffer);
        };
        let part = slice(bytes, &(offset..end));
        if let Some(to) = buffer.get_mut(..part.len()) {
            to.copy_from_slice(&part);
        }
        Ok(part.len())
    }

    fn read_ranges(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, ReadError> {
        let last = ranges.iter().filter(|range| range.start < range.end.min(self.len()));
        let Some(last) = last.max_by_key(|range| range.start) else {
            return self.parts.read_ranges(ranges);
        };
        match self.whole(last.start, last.end)? {
            Some(bytes) => Ok(ranges.iter().map(|range| slice(bytes, range)).collect()),
            None => self.parts.read_ranges(ranges),
        }
    }

    fn gap_bytes(&self) -> u64 {
        self.parts.gap_bytes()
    }

    fn lanes(&self) -> usize {
        self.parts.lanes()
    }
}

/// A part, cut to what there is.
fn slice(bytes: &Bytes, range: &Range<u64>) -> Bytes {
    let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
    let start = at(range.start);
    bytes.slice(start..at(range.end).max(start))
}
