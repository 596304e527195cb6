//! Apple Data Compression: bytes as they are, and copies of what came before.
//!
//! ```text
//! 1nnnnnnn              the next n + 1 bytes as they are
//! 01nnnnnn dddddddd dddddddd   n + 4 bytes from d + 1 before
//! 00nnnndd dddddddd     n + 3 bytes from d + 1 before
//! ```

/// Decodes at most `length` bytes; none when a copy reaches before the beginning.
pub(super) fn decode(stored: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(length);
    let mut rest = stored;
    while let Some((first, after)) = rest.split_first() {
        if out.len() >= length {
            break;
        }
        let first = usize::from(*first);
        let (count, distance) = if first & 0x80 != 0 {
            let count = (first & 0x7f).saturating_add(1);
            let (plain, after) = after.split_at_checked(count)?;
            out.extend_from_slice(plain);
            rest = after;
            continue;
        } else if first & 0x40 != 0 {
            let (distance, after) = after.split_first_chunk::<2>()?;
            rest = after;
            ((first & 0x3f).saturating_add(4), usize::from(u16::from_be_bytes(*distance)))
        } else {
            let (low, after) = after.split_first()?;
            rest = after;
            let distance = (first & 3).wrapping_shl(8) | usize::from(*low);
            ((first.wrapping_shr(2) & 0xf).saturating_add(3), distance)
        };
        for _ in 0..count {
            let from = out.len().checked_sub(distance.saturating_add(1))?;
            out.push(*out.get(from)?);
        }
    }
    out.truncate(length);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_may_overlap_themselves_and_never_reach_before_the_start() {
        assert_eq!(decode(b"\x82abc\x00\x02", 100).unwrap(), b"abcabc");
        assert_eq!(decode(b"\x80a\x40\x00\x00", 100).unwrap(), b"aaaaa");
        assert_eq!(decode(b"\x83abcd\x41\x00\x03", 7).unwrap(), b"abcdabc");
        assert_eq!(decode(b"\x80a\x00\x01", 100), None);
        assert_eq!(decode(b"\x85a", 100), None);
        assert_eq!(decode(b"", 100).unwrap(), b"");
    }
}
