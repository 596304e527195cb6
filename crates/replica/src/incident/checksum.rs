//! CRC-32 of content that is not made: of a block repeated millions of times.
//!
//! A CRC is arithmetic on polynomials over GF(2), so that the CRC of two parts put together follows
//! from theirs (zlib, `crc32_combine`).

const POLYNOMIAL: u32 = 0xedb8_8320;

/// CRC-32 of `bytes`, as zip uses it.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// CRC-32 of `count` copies of a block of `length` bytes whose CRC-32 is `crc`.
pub(super) fn crc32_of_repeated(crc: u32, length: u64, count: u64) -> u32 {
    let (mut sum, mut crc, mut length, mut count) = (0, crc, length, count);
    while count > 0 {
        if count & 1 == 1 {
            sum = combined(sum, crc, length);
        }
        crc = combined(crc, crc, length);
        length = length.wrapping_mul(2);
        count >>= 1;
    }
    sum
}

/// The CRC of what has `first`, followed by `length` bytes that have `second`.
fn combined(first: u32, second: u32, length: u64) -> u32 {
    // x^(8 * length): squares of x, multiplied where the length has a bit.
    let mut power = 1 << 31;
    let mut square = 1 << 30;
    for _ in 0..3 {
        square = product(square, square);
    }
    let mut left = length;
    while left > 0 {
        if left & 1 == 1 {
            power = product(square, power);
        }
        square = product(square, square);
        left >>= 1;
    }
    product(power, first) ^ second
}

fn product(a: u32, mut b: u32) -> u32 {
    let mut sum = 0;
    for bit in (0..32).rev() {
        if a >> bit & 1 == 1 {
            sum ^= b;
        }
        b = if b & 1 == 1 { (b >> 1) ^ POLYNOMIAL } else { b >> 1 };
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_a_repeated_block_is_that_of_the_bytes() {
        let block: Vec<u8> = (0..100).collect();
        for count in [0, 1, 2, 7, 33] {
            let whole = block.repeat(count);
            let told = crc32_of_repeated(crc32(&block), 100, count as u64);
            assert_eq!(told, crc32(&whole), "{count}");
        }
    }
}
