//! Fields at fixed offsets of a structure; none where the structure is too short.

use lidless_core::Timestamp;
use lidless_io::number::u16_le;

/// Seconds from 1601, where Windows begins to count, to 1970.
const EPOCH_SECONDS: i64 = 11_644_473_600;
const TICKS: i64 = 10_000_000;

pub(super) fn u8_at(bytes: &[u8], offset: usize) -> Option<u8> {
    bytes.get(offset).copied()
}

/// Little-endian 16-bit units.
pub(super) fn units(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(2).filter_map(|two| u16_le(two, 0)).collect()
}

/// A name for a path: what is not Unicode is replaced, and so are separators.
pub(super) fn text(units: &[u16]) -> String {
    let clean = |unit: char| if matches!(unit, '/' | '\0') { '_' } else { unit };
    char::decode_utf16(units.iter().copied())
        .map(|unit| clean(unit.unwrap_or(char::REPLACEMENT_CHARACTER)))
        .collect()
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
