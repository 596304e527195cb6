//! LZX as WIM has it, and files that Windows compresses with `compact /exe:lzx`: MS-PATCH's
//! format with chunks that stand alone, without the bit for translation, which is always done.
//!
//! Bits are read from the highest of little-endian 16-bit words. A chunk is blocks:
//!
//! | bits | field |
//! | --- | --- |
//! | 3 | kind: 1 verbatim, 2 with aligned distances, 3 stored |
//! | 1 | set: the block holds 32,768 bytes; else their number follows in 16 bits (24 for windows from 64 KiB) |
//! | | aligned: 8 code lengths of 3 bits |
//! | | verbatim and aligned: code lengths of literals, of matches, of long matches, as differences to the block before |
//! | | stored: padding to a word, three 32-bit recent distances, the bytes, padding to a word |

use super::huffman::{Huffman, copy_back};

/// Windows of 2^15 to 2^21 bytes: how many classes of distances each has.
const SLOTS: [usize; 7] = [30, 32, 34, 36, 38, 42, 50];
/// How many lengths longer than 8 have a code.
const LENGTHS: usize = 249;
/// What addresses are taken to lie in by the translation of calls.
const TRANSLATED: i32 = 12_000_000;
/// How far past the end a well-formed input may make a decoder look, in bytes.
const BEYOND: usize = 4;

/// Decodes one chunk of a 32 KiB window to exactly `output_length` bytes; none when it is not
/// well formed.
pub(crate) fn decompress(input: &[u8], output_length: usize) -> Option<Vec<u8>> {
    decompress_in(15, input, output_length)
}

/// As [`decompress`], for windows (the size of a chunk) of `2^order` bytes, `order` 15 to 21.
pub(crate) fn decompress_in(order: u32, input: &[u8], output_length: usize) -> Option<Vec<u8>> {
    let slots = *SLOTS.get(usize::try_from(order.checked_sub(15)?).ok()?)?;
    let mut chunk = Chunk {
        bits: Bits { input, place: 0, bits: 0, count: 0 },
        output: Vec::with_capacity(output_length),
        most: output_length,
        main: vec![0; slots.saturating_mul(8).saturating_add(256)],
        lengths: vec![0; LENGTHS],
        recent: [1; 3],
        bases: bases(slots),
    };
    while chunk.output.len() < output_length {
        chunk.block(order)?;
    }
    let mut output = chunk.output;
    translate(&mut output)?;
    Some(output)
}

/// The first distance (plus 2) of each class, and how many bits follow.
fn bases(slots: usize) -> Vec<(u32, u32)> {
    let mut bases = Vec::with_capacity(slots);
    let mut base = 0u32;
    for slot in 0..u32::try_from(slots).unwrap_or(0) {
        let bits = (slot / 2).saturating_sub(1).min(17);
        bases.push((base, bits));
        base = base.saturating_add(1u32.wrapping_shl(bits));
    }
    bases
}

struct Chunk<'a> {
    bits: Bits<'a>,
    output: Vec<u8>,
    most: usize,
    /// Code lengths, kept from block to block.
    main: Vec<u8>,
    lengths: Vec<u8>,
    recent: [u32; 3],
    bases: Vec<(u32, u32)>,
}

