//! The files of an image.

use super::layout::{FIRST, HEAD, Kind, MAGIC, Section, number};
use crate::disk::mapped::cached;
use crate::joined::Joined;
use lidless_core::Artifact;
use lidless_io::{ReadAt, read_vec};
use std::sync::Arc;

/// How many names are tried behind one that is missing.
const BEYOND: u32 = 4;
/// More names than the format has.
const MOST: u32 = 15_000;

/// The segments of an image in order; none where one is missing.
pub(super) struct Segments {
    pub(super) files: Vec<Option<Arc<dyn ReadAt>>>,
}

impl Segments {
    /// Finds the segments beside the first one.
    pub(super) fn find(first: &Artifact) -> Self {
        let mut files = vec![Some(Arc::clone(&first.bytes))];
        let name = first.entry.file_name();
        let mut missing = 0u32;
        for number in 2..=MOST {
            let sibling = name_of(name, number).and_then(|name| first.sibling(&name));
            match sibling {
                Some(sibling) => {
                    missing = 0;
                    files.push(Some(sibling.bytes));
                }
                None => {
                    missing = missing.saturating_add(1);
                    files.push(None);
                    if missing > BEYOND {
                        break;
                    }
                }
            }
        }
        let held = files.iter().rposition(Option::is_some).map_or(0, |last| last.saturating_add(1));
        files.truncate(held);
        Self { files }
    }

    /// All that are there as one source, and where each begins in it: the first as it is, those
    /// beside it behind a cache.
    pub(super) fn joined(&self) -> (Arc<dyn ReadAt>, Vec<u64>) {
        let (mut all, mut later) = (Joined::default(), Joined::default());
        let mut files = self.files.iter();
        let mut starts = Vec::with_capacity(self.files.len());
        starts.extend(files.next().map(|first| first.clone().map_or(0, |file| all.add(file))));
        // A missing one has no chunks that anything asks for.
        let within: Vec<u64> =
            files.map(|file| file.clone().map_or(0, |file| later.add(file))).collect();
        if !within.is_empty() {
            let base = all.add(cached(later));
            starts.extend(within.into_iter().map(|start| base.saturating_add(start)));
        }
        (Arc::new(all), starts)
    }

    /// Whether a segment between two others is missing.
    pub(super) fn has_hole(&self) -> bool {
        self.files.iter().any(Option::is_none)
    }

    /// Whether the last segment is the end of the image: its last section is `done`.
    pub(super) fn end(&self) -> End {
        let Some(Some(last)) = self.files.last() else { return End::Cut };
        // SMART and others keep the section's whole head at the end; nothing follows it.
        let offset = last.len().saturating_sub(HEAD);
        let Ok(bytes) = read_vec(&**last, offset, HEAD) else { return End::Cut };
        match Section::parse(&bytes, offset).map(|section| section.kind) {
            Some(Kind::Done) => End::Done,
            Some(Kind::Next) => End::MoreFollow,
            _ => End::Cut,
        }
    }
}

/// How the last segment that is there ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Done,
    /// Another segment follows and is not there.
    MoreFollow,
    /// It breaks off.
    Cut,
}

/// Whether the first segment of a later one lies beside it.
pub(super) fn has_first(later: &Artifact) -> bool {
    let Some(name) = name_of(later.entry.file_name(), 1) else { return false };
    later.sibling(&name).is_some_and(|first| {
        read_vec(&*first.bytes, 0, FIRST)
            .is_ok_and(|head| head.starts_with(MAGIC) && number(&head) == Some(1))
    })
}

/// The name of a segment: `.E01` to `.E99`, then `.EAA` to `.EZZ`, `.FAA` and on to `.ZZZ`.
fn name_of(other: &str, segment: u32) -> Option<String> {
    let (stem, extension) = other.rsplit_once('.')?;
    let letter = extension.chars().next().filter(char::is_ascii_alphabetic)?;
    // The later segments of one that began at E may have gone on to F: only the first is asked
    // for by their names, and there are two letters it can have.
    let letter = match (segment, letter) {
        (1, 'S' | 's' | 'L' | 'l') => letter,
        (1, upper) if upper.is_ascii_uppercase() => 'E',
        (1, _) => 'e',
        (_, letter) => letter,
    };
    if segment <= 99 {
        return Some(format!("{stem}.{letter}{segment:02}"));
    }
    let base = if letter.is_ascii_uppercase() { b'A' } else { b'a' };
    let beyond = segment.checked_sub(100)?;
    let digit = |value: u32| {
        u8::try_from(value % 26).ok().and_then(|value| base.checked_add(value)).map(char::from)
    };
    let first = u32::from(letter).checked_add(beyond.checked_div(676)?)?;
    let last = u32::from(base).checked_add(25)?;
    let first = char::from_u32(first).filter(|_| first <= last)?;
    Some(format!("{stem}.{first}{}{}", digit(beyond.checked_div(26)?)?, digit(beyond)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_named_as_the_format_has_it() {
        for (name, number, expected) in [
            ("a.b.E01", 2, Some("a.b.E02")),
            ("a.E01", 99, Some("a.E99")),
            ("a.E01", 100, Some("a.EAA")),
            ("a.e01", 101, Some("a.eab")),
            ("a.E01", 126, Some("a.EBA")),
            ("a.E01", 775, Some("a.EZZ")),
            ("a.E01", 776, Some("a.FAA")),
            ("a.E01", 14_971, Some("a.ZZZ")),
            ("a.E01", 14_972, None),
            ("a.s01", 100, Some("a.saa")),
            ("a.FAB", 1, Some("a.E01")),
            ("a.E07", 1, Some("a.E01")),
            ("nothing", 1, None),
        ] {
            assert_eq!(name_of(name, number).as_deref(), expected, "{name} {number}");
        }
    }
}
