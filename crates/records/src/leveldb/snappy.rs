//! Snappy blocks (the Snappy repository, `format_description.txt`).

use super::varint::varint;

/// No block may expand to more than this many times its length: a copy of two bytes gives 64.
const RATIO: usize = 64;

/// Expands a block; none when it is not one, or would be longer than `limit`.
#[must_use]
pub fn unsnap(block: &[u8], limit: usize) -> Option<Vec<u8>> {
    let (length, mut rest) = varint(block)?;
    let length = usize::try_from(length).ok()?;
    if length > limit || length > block.len().saturating_mul(RATIO) {
        return None;
    }
    let mut out = Vec::with_capacity(length);
    while let Some((tag, after)) = rest.split_first() {
        rest = after;
        let number = usize::from(tag >> 2);
        if tag & 3 == 0 {
            let extra = number.saturating_sub(59);
            let (bytes, after) = rest.split_at_checked(extra)?;
            let size = if extra == 0 { number } else { little(bytes) };
            let (literal, after) = after.split_at_checked(size.checked_add(1)?)?;
            out.extend_from_slice(literal);
            rest = after;
        } else {
            let (extra, size, high) = match tag & 3 {
                1 => (1, (number & 7).saturating_add(4), usize::from(tag >> 5) << 8),
                2 => (2, number.saturating_add(1), 0),
                _ => (4, number.saturating_add(1), 0),
            };
            let (bytes, after) = rest.split_at_checked(extra)?;
            rest = after;
            let from = out.len().checked_sub(high | little(bytes))?;
            if from == out.len() {
                return None;
            }
            for at in from..from.checked_add(size)? {
                let byte = *out.get(at)?;
                out.push(byte);
            }
        }
        if out.len() > length {
            return None;
        }
    }
    (out.len() == length).then_some(out)
}

fn little(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0usize, |value, byte| (value << 8) | usize::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_copies_of_every_length_are_expanded() {
        assert_eq!(unsnap(&[5, 16, b'h', b'e', b'l', b'l', b'o'], 99).unwrap(), b"hello");
        // A copy that overlaps what it makes.
        assert_eq!(unsnap(&[9, 0, b'a', 0b1_0001, 1], 99).unwrap(), b"aaaaaaaaa");
        assert_eq!(unsnap(&[6, 4, b'a', b'b', 0b1110, 2, 0], 99).unwrap(), b"ababab");
        let long = [&[61, 60 << 2, 60][..], &[7; 61]].concat();
        assert_eq!(unsnap(&long, 99).unwrap(), [7; 61]);
        for bad in [&[5][..], &[1, 0b1, 0], &[200, 1, 0, 1], &[2, 0, b'a'], &[4, 0, b'a', 2, 9, 9]]
        {
            assert_eq!(unsnap(bad, 99), None, "{bad:?}");
        }
        assert_eq!(unsnap(&[5, 16, b'h', b'e', b'l', b'l', b'o'], 4), None);
    }
}
