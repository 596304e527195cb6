//! Which members are fetched together.

use super::peel::Listing;
use std::ops::Range;

/// Members up to this size are fetched together.
const SMALL: u64 = 256 << 10;
/// How much one request brings at most.
const MOST: u64 = 8 << 20;
/// What the header of a member takes beside its name: its fields and a usual extra field.
const HEADER: u64 = 160;

/// For each member, in the order in which they are opened, the run that it is fetched with;
/// empty when it is fetched alone. Those that are not wanted are read over when that is cheaper
/// than another request (`close` bytes).
pub(super) fn runs(
    members: &[Listing],
    wanted: &[bool],
    close: u64,
    length: u64,
) -> Vec<Range<u64>> {
    let mut found = vec![0..0; members.len()];
    let mut run: Option<(Range<u64>, Vec<usize>)> = None;
    let mut close_run = |run: Option<(Range<u64>, Vec<usize>)>| {
        let Some((range, members)) = run.filter(|(_, members)| members.len() > 1) else { return };
        for index in members {
            if let Some(slot) = found.get_mut(index) {
                *slot = range.clone();
            }
        }
    };
    for (index, one) in members.iter().enumerate() {
        if !wanted.get(index).is_some_and(|wanted| *wanted) {
            continue;
        }
        let end = one.end().saturating_add(HEADER).min(length);
        let alone = one.line.packed > SMALL || end <= one.header;
        if let Some((range, members)) = &mut run
            && !alone
            && one.header >= range.start
            && one.header <= range.end.saturating_add(close)
            && end.saturating_sub(range.start) <= MOST
        {
            range.end = range.end.max(end);
            members.push(index);
            continue;
        }
        close_run(run.take());
        if !alone {
            run = Some((one.header..end, vec![index]));
        }
    }
    close_run(run);
    found
}
