//! Canonical Huffman codes as the Microsoft formats use them: read from the highest bit of
//! little-endian 16-bit words.

/// Codes of at most this many bits are found with one look.
const FAST: u32 = 10;
/// The longest code.
const LONGEST: usize = 16;

/// A decoder for one code.
pub(super) struct Huffman {
    /// By the next [`FAST`] bits: symbol and length; length 0 where the code is longer.
    fast: Vec<(u16, u8)>,
    /// By length: the first code that is longer than this length, with all codes aligned to 16
    /// bits, and the index of the first symbol of this length.
    limits: [u32; LONGEST + 1],
    first: [(u32, u32); LONGEST + 1],
    /// Symbols by length, then by number.
    symbols: Vec<u16>,
}

impl Huffman {
    /// Builds the decoder from the length of each symbol's code, 0 for symbols without one; none
    /// when more codes are asked for than there are. A code that is not complete is allowed: the
    /// bits it does not use decode to nothing.
    pub(super) fn new(lengths: &[u8]) -> Option<Self> {
        let mut counts = [0u32; LONGEST + 1];
        for length in lengths {
            let count = counts.get_mut(usize::from(*length))?;
            *count = count.saturating_add(1);
        }
        let mut symbols = Vec::with_capacity(lengths.len());
        for length in 1..=16u8 {
            for (symbol, own) in lengths.iter().enumerate() {
                if *own == length {
                    symbols.push(u16::try_from(symbol).ok()?);
                }
            }
        }
        let mut limits = [0u32; LONGEST + 1];
        let mut first = [(0u32, 0u32); LONGEST + 1];
        let (mut code, mut index) = (0u32, 0u32);
        let mut fast = vec![(0u16, 0u8); 1 << FAST];
        let each = limits.iter_mut().zip(&mut first).zip(&counts).zip(0u32..).skip(1);
        for (((limit, first), count), length) in each {
            // `code` is aligned to 16 bits, so codes of one length stand `step` apart.
            let step = 1u32.wrapping_shl(16u32.saturating_sub(length));
            *first = (code, index);
            for number in 0..*count {
                if length <= FAST {
                    let place = usize::try_from(index.saturating_add(number)).ok()?;
                    let symbol = *symbols.get(place)?;
                    let from = code.saturating_add(number.saturating_mul(step));
                    let to = from.saturating_add(step);
                    let slots = usize::try_from(from >> (16 - FAST)).ok()?
                        ..usize::try_from(to >> (16 - FAST)).ok()?;
                    fast.get_mut(slots)?.fill((symbol, u8::try_from(length).ok()?));
                }
            }
            code = code.saturating_add(count.saturating_mul(step));
            index = index.saturating_add(*count);
            *limit = code;
            if code > 1 << 16 {
                return None;
            }
        }
        Some(Self { fast, limits, first, symbols })
    }

    /// The symbol that the next 16 bits begin with, and the length of its code in bits.
    pub(super) fn decode(&self, bits: u32) -> Option<(u16, u32)> {
        let bits = bits & 0xffff;
        let slot = usize::try_from(bits >> (16 - FAST)).ok()?;
        let (symbol, length) = *self.fast.get(slot)?;
        if length > 0 {
            return Some((symbol, u32::from(length)));
        }
        let lengths = self.limits.iter().zip(&self.first).zip(0u32..).skip(1);
        for ((limit, (code, index)), length) in lengths {
            if bits < *limit {
                let beyond = bits.saturating_sub(*code);
                let number = beyond.wrapping_shr(16u32.saturating_sub(length));
                let place = usize::try_from(index.saturating_add(number)).ok()?;
                return Some((*self.symbols.get(place)?, length));
            }
        }
        None
    }
}

/// Copies `length` bytes from `distance` bytes before the end of `output`; none when that lies
/// before `start`, or when `output` would grow past `most`.
pub(super) fn copy_back(
    output: &mut Vec<u8>,
    start: usize,
    distance: usize,
    length: usize,
    most: usize,
) -> Option<()> {
    let mut from = output.len().checked_sub(distance).filter(|from| *from >= start)?;
    if distance == 0 || output.len().checked_add(length)? > most {
        return None;
    }
    // A copy may overlap what it makes: it is done in steps of at most its distance.
    let mut left = length;
    while left > 0 {
        let step = left.min(distance);
        output.extend_from_within(from..from.checked_add(step)?);
        from = from.checked_add(step)?;
        left = left.saturating_sub(step);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_codes_decode_and_too_many_are_refused() {
        // A code of lengths 1, 2, ..., 15, 15.
        let lengths: Vec<u8> = (1..=15).chain([15]).collect();
        let code = Huffman::new(&lengths).unwrap();
        assert_eq!(code.decode(0x0000), Some((0, 1)));
        assert_eq!(code.decode(0x8000), Some((1, 2)));
        assert_eq!(code.decode(0xfffc), Some((14, 15)));
        assert_eq!(code.decode(0xfffe), Some((15, 15)));
        assert!(Huffman::new(&[1, 1, 1]).is_none());
        assert!(Huffman::new(&[17]).is_none());
        // Not complete: what it does not use is nothing.
        let code = Huffman::new(&[0, 2]).unwrap();
        assert_eq!(code.decode(0x3fff), Some((1, 2)));
        assert_eq!(code.decode(0x4000), None);
        assert_eq!(Huffman::new(&[]).unwrap().decode(0), None);
    }
}
