//! Marvin32, the checksum of log entries (US patent 20130262421 describes it).

/// The seed that log entries are summed with.
const SEED: u64 = 0x82ef_4d88_7a4e_55c5;

fn mix(low: &mut u32, high: &mut u32) {
    *high ^= *low;
    *low = low.rotate_left(20).wrapping_add(*high);
    *high = high.rotate_left(9) ^ *low;
    *low = low.rotate_left(27).wrapping_add(*high);
    *high = high.rotate_left(19);
}

fn with_seed(seed: u64, bytes: &[u8]) -> u64 {
    let mut low = u32::try_from(seed & 0xffff_ffff).unwrap_or(0);
    let mut high = u32::try_from(seed >> 32).unwrap_or(0);
    let words = bytes.chunks_exact(4);
    let mut last = [0u8; 4];
    let rest = words.remainder();
    if let Some(start) = last.get_mut(..rest.len()) {
        start.copy_from_slice(rest);
    }
    if let Some(end) = last.get_mut(rest.len()) {
        *end = 0x80;
    }
    for word in words {
        low = low.wrapping_add(u32::from_le_bytes(word.try_into().unwrap_or_default()));
        mix(&mut low, &mut high);
    }
    low = low.wrapping_add(u32::from_le_bytes(last));
    mix(&mut low, &mut high);
    mix(&mut low, &mut high);
    u64::from(high) << 32 | u64::from(low)
}

/// The checksum of `bytes`.
pub(super) fn sum(bytes: &[u8]) -> u64 {
    with_seed(SEED, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_vectors_hold() {
        let seed = 0x004f_b61a_001b_dbcc;
        for (bytes, expected) in [
            (&[][..], 0x30ed_35c1_00cd_3c7d_u64),
            (&[0xaf], 0x48e7_3fc7_7d75_ddc1),
            (&[0xe7, 0x0f], 0xb5f6_e1fc_485d_bff8),
            (&[0x37, 0xf4, 0x95], 0xf0b0_7c78_9b8c_f7e8),
            (&[0x86, 0x42, 0xdc, 0x59], 0x7008_f2e8_7e9c_f556),
        ] {
            assert_eq!(with_seed(seed, bytes), expected, "{bytes:x?}");
        }
    }
}
