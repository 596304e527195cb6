//! The checksum of VHDX: CRC-32C (Castagnoli), reflected.

const TABLE: [u32; 256] = table();

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "counts to 256 at compile time"
)]
const fn table() -> [u32; 256] {
    let mut table = [0u32; 256];
    let mut index = 0usize;
    while index < 256 {
        let mut value = index as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { (value >> 1) ^ 0x82f6_3b78 } else { value >> 1 };
            bit += 1;
        }
        table[index] = value;
        index += 1;
    }
    table
}

/// The CRC-32C of parts that follow each other.
pub(super) fn crc32c(parts: &[&[u8]]) -> u32 {
    let sum = parts.iter().flat_map(|part| part.iter()).fold(u32::MAX, |sum, byte| {
        let [low, ..] = sum.to_le_bytes();
        let step = TABLE.get(usize::from(low ^ byte)).copied().unwrap_or(0);
        (sum >> 8) ^ step
    });
    !sum
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_sum_is_the_one_of_rfc_3720() {
        assert_eq!(super::crc32c(&[b"1234", b"56789"]), 0xe306_9283);
        assert_eq!(super::crc32c(&[&[0; 32]]), 0x8a91_36aa);
    }
}
