//! Beginning a listing anywhere: `start-after` takes any key, whether there is one of that name
//! (ListObjectsV2, "start-after").

use crate::store::{ListRequest, Seek, StorageError, Store};

/// The place after `from` in a listing.
pub(crate) fn seek(
    store: &dyn Store,
    request: &ListRequest,
    from: &str,
) -> Result<Option<Seek>, StorageError> {
    let cursor = format!("after:{from}");
    let one = ListRequest { cursor: Some(cursor.clone()), max: Some(1), ..request.clone() };
    let page = store.list(&one)?;
    // A service that does not know the parameter begins at the beginning.
    let first = page.objects.into_iter().next().filter(|first| first.key.as_str() > from);
    Ok(first.map(|first| Seek {
        // The key itself belongs to what comes before: the next one there can be is this.
        start: format!("{from}\0"),
        first: first.key,
        objects: Vec::new(),
        cursor,
    }))
}
