//! Numbers and pieces at an offset of a slice; none past its end.
//!
//! For structures whose fields lie at known places. What is read front to back has
//! [`Cursor`](crate::Cursor).

/// `length` bytes from `at`; none where they do not all lie in `bytes`.
#[must_use]
pub fn slice(bytes: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(length)?)
}

/// `N` bytes from `at`; none where they do not all lie in `bytes`.
#[must_use]
pub fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk::<N>().copied()
}

/// The number of 16 bits at `at`, least byte first.
#[must_use]
pub fn u16_le(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_le_bytes)
}

/// The number of 32 bits at `at`, least byte first.
#[must_use]
pub fn u32_le(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

/// The number of 64 bits at `at`, least byte first.
#[must_use]
pub fn u64_le(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_le_bytes)
}

/// The number of 16 bits at `at`, greatest byte first.
#[must_use]
pub fn u16_be(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_be_bytes)
}

/// The number of 32 bits at `at`, greatest byte first.
#[must_use]
pub fn u32_be(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_be_bytes)
}

/// The number of 64 bits at `at`, greatest byte first.
#[must_use]
pub fn u64_be(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_be_bytes)
}

/// A number of the source as an index or a length in memory; the largest where it does not fit,
/// which no slice reaches.
#[must_use]
pub fn index(number: impl TryInto<usize>) -> usize {
    number.try_into().unwrap_or(usize::MAX)
}

/// A length in memory as a number of the source.
#[must_use]
pub fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_both_orders() {
        let bytes = [9, 1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!((u16_le(&bytes, 1), u16_be(&bytes, 1)), (Some(0x0201), Some(0x0102)));
        assert_eq!((u32_le(&bytes, 1), u32_be(&bytes, 1)), (Some(0x0403_0201), Some(0x0102_0304)));
        assert_eq!(u64_le(&bytes, 1), Some(0x0807_0605_0403_0201));
        assert_eq!(u64_be(&bytes, 1), Some(0x0102_0304_0506_0708));
    }

    #[test]
    fn past_the_end_there_is_nothing() {
        assert_eq!(u16_le(&[1, 2], 1), None);
        assert_eq!(u64_be(&[0; 9], usize::MAX), None);
        assert_eq!(slice(&[1, 2, 3], 1, 2), Some(&[2, 3][..]));
        assert_eq!(slice(&[1, 2, 3], 1, usize::MAX), None);
        assert_eq!(array::<0>(&[1], 1), Some([]));
        assert_eq!(array::<0>(&[1], 2), None);
    }

    #[test]
    fn a_number_below_zero_is_no_index() {
        assert_eq!(index(-1), usize::MAX);
        assert_eq!(index(7u64), 7);
        assert_eq!(wide(7), 7);
    }
}
