//! Content that comes in one answer: the first messages of a queue, the first rows of a table.

use super::shared::Shared;
use crate::store::{ListPage, ListRequest, StorageError, StorageErrorKind};
use bytes::Bytes;
use lidless_core::{Object, ObjectVersion};
use lidless_io::{ReadAt, ReadError, ReadErrorKind};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The beginning of a queue or a table.
pub(crate) struct First {
    /// Its content, as one text; empty when there is nothing.
    pub(crate) bytes: Bytes,
    /// What lies behind it, in a few words; none when that was all.
    pub(crate) behind: Option<String>,
}

/// How a service asks for it.
pub(crate) type Ask = fn(&Shared, &str) -> Result<First, StorageError>;

/// At most so much is kept between the listing and the look: else it is asked for again.
const KEPT_BYTES: usize = 32 << 20;

/// Answers that were listed and not read yet, so that what is read is what was listed.
#[derive(Default)]
pub(crate) struct Kept {
    answers: Mutex<BTreeMap<String, Bytes>>,
}

impl Kept {
    fn hold(&self, container: &str, bytes: &Bytes) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let held = answers.values().map(Bytes::len).fold(0, usize::saturating_add);
        if held.saturating_add(bytes.len()) <= KEPT_BYTES {
            answers.insert(container.to_owned(), bytes.clone());
        }
    }

    fn take(&self, container: &str) -> Option<Bytes> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).remove(container)
    }
}

/// Lists the one object that the beginning is, and what lies behind it.
pub(crate) fn list(
    shared: &Shared,
    kept: &Kept,
    request: &ListRequest,
    key: &str,
    ask: Ask,
) -> Result<ListPage, StorageError> {
    let mut page = ListPage::default();
    if !key.starts_with(&request.prefix) {
        return Ok(page);
    }
    let first = ask(shared, &request.container)?;
    if !first.bytes.is_empty() {
        kept.hold(&request.container, &first.bytes);
        page.objects.push(object(key, &first.bytes));
    }
    if let Some(behind) = first.behind {
        let version = Some(ObjectVersion::Behind(behind));
        page.objects.push(Object { key: key.to_owned(), version, ..Object::default() });
    }
    Ok(page)
}

/// What is said of the one object.
pub(crate) fn head(
    shared: &Shared,
    container: &str,
    (wanted, key): (&str, &str),
    ask: Ask,
) -> Result<Object, StorageError> {
    let first = ask(shared, container)?;
    if wanted != key || first.bytes.is_empty() {
        return Err(StorageError {
            kind: StorageErrorKind::NotFound,
            message: format!(
                "cannot ask about {}/{container}/{wanted}: nothing is there",
                shared.name
            ),
            status: None,
            code: None,
        });
    }
    Ok(object(key, &first.bytes))
}

/// Its bytes: those that were listed, or asked for when they are read.
pub(crate) fn open(
    shared: &Arc<Shared>,
    kept: &Kept,
    container: &str,
    object: &Object,
    ask: Ask,
) -> Arc<dyn ReadAt> {
    let fetched = OnceLock::new();
    if let Some(bytes) = kept.take(container) {
        let _ = fetched.set(Ok(bytes));
    }
    let (shared, container) = (Arc::clone(shared), container.to_owned());
    Arc::new(Peeked { shared, container, ask, size: object.size, fetched })
}

fn object(key: &str, bytes: &Bytes) -> Object {
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    Object { key: key.to_owned(), size, ..Object::default() }
}

struct Peeked {
    shared: Arc<Shared>,
    container: String,
    ask: Ask,
    size: u64,
    fetched: OnceLock<Result<Bytes, ReadError>>,
}

impl Peeked {
    fn bytes(&self) -> Result<&Bytes, ReadError> {
        let result = self.fetched.get_or_init(|| match (self.ask)(&self.shared, &self.container) {
            Ok(first) => Ok(first.bytes),
            Err(error) => Err(crate::content::read_error(&error)),
        });
        let bytes = result.as_ref().map_err(Clone::clone)?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length == self.size) {
            return Ok(bytes);
        }
        let place = format!("{}/{}", self.shared.name, self.container);
        let why = format!("cannot read {place}: it changed since it was listed");
        Err(ReadError::new(ReadErrorKind::Changed, why))
    }
}

impl ReadAt for Peeked {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let bytes = self.bytes()?;
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let rest = bytes.get(from..).unwrap_or(&[]);
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }
}
