//! Files that were cut into numbered parts: `NAME.001`, `NAME.002`, ... or `NAME.aa`, `NAME.ab`,
//! ... The parts have no mark of their own; that they lie beside each other tells them.

use crate::joined::{Joined, beside};
use crate::peeler::{Peeler, Sink};
use lidless_core::{Artifact, Entry, Layer, Limits};
use lidless_io::ReadAt;
use std::sync::Arc;

/// More parts than this are not put together.
const MOST: u32 = 9_999;

/// A file in parts.
pub(crate) struct Split;

/// How parts are numbered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Series {
    Digits,
    Letters,
}

impl Series {
    /// The series a name belongs to, the name without its number, and that, from 0.
    fn of(name: &str) -> Option<(Self, &str, u32)> {
        let (stem, end) = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty())?;
        if end.len() == 3 && end.bytes().all(|digit| digit.is_ascii_digit()) {
            return Some((Self::Digits, stem, end.parse::<u32>().ok()?.checked_sub(1)?));
        }
        // Later letters are the ends of many other names.
        let [first @ b'a'..=b'c', second @ b'a'..=b'z'] = end.as_bytes() else { return None };
        let (first, second) = (first.checked_sub(b'a')?, second.checked_sub(b'a')?);
        Some((Self::Letters, stem, u32::from(first).checked_mul(26)?.checked_add(second.into())?))
    }

    fn name(self, stem: &str, number: u32) -> Option<String> {
        match self {
            Self::Digits => Some(format!("{stem}.{:03}", number.checked_add(1)?)),
            Self::Letters => {
                let letter = |at: u32| char::from_digit(at.checked_add(10)?, 36);
                Some(format!("{stem}.{}{}", letter(number / 26)?, letter(number % 26)?))
            }
        }
    }
}

impl Peeler for Split {
    fn name(&self) -> &'static str {
        "parts"
    }

    fn recognises(&self, artifact: &Artifact, _head: &[u8]) -> bool {
        let name = artifact.entry.file_name();
        let Some((series, stem, number)) = Series::of(name) else { return false };
        // The first needs a second, each other one the first.
        let other = if number == 0 { 1 } else { 0 };
        series.name(stem, other).is_some_and(|name| beside(artifact, &name).is_some())
    }

    fn peel(&self, artifact: &Artifact, _head: &[u8], _limits: &Limits, sink: &mut dyn Sink) {
        let name = artifact.entry.file_name();
        let Some((series, stem, 0)) = Series::of(name) else { return };
        let mut parts: Vec<Arc<dyn ReadAt>> = vec![Arc::clone(&artifact.bytes)];
        for number in 1..MOST {
            let next = series.name(stem, number).and_then(|name| beside(artifact, &name));
            let Some(next) = next else { break };
            parts.push(next.bytes);
        }
        let joined = Joined::new(parts);
        let layer = Layer::Member { path: stem.to_owned() };
        let entry = Entry::new(artifact.entry.provenance.child(layer), Some(joined.len()));
        sink.entry(Artifact::new(entry, Arc::new(joined)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_parts_are_counted() {
        for (name, number, next) in [
            ("a.7z.001", 0, "a.7z.002"),
            ("a.999", 998, "a.1000"),
            ("img.gz.aa", 0, "img.gz.ab"),
            ("img.gz.az", 25, "img.gz.ba"),
        ] {
            let (series, stem, found) = Series::of(name).unwrap();
            assert_eq!(found, number);
            assert_eq!(series.name(stem, number + 1).unwrap(), next);
        }
        assert!(["a.000", "a.py", "a.01", ".001", "a"].iter().all(|n| Series::of(n).is_none()));
    }
}
