//! Deltas of packs: an object as copies out of another one and insertions.
//!
//! Format: git's `gitformat-pack`, "Deltified representation": the length of the base and of the
//! result as little-endian base-128 numbers, then instructions. A first byte with the high bit
//! set copies (bits 0-3 say which offset bytes follow, bits 4-6 which length bytes; a length of
//! 0 is 0x10000); one without inserts as many bytes as it says; 0 is reserved.

/// Applies `delta` to `base`; none when it does not fit, or when the result is longer than
/// `limit` or not as long as it says.
#[must_use]
pub fn apply(base: &[u8], delta: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut rest = delta;
    if number(&mut rest)? != base.len() {
        return None;
    }
    let length = number(&mut rest)?;
    if length > limit {
        return None;
    }
    let mut result = Vec::with_capacity(length);
    while let Some((op, after)) = rest.split_first() {
        rest = after;
        let part = if op & 0x80 == 0 {
            let (inserted, after) = rest.split_at_checked(usize::from(*op))?;
            rest = after;
            if inserted.is_empty() {
                return None;
            }
            inserted
        } else {
            let start = field(&mut rest, *op & 0x0f)?;
            let size = match field(&mut rest, (*op >> 4) & 0x07)? {
                0 => 0x1_0000,
                size => size,
            };
            base.get(start..start.checked_add(size)?)?
        };
        if result.len().checked_add(part.len())? > length {
            return None;
        }
        result.extend_from_slice(part);
    }
    (result.len() == length).then_some(result)
}

/// The length of the result of a delta.
pub(super) fn result_length(delta: &[u8]) -> Option<usize> {
    let mut rest = delta;
    number(&mut rest)?;
    number(&mut rest)
}

/// A little-endian base-128 number.
fn number(rest: &mut &[u8]) -> Option<usize> {
    let mut value = 0usize;
    for shift in (0u32..63).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= usize::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// A little-endian number of which only the bytes named in `present` are there.
fn field(rest: &mut &[u8], present: u8) -> Option<usize> {
    let mut value = 0usize;
    for at in 0u32..4 {
        if present & 1u8.checked_shl(at)? != 0 {
            let (byte, after) = rest.split_first()?;
            *rest = after;
            value |= usize::from(*byte).checked_shl(at.checked_mul(8)?)?;
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// base 10, result 8: copy 4 from 2, insert 3, copy 1 from 0.
    const DELTA: [u8; 12] = [10, 8, 0x91, 2, 4, 3, b'x', b'y', b'z', 0x90, 1, 0];

    #[test]
    fn copies_and_insertions_make_the_object_again() {
        let made = apply(b"0123456789", &DELTA[..11], 100);
        assert_eq!(made.as_deref(), Some(&b"2345xyz0"[..]));
        assert_eq!(result_length(&DELTA), Some(8));
    }

    #[test]
    fn a_delta_that_does_not_fit_gives_nothing() {
        assert_eq!(apply(b"0123456789", &DELTA, 100), None, "0 is reserved");
        assert_eq!(apply(b"012345678", &DELTA[..11], 100), None, "another base");
        assert_eq!(apply(b"0123456789", &DELTA[..11], 7), None, "over the limit");
        for end in 0..11 {
            assert_eq!(apply(b"0123456789", &DELTA[..end], 100), None, "cut at {end}");
        }
        for at in 0..11 {
            for bit in 0..8 {
                let mut flipped = DELTA;
                flipped[at] ^= 1 << bit;
                if let Some(made) = apply(b"0123456789", &flipped[..11], 100) {
                    assert_eq!(Some(made.len()), result_length(&flipped));
                }
            }
        }
        assert_eq!(apply(b"", &[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 9), None);
    }
}