impl Chunk<'_> {
    fn block(&mut self, order: u32) -> Option<()> {
        let kind = self.bits.take(3)?;
        let mut size = 32_768;
        if self.bits.take(1)? == 0 {
            size = self.bits.take(16)?;
            if order >= 16 {
                size = (size << 8) | self.bits.take(8)?;
            }
        }
        let size = usize::try_from(size).ok()?;
        let left = self.most.saturating_sub(self.output.len());
        if size == 0 || size > left {
            return None;
        }
        if kind == 3 {
            return self.stored(size);
        }
        let aligned = match kind {
            1 => None,
            2 => {
                let mut lengths = [0u8; 8];
                for length in &mut lengths {
                    *length = u8::try_from(self.bits.take(3)?).ok()?;
                }
                Some(Huffman::new(&lengths)?)
            }
            _ => return None,
        };
        let (literals, matches) = self.main.split_at_mut_checked(256)?;
        code_lengths(&mut self.bits, literals)?;
        code_lengths(&mut self.bits, matches)?;
        code_lengths(&mut self.bits, &mut self.lengths)?;
        let main = Huffman::new(&self.main)?;
        let long = Huffman::new(&self.lengths)?;
        let end = self.output.len().saturating_add(size);
        while self.output.len() < end {
            let symbol = self.bits.symbol(&main)?;
            let Some(symbol) = symbol.checked_sub(256) else {
                self.output.push(u8::try_from(symbol).ok()?);
                continue;
            };
            let mut length = usize::from(symbol & 7);
            if length == 7 {
                length = length.saturating_add(usize::from(self.bits.symbol(&long)?));
            }
            let slot = usize::from(symbol >> 3);
            let distance = self.distance(slot, aligned.as_ref())?;
            let distance = usize::try_from(distance).ok()?;
            copy_back(&mut self.output, 0, distance, length.saturating_add(2), end)?;
        }
        Some(())
    }

    fn distance(&mut self, slot: usize, aligned: Option<&Huffman>) -> Option<u32> {
        let [first, second, third] = self.recent;
        match slot {
            0 => {}
            1 => self.recent = [second, first, third],
            2 => self.recent = [third, second, first],
            _ => {
                let (base, bits) = *self.bases.get(slot)?;
                let more = match aligned {
                    Some(code) if bits >= 3 => {
                        let high = self.bits.take(bits.saturating_sub(3))?;
                        (high << 3) | u32::from(self.bits.symbol(code)?)
                    }
                    _ => self.bits.take(bits)?,
                };
                let distance = base.saturating_add(more).checked_sub(2)?;
                self.recent = [distance, first, second];
            }
        }
        Some(self.recent[0])
    }

    fn stored(&mut self, size: usize) -> Option<()> {
        self.bits.align();
        for recent in &mut self.recent {
            let four = self.bits.bytes(4)?.first_chunk::<4>()?;
            *recent = u32::from_le_bytes(*four);
        }
        self.output.extend_from_slice(self.bits.bytes(size)?);
        self.bits.place = self.bits.place.saturating_add(size % 2);
        Some(())
    }
}

/// Reads code lengths, which are themselves coded, as differences to those of the block before.
fn code_lengths(bits: &mut Bits, lengths: &mut [u8]) -> Option<()> {
    let mut own = [0u8; 20];
    for length in &mut own {
        *length = u8::try_from(bits.take(4)?).ok()?;
    }
    let code = Huffman::new(&own)?;
    let mut place = 0usize;
    while place < lengths.len() {
        let symbol = bits.symbol(&code)?;
        let old = *lengths.get(place)?;
        let (value, run) = match symbol {
            17 => (0, bits.take(4)?.saturating_add(4)),
            18 => (0, bits.take(5)?.saturating_add(20)),
            19 => {
                let run = bits.take(1)?.saturating_add(4);
                (less(old, bits.symbol(&code)?)?, run)
            }
            _ => (less(old, symbol)?, 1),
        };
        let end = place.saturating_add(usize::try_from(run).ok()?).min(lengths.len());
        lengths.get_mut(place..end)?.fill(value);
        place = end;
    }
    Some(())
}

/// A length less a difference, round a circle of 17.
fn less(old: u8, difference: u16) -> Option<u8> {
    let difference = u8::try_from(difference).ok().filter(|difference| *difference <= 16)?;
    Some(match old.checked_sub(difference) {
        Some(new) => new,
        None => old.saturating_add(17).saturating_sub(difference),
    })
}

/// Undoes the translation of call targets: `e8` and four bytes, made absolute by the encoder.
fn translate(output: &mut [u8]) -> Option<()> {
    // The last ten bytes are never translated.
    let end = output.len().saturating_sub(10);
    let mut place = 0usize;
    while place < end {
        let window = output.get(place..end)?;
        let Some(found) = memchr::memchr(0xe8, window) else { break };
        place = place.saturating_add(found);
        let target = output.get_mut(place.saturating_add(1)..)?.first_chunk_mut::<4>()?;
        let absolute = i32::from_le_bytes(*target);
        let here = i32::try_from(place).ok()?;
        if (0..TRANSLATED).contains(&absolute) {
            *target = absolute.wrapping_sub(here).to_le_bytes();
        } else if absolute < 0 && absolute >= here.wrapping_neg() {
            *target = absolute.wrapping_add(TRANSLATED).to_le_bytes();
        }
        place = place.saturating_add(5);
    }
    Some(())
}

struct Bits<'a> {
    input: &'a [u8],
    /// Where the next word stands; may lie past the end.
    place: usize,
    /// The next bits, from the highest.
    bits: u32,
    /// How many of them there are.
    count: u32,
}

impl<'a> Bits<'a> {
    /// Makes 16 bits available.
    fn fill(&mut self) -> Option<()> {
        while self.count < 16 {
            let rest = self.input.get(self.place..).unwrap_or(&[]);
            let word = match rest.split_first_chunk::<2>() {
                Some((word, _)) => u32::from(u16::from_le_bytes(*word)),
                None if self.place < self.input.len().saturating_add(BEYOND) => 0,
                None => return None,
            };
            self.place = self.place.saturating_add(2);
            self.bits |= word.wrapping_shl(16u32.saturating_sub(self.count));
            self.count = self.count.saturating_add(16);
        }
        Some(())
    }

