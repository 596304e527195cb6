//! Many ranges with few requests.

use crate::error::{ReadError, ReadErrorKind};
use crate::number::index;
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
    for ((_, group), parts) in groups.iter().zip(in_lanes(source, &groups, &read_group, &|_| true))
    {
        for ((index, _), part) in group.iter().zip(parts?) {
            if let Some(slot) = answers.get_mut(*index) {
                *slot = part;
            }
        }
    }
    Ok(answers)
}

/// Reads each of `ranges` with a request of its own, several at a time where the source waits for
/// answers, and answers them in the order given: callers have joined what is to be joined, and
/// bound the sum of the lengths. Once the budget is spent nothing more is asked for, and that
/// answer is the last one.
pub fn read_each<S: ReadAt + ?Sized>(
    source: &S,
    ranges: &[Range<u64>],
) -> Vec<Result<Bytes, ReadError>> {
    let is_over = |error: &ReadError| error.kind == ReadErrorKind::OutOfBudget;
    in_lanes(source, ranges, &read_range, &is_over)
}

/// A range and what is asked of it.
type Group<'o> = (Range<u64>, &'o [(usize, Range<u64>)]);

fn read_range<S: ReadAt + ?Sized>(source: &S, range: &Range<u64>) -> Result<Bytes, ReadError> {
    let length = range.end.saturating_sub(range.start);
    read_vec(source, range.start, length).map(Bytes::from)
}

/// Reads a joined range and takes it apart. What is mostly gaps is not kept for the little that
/// is wanted of it.
fn read_group<S: ReadAt + ?Sized>(
    source: &S,
    (joined, group): &Group<'_>,
) -> Result<Vec<Bytes>, ReadError> {
    let bytes = read_range(source, joined)?;
    let at = |offset: u64| index(offset.saturating_sub(joined.start)).min(bytes.len());
    let parts: Vec<Bytes> =
        group.iter().map(|(_, range)| bytes.slice(at(range.start)..at(range.end))).collect();
    let wanted = parts.iter().fold(0usize, |sum, part| sum.saturating_add(part.len()));
    if wanted.saturating_mul(2) >= bytes.len() {
        return Ok(parts);
    }
    Ok(parts.iter().map(|part| Bytes::copy_from_slice(part)).collect())
}

/// Reads items, several at a time where the source waits for answers. Nothing more is asked for
/// after a failure that `ends` it.
fn in_lanes<S: ReadAt + ?Sized, T: Sync, A: Send + Sync>(
    source: &S,
    items: &[T],
    read: &(dyn Fn(&S, &T) -> Result<A, ReadError> + Sync),
    ends: &(dyn Fn(&ReadError) -> bool + Sync),
) -> Vec<Result<A, ReadError>> {
    let lanes = source.lanes().min(items.len());
    if lanes < 2 {
        let mut answers = Vec::with_capacity(items.len());
        for item in items {
            let answer = read(source, item);
            let is_over = answer.as_ref().is_err_and(ends);
            answers.push(answer);
            if is_over {
                break;
            }
        }
        return answers;
    }
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let slots: Vec<OnceLock<Result<A, ReadError>>> =
        items.iter().map(|_| OnceLock::new()).collect();
    std::thread::scope(|scope| {
        for _ in 0..lanes {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let (Some(item), Some(slot)) = (items.get(number), slots.get(number)) else {
                        break;
                    };
                    let answer = read(source, item);
                    if answer.as_ref().is_err_and(ends) {
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
        let broken = Wide(MemoryBytes::new(data.clone()), 3000);
        assert!(read_merged(&broken, &ranges).is_err());
        let each = read_each(&broken, &ranges);
        assert_eq!(each.len(), ranges.len());
        for (range, answer) in ranges.iter().zip(each) {
            match answer {
                Ok(bytes) => assert_eq!(bytes[..], data[range.start as usize..range.end as usize]),
                Err(_) => assert!(range.start >= 3000),
            }
        }
    }
}
