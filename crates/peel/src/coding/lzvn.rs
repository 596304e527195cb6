//! LZVN, as Apple's reference implementation of LZFSE has it: literals and copies, told by the
//! first byte.
//!
//! ```text
//! LLMMMDDD DDDDDDDD                      literals, a copy of M + 3 bytes from D before
//! 101LLMMM DDDDDDMM DDDDDDDD             the same with a distance of 14 bits
//! LLMMM111 DDDDDDDD DDDDDDDD             the same with a distance of 16 bits
//! LLMMM110                               the same from as far before as the last one; L not 0
//! 1110LLLL, 11100000 LLLLLLLL            literals: L, L + 16
//! 1111MMMM, 11110000 MMMMMMMM            a copy from as far before: M, M + 16
//! 00001110, 00010110                     nothing
//! 00000110 and seven bytes               the end
//! ```

/// Decodes at most `length` bytes; none when the bytes are not LZVN.
pub(crate) fn lzvn(stored: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(length.min(1 << 20));
    unpack(stored, length, &mut out)?;
    Some(out)
}

/// The same, behind what `out` holds already and copies may reach.
pub(super) fn unpack(stored: &[u8], length: usize, out: &mut Vec<u8>) -> Option<()> {
    let end = out.len().checked_add(length)?;
    let mut rest = stored;
    let mut distance = 0usize;
    while out.len() < end {
        let first = usize::from(*rest.first()?);
        let byte = |at: usize| rest.get(at).copied().map(usize::from);
        let short = (first.wrapping_shr(6), (first.wrapping_shr(3) & 7).saturating_add(3));
        let (taken, (literals, copied)) = match first {
            0x06 => break,
            0x0e | 0x16 => (1, (0, 0)),
            0x1e | 0x26 | 0x2e | 0x36 | 0x3e | 0x70..=0x7f | 0xd0..=0xdf => return None,
            0xa0..=0xbf => {
                let low = byte(1)?;
                distance = byte(2)?.wrapping_shl(6) | low.wrapping_shr(2);
                let copied = (first & 7).wrapping_shl(2) | (low & 3);
                (3, (first.wrapping_shr(3) & 3, copied.saturating_add(3)))
            }
            0xe0 => (2, (byte(1)?.saturating_add(16), 0)),
            0xe1..=0xef => (1, (first & 0xf, 0)),
            0xf0 => (2, (0, byte(1)?.saturating_add(16))),
            0xf1..=0xff => (1, (0, first & 0xf)),
            _ if first & 7 == 7 => {
                distance = byte(1)? | byte(2)?.wrapping_shl(8);
                (3, short)
            }
            _ if first & 7 == 6 => (1, short),
            _ => {
                distance = (first & 7).wrapping_shl(8) | byte(1)?;
                (2, short)
            }
        };
        let (plain, after) = rest.get(taken..)?.split_at_checked(literals)?;
        out.extend_from_slice(plain);
        rest = after;
        copy(out, distance, copied)?;
    }
    out.truncate(end);
    Some(())
}

/// Copies what stands `distance` before the end to the end.
pub(super) fn copy(out: &mut Vec<u8>, distance: usize, count: usize) -> Option<()> {
    if count > 0 && distance == 0 {
        return None;
    }
    for _ in 0..count {
        let from = out.len().checked_sub(distance)?;
        out.push(*out.get(from)?);
    }
    Some(())
}
