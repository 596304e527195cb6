//! XPRESS with Huffman codes: MS-XCA section 2.2. Used by WIM, by files that Windows compresses
//! with `compact /exe`, and by prefetch files.
//!
//! Blocks of 65,536 bytes when decoded, each:
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 256 | lengths of 512 codes, 4 bits each, the lower half first |
//! | 256 | | codes in little-endian 16-bit words; longer match lengths in bytes between them |

use super::huffman::{Huffman, copy_back};

const BLOCK: usize = 64 << 10;
/// Words past the end that a well-formed input may make a decoder look at.
const BEYOND: u32 = 2;

/// Decodes one chunk to exactly `output_length` bytes; none when it is not well formed.
pub(crate) fn decompress(input: &[u8], output_length: usize) -> Option<Vec<u8>> {
    let mut output = Vec::with_capacity(output_length);
    let mut rest = input;
    while output.len() < output_length {
        let (table, after) = rest.split_at_checked(256)?;
        let lengths: Vec<u8> = table.iter().flat_map(|byte| [byte & 15, byte >> 4]).collect();
        let code = Huffman::new(&lengths)?;
        let most = output.len().saturating_add(BLOCK).min(output_length);
        rest = block(&code, after, &mut output, most, output_length)?;
    }
    Some(output)
}

/// Decodes one block; returns what follows it.
fn block<'a>(
    code: &Huffman,
    input: &'a [u8],
    output: &mut Vec<u8>,
    most: usize,
    whole: usize,
) -> Option<&'a [u8]> {
    let mut bits = Bits { rest: input, bits: 0, spare: 0, beyond: 0 };
    bits.bits = (bits.word()? << 16) | bits.word()?;
    bits.spare = 16;
    while output.len() < most {
        let (symbol, length) = code.decode(bits.bits >> 16)?;
        bits.skip(length)?;
        let Some(symbol) = symbol.checked_sub(256) else {
            output.push(u8::try_from(symbol).ok()?);
            continue;
        };
        let mut length = usize::from(symbol & 15);
        let width = u32::from(symbol >> 4);
        if length == 15 {
            length = usize::from(bits.byte()?);
            if length == 255 {
                length = usize::from(u16::from_le_bytes([bits.byte()?, bits.byte()?]));
                if length == 0 {
                    let four = [bits.byte()?, bits.byte()?, bits.byte()?, bits.byte()?];
                    length = usize::try_from(u32::from_le_bytes(four)).ok()?;
                }
                length = length.checked_sub(15)?;
            }
            length = length.saturating_add(15);
        }
        let low = if width == 0 { 0 } else { bits.bits.wrapping_shr(32u32.saturating_sub(width)) };
        let distance = usize::try_from(1u32.wrapping_shl(width).saturating_add(low)).ok()?;
        bits.skip(width)?;
        // A copy may reach over the end of its block.
        copy_back(output, 0, distance, length.saturating_add(3), whole)?;
    }
    Some(bits.rest)
}

struct Bits<'a> {
    rest: &'a [u8],
    /// The next bits, from the highest.
    bits: u32,
    /// How many of `bits` are there beyond 16.
    spare: u32,
    beyond: u32,
}

impl Bits<'_> {
    fn word(&mut self) -> Option<u32> {
        let Some((word, after)) = self.rest.split_first_chunk::<2>() else {
            self.rest = &[];
            self.beyond = self.beyond.saturating_add(1);
            return (self.beyond <= BEYOND).then_some(0);
        };
        self.rest = after;
        Some(u32::from(u16::from_le_bytes(*word)))
    }

    fn byte(&mut self) -> Option<u8> {
        let (byte, after) = self.rest.split_first()?;
        self.rest = after;
        Some(*byte)
    }

    /// Goes on by at most 16 bits.
    fn skip(&mut self, count: u32) -> Option<()> {
        self.bits = self.bits.wrapping_shl(count);
        match self.spare.checked_sub(count) {
            Some(spare) => self.spare = spare,
            None => {
                let missing = count.saturating_sub(self.spare);
                self.bits |= self.word()?.wrapping_shl(missing);
                self.spare = 16u32.saturating_sub(missing);
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_specification_decode() {
        // MS-XCA section 3.2: the alphabet, and "abc" a hundred times.
        let mut input = vec![0u8; 0x30];
        input.push(0x50);
        input.extend([0x55; 10]);
        input.extend([0x45, 0x44, 0x04]);
        input.resize(0x80, 0);
        input.push(0x04);
        input.resize(0x100, 0);
        input.extend([
            0xd8, 0x52, 0x3e, 0xd7, 0x94, 0x11, 0x5b, 0xe9, 0x19, 0x5f, 0xf9, 0xd6, 0x7c, 0xdf,
            0x8d, 0x04, 0x00, 0x00, 0x00, 0x00,
        ]);
        assert_eq!(decompress(&input, 26).unwrap(), b"abcdefghijklmnopqrstuvwxyz");
        let mut input = vec![0u8; 0x30];
        input.extend([0x30, 0x23]);
        input.resize(0x80, 0);
        input.push(0x02);
        input.resize(0x8f, 0);
        input.push(0x20);
        input.resize(0x100, 0);
        input.extend([0xa8, 0xdc, 0x00, 0x00, 0xff, 0x26, 0x01, 0x00, 0x00]);
        assert_eq!(decompress(&input, 300).unwrap(), b"abc".repeat(100));
        lidless_kit::cut_and_flip(&input, |bytes| {
            assert!(decompress(bytes, 300).is_none_or(|out| out.len() == 300));
        });
    }
}
