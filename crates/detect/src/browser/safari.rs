//! Safari's cookies.
//!
//! | offset | size | field of `Cookies.binarycookies` |
//! | --- | --- | --- |
//! | 0 | 4 | `cook` |
//! | 4 | 4 | pages, big-endian |
//! | 8 | 4 each | length of each page, big-endian |
//! | | | pages: `00 00 01 00`, cookies (little-endian), then where each begins |

use super::chromium::COOKIES;
use super::store::finding;
use crate::names::many;
use lidless_core::{Artifact, Finding};
use lidless_io::{Cursor, ReadError, read_merged, read_vec};

pub(super) const MAGIC: &[u8; 4] = b"cook";
/// More pages than any store has.
const PAGES: u32 = 4_096;

/// Counts the cookies of a store.
pub(super) fn cookies(artifact: &Artifact) -> Result<Option<Finding>, ReadError> {
    let bytes = &*artifact.bytes;
    let head = read_vec(bytes, 0, u64::from(PAGES).saturating_mul(4).saturating_add(8))?;
    let mut cursor = Cursor::new(&head);
    let number = |cursor: &mut Cursor<'_>| cursor.array().map(u32::from_be_bytes).ok();
    let _ = cursor.skip(MAGIC.len());
    let pages = number(&mut cursor).unwrap_or(0);
    let mut at = u64::from(pages).saturating_mul(4).saturating_add(8);
    let mut ranges = Vec::new();
    for _ in 0..pages.min(PAGES) {
        let Some(length) = number(&mut cursor) else { break };
        ranges.push(at..at.saturating_add(8));
        at = at.saturating_add(u64::from(length));
    }
    let mut count = 0u64;
    for page in read_merged(bytes, &ranges)? {
        let mut cursor = Cursor::new(&page);
        if cursor.array() == Ok([0u8, 0, 1, 0]) {
            count = count.saturating_add(u64::from(cursor.u32_le().unwrap_or(0)));
        }
    }
    // A cookie takes at least 56 bytes.
    let count = count.min(bytes.len() / 56);
    Ok((count > 0).then(|| {
        finding(&COOKIES, artifact, many(count, "cookie", "cookies")).with_detail("count", count)
    }))
}
