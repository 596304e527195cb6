//! Many ranges with few requests.

use crate::error::ReadError;
use crate::read_at::{ReadAt, read_vec};
use bytes::Bytes;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

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
    let mut groups: Vec<Group<'_>> = Vec::new();
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
        groups.push((joined, group));
        rest = after;
    }
    let mut answers = vec![Bytes::new(); ranges.len()];
    for ((joined, group), bytes) in groups.iter().zip(read_all(source, &groups)) {
        let bytes = bytes?;
        for (index, range) in *group {
            let at = |offset: u64| {
                usize::try_from(offset.saturating_sub(joined.start))
                    .unwrap_or(usize::MAX)
                    .min(bytes.len())
            };
            if let Some(slot) = answers.get_mut(*index) {
                *slot = bytes.slice(at(range.start)..at(range.end));
            }
        }
    }
    Ok(answers)
}

/// A range and what is asked of it.
type Group<'o> = (Range<u64>, &'o [(usize, Range<u64>)]);

/// Reads the joined ranges, several at a time where the source waits for answers. Nothing more is
/// asked for after a failure.
fn read_all<S: ReadAt + ?Sized>(source: &S, groups: &[Group<'_>]) -> Vec<Result<Bytes, ReadError>> {
    let read = |(joined, _): &Group<'_>| {
        let length = joined.end.saturating_sub(joined.start);
        read_vec(source, joined.start, length).map(Bytes::from)
    };
    let lanes = source.lanes().min(groups.len());
    if lanes < 2 {
        let mut answers = Vec::with_capacity(groups.len());
        for group in groups {
            let answer = read(group);
            let failed = answer.is_err();
            answers.push(answer);
            if failed {
                break;
            }
        }
        return answers;
    }
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let slots: Vec<OnceLock<Result<Bytes, ReadError>>> =
        groups.iter().map(|_| OnceLock::new()).collect();
    std::thread::scope(|scope| {
        for _ in 0..lanes {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let (Some(group), Some(slot)) = (groups.get(number), slots.get(number)) else {
                        break;
                    };
                    let answer = read(group);
                    if answer.is_err() {
                        stop.store(true, Ordering::Relaxed);
                    }
                    let _ = slot.set(answer);
                }
            });
        }
    });
    // Slots are taken in order, so that those before a failure are filled.
    slots.into_iter().map_while(OnceLock::into_inner).collect()
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

    /// A source far away, broken behind an offset.
    struct Wide(MemoryBytes, u64);

    impl ReadAt for Wide {
        fn len(&self) -> u64 {
            self.0.len()
        }
        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
            if offset >= self.1 {
                return Err(ReadError::short(offset, 1, 0));
            }
            self.0.read_at(offset, buffer)
        }
        fn gap_bytes(&self) -> u64 {
            0
        }
        fn lanes(&self) -> usize {
            5
        }
    }

    #[test]
    fn several_lanes_give_the_same_answers_and_the_first_failure() {
        let data: Vec<u8> = (0..5000u32).map(|n| (n % 251) as u8).collect();
        let ranges: Vec<Range<u64>> = (0..100).rev().map(|n| n * 50..n * 50 + 20).collect();
        let whole = Wide(MemoryBytes::new(data.clone()), u64::MAX);
        for (range, answer) in ranges.iter().zip(read_merged(&whole, &ranges).unwrap()) {
            assert_eq!(answer[..], data[range.start as usize..range.end as usize]);
        }
        assert!(read_merged(&Wide(MemoryBytes::new(data), 3000), &ranges).is_err());
    }
}
