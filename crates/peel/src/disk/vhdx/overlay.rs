//! Changes that lie over a file without being in it.

use bytes::Bytes;
use lidless_io::number::{index, wide};
use lidless_io::{Apart, ReadAt, ReadError};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A source with some of its bytes replaced.
pub(super) struct Overlay {
    source: Arc<dyn ReadAt>,
    length: u64,
    /// By offset, none overlapping another: end, and the bytes; none for zeros.
    changes: BTreeMap<u64, (u64, Option<Bytes>)>,
}

impl Overlay {
    /// Nothing changed yet.
    pub(super) fn new(source: Arc<dyn ReadAt>) -> Self {
        let length = source.len();
        Self { source, length, changes: BTreeMap::new() }
    }

    /// How many pieces are changed.
    pub(super) fn count(&self) -> usize {
        self.changes.len()
    }

    /// Replaces `length` bytes at `at`, with zeros when there are no bytes. A later change wins.
    pub(super) fn put(&mut self, at: u64, length: u64, bytes: Option<Bytes>) {
        let Some(end) = at.checked_add(length).filter(|end| *end > at) else { return };
        // What was changed here before is cut around it.
        let before = self.changes.range(..at).next_back().map(|(start, _)| *start);
        let first = before.filter(|start| self.changes.get(start).is_some_and(|one| one.0 > at));
        let touched: Vec<u64> =
            first.into_iter().chain(self.changes.range(at..end).map(|(start, _)| *start)).collect();
        for start in touched {
            let Some((old_end, old)) = self.changes.remove(&start) else { continue };
            let part = |from: u64, to: u64| {
                let index = |at: u64| index(at.saturating_sub(start));
                old.as_ref().map(|bytes| {
                    let to = index(to).min(bytes.len());
                    bytes.slice(index(from).min(to)..to)
                })
            };
            if start < at {
                self.changes.insert(start, (at, part(start, at)));
            }
            if old_end > end {
                self.changes.insert(end, (old_end, part(end, old_end)));
            }
        }
        self.changes.insert(at, (end, bytes));
        // Zeros past the end of the file change nothing that could be read.
        if self.changes.get(&at).is_some_and(|(_, bytes)| bytes.is_some()) {
            self.length = self.length.max(end);
        }
    }

    fn read_from(
        &self,
        source: &dyn ReadAt,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<usize, ReadError> {
        let wanted = wide(buffer.len());
        let end = offset.saturating_add(wanted).min(self.length);
        let size = usize::try_from(end.saturating_sub(offset)).unwrap_or(0);
        let Some(buffer) = buffer.get_mut(..size).filter(|buffer| !buffer.is_empty()) else {
            return Ok(0);
        };
        let got = source.read_at(offset, buffer)?;
        if let Some(rest) = buffer.get_mut(got..) {
            rest.fill(0);
        }
        let before = self.changes.range(..=offset).next_back();
        let after = self.changes.range(offset.saturating_add(1)..end);
        for (start, (stop, bytes)) in before.into_iter().chain(after) {
            let (from, to) = ((*start).max(offset), (*stop).min(end));
            let index = |at: u64, base: u64| index(at.saturating_sub(base));
            let Some(into) = buffer.get_mut(index(from, offset)..index(to, offset)) else {
                continue;
            };
            match bytes {
                None => into.fill(0),
                Some(bytes) => {
                    let from = index(from, *start);
                    if let Some(new) = bytes.get(from..from.saturating_add(into.len())) {
                        into.copy_from_slice(new);
                    }
                }
            }
        }
        Ok(size)
    }
}

impl ReadAt for Overlay {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        self.read_from(&*self.source, offset, buffer)
    }

    fn read_apart(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        self.read_from(&Apart(&*self.source), offset, buffer)
    }

    fn gap_bytes(&self) -> u64 {
        self.source.gap_bytes()
    }

    fn lanes(&self) -> usize {
        self.source.lanes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_io::{MemoryBytes, read_vec};

    #[test]
    fn later_changes_win_and_are_cut_around() {
        let mut plain = vec![1u8; 40];
        let mut overlay = Overlay::new(Arc::new(MemoryBytes::new(plain.clone())));
        let puts: [(usize, usize, Option<u8>); 6] = [
            (10, 10, Some(2)),
            (15, 10, None),
            (12, 2, Some(3)),
            (8, 3, Some(4)),
            (0, 40, Some(5)),
            (20, 5, None),
        ];
        for (at, length, fill) in puts {
            plain[at..at + length].fill(fill.unwrap_or(0));
            let bytes = fill.map(|fill| Bytes::from(vec![fill; length]));
            overlay.put(at as u64, length as u64, bytes);
            for from in 0..=40 {
                for to in from..=40 {
                    let got = read_vec(&overlay, from as u64, (to - from) as u64).unwrap();
                    assert_eq!(got, plain[from..to], "{at} {from}..{to}");
                }
            }
        }
    }
}
