//! Pages by their numbers, from the file or from its log.

use super::header::{FORMAT, Header, MAGIC, malformed};
use super::wal::Wal;
use crate::error::RecordError;
use bytes::Bytes;
use lidless_io::number;
use lidless_io::{MemoryBytes, ReadAt, read_merged, read_vec};
use std::ops::Range;
use std::sync::Arc;

/// Files up to this size are read whole: two requests cost more than the bytes.
const WHOLE: u64 = 512 << 10;
/// What the first read of a larger one brings: the header and most schemas.
const FIRST: u64 = 64 << 10;

pub(super) struct Pager {
    source: Arc<dyn ReadAt>,
    wal: Option<Wal>,
    pub(super) header: Header,
    page_count: u32,
    first: Bytes,
}

impl Pager {
    pub(super) fn open(
        source: Arc<dyn ReadAt>,
        wal: Option<Arc<dyn ReadAt>>,
    ) -> Result<Self, RecordError> {
        let first = if source.len() <= WHOLE { source.len() } else { FIRST };
        let first = Bytes::from(read_vec(&*source, 0, first)?);
        let whole = number::wide(first.len()) == source.len();
        let source: Arc<dyn ReadAt> =
            if whole { Arc::new(MemoryBytes::new(first.clone())) } else { source };
        let wal = match wal {
            Some(wal) => Wal::open(wal)?,
            None => None,
        };
        // A database that was never folded back has its first page in the log alone.
        let replaced = match &wal {
            Some(wal) => wal.page(1)?,
            None => None,
        };
        let header = Header::read(replaced.as_deref().unwrap_or(&first))?;
        let wal = wal.filter(|wal| wal.page_bytes == header.page_bytes);
        if wal.is_none() && !first.starts_with(MAGIC) {
            return Err(malformed(0, FORMAT, "a log without its database"));
        }
        let held = source.len().checked_div(u64::from(header.page_bytes)).unwrap_or(0);
        let held = u32::try_from(held).unwrap_or(u32::MAX);
        let page_count = wal.as_ref().map_or(held, |wal| wal.page_count.max(held));
        Ok(Self { source, wal, header, page_count, first })
    }

    /// How many pages there may be.
    pub(super) fn page_count(&self) -> u32 {
        self.page_count
    }

    /// The pages of these numbers, in their order. Callers bound how many they ask for.
    pub(super) fn pages(&self, numbers: &[u32]) -> Result<Vec<Bytes>, RecordError> {
        let size = u64::from(self.header.page_bytes);
        let mut ranges: Vec<Range<u64>> = Vec::new();
        let mut pages: Vec<Option<Bytes>> = Vec::new();
        for number in numbers {
            if *number == 0 || *number > self.page_count {
                let found = format!("page {number} of {}", self.page_count);
                return Err(malformed(0, "a page of the database", &found));
            }
            let logged = match &self.wal {
                Some(wal) => wal.page(*number)?.map(Bytes::from),
                None => None,
            };
            let from = u64::from(number.saturating_sub(1)).saturating_mul(size);
            let range = from..from.saturating_add(size);
            let held = range.end <= number::wide(self.first.len());
            let known = logged.or_else(|| {
                held.then(|| self.first.slice(number::index(from)..number::index(range.end)))
            });
            if known.is_none() {
                ranges.push(range);
            }
            pages.push(known);
        }
        let mut read = read_merged(&*self.source, &ranges)?.into_iter();
        let pages: Vec<Bytes> = pages
            .into_iter()
            .map(|page| page.or_else(|| read.next()).unwrap_or_default())
            .collect();
        match pages.iter().position(|page| number::wide(page.len()) < size) {
            None => Ok(pages),
            Some(_) => Err(malformed(self.source.len(), "a whole page", "the end of the file")),
        }
    }

    /// One page.
    pub(super) fn page(&self, number: u32) -> Result<Bytes, RecordError> {
        Ok(self.pages(&[number])?.pop().unwrap_or_default())
    }
}
