//! Where the content of a file lies: lists of extents, which may go on in further blocks.

use super::super::number::le32;
use super::descriptor::{ExtentKind, MORE_EXTENTS, kind};
use super::entry::{Entry, Form};
use super::space::Space;
use crate::error::PeelError;
use lidless_io::number::index;
use lidless_io::{Extent, Extents, ReadAt, read_vec};
use std::collections::HashSet;
use std::sync::Arc;

/// How many pieces of one file are read, and how often its list may go on elsewhere.
const PIECES: usize = 200_000;
const LISTS: usize = 1_000;

/// The pieces of a file in `space` whose entry lies at `at` in the volume.
///
/// # Errors
/// `Malformed`, `Closed`, `Limit`, `Read`.
pub(super) fn extents_of(
    source: &Arc<dyn ReadAt>,
    space: &Space,
    at: u64,
    entry: &Entry,
) -> Result<Extents, PeelError> {
    let length = entry.length;
    let bad = |found: &str| PeelError::malformed("UDF", at, "the extents of a file", found);
    if let Form::Inline(from) = entry.form {
        let there = u64::try_from(entry.extents.len()).unwrap_or(0);
        if there < length {
            return Err(bad("less content than its length"));
        }
        let from = at.saturating_add(u64::try_from(from).unwrap_or(0));
        let piece = Extent { at: 0, length, source: Some(from) };
        return Ok(Extents::new(Arc::clone(source), vec![piece], length));
    }
    let mut pieces = Vec::new();
    let mut done = 0u64;
    let mut list = entry.extents.clone();
    let mut lists = HashSet::new();
    loop {
        let mut more = None;
        for place in entry.places(&list) {
            // Room that was taken beforehand may follow.
            if done >= length {
                break;
            }
            let bytes = u64::from(place.bytes).min(length.saturating_sub(done));
            match place.kind {
                ExtentKind::More => {
                    more = Some(place);
                    break;
                }
                ExtentKind::Hole => {}
                ExtentKind::Recorded => {
                    let mut at = done;
                    for range in space.ranges(place, bytes)? {
                        let length = range.end.saturating_sub(range.start);
                        pieces.push(Extent { at, length, source: Some(range.start) });
                        at = at.saturating_add(length);
                    }
                }
            }
            done = done.saturating_add(bytes);
            if pieces.len() > PIECES {
                return Err(PeelError::Limit("a file in more pieces than the limit"));
            }
        }
        if done >= length {
            break;
        }
        let Some(place) = more else { return Err(bad("less than its length")) };
        if lists.len() >= LISTS || !lists.insert((place.partition, place.block)) {
            return Err(bad("a list that never ends"));
        }
        let range = space.block(place)?;
        let block = read_vec(&**source, range.start, space.block_bytes)?;
        if kind(&block) != Some(MORE_EXTENTS) {
            return Err(bad("something else where its list goes on"));
        }
        let bytes = index(le32(&block, 20));
        let rest = block.get(24..).unwrap_or(&[]);
        list = rest.get(..bytes).unwrap_or(rest).to_vec();
    }
    Ok(Extents::new(Arc::clone(source), pieces, length))
}
