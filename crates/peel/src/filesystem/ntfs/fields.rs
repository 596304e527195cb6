//! Fields at fixed offsets of a structure; none where the structure is too short.

use lidless_core::Timestamp;
use lidless_io::utf16;

/// Seconds from 1601, where Windows begins to count, to 1970.
const EPOCH_SECONDS: i64 = 11_644_473_600;
const TICKS: i64 = 10_000_000;

pub(super) fn u8_at(bytes: &[u8], offset: usize) -> Option<u8> {
    bytes.get(offset).copied()
}

/// A name for a path: what is not Unicode is replaced, and so are separators.
pub(super) fn text(units: impl IntoIterator<Item = u16>) -> String {
    utf16::text(units).replace(['/', '\0'], "_")
}

/// A time of Windows: 100 ns since 1601. None for 0 and for what is out of range.
pub(super) fn time(ticks: i64) -> Option<Timestamp> {
    if ticks <= 0 {
        return None;
    }
    let seconds = ticks.div_euclid(TICKS).checked_sub(EPOCH_SECONDS)?;
    let nanoseconds = i32::try_from(ticks.rem_euclid(TICKS).checked_mul(100)?).ok()?;
    Timestamp::new(seconds, nanoseconds).ok()
}