    /// Takes up to 32 bits.
    fn take(&mut self, count: u32) -> Option<u32> {
        if count > 16 {
            let high = self.take(count.saturating_sub(16))?;
            return Some((high << 16) | self.take(16)?);
        }
        if count == 0 {
            return Some(0);
        }
        self.fill()?;
        let value = self.bits.wrapping_shr(32u32.saturating_sub(count));
        self.skip(count);
        Some(value)
    }

    fn skip(&mut self, count: u32) {
        self.bits = self.bits.wrapping_shl(count);
        self.count = self.count.saturating_sub(count);
    }

    fn symbol(&mut self, code: &Huffman) -> Option<u16> {
        self.fill()?;
        let (symbol, length) = code.decode(self.bits >> 16)?;
        self.skip(length);
        Some(symbol)
    }

    /// Goes on to the next word; over a whole word when already at one.
    fn align(&mut self) {
        let ahead = usize::try_from(self.count / 16).unwrap_or(0).saturating_mul(2);
        self.place = self.place.saturating_sub(ahead);
        if self.count.is_multiple_of(16) {
            self.place = self.place.saturating_add(2);
        }
        self.bits = 0;
        self.count = 0;
    }

    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.place.checked_add(count)?;
        let bytes = self.input.get(self.place..end)?;
        self.place = end;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What wimlib 1.13.5 made of [`calls`] as LZX.
    #[rustfmt::skip]
    const PACKED: [u8; 150] = [
        0x18, 0x20, 0x00, 0x02, 0x00, 0x00, 0x02, 0x00, 0x50, 0x25, 0x34, 0x00, 0xf9, 0x0f,
        0x03, 0x17, 0x1c, 0x85, 0xd8, 0xc8, 0x1c, 0xd0, 0x93, 0x08, 0x1c, 0x92, 0x58, 0x88,
        0x70, 0x50, 0xa9, 0xa8, 0x40, 0x12, 0x03, 0x42, 0xcb, 0x85, 0x82, 0x15, 0xc5, 0x02,
        0xab, 0x62, 0x6b, 0x87, 0x56, 0xb1, 0x2d, 0x1b, 0xd5, 0x96, 0x00, 0x64, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x02, 0x03, 0x03, 0xe7, 0x10, 0x53, 0xb9, 0xf3, 0xf1, 0x9c, 0xef,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x21, 0x44, 0x3e, 0x85, 0xef, 0xfb,
        0xd7, 0xa6, 0x5d, 0xb7, 0xdd, 0x5a, 0x88, 0x08, 0x8d, 0xb3, 0x6f, 0xfe, 0x58, 0x4b,
        0xfb, 0xac, 0xb7, 0x4c, 0x8f, 0x1e, 0xec, 0x95, 0x79, 0x2e, 0xf1, 0x50, 0x05, 0x99,
        0x15, 0x4c, 0x9d, 0xf5, 0x4b, 0xfc, 0xd4, 0x3d, 0xdc, 0x1e, 0x0d, 0x82, 0xd7, 0x47,
        0xb2, 0xd3, 0xdb, 0x43, 0xb2, 0xaa, 0x23, 0x8a, 0xc2, 0x5f, 0x23, 0xcf, 0xf8, 0x0c,
        0xe6, 0x63, 0xff, 0xa1, 0xa5, 0x81, 0x35, 0x83, 0x80, 0x17
    ];

    /// Calls, so that the translation has something to undo.
    fn calls() -> Vec<u8> {
        let mut calls = Vec::new();
        for number in 0..24u32 {
            calls.extend(b"call \xe8");
            calls.extend((number * number * number * 7919 % 90_000).to_le_bytes());
            calls.extend(b" here\n");
        }
        calls
    }

    #[test]
    fn a_chunk_made_by_another_tool_decodes_and_hostile_ones_end() {
        assert_eq!(decompress(&PACKED, calls().len()).unwrap(), calls());
        assert_eq!(decompress(&PACKED, 1 << 20), None);
        lidless_kit::cut_and_flip(&PACKED, |bytes| {
            assert!(decompress(bytes, 500).is_none_or(|out| out.len() == 500));
        });
    }

    #[test]
    fn a_stored_block_begins_at_a_word_even_when_the_bits_end_there() {
        // Kind 3, size given: 20 bits, then padding to 32.
        let mut chunk = vec![0x00, 0x60, 0x00, 0x50];
        chunk.extend([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
        chunk.extend(b"abcde\0");
        assert_eq!(decompress(&chunk, 5).unwrap(), b"abcde");
        assert_eq!(decompress(&chunk[..20], 5), None);
    }
}
