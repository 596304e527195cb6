//! Text as Windows keeps it.

use lidless_io::number::u16_le;

/// UTF-16, little-endian, up to the first zero; what is no character becomes U+FFFD.
#[must_use]
pub fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).filter_map(|pair| u16_le(pair, 0));
    char::decode_utf16(units.take_while(|unit| *unit != 0))
        .map(|one| one.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}
