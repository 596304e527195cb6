//! Members that no directory names: local headers in front of the listed members, between them
//! and after them.

use super::local::{LOCAL, Local, local};
use super::peel::Listing;
use crate::archive::Known;
use lidless_io::number::wide;
use lidless_io::{ReadAt as _, read_vec};
use std::collections::HashMap;

/// What may lie between two members without hiding one: a descriptor and a short extra field.
const SLACK: u64 = 128;
/// An extra field is at most this long.
const LONGEST_EXTRA: u64 = 64 << 10;
/// How much is read at most to look between members, and in how many requests.
const MOST_BYTES: u64 = 4 << 20;
const MOST_REQUESTS: usize = 8;
/// More hidden members than this are not kept.
const MOST_MEMBERS: usize = 10_000;

/// What was found outside the listed members.
#[derive(Default)]
pub(super) struct Hidden {
    /// Offsets and headers.
    pub(super) members: Vec<(u64, Local)>,
    /// Where each ends at the latest, by offset.
    pub(super) ends: HashMap<u64, u64>,
    /// Bytes in front of the first member.
    pub(super) in_front: u64,
    /// Bytes that were not looked at.
    pub(super) unseen: u64,
}

impl Hidden {
    /// Looks at what lies outside `lines` (in the order of their offsets) and `ends`. What
    /// follows an inert member within the reach of an extra field is its padding.
    pub(super) fn find(
        archive: &Known,
        lines: &[Listing],
        ends: &[(u64, u64)],
        is_inert: impl Fn(&Listing) -> bool,
    ) -> Self {
        let mut hidden = Self::default();
        let mut taken: Vec<(u64, u64, Option<&Listing>)> =
            lines.iter().map(|one| (one.header, content_end(archive, one), Some(one))).collect();
        taken.extend(ends.iter().map(|(start, end)| (*start, *end, None)));
        taken.sort_by_key(|(start, end, _)| (*start, *end));
        taken.push((archive.len(), archive.len(), None));
        let (mut at, mut before) = (0u64, None);
        let mut requests = 0usize;
        let mut bytes = 0u64;
        for (start, end, listing) in taken {
            let size = start.saturating_sub(at);
            if size > 0 {
                if before.is_none() && at == 0 && !lines.is_empty() {
                    hidden.in_front = size;
                }
                let known = archive.covers(at, start);
                let padding = size <= LONGEST_EXTRA && before.is_some_and(&is_inert);
                if known {
                    hidden.walk(archive, at, start);
                } else if size > SLACK && !padding {
                    let most = if requests < MOST_REQUESTS {
                        size.min(MOST_BYTES.saturating_sub(bytes))
                    } else {
                        0
                    };
                    if most > 0 {
                        requests = requests.saturating_add(1);
                        bytes = bytes.saturating_add(most);
                        hidden.walk(archive, at, at.saturating_add(most));
                    }
                    hidden.unseen = hidden.unseen.saturating_add(size.saturating_sub(most));
                }
            }
            if end > at {
                at = end;
                before = listing;
            }
        }
        hidden
    }

    /// Looks for local headers in a region.
    fn walk(&mut self, archive: &Known, start: u64, end: u64) {
        let Ok(region) = read_vec(archive, start, end.saturating_sub(start)) else {
            self.unseen = self.unseen.saturating_add(end.saturating_sub(start));
            return;
        };
        let mut at = 0usize;
        let mut last: Option<u64> = None;
        while let Some(found) = region.get(at..).and_then(|rest| memchr::memmem::find(rest, LOCAL))
        {
            let place = at.saturating_add(found);
            let offset = start.saturating_add(wide(place));
            at = place.saturating_add(LOCAL.len());
            let header = region.get(place..).and_then(local);
            let Some(header) = header.filter(|header| !header.name.is_empty()) else { continue };
            if self.members.len() >= MOST_MEMBERS {
                self.unseen = self.unseen.saturating_add(end.saturating_sub(offset));
                break;
            }
            if let Some(last) = last {
                self.ends.insert(last, offset);
            }
            last = Some(offset);
            self.ends.insert(offset, end);
            let length = header.length.saturating_add(header.packed);
            if header.is_sized() {
                at = usize::try_from(length)
                    .map_or(region.len(), |length| place.saturating_add(length))
                    .max(at);
            }
            self.members.push((offset, header));
        }
    }
}

/// Where the content of a listed member ends: exactly, when its local header was read.
fn content_end(archive: &Known, one: &Listing) -> u64 {
    let known = archive.from(one.header).and_then(local);
    known.map_or_else(
        || one.end(),
        |local| one.header.saturating_add(local.length).saturating_add(one.line.packed),
    )
}
