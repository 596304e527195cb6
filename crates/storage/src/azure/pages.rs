//! The bytes of a page blob: what was never written costs nothing.
//!
//! `Get Page Ranges` (`GET ?comp=pagelist`) names the parts that hold data, in order, as
//! `<PageRange><Start>0</Start><End>511</End></PageRange>` with both ends included; long maps come
//! in pages with a `NextMarker`.

use super::query::Query;
use super::shared::Shared;
use crate::client::Verb;
use crate::content::ObjectBytes;
use crate::url::query;
use crate::xml::{Step, Walk};
use bytes::Bytes;
use lidless_io::{Extent, Extents, ReadAt, ReadError};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Reads below this offset ask for no map: the beginning of a disk always holds data.
const BEGINNING: u64 = 256 << 10;
/// The largest page of a map: 10,000 ranges of 80 characters are a tenth of it.
const PAGE_LIMIT: u64 = 16 << 20;
/// Ranges of one map, and pages, at most.
const MOST_RANGES: usize = 4_000_000;
const MOST_PAGES: usize = 2_000;

/// One version of one page blob. The map is asked for when the first read needs it; where the
/// service does not give one, everything is read.
pub(crate) struct PageBytes {
    shared: Arc<Shared>,
    /// The parameter of the state that is read, when not the current one.
    state: String,
    /// Its container and its key.
    name: (String, String),
    whole: Arc<ObjectBytes>,
    mapped: OnceLock<Option<Extents>>,
}

impl PageBytes {
    pub(crate) fn new(
        shared: Arc<Shared>,
        state: String,
        name: (String, String),
        whole: ObjectBytes,
    ) -> Self {
        Self { shared, state, name, whole: Arc::new(whole), mapped: OnceLock::new() }
    }

    fn mapped(&self) -> Option<&Extents> {
        self.mapped.get_or_init(|| self.ask()).as_ref()
    }

    fn ask(&self) -> Option<Extents> {
        let blob = &self.whole;
        let (container, key) = &self.name;
        let what = format!("read the page ranges of {}", self.shared.place(container, key));
        let mut ranges = Vec::new();
        let mut marker: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut parameters = "comp=pagelist".to_owned();
            if !self.state.is_empty() {
                parameters.push_str(&format!("&{}", self.state));
            }
            if let Some(marker) = &marker {
                parameters.push_str(&format!("&marker={}", query(marker)));
            }
            let about = Query { parameters, ..Query::blob(container, key) };
            let mut headers = Vec::new();
            if let Some(etag) = &blob.etag {
                headers.push(("if-match", format!("\"{}\"", etag.trim_matches('"'))));
            }
            let answer = self.shared.ask(Verb::Get, &about, headers, &what, PAGE_LIMIT).ok()?;
            if answer.status != 200 || !answer.whole {
                return None;
            }
            let next = parse(&answer.body, &mut ranges)?;
            if ranges.len() > MOST_RANGES {
                return None;
            }
            if next.is_none() || next == marker {
                let pieces = ranges
                    .into_iter()
                    .map(|range| Extent {
                        at: range.start,
                        length: range.end.saturating_sub(range.start),
                        source: Some(range.start),
                    })
                    .collect();
                let source: Arc<dyn ReadAt> = Arc::clone(&self.whole) as Arc<dyn ReadAt>;
                return Some(Extents::new(source, pieces, blob.size));
            }
            marker = next;
        }
        None
    }
}

/// Adds the ranges of one page, half-open, and answers the marker of the next page; none at all
/// when the answer makes no sense.
fn parse(body: &[u8], ranges: &mut Vec<Range<u64>>) -> Option<Option<String>> {
    let mut walk = Walk::new(body);
    let (mut start, mut next, mut is_map) = (None, None, false);
    loop {
        match walk.step().ok()? {
            Step::Open => is_map |= walk.is_in("PageList"),
            Step::End => return is_map.then_some(next),
            Step::Close => {
                let (name, text) = walk.close();
                match name.as_str() {
                    "Start" => start = text.trim().parse::<u64>().ok(),
                    "End" => {
                        let end = text.trim().parse::<u64>().ok()?.checked_add(1)?;
                        let begin = start.take()?;
                        // Pages come in order; what does not is no map.
                        if begin >= end || ranges.last().is_some_and(|last| begin < last.end) {
                            return None;
                        }
                        match ranges.last_mut() {
                            _ if walk.is_in("ClearRange") => {}
                            Some(last) if last.end == begin => last.end = end,
                            _ => ranges.push(begin..end),
                        }
                    }
                    "NextMarker" if !text.trim().is_empty() => next = Some(text.trim().to_owned()),
                    _ => {}
                }
            }
        }
    }
}

impl ReadAt for PageBytes {
    fn len(&self) -> u64 {
        self.whole.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let wanted = u64::try_from(buffer.len()).unwrap_or(u64::MAX);
        let early = offset.saturating_add(wanted) <= BEGINNING && self.mapped.get().is_none();
        match if early { None } else { self.mapped() } {
            Some(mapped) => mapped.read_at(offset, buffer),
            None => self.whole.read_at(offset, buffer),
        }
    }

    fn read_ranges(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, ReadError> {
        match self.mapped() {
            Some(mapped) => mapped.read_ranges(ranges),
            None => self.whole.read_ranges(ranges),
        }
    }

    fn gap_bytes(&self) -> u64 {
        self.whole.gap_bytes()
    }

    fn lanes(&self) -> usize {
        self.whole.lanes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Option<(Vec<Range<u64>>, Option<String>)> {
        let mut ranges = Vec::new();
        parse(body.as_bytes(), &mut ranges).map(|next| (ranges, next))
    }

    #[test]
    fn a_map_is_read_and_nonsense_is_none() {
        let one = |start: u64, end: u64| {
            format!("<PageRange><Start>{start}</Start><End>{end}</End></PageRange>")
        };
        let body = format!(
            "<?xml version=\"1.0\"?><PageList>{}{}<ClearRange><Start>2048</Start><End>2559</End>\
             </ClearRange>{}<NextMarker>abc</NextMarker></PageList>",
            one(0, 511),
            one(512, 1023),
            one(4096, 4607)
        );
        assert_eq!(read(&body), Some((vec![0..1024, 4096..4608], Some("abc".into()))));
        assert_eq!(read("<PageList/>").map(|(ranges, _)| ranges.len()), None);
        assert_eq!(read("<PageList></PageList>"), Some((vec![], None)));
        for broken in [
            String::new(),
            "<Error/>".into(),
            format!("<PageList>{}{}</PageList>", one(512, 1023), one(0, 511)),
            format!("<PageList>{}</PageList>", one(0, u64::MAX)),
            "<PageList><PageRange><End>5</End></PageRange></PageList>".into(),
        ] {
            assert_eq!(read(&broken), None, "{broken}");
        }
        lidless_kit::cut_and_flip(body.as_bytes(), |bytes| {
            let mut ranges = Vec::new();
            let _ = parse(bytes, &mut ranges);
            assert!(ranges.windows(2).all(|pair| pair[0].end <= pair[1].start));
        });
    }
}
