//! Beginning a listing at a prefix. Markers are the service's own and cannot be made up, but a
//! listing below a longer prefix gives one, and a marker is a place among all names: the listing
//! of the shorter prefix goes on from it. The service nowhere promises that, so it is tried each
//! time, and a marker that leads elsewhere is not used.

use crate::store::{ListRequest, Seek, StorageError, StorageErrorKind, Store};

/// The place where names that begin with `from` begin in the listing of a request.
pub(crate) fn seek(
    store: &dyn Store,
    request: &ListRequest,
    from: &str,
) -> Result<Option<Seek>, StorageError> {
    let ask = |prefix: &str, cursor: Option<String>| {
        let asked = ListRequest {
            container: request.container.clone(),
            prefix: prefix.to_owned(),
            delimited: false,
            cursor,
            max: Some(1),
        };
        store.list(&asked)
    };
    let page = ask(from, None)?;
    let (Some(first), Some(cursor)) = (page.objects.into_iter().next(), page.next) else {
        return Ok(None);
    };
    let second = |prefix: &str| match ask(prefix, Some(cursor.clone())) {
        Ok(page) => Ok(page.objects.into_iter().next().map(|object| object.key)),
        // A marker that is not taken under another prefix is an answer, too.
        Err(error) if error.kind == StorageErrorKind::Malformed => Ok(None),
        Err(error) => Err(error),
    };
    let below = second(from)?;
    if below.is_none() || below != second(&request.prefix)? || below.as_ref() <= Some(&first.key) {
        return Ok(None);
    }
    let (start, key) = (from.to_owned(), first.key.clone());
    Ok(Some(Seek { start, first: key, objects: vec![first], cursor }))
}
