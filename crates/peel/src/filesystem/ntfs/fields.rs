//! Fields at fixed offsets of a structure; none where the structure is too short.

use lidless_core::Timestamp;

/// Seconds from 1601, where Windows begins to count, to 1970.
const EPOCH_SECONDS: i64 = 11_644_473_600;
const TICKS: i64 = 10_000_000;

fn array<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..)?.first_chunk::<N>().copied()
}

pub(super) fn u8_at(bytes: &[u8], offset: usize) -> Option<u8> {
    bytes.get(offset).copied()
}

pub(super) fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    array(bytes, offset).map(u16::from_le_bytes)
}

pub(super) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    array(bytes, offset).map(u32::from_le_bytes)
}

pub(super) fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    array(bytes, offset).map(u64::from_le_bytes)
}

/// `length` bytes at `offset`.
pub(super) fn part(bytes: &[u8], offset: usize, length: usize) -> Option<&[u8]> {
    bytes.get(offset..offset.checked_add(length)?)
}

/// A length that has to fit into memory.
pub(super) fn size(number: impl TryInto<usize>) -> usize {
    number.try_into().unwrap_or(usize::MAX)
}

/// Little-endian 16-bit units.
pub(super) fn units(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(2).filter_map(|two| u16_at(two, 0)).collect()
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
