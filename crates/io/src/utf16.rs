//! UTF-16 in bytes: its units, and the text they are.
//!
//! What is half of a pair becomes U+FFFD, and a last byte alone is passed over.

/// The units, least byte first.
pub fn units_le(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair))
}

/// The units, greatest byte first.
pub fn units_be(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair))
}

/// The text that units are.
#[must_use]
pub fn text(units: impl IntoIterator<Item = u16>) -> String {
    char::decode_utf16(units).map(|one| one.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// The text that units are up to the first zero.
#[must_use]
pub fn text_to_zero(units: impl IntoIterator<Item = u16>) -> String {
    text(units.into_iter().take_while(|unit| *unit != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_in_both_orders() {
        assert_eq!(text(units_le(b"a\0\xe9\0\x3d\xd8\x00\xde?")), "a\u{e9}\u{1f600}");
        assert_eq!(text(units_be(b"\0a\0\xe9")), "a\u{e9}");
    }

    #[test]
    fn half_a_pair_is_told() {
        assert_eq!(text([0xd83d, 97]), "\u{fffd}a");
    }

    #[test]
    fn a_zero_ends_what_it_ends() {
        assert_eq!(text_to_zero(units_le(b"a\0\0\0b\0")), "a");
        assert_eq!(text(units_le(b"a\0\0\0")), "a\0");
    }
}
