//! Numbers and pieces at an offset of a slice; none past its end.

/// `length` bytes at `at`.
pub(crate) fn slice(bytes: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(length)?)
}

/// `N` bytes at `at`.
pub(crate) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    slice(bytes, at, N)?.try_into().ok()
}

/// A little-endian number of 16 bits.
pub(crate) fn u16_le(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_le_bytes)
}

/// A little-endian number of 32 bits.
pub(crate) fn u32_le(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

/// A little-endian number of 64 bits.
pub(crate) fn u64_le(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_le_bytes)
}

/// A big-endian number of 16 bits.
pub(crate) fn u16_be(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_be_bytes)
}

/// A big-endian number of 32 bits.
pub(crate) fn u32_be(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_be_bytes)
}

/// A length of the source as an index; the largest where it does not fit.
pub(crate) fn index(number: impl TryInto<usize>) -> usize {
    number.try_into().unwrap_or(usize::MAX)
}

/// A length in memory as a number of the source.
pub(crate) fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// The 16-bit number at `at`, little endian; none where the slice ends before.
#[must_use]
pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    u16_le(bytes, at)
}

/// The 32-bit number at `at`, little endian; none where the slice ends before.
#[must_use]
pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    u32_le(bytes, at)
}

/// The 64-bit number at `at`, little endian; none where the slice ends before.
#[must_use]
pub fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    u64_le(bytes, at)
}

/// UTF-16, little-endian, up to the first zero; what is no character becomes U+FFFD.
#[must_use]
pub fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).filter_map(|pair| u16_at(pair, 0));
    char::decode_utf16(units.take_while(|unit| *unit != 0))
        .map(|one| one.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}
