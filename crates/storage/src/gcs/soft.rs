//! Objects that were deleted and are kept for some days (soft delete): a listing of their own,
//! which is merged into that of the others so that names stay in order.
//!
//! Source: "Objects: list" of the JSON interface: `softDeleted=true` lists only those and excludes
//! `versions=true`; `startOffset` is inclusive, `endOffset` exclusive.

use super::list::{self, Page};
use super::store::{PAGE_LIMIT, Shared, encoded, touched};
use super::verdict::{reason, refused};
use crate::store::{ListRequest, StorageError, malformed};
use lidless_core::{Gap, Object, ObjectVersion};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// Between the parts of a cursor that has two. The service's tokens are base64.
const MARK: char = '\u{1e}';
/// Pages of deleted objects for one page of others.
const PAGES: usize = 100;
/// Prefixes of which it is remembered whether anything deleted lies below them.
const REMEMBERED: usize = 10_000;

/// What a store has learned of deleted objects.
#[derive(Debug, Default)]
pub(crate) struct Soft {
    /// By bucket and prefix, as one text: whether there are any.
    known: Mutex<BTreeMap<String, bool>>,
    gaps: Mutex<BTreeSet<Gap>>,
}

/// The token of a cursor, and the last name of the page before it where the cursor has it.
pub(crate) fn split(cursor: Option<&str>) -> (Option<&str>, Option<&str>) {
    let Some(cursor) = cursor else { return (None, None) };
    match cursor.strip_prefix(MARK).and_then(|rest| rest.rsplit_once(MARK)) {
        Some((last, token)) => (Some(token), Some(last)),
        None => (Some(cursor), None),
    }
}

/// Puts deleted objects into a page, and what the next page needs to know into its cursor.
///
/// # Errors
/// As the service answers. A refusal of deleted objects alone is noted as left out.
pub(crate) fn merge(
    shared: &Shared,
    request: &ListRequest,
    last: Option<&str>,
    page: &mut Page,
) -> Result<(), StorageError> {
    if !has_any(shared, request)? {
        return Ok(());
    }
    let names = [page.objects.last().map(|one| &one.key), page.prefixes.last()];
    let end = names.into_iter().flatten().max().cloned();
    let more = page.next.is_some();
    // A page without names says nothing of where it ends: the next one brings its part.
    if let (true, None) = (more, &end) {
        page.next = page.next.take().map(|token| joined(last, &token));
        return Ok(());
    }
    let range = (last, end.as_deref().filter(|_| more));
    let (deleted, prefixes) = deleted_in(shared, request, range)?;
    page.objects = merged(std::mem::take(&mut page.objects), deleted);
    let known: BTreeSet<&String> = page.prefixes.iter().collect();
    let fresh: Vec<String> = prefixes
        .into_iter()
        .filter(|prefix| !known.contains(prefix) && last.is_none_or(|last| last < prefix.as_str()))
        .collect();
    if !fresh.is_empty() {
        page.prefixes.extend(fresh);
        page.prefixes.sort();
    }
    page.next = page.next.take().map(|token| joined(end.as_deref(), &token));
    Ok(())
}

fn joined(last: Option<&str>, token: &str) -> String {
    match last {
        Some(last) => format!("{MARK}{last}{MARK}{token}"),
        None => token.to_owned(),
    }
}

/// Two listings as one, each in its own order.
fn merged(others: Vec<Object>, deleted: Vec<Object>) -> Vec<Object> {
    let mut all = Vec::with_capacity(others.len().saturating_add(deleted.len()));
    let mut deleted = deleted.into_iter().peekable();
    for object in others {
        while let Some(gone) = deleted.next_if(|gone| gone.key < object.key) {
            all.push(gone);
        }
        all.push(object);
    }
    all.extend(deleted);
    all
}

/// Whether anything deleted lies below the prefix of a request; asked once a prefix, and not
/// below one that has none.
fn has_any(shared: &Shared, request: &ListRequest) -> Result<bool, StorageError> {
    let place = format!("{}/{}", request.container, request.prefix);
    {
        let known = shared.soft.known.lock().unwrap_or_else(PoisonError::into_inner);
        let above = known.range(..=place.clone()).rev().find(|(above, _)| {
            // Of a prefix that has some, the narrower one may have none.
            place.starts_with(above.as_str())
        });
        match above {
            Some((above, any)) if *above == place || !any => return Ok(*any),
            _ => {}
        }
    }
    let any = match ask(shared, request, (None, None), None, 1)? {
        Answered::Page(page) => !page.objects.is_empty() || page.next.is_some(),
        Answered::Off => false,
        Answered::Refused(why) => {
            let reason = format!("soft-deleted objects not listed: {why}");
            let place = shared.place_of(&request.container);
            let mut gaps = shared.soft.gaps.lock().unwrap_or_else(PoisonError::into_inner);
            gaps.insert(Gap::new(place, reason, None));
            false
        }
    };
    let mut known = shared.soft.known.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() < REMEMBERED {
        known.insert(place, any);
    }
    Ok(any)
}

