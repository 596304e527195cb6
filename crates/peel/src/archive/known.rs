//! An archive of which some parts were read already.

use bytes::Bytes;
use lidless_io::number::{index, wide};
use lidless_io::{ReadAt, ReadError, read_vec};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Answers from the parts that are known and asks the source for the rest only.
pub(crate) struct Known {
    source: Arc<dyn ReadAt>,
    parts: Vec<(u64, Bytes)>,
    /// Members that lie close together, fetched in one request: the last such run.
    run: Mutex<(u64, Bytes)>,
}

impl Known {
    pub(crate) fn new(source: Arc<dyn ReadAt>, head: &[u8]) -> Self {
        let parts = vec![(0, Bytes::copy_from_slice(head))];
        Self { source, parts, run: Mutex::default() }
    }

    /// Keeps a part that was read; parts are few.
    pub(crate) fn keep(&mut self, offset: u64, bytes: Bytes) {
        self.parts.push((offset, bytes));
    }

    /// The bytes from `offset` on that are known, if any.
    pub(crate) fn from(&self, offset: u64) -> Option<&[u8]> {
        self.parts.iter().find_map(|(start, bytes)| {
            let skip = usize::try_from(offset.checked_sub(*start)?).ok()?;
            bytes.get(skip..).filter(|rest| !rest.is_empty())
        })
    }

    /// Whether all of `start..end` is known.
    pub(crate) fn covers(&self, start: u64, end: u64) -> bool {
        let mut at = start;
        while at < end {
            match self.from(at) {
                Some(known) => at = at.saturating_add(u64::try_from(known.len()).unwrap_or(0)),
                None => return false,
            }
        }
        true
    }

    /// Reads at most `length` bytes at `offset`, which lies in a run of members that are read
    /// one after the other: the run is fetched in one request.
    pub(crate) fn read_in(
        &self,
        run: &Range<u64>,
        offset: u64,
        length: u64,
    ) -> Result<Bytes, ReadError> {
        let end = offset.saturating_add(length).min(self.len());
        if run.is_empty() || self.covers(offset, end) || offset < run.start {
            return Ok(Bytes::from(read_vec(self, offset, length)?));
        }
        let mut held = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        if held.0 != run.start || held.1.is_empty() {
            let bytes = read_vec(self, run.start, run.end.saturating_sub(run.start))?;
            *held = (run.start, Bytes::from(bytes));
        }
        let at = |place: u64| usize::try_from(place.saturating_sub(run.start)).ok();
        match at(offset).zip(at(end)) {
            Some((from, to)) if to <= held.1.len() && from <= to => Ok(held.1.slice(from..to)),
            _ => Ok(Bytes::from(read_vec(self, offset, length)?)),
        }
    }

    /// Where the next known part after `offset` begins.
    fn next(&self, offset: u64) -> u64 {
        let starts = self.parts.iter().map(|(start, _)| *start);
        starts.filter(|start| *start > offset).min().unwrap_or(u64::MAX)
    }
}

impl ReadAt for Known {
    fn len(&self) -> u64 {
        self.source.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let mut done = 0usize;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let at = offset.saturating_add(wide(done));
            let count = if let Some(known) = self.from(at) {
                let count = known.len().min(rest.len());
                if let (Some(to), Some(from)) = (rest.get_mut(..count), known.get(..count)) {
                    to.copy_from_slice(from);
                }
                count
            } else {
                let most = index(self.next(at).saturating_sub(at));
                let wanted = rest.len().min(most);
                match rest.get_mut(..wanted) {
                    Some(slot) => self.source.read_at(at, slot)?,
                    None => 0,
                }
            };
            if count == 0 {
                break;
            }
            done = done.saturating_add(count);
        }
        Ok(done)
    }
}
