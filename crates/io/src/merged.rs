//! Many ranges with few requests.

use crate::error::ReadError;
use crate::number;
use crate::read_at::{ReadAt, read_vec};
use bytes::Bytes;
use std::ops::Range;

/// The most that one joined request asks for.
const LARGEST: u64 = 8 << 20;

/// Reads `ranges` (half-open, any order, may overlap) and answers them in the order given;
/// ranges are cut at the end of the source. Ranges that lie closer than the source's own
/// [`ReadAt::gap_bytes`] are joined into one request of at most 8 MiB, unless one range alone is
/// larger: callers bound the sum of the lengths.
///
/// # Errors
/// As [`ReadAt::read_at`]; the first failure ends the batch.
pub fn read_merged<S: ReadAt + ?Sized>(
    source: &S,
    ranges: &[Range<u64>],
) -> Result<Vec<Bytes>, ReadError> {
    let close = source.gap_bytes();
    let end = source.len();
    let mut order: Vec<(usize, Range<u64>)> = ranges
        .iter()
        .map(|range| range.start.min(end)..range.end.min(end))
        .enumerate()
        .filter(|(_, range)| range.start < range.end)
        .collect();
    order.sort_by_key(|(_, range)| (range.start, range.end));
    let mut answers = vec![Bytes::new(); ranges.len()];
    let mut rest = order.as_slice();
    while let Some(((_, first), _)) = rest.split_first() {
        let mut joined = first.clone();
        let count = rest
            .iter()
            .take_while(|(_, next)| {
                let end = joined.end.max(next.end);
                let fits = next.start <= joined.end.saturating_add(close)
                    && (end.saturating_sub(joined.start) <= LARGEST || end == joined.end);
                if fits {
                    joined.end = end;
                }
                fits
            })
            .count()
            .max(1);
        let (group, after) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        let length = joined.end.saturating_sub(joined.start);
        let bytes = Bytes::from(read_vec(source, joined.start, length)?);
        for (index, range) in group {
            let at =
                |offset: u64| number::index(offset.saturating_sub(joined.start)).min(bytes.len());
            if let Some(slot) = answers.get_mut(*index) {
                *slot = bytes.slice(at(range.start)..at(range.end));
            }
        }
        rest = after;
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counted::{Counted, Tally};
    use crate::memory::MemoryBytes;
    use crate::window::Window;
    use std::sync::Arc;

    /// Memory that asks for ranges to be joined.
    struct Far(MemoryBytes);

    impl ReadAt for Far {
        fn len(&self) -> u64 {
            self.0.len()
        }
        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
            self.0.read_at(offset, buffer)
        }
        fn gap_bytes(&self) -> u64 {
            100
        }
    }

    #[test]
    fn near_ranges_are_one_request_and_every_answer_is_exact() {
        let data: Vec<u8> = (0..5000u32).map(|n| (n % 251) as u8).collect();
        let tally = Tally::default();
        let far = Counted::new(Arc::new(Far(MemoryBytes::new(data.clone()))), tally.clone());
        let window = Window::new(Arc::new(far), 0, 4000);
        let ranges = [3000..3010, 0..10, 50..60, 55..120, 3990..9000, 9000..9001, 7..7];
        let answers = read_merged(&window, &ranges).unwrap();
        for (range, answer) in ranges.iter().zip(&answers) {
            let start = (range.start as usize).min(4000);
            let end = (range.end as usize).min(4000).max(start);
            assert_eq!(answer[..], data[start..end], "{range:?}");
        }
        assert_eq!(tally.requests(), 3);
    }
}