fn is_deleted(object: &Object) -> bool {
    matches!(object.version, Some(ObjectVersion::Deleted(_)))
}

/// Everything deleted from one name on and before another.
fn deleted_in(
    shared: &Shared,
    request: &ListRequest,
    range: (Option<&str>, Option<&str>),
) -> Result<(Vec<Object>, Vec<String>), StorageError> {
    let (mut objects, mut prefixes) = (Vec::new(), Vec::new());
    let mut token: Option<String> = None;
    for _ in 0..PAGES {
        let Answered::Page(page) = ask(shared, request, range, token.as_deref(), 1000)? else {
            return Ok((objects, prefixes));
        };
        objects.extend(page.objects.into_iter().filter(is_deleted));
        prefixes.extend(page.prefixes);
        match page.next {
            Some(next) if token.as_ref() != Some(&next) => token = Some(next),
            _ => return Ok((objects, prefixes)),
        }
    }
    let reason = "not all soft-deleted objects listed: there are too many between two others";
    let place = format!("{}/{}", shared.place_of(&request.container), request.prefix);
    let mut gaps = shared.soft.gaps.lock().unwrap_or_else(PoisonError::into_inner);
    gaps.insert(Gap::new(place, reason, None));
    Ok((objects, prefixes))
}

/// What a question for deleted objects gave.
enum Answered {
    Page(Page),
    /// The bucket keeps none, or the service does not know the question.
    Off,
    Refused(String),
}

fn ask(
    shared: &Shared,
    request: &ListRequest,
    (from, to): (Option<&str>, Option<&str>),
    token: Option<&str>,
    most: u32,
) -> Result<Answered, StorageError> {
    let bucket = &request.container;
    let what = format!("list the soft-deleted objects of {}", shared.place_of(bucket));
    let mut path =
        format!("/storage/v1/b/{}/o?softDeleted=true&maxResults={most}", encoded(bucket));
    let prefix = Some(request.prefix.as_str()).filter(|prefix| !prefix.is_empty());
    let named =
        [("prefix", prefix), ("startOffset", from), ("endOffset", to), ("pageToken", token)];
    for (name, value) in named {
        if let Some(value) = value {
            path.push_str(&format!("&{name}={}", encoded(value)));
        }
    }
    // Whether there are any is asked of all folders at once.
    if request.delimited && most > 1 {
        path.push_str("&delimiter=%2F");
    }
    let touched = touched(bucket, &request.prefix);
    let answer = shared.ask(&touched, &path, Vec::new(), false, &what, PAGE_LIMIT)?;
    if answer.status == 200 {
        if !answer.whole {
            return Err(malformed(&what, "a page is larger than any can be"));
        }
        let page = list::objects(&answer.body).map_err(|why| malformed(&what, &why))?;
        // A service that does not know the question answers another one.
        let known = page.objects.iter().all(is_deleted);
        return Ok(if known { Answered::Page(page) } else { Answered::Off });
    }
    let says = String::from_utf8_lossy(&answer.body).to_ascii_lowercase();
    if matches!(answer.status, 400 | 412) && says.contains("soft delete") {
        return Ok(Answered::Off);
    }
    match answer.status {
        400..=499 => {
            let word = reason(&answer).map(|word| format!(" {word}")).unwrap_or_default();
            Ok(Answered::Refused(format!("the service answers {}{word}", answer.status)))
        }
        _ => Err(refused(&what, &answer)),
    }
}

impl Soft {
    /// What was left out so far.
    pub(crate) fn gaps(&self) -> Vec<Gap> {
        self.gaps.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_says_where_the_page_before_ended_and_one_of_before_does_not() {
        for (last, token) in [(Some("a/b c"), "t+1="), (Some(""), "t"), (Some("a\u{1e}b"), "t")] {
            let cursor = joined(last, token);
            assert_eq!(split(Some(&cursor)), (Some(token), last));
        }
        assert_eq!(split(Some("plain=")), (Some("plain="), None));
        assert_eq!(split(Some(&joined(None, "t"))), (Some("t"), None));
        assert_eq!(split(None), (None, None));
    }

    #[test]
    fn two_listings_become_one_in_order_and_disorder_stays_visible() {
        let of = |keys: &[&str]| -> Vec<Object> {
            keys.iter().map(|key| Object { key: (*key).into(), ..Object::default() }).collect()
        };
        let keys = |objects: Vec<Object>| -> String {
            objects.into_iter().map(|one| one.key).collect::<Vec<_>>().join("")
        };
        assert_eq!(keys(merged(of(&["b", "d"]), of(&["a", "b", "c", "e"]))), "abbcde");
        assert_eq!(keys(merged(of(&["d", "b"]), of(&[]))), "db");
        assert_eq!(keys(merged(of(&[]), of(&["a"]))), "a");
    }
}
